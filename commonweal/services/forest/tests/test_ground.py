"""Seasons, plots, payments and certificates on the real database, and what it refuses by itself."""

from __future__ import annotations

import re
import uuid
from contextlib import AbstractContextManager
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from commonweal.kernel import clock
from commonweal.kernel.errors import Conflict, Invalid, NotAllowed, NotFound
from commonweal.kernel.ledger.books import KeyReused
from commonweal.kernel.proof.log import placed
from commonweal.kernel.proof.note import encode
from commonweal.kernel.proof.verify import seal
from commonweal.services.forest.actions import certificates, plots
from commonweal.services.forest.planting import degrees, lay_out, mercator
from commonweal.services.forest.plots import check_outline, overlap, read_outline
from commonweal.services.forest.queries import certificates as trees
from commonweal.services.forest.queries import numbers, record, seasons
from commonweal.services.forest.queries import plots as queries
from commonweal.services.forest.queries.subplots import subplots
from commonweal.services.forest.rules.trees import State, state
from commonweal.services.forest.tests.grove import DAY, NOW, Grove, geojson, give_energy, square


def refused(code: str) -> AbstractContextManager[object]:
    return pytest.raises((Conflict, Invalid, NotFound, NotAllowed), match=re.escape(code) + ":")


def test_places_fill_the_ground_and_every_subplot_is_one_range_of_numbers() -> None:
    outline = read_outline(square(103.0, 38.0, 0.001_37, 0.001))
    places = lay_out(outline, 5.0, 3.0)
    assert 0.95 <= len(places) * 15 / outline.area <= 1.02
    assert [place.seq for place in places] == list(range(1, len(places) + 1))
    assert all(outline.holds((place.longitude, place.latitude)) for place in places)
    assert [place.subplot for place in places] == sorted(place.subplot for place in places)
    sizes = [sum(place.subplot == n for place in places) for n in range(1, places[-1].subplot + 1)]
    assert min(sizes) >= 20 and max(sizes) <= 49 + 19
    assert places == lay_out(outline, 5.0, 3.0)


def test_ground_in_two_lobes_has_places_in_both_and_none_between() -> None:
    horseshoe = check_outline(
        [(0, 0), (0.003, 0), (0.003, 0.003), (0.002, 0.003), (0.002, 0.001), (0.001, 0.001), (0.001, 0.003), (0, 0.003)]
    )
    places = lay_out(horseshoe, 5.0, 3.0)
    assert all(horseshoe.holds((place.longitude, place.latitude)) for place in places)
    assert {round(place.longitude, 3) for place in places if place.latitude > 0.0015} <= {0.0, 0.001, 0.002, 0.003}
    assert len(places) * 15 == pytest.approx(horseshoe.area, rel=0.05)


@given(st.floats(-179.9, 179.9), st.floats(-84, 84))
def test_steps_of_mercator_are_finer_than_a_hand(longitude: float, latitude: float) -> None:
    back = degrees(*(value + 0.5 for value in mercator(longitude, latitude)))
    assert back == pytest.approx((longitude, latitude), abs=4e-7)


def test_a_place_is_promised_only_when_it_is_contracted_and_paid_for(grove: Grove) -> None:
    give_energy(grove.person.id, 5 * 17_900)
    with refused("season.full"):
        certificates.ask(grove.person, grove.season, "a")
    grove.contract()
    assert seasons.season(grove.season).free == 0
    with refused("season.full"):
        certificates.ask(grove.person, grove.season, "a")
    grove.fund(positions=2)
    first = certificates.ask(grove.person, grove.season, "a")
    assert certificates.ask(grove.person, grove.season, "a") == first
    assert (first.seq, first.state, str(first.number)[:17]) == (1, State.PROMISED, "CF1-2027S-000001-")
    assert certificates.ask(grove.person, grove.season, "b").seq == 2
    with refused("season.full"):
        certificates.ask(grove.person, grove.season, "c")
    assert numbers.of_all() == numbers.of_plot(1) == numbers.of_season(grove.season) == numbers.of_site(grove.site)
    found = numbers.of_all()
    assert (found.pledged, found.funded, found.planted) == (300, 2, 0)
    assert len(trees.Trees([grove.person.id])) == 2
    assert trees.by_number(str(first.number).lower()) == first


def test_without_energy_nothing_is_promised_and_the_key_stays_free(grove: Grove) -> None:
    grove.contract()
    grove.fund()
    give_energy(grove.person.id, 17_899)
    with refused("energy.short"):
        certificates.ask(grove.person, grove.season, "a")
    give_energy(grove.person.id, 1)
    assert certificates.ask(grove.person, grove.season, "a").seq == 1


