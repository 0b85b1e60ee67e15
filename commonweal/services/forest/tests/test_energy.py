from __future__ import annotations

import threading
import uuid
from datetime import UTC, date, datetime, timedelta

import psycopg
import pytest

from commonweal.kernel.errors import Conflict
from commonweal.kernel.ledger import audit
from commonweal.services.forest import energy
from commonweal.services.forest.energy import Deed
from commonweal.services.forest.planting import flush, promise
from commonweal.services.forest.rules.bubbles import (
    FRIEND_DAY_LIMIT,
    LASTS,
    RIPENS_AFTER,
    Bubble,
    day_of,
    droppable_from,
    share_for_friend,
)
from commonweal.services.forest.rules.evidence import DAY_LIMITS
from commonweal.services.forest.tests.ground import SEASON, open_plot

NOW = datetime(2026, 5, 4, 4, 0, tzinfo=UTC)
RIPE = NOW + RIPENS_AFTER
LI, WANG = uuid.UUID(int=16), uuid.UUID(int=32)


@pytest.fixture
def forest(session: psycopg.Connection) -> psycopg.Connection:
    """Metro at a gram for 100 m and at most 1,000 g a day; walking at a gram for 10 m and at most 50 g."""
    session.execute("INSERT INTO forest_source VALUES (1, 'metro', 'A'), (2, 'other', 'A')")
    session.execute("INSERT INTO forest_kind VALUES (1, 'metro'), (2, 'walking')")
    session.execute(
        "INSERT INTO forest_method VALUES "
        "(1, 1, '1', '[2025-01-01,)', 1, 100, 1000), (2, 2, '1', '[2025-01-01,)', 1, 10, 50)"
    )
    with session.transaction(), session.cursor() as cursor:
        energy.open_shards(cursor)
    return session


def ride(event: str, metres: int = 10_000, owner: uuid.UUID = LI, method: int = 1, at: datetime = NOW) -> Deed:
    return Deed(owner, 1, event, method, metres, at)


def take(forest: psycopg.Connection, *deeds: Deed, at: datetime = NOW) -> energy.Taken:
    with forest.transaction(), forest.cursor() as cursor:
        return energy.take_in(cursor, 0, deeds, at)


def bubbles(forest: psycopg.Connection) -> list[tuple[object, ...]]:
    return forest.execute(
        "SELECT day, owner, kind, grams, left_g, ripe_at FROM forest_bubble ORDER BY 1, 2, 3"
    ).fetchall()


def check(forest: psycopg.Connection) -> energy.Conserved:
    with forest.cursor() as cursor:
        found = energy.reconcile(cursor)
        assert found.holds, found
        assert audit(cursor) == []
    return found


def test_deeds_of_a_day_merge_and_an_event_counts_once(forest: psycopg.Connection) -> None:
    assert take(forest, ride("a"), ride("b", 199), ride("a")) == energy.Taken(2, 1, 101)
    assert take(forest, ride("a"), ride("b")) == energy.Taken(0, 2, 0)
    assert take(forest, ride("a", at=NOW - timedelta(days=1)), at=NOW) == energy.Taken(0, 1, 0)
    assert take(forest, ride("a"), at=NOW + timedelta(days=1)) == energy.Taken(0, 1, 0)
    assert bubbles(forest) == [(date(2026, 5, 4), LI, 1, 101, 101, RIPE)]
    other = Deed(LI, 2, "a", 1, 1000, NOW)  # another source may use the same id
    assert take(forest, other).grams == 10
    assert check(forest).grams.minted == 111


def test_a_grade_limits_the_day_over_kinds_and_batches(forest: psycopg.Connection) -> None:
    forest.execute("UPDATE forest_kind SET grade = 'C'")
    assert take(forest, ride("a", 6_000), ride("b", 300, method=2)).grams == 60 + 30
    assert take(forest, ride("c", 6_000), ride("d", 300, method=2)).grams == DAY_LIMITS["C"] - 90
    assert take(forest, ride("e", 6_000)).grams == 0
    assert take(forest, ride("f", 6_000, owner=WANG)).grams == 60
    assert check(forest).grams.minted == DAY_LIMITS["C"] + 60


def test_a_closed_day_takes_nothing_more(forest: psycopg.Connection) -> None:
    take(forest, ride("a"))
    forest.execute("SELECT forest_close_day('2026-05-04')")
    forest.execute("SELECT forest_close_day('2026-05-04')")
    with pytest.raises(psycopg.errors.CheckViolation):
        take(forest, ride("b"))
    with pytest.raises(psycopg.errors.CheckViolation):
        forest.execute("UPDATE forest_deed SET quantity = 1")
    assert take(forest, ride("b"), at=NOW + timedelta(days=1)).new == 1
    assert check(forest).grams.minted == 200


