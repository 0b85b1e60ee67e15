"""What a profile would have to change to pass a fact: the least of it, one limit at a time."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

from commonweal.services.access.rules import ATTRIBUTES, SURFACES, Fact, Profile, Verdict, admits, judge


@dataclass(frozen=True, slots=True)
class Change:
    """One limit of a profile set to another value. `unknown.width` names the rule for an unknown width."""

    field: str
    before: float | str | bool
    after: float | str | bool


def change(profile: Profile, field: str, after: float | str | bool) -> Profile:
    """`profile` with one limit changed."""
    if field.startswith("unknown."):
        by = dict(profile.unknown_by) | {field.removeprefix("unknown."): after}
        return dataclasses.replace(profile, unknown_by=tuple(sorted(by.items())))  # type: ignore[arg-type]
    return dataclasses.replace(profile, **{field: after})  # type: ignore[arg-type]


def current(profile: Profile, field: str) -> float | str | bool:
    """The value of a limit named as in `Change`."""
    if field.startswith("unknown."):
        return profile.mode(field.removeprefix("unknown."))
    value: float | str | bool = getattr(profile, field)
    return value


NARROWEST = 20.0
"""The least width a profile can have, centimetres."""
Changes = dict[str, float | str | bool]
"""Limits by name, and what to set them to."""

OPENERS: Changes = {
    "incline_up": 100.0,
    "incline_down": 100.0,
    "cross_slope": 100.0,
    "kerb_up": 100.0,
    "kerb_down": 100.0,
    "width": NARROWEST,
    "surface": "any",
    "smoothness": "impassable",
    "steps": 1000,
    "escalators": True,
    "lifts": True,
    "doors": "revolving",
    "crossing": "unmarked",
    "obstacles": True,
    "limited": True,
    "private": True,
    "wheelchair": False,
    **{f"unknown.{attribute}": "permissive" for attribute in ATTRIBUTES},
}
"""Each limit at its loosest."""


def needs(profile: Profile, fact: Fact, sense: int = 0) -> Changes | None:
    """The least changes of `profile` that admit `fact`; empty if it is admitted, None if no limit can."""
    wanted: Changes = {}
    for _ in range(4):  # a limit, then perhaps its other direction, then the rule for doubt
        loosened = profile
        for field, after in wanted.items():
            loosened = change(loosened, field, after)
        verdict = judge(loosened, fact, sense)
        if admits(loosened, fact, verdict):
            return wanted
        if verdict is Verdict.UNKNOWN:
            wanted[f"unknown.{fact.attribute}"] = "cautious" if not fact.doubt else "permissive"
            continue
        step = _loosen(loosened, fact, sense)
        if not step:
            return None
        wanted |= step
    return None


def _loosen(profile: Profile, fact: Fact, sense: int) -> Changes:  # noqa: PLR0912
    """The limits to change so that a failing value passes."""
    value = fact.value
    match fact.attribute:
        case "access" if value == "private":
            return {"private": True}
        case "wheelchair":
            return {"limited": True} if value == "limited" else {"wheelchair": False}
        case "steps":
            return {"steps": 1000 if value is None else math.ceil(float(value))}
        case "escalator":
            return {"escalators": True}
        case "lift" if value != "out":
            return {"lifts": True}
        case "door":
            return {"doors": str(value)}
        case "crossing":
            return {"crossing": str(value)}
        case "incline":
            slope = float(value or 0)
            up = {1: slope, -1: -slope, 0: abs(slope)}[sense]
            down = {1: -slope, -1: slope, 0: abs(slope)}[sense]
            climbs: Changes = {"incline_up": up} if up > profile.incline_up else {}
            return climbs | ({"incline_down": down} if down > profile.incline_down else {})
        case "cross_slope":
            return {"cross_slope": float(value or 0)}
        case "kerb":
            height = float(value or 0)
            steps_up: Changes = {"kerb_up": height} if sense >= 0 and height > profile.kerb_up else {}
            return steps_up | ({"kerb_down": height} if sense <= 0 and height > profile.kerb_down else {})
        case "barrier" if isinstance(value, str):
            return {"obstacles": True}
        case "width" | "barrier":
            narrowest = float(value or 0)
            return {"width": narrowest} if narrowest >= NARROWEST else {}
        case "surface":
            return {"surface": SURFACES[str(value)]}
        case "smoothness":
            return {"smoothness": str(value)}
    return {}
