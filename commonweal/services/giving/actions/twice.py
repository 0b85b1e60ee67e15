"""What is paid once more, or for a gift that its campaign may not have: it is owed to its payer, and sent back."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.db import connection, transaction

from commonweal.kernel import clock
from commonweal.kernel.ids import derived
from commonweal.kernel.jobs import enqueue
from commonweal.kernel.ledger import Leg, Transfer, open_accounts, post, request_hash
from commonweal.kernel.proof import Fact, append
from commonweal.kernel.proof.log import Cursor
from commonweal.services.giving.actions import books
from commonweal.services.giving.payment import Back, Callback, provider
from commonweal.services.giving.payment.port import unavailable
from commonweal.services.giving.queries import twice as queries


def owe(cursor: Cursor, callback: Callback, now: datetime) -> None:
    """Book such a payment, once, in the caller's transaction; it goes back by an errand."""
    book, asset = callback.book, callback.asset
    id = derived(book, f"twice:{callback.provider}:{callback.reference}")
    cursor.execute("SELECT FROM giving_gift WHERE book = %s AND id = %s FOR UPDATE", [book, callback.gift])
    if queries.find(book, id):
        return
    there, owed = books.provider(book, asset, callback.provider), books.owed(book, asset)
    open_accounts(cursor, [there, owed])
    transfer, fact = _post(cursor, book, id, f"twice {id}", books.move(there, owed, callback.amount), now, "owed")
    cursor.execute(
        """
        INSERT INTO giving_twice (book, id, gift, provider, reference, amount, transfer, fact, at)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
        """,
        [book, id, callback.gift, callback.provider, callback.reference, callback.amount, transfer, fact, now],
    )
    enqueue("giving.give_twice_back", campaign=str(book), id=str(id))


def give_back(campaign: uuid.UUID, id: uuid.UUID) -> None:
    """Ask the provider to pay it back. Its id is the key, so that asking again pays once.

    Raises `Busy` (`provider.unavailable`) until the provider says that it is done: the errand is then repeated, and
    stands among the dead letters in the end. What does not go back stays owed.
    """
    found = queries.find(campaign, id)
    if found is None or found.given_back:
        return
    back = Back(id, campaign, found.gift, found.amount, found.asset, found.reference)
    if not provider(found.provider).refund(back):
        raise unavailable()
    conclude(campaign, id)


def conclude(campaign: uuid.UUID, id: uuid.UUID) -> bool:
    """It has gone back; False if that is known."""
    now = clock.now()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT FROM giving_twice WHERE book = %s AND id = %s FOR UPDATE", [campaign, id])
        found = queries.find(campaign, id)
        if found is None or found.given_back:
            return False
        legs = books.move(
            books.owed(campaign, found.asset), books.provider(campaign, found.asset, found.provider), found.amount
        )
        transfer, fact = _post(cursor, campaign, id, f"twice back {id}", legs, now, "given-back")
        cursor.execute(
            "INSERT INTO giving_twice_end (book, id, transfer, fact, at) VALUES (%s, %s, %s, %s, %s)",
            [campaign, id, transfer, fact, now],
        )
    return True


def _post(
    cursor: Cursor, book: uuid.UUID, id: uuid.UUID, key: str, legs: tuple[Leg, Leg], now: datetime, outcome: str
) -> tuple[uuid.UUID, uuid.UUID]:
    (posted,) = post(cursor, [Transfer(book, key, request_hash(key), "giving.twice", legs, now)])
    amount = max(leg.amount for leg in legs)
    fact = Fact("giving.twice", now, {"campaign": str(book), "twice": str(id), "amount": amount, "outcome": outcome})
    append(cursor, fact)
    return posted.id, fact.id
