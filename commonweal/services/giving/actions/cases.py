"""Signals of fraud become cases, stewards decide them by two, givers object. No gift is refused or moved by this."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import connection, transaction

from commonweal.kernel import clock
from commonweal.kernel.ids import uuid7
from commonweal.kernel.jobs import enqueue
from commonweal.kernel.parties import cipher, people
from commonweal.kernel.parties.models import Party
from commonweal.kernel.proof import Fact, append
from commonweal.kernel.proof.log import Cursor
from commonweal.services.giving import signals
from commonweal.services.giving.actions import matches, views
from commonweal.services.giving.queries import cases as queries
from commonweal.services.giving.queries import gifts
from commonweal.services.giving.rules import cases as rules
from commonweal.services.giving.rules import texts
from commonweal.services.giving.rules.views import What
from commonweal.services.giving.signals import Row, Signal

Named = tuple[uuid.UUID, uuid.UUID]
"""A gift: `(campaign, gift)`."""


@transaction.atomic
def watch() -> int:
    """Look at the windows that are over and have changed since the last look; how many cases were opened or grew."""
    now = clock.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('giving:watch', 0))")
        since = queries.looked_at(now)
        # What came within a window's length before the last look may be in windows that were not over then.
        windows = rules.windows(queries.changed_slots(since - 2 * rules.SLOT, now), now)
        looked, found, campaigns = 0, queries.promised(since, now), dict[str, uuid.UUID]()
        for begin, end in windows:
            number, more, theirs = _look(begin, end)
            looked, found, campaigns = looked + number, [*found, *more], campaigns | theirs
        cursor.execute(
            "INSERT INTO giving_look (at, windows, gifts, signals) VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING",
            [now, len(windows), looked, len(found)],
        )
        return sum(_take_up(cursor, signal, campaigns, now) for signal in found)


def _look(begin: datetime, end: datetime) -> tuple[int, list[Signal], dict[str, uuid.UUID]]:
    """How many gifts a window has, their signals, and the campaigns of the gifts that these name.

    A window that is too full is halved.
    """
    rows: Sequence[Row] = queries.given(begin, end)
    found: list[Signal] = []
    parts = -(-len(rows) // rules.MOST_GIFTS)
    for part in range(parts):
        found += signals.find(rows[part * len(rows) // parts : (part + 1) * len(rows) // parts])
    named = {gift for signal in found for gift in signal.gifts}
    return len(rows), found, {each.id: uuid.UUID(each.campaign) for each in rows if each.id in named}


def _take_up(cursor: Cursor, signal: Signal, campaigns: Mapping[str, uuid.UUID], now: datetime) -> bool:
    """Open a case, or add to the open one that has gifts of this signal. What was decided stays decided."""
    named = sorted((campaigns[gift], uuid.UUID(gift)) for gift in signal.gifts)
    reasons = [[reason.en, reason.zh] for reason in signal.reasons]
    said = json.dumps([signal.kind, signal.campaign, reasons], ensure_ascii=False).encode()
    digest = hashlib.sha256(said).digest()
    there, case = queries.known(signal.kind, named) if named else (set(), None)
    new = [each for each in named if each not in there]
    if not new and (named or queries.said_before(digest)):
        return False
    if case is None:
        case = _open(cursor, uuid.UUID(signal.campaign), signal.kind, None, len(new), now)
    cursor.execute(
        """
        INSERT INTO giving_case_signal (case_id, digest, score, reasons, at)
        VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING
        """,
        [case, digest, signal.score, json.dumps(reasons, ensure_ascii=False), now],
    )
    _name(cursor, case, new, now)
    enqueue("giving.tell_delayed", case=str(case), gifts=[str(gift) for _, gift in new])
    return True


def _open(
    cursor: Cursor, campaign: uuid.UUID, kind: str, objects_to: uuid.UUID | None, number: int, now: datetime
) -> uuid.UUID:
    id = uuid7()
    fields = {"case": str(id), "campaign": str(campaign), "signal": kind, "gifts": number}
    fact = Fact("giving.case", now, fields | ({"objects_to": str(objects_to)} if objects_to else {}))
    cursor.execute(
        """
        INSERT INTO giving_case (id, campaign, kind, objects_to, fact, at, due_at) VALUES (%s, %s, %s, %s, %s, %s, %s)
        """,
        [id, campaign, kind, objects_to, fact.id, now, now + rules.DECIDE_WITHIN],
    )
    append(cursor, fact)
    enqueue("giving.call_stewards", case=str(id))
    return id


def _name(cursor: Cursor, case: uuid.UUID, named: Sequence[Named], now: datetime) -> None:
    cursor.execute(
        """
        INSERT INTO giving_case_gift (case_id, campaign, gift, at)
        SELECT %s, n.campaign, n.gift, %s FROM unnest(%s::uuid[], %s::uuid[]) AS n (campaign, gift)
        """,
        [case, now, [campaign for campaign, _ in named], [gift for _, gift in named]],
    )


@transaction.atomic
def judge(steward: Party, id: uuid.UUID, *, withholds: bool, note: str = "") -> rules.State:
    """A steward withholds the matches of a case's gifts, or clears them; the second same word, of another, decides.

    Raises `NotFound` (`case.unknown`), what `rules.cases.check_word` raises, and `Invalid` for withholding without a
    note: it is what the givers read.
    """
    people.require_role(steward, people.STEWARD)
    now = clock.now()
    note = texts.check(note, "note", 1000, lines=True) if note or withholds else ""
    with connection.cursor() as cursor:
        _lock(cursor, id)
        case, said = queries.one(id), queries.words(id)
        rules.check_word(
            [word.steward for word in said],
            steward.id,
            ended=not case.is_open or now >= case.due_at,
            involved=queries.involved(steward.id, id),
            judged_before=[word.steward for word in queries.words(case.objects_to)] if case.objects_to else (),
        )
        word = "withhold" if withholds else "clear"
        fact = Fact("giving.case-word", now, {"case": str(id), "steward": str(steward.id), "word": word})
        cursor.execute(
            """
            INSERT INTO giving_case_word (case_id, steward, withholds, note, fact, at) VALUES (%s, %s, %s, %s, %s, %s)
            """,
            [id, steward.id, withholds, note, fact.id, now],
        )
        append(cursor, fact)
        outcome = rules.outcome([*(each.withholds for each in said), withholds], case.due_at, now)
        if outcome:
            _end(cursor, case, outcome, now)
    return rules.state(outcome)


@transaction.atomic
def read(steward: Party, id: uuid.UUID) -> queries.Case:
    """A case for a steward to look at; that they read its objections is on record before they do.

    Raises `NotAllowed` and `NotFound` (`case.unknown`).
    """
    people.require_role(steward, people.STEWARD)
    case = queries.one(id)
    for giver in queries.objectors(case):
        views.look(steward, What.OBJECTION, id, giver)
    return case


@transaction.atomic
def remind() -> list[uuid.UUID]:
    """Take the cases whose deadline is near, each once."""
    now = clock.now()
    with connection.cursor() as cursor:
        found = queries.near(now)
        cursor.execute(
            """
            INSERT INTO giving_case_reminder (case_id, at) SELECT near, %s FROM unnest(%s::uuid[]) AS near
            ON CONFLICT DO NOTHING RETURNING case_id
            """,
            [now, found],
        )
        return [case for (case,) in cursor.fetchall()]


@transaction.atomic
def lapse() -> int:
    """End the cases whose deadline has passed in the givers' favour; how many."""
    now, number = clock.now(), 0
    with connection.cursor() as cursor:
        for id in queries.overdue(now):
            _lock(cursor, id)
            if (case := queries.one(id)).is_open:
                _end(cursor, case, rules.Outcome.LAPSED, now)
                number += 1
    return number


