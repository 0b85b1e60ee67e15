"""Money out: laying the line, asking, judging, paying."""

from __future__ import annotations

import uuid

from django.db import connection, transaction
from psycopg.types.range import Int8Range

from commonweal.kernel import clock
from commonweal.kernel.errors import Conflict, Refusal
from commonweal.kernel.files import store
from commonweal.kernel.ids import derived
from commonweal.kernel.jobs import enqueue
from commonweal.kernel.ledger import Leg, Transfer, post, request_hash
from commonweal.kernel.parties import people
from commonweal.kernel.parties.models import Party
from commonweal.kernel.proof import Fact, append
from commonweal.kernel.proof.note import encode
from commonweal.kernel.quantity import check_amount
from commonweal.kernel.text import Text
from commonweal.services.giving.actions import books, line
from commonweal.services.giving.actions.gifts import take
from commonweal.services.giving.queries import campaigns, orders
from commonweal.services.giving.queries import payouts as queries
from commonweal.services.giving.queries.campaigns import taking, unknown
from commonweal.services.giving.rules import payouts as rules
from commonweal.services.giving.rules import texts
from commonweal.services.giving.rules.gifts import COLLECTED, Give
from commonweal.services.giving.rules.plans import Asking
from commonweal.services.giving.rules.trace import draw


def lay(campaign: uuid.UUID) -> int:
    """Give the payments of a campaign that have none their places on its fund's line; returns how many.

    The same transaction moves their sum from `received` to `fund`: what is laid is what can be spent.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        line.lock(cursor, campaign)
        return line.lay(cursor, campaign)


def ask(officer: Party, campaign: uuid.UUID, asking: Asking, key: str) -> uuid.UUID:
    """A charity asks for a payout, with evidence; the same key again is the same request.

    Raises `NotFound` (`campaign.unknown`), `NotAllowed`, `Invalid` for the amount, the words or the evidence, and
    `Conflict` with code `fund.too-low`.
    """
    now = clock.now()
    found = taking([campaign], now).get(campaign)
    if found is None:
        raise unknown()
    people.require_role(officer, people.OFFICER, Party(id=found.organisation))
    check_amount(asking.amount, found.asset)
    what = texts.both(asking.what.en, asking.what.zh, "what", 400)
    evidence = [store.take_document(document, field="evidence").digest for document in asking.evidence]
    id = derived(campaign, f"request:{key}")
    with transaction.atomic(), connection.cursor() as cursor:
        line.lock(cursor, campaign)
        cursor.execute("SELECT FROM giving_request WHERE book = %s AND id = %s", [campaign, id])
        if cursor.fetchone() is not None:
            return id
        rules.check_evidence(len(evidence))
        rules.check_request(asking.amount, campaigns.page(campaign).available, queries.promised(campaign))
        fields = {"campaign": str(campaign), "request": str(id), "amount": asking.amount, "asset": found.asset.code}
        fact = Fact("giving.request", now, fields | {"evidence": evidence})
        cursor.execute(
            """
            INSERT INTO giving_request (book, id, amount, what_en, what_zh, evidence, asked_by, fact, at)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
            """,
            [campaign, id, asking.amount, what.en, what.zh, evidence, officer.id, fact.id, now],
        )
        append(cursor, fact)
    return id


def judge(steward: Party, campaign: uuid.UUID, request: uuid.UUID, *, approves: bool, note: str = "") -> rules.State:
    """A steward approves or declines; the second approval, of another person, lets the money be paid.

    Raises `NotFound` (`payout.unknown`), what `rules.payouts.check_word` raises, and `Invalid` for declining without
    a note that says why.
    """
    people.require_role(steward, people.STEWARD)
    now = clock.now()
    note = texts.check(note, "note", 1000, lines=True) if note or not approves else ""
    with transaction.atomic(), connection.cursor() as cursor:
        line.lock(cursor, campaign)
        payout = queries.payout(campaign, request)
        acts = people.OFFICER in people.roles(steward, Party(id=payout.organisation_id))
        rules.check_word(payout.rule, steward.id, acts_for_charity=acts)
        word = "approved" if approves else "declined"
        fields = {"campaign": str(campaign), "request": str(request), "steward": str(steward.id), "word": word}
        fact = Fact("giving.word", now, fields)
        cursor.execute(
            """
            INSERT INTO giving_word (book, request, steward, approves, note, fact, at)
            VALUES (%s, %s, %s, %s, %s, %s, %s)
            """,
            [campaign, request, steward.id, approves, note, fact.id, now],
        )
        append(cursor, fact)
        state = queries.payout(campaign, request).state
        if state is rules.State.APPROVED and not payout.ordered:
            enqueue("giving.pay", campaign=str(campaign), request=str(request))
        elif state is rules.State.DECLINED:
            enqueue("giving.tell_declined", campaign=str(campaign), request=str(request))
    return state


def pay(campaign: uuid.UUID, request: uuid.UUID) -> uuid.UUID:
    """Pay out what is approved, once; returns the transfer. The units that it drew are fixed for good.

    An order is paid what its vendor has invoiced. Left-over property goes to its new campaign in the same transaction.
    Raises `Conflict` with `payout.not-approved`, `order.not-invoiced` or `fund.too-low`, and what `take` refuses there.
    """
    now = clock.now()
    with transaction.atomic(), connection.cursor() as cursor:
        line.lock(cursor, campaign)
        payout = queries.payout(campaign, request)
        rules.check_payable(payout.rule)
        if payout.transfer is not None:
            return payout.transfer
        amount = _payable(campaign, payout)
        line.lay(cursor, campaign)
        spans = draw(line.laid(cursor, campaign), line.drawn(cursor, campaign), amount)
        asset = payout.asset.code
        transfer = Transfer(
            book=campaign,
            key=f"payout:{request}",
            request=request_hash("payout", str(request)),
            kind="giving.payout",
            legs=(Leg(books.fund(campaign, asset).id, amount), *books.out(cursor, campaign, asset, amount)),
            at=now,
        )
        post(cursor, [transfer])
        fields = {"campaign": str(campaign), "request": str(request), "amount": amount, "asset": asset}
        drew = [[span.start, span.end] for span in spans]
        fact = Fact("giving.payout", now, fields | {"drew": drew, "what": encode(request_hash(payout.what.zh))})
        cursor.execute(
            "INSERT INTO giving_payout (book, request, amount, transfer, fact, at) VALUES (%s, %s, %s, %s, %s, %s)",
            [campaign, request, amount, transfer.id, fact.id, now],
        )
        cursor.execute(
            "INSERT INTO giving_draw (book, request, span) SELECT %s, %s, unnest(%s::int8range[])",
            [campaign, request, [Int8Range(span.start, span.end) for span in spans]],
        )
        append(cursor, fact)
        target = queries.target(campaign, request)
        if target is not None:
            passed = Give(target, None, amount, asset, COLLECTED, f"leftover-{request}")
            (taken,) = take(cursor, [passed], now)
            if isinstance(taken, Refusal):
                raise taken
        enqueue("giving.tell_paid", campaign=str(campaign), request=str(request))
        return transfer.id


def _payable(campaign: uuid.UUID, payout: queries.Payout) -> int:
    """What a payout comes to: what was asked, or what the vendor of an order has invoiced."""
    if not payout.ordered:
        return payout.amount
    invoiced = orders.order(campaign, payout.id).invoiced
    if invoiced is None:
        raise Conflict("order.not-invoiced", Text("This order is paid when it is invoiced.", "订单在开票后支付。"))
    return invoiced
