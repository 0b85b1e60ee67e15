"""A walker who has nothing but the words of a route, and the streets as they are."""

from __future__ import annotations

import re

from commonweal.services.access.graph import search
from commonweal.services.access.graph.router import Place, Router
from commonweal.services.access.graph.text import CLEAR_DEGREES

_FORMS = {
    "en": (
        r"bearing (\d+)°",
        r"After ([\d.]+) m: ",
        r"turn to (\d+) o'clock(?:, way (\d+) of \d+ there)?",
        "have arrived",
    ),
    "zh": (r"方位 (\d+)°", r"([\d.]+)米后：", r"转向(\d+)点钟方向(?:，该方向共\d+条路，按顺时针走第(\d+)条)?", "到达"),
}


class Lost(Exception):
    """The words do not lead on."""


def _leaving(router: Router, arc: int) -> float:
    a = router.arrays
    return float(search.leaving(arc, a.e_shape, a.s_lat, a.s_lon))


def _exits(router: Router, arc: int) -> list[tuple[float, int]]:
    a = router.arrays
    vertex = int(a.e_u[arc >> 1] if arc & 1 else a.e_v[arc >> 1])
    heading = _leaving(router, arc ^ 1) + 180
    others = [int(x) for x in a.a_arc[a.a_first[vertex] : a.a_first[vertex + 1]] if int(x) != arc ^ 1]
    return sorted(((_leaving(router, other) - heading) % 360, other) for other in others)


def _straight(router: Router, arc: int) -> int:
    turns = sorted((min(turn, 360 - turn), other) for turn, other in _exits(router, arc))
    if not turns or (len(turns) > 1 and turns[1][0] - turns[0][0] < CLEAR_DEGREES):
        raise Lost("no clear way straight on")
    return turns[0][1]


def walk(router: Router, start: Place, lines: list[str], language: str) -> list[int]:
    """Follow the lines from a place; the arcs walked. Raises `Lost`."""
    a = router.arrays
    heading, after, turning, arrived = _FORMS[language]
    bearing = float(re.findall(heading, lines[0])[-1])
    arc, done = _set_off(router, start, bearing)
    walked = [arc]
    left = float(a.e_len[arc >> 1]) - done
    for line in lines[1:]:
        match = re.match(after, line)
        assert match, line
        target, gone = float(match[1]), left
        if arrived in line:
            while gone < target - 0.06:
                arc = _straight(router, arc)
                walked.append(arc)
                gone += float(a.e_len[arc >> 1])
            return walked
        while gone < target - (0.06 if "." in match[1] else 0.6):
            arc = _straight(router, arc)
            walked.append(arc)
            gone += float(a.e_len[arc >> 1])
        if abs(gone - target) > 0.61:
            raise Lost(f"no junction after {target} m, but after {gone:.1f}")
        turn = re.search(turning, line)
        if turn:
            there = [other for angle, other in _exits(router, arc) if (round(angle / 30) % 12 or 12) == int(turn[1])]
            number = int(turn[2] or 1)
            if number > len(there) or (turn[2] is None and len(there) > 1):
                raise Lost(f"{len(there)} ways at {turn[1]} o'clock")
            arc = there[number - 1]
        else:
            arc = _straight(router, arc)
        walked.append(arc)
        left = float(a.e_len[arc >> 1])
    raise Lost("the words end before the place")


def _set_off(router: Router, start: Place, bearing: float) -> tuple[int, float]:
    """The arc on which one begins with a bearing, and how far along it one is."""
    a = router.arrays
    options: list[tuple[float, int, float]] = []
    length = float(a.e_len[start.edge])
    vertex = router.vertex(start)
    if vertex >= 0:
        for arc in a.a_arc[a.a_first[vertex] : a.a_first[vertex + 1]]:
            options.append((_leaving(router, int(arc)), int(arc), 0.0))
    else:
        for against in (0, 1):
            options.append(
                (
                    router.heading(start, bool(against)),
                    2 * start.edge + against,
                    length - start.along if against else start.along,
                )
            )
    gap, arc, done = min((abs((direction - bearing + 180) % 360 - 180), arc, done) for direction, arc, done in options)
    if gap > 1:
        raise Lost(f"no way towards {bearing}°")
    return arc, done
