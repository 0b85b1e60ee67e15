"""Founding a team, telling what it has come to, and hiding one whose name must not be shown."""

from __future__ import annotations

import hmac
import uuid
from collections.abc import Collection, Mapping
from datetime import datetime

from django.conf import settings
from django.db import IntegrityError, connection, transaction

from commonweal.kernel import clock
from commonweal.kernel.errors import Conflict
from commonweal.kernel.ids import uuid7
from commonweal.kernel.parties import cipher, people
from commonweal.kernel.parties.models import Party
from commonweal.kernel.proof.log import Cursor
from commonweal.kernel.text import Text
from commonweal.services.giving.queries import teams as queries
from commonweal.services.giving.queries.campaigns import taking, unknown
from commonweal.services.giving.rules import teams as rules
from commonweal.services.giving.rules import texts
from commonweal.services.giving.rules.campaigns import check_open


def found(founder: Party, campaign: uuid.UUID, name: str, page: rules.Page = rules.NOTHING) -> uuid.UUID:
    """Found a team for a campaign that takes gifts; returns its id. All its words are sealed under its founder's key.

    Raises `NotFound` (`campaign.unknown`), `Conflict` (`campaign.<state>`, `team.taken`), `Invalid` for the name, and
    what `rules.teams.check_page` raises.
    """
    now, name, id = clock.now(), rules.check_name(name), uuid7()
    there = taking([campaign], now).get(campaign)
    if there is None:
        raise unknown()
    check_open(there.standing, now)
    page = rules.check_page(page, there.standing.closes_at, now)
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO giving_team (book, id, sealed, founder, at) VALUES (%s, %s, %s, %s, %s)",
                [campaign, id, cipher.seal_for(founder.id, {"name": name}), founder.id, now],
            )
            cursor.execute(
                "INSERT INTO giving_team_called (book, digest, team) VALUES (%s, %s, %s)", [campaign, _digest(name), id]
            )
            if page != rules.NOTHING:
                write_page(cursor, founder, campaign, id, page, now)
    except IntegrityError as error:
        raise Conflict(
            "team.taken", Text("Another team has this name.", "已有小队使用该名称。"), field="name"
        ) from error
    return id


def write_page(
    cursor: Cursor, founder: Party, campaign: uuid.UUID, team: uuid.UUID, page: rules.Page, now: datetime
) -> None:
    """Keep what is told of a team, in the caller's transaction."""
    said = {"story": page.story, "organiser": page.organiser, "named": page.named}
    cursor.execute(
        """
        INSERT INTO giving_team_page (book, team, nth, sealed, goal, ends_at, at)
        SELECT %s, %s, 1 + count(*), %s, %s, %s, %s FROM giving_team_page WHERE book = %s AND team = %s
        """,
        [campaign, team, cipher.seal_for(founder.id, said), page.goal, page.ends_at, now, campaign, team],
    )


def there(
    cursor: Cursor, pairs: Collection[tuple[uuid.UUID, uuid.UUID]]
) -> dict[tuple[uuid.UUID, uuid.UUID], datetime | None]:
    """Those pairs of campaign and team that are not hidden, and when each closes; this stays so until the commit.

    What is hidden is read after the lock, in a statement of its own that sees whatever the lock has waited for.
    """
    open_now: dict[tuple[uuid.UUID, uuid.UUID], datetime | None] = {}
    for book in sorted({book for book, _ in pairs}):
        asked = sorted(team for of, team in pairs if of == book)
        cursor.execute(
            "SELECT FROM giving_team WHERE book = %s AND id = ANY(%s) ORDER BY id FOR KEY SHARE", [book, asked]
        )
        cursor.execute(
            """
            SELECT t.id, giving_team_ends(t.book, t.id) FROM giving_team t
            JOIN giving_team_called n ON n.book = t.book AND n.team = t.id  -- gone with its founder
            WHERE t.book = %s AND t.id = ANY(%s)
              AND NOT EXISTS (SELECT FROM giving_team_hidden h WHERE h.book = t.book AND h.team = t.id)
            """,
            [book, asked],
        )
        open_now |= {(book, id): closes for id, closes in cursor.fetchall()}
    return open_now


def check(
    joined: Mapping[tuple[uuid.UUID, uuid.UUID], datetime | None], campaign: uuid.UUID, team: uuid.UUID, now: datetime
) -> None:
    """Whether a gift can be given through a team. Raises `NotFound` (`team.unknown`), `Conflict` (`team.closed`)."""
    if (campaign, team) not in joined:
        raise queries.unknown()
    closes = joined[campaign, team]
    if closes is not None and closes <= now:
        raise rules.closed()


def tell() -> int:
    """Tell what teams have come to whose gifts and refunds since the last time are those of three people or more.

    Returns how many have been told of.
    """
    now, told = clock.now(), 0
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT t.book, t.id, coalesce(s.nth, 0) + 1 FROM giving_team t
            LEFT JOIN LATERAL (SELECT nth, at FROM giving_team_sum s WHERE s.book = t.book AND s.team = t.id
                               ORDER BY nth DESC LIMIT 1) s ON true
            WHERE giving_team_moved(t.book, t.id, coalesce(s.at, '-infinity'), %s) >= %s ORDER BY t.book, t.id
            """,
            [now, rules.TOLD_FROM],
        )
        for book, team, nth in cursor.fetchall():
            cursor.execute(
                f"""
                INSERT INTO giving_team_sum (book, team, nth, people, amount, at)
                SELECT %(book)s, %(team)s, %(nth)s, sums.*, %(until)s FROM ({queries.SUM}) sums
                ON CONFLICT DO NOTHING
                """,
                {"book": book, "team": team, "nth": nth, "until": now},
            )
            told += cursor.rowcount
    return told


def hide(steward: Party, campaign: uuid.UUID, team: uuid.UUID, note: str) -> None:
    """Show a team no more, with a reason; gifts given through it stay. Doing it again changes nothing.

    Raises `NotAllowed`, `NotFound` (`team.unknown`) and `Invalid` without a reason.
    """
    people.require_role(steward, people.STEWARD)
    note = texts.check(note, "note", 1000, lines=True)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT FROM giving_team WHERE book = %s AND id = %s FOR UPDATE", [campaign, team])
        if cursor.fetchone() is None:
            raise queries.unknown()
        cursor.execute(
            "INSERT INTO giving_team_hidden (book, team, steward, note, at) VALUES (%s, %s, %s, %s, %s) "
            "ON CONFLICT DO NOTHING",
            [campaign, team, steward.id, note, clock.now()],
        )


def erase(party: uuid.UUID) -> None:
    """Let the names of a person's teams be taken again; the names themselves go with their key."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            DELETE FROM giving_team_called
            WHERE (book, team) IN (SELECT book, id FROM giving_team WHERE founder = %s)
            """,
            [party],
        )


def _digest(name: str) -> bytes:
    """A keyed hash of a name, the same for upper and lower case."""
    return hmac.digest(cipher.platform_key(settings.HOME), f"giving team\n{name.lower()}".encode(), "sha256")
