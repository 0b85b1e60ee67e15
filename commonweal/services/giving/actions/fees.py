"""Fees: what the host keeps when gifts are laid, and what a provider's statement says that it has kept."""

from __future__ import annotations

import uuid
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from commonweal.kernel import clock
from commonweal.kernel.ids import derived, uuid7
from commonweal.kernel.ledger import Leg, Transfer, open_accounts, post, request_hash
from commonweal.kernel.proof import Fact, append
from commonweal.kernel.proof.log import Cursor
from commonweal.services.giving.actions import books
from commonweal.services.giving.rules import fees as rules
from commonweal.services.giving.rules.fees import Bearer, Payee
from commonweal.services.giving.rules.returns import first
from commonweal.services.giving.rules.trace import Span, free


@dataclass(frozen=True, slots=True)
class Fee:
    """What a party keeps of a gift at this place of the line, in smallest units."""

    gift: uuid.UUID
    place: Span
    amount: int


def of_host(
    cursor: Cursor, campaign: uuid.UUID, asset: str, rate: Fraction, laid: Sequence[tuple[uuid.UUID, Span]],
    now: datetime,
) -> None:  # fmt: skip
    """The host's share of gifts that have been laid just now; under the lock of the line."""
    fees = [Fee(gift, place, rules.host_fee(len(place), rate)) for gift, place in laid]
    kept = [(fee, first([fee.place], fee.amount), 0) for fee in fees if fee.amount]
    host = books.host(campaign, asset)
    open_accounts(cursor, [host])
    legs = books.move(books.fund(campaign, asset), host, sum(fee.amount for fee, _, _ in kept))
    _keep(cursor, campaign, asset, Payee.HOST, Bearer.CAMPAIGN, kept, legs, now)


def of_processor(
    cursor: Cursor, campaign: uuid.UUID, asset: str, channel: str, bearer: Bearer, said: Sequence[Fee],
    drawn: Sequence[Span], now: datetime,
) -> None:  # fmt: skip
    """What a provider has kept of payments, each once; under the lock of the line, `drawn` what is gone from it.

    Borne by the campaign, it takes what is left of its own gift first; what is spent of it is owed by the charity.
    Borne by the host, the fund stays whole and the host owes it to the book.
    """
    cursor.execute(
        "SELECT gift FROM giving_fee WHERE book = %s AND party = %s AND gift = ANY(%s)",
        [campaign, Payee.PROCESSOR, [fee.gift for fee in said]],
    )
    known = {row[0] for row in cursor.fetchall()}
    there = books.provider(campaign, asset, channel)
    owes = books.receivable(campaign, asset)
    borne = books.borne(campaign, asset)
    open_accounts(cursor, [there, owes, borne])
    kept: list[tuple[Fee, list[Span], int]] = []
    gone = sorted(drawn)
    for fee in said:
        if fee.gift in known or not fee.amount:
            continue
        spans: list[Span] = []
        if bearer is Bearer.CAMPAIGN:
            nearest = max(0, bisect_right(gone, fee.place) - 1)
            until = bisect_right(gone, Span(fee.place.end, fee.place.end + 1))
            spans = first(free(fee.place, gone[nearest:until]), fee.amount)
        kept.append((fee, spans, fee.amount - sum(map(len, spans)) if bearer is Bearer.CAMPAIGN else 0))
    whole, owed = sum(fee.amount for fee, _, _ in kept), sum(short for _, _, short in kept)
    legs = [Leg(there.id, -whole)]
    if bearer is Bearer.HOST:
        legs.append(Leg(borne.id, whole))
    else:
        legs += [Leg(account.id, part) for account, part in ((books.fund(campaign, asset), whole - owed), (owes, owed))
                 if part]  # fmt: skip
    _keep(cursor, campaign, asset, Payee.PROCESSOR, bearer, kept, legs, now)


def of_cards(cursor: Cursor, campaign: uuid.UUID, asset: str, channel: str, said: Mapping[uuid.UUID, int]) -> None:
    """What a provider has kept of payments for gift cards, each once; under the lock of the line.

    The host bears it whatever the campaign's terms: a card holds what was paid for it, and goes to other campaigns too.
    """
    if not said:
        return
    there, borne, now = books.provider(campaign, asset, channel), books.borne(campaign, asset), clock.now()
    open_accounts(cursor, [there, borne])
    whole, id = sum(said.values()), uuid7()
    legs = books.move(borne, there, whole)
    post(cursor, [Transfer(campaign, f"fees {id}", request_hash("fees", str(id)), "giving.fees", legs, now, id=id)])
    fields = {"campaign": str(campaign), "party": Payee.PROCESSOR.value, "amount": whole, "asset": asset}
    fact = Fact("giving.fees", now, fields | {"cards": len(said), "bearer": Bearer.HOST.value, "receivable": 0})
    append(cursor, fact)
    cursor.execute(
        """
        INSERT INTO giving_card_fee (book, card, amount, transfer, fact, at)
        SELECT %s, card, amount, %s, %s, %s FROM unnest(%s::uuid[], %s::bigint[]) AS fee (card, amount)
        """,
        [campaign, id, fact.id, now, list(said), list(said.values())],
    )


def _keep(
    cursor: Cursor, campaign: uuid.UUID, asset: str, party: Payee, bearer: Bearer,
    kept: Sequence[tuple[Fee, list[Span], int]], legs: Sequence[Leg], now: datetime,
) -> None:  # fmt: skip
    """Write fees down with one transfer and one fact for all of them."""
    if not kept:
        return
    whole, id = sum(fee.amount for fee, _, _ in kept), uuid7()
    request = request_hash("fees", str(id))
    post(cursor, [Transfer(campaign, f"fees {id}", request, "giving.fees", tuple(legs), now, id=id)])
    fields = {"campaign": str(campaign), "party": party.value, "amount": whole, "asset": asset, "gifts": len(kept)}
    fact = Fact("giving.fees", now, fields | {"bearer": bearer.value, "receivable": sum(short for _, _, short in kept)})
    append(cursor, fact)
    rows = [
        (derived(campaign, f"fee:{party}:{fee.gift}"), fee.gift, fee.amount, short, books.multirange(spans))
        for fee, spans, short in kept
    ]
    cursor.execute(
        """
        INSERT INTO giving_fee (book, id, gift, party, bearer, amount, receivable, spans, transfer, fact, at)
        SELECT %(book)s, id, gift, %(party)s, %(bearer)s, amount, receivable, spans::int8multirange, %(transfer)s,
               %(fact)s, %(at)s
        FROM unnest(%(id)s::uuid[], %(gift)s::uuid[], %(amount)s::bigint[], %(receivable)s::bigint[], %(spans)s::text[])
            AS fee (id, gift, amount, receivable, spans)
        """,
        {"book": campaign, "party": party, "bearer": bearer, "transfer": id, "fact": fact.id, "at": now,
         **dict(zip(("id", "gift", "amount", "receivable", "spans"), map(list, zip(*rows, strict=True)), strict=True))},
    )  # fmt: skip
    cursor.execute(
        """
        INSERT INTO giving_draw (book, request, span)
        SELECT book, id, unnest(spans) FROM giving_fee WHERE book = %s AND id = ANY(%s)
        """,
        [campaign, [row[0] for row in rows]],
    )
