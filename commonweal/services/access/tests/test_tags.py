"""The truth table of tags, and the properties that no table can list."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonweal.services.access import checker
from commonweal.services.access.graph import tags as reading
from commonweal.services.access.graph.commands import judge_case, parse_tags
from commonweal.services.access.rules import PROFILES

TABLE = Path(__file__).with_name("truth.csv")
CASES = list(csv.DictReader(TABLE.read_text(encoding="utf-8").splitlines()))


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['element']}:{case['tags']}:{case['attribute']}")
def test_truth(case: dict[str, str]) -> None:
    found = judge_case(
        case["element"], parse_tags(case["tags"]), case["attribute"], PROFILES[case["profile"] or "manual"][0]
    )
    value = found["value"]
    shown = "" if value is None else f"{value:g}" if isinstance(value, float) else value
    assert (found["verdict"], shown) == (case["verdict"], case["value"])


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['element']}:{case['tags']}")
def test_checker_reads_the_same(case: dict[str, str]) -> None:
    tags = parse_tags(case["tags"])
    kind, _, side = case["element"].partition(":")
    mine = reading.node_facts(tags) if kind == "node" else reading.way_facts(tags, side)
    theirs = checker.node_reading(tags) if kind == "node" else checker.way_reading(tags, side, 0)
    assert {fact.attribute: (fact.value, bool(fact.doubt)) for fact in mine} == theirs


def test_table_is_long_enough_and_has_no_doubles() -> None:
    keys = [(case["element"], case["tags"], case["attribute"], case["profile"]) for case in CASES]
    assert len(keys) == len(set(keys)) >= 300


@given(st.integers(0, 5000))
def test_units_of_length_agree(millimetres: int) -> None:
    metres, centimetres = millimetres / 1000, millimetres / 10
    written = [f"{metres} m", f"{centimetres} cm", f"{millimetres} mm", f"{metres}m".replace(".", ",")]
    assert {reading.centimetres(text) for text in written} == {(round(centimetres, 2), True)}


@given(st.integers(1, 8000))
def test_slopes_turn_their_sign_with_the_way(hundredths: int) -> None:
    slope = hundredths / 100
    up, down = reading.incline({"incline": f"{slope}%"}), reading.incline({"incline": f"-{slope}%"})
    assert isinstance(up.value, float) and isinstance(down.value, float)
    assert up.value == -down.value == pytest.approx(slope)


@given(st.floats(0.1, 45))
def test_degrees_are_tangents(degrees: float) -> None:
    found = reading.per_cent(f"{degrees:.4f}°")
    assert found is not None and found[0] == pytest.approx(100 * math.tan(math.radians(degrees)), abs=0.02)


@given(
    st.text(max_size=30),
    st.sampled_from(["kerb", "kerb:height", "incline", "width", "surface", "smoothness", "barrier", "door"]),
)
def test_no_text_is_taken_for_a_pass_unless_the_checker_agrees(text: str, key: str) -> None:
    tags = {key: text, "highway": "footway"}
    mine = {fact.attribute: (fact.value, bool(fact.doubt)) for fact in (*reading.way_facts(tags),)}
    assert mine == checker.way_reading(tags, "", 0)
    node = {fact.attribute: (fact.value, bool(fact.doubt)) for fact in reading.node_facts(tags)}
    assert node == checker.node_reading(tags)
