"""A person asks for help, a steward checks the papers, a charity adopts it."""

from __future__ import annotations

import uuid

from django.db import connection, transaction

from commonweal.kernel import clock
from commonweal.kernel.errors import Conflict
from commonweal.kernel.files import store
from commonweal.kernel.ids import uuid7
from commonweal.kernel.jobs import enqueue
from commonweal.kernel.parties import cipher, people
from commonweal.kernel.parties.models import Party
from commonweal.kernel.proof import Fact, append
from commonweal.kernel.proof.log import Cursor
from commonweal.kernel.text import Text
from commonweal.services.giving.queries import appeals as queries
from commonweal.services.giving.queries.campaigns import taking, unknown
from commonweal.services.giving.rules import appeals as rules
from commonweal.services.giving.rules import campaigns, texts
from commonweal.services.giving.rules.appeals import Appeal


@transaction.atomic
def ask(asker: Party, appeal: Appeal) -> uuid.UUID:
    """Ask for help. What is written is sealed under the asker's key: forgetting them makes it unreadable.

    Raises what `rules.appeals.check` and `texts` raise, and `Conflict` (`appeal.one`) while another one is open.
    """
    rules.check(appeal)
    now, id = clock.now(), uuid7()
    said = {
        "title": [
            texts.check(appeal.title.en, "title_en", 200),
            texts.check(appeal.title.zh, "title_zh", 200),
        ],
        "story": [
            texts.check(appeal.story.en, "story_en", 10_000, lines=True),
            texts.check(appeal.story.zh, "story_zh", 10_000, lines=True),
        ],
        "evidence": [store.take_document(each, field="evidence").digest for each in appeal.evidence],
    }
    fact = Fact("giving.appeal", now, {"appeal": str(id), "word": "asked"})
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"giving:appeal:{asker.id}"])
        cursor.execute("SELECT FROM giving_appeal WHERE asker = %s AND withdrawn_at IS NULL", [asker.id])
        if cursor.fetchone() is not None:
            raise Conflict(
                "appeal.one",
                Text("One appeal at a time: withdraw the other one first.", "同时只能有一个求助，请先撤回之前的求助。"),
            )
        cursor.execute(
            """
            INSERT INTO giving_appeal (id, asker, amount, topic, sealed, fact, at)
            VALUES (%s, %s, %s, %s, %s, %s, %s)
            """,
            [id, asker.id, appeal.amount, appeal.topic, cipher.seal_for(asker.id, said), fact.id, now],
        )
        append(cursor, fact)
    return id


@transaction.atomic
def judge(steward: Party, id: uuid.UUID, *, shows: bool, note: str = "") -> None:
    """A steward has looked at the papers: the appeal is shown, or not, with a reason.

    Raises `NotAllowed`, `NotFound` (`appeal.unknown`) and what `rules.appeals.check_judge` raises.
    """
    people.require_role(steward, people.STEWARD)
    note = texts.check(note, "note", 1000, lines=True) if note or not shows else ""
    now = clock.now()
    with connection.cursor() as cursor:
        _lock(cursor, id)
        rules.check_judge(queries.appeal(id).standing, steward.id)
        fields = {"appeal": str(id), "steward": str(steward.id), "word": "shown" if shows else "declined"}
        fact = Fact("giving.appeal", now, fields)
        cursor.execute(
            "INSERT INTO giving_appeal_word (appeal, steward, shows, note, fact, at) VALUES (%s, %s, %s, %s, %s, %s)",
            [id, steward.id, shows, note, fact.id, now],
        )
        append(cursor, fact)
        enqueue("giving.tell_appeal", appeal=str(id))


@transaction.atomic
def adopt(officer: Party, id: uuid.UUID, campaign: uuid.UUID) -> None:
    """A charity makes an appeal its own, within one of its open campaigns: from now on one gives there.

    Raises `NotFound` (`appeal.unknown`, `campaign.unknown`), `NotAllowed`, what `rules.appeals.check_adopt` raises and
    `Conflict` with `campaign.<state>` if the campaign takes no gifts.
    """
    now = clock.now()
    with connection.cursor() as cursor:
        _lock(cursor, id)
        appeal = queries.appeal(id)
        found = taking([campaign], now).get(campaign)
        if found is None:
            raise unknown()
        people.require_role(officer, people.OFFICER, Party(id=found.organisation))
        rules.check_adopt(appeal.standing, officer.id)
        campaigns.check_open(found.standing, now)
        fact = Fact("giving.appeal", now, {"appeal": str(id), "campaign": str(campaign), "word": "adopted"})
        cursor.execute(
            "INSERT INTO giving_adoption (appeal, campaign, officer, fact, at) VALUES (%s, %s, %s, %s, %s)",
            [id, campaign, officer.id, fact.id, now],
        )
        append(cursor, fact)
        enqueue("giving.tell_appeal", appeal=str(id))


@transaction.atomic
def withdraw(asker: Party, id: uuid.UUID) -> None:
    """Take one's own appeal back. Raises `NotFound` (`appeal.unknown`) also for that of somebody else."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE giving_appeal SET withdrawn_at = %s
            WHERE id = %s AND asker = %s AND withdrawn_at IS NULL RETURNING id
            """,
            [clock.now(), id, asker.id],
        )
        if cursor.fetchone() is None:
            raise queries.unknown()


def erase(party: uuid.UUID) -> None:
    """Delete the papers of a person who is being forgotten; what they wrote goes with their key."""
    for appeal in queries.of(party):
        for digest in appeal.evidence:
            store.remove(digest)


def _lock(cursor: Cursor, id: uuid.UUID) -> None:
    cursor.execute("SELECT FROM giving_appeal WHERE id = %s FOR UPDATE", [id])
