"""Published grants, and the organisations that gave and got them."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import connection

from commonweal.kernel.errors import NotFound
from commonweal.kernel.quantity import Asset
from commonweal.kernel.sql import Found, row, rows
from commonweal.kernel.text import Text
from commonweal.services.giving.queries.campaigns import QUALIFICATION, asset_of
from commonweal.services.giving.rules import terms
from commonweal.services.giving.threesixty.writing import grant as written

GRANT = """
    SELECT g.book, g.id, g.identifier, g.title, g.description, g.amount, g.awarded, g.fact, g.recipient, c.asset,
           c.title_en AS programme_en, c.title_zh AS programme_zh, c.organisation_id AS funder,
           f.name_en AS funder_en, f.name_zh AS funder_zh, r.name_en AS recipient_en, r.name_zh AS recipient_zh
    FROM giving_grant g
    JOIN giving_campaign c ON c.id = g.book
    JOIN parties_party f ON f.id = c.organisation_id
    JOIN parties_party r ON r.id = g.recipient"""

CHUNK = 500
"""Grants that an export holds in memory at once."""


@dataclass(frozen=True, slots=True)
class Grant:
    """A grant: who gave what to whom, and its leaf in the public log. Its `id` is that of its transfer."""

    programme: uuid.UUID
    id: uuid.UUID
    identifier: str
    title: str
    description: str
    amount: int
    asset: Asset
    awarded: date
    fact: uuid.UUID
    programme_title: Text
    funder: uuid.UUID
    funder_name: Text
    recipient: uuid.UUID
    recipient_name: Text


def _grant(found: dict[str, Any]) -> Grant:
    return Grant(
        programme=found["book"],
        id=found["id"],
        identifier=found["identifier"],
        title=found["title"],
        description=found["description"],
        amount=found["amount"],
        asset=asset_of(found["asset"]),
        awarded=found["awarded"],
        fact=found["fact"],
        programme_title=Text(found["programme_en"], found["programme_zh"]),
        funder=found["funder"],
        funder_name=Text(found["funder_en"], found["funder_zh"]),
        recipient=found["recipient"],
        recipient_name=Text(found["recipient_en"], found["recipient_zh"]),
    )


@dataclass(frozen=True)
class Grants(Found[Grant]):
    """Grants that fit, newest first."""

    words: str = ""
    funder: uuid.UUID | None = None
    recipient: uuid.UUID | None = None
    programme: uuid.UUID | None = None

    @property
    def _where(self) -> str:
        conditions = ["true"]
        if terms.query(self.words):
            conditions.append("g.search @@ %(words)s::tsquery")
        if self.funder:
            conditions.append("g.book IN (SELECT id FROM giving_campaign WHERE organisation_id = %(funder)s)")
        if self.recipient:
            conditions.append("g.recipient = %(recipient)s")
        if self.programme:
            conditions.append("g.book = %(programme)s")
        return " AND ".join(conditions)

    @property
    def _values(self) -> dict[str, Any]:
        return {
            "words": terms.query(self.words),
            "funder": self.funder,
            "recipient": self.recipient,
            "programme": self.programme,
        }

    def __len__(self) -> int:
        found = row(f"SELECT count(*) AS number FROM giving_grant g WHERE {self._where}", self._values)
        return int(found["number"]) if found else 0

    def part(self, skip: int, most: int) -> list[Grant]:
        query = f"{GRANT} WHERE {self._where} ORDER BY g.awarded DESC, g.id LIMIT %(most)s OFFSET %(skip)s"
        return [_grant(found) for found in rows(query, self._values | {"skip": skip, "most": most})]

    def totals(self) -> list[tuple[Asset, int]]:
        """The sum in each currency, in smallest units."""
        query = f"""
            SELECT c.asset, sum(g.amount)::bigint AS amount FROM giving_grant g
            JOIN giving_campaign c ON c.id = g.book WHERE {self._where} GROUP BY c.asset ORDER BY c.asset"""
        return [(asset_of(found["asset"]), found["amount"]) for found in rows(query, self._values)]


def grant(programme: uuid.UUID, id: uuid.UUID) -> Grant:
    """One grant. Raises `NotFound` (`grant.unknown`)."""
    found = row(f"{GRANT} WHERE g.book = %(book)s AND g.id = %(id)s", {"book": programme, "id": id})
    if found is None:
        raise NotFound("grant.unknown", Text("There is no such grant.", "没有这笔资助。"))
    return _grant(found)


def known(identifiers: Sequence[str]) -> dict[str, bytes]:
    """Those of these identifiers that are here already, with the digest of what their row said."""
    query = "SELECT identifier, digest FROM giving_grant WHERE identifier = ANY(%(identifiers)s)"
    return {found["identifier"]: bytes(found["digest"]) for found in rows(query, {"identifiers": list(identifiers)})}


def organisations(identifiers: Sequence[str]) -> dict[str, uuid.UUID]:
    """The parties that are recognised by these identifiers."""
    query = "SELECT identifier, party_id FROM giving_organisation WHERE identifier = ANY(%(identifiers)s)"
    return {found["identifier"]: found["party_id"] for found in rows(query, {"identifiers": list(identifiers)})}


def programmes(ids: Sequence[uuid.UUID]) -> set[uuid.UUID]:
    """Those of these programmes that are here already."""
    return {found["id"] for found in rows("SELECT id FROM giving_campaign WHERE id = ANY(%(ids)s)", {"ids": list(ids)})}


def exported() -> Iterator[dict[str, Any]]:
    """Every grant in the form of 360Giving, in the order in which they came; read as it is written out."""
    query = """
        SELECT g.identifier AS id, g.title, g.description, g.amount, c.asset, g.awarded, g.record
        FROM giving_grant g JOIN giving_campaign c ON c.id = g.book ORDER BY g.at, g.book, g.id"""
    with connection.chunked_cursor() as cursor:
        cursor.execute(query)
        while chunk := cursor.fetchmany(CHUNK):
            for id, title, description, amount, asset, awarded, record in chunk:
                yield written(
                    id=id,
                    title=title,
                    description=description,
                    amount=amount,
                    asset=asset_of(asset),
                    awarded=awarded,
                    record=json.loads(record),
                )


@dataclass(frozen=True, slots=True)
class Organisation:
    """An organisation's public face."""

    id: uuid.UUID
    name: Text
    registration: str
    about: Text | None
    contact: str
    qualified_until: date | None


