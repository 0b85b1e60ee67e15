"""Paying out the host's own income: a steward asks, two others agree, the money leaves once."""

from __future__ import annotations

import uuid

from django.db import connection, transaction

from commonweal.kernel import clock
from commonweal.kernel.errors import Conflict
from commonweal.kernel.ids import derived
from commonweal.kernel.jobs import enqueue
from commonweal.kernel.ledger import Leg, Transfer, post, request_hash
from commonweal.kernel.ledger.books import check_key
from commonweal.kernel.parties import people
from commonweal.kernel.parties.models import Party
from commonweal.kernel.proof import Fact, append
from commonweal.kernel.text import Text
from commonweal.services.giving.actions import books, line
from commonweal.services.giving.queries import incomes as queries
from commonweal.services.giving.queries.campaigns import unknown
from commonweal.services.giving.rules import incomes as rules
from commonweal.services.giving.rules import texts


def ask(steward: Party, campaign: uuid.UUID, amount: int, what: Text, key: str) -> uuid.UUID:
    """Ask for what the host has earned in a book; the same key again is the same request.

    Raises `NotAllowed` for anybody but a steward, `NotFound` (`campaign.unknown`), `Conflict` (`key.reused`), what
    `rules.incomes.check_amount` raises, and `Invalid` for the words.
    """
    people.require_role(steward, people.STEWARD)
    what, now = texts.both(what.en, what.zh, "what", 400), clock.now()
    id = derived(campaign, f"income:{steward.id}:{check_key(key)}")
    with transaction.atomic(), connection.cursor() as cursor:
        line.lock(cursor, campaign)
        if known := queries.find(campaign, id):
            if known.amount != amount:
                raise Conflict(
                    "key.reused",
                    Text("This key was used for another request.", "这个幂等键已用于另一项申请。"),
                    field="key",
                )
            return id
        there = queries.earned(campaign)
        if there is None:
            raise unknown()
        rules.check_amount(amount, there.free)
        fields = {"campaign": str(campaign), "income": str(id), "amount": amount, "asset": there.asset.code}
        fact = Fact("giving.income", now, fields | {"word": "asked", "steward": str(steward.id)})
        cursor.execute(
            """
            INSERT INTO giving_income (book, id, amount, what_en, what_zh, asked_by, fact, at)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
            """,
            [campaign, id, amount, what.en, what.zh, steward.id, fact.id, now],
        )
        append(cursor, fact)
    return id


def judge(steward: Party, campaign: uuid.UUID, id: uuid.UUID, *, approves: bool, note: str = "") -> rules.State:
    """A steward who has not asked agrees or declines; the second yes lets it be paid.

    Raises `NotFound` (`income.unknown`), what `rules.incomes.check_word` raises, and `Invalid` for a no without a note.
    """
    people.require_role(steward, people.STEWARD)
    note, now = texts.check(note, "note", 1000, lines=True) if note or not approves else "", clock.now()
    with transaction.atomic(), connection.cursor() as cursor:
        line.lock(cursor, campaign)
        found = queries.one(campaign, id)
        rules.check_word(found.asked_by, found.approved_by, steward.id, found.state)
        word = "approved" if approves else "declined"
        fields = {"campaign": str(campaign), "income": str(id), "word": word, "steward": str(steward.id)}
        fact = Fact("giving.income", now, fields)
        cursor.execute(
            """
            INSERT INTO giving_income_word (book, id, steward, approves, note, fact, at)
            VALUES (%s, %s, %s, %s, %s, %s, %s)
            """,
            [campaign, id, steward.id, approves, note, fact.id, now],
        )
        append(cursor, fact)
        state = queries.one(campaign, id).state
        if state is rules.State.APPROVED:
            enqueue("giving.pay_income", campaign=str(campaign), id=str(id))
    return state


def pay(campaign: uuid.UUID, id: uuid.UUID) -> None:
    """Pay out what two people have agreed to, once.

    Raises `Conflict` (`income.not-approved`), and `income.above` if the host has less by now: nothing moves then.
    """
    now = clock.now()
    with transaction.atomic(), connection.cursor() as cursor:
        line.lock(cursor, campaign)
        found = queries.one(campaign, id)
        if found.state is rules.State.PAID:
            return
        if found.state is not rules.State.APPROVED:
            raise Conflict(
                "income.not-approved", Text("This needs the yes of two people.", "该申请须经两位审核员批准。")
            )
        there = queries.earned(campaign)
        assert there is not None
        rules.check_amount(found.amount, rules.free(there.earned, there.borne))
        asset, amount = found.asset.code, found.amount
        legs = (Leg(books.host(campaign, asset).id, amount), *books.out(cursor, campaign, asset, amount))
        transfer = Transfer(campaign, f"income {id}", request_hash("income", str(id)), "giving.income", legs, now)
        post(cursor, [transfer])
        fields = {"campaign": str(campaign), "income": str(id), "amount": amount, "asset": asset, "word": "paid"}
        fact = Fact("giving.income", now, fields)
        cursor.execute(
            "INSERT INTO giving_income_paid (book, id, transfer, fact, at) VALUES (%s, %s, %s, %s, %s)",
            [campaign, id, transfer.id, fact.id, now],
        )
        append(cursor, fact)
