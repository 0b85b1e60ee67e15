import threading
from datetime import UTC, datetime, timedelta, timezone

import pytest

from commonweal.kernel import clock

AT = datetime(2021, 9, 9, 9, 9, 9, tzinfo=timezone(timedelta(hours=8)))


def test_now_is_the_present_in_utc() -> None:
    before = datetime.now(UTC)
    now = clock.now()
    assert before <= now <= datetime.now(UTC)
    assert now.tzinfo is UTC


def test_a_stopped_clock_stands_still_in_utc_and_goes_on_afterwards() -> None:
    with clock.stopped(AT):
        assert clock.now() == AT
        assert clock.now().tzinfo is UTC
        with clock.stopped(AT + timedelta(days=1)):
            assert clock.now() == AT + timedelta(days=1)
        assert clock.now() == AT
    assert clock.now() > AT


def test_it_goes_on_after_an_error_too() -> None:
    with pytest.raises(ZeroDivisionError), clock.stopped(AT):
        raise ZeroDivisionError
    assert clock.now() > AT + timedelta(days=1)


def test_other_threads_do_not_see_it() -> None:
    seen: list[datetime] = []
    with clock.stopped(AT):
        thread = threading.Thread(target=lambda: seen.append(clock.now()))
        thread.start()
        thread.join()
    assert seen[0] > AT


def test_a_moment_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="a moment needs a time zone"), clock.stopped(datetime(2021, 9, 9)):  # noqa: DTZ001
        pass
