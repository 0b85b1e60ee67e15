"""The fault test in small: each kind of fault once, the hardest of it, under real load."""

from __future__ import annotations

from pathlib import Path

import pytest

from commonweal.cli import service_names
from commonweal.operation.torture import faults
from commonweal.operation.torture.ordeal import ordeal

WORST = (
    "stall everything",
    "cut the database's connection",
    "fill the disk",
    "step the clock",
    "lose the power",
)


@pytest.mark.slow
@pytest.mark.skipif("giving" not in service_names(), reason="the load is gifts, and giving is not installed")
def test_no_promise_is_broken_whatever_happens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for length in ("STALL", "LOSSES", "FULL", "STEPPED"):
        monkeypatch.setattr(faults, length, (1.0, 3.5) if length == "STALL" else (1.0, 1.5))
    with ordeal(tmp_path, seed=20260501) as made:
        chosen = [fault for fault in faults.FAULTS if fault.name in WORST and fault.kind in made.kinds]
        report = made.go(chosen, givers=3)
    assert report.findings == []
    assert report.rounds == dict.fromkeys((fault.name for fault in chosen), 1)
    assert len(chosen) + len(report.left_out) == len(WORST)
    assert report.paid == report.gifts > len(chosen)
