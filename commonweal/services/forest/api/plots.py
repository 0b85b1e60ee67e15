"""Seasons, plots and certificates for other programs."""

from __future__ import annotations

import uuid
from datetime import date, datetime

from django.http import HttpRequest
from ninja import Router, Schema, Status

from commonweal.kernel import clock
from commonweal.kernel.doors import Body, IdempotencyKey
from commonweal.kernel.parties import session
from commonweal.kernel.text import Text
from commonweal.services.forest.actions import certificates as actions
from commonweal.services.forest.queries import certificates, numbers, plots, seasons
from commonweal.services.forest.rules.certificates import Numbers

router = Router()


class Said(Schema):
    """A text in both languages."""

    en: str
    zh: str

    @classmethod
    def of(cls, text: Text) -> Said:
        return cls(en=text.en, zh=text.zh)


class FiveNumbers(Schema):
    """pledged >= funded >= planted >= verified >= alive; `alive` is the lower end of a 95 % interval."""

    pledged: int
    funded: int
    planted: int
    verified: int
    alive: int

    @classmethod
    def of(cls, found: Numbers) -> FiveNumbers:
        return cls(
            pledged=found.pledged,
            funded=found.funded,
            planted=found.planted,
            verified=found.verified,
            alive=found.alive,
        )


class SeasonOut(Schema):
    """A season of one species; `free` places can be promised while it is open. `grams` is what one tree costs."""

    season: str
    species: str
    latin: str
    name: Said
    grams: int
    opens_at: datetime
    closes_at: datetime
    open: bool
    free: int


class PlotOut(Schema):
    """A plot; `outline` is GeoJSON order (longitude, latitude). `owed` trees are to be replanted by `due`; `cleared`
    and `counted` are per mille."""

    plot: str
    season: str
    site: Said
    place: Said
    partner: Said
    area_m2: int
    outline: list[tuple[float, float]]
    numbers: FiveNumbers
    owed: int
    due: date | None
    counted: int
    cleared: int
    fact: uuid.UUID


class Forest(Schema):
    """All plots, and their sums."""

    numbers: FiveNumbers
    plots: list[PlotOut]


class Ask(Body):
    """The season in which a place is asked for."""

    season: str


class Tree(Schema):
    """A certificate and what is true of its tree now. It names nobody; `fact` is its leaf in the public log."""

    number: str
    state: str
    plot: str
    season: str
    species: str
    seq: int
    latitude: float
    longitude: float
    grams: int
    at: datetime
    planted: date | None
    captures: int
    counted: int
    fact: uuid.UUID

    @classmethod
    def of(cls, found: certificates.Certificate) -> Tree:
        return cls(
            number=str(found.number),
            state=found.state.value,
            plot=found.plot,
            season=found.season,
            species=found.species,
            seq=found.seq,
            latitude=round(found.latitude, 7),
            longitude=round(found.longitude, 7),
            grams=found.grams,
            at=found.at,
            planted=found.planted,
            captures=found.captures,
            counted=found.counted,
            fact=found.fact,
        )


def _plot(found: plots.Plot) -> PlotOut:
    return PlotOut(
        plot=found.code,
        season=found.season.key,
        site=Said.of(found.site.name),
        place=Said.of(found.site.place),
        partner=Said.of(found.site.partner_name),
        area_m2=round(found.outline.area),
        outline=list(found.outline.corners),
        numbers=FiveNumbers.of(found.numbers),
        owed=found.standing.owed,
        due=found.standing.due,
        counted=found.standing.counted,
        cleared=found.standing.cleared,
        fact=found.fact,
    )


@router.get("/seasons", response=list[SeasonOut], auth=None, summary="Seasons and what is left in them")
def every_season(request: HttpRequest) -> list[SeasonOut]:
    """Every season, newest first."""
    now = clock.now()
    return [
        SeasonOut(
            season=each.key,
            species=each.species.key,
            latin=each.species.latin,
            name=Said.of(each.species.name),
            grams=each.species.grams,
            opens_at=each.opens_at,
            closes_at=each.closes_at,
            open=each.opens_at <= now < each.closes_at,
            free=each.free,
        )
        for each in seasons.seasons()
    ]


@router.get("/plots", response=Forest, auth=None, summary="Every plot with its five numbers")
def every_plot(request: HttpRequest) -> Forest:
    """All plots in order of their code."""
    return Forest(numbers=FiveNumbers.of(numbers.of_all()), plots=[_plot(each) for each in plots.plots()])


@router.get("/plots/{code}", response=PlotOut, auth=None, summary="One plot")
def one_plot(request: HttpRequest, code: str) -> PlotOut:
    """One plot by its code."""
    return _plot(plots.plot(code))


@router.post("/trees", response={201: Tree}, summary="Ask for a tree")
def ask(request: HttpRequest, wish: Ask, key: IdempotencyKey) -> Status[Tree]:
    """A place in a season, paid for with the energy of whoever asks."""
    return Status(201, Tree.of(actions.ask(session.signed_in(request), wish.season, key)))


@router.get("/trees/{number}", response=Tree, auth=None, summary="One certificate")
def one_tree(request: HttpRequest, number: str) -> Tree:
    """A certificate by its number."""
    return Tree.of(certificates.by_number(number))
