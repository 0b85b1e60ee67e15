"""Surveys of a plot: the commitment, the draw, the counts and what they came to."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from commonweal.kernel.errors import NotFound
from commonweal.kernel.parties.people import OFFICER, STEWARD
from commonweal.kernel.sql import row, rows
from commonweal.kernel.text import Text


@dataclass(frozen=True, slots=True)
class Draw:
    """Which sub-plots: drawn from the seed and the root of the checkpoint of `size` leaves, `population` have trees."""

    seed: bytes
    size: int
    root: bytes
    planted: int
    population: int
    chosen: list[int]
    substitutes: list[int]
    fact: uuid.UUID
    at: datetime


@dataclass(frozen=True, slots=True)
class Count:
    """What was found in a sub-plot; diameters in millimetres."""

    subplot: int
    planted: int
    alive: int
    diameters: list[int]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a survey came to; shares in parts of a million, `counted` per mille of certificates until `replant` trees
    are planted again, `due` until when."""

    planted: int
    survival: int
    low: int
    high: int
    error: int
    replant: int
    counted: int
    due: date | None
    fact: uuid.UUID
    duty: uuid.UUID | None
    at: datetime

    @property
    def alive(self) -> int:
        """Trees alive at least."""
        return self.planted * self.low // 1_000_000


@dataclass(frozen=True, slots=True)
class Survey:
    """A survey; its id is the leaf of the commitment."""

    id: uuid.UUID
    plot: int
    code: str
    commitment: bytes
    wanted: int
    at: datetime
    draw: Draw | None
    counts: list[Count]
    outcome: Outcome | None

    @property
    def complete(self) -> bool:
        """Whether every sub-plot is counted."""
        return len(self.counts) >= self.wanted

    @property
    def to_count(self) -> list[int]:
        """Sub-plots that were drawn and are not counted, and the next substitute."""
        if self.draw is None or self.complete or self.outcome:
            return []
        counted = {each.subplot for each in self.counts}
        return [each for each in (*self.draw.chosen, *self.draw.substitutes) if each not in counted]


def survey(id: uuid.UUID) -> Survey:
    """One survey. Raises `NotFound` (`survey.unknown`)."""
    query = """
        SELECT s.id, s.plot, p.code, s.commitment, s.seed, s.wanted, s.at FROM forest_survey s
        JOIN forest_plot p ON p.id = s.plot WHERE s.id = %(id)s"""
    found = row(query, {"id": id})
    if found is None:
        raise NotFound("survey.unknown", Text("There is no such survey.", "没有这次调查。"))
    seed = bytes(found.pop("seed"))
    found["commitment"] = bytes(found["commitment"])
    counts = "SELECT subplot, planted, alive, diameters FROM forest_count WHERE survey = %(id)s ORDER BY subplot"
    return Survey(
        **found,
        draw=_draw(id, seed),
        counts=[Count(**each) for each in rows(counts, {"id": id})],
        outcome=_outcome(id),
    )


def _draw(id: uuid.UUID, seed: bytes) -> Draw | None:
    query = """
        SELECT size, root, planted, population, chosen, substitutes, fact, at FROM forest_draw WHERE survey = %(id)s"""
    found = row(query, {"id": id})
    # Until it is drawn, nobody may read the seed.
    return Draw(seed=seed, **(found | {"root": bytes(found["root"])})) if found else None


def _outcome(id: uuid.UUID) -> Outcome | None:
    query = """
        SELECT planted, survival, low, high, error, replant, counted, due, fact, duty, at
        FROM forest_outcome WHERE survey = %(id)s"""
    found = row(query, {"id": id})
    return Outcome(**found) if found else None


@dataclass(frozen=True, slots=True)
class Listed:
    """A survey in a list."""

    id: uuid.UUID
    code: str
    at: datetime
    drawn: bool
    counted: int
    wanted: int
    low: int | None


def surveys(plot: int | None = None, *, only_open: bool = False) -> list[Listed]:
    """Surveys, newest first: all, of a plot, those under way."""
    query = """
        SELECT s.id, p.code, s.at, d.survey IS NOT NULL AS drawn, s.wanted, o.low,
               (SELECT count(*) FROM forest_count c WHERE c.survey = s.id) AS counted
        FROM forest_survey s JOIN forest_plot p ON p.id = s.plot
        LEFT JOIN forest_draw d ON d.survey = s.id LEFT JOIN forest_outcome o ON o.survey = s.id
        WHERE (%(plot)s::bigint IS NULL OR s.plot = %(plot)s) AND NOT (%(open)s AND o.survey IS NOT NULL)
        ORDER BY s.at DESC LIMIT 200"""
    return [Listed(**found) for found in rows(query, {"plot": plot, "open": only_open})]


def seed_of(id: uuid.UUID) -> bytes:
    """The seed of a survey, for the draw alone."""
    found: dict[str, Any] = row("SELECT seed FROM forest_survey WHERE id = %(id)s", {"id": id}) or {}
    return bytes(found["seed"])


@dataclass(frozen=True, slots=True)
class Overdue:
    """A duty whose day has passed."""

    survey: uuid.UUID
    plot: str
    partner: uuid.UUID
    owed: int
    due: date


def overdue(today: date) -> list[Overdue]:
    """Duties to replant that are past their day and have not been said to be so."""
    query = """
        SELECT n.survey, n.code AS plot, s.partner, n.replant - n.replanted AS owed, n.due
        FROM forest_numbers n JOIN forest_ground g ON g.plot = n.plot JOIN forest_site s ON s.id = g.site
        WHERE n.due < %(today)s AND n.replanted < n.replant
          AND NOT EXISTS (SELECT FROM forest_overdue v WHERE v.survey = n.survey)"""
    return [Overdue(**found) for found in rows(query, {"today": today})]


def officers(partner: uuid.UUID) -> list[uuid.UUID]:
    """Who acts for an organisation."""
    return _granted(OFFICER, partner)


def stewards() -> list[uuid.UUID]:
    """Every steward."""
    return _granted(STEWARD, None)


def _granted(role: str, within: uuid.UUID | None) -> list[uuid.UUID]:
    query = """
        SELECT party_id FROM parties_grant
        WHERE role = %(role)s AND within_id IS NOT DISTINCT FROM %(within)s AND revoked_at IS NULL"""
    return [found["party_id"] for found in rows(query, {"role": role, "within": within})]


def owners(plot: int) -> list[uuid.UUID]:
    """Whose trees stand, or are to stand, in a plot."""
    query = "SELECT DISTINCT owner FROM forest_certificate WHERE plot = %(plot)s"
    return [found["owner"] for found in rows(query, {"plot": plot})]
