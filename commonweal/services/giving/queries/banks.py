"""Time banks: who they are, their members and allies, and what their minutes were given for."""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography.exceptions import InvalidTag

from commonweal.kernel.errors import NotFound
from commonweal.kernel.ledger import Account
from commonweal.kernel.parties import cipher
from commonweal.kernel.sql import row, rows
from commonweal.kernel.text import Text
from commonweal.services.giving.rules import banks as rules
from commonweal.services.giving.rules.deeds import MINUTES

DEBIT, CREDIT = 1, -1


def member_account(bank: uuid.UUID, member: uuid.UUID, may_owe: int) -> Account:
    """What a bank owes a member; below zero the member owes the bank, down to its floor."""
    return Account(bank, f"member:{member}", MINUTES.code, CREDIT, floor=-may_owe)


def common_account(bank: uuid.UUID, may_bear: int) -> Account:
    """What members have left to all; below zero, what all bear for members who left owing."""
    return Account(bank, "common", MINUTES.code, CREDIT, floor=-may_bear)


def ally_account(bank: uuid.UUID, alliance: uuid.UUID, most: int) -> Account:
    """What an allied bank owes this one; below zero this one owes, down to the limit that both have agreed."""
    return Account(bank, f"ally:{alliance}", MINUTES.code, DEBIT, floor=-most)


@dataclass(frozen=True, slots=True)
class Bank:
    """A time bank."""

    id: uuid.UUID
    organisation: uuid.UUID
    organisation_name: Text
    name: Text
    may_owe: int
    may_bear: int
    members: int
    fact: uuid.UUID
    at: datetime


BANK = """
    SELECT b.*, o.name_en AS organisation_en, o.name_zh AS organisation_zh,
           (SELECT count(*) FROM giving_bank_member m
            WHERE m.bank = b.id AND m.admitted_at IS NOT NULL AND m.left_at IS NULL) AS members
    FROM giving_bank b JOIN parties_party o ON o.id = b.organisation"""


def _bank(found: dict[str, Any]) -> Bank:
    return Bank(
        id=found["id"],
        organisation=found["organisation"],
        organisation_name=Text(found["organisation_en"], found["organisation_zh"]),
        name=Text(found["name_en"], found["name_zh"]),
        may_owe=found["may_owe"],
        may_bear=found["may_bear"],
        members=found["members"],
        fact=found["fact"],
        at=found["at"],
    )


def banks() -> list[Bank]:
    """All banks, the oldest first."""
    return [_bank(found) for found in rows(f"{BANK} ORDER BY b.at, b.id", {})]


def bank(id: uuid.UUID) -> Bank:
    """One bank. Raises `NotFound` (`bank.unknown`)."""
    found = row(f"{BANK} WHERE b.id = %(id)s", {"id": id})
    if found is None:
        raise NotFound("bank.unknown", Text("There is no such time bank.", "没有这个时间银行。"))
    return _bank(found)


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody's membership. `name` is None where the reader need not know it, or nobody can any more."""

    id: uuid.UUID
    bank: uuid.UUID
    number: int
    person: uuid.UUID
    name: str | None
    asked_at: datetime
    admitted_at: datetime | None
    left_at: datetime | None

    @property
    def active(self) -> bool:
        """Whether they can exchange."""
        return self.admitted_at is not None and self.left_at is None


MEMBER = "SELECT id, bank, number, person, sealed, asked_at, admitted_at, left_at FROM giving_bank_member m"


def _members(found: Iterable[dict[str, Any]]) -> list[Member]:
    listed = list(found)
    keys = cipher.keys_of({each["person"] for each in listed})
    return [
        Member(**{name: value for name, value in each.items() if name != "sealed"}, name=_name(keys, each))
        for each in listed
    ]


def _name(keys: dict[uuid.UUID, bytes], found: dict[str, Any]) -> str | None:
    if key := keys.get(found["person"]):
        with suppress(InvalidTag):
            return str(json.loads(cipher.decrypt(key, bytes(found["sealed"]), found["person"].bytes)))
    return None


def member_of(bank: uuid.UUID, person: uuid.UUID) -> Member | None:
    """Somebody's membership in a bank, also one that is only asked for; None if there is none."""
    query = f"{MEMBER} WHERE bank = %(bank)s AND person = %(person)s AND left_at IS NULL"
    return next(iter(_members(rows(query, {"bank": bank, "person": person}))), None)


