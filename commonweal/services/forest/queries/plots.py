"""Sites and plots: their ground, their numbers, who paid."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from commonweal.kernel.errors import NotFound
from commonweal.kernel.sql import row, rows
from commonweal.kernel.text import Text
from commonweal.services.forest.plots import Outline
from commonweal.services.forest.queries import seasons
from commonweal.services.forest.queries.seasons import Season
from commonweal.services.forest.rules.certificates import Numbers


@dataclass(frozen=True, slots=True)
class Site:
    """A stretch of land, and the organisation that plants there."""

    id: uuid.UUID
    partner: uuid.UUID
    partner_name: Text
    name: Text
    place: Text


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands against a plot: `replant` trees owed (of which `replanted`), by `due`; `counted` per mille of its
    certificates count now; `cleared` per mille of it were seen cleared since its last survey."""

    issued: int
    survey: uuid.UUID | None
    survival: int | None
    low: int | None
    high: int | None
    replant: int
    replanted: int
    due: datetime | None
    counted: int
    cleared: int

    @property
    def owed(self) -> int:
        """Trees still to be replanted."""
        return max(0, self.replant - self.replanted)


@dataclass(frozen=True, slots=True)
class Plot:
    """A plot of ours."""

    id: int
    code: str
    season: Season
    site: Site
    outline: Outline
    fact: uuid.UUID
    contracted_at: datetime
    numbers: Numbers
    standing: Standing
    subplots: int


SITE = """
    SELECT s.id, s.partner, s.name_en, s.name_zh, s.place_en, s.place_zh, o.name_en AS by_en, o.name_zh AS by_zh
    FROM forest_site s JOIN parties_party o ON o.id = s.partner"""


def _site(found: dict[str, Any]) -> Site:
    return Site(
        found["id"],
        found["partner"],
        Text(found["by_en"], found["by_zh"]),
        Text(found["name_en"], found["name_zh"]),
        Text(found["place_en"], found["place_zh"]),
    )


def site(id: uuid.UUID) -> Site:
    """One site. Raises `NotFound` (`site.unknown`)."""
    found = row(f"{SITE} WHERE s.id = %(id)s", {"id": id})
    if found is None:
        raise NotFound("site.unknown", Text("There is no such site.", "没有这个林场。"))
    return _site(found)


def sites(partner: uuid.UUID | None = None) -> list[Site]:
    """Every site, or those of one partner."""
    found = rows(
        f"{SITE} WHERE %(partner)s::uuid IS NULL OR s.partner = %(partner)s ORDER BY s.id", {"partner": partner}
    )
    return [_site(each) for each in found]


STANDING = ("issued", "survey", "survival", "low", "high", "replant", "replanted", "due", "counted", "cleared")
PLOT = """
    SELECT n.*, g.site, g.corners, g.area, g.fact, g.at AS contracted_at,
           (SELECT max(subplot) FROM forest_position WHERE plot = n.plot) AS subplots
    FROM forest_numbers n JOIN forest_ground g ON g.plot = n.plot"""


def _plots(query: str, values: dict[str, Any] | None = None) -> list[Plot]:
    found = rows(query, values)
    known_sites = {each.id: each for each in sites()} if found else {}
    known_seasons = {each.key: each for each in seasons.seasons()} if found else {}
    return [_plot(each, known_sites[each["site"]], known_seasons[each["season"]]) for each in found]


def _plot(found: dict[str, Any], site: Site, season: Season) -> Plot:
    corners = found["corners"]
    return Plot(
        id=found["plot"],
        code=found["code"],
        season=season,
        site=site,
        outline=Outline(tuple(zip(corners[::2], corners[1::2], strict=True)), found["area"]),
        fact=found["fact"],
        contracted_at=found["contracted_at"],
        numbers=Numbers(found["pledged"], found["funded"], found["planted"], found["verified"], found["alive"]),
        standing=Standing(**{name: found[name] for name in STANDING}),
        subplots=found["subplots"],
    )


def plots(season: str = "", site: uuid.UUID | None = None) -> list[Plot]:
    """Plots in order of their code: all, of a season, of a site."""
    return _plots(
        f"{PLOT} WHERE (%(season)s = '' OR n.season = %(season)s) AND (%(site)s::uuid IS NULL OR g.site = %(site)s) "
        "ORDER BY n.code",
        {"season": season, "site": site},
    )


def plot(code: str) -> Plot:
    """One plot by its code. Raises `NotFound` (`plot.unknown`)."""
    return _one(_plots(f"{PLOT} WHERE n.code = %(code)s", {"code": code}))


def plot_of(id: int) -> Plot:
    """One plot by its number. Raises `NotFound` (`plot.unknown`)."""
    return _one(_plots(f"{PLOT} WHERE n.plot = %(id)s", {"id": id}))


def _one(found: list[Plot]) -> Plot:
    if not found:
        raise NotFound("plot.unknown", Text("There is no such plot.", "没有这个地块。"))
    return found[0]


@dataclass(frozen=True, slots=True)
class Paid:
    """A payment for positions of a plot; the id is its leaf."""

    id: uuid.UUID
    funder: Text
    positions: int
    cents: int
    at: datetime


def funding(plot: int) -> list[Paid]:
    """Who paid for a plot, oldest first."""
    query = """
        SELECT f.id, o.name_en, o.name_zh, f.positions, f.cents, f.at
        FROM forest_funding f JOIN parties_party o ON o.id = f.funder WHERE f.plot = %(plot)s ORDER BY f.at, f.id"""
    return [
        Paid(each["id"], Text(each["name_en"], each["name_zh"]), each["positions"], each["cents"], each["at"])
        for each in rows(query, {"plot": plot})
    ]


def ground_near(outline: Outline) -> list[tuple[str, Outline]]:
    """Ground of any programme that meets an outline, with its name."""
    query = "SELECT name, corners, area FROM forest_ground WHERE outline && %(outline)s::polygon"
    return [
        (each["name"], Outline(tuple(zip(each["corners"][::2], each["corners"][1::2], strict=True)), each["area"]))
        for each in rows(query, {"outline": polygon(outline.corners)})
    ]


def polygon(corners: Sequence[tuple[float, float]]) -> str:
    """Corners as PostgreSQL writes a polygon."""
    return "(" + ",".join(f"({x!r},{y!r})" for x, y in corners) + ")"


@dataclass(frozen=True, slots=True)
class Organisation:
    """An organisation that can plant or pay."""

    id: uuid.UUID
    name: Text


def organisations() -> list[Organisation]:
    """Organisations by name: those that plant or have paid first, at most 200."""
    query = """
        SELECT o.id, o.name_en, o.name_zh FROM parties_party o WHERE o.kind = 'organisation'
        ORDER BY NOT EXISTS (SELECT FROM forest_site WHERE partner = o.id)
             AND NOT EXISTS (SELECT FROM forest_funding WHERE funder = o.id), o.created_at DESC LIMIT 200"""
    return [Organisation(each["id"], Text(each["name_en"], each["name_zh"])) for each in rows(query)]
