"""The study as the public may see it, and one's own part in it."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from commonweal.kernel.sql import row, rows
from commonweal.services.forest.rules.study import Design


@dataclass(frozen=True, slots=True)
class Study:
    """A registered study; `synthetic` is a demonstration's, with made-up people."""

    design: Design
    synthetic: bool
    seed: bytes
    fact: uuid.UUID
    result: dict[str, Any] | None
    result_fact: uuid.UUID | None


STUDIES = """
SELECT s.key, s.begins, s.ends, s.weeks, s.waiting, s.least, s.synthetic, s.seed, s.fact, r.document,
       r.fact AS result_fact
FROM forest_study s LEFT JOIN forest_study_result r ON r.study = s.key
"""


def _study(found: dict[str, Any]) -> Study:
    design = Design(*(found[name] for name in ("key", "begins", "ends", "weeks", "waiting", "least")))
    result = json.loads(found["document"]) if found["document"] else None
    return Study(design, found["synthetic"], bytes(found["seed"]), found["fact"], result, found["result_fact"])


def studies() -> list[Study]:
    """Every study that was ever registered, newest first: none is left out because of what came of it."""
    return [_study(found) for found in rows(f"{STUDIES} ORDER BY s.begins DESC, s.key")]


def study(key: str) -> Study | None:
    """One study."""
    found = row(f"{STUDIES} WHERE s.key = %(key)s", {"key": key})
    return _study(found) if found else None


def joinable(at: datetime) -> Study | None:
    """The study that people can join now; a synthetic one takes nobody."""
    query = f"{STUDIES} WHERE NOT s.synthetic AND s.begins <= %(at)s AND %(at)s < s.ends ORDER BY s.begins LIMIT 1"
    found = row(query, {"at": at})
    return _study(found) if found else None


def counts(key: str) -> dict[bool, int]:
    """How many people are in each group, by whether they wait."""
    query = "SELECT waiting, count(*) AS n FROM forest_participant WHERE study = %(key)s GROUP BY waiting"
    found = {each["waiting"]: each["n"] for each in rows(query, {"key": key})}
    return {waiting: found.get(waiting, 0) for waiting in (False, True)}


def trips(key: str) -> dict[bool, list[int]]:
    """Trips that operators recorded of each person within their window, by whether they waited: grade A alone."""
    query = """
    SELECT p.waiting, count(d.event) AS trips
    FROM forest_participant p JOIN forest_study s ON s.key = p.study
    LEFT JOIN (
        forest_deed d JOIN forest_source o ON o.id = d.source AND o.grade = 'A'
        JOIN forest_method m ON m.id = d.method
        JOIN forest_kind k ON k.id = m.kind AND k.behaviour IN ('metro', 'bus', 'cycling')
    ) ON d.owner = p.person AND d.happened >= p.joined AND d.happened < p.joined + s.weeks * interval '7 days'
    WHERE p.study = %(key)s GROUP BY p.person, p.waiting ORDER BY p.person
    """
    found: dict[bool, list[int]] = {False: [], True: []}
    for each in rows(query, {"key": key}):
        found[each["waiting"]].append(each["trips"])
    return found


def waits_until(person: uuid.UUID, at: datetime) -> datetime | None:
    """Until when somebody's meadow is closed because they wait in a study; None if it is open."""
    query = """
    SELECT p.joined, s.weeks FROM forest_participant p JOIN forest_study s ON s.key = p.study
    WHERE p.person = %(person)s AND p.waiting
    """
    until = [each["joined"] + timedelta(weeks=each["weeks"]) for each in rows(query, {"person": person})]
    return max((moment for moment in until if moment > at), default=None)


def waiting(at: datetime) -> list[uuid.UUID]:
    """Everybody who waits now: their energy is gathered for them."""
    query = """
    SELECT p.person FROM forest_participant p JOIN forest_study s ON s.key = p.study
    WHERE p.waiting AND %(at)s < p.joined + s.weeks * interval '7 days'
    """
    return [each["person"] for each in rows(query, {"at": at})]


def takes_part(person: uuid.UUID, key: str) -> bool:
    """Whether somebody takes part."""
    query = "SELECT 1 AS yes FROM forest_participant WHERE person = %(person)s AND study = %(key)s"
    return row(query, {"person": person, "key": key}) is not None
