"""What goes back, and from whom: refunds, chargebacks, and what each party that has got a part returns of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum

from commonweal.kernel.errors import Conflict
from commonweal.kernel.text import Text
from commonweal.services.giving.rules.gifts import Outcome
from commonweal.services.giving.rules.trace import Span


class Cause(StrEnum):
    """Why money goes back."""

    REFUND = "refund"
    CHARGEBACK = "chargeback"
    CLAW_BACK = "claw-back"


class End(StrEnum):
    """How a return ended. `BOUNCED`: a refund that was done came back later; its amount is owed to the giver."""

    DONE = "done"
    FAILED = "failed"
    BOUNCED = "bounced"
    WON = "won"
    """A chargeback that was contested and won: the money is here again, as a payment of its own."""


class Standing(StrEnum):
    """How far a return has come; follows from its ends."""

    UNDER_WAY = "under-way"
    DONE = "done"
    FAILED = "failed"
    BOUNCED = "bounced"
    WON = "won"


TITLES: dict[Standing, Text] = {
    Standing.UNDER_WAY: Text("Under way", "处理中"),
    Standing.DONE: Text("Done", "已完成"),
    Standing.FAILED: Text("Failed: the money is in the fund again", "失败，款项已回到资金"),
    Standing.BOUNCED: Text("Came back later: owed to the giver", "退款后被退回，应付捐款人"),
    Standing.WON: Text("Contested and won: the money is here again", "申诉成功，款项已追回"),
}
CAUSES: dict[Cause, Text] = {
    Cause.REFUND: Text("Refund", "退款"),
    Cause.CHARGEBACK: Text("Chargeback", "拒付"),
    Cause.CLAW_BACK: Text("Match taken back", "收回配捐"),
}


def standing(ends: Iterable[str]) -> Standing:
    """How far a return with these ends has come."""
    known = set(ends)
    return next((each for each in (Standing.WON, Standing.BOUNCED, Standing.FAILED, Standing.DONE) if each in known),
                Standing.UNDER_WAY)  # fmt: skip


def conclude(ends: Iterable[str], reported: End) -> End | None:
    """What a report that a refund is done or has failed adds to its ends; None if that is known.

    Raises `Conflict` (`refund.contradicted`) for a refund that is said to be done after it had failed: the money has
    been set free and may be spent, so people must look.
    """
    now = standing(ends)
    if now is Standing.UNDER_WAY:
        return reported
    if reported is End.DONE and now is Standing.FAILED:
        raise Conflict(
            "refund.contradicted",
            Text("This refund was reported as failed before. Look into it.", "该退款此前已报告失败，请核查。"),
        )
    return End.BOUNCED if reported is not End.DONE and now is Standing.DONE else None


def nothing() -> Conflict:
    """Nothing was asked for."""
    return Conflict("refund.nothing", Text("Refund at least the smallest unit.", "退款金额须大于零。"), field="amount")


def dispute(amount: int, open: int, *, lost: bool, known: int | None, won: bool) -> Outcome:
    """What a provider's report of a dispute comes to, `lost` or won by the charity.

    `open` of what was paid has not been charged back; this dispute is `known` with an amount, perhaps `won` already.
    """
    if known is not None and (lost or won):
        return Outcome.KNOWN
    if known == amount:
        return Outcome.CHARGEBACK_WON
    return Outcome.CHARGED_BACK if lost and 0 < amount <= open else Outcome.DIFFERS


def check_amount(amount: int, given: int, returned: int) -> None:
    """Whether that much can go back of what was given, when `returned` has gone or is on its way.

    Raises `Conflict` with `refund.nothing` or `refund.above-gift`.
    """
    if amount < 1:
        raise nothing()
    if amount > given - returned:
        raise Conflict(
            "refund.above-gift",
            Text("More cannot go back than was given and has not gone back yet.", "退款不得超过尚未退回的捐款金额。"),
            field="amount",
        )


def refund(free: list[Span], amount: int) -> list[Span]:
    """The places that a refund takes for the campaign's part: the first free ones of its gift.

    Raises `Conflict` with `refund.spent` if that much of it is not there any more.
    """
    if amount > sum(map(len, free)):
        raise Conflict(
            "refund.spent",
            Text(
                "Part of this gift has been spent. Refund what is left of it.",
                "这笔捐款已有部分使用，只能退回剩余部分。",
            ),
            field="amount",
        )
    return first(free, amount)


def chargeback(free: list[Span], amount: int) -> tuple[list[Span], int]:
    """The places that a chargeback takes, and what it finds spent: that is owed by the charity, openly."""
    there = min(amount, sum(map(len, free)))
    return (first(free, there) if there else []), amount - there


def first(free: Iterable[Span], amount: int) -> list[Span]:
    """The first `amount` places."""
    taken: list[Span] = []
    for span in free:
        if not amount:
            break
        taken.append(Span(span.start, min(span.end, span.start + amount)))
        amount -= len(taken[-1])
    return taken


def split(parts: Mapping[str, int], amount: int) -> dict[str, int]:
    """What each party returns of a refund of `amount`, when a payment had been divided into `parts`.

    In proportion to the net part that each has got, rounded by largest remainders (ties: by name), so the sum is
    `amount` exactly and the whole comes back as it was divided. Raises `Conflict` (`refund.above-gift`).
    """
    whole = sum(parts.values())
    if not 0 < amount <= whole or min(parts.values()) < 0:
        raise Conflict(
            "refund.above-gift",
            Text("More cannot go back than was given.", "退款不得超过捐款金额。"),
            field="amount",
        )
    shares = {party: part * amount // whole for party, part in parts.items()}
    by_remainder = sorted(parts, key=lambda party: (-(parts[party] * amount % whole), party))
    for party in by_remainder[: amount - sum(shares.values())]:
        shares[party] += 1
    return shares


def check_parts(shares: Mapping[str, int], balances: Mapping[str, int]) -> None:
    """Whether each party can return its own net part; nobody needs to hold the gross amount.

    Raises `Conflict` (`refund.party`) and names the first party that cannot.
    """
    for party, share in sorted(shares.items()):
        if share > balances.get(party, 0):
            raise Conflict(
                "refund.party",
                Text("{party} does not hold its part of this refund.", "{party} 的余额不足以退回其部分。").format(
                    party=party
                ),
                field="amount",
            )
