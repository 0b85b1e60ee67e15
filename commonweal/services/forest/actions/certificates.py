"""A place in a plot, promised to somebody: paid for with their energy, once, with its number and its leaf."""

from __future__ import annotations

import hmac
import uuid

from django.db import connection, transaction

from commonweal.kernel import clock
from commonweal.kernel.ids import derived
from commonweal.kernel.ledger import check_key
from commonweal.kernel.ledger.books import KeyReused
from commonweal.kernel.parties import cipher
from commonweal.kernel.parties.models import Party
from commonweal.kernel.proof import Fact, append
from commonweal.kernel.proof.verify import SALT_SIZE, seal
from commonweal.services.forest.planting import flush, promise
from commonweal.services.forest.queries import certificates as queries
from commonweal.services.forest.queries import seasons
from commonweal.services.forest.rules import plots as rules


@transaction.atomic
def ask(person: Party, season: str, key: str, owner: uuid.UUID | None = None) -> queries.Certificate:
    """Promise a person a place in a season (`2027S-saxaul`); the same key again is the same certificate.

    `owner` is whose energy pays and whose tree it is: the person, or a grove that the caller knows they may speak for.
    Raises `NotFound` (`season.unknown`), `Conflict` (`season.not-open`, `season.closed`, `season.full`,
    `energy.short`), `Invalid` (`key.form`) and `KeyReused`.
    """
    now, owner = clock.now(), owner or person.id
    # The asker's key makes the id of the leaf, so that asking again finds what was promised.
    fact_id = derived(person.id, f"forest certificate {check_key(key)}")
    transaction.on_commit(_flush)  # of a repeated ask, too: the first one may not have come so far
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"forest certificate {fact_id}"])
        if known := queries.by_fact(fact_id):
            if (known.season, known.owner) != (season, owner):
                raise KeyReused(key)
            return known
        rules.check_open(seasons.season(season).rule, now)
        promised = promise(cursor, season, owner, fact_id, now)
        certificate = queries.at(promised.plot, promised.seq)
        fields = {
            "plot": certificate.plot,
            "seq": promised.seq,
            "season": season,
            "number": str(certificate.number),
            "grams": certificate.grams,
        }
        append(cursor, Fact("forest.certificate", now, fields, seal(*opening(person.id, owner, fact_id)), fact_id))
    return certificate


def _flush() -> None:
    """A promise commits without waiting for the disk; nobody is answered before it is there."""
    with connection.cursor() as cursor:
        flush(cursor)


def opening(asker: uuid.UUID, owner: uuid.UUID, fact: uuid.UUID) -> tuple[bytes, dict[str, str]]:
    """What opens the seal of a certificate's leaf: a salt of the asker's key, so it is gone with that key.

    Raises `cipher.Forgotten`.
    """
    return hmac.digest(cipher.key_of(asker), fact.bytes, "sha256")[:SALT_SIZE], {"owner": str(owner)}


def opening_for(party: uuid.UUID, fact: uuid.UUID) -> tuple[bytes, dict[str, str]] | None:
    """What would open a certificate's leaf if this party had asked for it; None if there is no such certificate."""
    found = queries.by_fact(fact)
    return opening(party, found.owner, fact) if found else None
