"""Orders: asked for from a vendor's list, confirmed by the receiving side, invoiced, then paid like any payout."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence

from django.db import connection, transaction

from commonweal.kernel import clock
from commonweal.kernel.errors import Conflict, Invalid, NotAllowed
from commonweal.kernel.files import store
from commonweal.kernel.jobs import enqueue
from commonweal.kernel.parties import people
from commonweal.kernel.parties.models import Party
from commonweal.kernel.proof import Fact, append
from commonweal.kernel.text import Text
from commonweal.services.giving.actions import line, links, payouts
from commonweal.services.giving.queries import orders as queries
from commonweal.services.giving.queries import vendors
from commonweal.services.giving.rules import orders as rules
from commonweal.services.giving.rules import payouts as payout_rules
from commonweal.services.giving.rules import texts
from commonweal.services.giving.rules.orders import Billed, Wanted
from commonweal.services.giving.rules.plans import Asking


def order(
    officer: Party, campaign: uuid.UUID, vendor: uuid.UUID, wanted: Sequence[Wanted], what: Text, quote: bytes, key: str
) -> uuid.UUID:
    """Ask to buy from a vendor at its list prices; returns the request, which two stewards then judge.

    Raises `NotFound` (`vendor.unknown`), `Conflict` (`order.item-ended`, `order.above-need`), `Invalid`
    (`order.lines`) and what `payouts.ask` raises.
    """
    vendors.vendor(vendor)
    items = vendors.offered([each.item for each in wanted])
    if any(each.item not in items or items[each.item].vendor != vendor for each in wanted):
        raise Conflict("order.item-ended", Text("The vendor does not offer that any more.", "供应商已不再提供该物品。"))
    with transaction.atomic(), connection.cursor() as cursor:
        line.lock(cursor, campaign)
        costs: dict[int, int] = {}
        for each in wanted:
            if each.quantity < 1:
                raise Invalid("order.lines", Text("Order at least one.", "数量至少为 1。"), field="quantity")
            costs[each.need] = costs.get(each.need, 0) + items[each.item].price * each.quantity
        asking = Asking(sum(costs.values()), what, (quote,))
        rules.check_lines({}, {}, len(wanted))
        request = payouts.ask(officer, campaign, asking, key)
        if (known := queries.find(campaign, request)) is not None:
            if known.vendor != vendor or known.approved != asking.amount:
                raise Conflict(
                    "key.reused",
                    Text("This key was used for another order.", "这个幂等键已用于另一笔订单。"),
                    field="key",
                )
            return request
        rules.check_lines(costs, {need.id: need.left for need in queries.needs(campaign)}, len(wanted))
        cursor.execute("INSERT INTO giving_order VALUES (%s, %s, %s)", [campaign, request, vendor])
        cursor.execute(
            """
            INSERT INTO giving_order_line (book, request, place, need, item, price, quantity)
            SELECT %s, %s, w.place, w.need, w.item, i.price, w.quantity
            FROM unnest(%s::bigint[], %s::uuid[], %s::int[]) WITH ORDINALITY w (need, item, quantity, place)
            JOIN giving_item i ON i.id = w.item
            """,
            [campaign, request, [each.need for each in wanted], [each.item for each in wanted],
             [each.quantity for each in wanted]],
        )  # fmt: skip
        fields = {"campaign": str(campaign), "request": str(request), "vendor": str(vendor), "word": "asked"}
        append(cursor, Fact("giving.order", clock.now(), fields))
    return request


def receiver_link(officer: Party, campaign: uuid.UUID, request: uuid.UUID) -> str:
    """What the charity sends to whoever receives the things: a signed link to confirm them. Raises `NotAllowed`."""
    found = queries.order(campaign, request)
    people.require_role(officer, people.OFFICER, Party(id=found.payout.organisation_id))
    return links.RECEIVER.sign(str(campaign), str(request))


def order_of(link: str) -> queries.Order:
    """The order that a link is for. Raises `Invalid` (`link.form`) and `Gone` (`link.over`)."""
    campaign, request = links.RECEIVER.read(link)
    return queries.order(uuid.UUID(campaign), uuid.UUID(request))


def arrive(receiver: Party, link: str, got: Mapping[int, int], evidence: Sequence[bytes]) -> None:
    """The receiving side has got so many of each line, with pictures or papers.

    Raises `Invalid` (`link.form`, `evidence.*`), `Gone` (`link.over`) and what `rules.orders.check_arrival` raises.
    """
    found = order_of(link)
    payout_rules.check_evidence(len(evidence))
    digests = [store.take_document(each, field="evidence").digest for each in evidence]
    campaign, request, now = found.payout.campaign, found.payout.id, clock.now()
    with transaction.atomic(), connection.cursor() as cursor:
        line.lock(cursor, campaign)
        rules.check_arrival(queries.order(campaign, request).rule, receiver.id, got)
        for place, quantity in sorted(got.items()):
            fields = {"campaign": str(campaign), "request": str(request), "line": place, "quantity": quantity}
            fact = Fact("giving.arrival", now, fields | {"evidence": digests})
            cursor.execute(
                """
                INSERT INTO giving_arrival (book, request, place, nth, quantity, evidence, by_party, fact, at)
                SELECT %s, %s, %s, 1 + count(*), %s, %s, %s, %s, %s FROM giving_arrival
                WHERE book = %s AND request = %s AND place = %s
                """,
                [campaign, request, place, quantity, digests, receiver.id, fact.id, now, campaign, request, place],
            )
            append(cursor, fact)


def invoice(officer: Party, campaign: uuid.UUID, request: uuid.UUID, billed: Sequence[Billed], document: bytes) -> None:
    """The charity enters the vendor's invoice, once: it is paid; what is saved stays in the fund.

    Raises `NotAllowed` and what `rules.orders.check_invoice` raises.
    """
    now = clock.now()
    digest = store.take_document(document, field="document").digest
    with transaction.atomic(), connection.cursor() as cursor:
        line.lock(cursor, campaign)
        found = queries.order(campaign, request)
        people.require_role(officer, people.OFFICER, Party(id=found.payout.organisation_id))
        rules.check_invoice(found.rule, billed)
        amount = sum(each.cost for each in billed)
        fields = {"campaign": str(campaign), "request": str(request), "amount": amount, "document": digest}
        fact = Fact("giving.invoice", now, fields | {"saved": found.approved - amount})
        cursor.execute(
            "INSERT INTO giving_invoice (book, request, amount, document, by_party, fact, at) "
            "VALUES (%s, %s, %s, %s, %s, %s, %s)",
            [campaign, request, amount, digest, officer.id, fact.id, now],
        )
        cursor.execute(
            """
            INSERT INTO giving_invoice_line (book, request, place, price, quantity)
            SELECT %s, %s, * FROM unnest(%s::smallint[], %s::bigint[], %s::int[])
            """,
            [campaign, request, [each.place for each in billed], [each.price for each in billed],
             [each.quantity for each in billed]],
        )  # fmt: skip
        append(cursor, fact)
        enqueue("giving.pay", campaign=str(campaign), request=str(request))


def cancel(who: Party, campaign: uuid.UUID, request: uuid.UUID, reason: str) -> None:
    """The charity or a steward cancels an order of which nothing has arrived: what it held is free again.

    Raises `NotAllowed` (`order.not-yours`), `Invalid` for the reason, and `Conflict` (`order.under-way`).
    """
    reason, now = texts.check(reason, "reason", 400), clock.now()
    with transaction.atomic(), connection.cursor() as cursor:
        line.lock(cursor, campaign)
        found = queries.order(campaign, request)
        acts = people.OFFICER in people.roles(who, Party(id=found.payout.organisation_id))
        if not (acts or people.STEWARD in people.roles(who)):
            raise NotAllowed(
                "order.not-yours", Text("Only the charity or a steward cancels.", "只有该机构或审核员可以取消。")
            )
        rules.check_cancel(found.rule)
        fields = {"campaign": str(campaign), "request": str(request), "word": "cancelled"}
        fact = Fact("giving.order", now, fields)
        cursor.execute(
            "INSERT INTO giving_cancellation VALUES (%s, %s, %s, %s, %s, %s)",
            [campaign, request, who.id, reason, fact.id, now],
        )
        append(cursor, fact)
