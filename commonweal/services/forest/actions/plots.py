"""What a steward opens: species, seasons, sites, plots with their ground, and the money that was paid for them."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, connection, transaction

from commonweal.kernel import clock
from commonweal.kernel.errors import Conflict, Invalid, NotFound
from commonweal.kernel.ids import uuid7
from commonweal.kernel.parties import people
from commonweal.kernel.parties.models import Party
from commonweal.kernel.proof import Fact, append
from commonweal.kernel.proof.log import Cursor
from commonweal.kernel.text import Text
from commonweal.services.forest.biomass import equations
from commonweal.services.forest.planting import Place, lay_out, mercator
from commonweal.services.forest.plots import Outline, read_outline
from commonweal.services.forest.plots.outline import refuse_overlap
from commonweal.services.forest.queries import plots as queries
from commonweal.services.forest.queries import seasons
from commonweal.services.forest.queries.seasons import Species
from commonweal.services.forest.rules import plots as rules


@transaction.atomic
def add_species(steward: Party, species: Species) -> None:
    """Add a species, or leave it as it is: what certificates were promised at is never changed.

    Raises `NotAllowed`, `Invalid` (`species.form`).
    """
    people.require_role(steward, people.STEWARD)
    right = (
        re.fullmatch(r"[a-z]{2,20}", species.key)
        and 0 < species.grams <= 1_000_000
        and 0 < species.survival <= 1000
        and 0.5 <= min(species.across, species.along) <= max(species.across, species.along) <= 20
        and species.equation in {"", *equations()}
        and species.source
    )
    if not right:
        raise Invalid("species.form", Text("State its price, spacing and source.", "请写明能量、株行距与出处。"))
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO forest_species (key, latin, name_en, name_zh, grams, across, along, survival, equation, source)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT (key) DO NOTHING
            """,
            [
                *(species.key, species.latin, species.name.en, species.name.zh, species.grams),
                *(round(species.across * 10), round(species.along * 10), species.survival),
                *(species.equation, species.source),
            ],
        )


@transaction.atomic
def open_season(steward: Party, half: str, species: str, opens_at: datetime, closes_at: datetime) -> str:
    """Open a season of one species; its key. Places can be promised in it as plots are contracted and paid for.

    Raises `NotAllowed`, `Invalid` (`season.*`), `NotFound` (`species.unknown`), `Conflict` (`season.known`).
    """
    people.require_role(steward, people.STEWARD)
    rules.check_season(half, opens_at, closes_at)
    found, now = seasons.species(species), clock.now()
    key = f"{half}-{species}"
    fields = {"season": key, "latin": found.latin, "grams": found.grams, "survival": found.survival, "word": "opened"}
    fact = Fact("forest.season", now, fields)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO forest_season (key, half, species, opens_at, closes_at, fact) VALUES (%s, %s, %s, %s, %s, %s)
            ON CONFLICT (key) DO NOTHING RETURNING key
            """,
            [key, half, species, opens_at, closes_at, fact.id],
        )
        if cursor.fetchone() is None:
            raise Conflict("season.known", Text("There is such a season already.", "已有这一季。"), field="half")
        append(cursor, fact)
    return key


@transaction.atomic
def close_season(steward: Party, key: str) -> None:
    """Close a season now. Promises that were made stand; none is made after it. Closing twice is closing once.

    Raises `NotAllowed`, `NotFound` (`season.unknown`), `Conflict` (`season.not-open`).
    """
    people.require_role(steward, people.STEWARD)
    season, now = seasons.season(key), clock.now()
    if now >= season.closes_at:
        return
    rules.check_open(season.rule, now)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE forest_season SET closes_at = %s WHERE key = %s AND closes_at > %s", [now, key, now])
        fields = {"season": key, "funded": season.funded, "promised": season.issued, "word": "closed"}
        append(cursor, Fact("forest.season", now, fields))


@transaction.atomic
def open_site(steward: Party, partner: Party, name: Text, place: Text) -> uuid.UUID:
    """A stretch of land where a partner organisation plants. Raises `NotAllowed`, `Invalid` (`name.*`)."""
    people.require_role(steward, people.STEWARD)
    id = uuid7()
    said = [people.check_name(each, field=field) for field, each in _named(name, place)]
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO forest_site (id, partner, name_en, name_zh, place_en, place_zh) VALUES (%s,%s,%s,%s,%s,%s)",
            [id, partner.id, *said],
        )
    return id


def _named(name: Text, place: Text) -> list[tuple[str, str]]:
    return [("name_en", name.en), ("name_zh", name.zh), ("place_en", place.en), ("place_zh", place.zh)]


@dataclass(frozen=True, slots=True)
class Contract:
    """Ground for a season: `outline` is GeoJSON, `capacity` how many positions the land contract allows."""

    site: uuid.UUID
    season: str
    code: str
    outline: str
    capacity: int


@transaction.atomic
def contract(steward: Party, wish: Contract) -> int:
    """Take ground under contract and lay its positions out. None of them can be promised until it is paid for.

    Raises `NotAllowed`, `NotFound` (`site.unknown`, `season.unknown`), `Invalid` (`plot.*`), `TooLarge`
    (`plot.corners`) and `Conflict` (`plot.overlaps`, `plot.known`, `season.closed`).
    """
    people.require_role(steward, people.STEWARD)
    season, site, now = seasons.season(wish.season), queries.site(wish.site), clock.now()
    if now >= season.closes_at:
        rules.check_open(season.rule, now)
    outline = read_outline(wish.outline)
    places = lay_out(outline, season.species.across, season.species.along)
    rules.check_plot(wish.code, wish.capacity, len(places))
    fields = {
        "plot": wish.code,
        "season": wish.season,
        "site": str(site.id),
        "partner": str(site.partner),
        "capacity": wish.capacity,
        "area": round(outline.area),
        "outline": [[round(x * 10**7), round(y * 10**7)] for x, y in outline.corners],
        "word": "contracted",
    }
    fact = Fact("forest.plot", now, fields)
    with connection.cursor() as cursor:
        _lock_ground(cursor)
        refuse_overlap(outline, queries.ground_near(outline))
        cursor.execute("SELECT coalesce(max(id), 0) + 1, bool_or(code = %s) FROM forest_plot", [wish.code])
        id, known = cursor.fetchone()
        if known:
            raise Conflict("plot.known", Text("There is a plot of this code.", "已有这个代码的地块。"), field="code")
        cursor.execute(
            "INSERT INTO forest_plot (id, season, code, grams, capacity, funded) VALUES (%s, %s, %s, %s, %s, 0)",
            [id, wish.season, wish.code, season.species.grams, wish.capacity],
        )
        _lay(cursor, id, places[: wish.capacity])
        _claim(cursor, outline, wish.code, fact, plot=id, site=site.id)
        append(cursor, fact)
    return int(id)


def _lay(cursor: Cursor, plot: int, places: list[Place]) -> None:
    spots = [mercator(place.longitude, place.latitude) for place in places]
    cursor.execute(
        """
        INSERT INTO forest_position (plot, seq, subplot, x, y)
        SELECT %s, * FROM unnest(%s::int[], %s::smallint[], %s::int[], %s::int[])
        """,
        [plot, [p.seq for p in places], [p.subplot for p in places], [x for x, _ in spots], [y for _, y in spots]],
    )


@transaction.atomic
def note_foreign(steward: Party, programme: str, name: str, outline: str) -> uuid.UUID:
    """Note the ground of another programme, so that it is not promised a second time here.

    Raises `NotAllowed`, `Invalid` (`plot.*`, `name.*`), `Conflict` (`plot.overlaps`).
    """
    people.require_role(steward, people.STEWARD)
    read, now = read_outline(outline), clock.now()
    called = f"{people.check_name(programme, field='programme')}: {people.check_name(name)}"
    fact = Fact("forest.plot", now, {"ground": called, "area": round(read.area), "word": "foreign"})
    with connection.cursor() as cursor:
        _lock_ground(cursor)
        refuse_overlap(read, queries.ground_near(read))
        id = _claim(cursor, read, called, fact)
        append(cursor, fact)
    return id


def _lock_ground(cursor: Cursor) -> None:
    """One at a time takes ground: the lock that the database's own check takes."""
    cursor.execute("SELECT pg_advisory_xact_lock(hashtext('forest_ground'))")


