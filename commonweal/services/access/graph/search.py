"""The inner loops, compiled by numba: shortest paths, lower bounds, connected parts, nearest streets.

Arcs carry two flags under a profile: `PASS`, the arc itself may be walked; `LEAVE`, its tail vertex may be walked
through when leaving by it (a kerb or a bollard stands on a vertex). A path uses an arc only with both.
"""

from __future__ import annotations

import math

import numba
import numpy as np
from numpy.typing import NDArray

PASS, LEAVE = 1, 2
OPEN = PASS | LEAVE
FAR = np.float32(1e9)
"""The distance to a landmark that cannot be reached."""
SLACK = 0.05
"""Taken off every bound, metres: landmark distances are 32-bit floats."""
_METRES_PER_DEGREE = 6_371_008.8 * math.pi / 180


@numba.njit(cache=True, nogil=True, inline="always")
def _push(keys, items, size, key, item):  # type: ignore[no-untyped-def]
    place = size
    while place > 0:
        up = (place - 1) >> 2
        if keys[up] <= key:
            break
        keys[place] = keys[up]
        items[place] = items[up]
        place = up
    keys[place] = key
    items[place] = item
    return size + 1


@numba.njit(cache=True, nogil=True, inline="always")
def _pop(keys, items, size):  # type: ignore[no-untyped-def]
    """Remove the least of a 4-ary heap; the caller has read it."""
    size -= 1
    key, item = keys[size], items[size]
    place = 0
    while True:
        child = 4 * place + 1
        if child >= size:
            break
        least = child
        for other in range(child + 1, min(child + 4, size)):
            if keys[other] < keys[least]:
                least = other
        if keys[least] >= key:
            break
        keys[place] = keys[least]
        items[place] = items[least]
        place = least
    keys[place] = key
    items[place] = item
    return size


@numba.njit(cache=True, nogil=True)
def spread(a_first, a_arc, e_u, e_v, cost, flags, starts, start_costs, budget):  # type: ignore[no-untyped-def]
    """Dijkstra from `starts`: the least cost to every vertex, infinite beyond `budget`, and the arc it came by."""
    count = len(a_first) - 1
    best = np.full(count, np.inf)
    parent = np.full(count, -1, np.int32)
    keys = np.empty(len(a_arc) + len(starts) + 1)
    items = np.empty(len(a_arc) + len(starts) + 1, np.int32)
    size = 0
    for k in range(len(starts)):
        if start_costs[k] < best[starts[k]] and start_costs[k] <= budget:
            best[starts[k]] = start_costs[k]
            size = _push(keys, items, size, start_costs[k], starts[k])
    while size > 0:
        key, vertex = keys[0], items[0]
        size = _pop(keys, items, size)
        if key > best[vertex]:
            continue
        for place in range(a_first[vertex], a_first[vertex + 1]):
            arc = a_arc[place]
            if flags[arc] != OPEN:
                continue
            head = e_u[arc >> 1] if arc & 1 else e_v[arc >> 1]
            reached = key + cost[arc]
            if reached < best[head] and reached <= budget:
                best[head] = reached
                parent[head] = arc
                size = _push(keys, items, size, reached, head)
    return best, parent


def landmarks(
    a_first: NDArray[np.int32],
    a_arc: NDArray[np.int32],
    e_u: NDArray[np.int32],
    e_v: NDArray[np.int32],
    e_len: NDArray[np.float64],
    count: int,
) -> NDArray[np.float32]:
    """Distances of all vertices to `count` that lie far from one another (farthest first), ignoring barriers."""
    cost = np.repeat(e_len, 2)
    flags = np.full(2 * len(e_len), OPEN, np.uint8)
    parts = components(a_first, a_arc, flags)
    sizes = np.bincount(parts)
    edge = int(np.flatnonzero(parts == int(np.argmax(sizes)))[0])
    table = np.full((len(a_first) - 1, count), FAR, np.float32)
    begin = spread(a_first, a_arc, e_u, e_v, cost, flags, np.array([e_u[edge]], np.int32), np.zeros(1), np.inf)[0]
    nearest = np.where(np.isfinite(begin), begin, -1.0)
    for k in range(count):
        place = np.array([int(np.argmax(nearest))], np.int32)
        far = spread(a_first, a_arc, e_u, e_v, cost, flags, place, np.zeros(1), np.inf)[0]
        finite = np.isfinite(far)
        table[finite, k] = far[finite]
        nearest = np.where(finite, far if k == 0 else np.minimum(nearest, far), -1.0)
    return table


