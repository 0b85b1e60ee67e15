"""What cannot be asked: each kind over HTTP, on the page and in the API, in both languages, and never with a route."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client, override_settings

from commonweal.kernel import clock, geo
from commonweal.kernel.errors import Invalid
from commonweal.kernel.parties import people
from commonweal.services.access import actions, queries, spots
from commonweal.services.access.graph.regions import bring
from commonweal.services.access.models import Feed
from commonweal.services.access.seed import DISTRICT
from commonweal.services.access.tests.town import Town
from commonweal.services.access.tests.world import LIBRARY, MANUAL, NOW, SCHOOL, somebody

FROM = f"{SCHOOL[0]},{SCHOOL[1]}"
SHOWN = geo.to_gcj02(geo.Point(*SCHOOL))
BAIDU = geo.to_bd09(SHOWN)


@pytest.fixture
def closed(db: None, tmp_path: Path) -> Iterator[Town]:
    """A region in which every street is private, and one way has no nodes at all."""
    town = Town(tmp_path, "A..B..C", {"ABC": "highway=footway access=no"})
    text = town.extract.read_text().replace(
        "</osm>", "<way id='900' version='1'><tag k='highway' v='footway'/></way></osm>"
    )
    town.extract.write_text(text)
    bring(town.extract, tmp_path / "access")
    queries._routers().clear()
    with override_settings(HOME=tmp_path), clock.stopped(NOW):
        yield town
    queries._routers().clear()


def page(client: Client, language: str, **form: str) -> tuple[int, str]:
    answer = client.post(f"/{language}/access/", {"from": FROM, "to": "同心图书馆", **form})
    content = answer.content.decode()
    assert 'class="way"' not in content or answer.status_code == 200
    return answer.status_code, content


def api(client: Client, **more: Any) -> tuple[int, dict[str, Any]]:
    ends = {"start": {"lat": SCHOOL[0], "lon": SCHOOL[1]}, "goal": {"lat": LIBRARY[0], "lon": LIBRARY[1]}}
    body = json.dumps(ends | more)
    answer = client.post("/api/v1/access/route", body, content_type="application/json")
    told = answer.json()
    assert answer.status_code == 200 or (told["en"] and told["zh"] and "geometry" not in told)
    return answer.status_code, told


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize(
    ("written", "status", "zh", "en"),
    [
        (f"{SCHOOL[1]},{SCHOOL[0]}", 422, "写反了", "Write latitude first: 29.60"),
        ("nan,nan", 422, "纬度,经度", "latitude, longitude in degrees"),
        ("inf,1", 422, "纬度,经度", "latitude, longitude in degrees"),
        ("1e308,1e308", 422, "纬度,经度", "latitude, longitude in degrees"),
        ("99999,5", 422, "纬度,经度", "latitude, longitude in degrees"),
        ("91,181", 422, "纬度,经度", "latitude, longitude in degrees"),
        ("59.91,10.78", 404, "district [29.6", "district [29.6"),
        ("", 422, "请填写", "Write the name of a place"),
        ("atlantis", 422, "请填写", "Write the name of a place"),
        ("https://surl.amap.com/abc123", 422, "没有坐标", "does not say where"),
        ("https://example.org/?q=29.6,123.4", 422, "没有坐标", "does not say where"),
        ("\0" * 5 + "' OR 1=1 --", 422, "请填写", "Write the name of a place"),
        ("9" * 5000, 422, "纬度,经度", "latitude, longitude in degrees"),
    ],
)
def test_what_is_no_place(
    world: None, client: Client, language: str, written: str, status: int, zh: str, en: str
) -> None:
    found, content = page(client, language, **{"from": written})
    assert found == status and {"zh": zh, "en": en}[language] in content
    assert 'class="way"' not in content


def test_coordinates_the_wrong_way_round_are_seen_where_both_ways_are_on_earth(
    db: None, tmp_path: Path, client: Client
) -> None:
    osm = DISTRICT.read_text().replace('lon="123.4', 'lon="23.4')
    (tmp_path / "west.osm").write_text(osm)
    bring(tmp_path / "west.osm", tmp_path / "access")
    queries._routers().clear()
    with override_settings(HOME=tmp_path):
        status, told = api(
            client, start={"lat": 23.400775, "lon": 29.600674}, goal={"lat": 23.405373, "lon": 29.604452}
        )
        assert (status, told["code"]) == (422, "point.swapped") and "29.6007,23.4008" in told["en"]
    queries._routers().clear()


@pytest.mark.parametrize(
    "address",
    [
        f"https://uri.amap.com/marker?position={SHOWN.lon:.7f},{SHOWN.lat:.7f}&name=x",
        f"https://uri.amap.com/navigation?from=1.5,2.5&to={SHOWN.lon:.7f},{SHOWN.lat:.7f},x&mode=walk",
        f"https://ditu.amap.com/regeo?lng={SHOWN.lon:.7f}&lat={SHOWN.lat:.7f}",
        f"https://wb.amap.com/?p=B000A83M61,{SHOWN.lat:.7f},{SHOWN.lon:.7f},x",
        f"看这里 https://www.amap.com/?q={SHOWN.lat:.7f},{SHOWN.lon:.7f},x。",
        f"https://apis.map.qq.com/uri/v1/marker?marker=coord:{SHOWN.lat:.7f},{SHOWN.lon:.7f};title:x",
        f"https://map.qq.com/?type=marker&pointx={SHOWN.lon:.7f}&pointy={SHOWN.lat:.7f}",
        f"http://api.map.baidu.com/marker?location={BAIDU.lat:.7f},{BAIDU.lon:.7f}&title=x&output=html",
        f"http://api.map.baidu.com/marker?location={SHOWN.lat:.7f},{SHOWN.lon:.7f}&coord_type=gcj02&output=html",
        f"https://www.openstreetmap.org/?mlat={SCHOOL[0]}&mlon={SCHOOL[1]}#map=18/1.1/2.2",
        f"https://www.openstreetmap.org/#map=18/{SCHOOL[0]}/{SCHOOL[1]}",
        f"geo:{SCHOOL[0]},{SCHOOL[1]};u=35",
    ],
)
def test_addresses_of_maps_are_read_and_shifted(world: None, client: Client, address: str) -> None:
    spot = spots.read(address, "from")
    assert spot is not None and (spot.lat, spot.lon) == pytest.approx(SCHOOL, abs=1e-6)
    for language, word in (("zh", "已换算为 WGS-84"), ("en", "moved by")):
        status, content = page(client, language, **{"from": address})
        assert status == 200 and 'class="way"' in content
        assert (word in content) == (spot.note is not None)
    assert (spot.note is None) == ("openstreetmap" in address or address.startswith("geo:"))


def test_bare_numbers_from_a_chinese_map_are_shifted_when_that_is_said(world: None, client: Client) -> None:
    status, content = page(client, "zh", **{"from": f"{SHOWN.lat:.6f}，{SHOWN.lon:.6f}", "gcj02": "on"})
    assert status == 200 and "GCJ-02" in content and 'class="way"' in content


@pytest.mark.parametrize(
    "profile",
    [
        {"width": float("nan")},
        {"width": float("inf")},
        {"incline_up": -1},
        {"kerb_up": 1e308},
        {"speed": 0},
        {"length": 1e308},
        {"surface": "velvet"},
        {"unknown": {"width": "perhaps"}},
        {"wings": True},
        "rollerskates",
    ],
)
def test_impossible_limits(world: None, client: Client, profile: Any) -> None:
    status, told = api(client, profile=profile)
    assert status in (400, 422) and "segments" not in told


@pytest.mark.parametrize(
    "start",
    [{"lat": float("nan"), "lon": 1}, {"lat": 1}, {"lat": "x", "lon": 1}, {"lat": 1, "lon": 1, "z": 1}, 7, None],
)
def test_what_is_no_point_in_the_api(world: None, client: Client, start: Any) -> None:
    assert api(client, start=start)[0] in (400, 422)


def test_the_api_says_which_comes_first_and_what_is_covered(world: None, client: Client) -> None:
    status, told = api(client, start={"lat": SCHOOL[1], "lon": SCHOOL[0]})
    assert (status, told["code"], told["field"]) == (422, "point.swapped", "start")
    status, told = api(client, start={"lat": 59.91, "lon": 10.78})
    assert (status, told["code"]) == (404, "point.uncovered") and "district" in told["zh"]
    assert api(client, start={"lat": 150, "lon": 150})[1]["code"] == "point.form"


def test_a_trip_over_the_limit_is_told_to_take_transit(world: None, client: Client) -> None:
    status, told = api(client, profile={"base": "manual", "length": 100})
    assert (status, told["code"]) == (422, "route.too-far") and "预约助行" in told["zh"]
    answer = api(client, profile={"base": "manual", "length": 700})[1]
    assert answer["status"] == "refused" and answer["code"] == "route.too-long" and "geometry" not in answer
    party = somebody("one@x.example")
    client.force_login(party.login)
    short = actions.keep_profile(party, MANUAL.__class__(name="近", length=100))
    for language, word in (("zh", "预约助行"), ("en", "ask for a ride")):
        status, content = page(client, language, profile=str(short))
        assert status == 422 and word in content


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_closed_district_is_refused_with_the_reason(closed: Town, client: Client, language: str) -> None:
    ends = {name: f"{closed.at[letter][0]},{closed.at[letter][1]}" for name, letter in (("from", "A"), ("to", "C"))}
    status, content = page(client, language, **ends)
    assert (
        status == 200 and {"zh": "没有向公众开放的路", "en": "no way that is open to the public"}[language] in content
    )
    assert 'class="way"' not in content and "way/100" in content


def test_a_shape_of_too_many_points(world: None, client: Client) -> None:
    actions.open_feed(
        Feed(name="city", title="City", region="district", form="works", party=(party := somebody("c@x.example")))
    )
    token = people.make_token(party, "works")

    def put(points: int) -> Any:
        ring = [[123.4 + k * 1e-9, 29.6] for k in range(points)]
        feature = {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [ring]}}
        body = json.dumps({"type": "FeatureCollection", "features": [feature]})
        return client.put(
            "/api/v1/access/feeds/city", body, content_type="application/json", HTTP_AUTHORIZATION=f"Bearer {token}"
        )

    for points in (1_001, 1_000_000):
        answer = put(points)
        assert answer.status_code == 413 and answer.json()["zh"] and answer.json()["en"]
    assert put(4).status_code == 200


@pytest.mark.parametrize("content", [b"", b"no map", DISTRICT.read_bytes()[:5000]])
def test_a_broken_extract_leaves_what_was_there(tmp_path: Path, content: bytes) -> None:
    good = tmp_path / "city.osm"
    good.write_bytes(DISTRICT.read_bytes())
    folder, meta = bring(good, tmp_path / "access")
    good.write_bytes(content)
    with pytest.raises(Invalid) as refused:
        bring(good, tmp_path / "access")
    assert refused.value.code in ("extract.broken", "extract.empty") and refused.value.text.zh
    assert json.loads((folder / "meta.json").read_text())["build"] == meta["build"]


def test_no_answer_to_a_bad_question_repeats_it_in_the_address(world: None, client: Client) -> None:
    answer = client.post("/zh/access/", {"from": "59.91,10.78", "to": FROM})
    assert not re.search(r"59\.91", answer.headers.get("Location", "")) and answer.status_code == 404
