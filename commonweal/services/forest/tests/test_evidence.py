from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from commonweal.kernel.errors import Invalid
from commonweal.services.forest.rules.evidence import Claim, Steps, check, count_steps, limited

NOW = datetime(2026, 5, 4, 4, 0, tzinfo=UTC)
CLAIM = Claim("metro-beijing", "tap-1", "metro", 12_000, NOW - timedelta(hours=1), "A")


def test_a_sound_claim_passes() -> None:
    assert check(CLAIM, NOW) is CLAIM


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"event": ""}, "deed.event"),
        ({"event": "事件"}, "deed.event"),
        ({"event": "x" * 101}, "deed.event"),
        ({"happened": NOW.replace(tzinfo=None)}, "deed.time-zone"),
        ({"happened": NOW + timedelta(minutes=6)}, "deed.future"),
        ({"happened": NOW - timedelta(days=91)}, "deed.old"),
        ({"quantity": 0}, "deed.quantity"),
        ({"quantity": -5}, "deed.quantity"),
        ({"quantity": 10_000_001}, "deed.quantity"),
    ],
)
def test_a_claim_is_refused_whole(change: dict[str, Any], code: str) -> None:
    with pytest.raises(Invalid) as refusal:
        check(replace(CLAIM, **change), NOW)
    assert refusal.value.code == code


def test_weak_evidence_earns_little() -> None:
    assert limited(300, "A", 0) == 300
    assert limited(300, "C", 0) == 150
    assert limited(300, "D", 0) == 5
    assert limited(300, "C", 149) == 1
    assert limited(300, "C", 400) == 0


def walked(rates: list[int], start: int = 0) -> Steps:
    total, readings = start, [(NOW, start)]
    for i, rate in enumerate(rates, 1):
        total += rate
        readings.append((NOW + timedelta(minutes=i), total))
    return Steps(readings)


def test_honest_steps_count() -> None:
    assert count_steps(walked([95, 110, 102, 88, 117, 99] * 6)).steps == 6 * 611
    assert count_steps(Steps([])).steps == 0


@pytest.mark.parametrize(
    ("steps", "held"),
    [
        (walked([100] * 30), "steps.steady"),
        (walked([5_000, 96_000]), "steps.many"),
        (walked([100, -50]), "steps.backwards"),
        (walked([10], start=-5), "steps.backwards"),
    ],
)
def test_odd_steps_are_held_and_earn_nothing(steps: Steps, held: str) -> None:
    counted = count_steps(steps)
    assert (counted.steps, counted.held) == (0, held)


def test_steps_typed_in_count_nothing() -> None:
    counted = count_steps(replace(walked([100, 90]), typed_in=True))
    assert (counted.steps, counted.held) == (0, None)
