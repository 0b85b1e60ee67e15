"""Routes in drawn towns: what is avoided, what is refused and why, what is said."""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from commonweal.kernel.errors import Invalid, NotFound, TooLarge
from commonweal.services.access import checker
from commonweal.services.access.graph.answer import digest, route
from commonweal.services.access.graph.easing import OPENERS, change
from commonweal.services.access.graph.live import check_shape, place
from commonweal.services.access.graph.reach import reach
from commonweal.services.access.graph.router import Router
from commonweal.services.access.rules import MODES, PROFILES, Profile, parse_profile
from commonweal.services.access.tests.town import Town, data
from commonweal.services.access.trust import Standing

MANUAL = PROFILES["manual"][0]
FOOT = "highway=footway surface=asphalt smoothness=good width=2 incline=0%"

SQUARE = """
A.....B.....C
.............
D.....E.....F
"""


def ask(town: Town, start: str, goal: str, profile: Profile = MANUAL, **options: Any) -> dict[str, Any]:
    """The answer from letter to letter; every route is checked against the raw map."""
    answer: dict[str, Any] = json.loads(
        json.dumps(route(town.router, profile, town.at[start], town.at[goal], **options))
    )
    if answer["status"] == "ok":
        assert checker.check(answer["certificate"], checker.Raw(town.extract)) == []
    else:
        assert "geometry" not in answer
        if answer["opens"]:
            opened = parse_profile(answer["opens"]["profile"])
            assert route(town.router, opened, town.at[start], town.at[goal])["status"] == "ok"
    return answer


@pytest.mark.parametrize(
    ("tags", "profile", "path"),
    [
        ("", "manual", "ABC"),
        ("highway=steps", "manual", "ADEFC"),
        ("highway=steps", "cane", "ABC"),
        ("highway=steps step_count=5", "crutches", "ABC"),
        ("highway=steps step_count=50", "crutches", "ADEFC"),
        ("highway=steps ramp:wheelchair=yes", "manual", "ABC"),
        ("incline=12%", "manual", "ADEFC"),
        ("incline=12%", "power", "ABC"),
        ("incline=-12%", "manual", "ADEFC"),
        ("width=0.6", "manual", "ADEFC"),
        ("width=0.6", "cane", "ABC"),
        ("surface=sett", "manual", "ADEFC"),
        ("surface=sett", "pram", "ABC"),
        ("smoothness=bad", "manual", "ADEFC"),
        ("wheelchair=no", "manual", "ADEFC"),
        ("wheelchair=no", "cane", "ABC"),
        ("access=private", "cane", "ADEFC"),
        ("conveying=yes", "pram", "ADEFC"),
    ],
)
def test_the_profile_decides(tmp_path: Path, tags: str, profile: str, path: str) -> None:
    base = dict(pair.split("=", 1) for pair in FOOT.split()) | dict(pair.split("=", 1) for pair in tags.split())
    middle = " ".join(f"{key}={value}" for key, value in base.items())
    town = Town(tmp_path, SQUARE, {"AB": FOOT, "BC": middle, "ADEFC": FOOT})
    assert town.letters(ask(town, "A", "C", PROFILES[profile][0])) == path


@pytest.mark.parametrize(
    ("node", "profile", "path"),
    [
        ("kerb=lowered", "manual", "ABC"),
        ("kerb=raised", "manual", "ADEFC"),
        ("kerb=raised", "crutches", "ABC"),
        ("kerb=yes", "manual", "ADEFC"),
        ("barrier=bollard", "manual", "ADEFC"),
        ("barrier=bollard maxwidth:physical=1.2", "manual", "ABC"),
        ("barrier=stile", "cane", "ADEFC"),
        ("highway=elevator", "manual", "ABC"),
        ("door=revolving", "manual", "ADEFC"),
    ],
)
def test_what_stands_on_a_node_stops_there(tmp_path: Path, node: str, profile: str, path: str) -> None:
    town = Town(tmp_path, SQUARE, {"ABC": FOOT, "ADEFC": FOOT}, {"B": node})
    assert town.letters(ask(town, "A", "C", PROFILES[profile][0])) == path


def test_a_slope_is_judged_in_the_direction_of_travel(tmp_path: Path) -> None:
    town = Town(tmp_path, SQUARE, {"ABC": FOOT.replace("incline=0%", "incline=10%"), "ADEFC": FOOT})
    downhill_only = dataclasses.replace(MANUAL, incline_up=5, incline_down=15)
    assert town.letters(ask(town, "C", "A", downhill_only)) == "CBA"
    assert town.letters(ask(town, "A", "C", downhill_only)) == "ADEFC"


