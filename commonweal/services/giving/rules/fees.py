"""What of a payment each party gets, who bears what a payment costs, and what each returns of a refund."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from commonweal.kernel.errors import Invalid
from commonweal.kernel.quantity import Asset, check_amount
from commonweal.kernel.text import Text
from commonweal.services.giving.rules import returns
from commonweal.services.giving.rules.campaigns import Custody

MOST = Fraction(15, 100)
"""The largest share of a gift that a host may keep."""


class Payee(StrEnum):
    """Who gets a part of a payment."""

    CAMPAIGN = "campaign"
    HOST = "host"
    """The foundation that holds the money in trust and runs the platform."""
    PROCESSOR = "processor"
    """The payment provider, for its work."""
    TIP = "tip"
    """What a giver adds for the host, beside the gift."""
    DISPUTE = "dispute"
    """The payment provider again, for a dispute: it is no part of the payment, and never comes back with it."""


PAYEES: dict[Payee, Text] = {
    Payee.CAMPAIGN: Text("the campaign", "项目"),
    Payee.HOST: Text("the foundation that holds the money", "托管基金会"),
    Payee.PROCESSOR: Text("the payment provider", "支付机构"),
    Payee.TIP: Text("the platform, as a tip", "平台（自愿打赏）"),
    Payee.DISPUTE: Text("the payment provider, for a dispute", "支付机构（拒付处理费）"),
}


class Bearer(StrEnum):
    """Who bears the payment provider's fee."""

    CAMPAIGN = "campaign"
    HOST = "host"


BEARERS: dict[Bearer, Text] = {
    Bearer.CAMPAIGN: Text("The payment provider's fee is taken from the gift.", "支付机构手续费从捐款中扣除。"),
    Bearer.HOST: Text("The foundation pays the payment provider's fee.", "支付机构手续费由基金会承担。"),
}


def check(custody: Custody, rate: Fraction, bearer: Bearer) -> None:
    """Whether a campaign may have these terms.

    Raises `Invalid` with `fee.rate` outside [0, `MOST`], and `fee.mirror` where the money never is in the host's hands.
    """
    if not 0 <= rate <= MOST:
        raise Invalid(
            "fee.rate", Text("A host keeps at most 15 % of a gift.", "托管费不得超过捐款的 15%。"), field="host_fee"
        )
    if custody is Custody.MIRROR and (rate or bearer is Bearer.HOST):
        raise Invalid(
            "fee.mirror",
            Text(
                "The money goes straight to the charity, so the platform can neither keep nor pay anything of it.",
                "善款直接进入机构账户，平台不经手，既不能收取也不能垫付费用。",
            ),
            field="host_fee",
        )


def check_tip(tip: int, custody: Custody, asset: Asset) -> None:
    """Whether a tip can be added. Raises `Invalid` with `amount.*`, or `tip.mirror` as `check` does."""
    if not tip:
        return
    check_amount(tip, asset, field="tip")
    if custody is Custody.MIRROR:
        raise Invalid(
            "tip.mirror",
            Text("This money goes straight to the charity; nothing can be added for the platform.",
                 "善款直接进入机构账户，无法附带平台打赏。"),
            field="tip",
        )  # fmt: skip


def host_fee(gift: int, rate: Fraction) -> int:
    """What the host keeps of a gift, in smallest units: rounded down."""
    return gift * rate.numerator // rate.denominator


def parts(gift: int, tip: int, fees: Mapping[Payee, int]) -> dict[Payee, int]:
    """The net part of each party of a payment: `gift` with the `fees` that came out of it, and `tip` beside it."""
    host, processor = fees.get(Payee.HOST, 0), fees.get(Payee.PROCESSOR, 0)
    return {Payee.CAMPAIGN: gift - host - processor, Payee.HOST: host, Payee.PROCESSOR: processor, Payee.TIP: tip}


def shares(parts: Mapping[Payee, int], gone: Mapping[Payee, int], amount: int) -> dict[Payee, int]:
    """What each party returns of a refund of `amount`, when it had got its part and some of it has gone back already.

    In proportion to what is left of each, exactly (`returns.split`), so that the last refund empties all of them.
    Raises `Conflict` with `refund.above-gift`.
    """
    left = {str(party): part - gone.get(party, 0) for party, part in parts.items()}
    return {Payee(party): share for party, share in returns.split(left, amount).items()}


@dataclass(frozen=True, slots=True)
class Cover:
    """Where money that leaves comes from; `payable` is what has to wait for the provider to settle."""

    bank: int
    collected: int
    payable: int


def cover(amount: int, bank: int, collected: int) -> Cover:
    """From the bank first, then from what the charity has collected itself; neither is ever overdrawn."""
    from_bank = min(amount, max(bank, 0))
    from_collected = min(amount - from_bank, max(collected, 0))
    return Cover(from_bank, from_collected, amount - from_bank - from_collected)