def _claim(
    cursor: Cursor, outline: Outline, name: str, fact: Fact, *, plot: int | None = None, site: uuid.UUID | None = None
) -> uuid.UUID:
    id = uuid7()
    corners = [value for corner in outline.corners for value in corner]
    cursor.execute(
        """
        INSERT INTO forest_ground (id, plot, site, name, corners, outline, inside, area, fact, at)
        VALUES (%s, %s, %s, %s, %s::float8[], %s::polygon, point(%s, %s), %s, %s, %s)
        """,
        [
            *(id, plot, site, name, corners, queries.polygon(outline.corners), *outline.inside),
            *(max(1, round(outline.area)), fact.id, fact.at),
        ],
    )
    return id


@dataclass(frozen=True, slots=True)
class Funding:
    """Who paid for how many positions: `cents` in fen, `reference` names the payment, which pays once."""

    funder: uuid.UUID
    positions: int
    cents: int
    reference: str


@transaction.atomic
def fund(steward: Party, code: str, funding: Funding) -> uuid.UUID:
    """Positions of a plot are paid for: from now on they can be promised.

    Raises `NotAllowed`, `NotFound` (`plot.unknown`, `funder.unknown`), `Invalid` (`funding.*`) and `Conflict`
    (`funding.beyond`, `funding.known`).
    """
    people.require_role(steward, people.STEWARD)
    plot, now = queries.plot(code), clock.now()
    funder = people.named(funding.funder)
    if funder is None or funder.kind != Party.Kind.ORGANISATION:
        raise NotFound("funder.unknown", Text("There is no such organisation.", "没有这个机构。"))
    fields = {"plot": code, "funder": str(funder.id), "positions": funding.positions, "fen": funding.cents}
    fact = Fact("forest.plot", now, fields | {"word": "funded"})
    with connection.cursor() as cursor:
        cursor.execute("SELECT capacity, funded FROM forest_plot WHERE id = %s FOR UPDATE", [plot.id])
        capacity, funded = cursor.fetchone()
        rules.check_funding(funding.positions, capacity, funded, funding.reference)
        try:
            with transaction.atomic():
                cursor.execute(
                    """
                    INSERT INTO forest_funding (id, plot, funder, positions, cents, reference, at)
                    VALUES (%s, %s, %s, %s, %s, %s, %s)
                    """,
                    [fact.id, plot.id, funder.id, funding.positions, funding.cents, funding.reference, now],
                )
        except IntegrityError as error:
            raise Conflict(
                "funding.known", Text("This payment is noted already.", "这笔付款已登记。"), field="reference"
            ) from error
        append(cursor, fact)
    return fact.id
