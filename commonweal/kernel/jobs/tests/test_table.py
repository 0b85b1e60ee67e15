"""Jobs in one process: claiming, failing, dying, being revived, recurring."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction

from commonweal.kernel import clock
from commonweal.kernel.jobs import (
    Task,
    call_back,
    dead_letters,
    enqueue_due_recurrences,
    every,
    health,
    retry,
    run_due,
    task,
)
from commonweal.kernel.jobs.task import RECURRING, TASKS

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)

Declare = Callable[..., Callable[[Callable[..., None]], Task]]


@pytest.fixture
def declare() -> Iterator[Declare]:
    """`task`, undone after the test."""
    tasks, recurring = dict(TASKS), dict(RECURRING)
    RECURRING.clear()  # what the platform itself does from time to time
    yield task
    for registry, before in ((TASKS, tasks), (RECURRING, recurring)):
        registry.clear()
        registry.update(before)  # type: ignore[arg-type]


def rows() -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT task, attempt, error, dead_at FROM jobs_job ORDER BY id")
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found


def test_a_job_is_done_once_and_gone(db: None, declare: Declare) -> None:
    done: list[dict[str, Any]] = []
    declared = declare("test.note")(lambda **payload: done.append(payload))
    declared.enqueue(gift="0190", count=3)
    assert run_due() == 1
    assert run_due() == 0
    assert done == [{"gift": "0190", "count": 3}]
    assert rows() == []


def test_it_is_asked_for_only_if_the_transaction_commits(db: None, declare: Declare) -> None:
    declared = declare("test.never")(lambda: None)
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        declared.enqueue()
        1 / 0  # noqa: B018
    assert rows() == []


def test_it_waits_for_its_time(db: None, declare: Declare) -> None:
    done: list[int] = []
    declared = declare("test.later")(lambda: done.append(1))
    with clock.stopped(NOON):
        declared.using(run_after=NOON + timedelta(hours=1)).enqueue()
        assert run_due() == 0
    with clock.stopped(NOON + timedelta(hours=1)):
        assert run_due() == 1
    assert done == [1]


def test_no_more_than_the_limit_is_claimed(db: None, declare: Declare) -> None:
    declared = declare("test.many")(lambda: None)
    for _ in range(5):
        declared.enqueue()
    assert [run_due(limit=2) for _ in range(4)] == [2, 2, 1, 0]


def test_what_a_failing_job_wrote_is_undone_and_it_is_tried_again_later(db: None, declare: Declare) -> None:
    other = declare("test.other")(lambda: None)

    @declare("test.fails")
    def fails(secret: str) -> None:
        other.enqueue()
        raise ValueError(secret)

    with clock.stopped(NOON):
        fails.enqueue(secret="13812345678")
        assert run_due() == 1
        assert rows() == [("test.fails", 1, "ValueError", None)]  # the text of the error is not kept
        assert run_due() == 0
    with clock.stopped(NOON + timedelta(seconds=2)):
        assert run_due() == 1


def test_after_its_last_attempt_it_is_a_dead_letter_until_it_is_revived(db: None, declare: Declare) -> None:
    cured: list[int] = []

    @declare("test.dies", attempts=3)
    def dies(number: int) -> None:
        if not cured:
            raise OSError
        cured.append(number)

    dies.enqueue(number=7)
    moment = clock.now()
    for _ in range(5):
        moment += timedelta(hours=2)
        with clock.stopped(moment):
            run_due()
    (dead,) = dead_letters()
    assert (dead.task, dead.attempts, dead.error) == ("test.dies", 3, "OSError")
    assert dead.at < moment
    assert health().dead == 1
    cured.append(0)
    assert retry(dead.id)
    assert not retry(dead.id)
    assert not retry(uuid.uuid4())
    assert run_due() == 1
    assert cured == [0, 7]
    assert dead_letters() == []


def test_the_wait_grows_to_an_hour_and_no_further(db: None, declare: Declare) -> None:
    @declare("test.slow", attempts=40)
    def slow() -> None:
        raise OSError

    slow.enqueue()
    moment, waits = clock.now(), []
    for _ in range(14):
        with clock.stopped(moment):
            assert run_due() == 1
        with connection.cursor() as cursor:
            cursor.execute("SELECT due FROM jobs_job")
            due = cursor.fetchone()[0]
        waits.append((due - moment).total_seconds())
        moment = due
    assert waits == [2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 3600, 3600, 3600]


def test_a_job_that_kills_its_workers_dies_too(db: None, declare: Declare) -> None:
    """A worker that is killed cannot report a failure: the claim itself counts."""
    done: list[int] = []
    poison = declare("test.poison", attempts=2, lease=timedelta(seconds=5))(lambda: done.append(1))
    poison.enqueue()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE jobs_job SET attempt = 2")  # two workers have claimed it and were never heard of again
    assert run_due() == 1
    assert done == []
    assert [letter.error for letter in dead_letters()] == ["WorkerLost"]


def test_a_job_that_nobody_knows_waits_and_is_counted(db: None, declare: Declare) -> None:
    declared = declare("test.gone")(lambda: None)
    with clock.stopped(NOON):
        declared.enqueue()
    del TASKS["test.gone"]
    with clock.stopped(NOON + timedelta(minutes=5)):
        assert run_due() == 0
        assert health().waiting == 1
        assert health().late == timedelta(minutes=5)


def test_nothing_to_do_is_healthy(db: None) -> None:
    assert (health().waiting, health().late, health().dead) == (0, timedelta(), 0)


def test_a_worker_whose_lease_has_run_out_does_nothing(db: None, declare: Declare) -> None:
    from commonweal.kernel.jobs import table

    done: list[int] = []
    declared = declare("test.fenced")(lambda: done.append(1))
    declared.enqueue()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE jobs_job SET attempt = 2 RETURNING id")
        id = cursor.fetchone()[0]
    table._attempt(id, "test.fenced", {}, attempt=1)  # another worker has made attempt 2 of it meanwhile
    table._failed(id, "test.fenced", 1, "ValueError")
    assert done == []
    assert rows() == [("test.fenced", 2, "", None)]


def test_it_can_be_done_at_once(declare: Declare) -> None:
    done: list[str] = []
    declare("test.now")(done.append)  # a name is taken once
    with pytest.raises(ValueError, match=r"test\.now"):
        declare("test.now")(lambda: None)
    declare("test.call")(lambda *, word: done.append(word))(word="here")
    assert done == ["here"]


def test_what_recurs_is_enqueued_once_each_time(db: None, declare: Declare) -> None:
    every(timedelta(minutes=10), declare("test.tick")(lambda: None))
    found = []
    for minutes in (0, 1, 9, 10, 10, 11, 45, 46):
        with clock.stopped(NOON + timedelta(minutes=minutes)):
            found.append(enqueue_due_recurrences())
    assert found == [1, 0, 0, 1, 0, 0, 1, 0]


def test_what_recurs_goes_on_after_the_clock_is_set_back(db: None, declare: Declare) -> None:
    every(timedelta(minutes=10), declare("test.tick")(lambda: None))
    found = []
    for minutes in (0, 24 * 60, 1, 2, 11):
        with clock.stopped(NOON + timedelta(minutes=minutes)):
            found.append(enqueue_due_recurrences())
    assert found == [1, 1, 1, 0, 1]


def test_what_was_asked_for_by_a_clock_ahead_is_done_when_it_is_set_back(db: None, declare: Declare) -> None:
    done: list[str] = []
    declared = declare("test.ahead")(lambda *, word: done.append(word))
    with clock.stopped(NOON + timedelta(days=1)):
        declared.enqueue(word="now")
        declared.using(run_after=NOON + timedelta(days=3)).enqueue(word="later")
    with clock.stopped(NOON):
        assert run_due() == 0
        assert call_back() == 1
        assert call_back() == 0
        assert run_due() == 1
    assert done == ["now"]


def test_a_lease_by_a_clock_ahead_does_not_last_a_day(db: None, declare: Declare) -> None:
    @declare("test.fails")
    def fails() -> None:
        raise OSError

    fails.enqueue()
    with clock.stopped(clock.now() + timedelta(days=1)):
        assert run_due() == 1
    assert run_due() == 0
    assert call_back() == 1
    assert run_due() == 1


def test_clocks_that_differ_a_little_are_let_be(db: None, declare: Declare) -> None:
    every(timedelta(minutes=10), declare("test.tick")(lambda: None))
    with clock.stopped(NOON + timedelta(seconds=4)):
        declare("test.near")(lambda: None).enqueue()
        assert enqueue_due_recurrences() == 1
    with clock.stopped(NOON):
        assert call_back() == 0
        assert enqueue_due_recurrences() == 0


def test_two_clerks_at_once_enqueue_what_recurs_once(fresh_database: str, declare: Declare) -> None:
    every(timedelta(minutes=10), declare("test.together")(lambda: None))
    start, counts = threading.Barrier(6), []

    def clerk() -> None:
        try:
            start.wait()
            counts.append(enqueue_due_recurrences())
        finally:
            connection.close()

    threads = [threading.Thread(target=clerk) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(counts) == [0, 0, 0, 0, 0, 1]
    assert [row[0] for row in rows()] == ["test.together"]
