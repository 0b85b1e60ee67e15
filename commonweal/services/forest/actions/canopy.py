"""What satellites saw of the plots: the series of NDVI, and clearings, which are told to everybody at once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from django.db import connection, transaction

from commonweal.kernel import clock
from commonweal.kernel.errors import Conflict
from commonweal.kernel.jobs import enqueue
from commonweal.kernel.parties import people
from commonweal.kernel.parties.models import Party
from commonweal.kernel.proof import Fact, append
from commonweal.kernel.text import Text
from commonweal.services.forest.queries import plots

if TYPE_CHECKING:
    from commonweal.services.forest.canopy import Patch


@dataclass(frozen=True, slots=True)
class Looked:
    """What a patch of scenes brought: plots that lie in it, looks that were new, clearings that were new."""

    plots: int
    looks: int
    clearings: int


def look(steward: Party, directory: Path) -> Looked:
    """Take in a patch of scenes (package `canopy`) for every plot that lies in it; taking it in twice is once.

    Needs the extra `forest`. Raises `NotAllowed`, `Invalid` (`patch.form`, `patch.grid`), `Conflict`
    (`patch.elsewhere`) if no plot lies there.
    """
    from commonweal.services.forest.canopy import read_grid, read_patch, with_outlines

    people.require_role(steward, people.STEWARD)
    outlines = {str(plot.id): plot.outline.corners for plot in plots.plots()}
    patch = with_outlines(read_patch(directory), read_grid(directory), dict(outlines))
    if not patch.parcels:
        raise Conflict("patch.elsewhere", Text("No plot lies in these scenes.", "这些影像里没有我们的地块。"))
    return take(patch, directory.name)


@transaction.atomic
def take(patch: Patch, source: str) -> Looked:
    """Take in looks at plots; the parcels of the patch bear the plots' numbers."""
    from commonweal.services.forest.canopy import clearings, series

    now, looks, cleared = clock.now(), 0, 0
    codes = {str(plot.id): plot.code for plot in plots.plots()}
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('forest_canopy'))")
        for line in series(patch):
            cursor.execute(
                """
                INSERT INTO forest_series (plot, at, ndvi, clear, source)
                SELECT %s, u.*, %s FROM unnest(%s::timestamptz[], %s::int[], %s::int[]) AS u ON CONFLICT DO NOTHING
                """,
                [
                    *(int(line.parcel), source, line.dates),
                    *([round(value * 10_000) for value in line.ndvi], [round(share * 1000) for share in line.clear]),
                ],
            )
            looks += cursor.rowcount
        for found in clearings(patch):
            share = max(1, round(found.share * 1000))
            before, after = round(found.before * 10_000), round(found.after * 10_000)
            fields = {
                "plot": codes[found.parcel],
                "seen": found.seen.isoformat(),
                "confirmed": found.confirmed.isoformat(),
                "share": share,
                "before": before,
                "after": after,
                "source": source,
            }
            fact = Fact("forest.clearing", now, fields)
            cursor.execute(
                """
                INSERT INTO forest_clearing (id, plot, seen, confirmed, share, before, after, at)
                VALUES (%s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT (plot, seen) DO NOTHING RETURNING id
                """,
                [fact.id, int(found.parcel), found.seen, found.confirmed, share, before, after, now],
            )
            if cursor.fetchone() is not None:
                append(cursor, fact)
                enqueue("forest.tell_clearing", clearing=str(fact.id))
                cleared += 1
    return Looked(len(patch.parcels), looks, cleared)
