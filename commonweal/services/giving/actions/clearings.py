"""Clearing what circles between banks, and publishing the statement."""

from __future__ import annotations

import uuid
from collections import defaultdict

from django.db import connection, transaction

from commonweal.kernel import clock
from commonweal.kernel.ids import derived, uuid7
from commonweal.kernel.ledger import Leg, Transfer, post, request_hash
from commonweal.kernel.proof import Fact, append
from commonweal.services.giving.actions.alliances import lock_positions
from commonweal.services.giving.clearing import statement
from commonweal.services.giving.queries import banks
from commonweal.services.giving.queries import clearings as queries


@transaction.atomic
def clear() -> uuid.UUID | None:
    """Strike out as much as circles, in every book of it; returns the clearing, None if nothing circles.

    In each bank's book what it owes and what it is owed fall by the same number: the transfer balances by itself.
    """
    now, id = clock.now(), uuid7()
    with connection.cursor() as cursor:
        lock_positions(cursor, alone=True)
        names = {str(bank.id): bank.name for bank in banks.banks()}
        made = statement.make(now, names, queries.positions())
        struck = sum(made.struck)
        if not struck:
            return None
        legs: defaultdict[uuid.UUID, list[Leg]] = defaultdict(list)
        for position, minutes in zip(made.positions, made.struck, strict=True):
            if minutes:
                for bank, amount in ((position.debtor, minutes), (position.creditor, -minutes)):
                    book = uuid.UUID(bank)
                    legs[book].append(Leg(derived(book, f"ally:{position.agreement}"), amount))
        request = request_hash("clearing", made.digest)
        post(
            cursor,
            [
                Transfer(book, f"clearing {id}", request, "giving.clearing", tuple(there), now)
                for book, there in sorted(legs.items())
            ],
        )
        fields = {"clearing": str(id), "statement": made.digest, "struck": struck, "left": made.owed - struck}
        fact = Fact("giving.clearing", now, fields)
        cursor.execute(
            """
            INSERT INTO giving_clearing (id, number, statement, struck, fact, at)
            SELECT %s, coalesce(max(number), 0) + 1, %s, %s, %s, %s FROM giving_clearing
            """,
            [id, statement.write(made).decode(), struck, fact.id, now],
        )
        append(cursor, fact)
    return id