@numba.njit(cache=True, nogil=True)
def components(a_first, a_arc, flags):  # type: ignore[no-untyped-def]  # noqa: PLR0912
    """A number for every edge: edges that may be connected for some direction of travel share it; -1 where closed.

    Two edges in one part may still be unreachable from each other (one-way slopes); in different parts they always are.
    """
    count = len(a_arc) // 2
    root = np.empty(count, np.int32)
    for edge in range(count):
        root[edge] = edge
    for vertex in range(len(a_first) - 1):
        passable = False
        for place in range(a_first[vertex], a_first[vertex + 1]):
            if flags[a_arc[place]] & LEAVE:
                passable = True
        if not passable:
            continue
        anchor = -1
        for place in range(a_first[vertex], a_first[vertex + 1]):
            edge = a_arc[place] >> 1
            if not ((flags[2 * edge] | flags[2 * edge + 1]) & PASS):
                continue
            while root[edge] != edge:
                root[edge] = root[root[edge]]
                edge = root[edge]
            if anchor < 0:
                anchor = edge
            elif edge != anchor:
                root[max(edge, anchor)] = min(edge, anchor)
                anchor = min(edge, anchor)
    label = np.full(count, -1, np.int32)
    for edge in range(count):
        if (flags[2 * edge] | flags[2 * edge + 1]) & PASS:
            top = edge
            while root[top] != top:
                top = root[top]
            label[edge] = top
    return label


@numba.njit(cache=True, nogil=True)
def astar(  # type: ignore[no-untyped-def]  # noqa: PLR0912
    a_first, a_arc, e_u, e_v, cost, flags, landmark, xyz, goal_landmark, goal_xyz,
    starts, start_costs, ends, end_costs, end_arcs, limit, stamp, mark, best, bound, parent, keys, items,
):  # fmt: skip
    """The cheapest path from a point to a point; costs are at least metres, so that distances bound them from below.

    A start vertex is reached at `start_costs`. From end vertex `k` the goal is `end_costs[k]` further by `end_arcs[k]`,
    or is that vertex itself if that is -1. Returns the cost (infinite if there is no path within `limit`), which end it
    comes by, and how many vertices were settled; `parent` then holds the arc each vertex on the path came by.
    The last seven arguments are the caller's work space, valid where `stamp` equals `mark`.
    """
    size, settled = 0, 0
    total, last = np.inf, -1
    for k in range(len(starts)):
        vertex = starts[k]
        if stamp[vertex] != mark:
            stamp[vertex] = mark
            best[vertex] = np.inf
            bound[vertex] = _bound(vertex, landmark, xyz, goal_landmark, goal_xyz)
        if start_costs[k] < best[vertex]:
            best[vertex] = start_costs[k]
            parent[vertex] = -1 - k
            size = _push(keys, items, size, best[vertex] + bound[vertex], vertex)
    while size > 0:
        key, vertex = keys[0], items[0]
        if key >= total or key > limit:
            break
        size = _pop(keys, items, size)
        here = best[vertex]
        if key > here + bound[vertex] + 1e-9:
            continue
        settled += 1
        for k in range(len(ends)):
            if ends[k] == vertex and (end_arcs[k] < 0 or flags[end_arcs[k]] == OPEN) and here + end_costs[k] < total:
                total, last = here + end_costs[k], k
        for place in range(a_first[vertex], a_first[vertex + 1]):
            arc = a_arc[place]
            if flags[arc] != OPEN:
                continue
            head = e_u[arc >> 1] if arc & 1 else e_v[arc >> 1]
            reached = here + cost[arc]
            if stamp[head] != mark:
                stamp[head] = mark
                best[head] = np.inf
                bound[head] = _bound(head, landmark, xyz, goal_landmark, goal_xyz)
            if reached < best[head]:
                best[head] = reached
                parent[head] = arc
                if reached + bound[head] < total:
                    size = _push(keys, items, size, reached + bound[head], head)
    return (total if total <= limit else np.inf), last, settled


@numba.njit(cache=True, nogil=True, inline="always")
def _bound(vertex, landmark, xyz, goal_landmark, goal_xyz):  # type: ignore[no-untyped-def]
    """How far the goal is at least: straight through the Earth, or by the triangle inequality over a landmark."""
    dx, dy, dz = xyz[vertex, 0] - goal_xyz[0], xyz[vertex, 1] - goal_xyz[1], xyz[vertex, 2] - goal_xyz[2]
    least = math.sqrt(dx * dx + dy * dy + dz * dz)
    for k in range(landmark.shape[1]):
        gap = abs(landmark[vertex, k] - goal_landmark[k])
        if gap > least:  # noqa: PLR1730
            least = gap
    return max(0.0, least - SLACK)