def test_a_days_cap_holds_over_batches(forest: psycopg.Connection) -> None:
    assert take(forest, ride("w1", 300, method=2), ride("w2", 300, method=2)).grams == 50
    assert take(forest, ride("w3", 300, method=2)) == energy.Taken(1, 0, 0)
    assert take(forest, ride("w4", 5, method=2, owner=WANG)).grams == 0  # less than a gram makes no bubble
    assert [row[3] for row in bubbles(forest)] == [50]
    assert check(forest).grams.minted == 50


def test_the_sum_is_that_of_the_rules(forest: psycopg.Connection) -> None:
    """A late deed begins when it is recorded; a bubble ripens a day after its last deed."""
    take(forest, ride("early", at=NOW - timedelta(hours=3)), ride("late", at=NOW - timedelta(days=3)))
    assert bubbles(forest)[0][5] == NOW + RIPENS_AFTER
    rows = forest.execute("SELECT day, happened, recorded FROM forest_deed ORDER BY happened").fetchall()
    today = date(2026, 5, 4)
    assert rows == [(today, NOW - timedelta(days=3), NOW), (today, NOW - timedelta(hours=3), NOW)]


def test_another_shards_deed_is_a_mistake(forest: psycopg.Connection) -> None:
    with pytest.raises(ValueError, match="another shard"):
        take(forest, ride("a", owner=uuid.UUID(int=17)))


def harvest(forest: psycopg.Connection, owner: uuid.UUID, at: datetime) -> int:
    with forest.transaction(), forest.cursor() as cursor:
        return energy.harvest(cursor, owner, at)


def collect(forest: psycopg.Connection, who: uuid.UUID, at: datetime = RIPE, day: date | None = None) -> int:
    with forest.transaction(), forest.cursor() as cursor:
        return energy.collect(cursor, day or day_of(NOW), LI, 1, gatherer=who, at=at)


def test_harvest_is_within_the_window(forest: psycopg.Connection) -> None:
    take(forest, ride("a"))
    second = timedelta(seconds=1)
    assert harvest(forest, LI, RIPE - second) == 0
    assert harvest(forest, LI, RIPE + LASTS) == 0
    assert harvest(forest, LI, RIPE) == 100
    assert harvest(forest, LI, RIPE + LASTS - second) == 0
    assert check(forest).grams.held == 100


def test_friends_gather_as_the_rules_say(forest: psycopg.Connection) -> None:
    take(forest, ride("a", 9_500))
    bubble = Bubble(str(LI), "metro", day_of(NOW), 95, 95, RIPE)
    friends = [uuid.UUID(int=100 + n) for n in range(6)]
    taken = [collect(forest, friend) for friend in friends]
    share = share_for_friend(bubble)
    assert taken == [share, share, share, share, 95 - bubble.floor - 4 * share, 0]
    assert collect(forest, friends[0]) == 0  # once from a bubble
    assert collect(forest, uuid.UUID(int=999), RIPE - timedelta(seconds=1)) == 0
    assert harvest(forest, LI, RIPE) == bubble.floor
    found = check(forest)
    assert found.moving_gathered == 95 and found.grams.held == 95
    with forest.transaction(), forest.cursor() as cursor:
        energy.settle(cursor, RIPE)
        assert energy.settle(cursor, RIPE) == 0
    assert check(forest).books.held == 95


def test_a_day_of_gathering_has_an_end(forest: psycopg.Connection) -> None:
    for n in range(25):
        take(forest, ride(f"m{n}", 100_000, owner=uuid.UUID(int=16 * (n + 2))))
    total = 0
    for n in range(25):
        with forest.transaction(), forest.cursor() as cursor:
            total += energy.collect(cursor, day_of(NOW), uuid.UUID(int=16 * (n + 2)), 1, gatherer=WANG, at=RIPE)
    assert total == FRIEND_DAY_LIMIT


