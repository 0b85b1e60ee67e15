"""The study by itself: gathering for those who wait, and the result when the last window is over."""

from __future__ import annotations

import uuid
from datetime import timedelta

from django.db import connection

from commonweal.kernel import clock
from commonweal.kernel.jobs import every, task
from commonweal.kernel.parties.erasure import eraser
from commonweal.services.forest.actions import study as actions
from commonweal.services.forest.queries import study as queries


@task("forest.keep")
def keep() -> None:
    """Gather for those who wait."""
    actions.keep_for_waiting()


@task("forest.conclude")
def conclude() -> None:
    """Say what came of the studies that are over."""
    for study in queries.studies():
        if study.result is None and clock.now() >= study.design.over:
            actions.conclude(study.design.key)


every(timedelta(hours=6), keep)
every(timedelta(hours=1), conclude)


@eraser
def erase(party: uuid.UUID) -> None:
    """A forgotten person takes part no longer."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM forest_participant WHERE person = %s", [party])