@numba.njit(cache=True, nogil=True)
def near(lat, lon, radius, cell, g_cell, g_first, g_segment, s_edge, s_lat, s_lon):  # type: ignore[no-untyped-def]
    """Every shape segment within `radius` metres: (edge, segment, fraction along it, distance), in no order."""
    scale = math.cos(math.radians(lat))
    dlat = radius / _METRES_PER_DEGREE
    dlon = dlat / max(scale, 0.01)
    edges = np.empty(64, np.int32)
    segments = np.empty(64, np.int32)
    fractions = np.empty(64)
    distances = np.empty(64)
    found = 0
    for y in range(math.floor((lat - dlat + 90) / cell), math.floor((lat + dlat + 90) / cell) + 1):
        for x in range(math.floor((lon - dlon + 180) / cell), math.floor((lon + dlon + 180) / cell) + 1):
            key = (y << 32) + x
            place = np.searchsorted(g_cell, key)
            if place == len(g_cell) or g_cell[place] != key:
                continue
            for k in range(g_first[place], g_first[place + 1]):
                s = g_segment[k]
                ax = (s_lon[s] - lon) * scale * _METRES_PER_DEGREE
                ay = (s_lat[s] - lat) * _METRES_PER_DEGREE
                bx = (s_lon[s + 1] - lon) * scale * _METRES_PER_DEGREE
                by = (s_lat[s + 1] - lat) * _METRES_PER_DEGREE
                vx, vy = bx - ax, by - ay
                square = vx * vx + vy * vy
                t = 0.0 if square == 0 else min(1.0, max(0.0, -(ax * vx + ay * vy) / square))
                px, py = ax + t * vx, ay + t * vy
                distance = math.sqrt(px * px + py * py)
                if distance > radius:
                    continue
                if found == len(edges):
                    edges = np.append(edges, np.empty(found, np.int32))
                    segments = np.append(segments, np.empty(found, np.int32))
                    fractions = np.append(fractions, np.empty(found))
                    distances = np.append(distances, np.empty(found))
                edges[found], segments[found], fractions[found], distances[found] = s_edge[s], s, t, distance
                found += 1
    return edges[:found], segments[:found], fractions[:found], distances[:found]


@numba.njit(cache=True, nogil=True)
def leaving(arc, e_shape, s_lat, s_lon):  # type: ignore[no-untyped-def]
    """The bearing at which an arc leaves its tail, degrees clockwise from north."""
    edge = arc >> 1
    first, last = e_shape[edge], e_shape[edge + 1] - 1
    i, j = (last, last - 1) if arc & 1 else (first, first + 1)
    east = (s_lon[j] - s_lon[i]) * math.cos(math.radians((s_lat[i] + s_lat[j]) / 2))
    return math.degrees(math.atan2(east, s_lat[j] - s_lat[i])) % 360


@numba.njit(cache=True, nogil=True)
def turns(arcs, clear, a_first, a_arc, e_u, e_v, e_shape, s_lat, s_lon):  # type: ignore[no-untyped-def]
    """For every joint of a path: the clock hour of the turn (0 if one goes on without a word), which of the ways in
    that hour it takes, counted clockwise, and how many there are.

    One goes on without a word where the path takes the way that is straightest by more than `clear` degrees.
    """
    said = np.zeros((len(arcs) - 1, 3), np.int32)
    for joint in range(len(arcs) - 1):
        arc, following = arcs[joint], arcs[joint + 1]
        vertex = e_u[arc >> 1] if arc & 1 else e_v[arc >> 1]
        heading = leaving(arc ^ 1, e_shape, s_lat, s_lon) + 180
        turn = (leaving(following, e_shape, s_lat, s_lon) - heading) % 360
        bend = min(turn, 360 - turn)
        hour = round(turn / 30) % 12
        wordless, rank, rivals = True, 1, 1
        for place in range(a_first[vertex], a_first[vertex + 1]):
            other = a_arc[place]
            if other == following or other == arc ^ 1:
                continue
            angle = (leaving(other, e_shape, s_lat, s_lon) - heading) % 360
            if min(angle, 360 - angle) < bend + clear:
                wordless = False
            if round(angle / 30) % 12 == hour:
                rivals += 1
                if (angle, other) < (turn, following):
                    rank += 1
        if not wordless:
            said[joint, 0] = hour if hour else 12
            said[joint, 1] = rank
            said[joint, 2] = rivals
    return said
