"""Where deeds come from: our own doors, and partners with their keys; and how a source knows a person."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from commonweal.kernel.errors import NotFound
from commonweal.kernel.sql import row, rows
from commonweal.kernel.text import Text
from commonweal.services.forest.rules.evidence import Grade


@dataclass(frozen=True, slots=True)
class Source:
    """A source of deeds and the grade of its evidence. `party` is the partner's organisation; None is our own door."""

    id: int
    key: str
    grade: Grade
    title: Text
    party: uuid.UUID | None
    since: datetime | None
    ended_at: datetime | None


SOURCE = "SELECT id, key, grade, title_en, title_zh, party, since, ended_at FROM forest_source s"


def _source(found: dict[str, object]) -> Source:
    title = Text(str(found.pop("title_en")), str(found.pop("title_zh")))
    return Source(**found, title=title)  # type: ignore[arg-type]


def unknown() -> NotFound:
    """There is no such source."""
    return NotFound("source.unknown", Text("There is no such source.", "没有这个来源。"))


def source(key: str) -> Source:
    """The source of this key. Raises `NotFound` (`source.unknown`)."""
    found = row(f"{SOURCE} WHERE key = %(key)s", {"key": key})
    if found is None:
        raise unknown()
    return _source(found)


def partners() -> list[Source]:
    """The partners that report now, by name."""
    query = f"{SOURCE} WHERE party IS NOT NULL AND ended_at IS NULL ORDER BY title_en"
    return [_source(found) for found in rows(query)]


def of_party(parties: Iterable[uuid.UUID]) -> list[Source]:
    """The sources of organisations."""
    query = f"{SOURCE} WHERE party = ANY(%(parties)s) ORDER BY key"
    return [_source(found) for found in rows(query, {"parties": list(parties)})]


def signer(key: uuid.UUID) -> tuple[Source, bytes] | None:
    """The source that signs with this key, and the key's public half; None if it is unknown, revoked or over."""
    found = row(
        """
        SELECT s.id, s.key, grade, title_en, title_zh, party, since, ended_at, k.public
        FROM forest_source_key k JOIN forest_source s ON s.id = k.source
        WHERE k.id = %(key)s AND k.revoked_at IS NULL AND s.ended_at IS NULL
        """,
        {"key": key},
    )
    if found is None:
        return None
    public = bytes(found.pop("public"))
    return _source(found), public


def owners(source: int, subjects: Iterable[uuid.UUID]) -> dict[uuid.UUID, uuid.UUID]:
    """The people whom a source knows under these names."""
    query = "SELECT subject, owner FROM forest_link WHERE source = %(source)s AND subject = ANY(%(subjects)s)"
    return {link["subject"]: link["owner"] for link in rows(query, {"source": source, "subjects": list(subjects)})}


@dataclass(frozen=True, slots=True)
class Connection:
    """A partner, and under which name it knows somebody, if they are connected."""

    source: Source
    subject: uuid.UUID | None


def connections(owner: uuid.UUID) -> list[Connection]:
    """All partners, and whether somebody is connected with each."""
    query = "SELECT source, subject FROM forest_link WHERE owner = %(owner)s"
    known = {link["source"]: link["subject"] for link in rows(query, {"owner": owner})}
    return [Connection(partner, known.get(partner.id)) for partner in partners()]
