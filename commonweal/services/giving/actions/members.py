"""Members of a time bank: joining, admitting, leaving."""

from __future__ import annotations

import uuid

from django.db import connection, transaction

from commonweal.kernel import clock
from commonweal.kernel.errors import Conflict, NotAllowed
from commonweal.kernel.ids import uuid7
from commonweal.kernel.ledger import Transfer, open_accounts, post, request_hash
from commonweal.kernel.parties import cipher
from commonweal.kernel.parties.models import Party
from commonweal.kernel.proof.log import Cursor
from commonweal.kernel.text import Text
from commonweal.services.giving.actions import books, exchanges
from commonweal.services.giving.actions.banks import officer_of
from commonweal.services.giving.queries import banks as queries
from commonweal.services.giving.queries import exchanges as exchange_queries
from commonweal.services.giving.rules import banks as rules
from commonweal.services.giving.rules import texts


@transaction.atomic
def join(person: Party, bank: uuid.UUID, name: str) -> uuid.UUID:
    """Ask to be a member, under a name that only members see; returns the membership. Twice is once.

    Raises `NotFound` (`bank.unknown`) and `Invalid` (`text.*`).
    """
    name = texts.check(name, "name", rules.LONGEST_NAME)
    id, sealed = uuid7(), cipher.seal_for(person.id, name)
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM giving_bank WHERE id = %s FOR UPDATE", [bank])  # numbers follow one another
        queries.bank(bank)
        if known := queries.member_of(bank, person.id):
            return known.id
        cursor.execute(
            """
            INSERT INTO giving_bank_member (id, bank, number, person, sealed, asked_at)
            SELECT %s, %s, coalesce(max(number), 0) + 1, %s, %s, %s FROM giving_bank_member WHERE bank = %s
            """,
            [id, bank, person.id, sealed, clock.now(), bank],
        )
    return id


@transaction.atomic
def admit(officer: Party, bank: uuid.UUID, member: uuid.UUID) -> None:
    """Let somebody in, once: from now on they can exchange, and owe as much as the bank has stated.

    Raises `NotAllowed` (also for oneself: `member.own`) and `NotFound` (`member.unknown`).
    """
    there = officer_of(officer, bank)
    with connection.cursor() as cursor:
        asked = locked(cursor, bank, member)
        if asked.person == officer.id:
            raise NotAllowed("member.own", Text("Another officer has to admit you.", "须由其他负责人批准。"))
        if asked.admitted_at is None:
            cursor.execute(
                "UPDATE giving_bank_member SET admitted_at = %s, admitted_by = %s WHERE id = %s",
                [clock.now(), officer.id, member],
            )
            open_accounts(cursor, [queries.member_account(bank, member, there.may_owe)])


@transaction.atomic
def leave(person: Party, bank: uuid.UUID) -> None:
    """Leave a bank. What is owed to one is left to all; what waits is withdrawn or declined.

    Raises `NotFound` (`member.unknown`) and `Conflict` with `member.disputed`, or `member.owes` for whoever owes: they
    help, or an officer releases them.
    """
    member = queries.member_of(bank, person.id)
    if member is None:
        raise queries.unknown_member()
    with connection.cursor() as cursor:
        _close(cursor, queries.bank(bank), locked(cursor, bank, member.id), bears=False)


@transaction.atomic
def release(officer: Party, bank: uuid.UUID, member: uuid.UUID) -> None:
    """An officer lets somebody go, or turns them away who have asked; what they owe is borne by all.

    Raises `NotAllowed` (also for oneself: `member.own`), `NotFound`, `Conflict` (`member.disputed`) and `Overdrawn` for
    more than the bank has stated that it bears.
    """
    there = officer_of(officer, bank)
    with connection.cursor() as cursor:
        found = locked(cursor, bank, member)
        if found.person == officer.id:
            raise NotAllowed("member.own", Text("Another officer has to do this.", "须由其他负责人操作。"))
        _close(cursor, there, found, bears=True)


def erase(person: uuid.UUID) -> None:
    """End the memberships of a person who is being forgotten. What nobody can bear stays as it is, and stated."""
    for member in queries.memberships(person):
        with connection.cursor() as cursor:
            there, found = queries.bank(member.bank), locked(cursor, member.bank, member.id)
            exchanges.end_waiting(cursor, found.id)
            balance, _ = queries.member_balances(there, [found]).get(found.id, (0, 0))
            common = queries.common_account(there.id, there.may_bear)
            free = queries.balances([common])[common.name][1]
            _level(cursor, there, found, max(balance, -free))
            _left(cursor, found)


def locked(cursor: Cursor, bank: uuid.UUID, member: uuid.UUID) -> queries.Member:
    """A membership that is not over, for a change. Raises `NotFound` (`member.unknown`)."""
    cursor.execute(
        "SELECT FROM giving_bank_member WHERE id = %s AND bank = %s AND left_at IS NULL FOR UPDATE", [member, bank]
    )
    if cursor.fetchone() is None:
        raise queries.unknown_member()
    return queries.member(member)


def _close(cursor: Cursor, bank: queries.Bank, member: queries.Member, *, bears: bool) -> None:
    if exchange_queries.open_dispute(member.id):
        raise Conflict("member.disputed", Text("A dispute has to be decided first.", "须先处理完互助申诉。"))
    exchanges.end_waiting(cursor, member.id)
    balance, _ = queries.member_balances(bank, [member]).get(member.id, (0, 0))
    if balance < 0 and not bears:
        raise Conflict(
            "member.owes",
            Text(
                "You owe {n} {n:minute|minutes}. Help somebody, or ask an officer to release you.",
                "您还欠 {n} 分钟。请先帮助他人，或请负责人为您办理退出。",
            ).format(n=-balance),
        )
    _level(cursor, bank, member, balance)
    _left(cursor, member)


def _level(cursor: Cursor, bank: queries.Bank, member: queries.Member, balance: int) -> None:
    """Bring the account of somebody who leaves to nothing (or nearer to it by `balance`)."""
    if not balance:
        return
    own = queries.member_account(bank.id, member.id, bank.may_owe)
    legs = books.move(own, queries.common_account(bank.id, bank.may_bear), balance)
    request = request_hash("leave", str(member.id))
    post(cursor, [Transfer(bank.id, f"leave {member.id}", request, "giving.leave", legs, clock.now())])


def _left(cursor: Cursor, member: queries.Member) -> None:
    cursor.execute("UPDATE giving_bank_member SET left_at = %s WHERE id = %s", [clock.now(), member.id])
