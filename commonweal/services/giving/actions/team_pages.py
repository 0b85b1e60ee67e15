"""What a team's founder tells, its closing, and the greetings of those who gave with it."""

from __future__ import annotations

import uuid

from django.db import connection, transaction

from commonweal.kernel import clock
from commonweal.kernel.errors import Conflict, NotAllowed
from commonweal.kernel.ids import uuid7
from commonweal.kernel.parties import cipher, people
from commonweal.kernel.parties.models import Party
from commonweal.kernel.proof.log import Cursor
from commonweal.kernel.text import Text
from commonweal.services.giving.actions.teams import write_page
from commonweal.services.giving.queries import gifts
from commonweal.services.giving.queries import teams as queries
from commonweal.services.giving.queries.campaigns import taking
from commonweal.services.giving.rules import teams as rules
from commonweal.services.giving.rules import texts


def rewrite(founder: Party, campaign: uuid.UUID, team: uuid.UUID, page: rules.Page) -> None:
    """Tell something else of one's own team while it is open.

    Raises `NotFound` (`team.unknown`), `NotAllowed` (`team.not-yours`), `Conflict` (`team.closed`), and what
    `rules.teams.check_page` raises.
    """
    now = clock.now()
    with transaction.atomic(), connection.cursor() as cursor:
        found = _own(cursor, founder, campaign, team)
        if not found.is_open:
            raise rules.closed()
        checked = rules.check_page(page, taking([campaign], now)[campaign].standing.closes_at, now)
        write_page(cursor, founder, campaign, team, checked, now)


def close(founder: Party, campaign: uuid.UUID, team: uuid.UUID) -> None:
    """Close one's own team; what was promised through it before is still of it. Doing it again changes nothing.

    Raises `NotFound` (`team.unknown`) and `NotAllowed` (`team.not-yours`).
    """
    with transaction.atomic(), connection.cursor() as cursor:
        if _own(cursor, founder, campaign, team).is_open:
            cursor.execute(
                "INSERT INTO giving_team_end (book, team, at) VALUES (%s, %s, %s)", [campaign, team, clock.now()]
            )


def greet(giver: Party, campaign: uuid.UUID, gift: uuid.UUID, words: str) -> uuid.UUID:
    """Write to the team with which one gave, once a gift; returns the team.

    Raises `NotFound` (`gift.unknown`, `team.unknown`), `Conflict` (`greeting.unpaid`, `greeting.once`) and `Invalid`
    for the words.
    """
    words = rules.check_greeting(words)
    if gifts.gift_of(giver.id, campaign, gift).fact is None:
        raise Conflict("greeting.unpaid", Text("Greet once your gift has arrived.", "捐款到账后才能留言。"))
    team = queries.of_gift(campaign, gift)
    if team is None:
        raise queries.unknown()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO giving_greeting (book, id, gift, giver, sealed, at) VALUES (%s, %s, %s, %s, %s, %s)
            ON CONFLICT (book, gift) DO NOTHING
            """,
            [campaign, uuid7(), gift, giver.id, cipher.seal_for(giver.id, words), clock.now()],
        )
        if not cursor.rowcount:
            raise Conflict(
                "greeting.once",
                Text("You have greeted with this gift already.", "这笔捐款已经留过言。"),
                field="greeting",
            )
    return team.id


def hide_greeting(who: Party, campaign: uuid.UUID, greeting: uuid.UUID, note: str) -> uuid.UUID:
    """Show a greeting no more; returns the team. Its own giver needs no reason; doing it again changes nothing.

    Raises `NotFound` (`team.unknown`), `NotAllowed` (`greeting.not-yours`) for anybody but its giver, the team's
    founder and stewards, and `Invalid` without a reason.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT w.giver, m.team, t.founder FROM giving_greeting w
            JOIN giving_team_gift m ON m.book = w.book AND m.gift = w.gift
            JOIN giving_team t ON t.book = m.book AND t.id = m.team
            WHERE w.book = %s AND w.id = %s
            """,
            [campaign, greeting],
        )
        found = cursor.fetchone()
        if found is None:
            raise queries.unknown()
        giver, team, founder = found
        if who.id not in (giver, founder) and people.STEWARD not in people.roles(who):
            raise NotAllowed(
                "greeting.not-yours",
                Text(
                    "Its writer, the team's organiser and stewards hide a greeting.",
                    "只有留言者本人、小队发起人和审核员可以隐藏留言。",
                ),
            )
        if note or who.id != giver:
            note = texts.check(note, "note", 1000, lines=True)
        cursor.execute(
            """
            INSERT INTO giving_greeting_hidden (book, greeting, by_party, note, at) VALUES (%s, %s, %s, %s, %s)
            ON CONFLICT DO NOTHING
            """,
            [campaign, greeting, who.id, note, clock.now()],
        )
    return uuid.UUID(str(team))


def _own(cursor: Cursor, founder: Party, campaign: uuid.UUID, team: uuid.UUID) -> queries.Team:
    """A team of one's own, locked: gifts that are being taken through it come first."""
    cursor.execute("SELECT FROM giving_team WHERE book = %s AND id = %s FOR UPDATE", [campaign, team])
    found = queries.one(campaign, team)
    if found.founder != founder.id:
        raise NotAllowed(
            "team.not-yours", Text("Only who founded a team changes it.", "只有发起人可以修改或结束小队。")
        )
    return found
