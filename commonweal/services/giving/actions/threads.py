"""A giver writes to a charity, which answers; either calls a steward. All is sealed under the giver's key."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.db import connection, transaction

from commonweal.kernel import clock
from commonweal.kernel.ids import derived
from commonweal.kernel.jobs import enqueue
from commonweal.kernel.ledger.books import check_key
from commonweal.kernel.parties import cipher, people
from commonweal.kernel.parties.models import Party
from commonweal.kernel.proof.log import Cursor
from commonweal.services.giving.actions import views
from commonweal.services.giving.queries import campaigns, gifts
from commonweal.services.giving.queries import threads as queries
from commonweal.services.giving.rules import texts
from commonweal.services.giving.rules import threads as rules
from commonweal.services.giving.rules.threads import Side
from commonweal.services.giving.rules.views import What


@dataclass(frozen=True, slots=True)
class Opening:
    """The first message of a thread. `name` is what the giver wants to be called; empty: nothing."""

    text: str
    name: str = ""
    gift: uuid.UUID | None = None


@transaction.atomic
def begin(giver: Party, campaign: uuid.UUID, opening: Opening, key: str) -> uuid.UUID:
    """Write to the charity of a campaign; returns the thread. The same key again is the same thread.

    Raises `NotFound` (`campaign.unknown`, `gift.unknown`), `NotAllowed` (`thread.givers`), `TooMany` (`thread.often`),
    `Invalid` (`text.*`) and `cipher.Forgotten`.
    """
    campaigns.card(campaign)
    text, name = rules.check_message(opening.text), rules.check_name(opening.name)
    if opening.gift is not None:
        gifts.gift_of(giver.id, campaign, opening.gift)
    rules.check_giver(has_given=gifts.has_given(giver.id, campaign))
    id = derived(campaign, f"thread:{giver.id}:{check_key(key)}")
    with connection.cursor() as cursor:
        _lock(cursor, giver.id)
        cursor.execute("SELECT FROM giving_thread WHERE book = %s AND id = %s", [campaign, id])
        if cursor.fetchone() is None:
            rules.check_rate(queries.written_since(giver.id, clock.now() - rules.DAY))
            sealed = cipher.seal_for(giver.id, name) if name else None
            cursor.execute(
                "INSERT INTO giving_thread (book, id, giver, gift, sealed, at) VALUES (%s, %s, %s, %s, %s, %s)",
                [campaign, id, giver.id, opening.gift, sealed, clock.now()],
            )
            _add(cursor, campaign, id, giver.id, Side.GIVER, giver.id, 1, text, key)
    return id


@transaction.atomic
def write(party: Party, campaign: uuid.UUID, id: uuid.UUID, text: str, key: str) -> None:
    """Write on, as the giver or for the charity; the other side is told. The same key again writes nothing.

    Raises `NotFound` (`thread.unknown`) for everybody else, what `rules.threads.check_write` and `check_rate` raise.
    """
    found, side = of_reader(party, campaign, id)
    text, key = rules.check_message(text), check_key(key)
    with connection.cursor() as cursor:
        _lock(cursor, found.giver)
        cursor.execute(
            "SELECT FROM giving_message WHERE book = %s AND thread = %s AND side = %s AND key = %s",
            [campaign, id, side, key],
        )
        if cursor.fetchone() is not None:
            return
        standing = queries.thread(campaign, id).rule
        rules.check_write(standing, side)
        if side is Side.GIVER:
            rules.check_rate(queries.written_since(party.id, clock.now() - rules.DAY))
        _add(cursor, campaign, id, found.giver, side, party.id, standing.messages + 1, text, key)
        _seen(cursor, campaign, id, side, standing.messages + 1)


def of_reader(party: Party, campaign: uuid.UUID, id: uuid.UUID) -> tuple[queries.Thread, Side]:
    """A thread and the side on which a party reads it. Raises `NotFound` (`thread.unknown`) for everybody else."""
    found = queries.thread(campaign, id)
    if found.giver == party.id:
        return found, Side.GIVER
    if campaigns.acts_for(party.id, campaign):
        return found, Side.CHARITY
    raise queries.unknown()


@transaction.atomic
def see(found: queries.Thread, side: Side, nth: int) -> None:
    """A side has read as far as the message `nth`."""
    with connection.cursor() as cursor:
        _seen(cursor, found.campaign, found.id, side, nth)


@transaction.atomic
def call(party: Party, campaign: uuid.UUID, id: uuid.UUID, reason: str) -> None:
    """Call a steward, who may then read the thread.

    Raises `NotFound` (`thread.unknown`), `Invalid` (`text.*`) and what `rules.threads.check_call` raises.
    """
    found, side = of_reader(party, campaign, id)
    reason = texts.check(reason, "reason", 1_000, lines=True)
    with connection.cursor() as cursor:
        _lock(cursor, found.giver)
        found = queries.thread(campaign, id)
        rules.check_call(found.rule)
        cursor.execute(
            "INSERT INTO giving_thread_call (book, thread, nth, side, sealed, at) VALUES (%s, %s, %s, %s, %s, %s)",
            [campaign, id, found.calls + 1, side, cipher.seal_for(found.giver, reason), clock.now()],
        )


@transaction.atomic
def judge(steward: Party, campaign: uuid.UUID, id: uuid.UUID, *, closes: bool, note: str = "") -> None:
    """A steward who was called closes the thread, or leaves it; both sides are told.

    Raises `NotAllowed`, `NotFound` (`thread.unknown`) and what `rules.threads.check_judge` raises.
    """
    people.require_role(steward, people.STEWARD)
    found = queries.thread(campaign, id)
    with connection.cursor() as cursor:
        _lock(cursor, found.giver)
        found = queries.thread(campaign, id)
        rules.check_unconcerned(concerned=_concerned(steward, found))
        note = rules.check_judge(found.rule, closes=closes, note=note)
        cursor.execute(
            """
            INSERT INTO giving_thread_word (book, thread, nth, steward, closes, sealed, at)
            VALUES (%s, %s, %s, %s, %s, %s, %s)
            """,
            [campaign, id, found.calls, steward.id, closes, cipher.seal_for(found.giver, note), clock.now()],
        )
        enqueue("giving.tell_judged", campaign=str(campaign), thread=str(id))


@transaction.atomic
def look(steward: Party, campaign: uuid.UUID, id: uuid.UUID) -> queries.Thread:
    """A thread for a steward who has been called to it; the look is a fact in the public log before anything is shown.

    Raises `NotAllowed`, and `NotFound` (`thread.unknown`) for a thread to which nobody has called a steward.
    """
    people.require_role(steward, people.STEWARD)
    found = queries.thread(campaign, id)
    if not found.calls:
        raise queries.unknown()
    rules.check_unconcerned(concerned=_concerned(steward, found))
    views.look(steward, What.THREAD, found.id, found.giver)
    return found


def _concerned(steward: Party, found: queries.Thread) -> bool:
    return steward.id == found.giver or campaigns.acts_for(steward.id, found.campaign)


def _add(
    cursor: Cursor,
    campaign: uuid.UUID,
    thread: uuid.UUID,
    giver: uuid.UUID,
    side: Side,
    author: uuid.UUID,
    nth: int,
    text: str,
    key: str,
) -> None:
    cursor.execute(
        """
        INSERT INTO giving_message (book, thread, nth, side, author, sealed, key, at)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
        """,
        [campaign, thread, nth, side, author, cipher.seal_for(giver, text), key, clock.now()],
    )
    enqueue("giving.tell_message", campaign=str(campaign), thread=str(thread), nth=nth)


def _seen(cursor: Cursor, campaign: uuid.UUID, thread: uuid.UUID, side: Side, nth: int) -> None:
    cursor.execute(
        """
        INSERT INTO giving_thread_seen (book, thread, side, nth) VALUES (%s, %s, %s, %s)
        ON CONFLICT (book, thread, side) DO UPDATE SET nth = greatest(giving_thread_seen.nth, excluded.nth)
        """,
        [campaign, thread, side, nth],
    )


def _lock(cursor: Cursor, giver: uuid.UUID) -> None:
    """One at a time writes in the threads of a giver, so that what is counted stays true."""
    cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"giving:thread:{giver}"])
