"""Signed links end: the page says so, with how to get a new one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.core import signing
from django.test import Client

from commonweal.kernel import clock
from commonweal.kernel.errors import Gone, Invalid
from commonweal.services.giving.actions import links
from commonweal.services.giving.tests.conftest import NOW, World

KINDS = {"company/join": links.JOIN, "arrivals": links.RECEIVER, "uses": links.USE}


@pytest.fixture(autouse=True)
def now() -> Iterator[None]:
    with clock.stopped(NOW):
        yield


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_a_link_is_good_for_its_days(kind: links.Kind) -> None:
    link = kind.sign("a", "b")
    with clock.stopped(NOW + kind.lasts):
        assert kind.read(link) == ["a", "b"]
    with clock.stopped(NOW + kind.lasts + timedelta(seconds=1)), pytest.raises(Gone, match=r"link\.over"):
        kind.read(link)
    for wrong in (link[:-1], "x", "", signing.dumps([0], salt="other")):
        with pytest.raises(Invalid, match=r"link\.form"):
            kind.read(wrong)


@pytest.mark.parametrize("place", KINDS)
@pytest.mark.parametrize(("language", "word"), [("en", "is over"), ("zh", "已失效")])
def test_the_page_of_a_link_that_is_over_says_where_a_new_one_is(
    client: Client, world: World, place: str, language: str, word: str
) -> None:
    kind = KINDS[place]
    end = "30/" if place == "uses" else ""
    client.force_login(world.giver.login)
    with clock.stopped(NOW - kind.lasts - timedelta(days=1)):
        old = kind.sign(str(world.campaign.id), str(world.campaign.id))
    of_before = signing.dumps([str(world.campaign.id), str(world.campaign.id)], salt=kind.salt, compress=True)
    for link in (old, of_before):
        for answer in (
            client.get(f"/{language}/giving/{place}/{link}/{end}"),
            client.post(f"/{language}/giving/{place}/{link}/{end}", {"said_zh": "x"}),
        ):
            page = answer.content.decode()
            assert (answer.status_code, word in page, kind.renew.say(language) in page) == (410, True, True)
