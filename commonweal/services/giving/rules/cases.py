"""What becomes of a signal of fraud: a case that two stewards decide before its deadline, and that a giver can object
to. It is about the match alone: the gift has arrived and stays.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from commonweal.kernel.errors import Conflict, NotAllowed
from commonweal.kernel.text import Text

WORDS = 2
"""How many different stewards must say the same."""
DECIDE_WITHIN = timedelta(days=5)
"""After that an undecided case ends in the givers' favour."""
REMIND_BEFORE = timedelta(days=1)
"""So long before its deadline the stewards of an undecided case are reminded."""
OBJECT_WITHIN = timedelta(days=5)
"""How long the giver of a withheld match can object; the pool is not computed before."""
KEEP_MARKS = timedelta(days=90)
"""How long devices and means of payment are remembered, as keyed hashes: pools, their review and every objection are
over by then."""
SLOT = timedelta(hours=12)
"""A window is two of these: a ring across the end of one is whole in the next."""
MOST_GIFTS = 200_000
"""Gifts that are looked at together; a fuller window is halved."""
_BEGIN = datetime(1970, 1, 1, tzinfo=UTC)


class Outcome(StrEnum):
    """How a case ended."""

    WITHHELD = "withheld"
    CLEARED = "cleared"
    LAPSED = "lapsed"


class State(StrEnum):
    """Where a gift of a case stands, or the case itself."""

    OPEN = "open"
    WITHHELD = "withheld"
    CLEARED = "cleared"
    LAPSED = "lapsed"


TITLES: dict[State, Text] = {
    State.OPEN: Text("The match waits for a check", "配捐待核查"),
    State.WITHHELD: Text("Not matched", "不予配捐"),
    State.CLEARED: Text("Checked and matched as any other", "核查无误，正常配捐"),
    State.LAPSED: Text("Not decided in time, so matched as any other", "到期未作决定，正常配捐"),
}


def state(outcome: str | None) -> State:
    """Where a case stands that has ended so, or not yet."""
    return State(outcome) if outcome else State.OPEN


def outcome(words: Sequence[bool], due: datetime, now: datetime) -> Outcome | None:
    """How a case ends with these words (True withholds); None while it is open."""
    withheld = sum(words)
    if withheld >= WORDS:
        return Outcome.WITHHELD
    if len(words) - withheld >= WORDS:
        return Outcome.CLEARED
    return Outcome.LAPSED if now >= due else None


def check_word(
    said_by: Sequence[uuid.UUID],
    steward: uuid.UUID,
    *,
    ended: bool,
    involved: bool,
    judged_before: Sequence[uuid.UUID] = (),
) -> None:
    """Whether this steward may say a word on a case now. `judged_before`: who has judged what it objects to.

    Raises `NotAllowed` (`case.own`) for somebody of the charity or a matching company, or who gave one of the gifts,
    and (`case.judged-before`) for somebody whose own word is objected to; `Conflict` with `case.decided` and
    `case.same-person`.
    """
    if involved:
        raise NotAllowed(
            "case.own", Text("Nobody decides on gifts of their own.", "不能裁定与自己或所在机构有关的捐款。")
        )
    if steward in judged_before:
        raise NotAllowed(
            "case.judged-before",
            Text(
                "A giver objects to what you have said here. Other stewards decide about it.",
                "捐款人的异议针对您参与过的核查，须由其他审核员裁定。",
            ),
        )
    if ended:
        raise Conflict("case.decided", Text("This case has been decided already.", "该核查已有结论。"))
    if steward in said_by:
        raise Conflict(
            "case.same-person",
            Text("The second word must come from another person.", "第二个意见须由另一位审核员作出。"),
        )


def may_object(state: State, ended_at: datetime | None, now: datetime, *, objection: bool, objected: bool) -> bool:
    """Whether the giver of a gift of a case can object now. `objection`: the case itself answers one."""
    if objection or objected:
        return False
    return state is State.OPEN or (state is State.WITHHELD and ended_at is not None and now < ended_at + OBJECT_WITHIN)


def check_objection(*, possible: bool) -> None:
    """Raises `Conflict` (`objection.over`) unless `may_object`."""
    if not possible:
        raise Conflict(
            "objection.over",
            Text(
                "This can no longer be objected to: it has been answered, or the time is over.",
                "已无法提出异议：异议已处理，或期限已过。",
            ),
        )


def slot(at: datetime) -> datetime:
    """The beginning of the slot of a moment."""
    return _BEGIN + (at - _BEGIN) // SLOT * SLOT


def windows(slots: Sequence[datetime], now: datetime) -> list[tuple[datetime, datetime]]:
    """The windows to look at when gifts of these slots have changed: each that has one of them and is over."""
    ends = {begin + n * SLOT for begin in slots for n in (1, 2)}
    return [(end - 2 * SLOT, end) for end in sorted(ends) if end <= now]