def member(id: uuid.UUID) -> Member:
    """One membership. Raises `NotFound` (`member.unknown`)."""
    found = listed([id]).get(id)
    if found is None:
        raise unknown_member()
    return found


def listed(ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Member]:
    """Memberships by their ids."""
    query = f"{MEMBER} WHERE id = ANY(%(ids)s::uuid[])"
    return {each.id: each for each in _members(rows(query, {"ids": list(ids)}))}


def by_number(bank: uuid.UUID, numbers: Collection[int]) -> dict[int, Member]:
    """The members of a bank who can exchange, by their numbers; others are left out."""
    query = f"""{MEMBER} WHERE bank = %(bank)s AND number = ANY(%(numbers)s::int[])
                AND admitted_at IS NOT NULL AND left_at IS NULL"""
    return {each.number: each for each in _members(rows(query, {"bank": bank, "numbers": list(numbers)}))}


def members(bank: uuid.UUID, *, waiting: bool = False) -> list[Member]:
    """The members of a bank, by number; with `waiting` those who have asked and are not admitted."""
    query = f"""{MEMBER} WHERE bank = %(bank)s AND left_at IS NULL AND (admitted_at IS NULL) = %(waiting)s
                ORDER BY number LIMIT 1000"""
    return _members(rows(query, {"bank": bank, "waiting": waiting}))


def unknown_member() -> NotFound:
    """No such member."""
    return NotFound("member.unknown", Text("There is no such member.", "没有这位成员。"))


def balances(accounts: Collection[Account]) -> dict[str, tuple[int, int]]:
    """By name: the posted balance of accounts with a floor, and what of it is free (above the floor and not promised).

    Accounts that nothing has been posted to are at zero.
    """
    query = """
        SELECT a.name, a.side * coalesce(sum(b.posted), 0)::bigint AS posted,
               coalesce(sum(CASE WHEN a.side = 1 THEN b.pending_credit ELSE b.pending_debit END), 0)::bigint AS held,
               a.floor
        FROM unnest(%(books)s::uuid[], %(ids)s::uuid[]) AS asked (book, id)
        JOIN ledger_account a ON a.book = asked.book AND a.id = asked.id
        LEFT JOIN ledger_balance b ON b.book = a.book AND b.account = a.id
        GROUP BY a.book, a.id, a.name, a.side, a.floor"""
    found = rows(query, {"books": [each.book for each in accounts], "ids": [each.id for each in accounts]})
    return {each["name"]: (each["posted"], each["posted"] - each["held"] - each["floor"]) for each in found}


def member_balances(bank: Bank, of: Collection[Member]) -> dict[uuid.UUID, tuple[int, int]]:
    """Balance and free minutes of members."""
    accounts = {each.id: member_account(bank.id, each.id, bank.may_owe) for each in of}
    found = balances(list(accounts.values()))
    return {id: found[account.name] for id, account in accounts.items() if account.name in found}


def common(bank: Bank) -> int:
    """What members have left to all, less what all bear."""
    account = common_account(bank.id, bank.may_bear)
    return balances([account]).get(account.name, (0, 0))[0]


@dataclass(frozen=True, slots=True)
class Alliance:
    """Two banks and their limit, as one of them (`mine`) sees it. `owed` is by the other; by this one if negative."""

    id: uuid.UUID
    mine: uuid.UUID
    other: uuid.UUID
    other_name: Text
    most: int
    proposed_by_me: bool
    proposed_at: datetime
    accepted_at: datetime | None
    ended_at: datetime | None
    owed: int = 0

    @property
    def open(self) -> bool:
        """Whether members can exchange under it."""
        return self.accepted_at is not None and self.ended_at is None

    @property
    def owes(self) -> int:
        """What this one owes; negative if it is owed."""
        return -self.owed

    @property
    def state_title(self) -> Text:
        """How far it has come, in words."""
        if self.ended_at:
            return Text("Ended", "已终止")
        return Text("Allied", "已结盟") if self.accepted_at else Text("Proposed", "待对方同意")


