"""Money out: asked for by the charity with evidence, approved by two people, paid once."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from enum import StrEnum

from commonweal.kernel.errors import Conflict, Invalid, NotAllowed
from commonweal.kernel.text import Text

MOST_EVIDENCE = 10
APPROVALS = 2
"""How many different stewards say yes before money moves."""


class State(StrEnum):
    """How far a payout has come; follows from the words of the stewards and the payment."""

    ASKED = "asked"
    APPROVED = "approved"
    DECLINED = "declined"
    PAID = "paid"


TITLES: dict[State, Text] = {
    State.ASKED: Text("Being checked", "审核中"),
    State.APPROVED: Text("Approved, being paid", "已批准，付款中"),
    State.DECLINED: Text("Declined", "未批准"),
    State.PAID: Text("Paid", "已支付"),
}


@dataclass(frozen=True, slots=True)
class Payout:
    """What a decision about a payout needs to know."""

    asked_by: uuid.UUID
    approved_by: frozenset[uuid.UUID]
    declined: bool
    paid: bool


def state(payout: Payout) -> State:
    """How far the payout has come."""
    if payout.paid:
        return State.PAID
    if payout.declined:
        return State.DECLINED
    return State.APPROVED if len(payout.approved_by) >= APPROVALS else State.ASKED


def check_word(payout: Payout, steward: uuid.UUID, *, acts_for_charity: bool) -> None:
    """Whether this steward may approve or decline now.

    Raises `NotAllowed` with `payout.own` for somebody of the charity itself, `Conflict` with `payout.decided` once it
    is decided and `payout.same-person` for a second word of the same steward.
    """
    if steward == payout.asked_by or acts_for_charity:
        raise NotAllowed(
            "payout.own",
            Text("Nobody approves a payout of their own charity.", "不能审核自己所在机构的拨款申请。"),
        )
    if state(payout) is not State.ASKED:
        raise Conflict("payout.decided", Text("This payout has been decided already.", "该拨款申请已有结论。"))
    if steward in payout.approved_by:
        raise Conflict(
            "payout.same-person",
            Text("The second approval must come from another person.", "第二次批准须由另一位审核员作出。"),
        )


def check_evidence(number: int) -> None:
    """Raises `Invalid` with code `evidence.missing` or `evidence.too-many` unless there are 1 to 10 pieces."""
    if number == 0:
        raise Invalid(
            "evidence.missing",
            Text(
                "Add at least one piece of evidence: an invoice, a receipt, a photograph.",
                "请至少上传一份凭证：发票、收据或照片。",
            ),
            field="evidence",
        )
    if number > MOST_EVIDENCE:
        raise Invalid(
            "evidence.too-many",
            Text("Add at most {most} pieces of evidence.", "最多上传 {most} 份凭证。").format(most=MOST_EVIDENCE),
            field="evidence",
        )


def check_request(amount: int, available: int, promised: int) -> None:
    """Whether a charity can ask for `amount`, when `promised` of the `available` is asked for already.

    Raises `Conflict` with code `fund.too-low`.
    """
    if amount > available - promised:
        raise Conflict(
            "fund.too-low",
            Text(
                "The fund does not hold as much. Ask for what is there, or wait for more gifts.",
                "资金余额不足。请按现有余额申请，或等待更多捐款。",
            ),
            field="amount",
        )


def check_payable(payout: Payout) -> None:
    """Raises `Conflict` with code `payout.not-approved` unless two different people have approved it."""
    if state(payout) not in (State.APPROVED, State.PAID):
        raise Conflict(
            "payout.not-approved",
            Text("A payout needs the approval of two people.", "拨款须经两位审核员批准。"),
        )