def unknown_organisation() -> NotFound:
    """There is no such organisation, or one does not act for it."""
    return NotFound("organisation.unknown", Text("There is no such organisation.", "没有这个机构。"))


def organisation(id: uuid.UUID) -> Organisation:
    """One organisation. Raises `NotFound` (`organisation.unknown`)."""
    query = """
        SELECT o.id, o.name_en, o.name_zh, o.registration, g.about_en, g.about_zh, g.contact, q.valid_until
        FROM giving_organisation g JOIN parties_party o ON o.id = g.party_id
        LEFT JOIN LATERAL (SELECT c.valid_until FROM parties_credential c
                           WHERE c.holder_id = o.id AND c.kind = %(kind)s AND c.revoked_at IS NULL
                             AND (SELECT count(*) FROM parties_attestation a WHERE a.credential_id = c.id) >= 2
                           ORDER BY c.valid_from DESC LIMIT 1) q ON true
        WHERE g.party_id = %(id)s"""
    found = row(query, {"id": id, "kind": QUALIFICATION})
    if found is None:
        raise unknown_organisation()
    about = Text(found["about_en"], found["about_zh"]) if found["about_en"] and found["about_zh"] else None
    return Organisation(
        id=found["id"],
        name=Text(found["name_en"], found["name_zh"]),
        registration=found["registration"] or "",
        about=about,
        contact=found["contact"],
        qualified_until=found["valid_until"],
    )
