"""One gift, team or company is asked for among 20,000 gifts of a book (`SCANNED_GIFTS`): nothing reads the book for it.

The plans are those that really ran, of every statement and of those inside functions (`auto_explain`), both before
there are statistics and with them.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from typing import Any

import psycopg
import pytest
from django.db import connection, transaction
from psycopg.errors import Diagnostic

from commonweal.kernel import clock
from commonweal.kernel.parties import people
from commonweal.kernel.sql import prepared
from commonweal.kernel.text import Text
from commonweal.services.giving.actions import gifts as actions
from commonweal.services.giving.actions import payments, payouts, teams
from commonweal.services.giving.payment import Callback
from commonweal.services.giving.queries import (
    cards,
    cases,
    companies,
    fees,
    gifts,
    givers,
    orders,
    recurring,
    returns,
    thanks,
)
from commonweal.services.giving.queries import teams as team_queries
from commonweal.services.giving.rules.gifts import Give, Outcome
from commonweal.services.giving.tests import conftest as giving
from commonweal.services.giving.tests.conftest import DAY, NOW
from commonweal.services.giving.tests.test_fees import hosted

MANY = int(os.environ.get("SCANNED_GIFTS", "20000"))
MOST = 2_000
"""Rows that a statement may read at one place of its plan."""

BESIDE = f"""
SET session_replication_role = replica;
CREATE TEMP TABLE beside AS
    SELECT n, gen_random_uuid() AS gift, gen_random_uuid() AS giver FROM generate_series(1, {MANY}) n;
INSERT INTO giving_gift (book, id, giver, amount, channel, at)
    SELECT '{{book}}', gift, giver, 500, 'simulator', '{NOW}' FROM beside;
INSERT INTO giving_payment (book, gift, amount, transfer, fact, reference, at, nth, start)
    SELECT '{{book}}', gift, 500, gift, gift, n::text, '{NOW}', n + 1, n * 500 FROM beside;
INSERT INTO giving_fee (book, id, gift, party, bearer, amount, receivable, spans, transfer, fact, at)
    SELECT '{{book}}', gift, gift, 'processor', 'campaign', 1, 0, '{{{{}}}}', gift, gift, '{NOW}' FROM beside;
INSERT INTO giving_tip (book, gift, amount) SELECT '{{book}}', gift, 1 FROM beside;
INSERT INTO giving_mark (book, gift, what, mark, at)
    SELECT '{{book}}', gift, 'device', substr(sha256(gift::text::bytea), 1, 16), '{NOW}' FROM beside;
INSERT INTO giving_team_gift (book, gift, team)
    SELECT '{{book}}', gift, ('00000000-0000-0000-0000-' || lpad((n % 1000)::text, 12, '0'))::uuid FROM beside;
INSERT INTO giving_greeting (book, id, gift, giver, sealed, at)
    SELECT '{{book}}', gift, gift, giver, '', '{NOW}' FROM beside;
INSERT INTO giving_return (book, id, gift, cause, amount, receivable, spans, reference, reason, transfer, fact, at)
    SELECT '{{book}}', gift, gift, 'refund', 1, 0, '{{{{}}}}', '', '', gift, gift, '{NOW}' FROM beside;
INSERT INTO giving_return_end (book, id, outcome, fact, at) SELECT '{{book}}', gift, 'done', gift, '{NOW}' FROM beside;
INSERT INTO giving_twice (book, id, gift, provider, reference, amount, transfer, fact, at)
    SELECT '{{book}}', gift, gift, 'simulator', n::text, 500, gift, gift, '{NOW}' FROM beside;
INSERT INTO giving_renewal (book, recurring, period, gift, due, at)
    SELECT '{{book}}', gift, 0, gift, '{NOW}', '{NOW}' FROM beside;
INSERT INTO giving_card_use (book, card, key, target, gift, amount, at)
    SELECT '{{book}}', gift, '', '{{book}}', gift, 500, '{NOW}' FROM beside;