def test_a_key_is_one_wish(grove: Grove) -> None:
    grove.contract()
    grove.fund()
    give_energy(grove.person.id, 40_000)
    certificates.ask(grove.person, grove.season, "a")
    with pytest.raises(KeyReused):
        certificates.ask(grove.person, grove.season, "a", owner=uuid.uuid4())
    with pytest.raises(KeyReused):
        certificates.ask(grove.person, "2027S-pine", "a")
    with refused("season.unknown"):
        certificates.ask(grove.person, "2027S-pine", "b")


def test_a_groves_energy_pays_for_a_groves_tree(grove: Grove) -> None:
    grove.contract()
    grove.fund()
    shared = uuid.uuid4()
    give_energy(shared, 17_900)
    made = certificates.ask(grove.person, grove.season, "a", owner=shared)
    assert made.owner == shared and len(trees.Trees([shared])) == 1 and not len(trees.Trees([grove.person.id]))


def test_the_leaf_of_a_certificate_names_nobody_and_opens_to_whoever_asked(grove: Grove) -> None:
    grove.contract()
    grove.fund()
    give_energy(grove.person.id, 17_900)
    made = certificates.ask(grove.person, grove.season, "a")
    with connection.cursor() as cursor:
        entry = placed(cursor, made.fact).entry.decode()  # type: ignore[union-attr]
    assert str(made.number) in entry and str(grove.person.id) not in entry
    opening = certificates.opening_for(grove.person.id, made.fact)
    assert opening is not None and encode(seal(*opening)) in entry and opening[1] == {"owner": str(grove.person.id)}
    other = certificates.opening_for(grove.officer.id, made.fact)
    assert other is not None and encode(seal(*other)) not in entry
    assert certificates.opening_for(grove.person.id, uuid.uuid4()) is None


def test_a_season_closes_early_and_for_good(grove: Grove) -> None:
    grove.contract()
    grove.fund()
    give_energy(grove.person.id, 40_000)
    kept = certificates.ask(grove.person, grove.season, "a")
    with pytest.raises(NotAllowed):
        plots.close_season(grove.officer, grove.season)
    plots.close_season(grove.steward, grove.season)
    plots.close_season(grove.steward, grove.season)
    with refused("season.closed"):
        certificates.ask(grove.person, grove.season, "b")
    with refused("season.closed"):
        grove.contract("CF2", east=0.01)
    assert certificates.ask(grove.person, grove.season, "a") == kept
    raw_refused(f"UPDATE forest_season SET closes_at = 'infinity' WHERE key = '{grove.season}'")
    late = "INSERT INTO forest_certificate VALUES (1, 7, gen_random_uuid(), gen_random_uuid(), 1, %s)"
    raw_refused(late, [NOW + DAY])


def test_a_season_that_is_not_open_takes_nothing(grove: Grove) -> None:
    with clock.stopped(NOW - 31 * DAY):
        with refused("season.not-open"):
            certificates.ask(grove.person, grove.season, "a")
        with refused("season.not-open"):
            plots.close_season(grove.steward, grove.season)


@pytest.mark.parametrize(
    ("half", "days", "code"),
    [
        ("2027X", 10, "season.half"),
        ("27S", 10, "season.half"),
        ("2027S", 10, "season.known"),
        ("2028S", 0, "season.period"),
    ],
)
def test_a_season_is_refused(grove: Grove, half: str, days: int, code: str) -> None:
    with refused(code):
        plots.open_season(grove.steward, half, "saxaul", NOW, NOW + days * DAY)


@pytest.mark.parametrize(
    ("code", "capacity", "says"),
    [("CF", 300, "plot.code"), ("CFO1", 300, "plot.code"), ("CF1", 59, "plot.few"), ("CF1", 5000, "plot.dense")],
)
def test_a_plot_is_refused(grove: Grove, code: str, capacity: int, says: str) -> None:
    with refused(says):
        grove.contract(code, capacity=capacity)


def test_one_ground_has_one_promise_whichever_programme_made_it(grove: Grove) -> None:
    plots.note_foreign(grove.steward, "Another programme", "plot 7", square(103.01, 38.0, 0.001, 0.001))
    grove.contract("CF1")
    grove.contract("CF2", east=0.001_37)  # neighbours share a border
    with refused("plot.overlaps"):
        grove.contract("CF3", east=0.0005)
    with refused("plot.overlaps"):
        grove.contract("CF3", east=0.0095)
    with refused("plot.known"):
        grove.contract("CF1", east=0.1)
    within = geojson((103.0002, 38.0002), (103.0004, 38.0002), (103.0004, 38.0004))
    with refused("plot.overlaps"):
        plots.note_foreign(grove.steward, "Another programme", "plot 8", within)
    assert [plot.code for plot in queries.plots()] == ["CF1", "CF2"]


POINTS = st.tuples(st.integers(0, 8), st.integers(0, 8))


