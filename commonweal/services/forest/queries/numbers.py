"""The five numbers, from one view: pledged >= funded >= planted >= verified >= alive."""

from __future__ import annotations

import uuid
from typing import Any

from commonweal.kernel.sql import row
from commonweal.services.forest.rules.certificates import Numbers

SUMS = """
    SELECT coalesce(sum(n.pledged), 0)::bigint AS pledged, coalesce(sum(n.funded), 0)::bigint AS funded,
           coalesce(sum(n.planted), 0)::bigint AS planted, coalesce(sum(n.verified), 0)::bigint AS verified,
           coalesce(sum(n.alive), 0)::bigint AS alive
    FROM forest_numbers n"""


def of_all() -> Numbers:
    """Of the whole forest."""
    return _numbers(row(SUMS))


def of_season(season: str) -> Numbers:
    """Of a season."""
    return _numbers(row(f"{SUMS} WHERE n.season = %(season)s", {"season": season}))


def of_plot(plot: int) -> Numbers:
    """Of a plot."""
    return _numbers(row(f"{SUMS} WHERE n.plot = %(plot)s", {"plot": plot}))


def of_site(site: uuid.UUID) -> Numbers:
    """Of a site."""
    among = "SELECT plot FROM forest_ground WHERE site = %(site)s"
    return _numbers(row(f"{SUMS} WHERE n.plot IN ({among})", {"site": site}))


def _numbers(found: dict[str, Any] | None) -> Numbers:
    return Numbers(**(found or {}))
