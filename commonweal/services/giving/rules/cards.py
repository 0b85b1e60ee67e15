"""Gift cards: paid for by one person, given by whoever has the code, to campaigns of their choice."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from commonweal.kernel.errors import Conflict, Invalid, NotFound
from commonweal.kernel.text import Text
from commonweal.services.giving.rules.campaigns import Custody
from commonweal.services.giving.rules.returns import nothing

LASTS = timedelta(days=365)
SIGNS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no I, L, O or U, which are misread."""
LENGTH = 16
"""Signs of a code: 80 bits, so that guessing is hopeless even without the limit."""
MOST_WRONG = 10
WITHIN = timedelta(hours=1)
"""So many wrong codes of one person, and no more are looked at for a while."""


def code(choose: Callable[[str], str]) -> str:
    """A new code, in groups of four. `choose` picks one sign at random."""
    signs = "".join(choose(SIGNS) for _ in range(LENGTH))
    return "-".join(signs[place : place + 4] for place in range(0, LENGTH, 4))


def digest(code: str) -> bytes:
    """What is kept of a code: SHA-256 of its plain form, in which what is misread is put right.

    Raises `NotFound` (`card.unknown`) for what cannot be a code.
    """
    plain = re.sub(r"[\s-]", "", code.upper()).translate(str.maketrans("ILO", "110"))
    if len(plain) != LENGTH or set(plain) - set(SIGNS):
        raise unknown()
    return hashlib.sha256(plain.encode()).digest()


def unknown() -> NotFound:
    """No card has this code, or it is not paid."""
    return NotFound(
        "card.unknown", Text("No card has this code. Check it sign by sign.", "没有这张卡，请逐位核对卡号。")
    )


def check_custody(custody: Custody) -> None:
    """Raises `Invalid` (`card.mirror`) where nobody can hold the money until the card is used."""
    if custody is Custody.MIRROR:
        raise Invalid(
            "card.mirror",
            Text(
                "This charity receives gifts into its own account at once, so nobody could hold the money of a card.",
                "该机构的捐款即时进入自有账户，无人可以代为保管礼品卡的款项，因此不能购卡。",
            ),
        )


def expires(now: datetime, closes_at: datetime) -> datetime:
    """Until when a card can be used: a year, and always while the campaign that gets the rest still takes gifts.

    Raises `Conflict` (`card.closing`) if that is less than a week.
    """
    found = min(now + LASTS, closes_at - timedelta(days=1))
    if found < now + timedelta(days=7):
        raise Conflict(
            "card.closing", Text("This campaign closes too soon for a card.", "该项目即将结束，不能购买礼品卡。")
        )
    return found


@dataclass(frozen=True, slots=True)
class Parts:
    """Where what goes back of a card comes from: what it still holds, the gifts made with it, and its host."""

    from_card: int
    from_gifts: tuple[int, ...]
    borne: int

    @property
    def amount(self) -> int:
        """All of it."""
        return self.from_card + sum(self.from_gifts) + self.borne


def chargeback(amount: int, left: int, gifts: Sequence[int]) -> Parts:
    """What a chargeback of `amount` takes: first what the card still holds, then what is `left` of each gift made with
    it, in their order; what is in neither had been refunded before, and its host bears it."""
    from_card, taken = min(amount, left), []
    wanted = amount - from_card
    for there in gifts:
        taken.append(min(wanted, max(0, there)))
        wanted -= taken[-1]
    return Parts(from_card, tuple(taken), wanted)


def check_refund(amount: int, left: int) -> None:
    """Whether so much can go back of what is left of a card. Raises `Conflict` (`refund.nothing`, `card.given`)."""
    if amount < 1:
        raise nothing()
    if amount > left:
        raise Conflict(
            "card.given",
            Text(
                "The card does not hold as much. Refund the gifts made with it first: they come back onto the card.",
                "卡内余额不足。请先退回用此卡捐出的款项，退款会回到卡内。",
            ),
            field="amount",
        )


def check_gift_refund(*, rest: bool) -> None:
    """Whether a gift made with a card can be refunded. Raises `Conflict` (`card.rest`) for the rest at a card's end."""
    if rest:
        raise Conflict(
            "card.rest",
            Text("What was left when the card expired stays given.", "礼品卡到期后捐出的余额不再退回。"),
            field="amount",
        )


def check_use(amount: int, left: int, expires: datetime, now: datetime) -> None:
    """Whether so much of what is left of a card can be given. Raises `Conflict` (`card.over`, `card.left`)."""
    if expires <= now:
        raise Conflict("card.over", Text("This card has expired; what was left was given.", "此卡已过期，余额已捐出。"))
    if not 0 < amount <= left:
        raise Conflict("card.left", Text("The card does not hold as much.", "卡内余额不足。"), field="amount")
