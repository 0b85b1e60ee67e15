"""Orders: their lines, what has arrived, what was paid, and which lines a gift has paid for."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from commonweal.kernel.errors import NotFound
from commonweal.kernel.sql import row, rows
from commonweal.kernel.text import Text
from commonweal.services.giving.queries import payouts
from commonweal.services.giving.rules import orders as rules
from commonweal.services.giving.rules.trace import Span


@dataclass(frozen=True, slots=True)
class Line:
    """A line of an order. `paid_price` and `paid_quantity` are those of the invoice, 0 before it."""

    place: int
    need: int
    need_what: Text
    what: Text
    unit: Text
    price: int
    quantity: int
    arrived: int
    paid_price: int
    paid_quantity: int

    @property
    def cost(self) -> int:
        """As ordered, in smallest units."""
        return self.price * self.quantity

    @property
    def paid(self) -> int:
        """As invoiced, in smallest units."""
        return self.paid_price * self.paid_quantity

    @property
    def missing(self) -> int:
        """How many have not arrived."""
        return self.quantity - self.arrived


@dataclass(frozen=True, slots=True)
class Arrival:
    """A delivery that the receiving side has confirmed. `evidence` are digests of pictures or papers."""

    what: Text
    quantity: int
    unit: Text
    evidence: tuple[str, ...]
    fact: uuid.UUID
    at: datetime


@dataclass(frozen=True, slots=True)
class Order:
    """An order; its request is `payout`."""

    payout: payouts.Payout
    vendor: uuid.UUID
    vendor_name: Text
    lines: list[Line]
    invoiced: int | None
    cancelled_for: str | None

    @property
    def rule(self) -> rules.Order:
        """What decisions about it need."""
        lines = tuple(rules.Line(each.place, each.price, each.quantity, each.arrived) for each in self.lines)
        return rules.Order(
            self.payout.asked_by, self.payout.state, lines, self.invoiced is not None, self.cancelled_for is not None
        )

    @property
    def state(self) -> rules.State:
        """How far it has come."""
        return rules.state(self.rule)

    @property
    def state_title(self) -> Text:
        """The same, in words."""
        return rules.TITLES[self.state]

    @property
    def approved(self) -> int:
        """What was asked for, in smallest units."""
        return sum(line.cost for line in self.lines)

    @property
    def saved(self) -> int | None:
        """What of the approved amount stays in the fund, None before the invoice."""
        return None if self.invoiced is None else self.approved - self.invoiced


LINES = """
    SELECT l.place, l.need, d.what_en AS need_en, d.what_zh AS need_zh, i.what_en, i.what_zh, i.unit_en, i.unit_zh,
           l.price, l.quantity, coalesce(v.price, 0) AS paid_price, coalesce(v.quantity, 0) AS paid_quantity,
           (SELECT coalesce(sum(a.quantity), 0)::int FROM giving_arrival a
            WHERE a.book = l.book AND a.request = l.request AND a.place = l.place) AS arrived
    FROM giving_order_line l
    JOIN giving_item i ON i.id = l.item
    JOIN giving_need d ON d.id = l.need
    LEFT JOIN giving_invoice_line v ON v.book = l.book AND v.request = l.request AND v.place = l.place
    WHERE l.book = %(book)s AND l.request = %(request)s ORDER BY l.place"""


def find(campaign: uuid.UUID, request: uuid.UUID) -> Order | None:
    """The order that a request is, None for an ordinary payout."""
    query = """
        SELECT o.vendor, p.name_en, p.name_zh, i.amount AS invoiced, c.reason
        FROM giving_order o JOIN parties_party p ON p.id = o.vendor
        LEFT JOIN giving_invoice i ON i.book = o.book AND i.request = o.request
        LEFT JOIN giving_cancellation c ON c.book = o.book AND c.request = o.request
        WHERE o.book = %(book)s AND o.request = %(request)s"""
    found = row(query, {"book": campaign, "request": request})
    if found is None:
        return None
    return Order(
        payout=payouts.payout(campaign, request),
        vendor=found["vendor"],
        vendor_name=Text(found["name_en"], found["name_zh"]),
        lines=_lines(campaign, request),
        invoiced=found["invoiced"],
        cancelled_for=found["reason"],
    )


def order(campaign: uuid.UUID, request: uuid.UUID) -> Order:
    """One order. Raises `NotFound` (`order.unknown`)."""
    found = find(campaign, request)
    if found is None:
        raise NotFound("order.unknown", Text("There is no such order.", "没有这笔订单。"))
    return found


def _lines(campaign: uuid.UUID, request: uuid.UUID) -> list[Line]:
    return [
        Line(
            place=each["place"],
            need=each["need"],
            need_what=Text(each["need_en"], each["need_zh"]),
            what=Text(each["what_en"], each["what_zh"]),
            unit=Text(each["unit_en"], each["unit_zh"]),
            price=each["price"],
            quantity=each["quantity"],
            arrived=each["arrived"],
            paid_price=each["paid_price"],
            paid_quantity=each["paid_quantity"],
        )
        for each in rows(LINES, {"book": campaign, "request": request})
    ]


def arrivals(campaign: uuid.UUID, request: uuid.UUID) -> list[Arrival]:
    """What has come, oldest first."""
    query = """
        SELECT i.what_en, i.what_zh, i.unit_en, i.unit_zh, a.quantity, a.evidence, a.fact, a.at
        FROM giving_arrival a
        JOIN giving_order_line l ON l.book = a.book AND l.request = a.request AND l.place = a.place
        JOIN giving_item i ON i.id = l.item
        WHERE a.book = %(book)s AND a.request = %(request)s ORDER BY a.at, a.place, a.nth"""
    return [
        Arrival(
            Text(each["what_en"], each["what_zh"]),
            each["quantity"],
            Text(each["unit_en"], each["unit_zh"]),
            tuple(each["evidence"]),
            each["fact"],
            each["at"],
        )
        for each in rows(query, {"book": campaign, "request": request})
    ]


def of_campaign(campaign: uuid.UUID) -> list[Order]:
    """The orders of a campaign, newest first."""
    query = """
        SELECT o.request FROM giving_order o JOIN giving_request r ON r.book = o.book AND r.id = o.request
        WHERE o.book = %(book)s ORDER BY r.at DESC, r.id"""
    return [order(campaign, found["request"]) for found in rows(query, {"book": campaign})]


@dataclass(frozen=True, slots=True)
class Need:
    """A need and what of its budget is not ordered yet, in smallest units."""

    id: int
    what: Text
    left: int


def needs(campaign: uuid.UUID) -> list[Need]:
    """The needs of a campaign. What was declined or cancelled is free again, and so is what was saved."""
    query = """
        SELECT n.id, n.what_en, n.what_zh, (n.price * n.quantity - coalesce((
            SELECT sum(CASE WHEN i.request IS NULL THEN l.price * l.quantity ELSE v.price * v.quantity END)
            FROM giving_order_line l
            LEFT JOIN giving_invoice i ON i.book = l.book AND i.request = l.request
            LEFT JOIN giving_invoice_line v ON v.book = l.book AND v.request = l.request AND v.place = l.place
            WHERE l.book = n.campaign_id AND l.need = n.id
              AND NOT EXISTS (SELECT FROM giving_cancellation c WHERE c.book = l.book AND c.request = l.request)
              AND NOT EXISTS (SELECT FROM giving_word w
                              WHERE w.book = l.book AND w.request = l.request AND NOT w.approves)
        ), 0))::bigint AS left
        FROM giving_need n WHERE n.campaign_id = %(book)s ORDER BY n.place"""
    return [
        Need(each["id"], Text(each["what_en"], each["what_zh"]), each["left"])
        for each in rows(query, {"book": campaign})
    ]


@dataclass(frozen=True, slots=True)
class Goods:
    """A thing that was ordered for a campaign: how many, and how many the receiving side has got."""

    what: Text
    unit: Text
    ordered: int
    arrived: int


def goods(campaign: uuid.UUID) -> list[Goods]:
    """What was ordered, thing by thing; without what was declined or cancelled."""
    query = """
        SELECT i.what_en, i.what_zh, i.unit_en, i.unit_zh, sum(l.quantity)::bigint AS ordered,
               sum(coalesce((SELECT sum(a.quantity) FROM giving_arrival a WHERE a.book = l.book
                             AND a.request = l.request AND a.place = l.place), 0))::bigint AS arrived
        FROM giving_order_line l JOIN giving_item i ON i.id = l.item
        WHERE l.book = %(book)s
          AND NOT EXISTS (SELECT FROM giving_cancellation c WHERE c.book = l.book AND c.request = l.request)
          AND NOT EXISTS (SELECT FROM giving_word w WHERE w.book = l.book AND w.request = l.request AND NOT w.approves)
        GROUP BY i.what_en, i.what_zh, i.unit_en, i.unit_zh ORDER BY min(l.need), i.what_en"""
    return [
        Goods(
            Text(each["what_en"], each["what_zh"]), Text(each["unit_en"], each["unit_zh"]), each["ordered"],
            each["arrived"],
        )
        for each in rows(query, {"book": campaign})
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Share:
    """What a gift has paid of a line, in smallest units, and how many whole things that is."""

    what: Text
    unit: Text
    amount: int
    things: int


def shares(campaign: uuid.UUID, request: uuid.UUID, gift: uuid.UUID) -> list[Share]:
    """The lines of an order for which a gift has paid, empty for an ordinary payout."""
    lines = {each.place: each for each in _lines(campaign, request) if each.paid}
    if not lines:
        return []
    query = """
        SELECT lower(d.span) AS low, upper(d.span) AS high, p.start, p.start + p.amount AS stop
        FROM giving_payment p JOIN giving_draw d ON d.book = p.book
        WHERE p.book = %(book)s AND p.gift = %(gift)s AND p.start IS NOT NULL AND d.request = %(request)s"""
    found = rows(query, {"book": campaign, "request": request, "gift": gift})
    if not found:
        return []
    drawn = [Span(each["low"], each["high"]) for each in found]
    place = Span(found[0]["start"], found[0]["stop"])
    paid = rules.shares(drawn, place, {number: line.paid for number, line in lines.items()})
    return [
        Share(lines[number].what, lines[number].unit, amount, amount // lines[number].paid_price)
        for number, amount in paid.items()
    ]
