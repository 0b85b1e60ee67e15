"""Recurring gifts (定期捐赠): when the next one is due, what a failed charge leads to, and who may say what.

A period is numbered from 0, the first charge. Days count in the local zone, so that a gift of the 31st comes on the
last day of a shorter month and on the 31st again after it. Only the current period is ever charged: what was missed
while it was paused, or while nobody was at work, is not caught up.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from commonweal.kernel.errors import Conflict
from commonweal.kernel.text import Text
from commonweal.services.giving.rules import campaigns

RETRY_AFTER = (timedelta(days=1), timedelta(days=3), timedelta(days=7))
"""After the first, second and third failure for want of money. A fourth pauses the gift."""


class Every(StrEnum):
    """How often."""

    WEEK = "week"
    MONTH = "month"


EVERY: dict[Every, Text] = {Every.WEEK: Text("every week", "每周"), Every.MONTH: Text("every month", "每月")}
TOLD_BEFORE: dict[Every, timedelta] = {Every.WEEK: timedelta(days=1), Every.MONTH: timedelta(days=3)}
"""How long before a renewal its giver is told, who has asked for that."""


class Word(StrEnum):
    """What has been said of a recurring gift; its standing follows from all words in their order."""

    AGREED = "agreed"
    PAUSED = "paused"
    RESUMED = "resumed"
    CHANGED = "changed"
    ENDED = "ended"


class Cause(StrEnum):
    """Who or what has said it."""

    GIVER = "giver"
    FAILED = "failed"
    GONE = "gone"
    REVOKED = "revoked"
    CAMPAIGN = "campaign"
    FORGOTTEN = "forgotten"


class Standing(StrEnum):
    """How far it has come."""

    WAITING = "waiting"
    ACTIVE = "active"
    PAUSED = "paused"
    ENDED = "ended"


TITLES: dict[Standing, Text] = {
    Standing.WAITING: Text("Waiting for your agreement at the provider", "等待您在支付机构签约"),
    Standing.ACTIVE: Text("Running", "进行中"),
    Standing.PAUSED: Text("Paused", "已暂停"),
    Standing.ENDED: Text("Ended", "已结束"),
}
REASONS: dict[Cause, Text] = {
    Cause.GIVER: Text("You have said so.", "由您本人操作。"),
    Cause.FAILED: Text(
        "The payment did not go through, so we stopped asking. Nothing is owed; go on whenever you like.",
        "扣款未成功，已停止尝试。您没有任何欠款，随时可以恢复。",
    ),
    Cause.GONE: Text(
        "The card or account is no longer valid. Nothing is owed; name another one if you like to go on.",
        "所绑定的银行卡或账户已失效。您没有任何欠款，如愿继续，可重新签约。",
    ),
    Cause.REVOKED: Text("You have taken the agreement back at the provider.", "您已在支付机构解除扣款协议。"),
    Cause.CAMPAIGN: Text(
        "The campaign takes no gifts now, so nothing is charged.", "项目目前不接受捐赠，因此不再扣款。"
    ),
    Cause.FORGOTTEN: Text("The giver has left the platform.", "捐助人已注销。"),
}


class Charge(StrEnum):
    """How a charge ended. What is not known yet is no answer: the provider is asked again under the same key."""

    PAID = "paid"
    INSUFFICIENT = "insufficient"
    GONE = "gone"
    """The card or account is no longer valid."""
    REVOKED = "revoked"
    """The payer has taken the agreement back."""


@dataclass(frozen=True, slots=True)
class Said:
    """One word. `amount` belongs to `CHANGED`, in smallest units; `reference` is the agreement, where it is new."""

    word: Word
    cause: Cause
    at: datetime
    amount: int | None = None
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class Recurring:
    """What follows from the words. `first` is the moment of the agreement, `since` that of the last one from which it
    has been running; both None before the agreement. `cause` is that of the last pause or end."""

    standing: Standing
    amount: int
    first: datetime | None = None
    since: datetime | None = None
    cause: Cause | None = None
    agreement: str = ""


def after(amount: int, words: Sequence[Said]) -> Recurring:
    """Where a gift that began with `amount` stands after these words."""
    found = Recurring(Standing.WAITING, amount)
    for said in words:
        first, agreement = found.first or said.at, said.reference or found.agreement
        match said.word:
            case Word.CHANGED:
                found = Recurring(found.standing, said.amount or found.amount, found.first, found.since, found.cause,
                                  agreement)  # fmt: skip
            case Word.AGREED | Word.RESUMED:
                found = Recurring(Standing.ACTIVE, found.amount, first, said.at, None, agreement)
            case Word.PAUSED:
                found = Recurring(Standing.PAUSED, found.amount, found.first, found.since, said.cause, agreement)
            case Word.ENDED:
                found = Recurring(Standing.ENDED, found.amount, found.first, found.since, said.cause, agreement)
    return found


def due(first: datetime, every: Every, period: int, zone: ZoneInfo) -> datetime:
    """When a period is due: counted from the first one, so that it never drifts."""
    local = first.astimezone(zone)
    if every is Every.WEEK:
        return local + timedelta(weeks=period)  # the same hour of the same day of the week
    months = local.year * 12 + local.month - 1 + period
    year, month = divmod(months, 12)
    return local.replace(year=year, month=month + 1, day=min(local.day, monthrange(year, month + 1)[1]))


def period_of(first: datetime, every: Every, at: datetime, zone: ZoneInfo) -> int:
    """The last period that is due at a moment not before the first."""
    local, begin = at.astimezone(zone), first.astimezone(zone)
    if every is Every.WEEK:
        guess = (local - begin) // timedelta(weeks=1) + 1
    else:
        guess = (local.year - begin.year) * 12 + local.month - begin.month
    while due(first, every, guess, zone) > at:
        guess -= 1
    return guess


def to_charge(gift: Recurring, every: Every, now: datetime, zone: ZoneInfo) -> int | None:
    """The period that is to be charged now; None if it is not running, or fell due while it was not."""
    if gift.standing is not Standing.ACTIVE or gift.first is None or gift.since is None:
        return None
    period = period_of(gift.first, every, now, zone)
    return period if due(gift.first, every, period, zone) >= gift.since else None


def next_due(gift: Recurring, every: Every, now: datetime, zone: ZoneInfo) -> datetime | None:
    """When it is due next after now; None if it is not running."""
    if gift.standing is not Standing.ACTIVE or gift.first is None:
        return None
    return due(gift.first, every, period_of(gift.first, every, now, zone) + 1, zone)


def retry_at(attempt: int, failed_at: datetime, next_due: datetime) -> datetime | None:
    """When a charge that failed for want of money is tried again; None after the last, or if the next period begins
    before: nobody is ever charged twice on one day."""
    if attempt > len(RETRY_AFTER):
        return None
    at = failed_at + RETRY_AFTER[attempt - 1]
    return at if at < next_due else None


ENDING = {campaigns.State.CLOSED, campaigns.State.STOPPED, campaigns.State.HISTORY}


def halt(state: campaigns.State) -> Word | None:
    """What the state of its campaign does to a running gift: an end for good, a pause while it may open again."""
    if state is campaigns.State.OPEN:
        return None
    return Word.ENDED if state in ENDING else Word.PAUSED


MAY: dict[Word, set[Standing]] = {
    Word.AGREED: {Standing.WAITING, Standing.PAUSED, Standing.ACTIVE},
    Word.PAUSED: {Standing.ACTIVE},
    Word.RESUMED: {Standing.PAUSED},
    Word.CHANGED: {Standing.ACTIVE, Standing.PAUSED},
    Word.ENDED: {Standing.WAITING, Standing.ACTIVE, Standing.PAUSED},
}


def check_word(gift: Recurring, word: Word) -> None:
    """Raises `Conflict` with `recurring.ended`, `recurring.not-now`, or `recurring.agreement` if going on needs a new
    agreement with the provider."""
    if gift.standing is Standing.ENDED:
        raise Conflict("recurring.ended", Text("It has ended. Begin a new one.", "该定期捐赠已结束，可重新开始。"))
    if gift.standing not in MAY[word]:
        raise Conflict("recurring.not-now", Text("That is so already.", "当前状态下无需此操作。"))
    if word is Word.RESUMED and gift.cause is Cause.GONE:
        raise Conflict(
            "recurring.agreement",
            Text("Agree with the payment provider anew first.", "请先在支付机构重新签约。"),
        )
