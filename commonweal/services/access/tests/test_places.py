"""Places: found by name, kind and pinyin; their page says what is on record, and what is in the way now."""

from __future__ import annotations

import pytest
from django.test import Client

from commonweal.services.access import actions, queries
from commonweal.services.access.actions import Sighting
from commonweal.services.access.tests.world import NORTH_LIFT, somebody


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("图书馆", "同心图书馆"),
        ("tushuguan", "同心图书馆"),
        ("txtsg", "同心图书馆"),
        ("TONGXIN tushu", "同心图书馆"),
        ("公厕", "松园公厕"),
        ("toilets", "松园公厕"),
        ("厕所", "松园公厕"),
        ("诊所", "同心社区卫生站"),
        ("ｃｈａｇｕａｎ", "码头茶馆"),
        ("没有这个", None),
        ("x", None),
    ],
)
def test_places_are_found_in_both_languages_and_in_pinyin(world: None, words: str, name: str | None) -> None:
    found = queries.gazetteer(queries.region("district")).search(words)
    assert [place["properties"].get("name") for place in found] == ([name] if name else [])


def test_the_page_of_a_place_says_what_is_on_record_and_since_when(world: None, client: Client) -> None:
    page = client.get("/zh/access/places/district/node/61/").content.decode()
    for said in (
        "同心图书馆",
        "门：自动门",
        "宽度 120 厘米",
        "轮椅通行标记：可通行",
        "2026-09-01",
        "手动轮椅",
        "?to=29.604452",
    ):
        assert said in page, said
    page = client.get("/en/access/places/district/node/61/").content.decode()
    for said in ("door: automatic", "width 120 cm", "manual wheelchair", "Tell of a barrier here"):
        assert said in page, said
    assert client.get("/en/access/places/district/node/1/").status_code == 404
    assert client.get("/en/access/places/atlantis/node/61/").status_code == 404


def test_a_lift_out_of_service_is_said_on_its_page(world: None, client: Client) -> None:
    path = "/zh/access/places/district/node/63/"
    assert "当前障碍" not in client.get(path).content.decode()
    actions.report(somebody("one@x.example"), Sighting("lift", *NORTH_LIFT, "k1"))
    page = client.get(path).content.decode()
    assert "当前障碍" in page and "电梯停运" in page and "kind=lift" in page


def test_the_list_leads_to_the_pages(world: None, client: Client) -> None:
    page = client.get("/zh/access/places/?q=tushuguan").content.decode()
    assert "/zh/access/places/district/node/61/" in page
    assert "没有找到" in client.get("/zh/access/places/?q=%00%00zzz").content.decode()
