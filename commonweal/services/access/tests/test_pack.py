"""The offline pack: its search in the browser, judged by the checker; its page without a network, in both languages."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from commonweal.services.access import checker
from commonweal.services.access.graph import answer, live, pack
from commonweal.services.access.graph.build import build
from commonweal.services.access.graph.easing import change
from commonweal.services.access.graph.router import Piece, Place, Router, Way
from commonweal.services.access.rules import MODES, PROFILES, Profile
from commonweal.services.access.tests.town import data
from commonweal.services.access.tests.world import BRIDGE, LIBRARY, SCHOOL

NOW = datetime(2026, 11, 25, 9, tzinfo=UTC)
pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.fixture
def tab(browser: Browser) -> Iterator[Page]:
    """A tab that has no network."""
    context = browser.new_context(locale="zh-CN", offline=True)
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    context.close()
    assert errors == []


def opened(tab: Page, path: Path, content: str) -> None:
    path.write_text(content, encoding="utf-8")
    tab.goto(path.as_uri())
    tab.wait_for_selector("html[data-ready]")


def as_way(router: Router, found: dict[str, Any]) -> Way:
    """What the browser found, as the router would have it."""
    pieces = tuple(Piece(p["arc"], p["begin"], p["end"]) for p in found["pieces"])
    start, goal = (
        Place(s["edge"], s["along"], s["off"], s["lat"], s["lon"], s["segment"])
        for s in (found["start"], found["goal"])
    )
    return Way(pieces, start, goal, found["length"], 0, router.overlay.sequence)


def proven(router: Router, profile: Profile, found: dict[str, Any], raw: checker.Raw) -> list[str]:
    """What the checker has against a way that the browser found."""
    way = as_way(router, found)
    stretches, points = answer.segments(router, way, profile)
    certificate = answer.certificate(router, way, profile, stretches, points)
    return checker.check(json.loads(json.dumps(certificate)), raw)


@pytest.fixture(scope="module")
def berlin(tmp_path_factory: pytest.TempPathFactory) -> Router:
    folder = tmp_path_factory.mktemp("berlin") / "graph"
    build(data("berlin-reinickendorf.osm.pbf"), folder)
    return Router.open(folder)


@pytest.mark.slow
def test_the_browser_finds_the_same_ways_and_the_checker_holds_them(tab: Page, berlin: Router, tmp_path: Path) -> None:
    a, draw = berlin.arrays, random.Random(11)
    opened(tab, tmp_path / "berlin.html", pack.page(pack.data(berlin, [], [], NOW), "berlin"))
    raw = checker.Raw(data("berlin-reinickendorf.osm.pbf"))
    names, judged, refused = sorted(PROFILES), 0, 0
    questions = []
    for number in sorted(range(400), key=lambda number: number % 24):  # one profile after the other
        i, j = draw.randrange(len(a.v_lat)), draw.randrange(len(a.v_lat))
        profile = change(PROFILES[names[number % 8]][0], "unknown", MODES[number % 3])
        ends = [[float(a.v_lat[i]) + 3e-5, float(a.v_lon[i])], [float(a.v_lat[j]), float(a.v_lon[j]) - 4e-5]]
        questions.append((profile, ends))
    asked = [[profile.to_json(), *ends] for profile, ends in questions]
    answers = tab.evaluate("(asked) => asked.map((question) => find(...question))", asked)
    for (profile, ends), found in zip(questions, answers, strict=True):
        ours = berlin.find(profile, (ends[0][0], ends[0][1]), (ends[1][0], ends[1][1]))
        if ours is None:
            assert "pieces" not in found
            refused += 1
            continue
        assert found["length"] == pytest.approx(ours.length, abs=0.01)
        assert proven(berlin, profile, found, raw) == []
        judged += 1
    assert judged >= 200 and refused >= 20, (judged, refused)


def test_live_barriers_are_carried_along(tab: Page, berlin: Router, tmp_path: Path) -> None:
    a, profile = berlin.arrays, PROFILES["manual"][0]
    spots = [(float(a.v_lat[k]), float(a.v_lon[k])) for k in range(0, len(a.v_lat), 97)]
    for ends in itertools.pairwise(spots):
        before = berlin.find(profile, *ends)
        if before is not None and len(before.pieces) > 8:
            break
    assert before is not None
    edge = before.pieces[len(before.pieces) // 2].arc >> 1
    middle = int(a.e_shape[edge])
    spot = [(float(a.s_lat[middle]), float(a.s_lon[middle]))]
    berlin.overlay.apply([(1, live.place(berlin, "x", "works", "confirmed", spot))])
    try:
        opened(tab, tmp_path / "live.html", pack.page(pack.data(berlin, [], [], NOW), "berlin"))
        found = tab.evaluate("(asked) => find(...asked)", [profile.to_json(), *map(list, ends)])
        after = berlin.find(profile, *ends)
        assert after is None or after.length > before.length
        assert found.get("length") == (after and pytest.approx(after.length, abs=0.01))
    finally:
        berlin.overlay.apply([(2, live.place(berlin, "x", "works", "cleared", spot))])


def test_the_pack_of_the_district_answers_without_a_network(tab: Page, home: Path, tmp_path: Path) -> None:
    places = [{"name": "同心图书馆", "kind": ["library", "图书馆"], "access": ["step-free", "无障碍可达"],
               "lat": LIBRARY[0], "lon": LIBRARY[1]}]  # fmt: skip
    barriers = [{"said": ["road works", "道路施工"], "date": "2026-11-24", "lat": BRIDGE[0], "lon": BRIDGE[1]}]
    packed = pack.data(Router.open(home / "access" / "district"), places, barriers, NOW, "GS(2026)0000号", "district")
    opened(tab, tmp_path / "district.html", pack.page(packed, "district"))
    requests: list[str] = []
    tab.on("request", lambda request: requests.append(request.url))
    assert "2026-11-25 09:00" in tab.inner_text("#age") and "道路施工 (2026-11-24" in str(tab.text_content("#barriers"))
    assert "审图号：GS(2026)0000号" in tab.inner_text("#source")
    tab.get_by_label("起点").fill(f"{SCHOOL[0]},{SCHOOL[1]}")
    tab.get_by_label("终点").fill("图书馆")
    tab.keyboard.press("Enter")
    assert "公里" in tab.get_by_role("heading", level=2).inner_text()
    assert tab.locator("#answer li").count() > 3 and tab.locator("#answer svg .way").count() == 1
    tab.get_by_role("button", name="English").click()
    assert "minutes" in tab.get_by_role("heading", level=2).inner_text()
    tab.get_by_label("What is not known").select_option("strict")
    tab.get_by_role("button", name="Find the way").click()
    assert tab.get_by_role("heading", level=2).inner_text() == "No way for you"
    assert tab.locator("#answer svg").count() == 0 and tab.locator("#answer li").count() > 0
    tab.get_by_label("From: a place").fill("nowhere at all")
    tab.get_by_role("button", name="Find the way").click()
    assert "No such place" in tab.get_by_role("alert").inner_text()
    assert requests == []