def _end(cursor: Cursor, case: queries.Case, outcome: rules.Outcome, now: datetime) -> None:
    fact = Fact("giving.case-end", now, {"case": str(case.id), "outcome": outcome.value})
    cursor.execute(
        "INSERT INTO giving_case_end (case_id, outcome, fact, at) VALUES (%s, %s, %s, %s)",
        [case.id, outcome, fact.id, now],
    )
    append(cursor, fact)
    if outcome is rules.Outcome.WITHHELD:  # what its gifts hold of first-come pools is free for others
        matches.release(cursor, [(each.campaign, each.gift) for each in queries.gifts(case, limit=100_000)], now)
    enqueue("giving.tell_case", case=str(case.id))


@transaction.atomic
def object_to(giver: Party, id: uuid.UUID, campaign: uuid.UUID, gift: uuid.UUID, words: str) -> uuid.UUID:
    """A giver objects to a case of their gift: the case that looks at it, a new one if the other has ended.

    Raises `NotFound` (`gift.unknown`, `case.unknown`), `Invalid` for the words, and `Conflict` (`objection.over`).
    """
    gifts.gift_of(giver.id, campaign, gift)
    words, now = texts.check(words, "words", 1000, lines=True), clock.now()
    with connection.cursor() as cursor:
        _lock(cursor, id)
        found = next((each for each in queries.of_gift(campaign, gift) if each.case.id == id), None)
        if found is None:
            raise queries.unknown()
        rules.check_objection(possible=found.may_object)
        case, opens = found.case, None
        if not case.is_open:
            kind = next(kind for kind, title in signals.KINDS.items() if title == case.kind)
            opens = _open(cursor, campaign, kind, id, 1, now)
            _name(cursor, opens, [(campaign, gift)], now)
        fact = Fact("giving.objection", now, {"case": str(id)})
        cursor.execute(
            """
            INSERT INTO giving_objection (case_id, campaign, gift, giver, sealed, opens, fact, at)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
            """,
            [id, campaign, gift, giver.id, cipher.seal_for(giver.id, words), opens, fact.id, now],
        )
        append(cursor, fact)
        if opens is None:
            enqueue("giving.call_stewards", case=str(id), objection=True)
    return opens or id


def _lock(cursor: Cursor, id: uuid.UUID) -> None:
    cursor.execute("SELECT FROM giving_case WHERE id = %s FOR UPDATE", [id])
