"""Money that comes back from a gift made with a card, in the book of the card."""

from __future__ import annotations

import uuid
from datetime import datetime

from commonweal.kernel.ledger import Leg, Transfer, balance, open_accounts, post, request_hash
from commonweal.kernel.proof.log import Cursor
from commonweal.services.giving.actions import books
from commonweal.services.giving.queries.card_returns import Use
from commonweal.services.giving.rules.gifts import COLLECTED


def arriving(cursor: Cursor, campaign: uuid.UUID, asset: str, amount: int) -> tuple[Leg, ...]:
    """The debits of money that comes from another book: it pays first what waits to be paid, as a settlement does."""
    waiting, collected = books.payable(campaign, asset), books.provider(campaign, asset, COLLECTED)
    open_accounts(cursor, [waiting, collected])
    paid = min(amount, balance(cursor, waiting))
    return books.debits((waiting, paid), (collected, amount - paid))


def put_back(cursor: Cursor, use: Use, asset: str, gift_return: uuid.UUID, amount: int, now: datetime) -> None:
    """What was refunded of a gift is on its card again."""
    legs = (*arriving(cursor, use.campaign, asset, amount), Leg(books.cards(use.campaign, asset).id, -amount))
    request = request_hash("card back", str(gift_return), amount)
    post(cursor, [Transfer(use.campaign, f"card back {gift_return}", request, "giving.card-back", legs, now)])
    keep(cursor, use, gift_return, None, amount, now)


def keep(
    cursor: Cursor, use: Use, gift_return: uuid.UUID, card_return: uuid.UUID | None, amount: int, now: datetime
) -> None:
    """Write down what of a gift has come back."""
    cursor.execute(
        """
        INSERT INTO giving_card_back (book, gift_return, card, target, card_return, amount, at)
        VALUES (%s, %s, %s, %s, %s, %s, %s)
        """,
        [use.campaign, gift_return, use.card, use.target, card_return, amount, now],
    )
