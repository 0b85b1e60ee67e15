"""The host's own income, from its share of gifts and from tips: who may pay it out, and how much."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from enum import StrEnum

from commonweal.kernel.errors import Conflict, NotAllowed
from commonweal.kernel.text import Text

APPROVALS = 2
"""Different stewards who agree, neither of them the one who asked: the host's people watch over one another."""


class State(StrEnum):
    """How far a request has come; follows from its words and its payment."""

    ASKED = "asked"
    APPROVED = "approved"
    DECLINED = "declined"
    PAID = "paid"


TITLES: dict[State, Text] = {
    State.ASKED: Text("Waits for two stewards", "等待两位审核员"),
    State.APPROVED: Text("Approved, being paid", "已批准，付款中"),
    State.DECLINED: Text("Declined", "已否决"),
    State.PAID: Text("Paid out", "已拨付"),
}


def state(approvals: int, *, declined: bool, paid: bool) -> State:
    """How far a request has come."""
    if paid:
        return State.PAID
    if declined:
        return State.DECLINED
    return State.APPROVED if approvals >= APPROVALS else State.ASKED


def free(earned: int, borne: int, promised: int = 0) -> int:
    """What the host can take: what it has earned, less what it owes to the same book and what is asked for already."""
    return max(0, earned - borne - promised)


def check_amount(amount: int, there: int) -> None:
    """Whether so much can be paid out. Raises `Conflict` (`income.nothing`, `income.above`)."""
    if amount < 1:
        raise Conflict(
            "income.nothing", Text("Ask for at least the smallest unit.", "申请金额须大于零。"), field="amount"
        )
    if amount > there:
        raise Conflict(
            "income.above",
            Text(
                "The foundation has not earned as much here, after what it owes and has asked for already.",
                "扣除应付款项和已申请金额后，基金会在该项目的收入不足。",
            ),
            field="amount",
        )


def check_word(
    asked_by: uuid.UUID, approved_by: Sequence[uuid.UUID], steward: uuid.UUID, now: State
) -> None:  # fmt: skip
    """Whether this steward may say a word now.

    Raises `NotAllowed` (`income.own`) for who asked, `Conflict` with `income.decided` and `income.same-person`.
    """
    if steward == asked_by:
        raise NotAllowed(
            "income.own", Text("Nobody judges what they asked for themselves.", "不能审核自己提出的申请。")
        )
    if now is not State.ASKED:
        raise Conflict("income.decided", Text("This has been decided already.", "该申请已有结论。"))
    if steward in approved_by:
        raise Conflict(
            "income.same-person",
            Text("The second yes must come from another person.", "第二次批准须由另一位审核员作出。"),
        )
