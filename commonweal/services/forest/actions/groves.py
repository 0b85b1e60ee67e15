"""Groves: planting together, with everybody's share to the gram."""

from __future__ import annotations

import uuid

from django.db import connection, transaction

from commonweal.kernel import clock
from commonweal.kernel.errors import Conflict, NotAllowed
from commonweal.kernel.ids import uuid7
from commonweal.kernel.ledger import check_key
from commonweal.kernel.ledger.books import KeyReused
from commonweal.kernel.parties import cipher, people
from commonweal.kernel.parties.models import Party
from commonweal.kernel.proof.log import Cursor
from commonweal.kernel.text import Text
from commonweal.services.forest import energy
from commonweal.services.forest.actions import certificates, friends
from commonweal.services.forest.queries import groves as queries
from commonweal.services.forest.queries.certificates import Certificate
from commonweal.services.forest.queries.holdings import held
from commonweal.services.forest.rules import groves as rules


@transaction.atomic
def found(person: Party, name: str) -> uuid.UUID:
    """Found a grove. Raises `Invalid` (`name.*`) and `Conflict` (`grove.many`)."""
    name = people.check_name(name, longest=rules.LONGEST_NAME)
    id, now = uuid7(), clock.now()
    with connection.cursor() as cursor:
        _check_room(cursor, person)
        cursor.execute(
            "INSERT INTO forest_grove VALUES (%s, %s, %s, %s)",
            [id, person.id, cipher.seal_for(person.id, {"name": name}), now],
        )
        cursor.execute("INSERT INTO forest_member VALUES (%s, %s, %s)", [id, person.id, now])
    return id


def _check_room(cursor: Cursor, person: Party) -> None:
    cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"forest grove {person.id}"])
    if sum(grove.ended_at is None for grove in queries.groves(person.id)) >= rules.GROVES:
        raise Conflict(
            "grove.many", Text("At most {n} groves at a time.", "同时最多 {n} 片合种林。").format(n=rules.GROVES)
        )


def _locked(cursor: Cursor, person: Party, id: uuid.UUID) -> queries.Grove:
    """A living grove of somebody, locked."""
    cursor.execute("SELECT FROM forest_grove WHERE id = %s FOR UPDATE", [id])
    grove = queries.grove_of(person.id, id)
    if grove.ended_at is not None:
        raise Conflict("grove.ended", Text("This grove has ended.", "这片合种林已结束。"))
    return grove


@transaction.atomic
def invite(person: Party, id: uuid.UUID) -> str:
    """A code with which one other person can join. Raises `NotFound`, `Conflict` (`grove.ended`, `code.many`)."""
    with connection.cursor() as cursor:
        _locked(cursor, person, id)
    return friends.invite(person, id)


@transaction.atomic
def join(person: Party, code: str) -> uuid.UUID:
    """Join the grove of a code. Raises `NotFound` (`code.unknown`), `Conflict` (`code.own`, `grove.*`)."""
    with connection.cursor() as cursor:
        invited = friends.use_code(cursor, code, person, grove=True)
        if invited.grove is None:
            raise queries.unknown()
        _check_room(cursor, person)
        cursor.execute("SELECT FROM forest_grove WHERE id = %s FOR UPDATE", [invited.grove])
        grove = queries.grove(invited.grove)
        if grove.ended_at is not None or len(grove.members) >= rules.MOST_MEMBERS:
            raise Conflict("grove.full", Text("This grove is full or has ended.", "这片合种林已满或已结束。"))
        cursor.execute(
            "INSERT INTO forest_member VALUES (%s, %s, %s) ON CONFLICT DO NOTHING", [grove.id, person.id, clock.now()]
        )
    return grove.id


@transaction.atomic
def put_in(person: Party, id: uuid.UUID, grams: int, key: str) -> None:
    """Put some of one's energy into a grove; the same key again is the same gift.

    Raises `NotFound`, `Invalid` (`grove.grams`), `Conflict` (`energy.short`, `grove.ended`) and `KeyReused`.
    """
    with connection.cursor() as cursor:
        _locked(cursor, person, id)
        cursor.execute(
            "INSERT INTO forest_grove_key VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING RETURNING key",
            [check_key(key), id, person.id, max(0, min(grams, 2**31 - 1))],
        )
        if cursor.fetchone() is None:
            cursor.execute("SELECT grove, person, grams FROM forest_grove_key WHERE key = %s", [key])
            if cursor.fetchone() != (id, person.id, grams):
                raise KeyReused(key)
            return
        rules.check_gift(grams, held(person.id))
        if not energy.give(cursor, person.id, id, grams):
            raise Conflict("energy.short", Text("There is not enough energy yet.", "能量还不够。"), field="grams")
        cursor.execute(
            "UPDATE forest_member SET grams = grams + %s WHERE grove = %s AND person = %s", [grams, id, person.id]
        )


@transaction.atomic
def plant(person: Party, id: uuid.UUID, season: str, key: str) -> Certificate:
    """The founder asks for a tree for the grove. Raises `NotAllowed` (`grove.founder`), and as `certificates.ask`."""
    with connection.cursor() as cursor:
        grove = _locked(cursor, person, id)
    _check_founder(grove, person)
    return certificates.ask(person, season, key, owner=id)


def _check_founder(grove: queries.Grove, person: Party) -> None:
    if grove.founder != person.id:
        raise NotAllowed("grove.founder", Text("The founder does this, for all.", "由发起人代表大家操作。"))


@transaction.atomic
def end(person: Party, id: uuid.UUID) -> dict[uuid.UUID, int]:
    """The founder ends a grove: what is left goes back in proportion to what was put in, to the gram.

    Raises `NotFound`, `NotAllowed` (`grove.founder`) and `Conflict` (`grove.ended`).
    """
    with connection.cursor() as cursor:
        grove = _locked(cursor, person, id)
        _check_founder(grove, person)
        parts = rules.divide(grove.held, grove.put_in)
        for who, grams in sorted(parts.items()):
            if grams and not energy.give(cursor, id, who, grams):
                raise Conflict("energy.short", Text("There is not enough energy yet.", "能量还不够。"))
            cursor.execute("UPDATE forest_member SET back = %s WHERE grove = %s AND person = %s", [grams, id, who])
        cursor.execute("UPDATE forest_grove SET ended_at = %s WHERE id = %s", [clock.now(), id])
    return parts