ALLIANCE = """
    SELECT a.id, %(bank)s::uuid AS mine, CASE WHEN a.one = %(bank)s THEN a.other ELSE a.one END AS other,
           o.name_en, o.name_zh, a.most, a.one = %(bank)s AS proposed_by_me, a.proposed_at, a.accepted_at, a.ended_at,
           coalesce((SELECT sum(b.posted) FROM ledger_account l JOIN ledger_balance b
                     ON b.book = l.book AND b.account = l.id
                     WHERE l.book = %(bank)s AND l.name = 'ally:' || a.id), 0)::bigint AS owed
    FROM giving_alliance a JOIN giving_bank o ON o.id = CASE WHEN a.one = %(bank)s THEN a.other ELSE a.one END
    WHERE %(bank)s IN (a.one, a.other)"""


def _alliance(found: dict[str, Any]) -> Alliance:
    return Alliance(other_name=Text(found.pop("name_en"), found.pop("name_zh")), **found)


def alliances(bank: uuid.UUID) -> list[Alliance]:
    """The alliances of a bank, proposed ones and those that ended while something is owed."""
    listed = [_alliance(each) for each in rows(f"{ALLIANCE} ORDER BY a.proposed_at, a.id", {"bank": bank})]
    return [each for each in listed if each.ended_at is None or each.owed]


def allied(bank: uuid.UUID, other: uuid.UUID) -> Alliance | None:
    """The alliance under which members of two banks exchange now, if there is one."""
    query = f"{ALLIANCE} AND %(other)s IN (a.one, a.other) AND a.accepted_at IS NOT NULL AND a.ended_at IS NULL"
    found = row(query, {"bank": bank, "other": other})
    return _alliance(found) if found else None


def alliance(bank: uuid.UUID, id: uuid.UUID) -> Alliance:
    """One alliance of a bank. Raises `NotFound` (`alliance.unknown`)."""
    found = row(f"{ALLIANCE} AND a.id = %(id)s", {"bank": bank, "id": id})
    if found is None:
        raise NotFound("alliance.unknown", Text("There is no such alliance.", "没有这个结盟。"))
    return _alliance(found)


@dataclass(frozen=True, slots=True)
class Line:
    """What a bank's members have given and got in a category, returns taken off. A sum, of which a part is with allies,
    is None if it or what it leaves of the other would tell on somebody: fewer than three people.
    """

    category: str
    exchanges: int
    people: int
    minutes: int | None
    with_allies: int | None

    @property
    def title(self) -> Text:
        """The category, in words."""
        return rules.CATEGORIES[self.category]


def report(bank: uuid.UUID) -> list[Line]:
    """What the minutes of a bank were for, the most first, then what is not told; an exchange between banks stands in
    both reports.
    """
    query = """
        SELECT x.category, count(*) AS exchanges, sum(x.minutes)::bigint AS minutes,
               coalesce(sum(x.minutes) FILTER (WHERE x.alliance IS NOT NULL), 0)::bigint AS with_allies,
               (SELECT count(DISTINCT p) FROM unnest(array_agg(x.payer) || array_agg(x.payee)) AS p) AS people,
               (SELECT count(DISTINCT p) FROM unnest(array_agg(x.payer) FILTER (WHERE x.alliance IS NOT NULL)
                || array_agg(x.payee) FILTER (WHERE x.alliance IS NOT NULL)) AS p) AS with_allies_people,
               (SELECT count(DISTINCT p) FROM unnest(array_agg(x.payer) FILTER (WHERE x.alliance IS NULL)
                || array_agg(x.payee) FILTER (WHERE x.alliance IS NULL)) AS p) AS others
        FROM (SELECT e.category, e.alliance, e.payer, e.payee, e.minutes - coalesce(r.minutes, 0) AS minutes
              FROM giving_exchange e
              JOIN giving_exchange_end d ON d.book = e.book AND d.id = e.id AND d.outcome = 'confirmed'
              LEFT JOIN giving_exchange_back r ON r.book = e.book AND r.id = e.id
              WHERE %(bank)s IN (e.book, e.payee_bank)) x
        WHERE x.minutes > 0 GROUP BY x.category"""
    found = [
        Line(
            each["category"],
            each["exchanges"],
            each["people"],
            rules.told(each["people"], each["minutes"]),
            rules.told_apart(each["with_allies_people"], each["others"], each["with_allies"]),
        )
        for each in rows(query, {"bank": bank})
    ]
    return sorted(found, key=lambda line: (-(line.minutes or 0), line.category))


def memberships(person: uuid.UUID) -> list[Member]:
    """The memberships of a person that are not over."""
    query = f"{MEMBER} WHERE person = %(person)s AND left_at IS NULL ORDER BY asked_at"
    return _members(rows(query, {"person": person}))
