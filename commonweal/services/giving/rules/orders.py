"""Orders from vendors: what may be ordered, when it is paid, and which line of an order a gift has paid for.

An order is approved like any payout. The price is the vendor's list price, fixed when it is ordered. It is paid once
the receiving side has got the things and the vendor's invoice is there, and never above either: the vendor bears an
overrun, unless the charity asks for another payout, approved anew. What is saved has never left the fund.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from commonweal.kernel.errors import Conflict, Invalid, NotAllowed
from commonweal.kernel.text import Text
from commonweal.services.giving.rules.payouts import State as Approval
from commonweal.services.giving.rules.trace import Span

MOST_LINES = 30


class State(StrEnum):
    """How far an order has come; follows from words, arrivals, the invoice and the payment."""

    ASKED = "asked"
    DECLINED = "declined"
    ORDERED = "ordered"
    ARRIVING = "arriving"
    ARRIVED = "arrived"
    INVOICED = "invoiced"
    PAID = "paid"
    CANCELLED = "cancelled"


TITLES: dict[State, Text] = {
    State.ASKED: Text("Being checked", "审核中"),
    State.DECLINED: Text("Declined", "未批准"),
    State.ORDERED: Text("Ordered", "已下单"),
    State.ARRIVING: Text("Part has arrived", "部分到货"),
    State.ARRIVED: Text("Arrived", "已到货"),
    State.INVOICED: Text("Invoiced, being paid", "已开票，付款中"),
    State.PAID: Text("Paid", "已支付"),
    State.CANCELLED: Text("Cancelled", "已取消"),
}
OVERRUN = Text(
    "The price is fixed when it is ordered. If the vendor asks for more, the vendor bears it; if for less, the rest "
    "has never left the fund and is free for the next need.",
    "价格以下单时为准：供应商多报的部分由供应商承担；少付的部分从未离开资金，可用于下一项需要。",
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """So many of an item, for a need. Ids are those of rows."""

    need: int
    item: uuid.UUID
    quantity: int


@dataclass(frozen=True, slots=True)
class Line:
    """A line of an order: what it is for, how many at what price, and how many have arrived."""

    place: int
    price: int
    quantity: int
    arrived: int

    @property
    def cost(self) -> int:
        """In smallest units."""
        return self.price * self.quantity


@dataclass(frozen=True, slots=True)
class Billed:
    """A line of an invoice."""

    place: int
    price: int
    quantity: int

    @property
    def cost(self) -> int:
        """In smallest units."""
        return self.price * self.quantity


@dataclass(frozen=True, slots=True)
class Order:
    """What a decision about an order needs to know."""

    ordered_by: uuid.UUID
    approval: Approval
    lines: tuple[Line, ...]
    invoiced: bool
    cancelled: bool


def state(order: Order) -> State:
    """How far an order has come."""
    if order.cancelled:
        return State.CANCELLED
    if order.approval is not Approval.APPROVED:
        return State(order.approval.value)
    if order.invoiced:
        return State.INVOICED
    if all(line.arrived == line.quantity for line in order.lines):
        return State.ARRIVED
    return State.ARRIVING if any(line.arrived for line in order.lines) else State.ORDERED


def check_lines(costs: Mapping[int, int], left: Mapping[int, int], lines: int) -> None:
    """Whether so much can be ordered: `costs` by need, `left` what of each need's budget is not ordered yet.

    Raises `Invalid` (`order.lines`) for no line or too many and `Conflict` (`order.above-need`): the filed budget is
    the limit.
    """
    if not 0 < lines <= MOST_LINES:
        raise Invalid(
            "order.lines",
            Text("Order 1 to {most} lines.", "请填写 1 至 {most} 行。").format(most=MOST_LINES),
            field="quantity",
        )
    if any(cost > left.get(need, 0) for need, cost in costs.items()):
        raise Conflict(
            "order.above-need",
            Text("That is more than the filed budget has left for this need.", "超出该项需要在备案预算中的剩余金额。"),
            field="quantity",
        )


def check_arrival(order: Order, by: uuid.UUID, got: Mapping[int, int]) -> None:
    """Whether somebody can say that so many of each line have arrived.

    Raises `NotAllowed` (`order.own`) for whoever has ordered, `Conflict` (`order.not-under-way`) and `Invalid`
    (`arrival.number`) for nothing or more than is still missing.
    """
    if by == order.ordered_by:
        raise NotAllowed(
            "order.own", Text("The receiving side has to confirm this.", "须由接收方确认，下单人不能确认到货。")
        )
    if state(order) not in (State.ORDERED, State.ARRIVING):
        raise Conflict("order.not-under-way", Text("Nothing is under way.", "目前没有在途的货物。"))
    missing = {line.place: line.quantity - line.arrived for line in order.lines}
    if not got or any(not 0 < number <= missing.get(place, 0) for place, number in got.items()):
        raise Invalid(
            "arrival.number",
            Text("Say how many have come, at most what is missing.", "请填写到货数量，不得超过未到数量。"),
            field="quantity",
        )


def check_invoice(order: Order, billed: Sequence[Billed]) -> None:
    """Whether a vendor's invoice can be taken: only what has arrived, at most at the agreed price.

    Raises `Conflict` with `order.not-arrived` while nothing has arrived or it is not approved, `order.invoiced`, and
    `order.overrun`; `Invalid` (`order.lines`) for no line.
    """
    now = state(order)
    if now in (State.INVOICED, State.PAID):
        raise Conflict("order.invoiced", Text("This order is invoiced already.", "该订单已开票。"))
    if now not in (State.ARRIVING, State.ARRIVED):
        raise Conflict("order.not-arrived", Text("Nothing of it has been confirmed as arrived.", "尚无经确认的到货。"))
    if not billed or any(each.price < 1 or each.quantity < 1 for each in billed):
        raise Invalid("order.lines", Text("An invoice has at least one line.", "发票至少一行。"), field="quantity")
    agreed = {line.place: line for line in order.lines}
    for each in billed:
        line = agreed.get(each.place)
        if line is None or each.price > line.price or each.quantity > line.arrived:
            raise Conflict("order.overrun", OVERRUN, field="price")


def check_cancel(order: Order) -> None:
    """Whether an order can be cancelled. Raises `Conflict` (`order.under-way`) once anything has arrived or is paid."""
    if state(order) not in (State.ASKED, State.ORDERED):
        raise Conflict(
            "order.under-way",
            Text("Part has arrived: invoice what has come, the rest lapses.", "已有到货：请按到货开票，其余自动失效。"),
        )


def shares(drawn: Iterable[Span], gift: Span, costs: Mapping[int, int]) -> dict[int, int]:
    """What a gift has paid of each line of an order, in smallest units; lines of which it paid nothing are left out.

    The payout's places, in the order of the fund's line, fill the lines in their order. `costs` are what was paid for
    each line, by place; they sum to what was drawn. So over all gifts each line sums to its cost exactly.
    """
    found: dict[int, int] = {}
    before = 0
    for span in sorted(drawn):
        start, end = max(span.start, gift.start), min(span.end, gift.end)
        if start < end:
            part = (before + start - span.start, before + end - span.start)
            reached = 0
            for place in sorted(costs):
                shared = min(part[1], reached + costs[place]) - max(part[0], reached)
                if shared > 0:
                    found[place] = found.get(place, 0) + shared
                reached += costs[place]
        before += len(span)
    return found
