"""Money back: refunds that end when their provider says so, chargebacks, and what charities repay.

A return draws places of its own gift and so leaves a hole in the fund's line: no other gift moves.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import connection, transaction

from commonweal.kernel import clock
from commonweal.kernel.errors import Conflict, NotAllowed
from commonweal.kernel.ids import derived, uuid7
from commonweal.kernel.jobs import enqueue
from commonweal.kernel.ledger import Leg, Overdrawn, Transfer, balance, open_accounts, post, request_hash, resolve
from commonweal.kernel.ledger.books import check_key
from commonweal.kernel.parties import cipher, people
from commonweal.kernel.parties.models import Party
from commonweal.kernel.proof import Fact, append
from commonweal.kernel.proof.log import Cursor
from commonweal.kernel.proof.verify import seal
from commonweal.kernel.quantity import check_amount, format_amount
from commonweal.kernel.text import Text
from commonweal.services.giving.actions import books, callbacks, card_backs, line, marks, rematches, twice
from commonweal.services.giving.actions.openings import opening
from commonweal.services.giving.matching import clawed_back
from commonweal.services.giving.payment import Back, Callback, Kind, provider
from commonweal.services.giving.payment.port import NOBODY
from commonweal.services.giving.queries import card_returns as card_queries
from commonweal.services.giving.queries import fees
from commonweal.services.giving.queries import gifts as gift_queries
from commonweal.services.giving.queries import returns as queries
from commonweal.services.giving.queries import twice as twice_queries
from commonweal.services.giving.queries.campaigns import acts_for, asset_of, card
from commonweal.services.giving.queries.reconciliation import paid_as
from commonweal.services.giving.rules import cards as card_rules
from commonweal.services.giving.rules import fees as fee_rules
from commonweal.services.giving.rules import returns as rules
from commonweal.services.giving.rules import texts
from commonweal.services.giving.rules.fees import Payee
from commonweal.services.giving.rules.gifts import COLLECTED, Outcome
from commonweal.services.giving.rules.returns import Cause, End
from commonweal.services.giving.rules.trace import Span, free


@dataclass(frozen=True, slots=True)
class Paid:
    """A payment and its place on the line."""

    campaign: uuid.UUID
    gift: uuid.UUID
    amount: int
    asset: str
    channel: str
    place: Span
    tip: int
    parts: dict[Payee, int]
    """The net part that each party has got."""

    @property
    def whole(self) -> int:
        """What was paid: the gift and its tip."""
        return self.amount + self.tip


def refund(who: Party, campaign: uuid.UUID, gift: uuid.UUID, amount: int, reason: str, key: str) -> uuid.UUID:
    """Give back what is left of a gift, or part of it; the same key again is the same refund.

    The money is held at once and leaves when the provider says so. What the charity itself had collected, it pays back
    itself, so that is done; what was given of a card is on the card again. Raises `NotFound` (`gift.unknown`),
    `NotAllowed` (`refund.not-yours`) unless a steward or the charity asks, `Invalid` for the reason, and what
    `rules.returns.refund` and `rules.cards.check_gift_refund` raise.
    """
    if not (acts_for(who.id, campaign) or people.STEWARD in people.roles(who)):
        raise NotAllowed(
            "refund.not-yours", Text("Only the charity or a steward refunds.", "只有该机构或审核员可以退款。")
        )
    reason = texts.check(reason, "reason", 400)
    id, now = derived(campaign, f"refund:{gift}:{check_key(key)}"), clock.now()
    with transaction.atomic(), connection.cursor() as cursor:
        use = card_queries.use_of(campaign, gift)
        for book in sorted({campaign, use.campaign} if use else {campaign}):
            line.lock(cursor, book)
        paid = _paid(cursor, campaign, gift)
        known = queries.find(campaign, id)
        if known is not None:
            if known.amount != amount:
                raise Conflict(
                    "key.reused",
                    Text("This key was used for another refund.", "这个幂等键已用于另一笔退款。"),
                    field="key",
                )
            return id
        earlier, done = queries.of_gift(campaign, gift), paid.channel == COLLECTED
        rules.check_amount(amount, paid.whole, queries.returned(earlier))
        card_rules.check_gift_refund(rest=use is not None and use.rest)
        shares = fee_rules.shares(paid.parts, queries.gone(earlier), amount)
        spans = rules.refund(free(paid.place, line.drawn(cursor, campaign)), shares[Payee.CAMPAIGN])
        host = shares[Payee.HOST] + shares[Payee.TIP]
        legs = [Leg(books.fund(campaign, paid.asset).id, shares[Payee.CAMPAIGN])] if spans else []
        if host:
            earned = books.host(campaign, paid.asset)
            rules.check_parts({"host": host}, {"host": balance(cursor, earned)})
            legs.append(Leg(earned.id, host))
        out = shares[Payee.CAMPAIGN] + host  # the processor gives its own part back itself, or keeps it
        rules.check_amount(out, paid.whole, 0)
        if done:
            legs += books.out(cursor, campaign, paid.asset, out)
        else:
            legs.append(Leg(books.provider(campaign, paid.asset, paid.channel).id, -out))
        _keep(
            cursor,
            paid,
            id,
            Cause.REFUND,
            tuple(legs),
            spans,
            now,
            amount,
            reason=reason,
            by=who.id,
            pending=not done,
            shares=shares,
            kept=0 if _returns_fee(paid.channel) else shares[Payee.PROCESSOR],
        )
        if done:
            _end(cursor, campaign, id, End.DONE, now)
            if use:
                card_backs.put_back(cursor, use, paid.asset, id, amount, now)
        else:
            enqueue("giving.refund", campaign=str(campaign), id=str(id))
    return id


def send(campaign: uuid.UUID, id: uuid.UUID) -> None:
    """Ask the provider to pay a refund. What it knows at once is taken in; else its callback will tell.

    The refund's id is the provider's idempotency key, so asking twice pays once.
    """
    found = queries.one(campaign, id)
    if found.standing is not rules.Standing.UNDER_WAY:
        return
    back = Back(id, campaign, found.gift, found.goes_back, found.asset.code, found.payment)
    answer = provider(found.channel).refund(back)
    if answer is not None:
        with transaction.atomic(), connection.cursor() as cursor:
            line.lock(cursor, campaign)
            _conclude(cursor, campaign, id, End.DONE if answer else End.FAILED, clock.now())


def named(callback: Callback) -> Callback:
    """The callback with the gift or card that it is about: some providers name their payment alone."""
    if callback.gift == NOBODY and (found := paid_as(callback.provider, callback.payment)):
        return replace(callback, book=found[0], gift=found[1])
    return callback


def take_in(callback: Callback) -> Outcome:
    """Take in what a provider reports of a refund or a chargeback, once. What contradicts the books moves nothing."""
    now = clock.now()
    if callback.refund and callback.succeeded and (paid_twice := twice_queries.find(callback.book, callback.refund)):
        said = callback.provider, callback.amount, callback.asset
        if said == (paid_twice.provider, paid_twice.amount, paid_twice.asset):
            return Outcome.REFUNDED if twice.conclude(callback.book, callback.refund) else Outcome.KNOWN
    with transaction.atomic(), connection.cursor() as cursor:
        line.lock(cursor, callback.book)
        outcome = _judge(cursor, callback)
        if not callbacks.keep(cursor, callback, outcome, now):
            return Outcome.KNOWN
        if outcome is Outcome.CHARGED_BACK:
            charge_back(cursor, callback.book, callback.gift, callback.amount, callback.reference, now)
        elif outcome is Outcome.CHARGEBACK_WON:
            win(cursor, callback.book, callback.gift, callback.reference, now)
        elif outcome in (Outcome.REFUNDED, Outcome.REFUND_FAILED) and callback.refund:
            end = End.DONE if outcome is Outcome.REFUNDED else End.FAILED
            _conclude(cursor, callback.book, callback.refund, end, now)
    return outcome


def repay(officer: Party, campaign: uuid.UUID, amount: int, key: str) -> uuid.UUID:
    """A charity pays what it owes for spent gifts that were charged back; returns the transfer.

    Raises `NotAllowed` (`refund.not-yours`), `Invalid` for the amount, `Conflict` (`refund.above-debt`).
    """
    if not acts_for(officer.id, campaign):
        raise NotAllowed("refund.not-yours", Text("Only the charity itself repays.", "只有该机构可以偿还。"))
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            return _enter_repayment(cursor, officer, campaign, amount, check_key(key))
    except Overdrawn as error:
        owed = format_amount(queries.receivable(campaign), card(campaign).asset)
        raise Conflict(
            "refund.above-debt",
            Text("Still owed: {owed}. Enter at most that.", "尚欠 {owed}，登记金额不能超过此数。").format(owed=owed),
            field="amount",
        ) from error


def _enter_repayment(cursor: Cursor, officer: Party, campaign: uuid.UUID, amount: int, key: str) -> uuid.UUID:
    now = clock.now()
    line.lock(cursor, campaign)
    asset = _asset(cursor, campaign)
    check_amount(amount, asset_of(asset))
    owes = books.receivable(campaign, asset)
    open_accounts(cursor, [owes])
    legs = books.move(books.provider(campaign, asset, COLLECTED), owes, amount)
    transfer = Transfer(campaign, f"repay {key}", request_hash("repay", amount), "giving.repayment", legs, now)
    (posted,) = post(cursor, [transfer])
    if not posted.existed:
        fact = Fact("giving.repayment", now, {"campaign": str(campaign), "amount": amount, "asset": asset})
        cursor.execute(
            "INSERT INTO giving_repayment (book, transfer, amount, by_party, fact, at) VALUES (%s,%s,%s,%s,%s,%s)",
            [campaign, posted.id, amount, officer.id, fact.id, now],
        )
        append(cursor, fact)
    return posted.id


def _paid(cursor: Cursor, campaign: uuid.UUID, gift: uuid.UUID) -> Paid:
    """A payment, laid; the line is locked until the end."""
    line.lock(cursor, campaign)
    line.lay(cursor, campaign)
    cursor.execute(
        """
        SELECT p.amount, c.asset, g.channel, p.start,
               coalesce((SELECT t.amount FROM giving_tip t WHERE t.book = p.book AND t.gift = p.gift), 0)
        FROM giving_payment p
        JOIN giving_gift g ON g.book = p.book AND g.id = p.gift JOIN giving_campaign c ON c.id = p.book
        WHERE p.book = %s AND p.gift = %s
        """,
        [campaign, gift],
    )
    row = cursor.fetchone()
    if row is None:
        raise gift_queries.unknown()
    amount, asset, channel, start, tip = row
    parts = fee_rules.parts(amount, tip, fees.out_of(fees.of_gift(campaign, gift)))
    return Paid(campaign, gift, amount, asset, channel, Span(start, start + amount), tip, parts)


def _returns_fee(channel: str) -> bool:
    """Whether a provider gives its fee back with a refund."""
    return channel == COLLECTED or provider(channel).returns_fee


def _asset(cursor: Cursor, campaign: uuid.UUID) -> str:
    cursor.execute("SELECT asset FROM giving_campaign WHERE id = %s", [campaign])
    return str(cursor.fetchone()[0])


def _judge(cursor: Cursor, callback: Callback) -> Outcome:
    found = gift_queries.find(callback.book, callback.gift)
    if found is None or found.fact is None or found.channel != callback.provider:
        return Outcome.UNKNOWN
    if callback.asset != found.asset.code:
        return Outcome.DIFFERS
    if callback.kind is Kind.CHARGEBACK:
        earlier = [each for each in queries.of_gift(callback.book, callback.gift) if each.cause is Cause.CHARGEBACK]
        known = queries.find(callback.book, derived(callback.book, f"chargeback:{callback.reference}"))
        return rules.dispute(
            callback.amount,
            found.whole - sum(each.amount for each in earlier),
            lost=callback.succeeded,
            known=known.amount if known else None,
            won=known is not None and known.standing is rules.Standing.WON,
        )
    back = queries.find(callback.book, callback.refund) if callback.refund else None
    if back is None or (back.gift, back.cause) != (callback.gift, Cause.REFUND):
        return Outcome.UNKNOWN
    if back.goes_back != callback.amount:
        return Outcome.DIFFERS
    try:
        end = rules.conclude(back.ends, End.DONE if callback.succeeded else End.FAILED)
    except Conflict:
        return Outcome.DIFFERS
    if end is None:
        return Outcome.KNOWN
    return Outcome.REFUNDED if callback.succeeded else Outcome.REFUND_FAILED


def _conclude(cursor: Cursor, campaign: uuid.UUID, id: uuid.UUID, reported: End, now: datetime) -> None:
    """A refund ends: the money has left, or is free again; or it comes back and is owed."""
    found = queries.one(campaign, id)
    end = rules.conclude(found.ends, reported)
    if end is End.BOUNCED:
        asset = found.asset.code
        owed = books.owed(campaign, asset)
        open_accounts(cursor, [owed])
        legs = books.move(books.provider(campaign, asset, found.channel), owed, found.goes_back)
        post(cursor, [Transfer(campaign, f"bounced {id}", request_hash(str(id)), "giving.bounce", legs, now)])
        _write_end(cursor, campaign, id, end, now)
    elif end is not None:
        resolve(cursor, campaign, found.transfer, "post" if end is End.DONE else "void", now)
        _end(cursor, campaign, id, end, now)


def charge_back(
    cursor: Cursor, campaign: uuid.UUID, gift: uuid.UUID, amount: int, reference: str, now: datetime
) -> uuid.UUID:
    """The bank has taken the money back. What is there of the gift goes; what is spent is owed by the charity.

    In the caller's transaction; returns the return.
    """
    paid = _paid(cursor, campaign, gift)
    for open_one in queries.of_gift(campaign, gift):
        if open_one.standing is rules.Standing.UNDER_WAY:  # what is held for a refund is taken first
            _conclude(cursor, campaign, open_one.id, End.FAILED, now)
    earlier = queries.gone(queries.of_gift(campaign, gift), charged_back=True)
    shares = fee_rules.shares(paid.parts, earlier, amount)
    spans, receivable = rules.chargeback(free(paid.place, line.drawn(cursor, campaign)), shares[Payee.CAMPAIGN])
    receivable += shares[Payee.PROCESSOR]  # the provider keeps its fee; the charity bears it
    earned, borne = books.host(campaign, paid.asset), books.borne(campaign, paid.asset)
    owes = books.receivable(campaign, paid.asset)
    host = shares[Payee.HOST] + shares[Payee.TIP]
    open_accounts(cursor, [owes, *((earned, borne) if host else ())])
    there = min(host, balance(cursor, earned)) if host else 0
    debits = (
        (books.fund(campaign, paid.asset), sum(map(len, spans))), (owes, receivable), (earned, there),
        (borne, host - there),
    )  # fmt: skip
    if paid.channel == COLLECTED:  # made with a card: it goes to the book of the card
        legs = list(books.out(cursor, campaign, paid.asset, amount))
    else:
        legs = [Leg(books.provider(campaign, paid.asset, paid.channel).id, -amount)]
    legs += [Leg(account.id, part) for account, part in debits if part]
    id = derived(campaign, f"chargeback:{reference}")
    _keep(
        cursor, paid, id, Cause.CHARGEBACK, tuple(legs), spans, now, amount, receivable=receivable,
        reference=reference, shares=shares,
    )  # fmt: skip
    _end(cursor, campaign, id, End.DONE, now)
    return id


def win(
    cursor: Cursor, campaign: uuid.UUID, gift: uuid.UUID, reference: str, now: datetime
) -> tuple[uuid.UUID, int] | None:
    """The money is back. What was spent is owed no longer; what a charity has repaid of it goes to the charity; each
    other party has its part again; and what the fund had lost is a payment of the same giver, at a place of its own,
    since the places of the first one are gone for good. Matches that were taken back stand again (`rematches`).

    In the caller's transaction; returns that payment's gift and amount, None if nothing of the fund had been lost."""
    paid = _paid(cursor, campaign, gift)
    lost = queries.one(campaign, derived(campaign, f"chargeback:{reference}"))
    asset, host = paid.asset, lost.host + lost.tip
    fund = lost.amount - lost.receivable - host
    owes, earned, borne = books.receivable(campaign, asset), books.host(campaign, asset), books.borne(campaign, asset)
    open_accounts(cursor, [owes, earned, borne])
    open_debt, open_borne = min(lost.receivable, balance(cursor, owes)), min(host, balance(cursor, borne))
    credits = (
        (books.received(campaign, asset), fund), (owes, open_debt), (borne, open_borne), (earned, host - open_borne),
    )  # fmt: skip
    legs = [Leg(books.provider(campaign, asset, paid.channel).id, lost.amount)]
    legs += [Leg(account.id, -part) for account, part in credits if part]
    if lost.receivable > open_debt:
        legs += books.out(cursor, campaign, asset, lost.receivable - open_debt)
    transfer = Transfer(campaign, f"won {lost.id}", request_hash("won", str(lost.id)), "giving.won", tuple(legs), now)
    post(cursor, [transfer])
    if fund:
        id = uuid7()
        sealed = seal(*opening(lost.giver, id)) if lost.giver and not _is_forgotten(lost.giver) else None
        fields = {"campaign": str(campaign), "gift": str(transfer.id), "amount": fund, "asset": asset}
        fact = Fact("giving.gift", now, fields, sealed, id)
        cursor.execute(
            """
            WITH gift AS (
                INSERT INTO giving_gift (book, id, giver, amount, channel, at)
                SELECT book, %(id)s, giver, %(amount)s, channel, at FROM giving_gift
                WHERE book = %(book)s AND id = %(gift)s
            )
            INSERT INTO giving_payment (book, gift, amount, transfer, fact, reference, at)
            VALUES (%(book)s, %(id)s, %(amount)s, %(id)s, %(fact)s, %(won)s, %(now)s)
            """,
            {
                "book": campaign,
                "id": transfer.id,
                "gift": gift,
                "won": books.WON,
                "amount": fund,
                "fact": fact.id,
                "now": now,
            },
        )
        cursor.execute(
            "INSERT INTO giving_team_gift SELECT book, %s, team FROM giving_team_gift WHERE book = %s AND gift = %s",
            [transfer.id, campaign, gift],
        )
        marks.copy(cursor, campaign, gift, transfer.id)
        append(cursor, fact)
    _write_end(cursor, campaign, lost.id, End.WON, now)
    rematches.restore(cursor, campaign, gift, lost.id, transfer.id if fund else None, now)
    return (transfer.id, fund) if fund else None


def _is_forgotten(giver: uuid.UUID) -> bool:
    """Whether nothing can be sealed for a giver any more."""
    try:
        cipher.key_of(giver)
    except cipher.Forgotten:
        return True
    return False


def _keep(
    cursor: Cursor,
    paid: Paid,
    id: uuid.UUID,
    cause: Cause,
    legs: tuple[Leg, ...],
    spans: Sequence[Span],
    now: datetime,
    amount: int,
    *,
    receivable: int = 0,
    reference: str = "",
    reason: str = "",
    by: uuid.UUID | None = None,
    pending: bool = False,
    shares: Mapping[Payee, int] | None = None,
    kept: int = 0,
) -> None:
    of = shares or {}
    host, tip, processor = of.get(Payee.HOST, 0), of.get(Payee.TIP, 0), of.get(Payee.PROCESSOR, 0)
    request = request_hash(cause, str(paid.gift), amount)
    transfer = Transfer(
        paid.campaign, f"{cause} {id}", request, f"giving.{cause}", legs, now, "pending" if pending else "posted"
    )
    post(cursor, [transfer])
    fields = {"campaign": str(paid.campaign), "gift": str(paid.gift), "amount": amount, "asset": paid.asset}
    parted = {"host": host, "tip": tip, "processor": processor, "kept": kept} if host or tip or processor else {}
    fact = Fact(f"giving.{cause}", now, fields | {"receivable": receivable, "return": str(id)} | parted)
    cursor.execute(
        """
        INSERT INTO giving_return (book, id, gift, cause, amount, receivable, host, tip, processor, kept, spans,
                                   reference, reason, asked_by, transfer, fact, at)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s::int8multirange, %s, %s, %s, %s, %s, %s)
        """,
        [paid.campaign, id, paid.gift, cause, amount, receivable, host, tip, processor, kept, books.multirange(spans),
         reference, reason, by, transfer.id, fact.id, now],
    )  # fmt: skip
    append(cursor, fact)


def _end(cursor: Cursor, campaign: uuid.UUID, id: uuid.UUID, end: End, now: datetime) -> None:
    _write_end(cursor, campaign, id, end, now)
    if end is End.DONE:
        _draw(cursor, campaign, id)
        claw_back(cursor, campaign, queries.one(campaign, id).gift, now)


def claw_back(cursor: Cursor, campaign: uuid.UUID, gift: uuid.UUID, now: datetime) -> None:
    """Of each match of a gift goes back to its pool what is in proportion to what has gone back of what was matched.

    What of the match is spent already stays spent: the pool has paid for it.
    """
    cursor.execute(
        """
        SELECT m.matching, m.pool_book, m.pool, m.amount, m.counted,
               least(m.counted, greatest(0, m.counted - g.amount + (
                   SELECT coalesce(sum(r.amount - r.tip), 0) FROM giving_return r JOIN giving_return_end e
                   ON e.book = r.book AND e.id = r.id AND e.outcome = 'done'
                   WHERE r.book = m.book AND r.gift = m.gift)))::bigint,
               (SELECT coalesce(sum(r.amount), 0)::bigint FROM giving_return r
                WHERE r.book = m.book AND r.gift = m.matching)
        FROM giving_match m JOIN giving_gift g ON g.book = m.book AND g.id = m.gift
        WHERE m.book = %s AND m.gift = %s ORDER BY m.matching
        """,
        [campaign, gift],
    )
    for matching, pool_book, pool, amount, counted, returned, taken in cursor.fetchall():
        wish = clawed_back(amount, counted, returned) - taken
        if wish < 1:
            continue
        paid = _paid(cursor, campaign, matching)
        there = free(paid.place, line.drawn(cursor, campaign))
        back = min(wish, sum(map(len, there)))
        if back < 1:
            continue
        id, target = derived(matching, f"claw-back:{returned}"), books.pool(campaign, paid.asset, pool)
        if pool_book != campaign:
            # As it came: out of this book as collected, into the pool in the other one.
            target = books.provider(campaign, paid.asset, COLLECTED)
            home = books.provider(pool_book, paid.asset, COLLECTED), books.pool(pool_book, paid.asset, pool)
            request = request_hash("return", str(id))
            post(cursor, [Transfer(pool_book, f"return {id}", request, "giving.pass", books.move(*home, back), now)])
        legs = books.move(books.fund(campaign, paid.asset), target, back)
        _keep(cursor, paid, id, Cause.CLAW_BACK, legs, rules.first(there, back), now, back)
        _write_end(cursor, campaign, id, End.DONE, now)
        _draw(cursor, campaign, id)


def _draw(cursor: Cursor, campaign: uuid.UUID, id: uuid.UUID) -> None:
    cursor.execute(
        """
        INSERT INTO giving_draw (book, request, span)
        SELECT book, id, unnest(spans) FROM giving_return WHERE book = %s AND id = %s
        """,
        [campaign, id],
    )


def _write_end(cursor: Cursor, campaign: uuid.UUID, id: uuid.UUID, end: End, now: datetime) -> None:
    fact = Fact("giving.return-end", now, {"campaign": str(campaign), "return": str(id), "outcome": end.value})
    cursor.execute(
        "INSERT INTO giving_return_end (book, id, outcome, fact, at) VALUES (%s, %s, %s, %s, %s)",
        [campaign, id, end, fact.id, now],
    )
    append(cursor, fact)
    enqueue("giving.tell_returned", campaign=str(campaign), id=str(id), outcome=end.value)