INSERT INTO giving_case_gift (case_id, campaign, gift, at) SELECT giver, '{{book}}', gift, '{NOW}' FROM beside;
DROP TABLE beside;
SET session_replication_role = DEFAULT;
"""


def read(plan: dict[str, Any]) -> Iterator[tuple[str, int]]:
    """What each scan of a plan has read: of which table, and how many rows."""
    if "Scan" in plan["Node Type"] and "Relation Name" in plan:
        dropped = plan.get("Rows Removed by Filter", 0) + plan.get("Rows Removed by Index Recheck", 0)
        yield f"{plan['Node Type']} on {plan['Relation Name']}", (plan["Actual Rows"] + dropped) * plan["Actual Loops"]
    for part in plan.get("Plans", ()):
        yield from read(part)


@contextmanager
def watched() -> Iterator[list[dict[str, Any]]]:
    """The plans of all statements that run."""
    seen: list[dict[str, Any]] = []

    def told(said: Diagnostic) -> None:
        _, found, plan = (said.message_primary or "").partition("plan:\n")
        if found:
            seen.append(json.loads(plan))

    connection.ensure_connection()
    session = connection.connection
    assert isinstance(session, psycopg.Connection)
    session.add_notice_handler(told)
    settings = {"log_min_duration": 0, "log_analyze": "on", "log_timing": "off", "log_format": "json",
                "log_nested_statements": "on"}  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("LOAD 'auto_explain'; SET client_min_messages = log")
        for name, value in settings.items():
            cursor.execute(f"SET auto_explain.{name} = {value}")
        yield seen
        cursor.execute("SET auto_explain.log_min_duration = -1; RESET client_min_messages")
    session.remove_notice_handler(told)


@pytest.fixture
def asked(fresh_database: str) -> Iterator[dict[str, Callable[[], object]]]:
    """What is asked, with one real gift of a team behind 100,000 others."""
    with clock.stopped(NOW):
        world = hosted(giving.make_world(), Fraction(1, 100))
        book, giver = world.campaign.id, world.giver
        team = teams.found(giver, book, "Class 3b")
        company = people.register_organisation(Text("Tea Works", "茶厂"), "91530000TEA0000001")
        wish = Give(book, giver.id, 500, "CNY", "simulator", "k", team=team, device="d")
        gift = actions.give(wish).id
        promised = [actions.give(Give(book, giver.id, 500, "CNY", "simulator", f"k{n}")).id for n in range(2)]

        def pay(gift: uuid.UUID, reference: str = "r") -> Outcome | None:
            said = Callback("simulator", f"{gift} {reference}", book, gift, 500, "CNY", reference)
            with transaction.atomic(), prepared() as cursor:
                (outcome,) = payments.take_in(cursor, [said], NOW)
            return outcome

        assert pay(gift) is Outcome.PAID
        payouts.lay(book)
        with connection.cursor() as cursor:
            cursor.execute(BESIDE.format(book=book))
        waiting = iter(promised)
        shown = team_queries.one(book, team)
        until = {"book": book, "team": team, "until": NOW}

        def sum_of_team() -> None:
            with prepared() as cursor:
                cursor.execute(team_queries.SUM, until)

        yield {
            "a gift": lambda: gifts.gift(book, gift),
            "its trace": lambda: gifts.trace(book, gift),
            "its fees": lambda: fees.of_gift(book, gift),
            "its returns": lambda: returns.of_gift(book, gift),
            "its renewal": lambda: recurring.renewed_by(book, gift),
            "its cases": lambda: cases.of_gift(book, gift),
            "cases known": lambda: cases.known("ring", [(book, gift)]),
            "its shares of an order": lambda: orders.shares(book, gift, gift),
            "a card among gifts": lambda: cards.among({(book, gift)}),
            "its team": lambda: team_queries.of_gift(book, gift),
            "whether it has greeted": lambda: team_queries.has_greeted(book, gift),
            "the greetings of a team": lambda: team_queries.greetings(shown),
            "the sum of a team": sum_of_team,
            "the teams": lambda: team_queries.teams(book),
            "the report of a company": lambda: companies.report(company.id, 2026),
            "one's gifts": lambda: gifts.Gifts(giver.id)[0:20],
            "whether one has given": lambda: gifts.has_given(giver.id, book),
            "one's statement": lambda: givers.statement(giver.id, NOW - DAY, NOW + DAY),
            "one's years": lambda: givers.years(giver.id, "Asia/Shanghai"),
            "the last thanks": lambda: thanks.last(book),
            "giving": lambda: actions.give(Give(book, giver.id, 500, "CNY", "simulator", str(uuid.uuid4()))),
            "a payment": lambda: pay(next(waiting)),
            "a second payment": lambda: pay(gift, str(uuid.uuid4())),
        }
    connection.close()


def test_no_statement_reads_the_book_for_one_of_it(asked: dict[str, Callable[[], object]]) -> None:
    wrong = []
    for statistics in (False, True):
        if statistics:
            with connection.cursor() as cursor:
                cursor.execute("ANALYZE")
        for name, ask in asked.items():
            with clock.stopped(NOW), watched() as plans:
                ask()
            assert plans, name
            for plan in plans:
                wrong += [
                    f"{name}, {'with' if statistics else 'before'} statistics: {rows:,} rows by {where}: "
                    f"{' '.join(plan['Query Text'].split())[:300]}"
                    for where, rows in read(plan["Plan"])
                    if rows > MOST
                ]
    assert not wrong, "\n".join(wrong)
