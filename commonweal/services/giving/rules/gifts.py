"""What a gift is, and whether it can be taken."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from commonweal.kernel.errors import Invalid
from commonweal.kernel.quantity import Asset, check_amount
from commonweal.kernel.text import Text
from commonweal.services.giving.rules import campaigns
from commonweal.services.giving.rules.campaigns import Campaign, check_open

PAY_WITHIN = timedelta(minutes=30)
"""How long a gift waits for its payment."""

COLLECTED = "collected"
"""The channel of money that the charity itself has received: a bank transfer, a collecting box, a payroll."""


@dataclass(frozen=True, slots=True)
class Give:
    """A wish to give. `amount` is in smallest units of `asset`; `channel` is a payment provider, or `COLLECTED`.

    `giver` is the pseudonym of who gives, None for money from a box. `key` is made by whoever asks, before asking.
    """

    campaign: uuid.UUID
    giver: uuid.UUID | None
    amount: int
    asset: str
    channel: str
    key: str
    tip: int = 0
    """What the giver adds for the host, beside the gift."""
    team: uuid.UUID | None = None
    """With whom it is given."""
    device: str = ""
    """What the door knows of the device; only a keyed hash of it is kept."""

    @property
    def whole(self) -> int:
        """What is to be paid."""
        return self.amount + self.tip

    @property
    def collected(self) -> bool:
        """Whether the money is there already."""
        return self.channel == COLLECTED

    def by(self, giver: uuid.UUID) -> Give:
        """The same wish of somebody."""
        return replace(self, giver=giver)


class State(StrEnum):
    """How far a gift has come; follows from its payment and its age."""

    WAITING = "waiting"
    PAID = "paid"
    EXPIRED = "expired"
    FROZEN = "frozen"
    """The provider reports another amount or currency: nothing moves until a steward has looked."""
    RETURNED = "returned"
    """All of it has gone back. No later report of its payment changes that."""
    GOING_BACK = "going-back"
    """It was paid when its campaign could not have it any more: that is owed to its giver, and on its way back."""


TITLES: dict[State, Text] = {
    State.WAITING: Text("Waiting for the payment", "等待付款"),
    State.PAID: Text("Received", "已收到"),
    State.EXPIRED: Text("Not paid in time", "超时未付款"),
    State.FROZEN: Text("Being looked into", "核查中"),
    State.RETURNED: Text("Given back", "已退回"),
    State.GOING_BACK: Text("On its way back to you", "正在退回给您"),
}


class Outcome(StrEnum):
    """What a provider's callback comes to."""

    PAID = "paid"
    KNOWN = "known"
    """It reports a payment that is in the books already."""
    UNKNOWN = "unknown"
    """It names no gift that was to be paid there."""
    DIFFERS = "differs"
    """It reports another amount or currency than was promised: the gift is frozen, never adjusted."""
    TWICE = "twice"
    """It reports another payment of a gift that is paid: its giver has paid twice: that is owed, and goes back."""
    SENT_BACK = "sent-back"
    """It reports the payment of a gift that its campaign may not have any more: that is owed, and goes back."""
    REFUNDED = "refunded"
    REFUND_FAILED = "refund-failed"
    CHARGED_BACK = "charged-back"
    CHARGEBACK_WON = "chargeback-won"
    """The charity has contested a chargeback, and the money is back."""
    AGREED = "agreed"
    """A payer has agreed to be charged for a recurring gift."""
    REVOKED = "revoked"
    IGNORED = "ignored"
    """It is genuine and moves no money."""


@dataclass(frozen=True, slots=True)
class Report:
    """A payment as a provider reports it."""

    channel: str
    amount: int
    asset: str
    reference: str


def judge(wish: Give, report: Report, *, paid: str | None) -> Outcome:
    """What a provider's report of a payment comes to, against what was promised and by which payment it is `paid`."""
    if report.channel != wish.channel:
        return Outcome.UNKNOWN
    if (report.amount, report.asset) != (wish.whole, wish.asset):
        return Outcome.DIFFERS
    if paid is None:
        return Outcome.PAID
    return Outcome.KNOWN if paid == report.reference else Outcome.TWICE


def may_have(campaign: Campaign, given_at: datetime, now: datetime) -> bool:
    """Whether a campaign may have, at `now`, the payment of what it was promised at `given_at`.

    Money that comes while the promise holds is taken, also when the campaign has closed or a report has fallen due
    meanwhile; what comes later is as a new gift. A campaign that was stopped, or whose charity is not qualified, gets
    none. The trigger `check_paid_into` keeps the same rule.
    """
    if not (campaign.filed and campaign.qualified) or campaigns.state(campaign, now) is campaigns.State.STOPPED:
        return False
    return now < given_at + PAY_WITHIN or campaigns.state(campaign, now) is campaigns.State.OPEN


def state(
    *, paid: bool, frozen: bool, given_at: datetime, now: datetime, returned: bool = False, sent_back: bool = False
) -> State:
    """How far a gift has come. `returned`: all of it has gone back; `sent_back`: it was never booked as a gift."""
    if paid:
        return State.RETURNED if returned else State.PAID
    if sent_back:
        return State.RETURNED if returned else State.GOING_BACK
    if frozen:
        return State.FROZEN
    return State.WAITING if now < given_at + PAY_WITHIN else State.EXPIRED


def check(give: Give, campaign: Campaign, asset: Asset, cap: int, now: datetime) -> None:
    """Whether the gift can be taken: the campaign is open, counts in this asset, and takes that much at once.

    Raises `Conflict` with code `campaign.<state>`; `Invalid` with `asset.other`, `amount.too-small` or
    `amount.too-large`.
    """
    check_open(campaign, now)
    if give.asset != asset.code:
        raise Invalid(
            "asset.other",
            Text("This campaign takes {asset}.", "本项目只接受 {asset}。").format(asset=asset.code),
            field="asset",
        )
    check_amount(give.amount, asset, maximum=cap)
