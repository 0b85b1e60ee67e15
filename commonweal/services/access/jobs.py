"""The clockwork of access: reports and notices fade, feeds are read."""

from __future__ import annotations

import urllib.request
import uuid
from datetime import timedelta

from commonweal.kernel.errors import Refusal
from commonweal.kernel.jobs import every, task
from commonweal.services.access import actions, packs
from commonweal.services.access.models import Feed, Notice
from commonweal.services.access.queries import faded, feed, regions

MOST_BYTES = 20_000_000
"""Of a feed."""
SECONDS = 20


@task("access.fade")
def fade() -> None:
    """Look again at every report and notice that still stands, and at notices whose time may have come.

    Each that amounts to something else is settled by itself: nobody who reports waits for all of them.
    """
    for report in faded():
        settle.enqueue(report=str(report))
    for notice in Notice.objects.filter(gone=False).values_list("pk", flat=True):
        actions.fade_notice(notice)


@task("access.settle")
def settle(report: str) -> None:
    """Write what a report amounts to by now."""
    actions.fade(uuid.UUID(report))


@task("access.poll")
def poll() -> None:
    """Ask for every feed that has an address."""
    for name in Feed.objects.exclude(url="").values_list("name", flat=True):
        read_feed.enqueue(name=name)


@task("access.read-feed", attempts=1)
def read_feed(name: str) -> None:
    """Read one feed. One that cannot be read is asked again a minute later; what it said fades meanwhile."""
    try:
        with urllib.request.urlopen(feed(name).url, timeout=SECONDS) as answer:  # noqa: S310 (http and https only)
            data = answer.read(MOST_BYTES + 1)
        if len(data) > MOST_BYTES:
            raise OSError("too large")
        actions.take(name, data)
    except (OSError, Refusal) as error:
        actions.note_failure(name, f"{type(error).__name__}: {error}")


@task("access.pack", lease=timedelta(minutes=10))
def pack() -> None:
    """Write the pack of every region anew, with the barriers of now."""
    for region in regions():
        packs.make(region)


every(timedelta(minutes=5), fade)
every(timedelta(hours=6), pack)
every(timedelta(minutes=1), poll)