def test_a_kerb_between_pavement_and_crossing_is_up_or_down(tmp_path: Path) -> None:
    ways = {"AB": FOOT, "BC": f"{FOOT} footway=crossing", "ADEFC": FOOT}
    town = Town(tmp_path, SQUARE, ways, {"B": "kerb:height=10cm"})
    down_only = dataclasses.replace(MANUAL, kerb_up=2, kerb_down=12)
    assert town.letters(ask(town, "A", "C", down_only)) == "ABC"
    assert town.letters(ask(town, "C", "A", down_only)) == "CFEDA"


def test_the_two_pavements_of_a_street_are_two_ways(tmp_path: Path) -> None:
    road = "highway=residential sidewalk=both sidewalk:left:surface=sett sidewalk:right:surface=asphalt"
    town = Town(tmp_path, "A.....B", {"AB": road})
    answer = ask(town, "A", "B")
    assert [segment["side"] for segment in answer["segments"]] == ["right"]
    assert "right pavement" in answer["instructions"]["en"][0]
    assert "left pavement" in ask(town, "B", "A")["instructions"]["en"][0]


def test_unknown_is_the_persons_choice(tmp_path: Path) -> None:
    bare = "highway=footway surface=asphalt smoothness=good width=2"
    town = Town(tmp_path, SQUARE, {"ABC": bare, "ADEFC": FOOT}, {"E": "barrier=gate"})
    paths = {mode: ask(town, "A", "C", change(MANUAL, "unknown", mode)) for mode in MODES}
    assert town.letters(paths["permissive"]) == town.letters(paths["cautious"]) == "ABC"
    assert paths["strict"]["status"] == "refused"
    only_incline = parse_profile({"base": "manual", "unknown": {"default": "permissive", "incline": "strict"}})
    assert town.letters(ask(town, "A", "C", only_incline)) == "ADEFC"


@pytest.mark.parametrize(
    ("tags", "field", "after"),
    [
        ("highway=footway incline=10%", "incline_up", 10.0),
        ("highway=footway width=0.8", "width", 80.0),
        ("highway=footway surface=gravel", "surface", "loose"),
        ("highway=footway smoothness=very_bad", "smoothness", "very_bad"),
        ("highway=steps step_count=4", "steps", 4),
        ("highway=footway access=private", "private", True),
        ("highway=footway wheelchair=limited", "limited", True),
    ],
)
def test_a_refusal_names_the_fact_and_the_least_change(tmp_path: Path, tags: str, field: str, after: object) -> None:
    town = Town(tmp_path, "A..B..C", {"AB": FOOT, "BC": tags})
    answer = ask(town, "A", "C")
    assert answer["status"] == "refused" and answer["code"] == "route.none"
    assert [(c["field"], c["after"]) for c in answer["opens"]["changes"]] == [(field, after)]
    assert answer["reasons"][0]["element"] == f"way/{town.way_id['BC']}"
    assert answer["text"]["zh"] and answer["nearest"]["left_m"] == pytest.approx(60, abs=1)


def test_two_limits_are_named_where_one_is_not_enough(tmp_path: Path) -> None:
    town = Town(tmp_path, "A..B..C", {"AB": "highway=footway width=0.7", "BC": "highway=footway incline=11%"})
    answer = ask(town, "A", "C")
    assert sorted(c["field"] for c in answer["opens"]["changes"]) == ["incline_up", "width"]
    assert {reason["attribute"] for reason in answer["reasons"]} == {"width", "incline"}


def test_what_is_closed_or_apart_is_not_opened_by_any_limit(tmp_path: Path) -> None:
    closed = Town(tmp_path, "A..B..C", {"AB": FOOT, "BC": "highway=footway access=no"})
    answer = ask(closed, "A", "C")
    assert (answer["code"], answer["opens"]) == ("route.closed", None)
    apart = Town(tmp_path, "A..B.........C..D", {"AB": FOOT, "CD": FOOT})
    answer = ask(apart, "A", "D")
    assert (answer["code"], answer["opens"]) == ("route.unconnected", None)


def test_a_route_over_the_limit_is_refused_with_its_length(tmp_path: Path) -> None:
    town = Town(tmp_path, SQUARE, {"ABC": FOOT.replace("surface=asphalt", "surface=sand"), "ADEFC": FOOT})
    answer = ask(town, "A", "C", dataclasses.replace(MANUAL, length=300.0))
    assert answer["code"] == "route.too-long" and answer["opens"]["changes"][0]["field"] == "length"


