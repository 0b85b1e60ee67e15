"""Money back of a gift card: a refund of what it still holds, a chargeback of what was paid for it, won or not.

Whoever asks first what is left takes it under the lock of the card's book. A chargeback goes on to the gifts that were
made with the card, in their own books, as a chargeback of each: what of them is spent is owed by their charities.
"""

from __future__ import annotations

import uuid
from datetime import datetime

from django.db import connection, transaction

from commonweal.kernel import clock
from commonweal.kernel.errors import Conflict, NotAllowed
from commonweal.kernel.ids import derived
from commonweal.kernel.jobs import enqueue
from commonweal.kernel.ledger import Leg, Transfer, balance, open_accounts, post, request_hash, resolve
from commonweal.kernel.ledger.books import check_key
from commonweal.kernel.parties import people
from commonweal.kernel.parties.models import Party
from commonweal.kernel.proof import Fact, append
from commonweal.kernel.proof.log import Cursor
from commonweal.kernel.text import Text
from commonweal.services.giving.actions import books, callbacks, line, returns
from commonweal.services.giving.actions.card_backs import arriving, keep
from commonweal.services.giving.payment import Back, Callback, Kind, provider
from commonweal.services.giving.queries import card_returns as queries
from commonweal.services.giving.queries import cards
from commonweal.services.giving.queries.campaigns import acts_for
from commonweal.services.giving.rules import cards as rules
from commonweal.services.giving.rules import returns as return_rules
from commonweal.services.giving.rules import texts
from commonweal.services.giving.rules.gifts import Outcome
from commonweal.services.giving.rules.returns import Cause, End, Standing


def refund(who: Party, campaign: uuid.UUID, id: uuid.UUID, amount: int, reason: str, key: str) -> uuid.UUID:
    """Give back what a card still holds, or part of it, to who has paid for it; the same key again is the same refund.

    Raises `NotFound` (`card.unknown`), `NotAllowed` (`refund.not-yours`) unless a steward or the charity asks,
    `Invalid` for the reason, and what `rules.cards.check_refund` raises.
    """
    if not (acts_for(who.id, campaign) or people.STEWARD in people.roles(who)):
        raise NotAllowed(
            "refund.not-yours", Text("Only the charity or a steward refunds.", "只有该机构或审核员可以退款。")
        )
    reason = texts.check(reason, "reason", 400)
    refund, now = derived(campaign, f"card refund:{id}:{check_key(key)}"), clock.now()
    with transaction.atomic(), connection.cursor() as cursor:
        line.lock(cursor, campaign)
        card = cards.find(campaign, id)
        if card is None or not card.paid:
            raise rules.unknown()
        if known := queries.find(campaign, refund):
            if known.amount != amount:
                raise Conflict(
                    "key.reused",
                    Text("This key was used for another refund.", "这个幂等键已用于另一笔退款。"),
                    field="key",
                )
            return refund
        rules.check_refund(amount, card.left)
        asset = card.asset.code
        legs = books.move(books.cards(campaign, asset), books.provider(campaign, asset, card.channel), amount)
        parts = rules.Parts(amount, (), 0)
        _write(cursor, card, refund, Cause.REFUND, parts, legs, now, reason=reason, by=who.id)
        enqueue("giving.card_refund", campaign=str(campaign), id=str(refund))
    return refund


def send(campaign: uuid.UUID, id: uuid.UUID) -> None:
    """Ask the provider to pay a refund; the refund's id is its idempotency key."""
    found = queries.one(campaign, id)
    if found.standing is not Standing.UNDER_WAY:
        return
    back = Back(id, campaign, found.card, found.amount, found.asset.code, found.payment)
    answer = provider(found.channel).refund(back)
    if answer is not None:
        with transaction.atomic(), connection.cursor() as cursor:
            line.lock(cursor, campaign)
            _conclude(cursor, campaign, id, End.DONE if answer else End.FAILED, clock.now())


