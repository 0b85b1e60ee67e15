"""The nights of the forest: bringing the books up to date, ending days, and stating where every gram is."""

from __future__ import annotations

import hashlib
from datetime import date, timedelta

from django.db import connection, transaction

from commonweal.kernel import clock
from commonweal.kernel.proof import Fact, append
from commonweal.kernel.proof.log import EPOCH
from commonweal.kernel.proof.verify import canonical
from commonweal.services.forest import energy
from commonweal.services.forest.queries import balances as queries
from commonweal.services.forest.rules.bubbles import day_of, droppable_from

KEPT = timedelta(days=7)
"""How long the counts of caps and used codes are kept."""


@transaction.atomic
def settle() -> int:
    """Bring into the books what has moved since; how many transfers that were."""
    with connection.cursor() as cursor:
        return energy.settle(cursor, clock.now())


def expire_days() -> int:
    """End every day whose last bubble is gone; how many there were."""
    now = clock.now()
    ended = [day for day in queries.to_expire() if droppable_from(day) <= now]
    for day in ended:
        expire(day)
    return len(ended)


@transaction.atomic
def expire(day: date) -> int:
    """End a day: what is left in its bubbles expires, as a fact, and they are dropped. Grams; twice is once.

    Raises `Conflict` (`expiry.early`).
    """
    now, kinds = clock.now(), queries.kinds()
    with connection.cursor() as cursor:
        gone = energy.expire(cursor, day, now)
        if gone.grams:
            by_kind = {kinds[kind]: grams for kind, grams in sorted(gone.by_kind.items())}
            append(cursor, Fact("forest.expiry", now, {"day": str(day), "grams": gone.grams, "kinds": by_kind}))
    return gone.grams


@transaction.atomic
def tidy() -> None:
    """Let go of what only caps and open invitations needed."""
    before, now = day_of(clock.now() - KEPT), clock.now()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM forest_gathered WHERE day < %s", [before])
        cursor.execute("DELETE FROM forest_watering WHERE day < %s", [before])
        cursor.execute("DELETE FROM forest_invitation WHERE expires_at < %s", [now])


@transaction.atomic
def state() -> queries.Balance:
    """State where every gram is, as a document that is bound to the one before and to a fact in the log."""
    now = clock.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('forest_balance'))")
        energy.settle(cursor, now)
        before, found = queries.newest(), queries.snapshot()
        seeds, today = queries.seeds(), day_of(now)
        nth = before.nth + 1 if before else 1
        document = {
            "nth": nth,
            "at": (now - EPOCH) // timedelta(milliseconds=1),
            "previous": before.digest.hex() if before else "",
            "books": [{"book": book, **places} for book, places in sorted(found.books.items()) if any(places.values())],
            "total": found.total,
            "counted": found.counted,
            "flows": [
                {"book": book, "kind": kind, "grams": grams} for (book, kind), grams in sorted(found.flows.items())
            ],
            "minted_by_day": found.minted_by_day,
            "draws": {day: hashlib.sha256(seed).hexdigest() for day, seed in sorted(seeds.items())},
            "seeds": {
                day: seed.hex()
                for day, seed in sorted(seeds.items())
                if droppable_from(date.fromisoformat(day)) <= now and date.fromisoformat(day) < today
            },
        }
        written = canonical(document)
        digest = hashlib.sha256(written).digest()
        fact = Fact("forest.balance", now, {"nth": nth, "sha256": digest.hex(), "total": found.total})
        cursor.execute(
            "INSERT INTO forest_balance VALUES (%s, %s, %s, %s, %s)",
            [nth, now, written.decode(), digest, fact.id],
        )
        append(cursor, fact)
    return queries.Balance(nth, now, document, digest, fact.id)