@pytest.mark.parametrize(
    "point", [(float("nan"), 121.0), (91.0, 0.0), (0.0, 181.0), (float("inf"), 0.0), (1e308, 1e308)]
)
def test_what_is_no_place_is_refused(tmp_path: Path, point: tuple[float, float]) -> None:
    town = Town(tmp_path, "A..B", {"AB": FOOT})
    with pytest.raises(Invalid, match=r"point\.(form|swapped)"):
        route(town.router, MANUAL, point, town.at["A"])


def test_places_off_the_map_are_told_what_it_covers(tmp_path: Path) -> None:
    town = Town(tmp_path, "A..B", {"AB": FOOT})
    with pytest.raises(NotFound, match="covers") as refused:
        route(town.router, MANUAL, (59.9, 10.7), town.at["A"])
    assert refused.value.code == "point.uncovered" and refused.value.field == "from"


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ({"width": float("nan")}, "profile.limit"),
        ({"incline_up": float("inf")}, "profile.limit"),
        ({"kerb_up": -1}, "profile.limit"),
        ({"width": 1e308}, "profile.limit"),
        ({"width": "90"}, "profile.limit"),
        ({"width": True}, "profile.limit"),
        ({"steps": None}, "profile.limit"),
        ({"surface": "velvet"}, "profile.limit"),
        ({"unknown": "maybe"}, "profile.limit"),
        ({"unknown": {"colour": "strict"}}, "profile.limit"),
        ({"speed": 0}, "profile.limit"),
        ({"lifts": 1}, "profile.limit"),
        ({"max_width": 90}, "profile.field"),
        ("rollerskates", "profile.name"),
        (["manual"], "profile.form"),
    ],
)
def test_impossible_limits_are_refused_by_name(document: object, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse_profile(document)
    assert refused.value.code == code and refused.value.text.zh


def test_every_profile_can_be_written_and_read_again() -> None:
    for profile, title in PROFILES.values():
        assert parse_profile(json.loads(json.dumps(profile.to_json()))) == profile
        assert title.zh and title.en


@pytest.mark.parametrize("content", [b"", b"not a map", b"\x00\x00\x00\x0d\x0a\x09OSMHeader\x18\xff"])
def test_a_broken_extract_is_refused(tmp_path: Path, content: bytes) -> None:
    from commonweal.services.access.graph.build import build

    path = tmp_path / "bad.osm.pbf"
    path.write_bytes(content)
    with pytest.raises(Invalid) as refused:
        build(path, tmp_path / "bad.graph")
    assert refused.value.code in ("extract.broken", "extract.empty")
    assert not (tmp_path / "bad.graph").exists()


def test_a_truncated_extract_is_refused(tmp_path: Path) -> None:
    from commonweal.services.access.graph.build import build

    whole = data("berlin-reinickendorf.osm.pbf").read_bytes()
    path = tmp_path / "cut.osm.pbf"
    path.write_bytes(whole[: len(whole) * 2 // 3])
    with pytest.raises(Invalid) as refused:
        build(path, tmp_path / "cut.graph")
    assert refused.value.code == "extract.broken"


def test_a_report_changes_the_route_at_once_and_its_end_changes_it_back(tmp_path: Path) -> None:
    town = Town(tmp_path, SQUARE, {"AB": FOOT, "BC": FOOT, "ADEFC": FOOT})
    lat, lon = town.at["B"][0], (town.at["B"][1] + town.at["C"][1]) / 2
    told: list[tuple[int, Standing, str]] = [(1, "doubted", "ADEFC"), (2, "confirmed", "ADEFC"), (3, "cleared", "ABC")]
    for sequence, standing, path in told:
        town.router.overlay.apply([(sequence, place(town.router, "x", "works", standing, [(lat, lon)]))])
        assert town.letters(ask(town, "A", "C")) == path
    town.router.overlay.apply([(2, place(town.router, "x", "works", "confirmed", [(lat, lon)]))])
    assert town.letters(ask(town, "A", "C")) == "ABC"


def test_a_doubted_report_is_a_caution_for_those_who_take_it(tmp_path: Path) -> None:
    town = Town(tmp_path, "A..B..C", {"AB": FOOT, "BC": FOOT})
    middle = (town.at["B"][0], (town.at["B"][1] + town.at["C"][1]) / 2)
    town.router.overlay.apply([(1, place(town.router, "x", "works", "doubted", [middle]))])
    assert ask(town, "A", "C")["opens"]["changes"][0]["field"] == "unknown.obstruction"
    assert ask(town, "A", "C", change(MANUAL, "unknown", "permissive"))["cautions"][0]["kind"] == "report"
    town.router.overlay.apply([(2, place(town.router, "x", "works", "confirmed", [middle]))])
    assert ask(town, "A", "C", change(MANUAL, "unknown", "permissive"))["code"] == "route.closed"


def test_a_lift_out_of_service_closes_its_vertex(tmp_path: Path) -> None:
    town = Town(tmp_path, SQUARE, {"ABC": FOOT, "ADEFC": FOOT}, {"B": "highway=elevator"})
    assert town.letters(ask(town, "A", "C")) == "ABC"
    town.router.overlay.apply([(1, place(town.router, "lift", "lift", "confirmed", [town.at["B"]]))])
    assert town.letters(ask(town, "A", "C")) == "ADEFC"


def test_shapes_have_limits() -> None:
    with pytest.raises(TooLarge, match=r"barrier\.points"):
        check_shape([(0.0, 0.0)] * 1_000_000)
    with pytest.raises(TooLarge, match=r"barrier\.extent"):
        check_shape([(0.0, 0.0), (1.0, 1.0)])
    with pytest.raises(Invalid, match=r"barrier\.points"):
        check_shape([])
    with pytest.raises(Invalid, match=r"point\.form"):
        check_shape([(float("nan"), 0.0)])


def test_reach_grows_with_time_and_stops_at_barriers(tmp_path: Path) -> None:
    town = Town(tmp_path, "A..B..C..D", {"AB": FOOT, "BC": FOOT, "CD": "highway=steps"})
    one, two = (reach(town.router, MANUAL, town.at["A"], minutes) for minutes in (1.01, 30))
    assert (one["metres"], two["metres"]) == (pytest.approx(60, abs=1), pytest.approx(120, abs=1))
    with pytest.raises(Invalid, match=r"reach\.minutes"):
        reach(town.router, MANUAL, town.at["A"], float("nan"))


def test_the_certificate_fails_with_any_part_changed(tmp_path: Path) -> None:
    town = Town(tmp_path, SQUARE, {"ABC": FOOT, "ADEFC": FOOT}, {"B": "kerb=lowered"})
    certificate = ask(town, "A", "C")["certificate"]
    raw = checker.Raw(town.extract)
    loosened = json.loads(json.dumps(certificate))
    loosened["profile"]["kerb_up"] = 20
    assert checker.check(loosened, raw) == ["the certificate was changed after it was written"]
    forged = json.loads(json.dumps(certificate))
    forged["points"][0]["facts"][0]["value"] = 0.0
    forged["sha256"] = digest(forged)
    assert checker.check(forged, raw) == [f"node/{town.id['B']}: kerb is 3.0, not 0.0"]


@pytest.fixture(scope="module")
def berlin(tmp_path_factory: pytest.TempPathFactory) -> Router:
    from commonweal.services.access.graph.build import build

    folder = tmp_path_factory.mktemp("berlin") / "graph"
    build(data("berlin-reinickendorf.osm.pbf"), folder)
    return Router.open(folder)


CASES = int(os.environ.get("MONOTONE_CASES", "300"))
"""How many questions the monotone promise is tried on; the README states the last run of 2,000."""


@settings(max_examples=CASES, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.sampled_from(sorted(PROFILES)), st.sampled_from([f for f in OPENERS if not f.startswith("unknown.")]),
    st.sampled_from(MODES), st.integers(0, 4_800), st.integers(0, 4_800),
)  # fmt: skip
def test_loosening_never_loses_or_lengthens(
    berlin: Router, name: str, field: str, mode: str, one: int, two: int
) -> None:
    a = berlin.arrays
    start, goal = ((float(a.v_lat[k]), float(a.v_lon[k])) for k in (one, two))
    profile = change(PROFILES[name][0], "unknown", mode)
    loose = change(profile, field, OPENERS[field])
    before, after = berlin.find(profile, start, goal), berlin.find(loose, start, goal)
    if before is None:
        return
    assert after is not None
    aside_before, aside_after = (way.start.off + way.goal.off for way in (before, after))
    assert aside_after <= aside_before + 1e-6
    if aside_after == aside_before:
        assert after.length <= before.length + 1e-6


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_walker_with_nothing_but_the_words_arrives(berlin: Router, language: str) -> None:
    import random

    from commonweal.services.access.graph import text
    from commonweal.services.access.tests.walker import walk

    a, draw, walked = berlin.arrays, random.Random(7), 0
    while walked < 100:
        i, j = draw.randrange(len(a.v_lat)), draw.randrange(len(a.v_lat))
        way = berlin.find(MANUAL, (a.v_lat[i] + 2e-5, a.v_lon[i]), (a.v_lat[j], a.v_lon[j] + 2e-5))
        if way is None or len(way.pieces) < 3:
            continue
        lines = [line.say(language) for line in text.steps(berlin, way, MANUAL)]
        arcs = [piece.arc for piece in way.pieces if piece.length > 0]
        assert walk(berlin, way.start, lines, language) == arcs
        walked += 1