def take_in(callback: Callback) -> Outcome:
    """Take in what a provider reports of a card, once. What contradicts the books moves nothing."""
    now = clock.now()
    with transaction.atomic(), connection.cursor() as cursor:
        _lock(cursor, callback.book, callback.gift)
        outcome = _judge(callback)
        if not callbacks.keep(cursor, callback, outcome, now):
            return Outcome.KNOWN
        if outcome is Outcome.CHARGED_BACK:
            _charge_back(cursor, callback, now)
        elif outcome is Outcome.CHARGEBACK_WON:
            _win(cursor, callback, now)
        elif outcome in (Outcome.REFUNDED, Outcome.REFUND_FAILED) and callback.refund:
            end = End.DONE if outcome is Outcome.REFUNDED else End.FAILED
            _conclude(cursor, callback.book, callback.refund, end, now)
    return outcome


def _lock(cursor: Cursor, campaign: uuid.UUID, card: uuid.UUID) -> None:
    """The books of a card and of the gifts made with it, always in the same order."""
    for book in sorted({campaign, *(use.target for use in queries.uses(campaign, card))}):
        line.lock(cursor, book)


def _judge(callback: Callback) -> Outcome:
    card = cards.find(callback.book, callback.gift)
    if card is None or not card.paid or card.channel != callback.provider:
        return Outcome.UNKNOWN
    if callback.asset != card.asset.code:
        return Outcome.DIFFERS
    if callback.kind is Kind.CHARGEBACK:
        known = queries.find(callback.book, _chargeback(callback))
        earlier = sum(each.amount for each in queries.of_card(card.campaign, card.id) if each.cause is Cause.CHARGEBACK)
        return return_rules.dispute(
            callback.amount,
            card.amount - earlier,
            lost=callback.succeeded,
            known=known.amount if known else None,
            won=known is not None and known.standing is Standing.WON,
        )
    back = queries.find(callback.book, callback.refund) if callback.refund else None
    if back is None or (back.card, back.cause) != (callback.gift, Cause.REFUND):
        return Outcome.UNKNOWN
    if back.amount != callback.amount:
        return Outcome.DIFFERS
    try:
        end = return_rules.conclude(back.ends, End.DONE if callback.succeeded else End.FAILED)
    except Conflict:
        return Outcome.DIFFERS
    if end is None:
        return Outcome.KNOWN
    return Outcome.REFUNDED if callback.succeeded else Outcome.REFUND_FAILED


def _chargeback(callback: Callback) -> uuid.UUID:
    return derived(callback.book, f"card chargeback:{callback.reference}")


def _conclude(cursor: Cursor, campaign: uuid.UUID, id: uuid.UUID, reported: End, now: datetime) -> None:
    """A refund ends: the money has left, or is on the card again; or it comes back later and is owed."""
    found = queries.one(campaign, id)
    end = return_rules.conclude(found.ends, reported)
    if end is End.BOUNCED:
        asset = found.asset.code
        owed = books.owed(campaign, asset)
        open_accounts(cursor, [owed])
        legs = books.move(books.provider(campaign, asset, found.channel), owed, found.amount)
        post(cursor, [Transfer(campaign, f"bounced {id}", request_hash(str(id)), "giving.bounce", legs, now)])
    elif end is not None:
        resolve(cursor, campaign, found.transfer, "post" if end is End.DONE else "void", now)
    if end is not None:
        _end(cursor, campaign, id, end, now)


def _charge_back(cursor: Cursor, callback: Callback, now: datetime) -> None:
    """The bank has taken back what was paid for a card: out of it, then of its gifts; the host bears the rest."""
    campaign = callback.book
    for open_one in queries.of_card(campaign, callback.gift):
        if open_one.standing is Standing.UNDER_WAY:  # what is held for a refund is taken first
            _conclude(cursor, campaign, open_one.id, End.FAILED, now)
    card, uses = cards.find(campaign, callback.gift), queries.uses(campaign, callback.gift)
    assert card is not None
    parts = rules.chargeback(callback.amount, card.left, [use.left for use in uses])
    id, asset = _chargeback(callback), card.asset.code
    taken = [(use, amount) for use, amount in zip(uses, parts.from_gifts, strict=True) if amount]
    made = [
        (use, amount, returns.charge_back(cursor, use.target, use.gift, amount, f"card {id}:{use.gift}", now))
        for use, amount in taken
    ]
    borne = books.borne(campaign, asset)
    open_accounts(cursor, [borne])
    legs = [Leg(books.provider(campaign, asset, card.channel).id, -callback.amount)]
    if made:
        legs += arriving(cursor, campaign, asset, sum(amount for _, amount, _ in made))
    debits = ((books.cards(campaign, asset), parts.from_card), (borne, parts.borne))
    legs += [Leg(account.id, part) for account, part in debits if part]
    _write(cursor, card, id, Cause.CHARGEBACK, parts, tuple(legs), now, reference=callback.reference)
    for use, amount, gift_return in made:
        keep(cursor, use, gift_return, id, amount, now)
    _end(cursor, campaign, id, End.DONE, now)


