"""Exchanges of minutes between members: one, those of a member, those that wait, those in dispute."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from commonweal.kernel.errors import NotFound
from commonweal.kernel.sql import row, rows
from commonweal.kernel.text import Text
from commonweal.services.giving.rules import banks as rules


@dataclass(frozen=True, slots=True)
class Party:
    """One side of an exchange."""

    member: uuid.UUID
    person: uuid.UUID
    number: int
    bank: uuid.UUID
    bank_name: Text
    left: bool


@dataclass(frozen=True, slots=True)
class Exchange:
    """Minutes from a payer, who was helped, to a payee, who helped."""

    book: uuid.UUID
    id: uuid.UUID
    payer: Party
    payee: Party
    alliance: uuid.UUID | None
    minutes: int
    category: str
    held: uuid.UUID | None
    at: datetime
    expires_at: datetime
    standing: rules.Standing
    ended_at: datetime | None
    fact: uuid.UUID | None
    claimed: int | None
    back: int | None
    borne: int | None
    back_fact: uuid.UUID | None

    @property
    def rule(self) -> rules.Exchange:
        """What decisions about it need."""
        return rules.Exchange(
            payer=self.payer.person,
            payee=self.payee.person,
            asked_by_payer=self.held is not None,
            minutes=self.minutes,
            standing=self.standing,
            expires_at=self.expires_at,
            confirmed_at=self.ended_at if self.fact else None,
        )

    @property
    def category_title(self) -> Text:
        """What the help was about, in words."""
        return rules.CATEGORIES[self.category]

    @property
    def standing_title(self) -> Text:
        """How far it has come, in words."""
        return rules.TITLES[self.standing]

    @property
    def counts(self) -> int:
        """Minutes that have moved and stayed."""
        return self.minutes - (self.back or 0) if self.fact else 0

    @property
    def asker(self) -> Party:
        """The side that has asked for it."""
        return self.payer if self.held else self.payee

    @property
    def other(self) -> Party:
        """The side that answers."""
        return self.payee if self.held else self.payer


EXCHANGE = """
    SELECT e.book, e.id, e.alliance, e.minutes, e.category, e.held, e.at, e.expires_at,
           f.id AS payer, f.person AS payer_person, f.number AS payer_number, f.left_at IS NOT NULL AS payer_left,
           t.id AS payee, t.person AS payee_person, t.number AS payee_number, t.left_at IS NOT NULL AS payee_left,
           e.payee_bank, fb.name_en AS payer_en, fb.name_zh AS payer_zh, tb.name_en AS payee_en,
           tb.name_zh AS payee_zh, d.outcome, d.at AS ended_at, d.fact, s.minutes AS claimed, r.minutes AS back,
           r.borne, r.fact AS back_fact
    FROM giving_exchange e
    JOIN giving_bank_member f ON f.id = e.payer JOIN giving_bank fb ON fb.id = e.book
    JOIN giving_bank_member t ON t.id = e.payee JOIN giving_bank tb ON tb.id = e.payee_bank
    LEFT JOIN giving_exchange_end d ON d.book = e.book AND d.id = e.id
    LEFT JOIN giving_exchange_dispute s ON s.book = e.book AND s.id = e.id
    LEFT JOIN giving_exchange_back r ON r.book = e.book AND r.id = e.id"""


def _exchange(found: dict[str, Any]) -> Exchange:
    def side(name: str, bank: uuid.UUID) -> Party:
        return Party(
            member=found[name],
            person=found[f"{name}_person"],
            number=found[f"{name}_number"],
            bank=bank,
            bank_name=Text(found[f"{name}_en"], found[f"{name}_zh"]),
            left=found[f"{name}_left"],
        )

    outcome = rules.Outcome(found["outcome"]) if found["outcome"] else None
    settled = found["back_fact"] is not None
    plain = ("book", "id", "alliance", "minutes", "category", "held", "at", "expires_at", "ended_at", "fact",
             "claimed", "back", "borne", "back_fact")  # fmt: skip
    return Exchange(
        payer=side("payer", found["book"]),
        payee=side("payee", found["payee_bank"]),
        standing=rules.standing(outcome, disputed=found["claimed"] is not None, settled=settled),
        **{name: found[name] for name in plain},
    )


def exchange(book: uuid.UUID, id: uuid.UUID) -> Exchange:
    """One exchange. Raises `NotFound` (`exchange.unknown`)."""
    found = row(f"{EXCHANGE} WHERE e.book = %(book)s AND e.id = %(id)s", {"book": book, "id": id})
    if found is None:
        raise unknown()
    return _exchange(found)


def unknown() -> NotFound:
    """No such exchange, or none that the asker may know of."""
    return NotFound("exchange.unknown", Text("There is no such exchange.", "没有这笔互助。"))


def of_member(member: uuid.UUID, limit: int = 100) -> list[Exchange]:
    """The exchanges of a member: those that wait, then the newest."""
    query = f"""{EXCHANGE} WHERE %(member)s IN (e.payer, e.payee)
                ORDER BY d.id IS NOT NULL, e.at DESC, e.id DESC LIMIT %(limit)s"""
    return [_exchange(found) for found in rows(query, {"member": member, "limit": limit})]


def waiting(member: uuid.UUID) -> list[Exchange]:
    """What a member has asked for or has to answer."""
    query = f"{EXCHANGE} WHERE %(member)s IN (e.payer, e.payee) AND d.id IS NULL ORDER BY e.at, e.id"
    return [_exchange(found) for found in rows(query, {"member": member})]


def asked(book: uuid.UUID, asking: uuid.UUID) -> list[Exchange]:
    """The exchanges of one asking; those whose payer is in another bank stand in other books."""
    query = f"""{EXCHANGE} JOIN giving_asking w ON w.id = e.asking
                WHERE w.book = %(book)s AND w.id = %(asking)s ORDER BY e.id"""
    return [_exchange(found) for found in rows(query, {"book": book, "asking": asking})]


def over(now: datetime, limit: int = 500) -> list[Exchange]:
    """What nobody has answered in time."""
    query = f"{EXCHANGE} WHERE d.id IS NULL AND e.expires_at <= %(now)s ORDER BY e.expires_at, e.id LIMIT %(limit)s"
    return [_exchange(found) for found in rows(query, {"now": now, "limit": limit})]


def open_dispute(member: uuid.UUID) -> bool:
    """Whether an exchange of a member is in dispute."""
    query = f"{EXCHANGE} WHERE %(member)s IN (e.payer, e.payee) AND s.id IS NOT NULL AND r.id IS NULL LIMIT 1"
    return row(query, {"member": member}) is not None


def disputes() -> list[Exchange]:
    """What waits for a steward, the oldest first."""
    query = f"{EXCHANGE} WHERE s.id IS NOT NULL AND r.id IS NULL ORDER BY s.at, e.id"
    return [_exchange(found) for found in rows(query, {})]
