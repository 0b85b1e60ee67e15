"""How far one gets: the streets within reach of a place, for a profile and a time (an isochrone)."""

from __future__ import annotations

from typing import Any

import numpy as np

from commonweal.kernel.errors import Invalid
from commonweal.kernel.text import Text
from commonweal.services.access.graph import search
from commonweal.services.access.graph.router import Point, Router, check_point
from commonweal.services.access.rules import Profile

MAX_MINUTES = 120.0


def reach(router: Router, profile: Profile, start: Point, minutes: float) -> dict[str, Any]:
    """The streets that `profile` reaches within `minutes`, as GeoJSON lines with the minutes to their nearer end.

    Raises `Invalid` (`reach.minutes`, `point.form`) and `NotFound` (`point.uncovered`).
    """
    if not 0 < minutes <= MAX_MINUTES:
        raise Invalid(
            "reach.minutes",
            Text(
                "Choose more than 0 and at most {most:g} minutes.", "请选择大于 0 且不超过 {most:g} 的分钟数。"
            ).format(most=MAX_MINUTES),
            field="minutes",
        )
    a = router.arrays
    near = router.candidates(check_point(start, "from"), "from")
    compiled = router.compiled(profile)
    cost = router.cost("fastest", profile)
    per_minute = profile.speed * 1000 / 60
    usable = np.flatnonzero(compiled.parts[near.edges] >= 0)
    best = np.full(len(a.v_node), np.inf)
    if len(usable):
        place = router.at(near, int(usable[0]), compiled.flags)
        begins, costs, _ = router.leaving(compiled.flags, cost, place)
        best, _ = search.spread(
            a.a_first, a.a_arc, a.e_u, a.e_v, cost, compiled.flags, begins, costs, minutes * per_minute
        )
    u, v = best[a.e_u], best[a.e_v]
    walked = ((compiled.flags[0::2] == search.OPEN) & (u + cost[0::2] <= minutes * per_minute)) | (
        (compiled.flags[1::2] == search.OPEN) & (v + cost[1::2] <= minutes * per_minute)
    )
    features = []
    for edge in np.flatnonzero(walked):
        first, last = int(a.e_shape[edge]), int(a.e_shape[edge + 1])
        line = np.column_stack([a.s_lon[first:last], a.s_lat[first:last]]).round(7).tolist()
        features.append(
            {
                "type": "Feature",
                "geometry": {"type": "LineString", "coordinates": line},
                "properties": {
                    "way": int(a.e_way[edge]),
                    "minutes": round(float(min(u[edge], v[edge])) / per_minute, 1),
                },
            }
        )
    return {
        "type": "FeatureCollection",
        "features": features,
        "minutes": minutes,
        "metres": round(float(a.e_len[walked].sum()), 1),
        "vertices": int(np.isfinite(best).sum()),
    }
