"""Rings are found, honest people are left in peace, and every reason can be read."""

from __future__ import annotations

import contextlib
import csv
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from commonweal.kernel.errors import Invalid
from commonweal.services.giving.signals import KINDS, Row, find, read_csv
from commonweal.services.giving.signals.signal import rhythm, runs, surprise
from commonweal.services.giving.signals.tests.world import NINE, Maker, world
from tests.command import main


def found_in(rows: list[Row]) -> set[str]:
    return {gift for signal in find(rows) for gift in signal.gifts}


@pytest.fixture(scope="module")
def background() -> list[Row]:
    """Six thousand honest gifts."""
    maker = Maker(77, 6_000)
    maker.honest()
    return sorted(maker.made.rows, key=lambda row: row.at)


@pytest.fixture(scope="module")
def quiet(background: list[Row]) -> set[str]:
    """What is found among them: hardly anything."""
    found = found_in(background)
    assert len(found) <= 6
    return found


def ring(count: int, **same: Any) -> list[Row]:
    """Gifts of different people a minute apart, but for what is the same."""
    rows = []
    for n in range(count):
        own: dict[str, Any] = {
            "id": f"r{n}",
            "at": NINE + 7000 + 61.7 * n + (n * n % 7) * 13,
            "campaign": "c40",
            "amount": 700 + 131 * n,
            "device": f"rd{n}",
            "account": f"ra{n}",
            "payment": f"rp{n}",
        }
        rows.append(Row(**(own | {name: value(n) if callable(value) else value for name, value in same.items()})))
    return rows


def colleagues(count: int) -> list[Row]:
    """Their own wallets, their company's campaign, the amount on the poster, all at nine; one in four gives twice."""
    rows = ring(count, device="network", amount=5_000, at=lambda n: NINE + (n * n % 97) * 1.3)
    again = [
        replace(row, id=f"{row.id}b", at=row.at + 7_000, campaign="c2", amount=1_000, device=f"own{n}")
        for n, row in enumerate(rows[::4])
    ]
    return [*rows, *again]


def test_planted_rings_are_found_and_the_honest_left_alone() -> None:
    """A small one; `commonweal bench giving fraud` does it with 100,000 gifts and many seeds."""
    made = world(4, honest=30_000, rings=15)
    signals = find(made.rows)
    flagged = {gift for signal in signals for gift in signal.gifts}
    right = len(flagged & made.planted)
    assert right / len(flagged) >= 0.95
    assert right / len(made.planted) >= 0.90
    account = {row.id: row.account for row in made.rows}
    honest = {account[row.id] for row in made.rows if row.id not in made.planted}
    assert len({account[gift] for gift in flagged - made.planted}) < 0.001 * len(honest)
    assert {signal.kind for signal in signals} == set(KINDS)


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param(ring(12, device="one", payment=lambda n: f"p{n % 3}"), id="one phone and three cards"),
        pytest.param(ring(12, payment="one"), id="one card"),
        pytest.param(ring(12, device="one", at=lambda n: NINE + 6.1 * n + n * n % 5), id="one phone in a hurry"),
        pytest.param(ring(12, device="one", at=lambda n: NINE + 700 * n + n * n % 91), id="one phone all day long"),
        pytest.param(
            ring(60, device=lambda n: f"shelf{n % 6}", at=lambda n: NINE + 4 * n + n * n % 3), id="a shelf of phones"
        ),
        pytest.param(ring(4, device="one", refunded_at=NINE + 90_000), id="few accounts, all refunded"),
        pytest.param(ring(30, refunded_at=lambda n: NINE + 90_000 + n), id="unconnected people, all refunded"),
        pytest.param(ring(30, amount=100_000), id="one large amount"),
        pytest.param(ring(60, amount=990, at=lambda n: NINE + 0.3 * n), id="a machine at nine"),
        pytest.param(ring(25, account="one", amount=100, at=lambda n: NINE + 3 * n), id="a tireless account"),
        pytest.param(ring(25, device="one", amount=1, account="one"), id="cards tried from one phone"),
        pytest.param(ring(40, amount=1, campaign="c9"), id="cards tried from everywhere"),
        pytest.param(ring(3, message="先捐后返，全额返现"), id="a promise"),
        pytest.param(ring(3, message="give 1000, I pay you back tonight"), id="a promise in English"),
    ],
)
def test_a_ring_is_found(background: list[Row], quiet: set[str], rows: list[Row]) -> None:
    caught = found_in(sorted([*background, *rows], key=lambda row: row.at))
    assert {row.id for row in rows} <= caught
    assert len(caught - quiet) <= len(rows) + 3


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param(ring(5, payment="card", device="tablet"), id="a family with one card and one tablet"),
        pytest.param(ring(5, payment="card", amount=1000), id="a family that gives the same"),
        pytest.param(ring(40, device="office", campaign=lambda n: f"c{n}"), id="an office"),
        pytest.param(ring(30, device="tablet", amount=100), id="a class before one tablet"),
        pytest.param(colleagues(60), id="colleagues at nine for one campaign behind one network"),
        pytest.param(ring(9, device="office", at=lambda n: NINE + n, campaign=lambda n: f"c{n % 4}"), id="at nine"),
        pytest.param(ring(150, at=lambda n: NINE + (n * n % 911) / 30), id="a crowd at nine"),
        pytest.param(ring(3, refunded_at=NINE + 90_000, campaign=lambda n: f"c{n}"), id="three refunds"),
        pytest.param(ring(3, amount=1), id="a fen from each of three"),
        pytest.param(ring(6, account="one", at=lambda n: NINE + 86_400 * n), id="a gift every day"),
        pytest.param(ring(2, device="", account="", payment=""), id="nothing known"),
        pytest.param(ring(3, message="愿孩子们早日返校"), id="a message with a similar word"),
        pytest.param(ring(3, message="paying it forward"), id="a kind message"),
    ],
)
def test_honest_people_are_left_in_peace(background: list[Row], rows: list[Row]) -> None:
    assert not found_in([*background, *rows]) & {row.id for row in rows}


