"""The doors of the benchmarks, without measuring anything."""

from __future__ import annotations

import importlib
import json

import pytest

from bench.commands import benchmarks, services
from bench.figure import figure, show
from commonweal.cli import main


@pytest.mark.parametrize(
    ("value", "bounds", "ok"),
    [
        (5, {}, True),
        (5, {"least": 5}, True),
        (4.9, {"least": 5}, False),
        (5, {"most": 5}, True),
        (6, {"most": 5}, False),
    ],
)
def test_a_figure_is_ok_within_its_bounds(value: float, bounds: dict[str, float], ok: bool) -> None:
    made = figure("speed", value, "1/s", anchor="pgbench", anchor_value=2, n=7, **bounds)
    assert (made["ok"], made["ratio"], made["n"]) == (ok, round(value / 2, 3), 7)
    assert figure("speed", value, "1/s", anchor="none", anchor_value=0, n=7)["ratio"] == 0


def test_the_table_comes_first_and_json_last(capsys: pytest.CaptureFixture[str]) -> None:
    one = figure("speed", 5, "1/s", anchor="pgbench", anchor_value=2, n=7)
    show([one])
    *table, last = capsys.readouterr().out.splitlines()
    assert table[0].split() == ["name", "value", "unit", "anchor", "ratio", "n", "ok"]
    assert json.loads(last) == one
    show([one, one])
    assert json.loads(capsys.readouterr().out.splitlines()[-1]) == [one, one]


def test_every_benchmark_says_what_it_measures() -> None:
    assert {"ledger", "proof"} <= set(services())
    for service in services():
        module = importlib.import_module(f"bench.{service}")
        names = benchmarks(module)
        assert names, service
        assert all(getattr(module, name).__doc__ for name in names)


@pytest.mark.parametrize("words", [["nothing", "all"], ["proof", "nothing"], ["figure", "show"], ["proof", "check"]])
def test_an_unknown_benchmark_is_named(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", *words]) == 2
    assert "there are:" in capsys.readouterr().err
