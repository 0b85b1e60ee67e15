"""Time banks: minutes that members give one another for help, in one bank or between banks that are allied.

A bank is mutual credit: all its members begin at nothing, and its minutes sum to nothing. Who is helped owes, down to
what the bank has stated; who helps is owed.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from commonweal.kernel.errors import Conflict, Invalid, NotAllowed
from commonweal.kernel.quantity import check_amount
from commonweal.kernel.text import Text
from commonweal.services.giving.rules.deeds import MINUTES

CATEGORIES = {
    "care": Text("Care and company", "照护陪伴"),
    "meals": Text("Meals", "做饭送餐"),
    "errands": Text("Errands and shopping", "代购跑腿"),
    "transport": Text("Accompanying on the way", "出行陪同"),
    "children": Text("Minding children", "照看孩子"),
    "lessons": Text("Lessons and reading", "教学伴读"),
    "digital": Text("Help with telephones and computers", "手机电脑帮助"),
    "home": Text("Repairs and cleaning", "维修清洁"),
    "garden": Text("Gardens and animals", "园艺与动物"),
    "culture": Text("Music, sport and feasts", "文体活动"),
    "other": Text("Other help", "其他帮助"),
}
"""What help was about: on every exchange, so that a bank can tell what it is for."""

TOLD_FROM = 3
"""People from whom on the minutes of a category are told: of fewer, one could work out who helped whom."""
MOST_OWED = 6_000
"""Minutes: the deepest floor that a bank can state for a member; a hundred hours."""
MOST_BORNE = 60_000
"""Minutes: the deepest floor of what a bank bears for members who left owing."""
MOST_BETWEEN = 600_000
"""Minutes: the highest limit that two banks can agree."""
LONGEST = 1_440
"""Minutes of one exchange: a day."""
PARTS = 50
"""Exchanges of one asking."""
LONGEST_NAME = 40
ANSWER_WITHIN = timedelta(days=14)
DISPUTE_WITHIN = timedelta(days=14)


class Side(StrEnum):
    """Who asks for an exchange: whoever was helped and gives minutes, or whoever helped and asks for them."""

    GIVES = "gives"
    ASKS = "asks"


class Outcome(StrEnum):
    """How an exchange that was asked for ended."""

    CONFIRMED = "confirmed"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


class Standing(StrEnum):
    """How far an exchange has come."""

    ASKED = "asked"
    CONFIRMED = "confirmed"
    DISPUTED = "disputed"
    SETTLED = "settled"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


TITLES = {
    Standing.ASKED: Text("Waits for the other side", "待对方确认"),
    Standing.CONFIRMED: Text("Confirmed", "已确认"),
    Standing.DISPUTED: Text("In dispute", "申诉中"),
    Standing.SETTLED: Text("Settled: given back in full or in part", "已裁定或退回"),
    Standing.DECLINED: Text("Declined", "对方未接受"),
    Standing.WITHDRAWN: Text("Withdrawn", "已撤回"),
    Standing.EXPIRED: Text("Not answered in time", "逾期未确认"),
}


def standing(outcome: Outcome | None, *, disputed: bool, settled: bool) -> Standing:
    """What the rows of an exchange come to."""
    if outcome is None:
        return Standing.ASKED
    if outcome is Outcome.CONFIRMED and settled:
        return Standing.SETTLED
    return Standing.DISPUTED if outcome is Outcome.CONFIRMED and disputed else Standing(outcome.value)


@dataclass(frozen=True, slots=True)
class Terms:
    """What a bank states at its founding, for good: how many minutes a member may owe, and how many it bears itself."""

    may_owe: int
    may_bear: int


def check_terms(terms: Terms) -> None:
    """Raises `Invalid` (`amount.*`) beyond what a bank can state."""
    check_amount(terms.may_owe, MINUTES, field="may_owe", minimum=0, maximum=MOST_OWED)
    check_amount(terms.may_bear, MINUTES, field="may_bear", minimum=0, maximum=MOST_BORNE)


@dataclass(frozen=True, slots=True)
class Part:
    """One exchange of an asking: with which member of which bank, and how many minutes."""

    bank: uuid.UUID
    number: int
    minutes: int


@dataclass(frozen=True, slots=True)
class Asking:
    """One wish, one category, one or many others: one to many if it gives minutes, many to one if it asks for them."""

    side: Side
    category: str
    parts: tuple[Part, ...]


def check_asking(asking: Asking) -> None:
    """Raises `Invalid`: `exchange.category`, `exchange.parts` for none, too many or the same twice, `amount.*`."""
    if asking.category not in CATEGORIES:
        raise Invalid("exchange.category", Text("Say what the help was about.", "请选择互助类别。"), field="category")
    names = {(part.bank, part.number) for part in asking.parts}
    if not 0 < len(names) == len(asking.parts) <= PARTS:
        raise Invalid(
            "exchange.parts",
            Text("Name 1 to {most} members, each once.", "请填写 1 至 {most} 位成员，每位一次。").format(most=PARTS),
            field="numbers",
        )
    for part in asking.parts:
        check_amount(part.minutes, MINUTES, field="minutes", maximum=LONGEST)


def check_other(person: uuid.UUID, other: uuid.UUID) -> None:
    """Raises `Invalid` (`exchange.self`) for an exchange with oneself, in whatever bank."""
    if person == other:
        raise Invalid("exchange.self", Text("Name somebody else than yourself.", "不能与自己互助。"), field="numbers")


@dataclass(frozen=True, slots=True)
class Exchange:
    """What decisions about an exchange need. `payer` was helped, `payee` helped: two persons."""

    payer: uuid.UUID
    payee: uuid.UUID
    asked_by_payer: bool
    minutes: int
    standing: Standing
    expires_at: datetime
    confirmed_at: datetime | None

    @property
    def asker(self) -> uuid.UUID:
        """Who has asked for it, and so agrees already."""
        return self.payer if self.asked_by_payer else self.payee


def check_answer(exchange: Exchange, person: uuid.UUID, outcome: Outcome, now: datetime) -> None:
    """Whether somebody can end what was asked for: the other side confirms or declines, the asking side withdraws.

    Raises `NotAllowed` (`exchange.side`) and `Conflict` (`exchange.over`).
    """
    if exchange.standing is not Standing.ASKED or (outcome is not Outcome.EXPIRED and now >= exchange.expires_at):
        raise Conflict("exchange.over", Text("This is answered already, or too late.", "该互助已处理，或已过期。"))
    if outcome is Outcome.EXPIRED:
        return
    if (outcome is Outcome.WITHDRAWN) != (person == exchange.asker) or person not in {exchange.payer, exchange.payee}:
        raise NotAllowed("exchange.side", Text("The other side has to do this.", "须由另一方操作。"))


def check_dispute(exchange: Exchange, person: uuid.UUID, minutes: int, now: datetime) -> None:
    """Whether either side can say, within 14 days, that it was less: `minutes`.

    Raises `NotAllowed` (`exchange.side`), `Conflict` (`exchange.not-open`) and `Invalid` (`amount.too-large`).
    """
    if person not in {exchange.payer, exchange.payee}:
        raise NotAllowed("exchange.side", Text("The other side has to do this.", "须由另一方操作。"))
    confirmed_at = exchange.confirmed_at
    if exchange.standing is not Standing.CONFIRMED or not confirmed_at or now > confirmed_at + DISPUTE_WITHIN:
        raise not_open()
    check_amount(minutes, MINUTES, field="minutes", minimum=0, maximum=exchange.minutes - 1)


def check_decision(exchange: Exchange, steward: uuid.UUID, minutes: int) -> None:
    """Whether a steward can decide that it was `minutes`. Raises what `check_dispute` raises."""
    if steward in {exchange.payer, exchange.payee}:
        raise NotAllowed("exchange.own", Text("Somebody else has to decide this.", "须由其他人裁定。"))
    if exchange.standing is not Standing.DISPUTED:
        raise not_open()
    check_amount(minutes, MINUTES, field="minutes", minimum=0, maximum=exchange.minutes)


def check_give_back(exchange: Exchange, person: uuid.UUID) -> None:
    """Whether the one who got the minutes can give all of them back. Raises what `check_dispute` raises."""
    if person != exchange.payee:
        raise NotAllowed("exchange.side", Text("The other side has to do this.", "须由另一方操作。"))
    if exchange.standing not in {Standing.CONFIRMED, Standing.DISPUTED}:
        raise not_open()


def not_open() -> Conflict:
    """Nothing to dispute or decide."""
    return Conflict("exchange.not-open", Text("There is nothing to decide (any more).", "目前没有可处理的申诉。"))


def borne(back: int, free: int) -> int:
    """What of `back` minutes a bank bears, because its member has only `free` left above the floor."""
    return max(0, back - max(0, free))


def check_limit(most: int) -> None:
    """Raises `Invalid` (`amount.*`) unless two banks can agree on so many minutes."""
    check_amount(most, MINUTES, field="most", maximum=MOST_BETWEEN)


def told(people: int, minutes: int) -> int | None:
    """What a report tells of the minutes of so many people."""
    return minutes if people >= TOLD_FROM else None


def told_apart(people: int, others: int, minutes: int) -> int | None:
    """What a report tells of a part of a sum: the part is of so many people, and what is left of the sum of so many
    others. A part of nobody is told as nothing, unless it says that the whole sum is of two people."""
    return minutes if all(not each or each >= TOLD_FROM for each in (people, others)) else None
