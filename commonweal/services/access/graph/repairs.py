"""Which one repair opens most trips: a street or a node that this person cannot pass, and what lies on its sides."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from commonweal.services.access.graph import search
from commonweal.services.access.graph.router import Router
from commonweal.services.access.rules import Fact, Profile, admits, judge


@dataclass(frozen=True, slots=True)
class Repair:
    """An element whose repair joins parts of the city; `opens` is the share of all trips that it adds."""

    element: str
    lat: float
    lon: float
    facts: tuple[Fact, ...]
    opens: float


def repairs(router: Router, profile: Profile, most: int = 10) -> list[Repair]:
    """The repairs that open most, the best first.

    A trip leads from any metre of usable street to any other. Joining parts of lengths `p` and `q` opens `2pq` of the
    `T²` trips in the city; a repair that joins nothing opens none.
    """
    a, compiled = router.arrays, router.compiled(profile)
    parts, flags = compiled.parts, compiled.flags
    length = np.bincount(parts[parts >= 0], weights=a.e_len[parts >= 0], minlength=len(parts))
    total = float(a.e_len.sum()) ** 2 or 1.0
    found: list[Repair] = []

    def around(vertex: int) -> set[int]:
        arcs = a.a_arc[a.a_first[vertex] : a.a_first[vertex + 1]]
        return {int(parts[arc >> 1]) for arc in arcs if parts[arc >> 1] >= 0}

    def gain(joined: set[int], own: float) -> float:
        sizes = [float(length[part]) for part in joined]
        return (sum(sizes) + own) ** 2 - sum(size**2 for size in sizes) if sizes else 0.0

    def barring(row: int, sense: int) -> tuple[Fact, ...]:
        facts = router.graph.rows[row].facts
        return tuple(fact for fact in facts if not admits(profile, fact, judge(profile, fact, sense)))

    for edge in np.flatnonzero(parts < 0):
        opens = gain(around(int(a.e_u[edge])) | around(int(a.e_v[edge])), float(a.e_len[edge]))
        if opens / total > 1e-7:
            middle = int(a.e_shape[edge] + a.e_shape[edge + 1]) // 2
            place = float(a.s_lat[middle]), float(a.s_lon[middle])
            found.append(Repair(f"way/{int(a.e_way[edge])}", *place, barring(int(a.e_row[edge]), 1), opens / total))
    leaves = np.zeros(len(a.v_node), bool)
    np.logical_or.at(leaves, a.e_u, (flags[0::2] & search.LEAVE) > 0)
    np.logical_or.at(leaves, a.e_v, (flags[1::2] & search.LEAVE) > 0)
    for vertex in np.flatnonzero(~leaves & (a.v_row >= 0)):
        opens = gain(around(int(vertex)), 0.0)
        if opens / total > 1e-7:
            place = float(a.v_lat[vertex]), float(a.v_lon[vertex])
            facts = barring(int(a.v_row[vertex]), 0)
            found.append(Repair(f"node/{int(a.v_node[vertex])}", *place, facts, opens / total))
    best: dict[str, Repair] = {}
    for repair in found:
        if any(fact.attribute in ("access", "hours") for fact in repair.facts):
            continue  # a right, which no repair gives
        if repair.facts and (repair.element not in best or best[repair.element].opens < repair.opens):
            best[repair.element] = repair
    return sorted(best.values(), key=lambda repair: (-repair.opens, repair.element))[:most]