def test_a_race_for_one_bubble_is_exact(forest: psycopg.Connection, fresh_database: str) -> None:
    take(forest, ride("a"))
    taken: list[int] = []
    start = threading.Barrier(8)

    def friend(worker: int) -> None:
        with psycopg.connect(fresh_database, autocommit=True) as connection:
            start.wait()
            for n in range(10):
                with connection.transaction(), connection.cursor() as cursor:
                    who = uuid.UUID(int=1000 + (worker + n) % 9)
                    taken.append(energy.collect(cursor, day_of(NOW), LI, 1, gatherer=who, at=RIPE))

    threads = [threading.Thread(target=friend, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(taken) == 40 and sorted(taken)[-5:] == [0, 10, 10, 10, 10]
    assert check(forest).grams.waiting == 60


def test_expiry_is_one_sum_and_comes_once(forest: psycopg.Connection) -> None:
    take(forest, ride("a"), ride("b", 100, method=2), ride("c", owner=WANG))
    harvest(forest, WANG, RIPE)
    day, over = day_of(NOW), droppable_from(day_of(NOW))
    with pytest.raises(Conflict, match=r"expiry\.early"), forest.transaction(), forest.cursor() as cursor:
        energy.expire(cursor, day, over - timedelta(seconds=1))
    with forest.transaction(), forest.cursor() as cursor:
        assert energy.expire(cursor, day, over).by_kind == {1: 100, 2: 10}
        assert energy.expire(cursor, day, over).grams == 0
    assert bubbles(forest) == []
    found = check(forest)
    assert (found.grams.minted, found.grams.expired, found.grams.held) == (210, 110, 100)
    assert collect(forest, WANG, RIPE) == 0  # a clock that is behind finds nothing, and no error


def test_ripening_writes_nothing(forest: psycopg.Connection) -> None:
    take(forest, ride("a"))
    versions = "SELECT xmin, xmax, ctid FROM forest_bubble"
    before = forest.execute(versions).fetchall()
    for at, ripe in ((RIPE - timedelta(seconds=1), 0), (RIPE, 1)):
        assert forest.execute("SELECT count(*) FROM forest_bubble WHERE ripe_at <= %s", [at]).fetchone() == (ripe,)
    assert forest.execute(versions).fetchall() == before


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE forest_bubble SET left_g = -1",
        "UPDATE forest_bubble SET left_g = grams + 1",
        "UPDATE forest_method SET numerator = 999",
        "UPDATE forest_holding SET grams = -1",
        "UPDATE forest_plot SET issued = 3",
        "UPDATE forest_certificate SET owner = gen_random_uuid()",
        "DELETE FROM forest_certificate",
    ],
)
def test_the_database_itself_refuses(forest: psycopg.Connection, statement: str) -> None:
    take(forest, ride("a"))
    harvest(forest, LI, RIPE)
    open_plot(forest, 1, 50, 5, 2)
    ask(forest)
    with pytest.raises(psycopg.errors.IntegrityError):
        forest.execute(statement)


def ask(forest: psycopg.Connection, owner: uuid.UUID = LI, key: int = 1) -> object:
    with forest.transaction(), forest.cursor() as cursor:
        return promise(cursor, SEASON, owner, uuid.UUID(int=key), RIPE)


def test_whoever_is_answered_has_a_promise_on_the_disk(forest: psycopg.Connection) -> None:
    """The promise itself commits without waiting; `flush` brings the log of the database to the disk up to it."""
    take(forest, ride("a", 100_000))
    harvest(forest, LI, RIPE)
    open_plot(forest, 1, 50, 5, 5)
    assert forest.execute("SHOW synchronous_commit").fetchone() == ("on",)
    ask(forest)
    assert forest.execute("SHOW synchronous_commit").fetchone() == ("on",)  # for that transaction alone
    written = forest.execute("SELECT pg_current_wal_insert_lsn()").fetchone()
    with forest.cursor() as cursor:
        flush(cursor)
    assert written is not None
    assert forest.execute("SELECT pg_current_wal_flush_lsn() >= %s", written).fetchone() == (True,)


def test_a_position_is_promised_once_and_paid(forest: psycopg.Connection) -> None:
    take(forest, ride("a", 100_000))
    harvest(forest, LI, RIPE)
    open_plot(forest, 1, 300, 5, 2)
    open_plot(forest, 2, 300, 1, 1)
    promised = [ask(forest, key=key) for key in (1, 2, 3)]
    assert len(set(map(str, promised))) == 3
    assert [ask(forest, key=key) for key in (3, 2, 1)] == promised[::-1]  # asking twice is asking once
    with pytest.raises(Conflict, match=r"season\.full"):
        ask(forest, key=4)
    found = check(forest)
    assert (found.grams.spent, found.grams.held) == (900, 100)


def test_without_energy_no_position_is_lost(forest: psycopg.Connection) -> None:
    take(forest, ride("a"))
    harvest(forest, LI, RIPE)
    open_plot(forest, 1, 101, 5, 5)
    with pytest.raises(Conflict, match=r"energy\.short"):
        ask(forest)
    assert forest.execute("SELECT issued FROM forest_plot").fetchone() == (0,)
    assert check(forest).grams.spent == 0
