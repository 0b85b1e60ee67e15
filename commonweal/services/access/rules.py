"""Who can pass what. A `Fact` says something about a piece of street; a `Profile` says what a person can pass; `judge`
gives one of three verdicts. How much an unknown counts is the person's own choice, per attribute.

Sources: OpenStreetMap wiki (tag meanings); 1:12 as the steepest public ramp in GB 50763-2012 3.4 and the ADA standards.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Literal, get_args

from commonweal.kernel.errors import Invalid
from commonweal.kernel.text import Text

Mode = Literal["strict", "cautious", "permissive"]
MODES: tuple[Mode, ...] = get_args(Mode)
Value = float | str | None

ATTRIBUTES: dict[str, Text] = {
    "access": Text("right of way", "通行权"),
    "hours": Text("opening hours", "开放时间"),
    "wheelchair": Text("wheelchair sign", "轮椅通行标记"),
    "steps": Text("steps", "台阶"),
    "escalator": Text("escalator or moving walkway", "自动扶梯或自动步道"),
    "incline": Text("incline", "纵坡"),
    "cross_slope": Text("cross slope", "横坡"),
    "width": Text("width", "宽度"),
    "surface": Text("surface", "路面材质"),
    "smoothness": Text("smoothness", "平整度"),
    "kerb": Text("kerb", "路缘石"),
    "barrier": Text("barrier", "阻挡物"),
    "door": Text("door", "门"),
    "lift": Text("lift", "电梯"),
    "crossing": Text("crossing", "过街"),
    "obstruction": Text("reported obstruction", "上报的障碍"),
}
"""What is judged. Values: incline and cross slope in per cent, width and barrier gap and kerb in cm, the rest words."""

SURFACE_GRADES = ("smooth", "paved", "compacted", "rough", "loose", "any")
SURFACES: dict[str, str] = {
    **dict.fromkeys(
        str.split("asphalt concrete chipseal rubber tartan acrylic plastic carpet linoleum granite marble terrazzo"),
        "smooth",
    ),
    **dict.fromkeys(
        str.split(
            "paved paving_stones paving_stones:30 paving_stones:20 concrete:plates concrete:lanes bricks brick tiles "
            "wood metal decking artificial_turf boardwalk fibre_reinforced_polymer_grate"
        ),
        "paved",
    ),
    **dict.fromkeys(str.split("compacted fine_gravel"), "compacted"),
    **dict.fromkeys(
        str.split("sett cobblestone cobblestone:flattened unhewn_cobblestone grass_paver metal_grid stone brick_weave"),
        "rough",
    ),
    **dict.fromkeys(
        str.split("unpaved gravel pebblestone ground dirt earth grass clay woodchips bark leaves shells soil turf"),
        "loose",
    ),
    **dict.fromkeys(str.split("sand mud rock rocks ice snow salt water stepping_stones scree"), "any"),
}
"""What a `surface=*` word means. A grade of `any` is passed only by a profile that passes any surface."""

SMOOTHNESS = ("excellent", "good", "intermediate", "bad", "very_bad", "horrible", "very_horrible", "impassable")
DOORS = ("none", "automatic", "manual", "revolving")
CROSSINGS = ("sound", "signals", "marked", "unmarked")
"""From the most to the least protected; a profile names the least that it takes."""
OBSTACLES = frozenset(
    str.split(
        "stile turnstile full-height_turnstile kissing_gate motorcycle_barrier horse_stile log debris cattle_grid "
        "bump_gate hampshire_gate spikes ditch rope chain horse_jump fence wall hedge retaining_wall city_wall hole "
        "stone overgrowth shrub"
    )
)
"""Barriers that nothing on wheels passes, whatever their width."""
GAP_TAKES_A_PERSON = 60.0
"""A person without a device passes a gap of unknown width: bollards and gates are made for that. Centimetres."""
WORST_KERB = {"flush": 0.0, "no": 0.0, "lowered": 3.0, "rolled": 15.0, "raised": 20.0}
"""A kerb known only by its class counts as the worst of the class. Centimetres."""

MAX_ROUTE_M = 20_000.0
"""The longest route that is planned, in metres; beyond, transit or an assisted ride is the better answer."""


class Verdict(IntEnum):
    """Whether a fact lets a person pass. The worst of several is their minimum."""

    FAIL = 0
    UNKNOWN = 1
    PASS = 2


@dataclass(frozen=True, slots=True)
class Fact:
    """What is on record for one attribute of one element.

    `value` is a number in the attribute's unit, a word, or None when it is not known. `doubt` names why the record
    cannot be trusted to let somebody pass (a bollard of unmeasured gap, a height without its unit, a fresh report):
    such a fact can fail, but never passes. `tags` are the raw tags that were read; `note` marks contradictions.
    """

    attribute: str
    value: Value
    doubt: str = ""
    tags: tuple[tuple[str, str], ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Profile:
    """What one person can and wants to pass. Limits are inclusive."""

    name: str = "own"
    incline_up: float = 8.33
    """Per cent, against gravity."""
    incline_down: float = 8.33
    cross_slope: float = 3.0
    kerb_up: float = 3.0
    """Centimetres of step from the road onto the pavement."""
    kerb_down: float = 3.0
    width: float = 90.0
    """Centimetres that person and device need."""
    surface: str = "compacted"
    """The worst of `SURFACE_GRADES` that is passed."""
    smoothness: str = "intermediate"
    """The worst of `SMOOTHNESS` that is passed."""
    steps: int = 0
    """The most steps in one flight; 1000 means any number."""
    escalators: bool = False
    lifts: bool = True
    doors: str = "manual"
    """The hardest of `DOORS` that is opened."""
    crossing: str = "unmarked"
    """The least protected of `CROSSINGS` that is used."""
    obstacles: bool = False
    """Passes stiles, turnstiles, logs."""
    wheelchair: bool = True
    """Heeds `wheelchair=no` and trusts `wheelchair=yes`."""
    limited: bool = False
    """Takes what is marked `wheelchair=limited` (a step of up to 7 cm, or help needed)."""
    private: bool = False
    """May use private ways."""
    speed: float = 3.6
    """Kilometres per hour on level ground."""
    length: float = MAX_ROUTE_M
    """The longest route, metres."""
    unknown: Mode = "cautious"
    unknown_by: tuple[tuple[str, Mode], ...] = ()
    """Attributes whose unknown is treated otherwise than `unknown`."""

    def mode(self, attribute: str) -> Mode:
        """How this person takes an unknown `attribute`."""
        return dict(self.unknown_by).get(attribute, self.unknown)

    def to_json(self) -> dict[str, Any]:
        """Every limit by name, as `parse_profile` reads it."""
        document = dataclasses.asdict(self)
        by = document.pop("unknown_by")
        document["unknown"] = {"default": self.unknown, **dict(by)} if by else self.unknown
        return document


_WALKER = Profile(
    incline_up=12,
    incline_down=12,
    cross_slope=6,
    kerb_up=20,
    kerb_down=20,
    width=60,
    surface="rough",
    smoothness="bad",
    steps=1000,
    escalators=True,
    doors="revolving",
    obstacles=False,
    wheelchair=False,
    limited=True,
    speed=3.6,
)

PROFILES: dict[str, tuple[Profile, Text]] = {
    name: (dataclasses.replace(profile, name=name), title)
    for name, profile, title in (
        ("manual", Profile(), Text("manual wheelchair", "手动轮椅")),
        (
            "power",
            Profile(incline_up=12, incline_down=12, cross_slope=6, kerb_up=5, kerb_down=5, width=85, speed=5.0),
            Text("power wheelchair", "电动轮椅"),
        ),
        (
            "scooter",
            Profile(incline_up=12, incline_down=12, cross_slope=6, kerb_up=7, kerb_down=7, width=100, speed=6.0),
            Text("mobility scooter", "代步车"),
        ),
        (
            "crutches",
            dataclasses.replace(_WALKER, width=85, steps=12, speed=2.5, doors="manual", escalators=False),
            Text("crutches or walking stick", "拐杖"),
        ),
        (
            "walker",
            Profile(incline_up=8.33, kerb_up=6, kerb_down=6, width=75, speed=2.5, limited=True),
            Text("walking frame", "助行器"),
        ),
        (
            "pram",
            Profile(
                incline_up=12, incline_down=12, cross_slope=6, kerb_up=15, kerb_down=15, width=70, surface="rough",
                smoothness="bad", limited=True, speed=4.0,
            ),
            Text("pram or pushchair", "婴儿车"),
        ),
        ("cane",
            dataclasses.replace(_WALKER, incline_up=20, incline_down=20),
            Text("blind, with a cane", "盲人（持盲杖）"),
        ),
        (
            "lowvision",
            dataclasses.replace(_WALKER, incline_up=20, incline_down=20, surface="loose", speed=4.0),
            Text("low vision", "低视力"),
        ),
    )
}  # fmt: skip
"""The profiles to start from; every limit of them can be changed. Where no standard gives a figure it is our choice."""

_BOUNDS: dict[str, tuple[float, float]] = {
    "incline_up": (0, 100),
    "incline_down": (0, 100),
    "cross_slope": (0, 100),
    "kerb_up": (0, 100),
    "kerb_down": (0, 100),
    "width": (20, 300),
    "steps": (0, 1000),
    "speed": (0.5, 10),
    "length": (10, MAX_ROUTE_M),
}
_WORDS: dict[str, tuple[str, ...]] = {
    "surface": SURFACE_GRADES,
    "smoothness": SMOOTHNESS,
    "doors": DOORS,
    "crossing": CROSSINGS,
}


def _refuse(field: str, en: str, zh: str) -> Invalid:
    return Invalid("profile.limit", Text(f"{field}: {en}", f"{field}：{zh}"), field=field)


def check_profile(profile: Profile) -> Profile:
    """Return `profile` if every limit is possible. Raises `Invalid` (`profile.limit`) naming the field."""
    for field, (low, high) in _BOUNDS.items():
        value = getattr(profile, field)
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise _refuse(field, "write a number.", "请填写数字。")
        if not low <= value <= high:
            raise _refuse(field, f"write a number from {low:g} to {high:g}.", f"请填写 {low:g} 到 {high:g} 之间的数。")
    for field, words in _WORDS.items():
        if getattr(profile, field) not in words:
            raise _refuse(field, f"choose one of {', '.join(words)}.", f"请从 {'、'.join(words)} 中选择。")
    for field in ("escalators", "lifts", "obstacles", "wheelchair", "limited", "private"):
        if not isinstance(getattr(profile, field), bool):
            raise _refuse(field, "choose true or false.", "请选择 true 或 false。")
    for attribute, mode in (("unknown", profile.unknown), *profile.unknown_by):
        if mode not in MODES or (attribute != "unknown" and attribute not in ATTRIBUTES):
            raise _refuse("unknown", f"choose one of {', '.join(MODES)}.", f"请从 {'、'.join(MODES)} 中选择。")
    if not isinstance(profile.name, str) or not 0 < len(profile.name) <= 60:
        raise _refuse("name", "write a name of 1 to 60 characters.", "请填写 1 到 60 个字的名称。")
    return profile


def parse_profile(document: object) -> Profile:
    """A profile from its name (`"manual"`) or a mapping of limits, on top of the profile named by `base` if it has one.

    `unknown` is a mode, or a mapping of attributes to modes with an optional `default`. Raises `Invalid` with
    `profile.name`, `profile.form`, `profile.field` or `profile.limit`.
    """
    if isinstance(document, str):
        if document not in PROFILES:
            names = ", ".join(PROFILES)
            raise Invalid(
                "profile.name",
                Text(f"There is no such profile. Choose one of {names}.", f"没有这个出行方式，请从 {names} 中选择。"),
                field="profile",
            )
        return PROFILES[document][0]
    if not isinstance(document, Mapping):
        raise Invalid(
            "profile.form", Text("A profile is a JSON object of limits.", "出行方式应为 JSON 对象。"), field="profile"
        )
    given = dict(document)
    base = parse_profile(given.pop("base")) if "base" in given else Profile()
    unknown = given.pop("unknown", base.unknown)
    by: dict[str, Any] = {}
    if isinstance(unknown, Mapping):
        by = dict(unknown)
        unknown = by.pop("default", base.unknown)
    fields = {field.name for field in dataclasses.fields(Profile)} - {"unknown", "unknown_by"}
    for name in given:
        if name not in fields:
            raise Invalid(
                "profile.field",
                Text("A profile has no limit named {name}.", "出行方式没有名为 {name} 的限值。").format(
                    name=str(name)[:60]
                ),
                field=str(name)[:60],
            )
    merged = {name: given.get(name, getattr(base, name)) for name in fields}
    return check_profile(Profile(**merged, unknown=unknown, unknown_by=tuple(sorted(by.items()))))


def judge(profile: Profile, fact: Fact, sense: int = 0) -> Verdict:
    """Whether `profile` passes `fact`.

    `sense` is the direction of travel: +1 along the way (for a kerb: up), -1 against it (down), 0 both. A fact that is
    known to be too much fails; one that is not known, or in doubt, is never more than unknown.
    """
    fails = _fails(profile, fact, sense)
    if fails is None:
        return Verdict.UNKNOWN
    if fails:
        return Verdict.FAIL
    on_foot = fact.attribute == "barrier" and fact.value is None
    return Verdict.UNKNOWN if fact.doubt and not on_foot else Verdict.PASS


def _fails(profile: Profile, fact: Fact, sense: int) -> bool | None:  # noqa: PLR0912
    """Whether the recorded value is beyond the limit; None if the value says nothing."""
    value = fact.value
    match fact.attribute:
        case "access":
            return value in ("no", "closed") or (value == "private" and not profile.private)
        case "wheelchair":
            return profile.wheelchair and (value == "no" or (value == "limited" and not profile.limited))
        case "escalator":
            return not profile.escalators
        case "lift":
            return value == "out" or not profile.lifts
        case "obstruction":
            return value == "blocked"
        case "door":
            return None if value is None else DOORS.index(str(value)) > DOORS.index(profile.doors)
        case "crossing":
            limit = CROSSINGS.index(profile.crossing)
            if value is None:
                return False if limit == len(CROSSINGS) - 1 else None
            return CROSSINGS.index(str(value)) > limit
        case "steps":
            if profile.steps >= 1000:
                return False
            if value is None:
                return None if profile.steps else True
            return float(value) > profile.steps
        case "hours":
            return None
    if value is None:
        # On foot and without a device one passes between bollards, whatever their distance.
        return False if fact.attribute == "barrier" and profile.width <= GAP_TAKES_A_PERSON else None
    if value == "usable":  # vouched for by wheelchair=yes on the same element
        return False if profile.wheelchair else None
    match fact.attribute:
        case "incline":
            slope = float(value)
            up, down = slope > profile.incline_up, -slope > profile.incline_down
            back = -slope > profile.incline_up or slope > profile.incline_down
            return (up or down) if sense > 0 else back if sense < 0 else (up or down or back)
        case "cross_slope":
            return float(value) > profile.cross_slope
        case "kerb":
            limits = {1: profile.kerb_up, -1: profile.kerb_down, 0: min(profile.kerb_up, profile.kerb_down)}
            return float(value) > limits[sense]
        case "width":
            return float(value) < profile.width
        case "barrier":
            return not profile.obstacles if isinstance(value, str) else float(value) < profile.width
        case "surface":
            return SURFACE_GRADES.index(SURFACES[str(value)]) > SURFACE_GRADES.index(profile.surface)
        case "smoothness":
            return SMOOTHNESS.index(str(value)) > SMOOTHNESS.index(profile.smoothness)
    raise ValueError(f"no such attribute: {fact.attribute}")


def admits(profile: Profile, fact: Fact, verdict: Verdict) -> bool:
    """Whether this person goes there: never over a fail; over an unknown as their rule for the attribute says.

    Strict admits no unknown. Cautious admits what is merely not recorded, but nothing in doubt. Permissive admits any.
    """
    if verdict is Verdict.UNKNOWN:
        mode = profile.mode(fact.attribute)
        return mode == "permissive" or (mode == "cautious" and not fact.doubt)
    return verdict is Verdict.PASS
