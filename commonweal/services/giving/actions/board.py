"""The board of a time bank: putting up, taking off, writing to one another, and exchanges that follow."""

from __future__ import annotations

import uuid

from django.db import connection, transaction

from commonweal.kernel import clock
from commonweal.kernel.errors import NotAllowed
from commonweal.kernel.ids import derived, uuid7
from commonweal.kernel.jobs import enqueue
from commonweal.kernel.ledger.books import KeyReused, check_key
from commonweal.kernel.parties import cipher, people
from commonweal.kernel.parties.models import Party
from commonweal.kernel.proof.log import Cursor
from commonweal.kernel.text import Text
from commonweal.services.giving.actions import exchanges
from commonweal.services.giving.queries import banks
from commonweal.services.giving.queries import board as queries
from commonweal.services.giving.queries import exchanges as exchange_queries
from commonweal.services.giving.rules import board as rules
from commonweal.services.giving.rules import texts
from commonweal.services.giving.rules.banks import Asking, Part


@transaction.atomic
def put_up(person: Party, bank: uuid.UUID, wish: rules.Wish, key: str) -> uuid.UUID:
    """Put something on the board of a bank; returns the listing. The same key again is the same listing.

    Raises `Conflict` (`exchange.not-member`), `KeyReused` and what `rules.board.check` raises.
    """
    mine, now = _member(person, bank), clock.now()
    id = derived(mine.id, f"listing:{check_key(key)}")
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM giving_bank_member WHERE id = %s FOR UPDATE", [mine.id])
        cursor.execute("SELECT FROM giving_listing WHERE id = %s", [id])
        if cursor.fetchone() is not None:
            if queries.one(bank, id).wish != rules.check(wish, 0):
                raise KeyReused(key)
            return id
        checked = rules.check(wish, len(queries.of_member(mine.id)))
        cursor.execute(
            """
            INSERT INTO giving_listing (id, bank, member, kind, category, district, sealed, at, expires_at)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
            """,
            [id, bank, mine.id, checked.kind, checked.category, checked.district,
             cipher.seal_for(person.id, [checked.what.en, checked.what.zh]), now, rules.until(now, checked.days)],
        )  # fmt: skip
    return id


@transaction.atomic
def take_off(who: Party, bank: uuid.UUID, id: uuid.UUID, note: str = "") -> None:
    """Take something off the board: its member, or an officer of its bank with a reason. Twice is once.

    Raises `NotFound` (`listing.unknown`), `NotAllowed` (`listing.not-yours`) and `Invalid` (`text.*`).
    """
    found = queries.one(bank, id)
    if found.person != who.id:
        if people.OFFICER not in people.roles(who, Party(id=banks.bank(found.bank).organisation)):
            raise NotAllowed("listing.not-yours", Text("This is somebody else's.", "这是他人发布的信息。"))
        note = texts.check(note, "note", rules.LONGEST)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO giving_listing_end (listing, by_party, note, at) VALUES (%s, %s, %s, %s)
            ON CONFLICT DO NOTHING
            """,
            [id, who.id, note, clock.now()],
        )


@transaction.atomic
def write(person: Party, bank: uuid.UUID, id: uuid.UUID, text: str) -> None:
    """Write to the member whose listing it is, as a member of `bank`.

    Raises `NotFound` (`listing.unknown`), `Conflict` (`exchange.not-member`, `listing.own`, `listing.over`) and
    `Invalid` (`text.*`).
    """
    found, mine = _others(person, bank, id)
    with connection.cursor() as cursor:
        _add(cursor, found.id, mine, text, by_author=False)


@transaction.atomic
def answer(person: Party, bank: uuid.UUID, id: uuid.UUID, other: uuid.UUID, text: str) -> None:
    """Answer a member who has written about one's own listing.

    Raises `NotFound` (`listing.unknown`, `member.unknown`), `NotAllowed` (`listing.not-yours`) and `Invalid`.
    """
    found = queries.one(bank, id)
    if found.person != person.id:
        raise NotAllowed("listing.not-yours", Text("This is somebody else's.", "这是他人发布的信息。"))
    if not queries.words(id, other):
        raise banks.unknown_member()
    with connection.cursor() as cursor:
        _add(cursor, id, banks.member(other), text, by_author=True)


@transaction.atomic
def exchange(person: Party, bank: uuid.UUID, id: uuid.UUID, minutes: int, key: str) -> exchange_queries.Exchange:
    """Ask for an exchange in answer to a listing, as a member of `bank`: of an offer one gives minutes, of a need one
    asks for them. The same key again is the same exchange.

    Raises what `write` and `exchanges.ask` raise.
    """
    found, _ = _others(person, bank, id)
    asking = Asking(found.kind.side, found.category, (Part(found.bank, found.number, minutes),))
    (asked,) = exchange_queries.asked(bank, exchanges.ask(person, bank, asking, key))
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO giving_listing_exchange (book, id, listing) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
            [asked.book, asked.id, id],
        )
    return asked


def _member(person: Party, bank: uuid.UUID) -> banks.Member:
    banks.bank(bank)
    mine = banks.member_of(bank, person.id)
    if mine is None or not mine.active:
        raise exchanges.not_member()
    return mine


def _others(person: Party, bank: uuid.UUID, id: uuid.UUID) -> tuple[queries.Listing, banks.Member]:
    """A listing of somebody else that stands, and the membership of who answers it."""
    found, mine = queries.one(bank, id), _member(person, bank)
    rules.check_other(own=found.person == person.id)
    rules.check_open(open=found.open)
    return found, mine


def _add(cursor: Cursor, listing: uuid.UUID, other: banks.Member, text: str, *, by_author: bool) -> None:
    id = uuid7()
    sealed = cipher.seal_for(other.person, texts.check(text, "text", rules.LONGEST_WORD, lines=True))
    cursor.execute(
        """
        INSERT INTO giving_listing_word (id, listing, member, by_author, sealed, at) VALUES (%s, %s, %s, %s, %s, %s)
        """,
        [id, listing, other.id, by_author, sealed, clock.now()],
    )
    enqueue("giving.tell_listing", word=str(id))
