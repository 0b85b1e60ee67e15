"""Chargebacks of what was paid for a gift card: lost, and perhaps won again. In the caller's transaction.

A chargeback goes on to the gifts that were made with the card, in their own books, as a chargeback of each: what of
them is spent is owed by their charities.
"""

from __future__ import annotations

import uuid
from datetime import datetime

from commonweal.kernel.ledger import Transfer, balance, open_accounts, post, request_hash
from commonweal.kernel.proof.log import Cursor
from commonweal.services.giving.actions import books, card_backs, chargebacks
from commonweal.services.giving.actions.card_returns import CARDS, keep
from commonweal.services.giving.queries import card_returns as queries
from commonweal.services.giving.queries import cards
from commonweal.services.giving.queries.returns import existing
from commonweal.services.giving.rules import cards as rules
from commonweal.services.giving.rules.returns import Cause, End


def charge_back(
    cursor: Cursor, campaign: uuid.UUID, card: uuid.UUID, amount: int, reference: str, now: datetime
) -> uuid.UUID:
    """The bank has taken back what was paid for a card: out of it, then of its gifts; the host bears the rest.

    Returns the return.
    """
    CARDS.let_go(cursor, campaign, card, now)
    found, uses = cards.find(campaign, card), queries.uses(campaign, card)
    if found is None:
        raise rules.unknown()
    parts = rules.chargeback(amount, found.left, [use.left for use in uses])
    id, asset = CARDS.chargeback_id(campaign, reference), found.asset.code
    made = [
        (use, part, chargebacks.charge_back(cursor, use.target, use.gift, part, _reference(id, use), now))
        for use, part in zip(uses, parts.from_gifts, strict=True)
        if part
    ]
    borne = books.borne(campaign, asset)
    open_accounts(cursor, [borne])
    legs = books.credits((books.provider(campaign, asset, found.channel), amount))
    if made:
        legs += card_backs.arriving(cursor, campaign, asset, sum(part for _, part, _ in made))
    legs += books.debits((books.cards(campaign, asset), parts.from_card), (borne, parts.borne))
    keep(cursor, found, id, Cause.CHARGEBACK, parts, legs, now, reference=reference)
    for use, part, gift_return in made:
        card_backs.keep(cursor, use, gift_return, id, part, now)
    CARDS.end(cursor, campaign, id, End.DONE, now)
    return id


def win(cursor: Cursor, campaign: uuid.UUID, card: uuid.UUID, reference: str, now: datetime) -> None:
    """The money is back: on the card, in the campaigns of its gifts, and with the host, as each had lost it."""
    lost = existing(queries.find(campaign, CARDS.chargeback_id(campaign, reference)))
    asset = lost.asset.code
    borne, earned = books.borne(campaign, asset), books.host(campaign, asset)
    open_accounts(cursor, [borne, earned])
    open_borne = min(lost.borne, balance(cursor, borne))
    legs = books.debits((books.provider(campaign, asset, lost.channel), lost.amount))
    legs += books.credits(
        (books.cards(campaign, asset), lost.from_card), (borne, open_borne), (earned, lost.borne - open_borne)
    )
    if lost.from_gifts:
        legs += books.out(cursor, campaign, asset, lost.from_gifts)
    request = request_hash("card won", str(lost.id))
    post(cursor, [Transfer(campaign, f"card won {lost.id}", request, "giving.won", legs, now)])
    for use in queries.charged(campaign, lost.id):
        won = chargebacks.win(cursor, use.target, use.gift, _reference(lost.id, use), now)
        if won:
            again, amount = won
            cursor.execute(
                """
                INSERT INTO giving_card_use (book, card, key, target, gift, amount, at, again)
                VALUES (%s, %s, %s, %s, %s, %s, %s, true)
                """,
                [campaign, card, f"won {again}", use.target, again, amount, now],
            )
    CARDS.end(cursor, campaign, lost.id, End.WON, now)


def _reference(id: uuid.UUID, use: queries.Use) -> str:
    """The name, in the book of a gift, of what a chargeback of its card takes from it."""
    return f"card {id}:{use.gift}"