def test_a_default_device_or_payment_of_everybody_links_nobody(background: list[Row], quiet: set[str]) -> None:
    rows = [replace(row, device="web", payment="wechat") for row in background]
    assert len(found_in(rows)) <= len(quiet) + 5


def test_reasons_are_in_both_languages_and_scores_in_range(background: list[Row]) -> None:
    for signal in find([*background, *ring(12, device="one", payment="one", refunded_at=NINE + 90_000)]):
        assert 1 <= signal.score <= 100
        assert signal.reasons
        for reason in signal.reasons:
            assert reason.en != reason.zh
            assert "{" not in reason.en + reason.zh


def test_the_binomial_tail() -> None:
    assert surprise(1, 2, 0.5) == 0
    assert surprise(2, 2, 0.1) == pytest.approx(2)
    assert surprise(3, 5, 0.1) == pytest.approx(2.0675, abs=1e-4)  # 0.00856
    assert surprise(6, 5, 0.1) == surprise(1, 5, 0) == 999


def test_runs_are_as_narrow_as_they_can_be() -> None:
    times = [0.0, 1000, 2000, *(3000 + n / 10 for n in range(20)), 4000, 5000]
    (run,) = runs(times, lambda first, last: (last - first + 11, 0.1), least=6, sure=8)
    assert (run.first, run.last) == (3, 22)


def test_clockwork() -> None:
    assert rhythm([3.0 * n for n in range(10)]) == 3
    assert rhythm([3.0 * n for n in range(6)]) is None
    assert rhythm([0, 1, 5, 6, 20, 21, 22, 50, 51, 90]) is None


class TestReading:
    def test_names_are_spelled_in_many_ways(self) -> None:
        text = "\ufeffGift ID,Time,Project,Amount (x),Sum,Payment fingerprint,Donor,Device-ID,Refunded At,Label\n"
        (row,) = read_csv(io.StringIO(text + "1,2026-09-09T09:00:00+08:00,c,?,8.80,p,a,d,,ring\n"))
        assert row == Row("1", NINE, "c", 880, "d", "a", "p", None, "")

    @pytest.mark.parametrize(
        ("header", "values", "amounts"),
        [
            ("amount", ["1", "20", "100"], [100, 2000, 10_000]),
            ("amount", ["1", "2000", "10000"], [1, 2000, 10_000]),
            ("amount", ["1", "2000.0", "¥10,000.00"], [100, 200_000, 1_000_000]),
            ("amount_fen", ["1", "20", "100"], [1, 20, 100]),
            ("amount_yuan", ["1000", "2000", "3000"], [100_000, 200_000, 300_000]),
        ],
    )
    def test_units(self, header: str, values: list[str], amounts: list[int]) -> None:
        out = io.StringIO()
        writer = csv.writer(out)
        writer.writerow(["id", "at", "campaign", header])
        writer.writerows([n, NINE, "c", value] for n, value in enumerate(values))
        assert [row.amount for row in read_csv(io.StringIO(out.getvalue()))] == amounts

    @pytest.mark.parametrize("at", ["2026-09-09T01:00:00Z", "2026-09-09 01:00:00", str(int(NINE)), f"{int(NINE)}000"])
    def test_times(self, at: str) -> None:
        assert read_csv(io.StringIO(f"id,at,campaign,amount\n1,{at},c,1\n"))[0].at == NINE

    @pytest.mark.parametrize(
        ("text", "code", "field"),
        [
            ("", "signals.empty", None),
            ("id,at,amount\n", "signals.columns", "campaign"),
            ("id,at,campaign,amount\n1,yesterday,c,1\n", "signals.row", "at"),
            ("id,at,campaign,amount\n1,2026-09-09,c,-1\n", "signals.row", "amount"),
            ("id,at,campaign,amount\n1,2026-09-09,c,1e3\n", "signals.row", "amount"),
            ("id,at,campaign,amount\n1,2026-09-09,c,1.005\n", "signals.row", "amount"),
            ("id,at,campaign,amount\n1,2026-09-09,c,1\n1,2026-09-09,c,1\n", "signals.row", "id"),
            ("id,at,campaign,amount,refunded_at\n1,2026-09-09,c,1,soon\n", "signals.row", "refunded_at"),
        ],
    )
    def test_what_cannot_be_read_is_named(self, text: str, code: str, field: str | None) -> None:
        with pytest.raises(Invalid) as refused:
            read_csv(io.StringIO(text))
        assert (refused.value.code, refused.value.field) == (code, field)


def test_the_command(tmp_path: Path) -> None:
    path = tmp_path / "gifts.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "at", "campaign", "amount", "device", "account", "payment fingerprint", "refunded_at"])
        writer.writerows(
            [r.id, r.at, r.campaign, f"{r.amount / 100:.2f}", r.device, r.account, r.payment, ""]
            for r in ring(12, device="one", payment="one")
        )
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        assert main(["giving", "signals", str(path), "--json"]) == 0
    printed = json.loads(out.getvalue())
    assert (printed["format"], printed["gifts"], len(printed["delayed"])) == ("commonweal-signals/1", 12, 12)
    assert printed["signals"][0]["kind"] == "one-person"
    assert {"en", "zh"} == set(printed["signals"][0]["reasons"][0])
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
        assert main(["giving", "signals", str(path)]) == 0
        assert main(["giving", "signals", str(tmp_path / "none.csv")]) == 2
