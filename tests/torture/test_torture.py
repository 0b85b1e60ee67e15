"""The fault test in small: a few real kills of everything under real load."""

from __future__ import annotations

from pathlib import Path

import pytest

from commonweal.cli import service_names
from commonweal.operation.torture.ordeal import VICTIMS, Ordeal


@pytest.mark.slow
@pytest.mark.skipif("giving" not in service_names(), reason="the load is gifts, and giving is not installed")
def test_no_promise_is_broken_by_the_death_of_anything(tmp_path: Path) -> None:
    ordeal = Ordeal(tmp_path / "home", seed=20260501)
    try:
        load = ordeal.go(VICTIMS, givers=4)
    finally:
        ordeal.end()
    assert ordeal.findings == []
    assert dict(ordeal.kills) == dict.fromkeys(VICTIMS, 1)
    assert load.taken > len(VICTIMS)
    assert len(load.paid) == load.taken
