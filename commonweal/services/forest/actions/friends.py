"""Becoming friends: one gives a code, the other accepts it; either ends it."""

from __future__ import annotations

import secrets
import uuid

from django.db import connection, transaction

from commonweal.kernel import clock
from commonweal.kernel.errors import Conflict
from commonweal.kernel.ids import uuid7
from commonweal.kernel.parties.models import Party
from commonweal.kernel.proof.log import Cursor
from commonweal.kernel.text import Text
from commonweal.services.forest.queries import friends as queries
from commonweal.services.forest.queries.friends import Invitation
from commonweal.services.forest.rules import people as rules


@transaction.atomic
def invite(person: Party, grove: uuid.UUID | None = None) -> str:
    """A code for one other person, good for a week; only its hash is kept. Raises `Conflict` (`code.many`)."""
    now, code = clock.now(), rules.code_of(secrets.token_bytes(10))
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"forest invite {person.id}"])
        cursor.execute(
            "SELECT count(*) FROM forest_invitation WHERE owner = %s AND used_at IS NULL AND expires_at > %s",
            [person.id, now],
        )
        if cursor.fetchone()[0] >= rules.CODES:
            raise Conflict("code.many", Text("Many codes of yours wait already.", "您还有许多邀请码未使用。"))
        cursor.execute(
            "INSERT INTO forest_invitation (digest, owner, grove, expires_at) VALUES (%s, %s, %s, %s)",
            [rules.digest_of(code), person.id, grove, now + rules.CODE_LASTS],
        )
    return code


def use_code(cursor: Cursor, code: str, person: Party, *, grove: bool) -> Invitation:
    """Use up a code in the caller's transaction. Raises `NotFound` (`code.unknown`), `Conflict` (`code.own`)."""
    digest, now = rules.digest_of(code), clock.now()
    cursor.execute("SELECT FROM forest_invitation WHERE digest = %s FOR UPDATE", [digest])
    found = queries.invitation(digest, now)
    if found is None or (found.grove is not None) != grove:
        raise rules.unknown_code()
    if found.owner == person.id:
        raise Conflict(
            "code.own", Text("This is your own code: give it to a friend.", "这是您自己的邀请码，请发给好友。")
        )
    cursor.execute("UPDATE forest_invitation SET used_at = %s WHERE digest = %s", [now, digest])
    return found


@transaction.atomic
def accept(person: Party, code: str) -> uuid.UUID:
    """Become friends with whoever gave this code; the friendship's id. Being friends already is fine.

    Raises `NotFound` (`code.unknown`) and `Conflict` (`code.own`, `friend.many`).
    """
    with connection.cursor() as cursor:
        found = use_code(cursor, code, person, grove=False)
        one, other = sorted((person.id, found.owner))
        cursor.execute("SELECT count(*) FROM forest_friendship WHERE %s IN (one, other)", [person.id])
        if cursor.fetchone()[0] >= rules.FRIENDS:
            raise Conflict(
                "friend.many",
                Text("You have {n} friends here; that is all.", "最多 {n} 位好友。").format(n=rules.FRIENDS),
            )
        cursor.execute(
            "INSERT INTO forest_friendship VALUES (%s, %s, %s, %s) ON CONFLICT (one, other) DO NOTHING",
            [uuid7(), one, other, clock.now()],
        )
        cursor.execute("SELECT id FROM forest_friendship WHERE one = %s AND other = %s", [one, other])
        return uuid.UUID(str(cursor.fetchone()[0]))


@transaction.atomic
def part(person: Party, id: uuid.UUID) -> None:
    """End a friendship, without a word to the other. Raises `NotFound` (`friend.unknown`)."""
    found = queries.friend(person.id, id)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM forest_friendship WHERE id = %s", [found.id])
