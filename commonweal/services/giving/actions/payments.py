"""Payments of gifts, as providers report them: many are taken in at once, each against what was promised."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from commonweal.kernel.arrays import array, ids, octets, texts
from commonweal.kernel.ids import uuid7
from commonweal.kernel.jobs import enqueue
from commonweal.kernel.ledger import KeyReused, Transfer, post_each, request_hash, resolve_each
from commonweal.kernel.parties import cipher
from commonweal.kernel.proof import Fact
from commonweal.kernel.proof.log import STAGED, Cursor
from commonweal.kernel.proof.verify import seal
from commonweal.services.giving.actions import books, callbacks, marks, matches, twice
from commonweal.services.giving.actions.openings import opening
from commonweal.services.giving.payment import Callback
from commonweal.services.giving.queries import cards
from commonweal.services.giving.queries.campaigns import taking
from commonweal.services.giving.rules import gifts as rules
from commonweal.services.giving.rules.gifts import Give, Outcome

Named = tuple[uuid.UUID, uuid.UUID]
"""A gift: book and id."""


@dataclass(frozen=True, slots=True)
class Promised:
    """What was wished, when, and what its provider calls the payment that has paid it."""

    wish: Give
    at: datetime
    paid: str | None
    back: frozenset[str] = frozenset()
    """What it calls payments of it that are owed to their payer, or have gone back."""


def take_in(cursor: Cursor, reported: Sequence[Callback], now: datetime) -> list[Outcome | None]:
    """Take in payments in the caller's transaction; the outcomes are in the order reported, None for that of a card.

    Whoever resolves a promise first has paid it (the key of a resolution is unique), so nothing is locked before.
    """
    named = {(callback.book, callback.gift) for callback in reported}
    promises = _promised(cursor, named)
    bought = cards.among(strange) if (strange := named - promises.keys()) else set()
    ours = [callback for callback in reported if (callback.book, callback.gift) not in bought]
    outcomes = iter(_take_in(cursor, ours, promises, now))
    return [None if (callback.book, callback.gift) in bought else next(outcomes) for callback in reported]


def _take_in(
    cursor: Cursor, reported: Sequence[Callback], promises: dict[Named, Promised], now: datetime
) -> list[Outcome]:
    campaigns = taking({book for book, _ in promises}, now)
    outcomes, paying, back = [], dict[Named, Callback](), set[tuple[Named, str]]()
    for callback in reported:
        named = callback.book, callback.gift
        outcome = _judge(promises.get(named), callback)
        if outcome is Outcome.PAID and named in paying:
            outcome = _judge(replace(promises[named], paid=paying[named].reference), callback)
        if outcome is Outcome.PAID:
            promised = promises[named]
            if callback.reference in promised.back or (named, callback.reference) in back:
                outcome = Outcome.KNOWN
            elif not rules.may_have(campaigns[callback.book].standing, promised.at, now):
                outcome = Outcome.SENT_BACK
                back.add((named, callback.reference))
            else:
                paying[named] = callback
        outcomes.append(outcome)
    received = _receive(cursor, [(promises[named], callback) for named, callback in paying.items()], now)
    if beaten := paying.keys() - received:  # somebody else has paid them in the same moment: see by which payment
        promises |= _promised(cursor, beaten)
        for place, callback in enumerate(reported):
            if outcomes[place] is Outcome.PAID and (callback.book, callback.gift) in beaten:
                outcomes[place] = _judge(promises[callback.book, callback.gift], callback)
    kept = callbacks.keep_each(cursor, list(zip(reported, outcomes, strict=True)), now)
    for callback, outcome, fresh in zip(reported, outcomes, kept, strict=True):
        if fresh and outcome in (Outcome.TWICE, Outcome.SENT_BACK):
            twice.owe(cursor, callback, now)
        if fresh and outcome is Outcome.SENT_BACK:
            enqueue("giving.tell_sent_back", campaign=str(callback.book), gift=str(callback.gift))
    told = zip(reported, outcomes, strict=True)
    marks.keep_payers(cursor, [each for each, outcome in told if outcome in (Outcome.PAID, Outcome.KNOWN)], now)
    return [
        outcome if fresh or outcome is Outcome.PAID else Outcome.KNOWN
        for outcome, fresh in zip(outcomes, kept, strict=True)
    ]


def fact_of(wish: Give, gift: uuid.UUID, now: datetime, keys: Mapping[uuid.UUID, bytes] | None = None) -> Fact:
    """The leaf of a gift that has arrived. Its giver stands in the seal alone, while not forgotten."""
    id, commitment = uuid7(), None
    if wish.giver is not None and (keys is None or wish.giver in keys):
        with suppress(cipher.Forgotten):  # whoever is forgotten while a payment is under way gives without a name
            commitment = seal(*opening(wish.giver, id, keys[wish.giver] if keys else None))
    fields = {"campaign": str(wish.campaign), "gift": str(gift), "amount": wish.amount, "asset": wish.asset}
    return Fact("giving.gift", now, fields, commitment, id)


def _promised(cursor: Cursor, named: set[Named]) -> dict[Named, Promised]:
    cursor.execute(
        """
        SELECT g.book, g.id, g.giver, g.amount, c.asset, g.channel, g.at, coalesce(t.amount, 0), p.reference,
               CASE WHEN p.gift IS NULL THEN ARRAY(
                   SELECT w.reference FROM giving_twice w WHERE w.book = g.book AND w.gift = g.id) END
        FROM unnest(%s::uuid[], %s::uuid[]) AS asked (book, id)
        JOIN giving_gift g ON g.book = asked.book AND g.id = asked.id
        JOIN giving_campaign c ON c.id = g.book
        LEFT JOIN giving_tip t ON t.book = g.book AND t.gift = g.id
        LEFT JOIN giving_payment p ON p.book = g.book AND p.gift = g.id
        """,
        [ids(book for book, _ in named), ids(gift for _, gift in named)],
    )
    return {
        (book, id): Promised(
            Give(book, giver, amount, asset, channel, key="", tip=tip), at, paid, frozenset(back or ())
        )
        for book, id, giver, amount, asset, channel, at, tip, paid, back in cursor.fetchall()
    }


def _judge(promised: Promised | None, callback: Callback) -> Outcome:
    if promised is None:
        return Outcome.UNKNOWN
    report = rules.Report(callback.provider, callback.amount, callback.asset, callback.reference)
    return rules.judge(promised.wish, report, paid=promised.paid)


def _receive(cursor: Cursor, paid: Sequence[tuple[Promised, Callback]], now: datetime) -> set[Named]:
    """The money is there; if it came after the promise had expired it is there too, by a transfer of its own.

    Returns the gifts that are paid by this, and not by somebody else in the same moment.
    """
    keys = cipher.keys_of({promised.wish.giver for promised, _ in paid if promised.wish.giver})
    in_time = [each for each in paid if now < each[0].at + rules.PAY_WITHIN]
    late = [each for each in paid if now >= each[0].at + rules.PAY_WITHIN]
    pending = [_named(callback) for _, callback in in_time]
    kept = _kept(in_time, [gift for _, gift in pending], keys, now)
    received = set[Named]()
    answers = resolve_each(cursor, pending, "post", now, KEEP % "resolves", kept)
    for each, answer in zip(in_time, answers, strict=True):
        if isinstance(answer, KeyReused):  # it was voided in the same moment
            late.append(each)
        elif not answer.existed:
            received.add(_named(each[1]))
    return received | _receive_late(cursor, late, keys, now) if late else received


def _named(callback: Callback) -> Named:
    return callback.book, callback.gift


KEEP = f"""
, made AS (
    SELECT new.book, gift, amount, new.id AS transfer, reference, fact, entry
    FROM unnest(%%(known)s::uuid[], %%(gift)s::uuid[], %%(amount)s::bigint[], %%(reference)s::text[],
                %%(fact)s::uuid[], %%(entry)s::bytea[]) AS said (known, gift, amount, reference, fact, entry)
    JOIN new ON new.%s = said.known
), payment AS (
    INSERT INTO giving_payment (book, gift, amount, transfer, fact, reference, at)
    SELECT book, gift, amount, transfer, fact, reference, %%(now)s FROM made
), staged AS (
    {STAGED} SELECT fact, entry FROM made
)
"""
"""Written with their transfers, in one statement: payments and their facts. `known` is what `new` knows them by."""


def _kept(
    paid: Sequence[tuple[Promised, Callback]],
    known: Sequence[uuid.UUID],
    keys: Mapping[uuid.UUID, bytes],
    now: datetime,
) -> dict[str, object]:
    """The parameters of `KEEP`."""
    facts = [fact_of(promised.wish, callback.gift, now, keys) for promised, callback in paid]
    return {
        "known": ids(known),
        "gift": ids(callback.gift for _, callback in paid),
        "amount": array(promised.wish.amount for promised, _ in paid),
        "reference": texts(callback.reference for _, callback in paid),
        "fact": ids(fact.id for fact in facts),
        "entry": octets(fact.entry for fact in facts),
        "now": now,
    }


def _receive_late(
    cursor: Cursor, late: Sequence[tuple[Promised, Callback]], keys: Mapping[uuid.UUID, bytes], now: datetime
) -> set[Named]:
    answers = resolve_each(cursor, [_named(callback) for _, callback in late], "void", now)
    late = [each for each, answer in zip(late, answers, strict=True) if not isinstance(answer, KeyReused)]
    matches.release(cursor, [_named(callback) for _, callback in late], now)
    transfers = [
        Transfer(
            book=callback.book,
            key=f"late:{callback.gift}",
            request=request_hash("late", str(callback.gift)),
            kind="giving.gift",
            legs=books.gift(promised.wish),
            at=now,
        )
        for promised, callback in late
    ]
    posted = post_each(cursor, transfers, KEEP % "id", _kept(late, [each.id for each in transfers], keys, now))
    return {
        _named(callback)
        for (_, callback), answer in zip(late, posted, strict=True)
        if not isinstance(answer, KeyReused) and not answer.existed
    }