@given(st.lists(POINTS, min_size=3, max_size=6, unique=True), st.lists(POINTS, min_size=3, max_size=6, unique=True))
def test_the_database_sees_shared_ground_as_the_rule_does(
    one: list[tuple[int, int]], two: list[tuple[int, int]]
) -> None:
    try:
        a, b = (check_outline([(103 + x / 100, 38 + y / 100) for x, y in ring]) for ring in (one, two))
    except Invalid:
        return
    row = "ROW(NULL, NULL, NULL, '', {}::float8[], {}::polygon, point({}, {}), 1, NULL, NULL)::forest_ground"
    values: list[Any] = []
    for outline in (a, b):
        values += [[v for corner in outline.corners for v in corner], queries.polygon(outline.corners), *outline.inside]
    rows = [row.format(*["%s"] * 4)] * 2
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT forest_shares_ground({rows[0]}, {rows[1]})", values)
        assert cursor.fetchone()[0] == overlap(a, b)


test_the_database_sees_shared_ground_as_the_rule_does = pytest.mark.django_db(
    test_the_database_sees_shared_ground_as_the_rule_does
)


def test_what_is_paid_is_paid_once_and_never_beyond_the_contract(grove: Grove) -> None:
    grove.contract()
    grove.fund(positions=200, reference="A-1")
    with refused("funding.known"):
        grove.fund(positions=50, reference="A-1")
    with refused("funding.beyond"):
        grove.fund(positions=101, reference="A-2")
    with refused("funding.positions"):
        grove.fund(positions=0, reference="A-3")
    with refused("plot.unknown"):
        grove.fund("CF9")
    with refused("funder.unknown"):
        plots.fund(grove.steward, "CF1", plots.Funding(grove.person.id, 1, 1, "A-4"))
    assert [(paid.positions, paid.cents) for paid in queries.funding(1)] == [(200, 110_000)]
    assert [(each.kind, each.trees) for each in record.record(1)] == [("contracted", 300), ("funded", 200)]


def raw_refused(statement: str, values: list[Any] | None = None) -> None:
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, values or [])
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE forest_plot SET funded = funded + 1",
        "UPDATE forest_plot SET issued = funded + 1",
        "UPDATE forest_plot SET capacity = 1",
        "DELETE FROM forest_funding",
        "INSERT INTO forest_funding SELECT gen_random_uuid(), plot, funder, 1, 1, reference, at FROM forest_funding",
        "INSERT INTO forest_funding SELECT gen_random_uuid(), plot, funder, 999, 1, 'new', at FROM forest_funding",
        "UPDATE forest_position SET x = 0",
        "DELETE FROM forest_ground",
        "INSERT INTO forest_ground SELECT gen_random_uuid(), NULL, NULL, 'other', corners, outline, inside, area, fact,"
        " at FROM forest_ground",
        "DELETE FROM forest_season",
        "INSERT INTO forest_plot SELECT 2, season, 'CF2', grams, capacity, funded FROM forest_plot",
    ],
)
def test_the_database_itself_keeps_the_promise(grove: Grove, statement: str) -> None:
    grove.contract()
    grove.fund(positions=2)
    raw_refused(statement)


def test_a_plot_without_its_positions_is_no_plot(grove: Grove) -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO forest_plot VALUES (5, %s, 'CF5', 1, 10, 0)", [grove.season])
    raw_refused(
        """
        INSERT INTO forest_ground SELECT gen_random_uuid(), 5, %s, 'CF5', '{1,1,2,1,2,2}', '((1,1),(2,1),(2,2))',
            point(1.8, 1.2), 1, gen_random_uuid(), now()
        """,
        [grove.site],
    )


def test_cells_count_every_position_at_every_zoom(grove: Grove) -> None:
    grove.contract()
    with connection.cursor() as cursor:
        cursor.execute("SELECT zoom, sum(trees) FROM forest_cell GROUP BY zoom ORDER BY zoom")
        assert cursor.fetchall() == [(zoom, 300) for zoom in range(4, 20)]
    parts = subplots(1)
    assert sum(part.places for part in parts) == 300 and not any(part.planted for part in parts)
    assert all(part.west < part.east and part.south < part.north for part in parts)


@pytest.mark.parametrize(
    ("facts", "says"),
    [
        ({}, State.PROMISED),
        ({"planted": True}, State.PLANTED),
        ({"planted": True, "captured": True}, State.VERIFIED),
        ({"planted": True, "surveyed": True}, State.VERIFIED),
        ({"planted": True, "surveyed": True, "counted": 800}, State.DISCOUNTED),
        ({"planted": True, "captured": True, "cleared": 400, "counted": 600}, State.CLEARED),
        ({"cleared": 400}, State.PROMISED),
    ],
)
def test_a_trees_state_follows_from_what_happened(facts: dict[str, object], says: State) -> None:
    given = {"planted": False, "captured": False, "surveyed": False, "counted": 1000, "cleared": 0} | facts
    assert state(**given) is says  # type: ignore[arg-type]
