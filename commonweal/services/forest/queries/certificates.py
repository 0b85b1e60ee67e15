"""Certificates: whose they are, where their tree stands, and what is known of it now. Their state is nowhere stored."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from commonweal.kernel.errors import NotFound
from commonweal.kernel.sql import Found, row, rows
from commonweal.kernel.text import Text
from commonweal.services.forest.planting import degrees
from commonweal.services.forest.rules.certificates import Number, parse_number
from commonweal.services.forest.rules.trees import State, state


@dataclass(frozen=True, slots=True)
class Certificate:
    """A promise of a place. `fact` is its leaf; `planted` is when the partner says that its tree was set, `counted`
    per mille of it count now (`rules.certificates.duty`), `captures` are photographs of this very place."""

    fact: uuid.UUID
    owner: uuid.UUID
    plot: str
    season: str
    half: str
    species: str
    species_name: Text
    site: Text
    place: Text
    seq: int
    grams: int
    at: datetime
    longitude: float
    latitude: float
    planted: date | None
    captures: int
    surveyed: bool
    counted: int
    cleared: int

    @property
    def number(self) -> Number:
        """As it is written: `CF12-2027S-000042-K`."""
        return Number(self.plot, self.half, self.seq)

    @property
    def state(self) -> State:
        """What is true of it now."""
        return state(
            planted=self.planted is not None,
            captured=self.captures > 0,
            surveyed=self.surveyed,
            counted=self.counted,
            cleared=self.cleared,
        )


CERTIFICATE = """
    SELECT c.ask AS fact, c.owner, n.code AS plot, n.season, s.half, s.species, f.name_en, f.name_zh,
           t.name_en AS site_en, t.name_zh AS site_zh, t.place_en, t.place_zh, c.seq, c.grams, c.at, p.x, p.y,
           (SELECT day FROM forest_planting g WHERE g.plot = c.plot AND g.duty IS NULL AND g.span @> c.seq) AS planted,
           (SELECT count(*) FROM forest_capture k LEFT JOIN forest_capture_word w ON w.capture = k.id
            WHERE k.plot = c.plot AND k.seq = c.seq AND coalesce(w.counts, k.exif <> 'contradicts')) AS captures,
           n.survey IS NOT NULL AS surveyed, n.counted, n.cleared
    FROM forest_certificate c JOIN forest_numbers n ON n.plot = c.plot JOIN forest_season s ON s.key = n.season
    JOIN forest_species f ON f.key = s.species JOIN forest_ground g ON g.plot = c.plot
    JOIN forest_site t ON t.id = g.site JOIN forest_position p ON p.plot = c.plot AND p.seq = c.seq"""


def _certificate(found: dict[str, Any]) -> Certificate:
    found["species_name"] = Text(found.pop("name_en"), found.pop("name_zh"))
    found["site"] = Text(found.pop("site_en"), found.pop("site_zh"))
    found["place"] = Text(found.pop("place_en"), found.pop("place_zh"))
    found["longitude"], found["latitude"] = degrees(found.pop("x") + 0.5, found.pop("y") + 0.5)
    return Certificate(**found)


def by_fact(fact: uuid.UUID) -> Certificate | None:
    """The certificate of a leaf."""
    found = row(f"{CERTIFICATE} WHERE c.ask = %(fact)s", {"fact": fact})
    return _certificate(found) if found else None


def at(plot: int, seq: int) -> Certificate:
    """The certificate of a position that was promised."""
    return _certificate(
        row(f"{CERTIFICATE} WHERE c.plot = %(plot)s AND c.seq = %(seq)s", {"plot": plot, "seq": seq}) or {}
    )


def by_number(text: str) -> Certificate:
    """The certificate of this number. Raises `Invalid` (`certificate.number`), `NotFound` (`certificate.unknown`)."""
    number = parse_number(text)
    found = row(
        f"{CERTIFICATE} WHERE n.code = %(plot)s AND c.seq = %(seq)s AND s.half = %(half)s",
        {"plot": number.plot, "seq": number.seq, "half": number.season},
    )
    if found is None:
        raise NotFound("certificate.unknown", Text("There is no such certificate.", "没有这张证书。"))
    return _certificate(found)


@dataclass(frozen=True, slots=True)
class Trees(Found[Certificate]):
    """The certificates of some owners (a person and their groves), newest first."""

    owners: Sequence[uuid.UUID]

    def __len__(self) -> int:
        query = "SELECT count(*) AS n FROM forest_certificate WHERE owner = ANY(%(owners)s)"
        return int((row(query, {"owners": list(self.owners)}) or {})["n"])

    def part(self, skip: int, most: int) -> list[Certificate]:
        """Some of them."""
        query = (
            f"{CERTIFICATE} WHERE c.owner = ANY(%(owners)s) ORDER BY c.at DESC, c.ask LIMIT %(most)s OFFSET %(skip)s"
        )
        return [_certificate(each) for each in rows(query, {"owners": list(self.owners), "most": most, "skip": skip})]
