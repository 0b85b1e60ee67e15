"""With what a gift was made, for finding one person behind many accounts: never the thing itself, only a keyed hash.

A device is what the door knows of it: the browser's random cookie, or what a program sends in the header `Device`. A
means of payment is what the provider's callback calls its payer. The key is the platform's and is in no backup of the
database; hashes are deleted after `rules.cases.KEEP_MARKS`, and when their giver is forgotten.
"""

from __future__ import annotations

import functools
import hmac
import secrets
import uuid
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Literal

from django.conf import settings
from django.db import connection

from commonweal.kernel.proof.log import Cursor
from commonweal.kernel.secret import kept
from commonweal.services.giving.payment import Callback
from commonweal.services.giving.rules.cases import KEEP_MARKS

What = Literal["device", "payment"]


@functools.cache
def _key(home: Path) -> bytes:
    return kept(home / "keys" / "marks.key", lambda: secrets.token_bytes(32))


def mark(what: What, known: str) -> bytes:
    """The 16 bytes that stand for a device or a means of payment."""
    return hmac.digest(_key(Path(settings.HOME)), f"{what}:{known}".encode(), "sha256")[:16]


def keep(cursor: Cursor, what: What, found: Sequence[tuple[uuid.UUID, uuid.UUID, str]], now: datetime) -> None:
    """Note with what gifts were made: `(book, gift, what is known)`. Nothing of who has been forgotten meanwhile."""
    if found:
        cursor.execute(
            """
            INSERT INTO giving_mark (book, gift, what, mark, at)
            SELECT m.book, m.gift, %s, m.mark, %s
            FROM unnest(%s::uuid[], %s::uuid[], %s::bytea[]) AS m (book, gift, mark)
            JOIN giving_gift g ON g.book = m.book AND g.id = m.gift
            JOIN parties_partykey k ON k.party_id = g.giver ON CONFLICT DO NOTHING
            """,
            [what, now, [book for book, _, _ in found], [gift for _, gift, _ in found],
             [mark(what, known) for _, _, known in found]],
        )  # fmt: skip


def keep_payers(cursor: Cursor, reported: Sequence[Callback], now: datetime) -> None:
    """Note who has paid, as far as these reports name them: of a payment that is known, too, since a later report of
    it may be the first that does."""
    payers = [(each.book, each.gift, f"{each.provider}:{each.payer}") for each in reported if each.payer]
    keep(cursor, "payment", payers, now)


def copy(cursor: Cursor, book: uuid.UUID, gift: uuid.UUID, again: uuid.UUID) -> None:
    """What a gift was made with holds for the payment that came `again` when its chargeback was won."""
    cursor.execute(
        """
        INSERT INTO giving_mark (book, gift, what, mark, at)
        SELECT book, %s, what, mark, at FROM giving_mark WHERE book = %s AND gift = %s
        """,
        [again, book, gift],
    )


def drop(now: datetime) -> int:
    """Delete what has been kept long enough; how many."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM giving_mark WHERE at < %s", [now - KEEP_MARKS])
        return int(cursor.rowcount)


def erase(party: uuid.UUID) -> None:
    """Delete the marks of a person who is being forgotten."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM giving_mark m USING giving_gift g WHERE g.book = m.book AND g.id = m.gift AND g.giver = %s",
            [party],
        )
