"""What circles is struck out: as much as there is, and nothing else. Judged by linear programming (HiGHS, in scipy)."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from commonweal.kernel.errors import Invalid
from commonweal.kernel.text import Text
from commonweal.services.giving.clearing import Position, compress, gain, parse, statement, write
from tests.command import main

AT = datetime(2026, 11, 25, tzinfo=UTC)


def position(n: int, debtor: str, creditor: str, minutes: int, free: int | None = None) -> Position:
    return Position(f"{n:03}", debtor, creditor, minutes, minutes if free is None else free)


@st.composite
def graphs(draw: st.DrawFn) -> list[Position]:
    """What up to seven banks owe one another, some of it promised away."""
    banks = "abcdefg"[: draw(st.integers(2, 7))]
    pairs = st.tuples(st.sampled_from(banks), st.sampled_from(banks)).filter(lambda pair: pair[0] != pair[1])
    found = []
    for n, (debtor, creditor) in enumerate(draw(st.lists(pairs, max_size=14))):
        minutes = draw(st.integers(1, 10**6))
        found.append(position(n, debtor, creditor, minutes, draw(st.just(minutes) | st.integers(0, minutes))))
    return found


def most(positions: list[Position]) -> int:
    """The greatest sum that a circulation within the free minutes has, by another method: the constraints of a network
    are totally unimodular, so that the linear programme has a whole optimum.
    """
    banks = sorted({bank for each in positions for bank in (each.debtor, each.creditor)})
    balance = np.zeros((len(banks), len(positions)))
    for n, each in enumerate(positions):
        balance[banks.index(each.debtor), n] += 1
        balance[banks.index(each.creditor), n] -= 1
    bounds = [(0, each.free) for each in positions]
    found = linprog(-np.ones(len(positions)), A_eq=balance, b_eq=np.zeros(len(banks)), bounds=bounds)
    return round(-float(found.fun))


@settings(max_examples=150, deadline=None)
@given(graphs())
def test_as_much_as_there_is_and_no_bank_is_richer_or_poorer(positions: list[Position]) -> None:
    struck = compress(positions)
    assert all(0 <= minutes <= each.free for each, minutes in zip(positions, struck, strict=True))
    net: Counter[str] = Counter()
    for each, minutes in zip(positions, struck, strict=True):
        net[each.debtor] += minutes
        net[each.creditor] -= minutes
    assert not any(net.values())
    assert not gain(positions, struck)
    assert sum(struck) == (most(positions) if positions else 0)


@settings(deadline=None)
@given(graphs(), st.randoms(use_true_random=False))
def test_the_order_of_the_file_is_nothing(positions: list[Position], dice: object) -> None:
    mixed = positions.copy()
    dice.shuffle(mixed)  # type: ignore[attr-defined]
    by_name = dict(zip((each.agreement for each in positions), compress(positions), strict=True))
    assert dict(zip((each.agreement for each in mixed), compress(mixed), strict=True)) == by_name


def test_the_longer_way_round_is_taken_when_it_strikes_out_more() -> None:
    """Whoever takes the shortest cycle first strikes out 20 here; 30 is possible."""
    positions = [
        position(1, "a", "b", 10),
        position(2, "b", "a", 10),
        position(3, "b", "c", 10),
        position(4, "c", "a", 10),
    ]
    assert compress(positions) == [10, 0, 10, 10]


def made() -> bytes:
    names = {bank: Text(bank.upper(), bank.upper()) for bank in "abc"}
    positions = [position(1, "a", "b", 90), position(2, "b", "c", 60), position(3, "c", "a", 70, 50)]
    return write(statement.make(AT, names, positions))


def test_a_statement_is_read_back_and_says_its_sums() -> None:
    told = parse(made())
    assert (told.owed, told.struck) == (220, (50, 50, 50))
    assert told.nets() == {"a": -20, "b": 30, "c": -10}
    assert sum(told.nets().values()) == 0
    assert write(told) == made()
    assert statement.wrong(told) == []


def test_a_stranger_recomputes_it_and_one_minute_more_is_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "statement.json"
    file.write_bytes(made())
    assert main(["giving", "clearing", str(file)]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "digest": parse(made()).digest,
        "equal": True,
        "banks": 3,
        "owed": 220,
        "struck": 150,
        "left": 70,
        "differences": [],
    }
    file.write_bytes(made().replace(b'"struck":50', b'"struck":49', 1))
    assert main(["giving", "clearing", str(file)]) == 1
    assert json.loads(capsys.readouterr().out)["differences"] == ["001"]
    assert main(["giving", "clearing", str(tmp_path / "missing")]) != 0


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{}",
        b"\xff",
        b'{"format":"commonweal-clearing/2"}',
        made().replace(b'"free":50', b'"free":71'),
        made().replace(b'"minutes":90', b'"minutes":9e1'),
        made().replace(b'"minutes":90', b'"minutes":0'),
        made().replace(b'"struck":50', b'"struck":true'),
        made().replace(b'"debtor":"a"', b'"debtor":"z"'),
        made().replace(b'"agreement":"002"', b'"agreement":"001"').replace(b'"debtor":"b"', b'"debtor":"a"'),
    ],
)
def test_what_is_no_statement(data: bytes) -> None:
    with pytest.raises(Invalid, match=r"clearing\.form"):
        parse(data)
