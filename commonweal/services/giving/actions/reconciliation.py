"""Comparing a provider's statement of a day with our books: fees and settlements are booked, what differs is kept for
the stewards."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

from django.db import connection, transaction

from commonweal.kernel import clock
from commonweal.kernel.ids import derived
from commonweal.kernel.ledger import Transfer, balance, open_accounts, post, request_hash
from commonweal.kernel.proof.log import Cursor
from commonweal.services.giving.actions import books, fees, line, marks
from commonweal.services.giving.actions.fees import Fee
from commonweal.services.giving.payment import Entry, Kind, Settlement, Stating
from commonweal.services.giving.queries import reconciliation as queries
from commonweal.services.giving.queries.card_returns import paid_among
from commonweal.services.giving.rules.fees import Payee
from commonweal.services.giving.rules.reconciliation import Difference, Line, compare, named, settled
from commonweal.services.giving.rules.reconciliation import fees as fees_differ
from commonweal.services.giving.rules.trace import Span

SETTLES_WITHIN = timedelta(days=14)
"""How far back the lines of a settlement may lie."""


def reconcile(source: Stating, day: date) -> list[Difference]:
    """Go through a day of a provider, in its own zone; asking again adds only what is new.

    What it says to have kept of payments becomes fees, what it has paid into the bank a settlement. Every difference is
    listed; none is adjusted, and a settlement that differs moves nothing.
    """
    begin = datetime.combine(day, time(), source.zone)
    end = begin + timedelta(days=1)
    stated = source.fetch_statement(day)
    here, there = queries.lines(source.name, begin, end), _lines(stated)
    found = compare(here, there)
    _keep_fees(source.name, named(here, there))
    _keep_payers(source.name, named(here, there), stated)
    found += fees_differ(queries.lines(source.name, begin, end), there)
    settlements = [
        each for each in source.fetch_settlements(day) if not queries.is_settled(source.name, each.reference)
    ]
    if settlements:
        since = queries.lines(source.name, begin - SETTLES_WITHIN, end)
        found += [each for each in (_settle(source.name, day, one, since) for one in settlements) if each]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.executemany(
            """
            INSERT INTO giving_difference (provider, day, kind, gift, reference, asset, fault, here, there, at)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING
            """,
            [
                [source.name, day, each.kind, each.gift, each.reference, each.asset, each.fault, each.here, each.there,
                 clock.now()]
                for each in found
            ],
        )  # fmt: skip
    return found


def _lines(entries: Sequence[Entry]) -> list[Line]:
    return [
        Line(entry.kind.value, entry.gift, entry.amount, entry.asset, entry.reference, fee=entry.fee)
        for entry in entries
    ]


def _keep_fees(channel: str, lines: Sequence[Line]) -> None:
    """Book by book, what a provider has kept of payments that are in the books, and has taken for disputes."""
    by_book: dict[tuple[uuid.UUID, str], list[Line]] = defaultdict(list)
    for each in lines:
        if each.fee > 0 and each.book and each.gift and each.kind in (Kind.PAYMENT, Kind.CHARGEBACK):
            by_book[each.book, each.asset].append(each)
    for (book, asset), of in by_book.items():
        with transaction.atomic(), connection.cursor() as cursor:
            line.lock(cursor, book)
            line.lay(cursor, book)
            places = queries.places(book, [each.gift for each in of if each.gift])
            bearer, now = queries.bearer_of(book), clock.now()
            for kind, party in ((Kind.PAYMENT, Payee.PROCESSOR), (Kind.CHARGEBACK, Payee.DISPUTE)):
                said = [
                    Fee(each.gift, Span(*places[each.gift]), each.fee, _dispute(book, each))
                    for each in of
                    if each.kind == kind and each.gift in places
                ]
                fees.of_provider(cursor, book, asset, channel, bearer, party, said, line.drawn(cursor, book), now)
            paid = paid_among(book, [each.gift for each in of if each.gift and each.kind == Kind.PAYMENT])
            cards = {each.gift: each.fee for each in of if each.gift in paid and each.kind == Kind.PAYMENT}
            fees.of_cards(cursor, book, asset, channel, cards, now)


def _keep_payers(channel: str, lines: Sequence[Line], stated: Sequence[Entry]) -> None:
    """Who has paid, of payments in the books whose callback did not tell."""
    payers = {each.reference: each.payer for each in stated if each.payer and each.kind is Kind.PAYMENT}
    known = [
        (each.book, each.gift, f"{channel}:{payers[each.reference]}")
        for each in lines
        if each.book and each.gift and each.kind == Kind.PAYMENT and each.reference in payers
    ]
    with transaction.atomic(), connection.cursor() as cursor:
        marks.keep(cursor, "payment", known, clock.now())


def _dispute(book: uuid.UUID, said: Line) -> uuid.UUID | None:
    return derived(book, f"chargeback:{said.reference}") if said.kind == Kind.CHARGEBACK else None


def _settle(channel: str, day: date, settlement: Settlement, here: Sequence[Line]) -> Difference | None:
    """Move what was paid from the provider into the bank of each book, and pay what has waited for it."""
    theirs = _lines(settlement.lines)
    wrong = settled(settlement.reference, settlement.amount, settlement.asset, here, theirs)
    if wrong:
        return wrong
    lines, now = named(here, theirs), clock.now()
    _keep_fees(channel, lines)
    sums: dict[uuid.UUID, int] = defaultdict(int)
    for each in lines:
        if each.book:
            sums[each.book] += each.amount - each.fee
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO giving_settlement (provider, reference, asset, amount, day, at)
            VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING
            """,
            [channel, settlement.reference, settlement.asset, settlement.amount, day, now],
        )
        if not cursor.rowcount:
            return None
        cursor.execute(
            """
            INSERT INTO giving_settled (provider, kind, line, settlement, campaign, amount)
            SELECT %s, kind, line, %s, book, amount
            FROM unnest(%s::text[], %s::text[], %s::uuid[], %s::bigint[]) AS l (kind, line, book, amount)
            """,
            [channel, settlement.reference, [each.kind for each in lines], [each.reference for each in lines],
             [each.book for each in lines], [each.amount - each.fee for each in lines]],
        )  # fmt: skip
        for book, amount in sorted(sums.items()):
            if amount:
                line.lock(cursor, book)
                _into_bank(cursor, book, settlement.asset, channel, amount, settlement.reference, now)
    return None


def _into_bank(
    cursor: Cursor, book: uuid.UUID, asset: str, channel: str, amount: int, reference: str, now: datetime
) -> None:
    bank, there, payable = (
        books.bank(book, asset),
        books.provider(book, asset, channel),
        books.payable(book, asset),
    )
    open_accounts(cursor, [bank, there, payable])
    key = derived(book, f"{channel}:{reference}")
    legs = books.move(bank, there, amount) if amount > 0 else books.move(there, bank, -amount)
    post(cursor, [Transfer(book, f"settle {key}", request_hash(channel, reference), "giving.settlement", legs, now)])
    waiting = min(balance(cursor, payable), balance(cursor, bank))
    if waiting > 0:
        legs = books.move(payable, bank, waiting)
        post(cursor, [Transfer(book, f"paid {key}", request_hash(channel, reference), "giving.settlement", legs, now)])