def _win(cursor: Cursor, callback: Callback, now: datetime) -> None:
    """The money is back: on the card, in the campaigns of its gifts, and with the host, as each had lost it."""
    campaign = callback.book
    lost = queries.one(campaign, _chargeback(callback))
    asset = lost.asset.code
    borne, earned = books.borne(campaign, asset), books.host(campaign, asset)
    open_accounts(cursor, [borne, earned])
    open_borne = min(lost.borne, balance(cursor, borne))
    credits = (
        (books.cards(campaign, asset), lost.from_card), (borne, open_borne), (earned, lost.borne - open_borne),
    )  # fmt: skip
    legs = [Leg(books.provider(campaign, asset, lost.channel).id, lost.amount)]
    legs += [Leg(account.id, -part) for account, part in credits if part]
    if lost.from_gifts:
        legs += books.out(cursor, campaign, asset, lost.from_gifts)
    request = request_hash("card won", str(lost.id))
    post(cursor, [Transfer(campaign, f"card won {lost.id}", request, "giving.won", tuple(legs), now)])
    for use in queries.charged(campaign, lost.id):
        won = returns.win(cursor, use.target, use.gift, f"card {lost.id}:{use.gift}", now)
        if won:
            again, amount = won
            cursor.execute(
                """
                INSERT INTO giving_card_use (book, card, key, target, gift, amount, at, again)
                VALUES (%s, %s, %s, %s, %s, %s, %s, true)
                """,
                [campaign, lost.card, f"won {again}", use.target, again, amount, now],
            )
    _end(cursor, campaign, lost.id, End.WON, now)


def _write(
    cursor: Cursor, card: cards.Card, id: uuid.UUID, cause: Cause, parts: rules.Parts, legs: tuple[Leg, ...],
    now: datetime, *, reference: str = "", reason: str = "", by: uuid.UUID | None = None,
) -> None:  # fmt: skip
    request, key = request_hash(cause, str(card.id), parts.amount), f"card {cause} {id}"
    pending = cause is Cause.REFUND
    transfer = Transfer(card.campaign, key, request, f"giving.{cause}", legs, now, "pending" if pending else "posted")
    post(cursor, [transfer])
    fields = {"campaign": str(card.campaign), "card": str(card.id), "amount": parts.amount, "asset": card.asset.code}
    taken = {"from_card": parts.from_card, "from_gifts": sum(parts.from_gifts), "borne": parts.borne}
    fact = Fact(f"giving.{cause}", now, fields | taken | {"return": str(id)})
    cursor.execute(
        """
        INSERT INTO giving_card_return (book, id, card, cause, amount, from_card, from_gifts, borne, reference, reason,
                                        asked_by, transfer, fact, at)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        """,
        [card.campaign, id, card.id, cause, parts.amount, parts.from_card, sum(parts.from_gifts), parts.borne,
         reference, reason, by, transfer.id, fact.id, now],
    )  # fmt: skip
    append(cursor, fact)


def _end(cursor: Cursor, campaign: uuid.UUID, id: uuid.UUID, end: End, now: datetime) -> None:
    fact = Fact("giving.return-end", now, {"campaign": str(campaign), "return": str(id), "outcome": end.value})
    cursor.execute(
        "INSERT INTO giving_card_return_end (book, id, outcome, fact, at) VALUES (%s, %s, %s, %s, %s)",
        [campaign, id, end, fact.id, now],
    )
    append(cursor, fact)
    enqueue("giving.tell_card_returned", campaign=str(campaign), id=str(id), outcome=end.value)
