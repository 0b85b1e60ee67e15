"""The one place where time is read. Everything inside is UTC; a local zone exists only at the edge."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

_stopped_at: ContextVar[datetime | None] = ContextVar("stopped_at", default=None)


def now() -> datetime:
    """The present moment in UTC, or the moment that `stopped` has set."""
    return _stopped_at.get() or datetime.now(UTC)


@contextmanager
def stopped(at: datetime) -> Iterator[None]:
    """Stop the clock at `at` for tests and for the seeded past. Raises `ValueError` for a time without a zone."""
    if at.tzinfo is None:
        raise ValueError("a moment needs a time zone")
    token = _stopped_at.set(at.astimezone(UTC))
    try:
        yield
    finally:
        _stopped_at.reset(token)
