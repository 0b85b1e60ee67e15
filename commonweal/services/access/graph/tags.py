"""What OpenStreetMap tags say, as facts. One small reader per attribute; nothing is guessed silently.

Every reader is pure: tags in, `Fact` or None out. None means that the attribute does not arise on this element; a fact
whose value is None means that it arises and is not known. The meanings are those of the OpenStreetMap wiki.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping

from commonweal.services.access.rules import OBSTACLES, SMOOTHNESS, SURFACES, WORST_KERB, Fact

Tags = Mapping[str, str]

HIGHWAYS = frozenset(
    str.split(
        "footway path pedestrian steps corridor elevator platform residential living_street service unclassified "
        "tertiary tertiary_link secondary secondary_link primary primary_link track road cycleway bridleway "
        "access_ramp crossing trail busway"
    )
)
"""Walked unless a tag forbids it. Trunk roads are walked where a tag allows it, motorways never."""
FOOTWAYS = frozenset(str.split("footway path pedestrian steps corridor elevator platform access_ramp crossing trail"))
YES = frozenset(
    str.split("yes designated permissive official public customers destination destination;customers permit_holders")
)
PRIVATE = frozenset(
    str.split("private permit residents employees staff members delivery agricultural forestry military")
)
SIDES = ("left", "right")


SURELY_CENTIMETRES = 6000.0
"""A bare width of 60 or more is no street of 60 metres but 60 centimetres; the reading stays in doubt."""


def plain(text: str) -> str:
    """Folded for reading: full-width digits and signs to ASCII (NFKC), no outer blanks, lower case."""
    return unicodedata.normalize("NFKC", text).strip().lower()


def parts(text: str) -> list[str]:
    """The values of a list (`lowered;no`)."""
    return [piece.strip() for piece in plain(text).split(";") if piece.strip()]


_NUMBER = r"[-+−~<>≈]?\s*\d+(?:[.,]\d+)?|[-+−]?\.\d+"
_LENGTH = re.compile(
    rf"(?P<n>{_NUMBER})\s*(?P<unit>m|meters?|metres?|米|cm|厘米|mm|毫米|km|ft|feet|foot|'|in|inch|inches|\")?"
)
_FEET = re.compile(r"(?P<ft>\d+(?:\.\d+)?)\s*(?:'|ft|feet)\s*(?P<in>\d+(?:\.\d+)?)\s*(?:\"|''|in|inch|inches)?")
_CM = {
    "m": 100, "meter": 100, "meters": 100, "metre": 100, "metres": 100, "米": 100, "cm": 1, "厘米": 1, "mm": 0.1,
    "毫米": 0.1, "km": 100_000, "ft": 30.48, "feet": 30.48, "foot": 30.48, "'": 30.48, "in": 2.54, "inch": 2.54,
    "inches": 2.54, '"': 2.54,
}  # fmt: skip


def _number(text: str) -> float:
    return float(text.replace("−", "-").replace(",", ".").lstrip("~<>≈+ ").replace(" ", ""))


def _range(text: str) -> list[str]:
    """The two ends of `0.8-1.2`, or the text alone."""
    match = re.fullmatch(r"(\d[\d.,]*)\s*(\D*?)\s*(?:-|–|\.\.)\s*(\d[\d.,]*)\s*(\D*)", text)
    if match is None:
        return [text]
    unit = match[2] or match[4]
    return [f"{match[1]} {unit}".strip(), f"{match[3]} {match[4] or unit}".strip()]


def centimetres(text: str) -> tuple[float, bool] | None:
    """A single length in centimetres, and whether its unit was written. None if it is not one."""
    text = plain(text).replace("′′", '"').replace("''", '"').replace("’", "'").replace("″", '"').replace("′", "'")
    if match := _FEET.fullmatch(text):
        return round(float(match["ft"]) * 30.48 + float(match["in"]) * 2.54, 2), True
    match = _LENGTH.fullmatch(text)
    if match is None:
        return None
    number = _number(match["n"])
    if not math.isfinite(number) or number < 0:
        return None
    return round(number * _CM[match["unit"] or "m"], 2), match["unit"] is not None


def lengths(text: str) -> list[tuple[float, bool]] | None:
    """All lengths of a list or range; None if any is unreadable."""
    found = [centimetres(end) for piece in parts(text) for end in _range(piece)]
    return None if not found or None in found else [length for length in found if length is not None]


_SLOPE = re.compile(rf"(?P<n>{_NUMBER})\s*(?P<unit>%|°|º|deg|degree|degrees|度|‰)?")
_RATIO = re.compile(r"(?P<sign>[-+−]?)\s*(?P<rise>\d+(?:[.,]\d+)?)\s*[:/]\s*(?P<run>\d+(?:[.,]\d+)?)")


def per_cent(text: str) -> tuple[float, str] | None:
    """A single slope in per cent (rise over run, 2 decimals), and a doubt (`unit`) if it has no unit and is not 0."""
    text = plain(text).replace("％", "%")
    if match := _RATIO.fullmatch(text):
        rise, run = _number(match["rise"]), _number(match["run"])
        if run == 0:
            return None
        return round(100 * rise / run * (-1 if match["sign"] in ("-", "−") else 1), 2), ""
    match = _SLOPE.fullmatch(text)
    if match is None:
        return None
    number, unit = _number(match["n"]), match["unit"]
    if unit in ("°", "º", "deg", "degree", "degrees", "度"):
        return (round(100 * math.tan(math.radians(number)), 2), "") if abs(number) < 90 else None
    if unit == "‰":
        return round(number / 10, 2), ""
    if unit is None and 0 < abs(number) < 0.35:  # 0.08 may be a ratio: the steeper reading counts
        return round(number * 100, 2), "unit"
    return (round(number, 2), "" if unit or number == 0 else "unit") if abs(number) <= 1000 else None


def _used(tags: Tags, keys: Iterable[str]) -> tuple[tuple[str, str], ...]:
    return tuple((key, tags[key]) for key in sorted(set(keys)) if key in tags)


def _first(tags: Tags, keys: Iterable[str]) -> str | None:
    return next((key for key in keys if tags.get(key, "").strip()), None)


def _worst(facts: list[Fact]) -> Fact:
    """Of several readings of one attribute the one that keeps more people out (start and end of a side)."""
    doubtful = [fact for fact in facts if fact.value is None]
    if doubtful:
        return doubtful[0]
    numbers = [fact for fact in facts if isinstance(fact.value, float)]
    return max(numbers, key=lambda fact: abs(float(fact.value or 0))) if numbers else facts[0]


# Single attributes ----------------------------------------------------------------------------------------------------


def access(tags: Tags) -> Fact | None:
    """Whether one may go there on foot: `foot` over `access`; a way under construction is closed."""
    if tags.get("highway") in ("construction", "proposed") or tags.get("construction") in ("yes", "major"):
        return Fact("access", "closed", tags=_used(tags, ["highway", "construction"]))
    key = _first(tags, ["foot", "access"])
    note = ""
    value: str = "yes"
    if key:
        words = parts(tags[key])
        if any(word in YES for word in words):
            value = "yes"
        elif any(word in PRIVATE for word in words):
            value = "private"
        elif any(word in ("no", "use_sidepath", "restricted", "psv") for word in words):
            value = "no"
    if tags.get("locked") == "yes" and value == "yes":
        value, note = "private", "locked"
    keys = ["foot", "access", "locked"]
    return Fact("access", value, tags=_used(tags, keys), note=note) if _used(tags, keys) else None


def hours(tags: Tags) -> Fact | None:
    """Opening hours and conditional access: known to vary, so never a pass by itself."""
    key = _first(tags, ["opening_hours", "foot:conditional", "access:conditional"])
    if key is None or plain(tags[key]) == "24/7":
        return None
    return Fact("hours", tags[key], tags=_used(tags, [key]))


def wheelchair(tags: Tags) -> Fact | None:
    """The sign on the element itself: yes, limited or no."""
    words = parts(tags.get("wheelchair", ""))
    value: str | None = next((word for word in ("no", "limited") if word in words), None)
    if value is None and set(words) & {"yes", "designated", "official"}:
        value = "yes"
    return Fact("wheelchair", value, tags=_used(tags, ["wheelchair"])) if value else None


def vouched(tags: Tags) -> bool:
    """Whether `wheelchair=yes` stands on the element: it settles what is not known, never a measured figure."""
    sign = wheelchair(tags)
    return sign is not None and sign.value == "yes"


def steps(tags: Tags) -> Fact | None:
    """A flight of steps and its count; a ramp for wheelchairs beside it makes it none."""
    flight = tags.get("highway") == "steps" or tags.get("barrier") == "step" or tags.get("footway") == "steps"
    if not flight:
        return None
    keys = ["highway", "barrier", "footway", "step_count", "wheelchair", "ramp:wheelchair", "steps"]
    if vouched(tags) or plain(tags.get("ramp:wheelchair", "")) in ("yes", "designated"):
        return Fact("steps", 0.0, tags=_used(tags, keys), note="ramp")
    count = [_whole(piece) for piece in parts(tags.get("step_count", ""))]
    known = [number for number in count if number is not None]
    value = float(max(known)) if known and len(known) == len(count) else 1.0 if tags.get("barrier") == "step" else None
    return Fact("steps", value, tags=_used(tags, keys))


def _whole(text: str) -> int | None:
    return int(text) if re.fullmatch(r"[1-9]\d{0,3}", text) else None


def escalator(tags: Tags) -> Fact | None:
    """A moving stair or walkway."""
    value = plain(tags.get("conveying", ""))
    if tags.get("highway") == "elevator" or value in ("", "no"):
        return None
    return Fact("escalator", "yes", tags=_used(tags, ["conveying"]))


def incline(tags: Tags, key: str = "incline") -> Fact:
    """The slope along the way, per cent, positive uphill in the way's direction. `up` is a sign without a size."""
    text = tags.get(key)
    if text is None:
        return Fact(
            "incline", "usable" if vouched(tags) else None, tags=_used(tags, ["wheelchair"]) if vouched(tags) else ()
        )
    used = _used(tags, [key])
    word = plain(text)
    if word in ("up", "down", "yes"):
        return Fact("incline", None, tags=used, note=word)
    if word in ("no", "flat", "level"):
        return Fact("incline", 0.0, tags=used)
    found = [per_cent(end) for piece in parts(text) for end in (_range(piece) if piece[:1].isdigit() else [piece])]
    values = [slope for slope in found if slope is not None]
    if not found or len(values) < len(found):
        return Fact("incline", None, "unreadable", used, word if word in ("steep", "incline_steep") else "")
    steepest, doubt = max(values, key=lambda slope: (abs(slope[0]), slope[1]))
    return Fact("incline", steepest, doubt, used)


def cross_slope(tags: Tags, key: str = "incline:across") -> Fact | None:
    """The slope across the way, per cent, without sign."""
    if key not in tags:
        return None
    fact = incline(tags, key)
    value = abs(fact.value) if isinstance(fact.value, float) else None
    return Fact("cross_slope", value, fact.doubt, fact.tags, fact.note)


def width(tags: Tags, keys: Iterable[str] = ("maxwidth:physical", "width", "est_width")) -> Fact:
    """The clear width in centimetres; a number without unit is metres, or centimetres from 60 on (in doubt)."""
    keys = tuple(keys)
    key = _first(tags, keys)
    if key is None:
        good = vouched(tags)
        return Fact("width", "usable" if good else None, tags=_used(tags, ["wheelchair"]) if good else ())
    used = _used(tags, [key])
    if plain(tags[key]) in ("narrow", "very_narrow"):
        return Fact("width", None, "narrow", used)
    found = lengths(tags[key])
    if found is None:
        return Fact("width", None, "unreadable", used)
    narrowest, unit = min(found)
    if not unit and narrowest >= SURELY_CENTIMETRES:
        return Fact("width", narrowest / 100, "unit", used, "read as centimetres")
    return Fact("width", narrowest, "estimate" if key == "est_width" else "", used)


def surface(tags: Tags, keys: Iterable[str] = ("surface",)) -> Fact:
    """The worst surface named; without one, what a `tracktype` implies."""
    key = _first(tags, keys)
    if key is None:
        grade = plain(tags.get("tracktype", ""))
        implied = {
            "grade1": "paved",
            "grade2": "compacted",
            "grade3": "unpaved",
            "grade4": "ground",
            "grade5": "ground",
        }
        if grade in implied:
            return Fact("surface", implied[grade], tags=_used(tags, ["tracktype"]), note="tracktype")
        good = vouched(tags)
        return Fact("surface", "usable" if good else None, tags=_used(tags, ["wheelchair"]) if good else ())
    order = list(dict.fromkeys(SURFACES.values()))
    words = [word.strip(" _") for piece in parts(tags[key]) for word in piece.split(",")]
    known = [word for word in words if word in SURFACES]
    used = _used(tags, [key])
    if not known:
        return Fact("surface", None, "unreadable", used)
    worst = max(known, key=lambda word: order.index(SURFACES[word]))
    return Fact("surface", worst, "" if len(known) == len(words) else "unreadable", used)


def smoothness(tags: Tags, keys: Iterable[str] = ("smoothness",)) -> Fact:
    """The worst smoothness named."""
    key = _first(tags, keys)
    if key is None:
        good = vouched(tags)
        return Fact("smoothness", "usable" if good else None, tags=_used(tags, ["wheelchair"]) if good else ())
    used = _used(tags, [key])
    words = parts(tags[key])
    known = [word for word in words if word in SMOOTHNESS]
    if not known:
        return Fact("smoothness", None, "unreadable", used)
    return Fact("smoothness", max(known, key=SMOOTHNESS.index), "" if len(known) == len(words) else "unreadable", used)


_KERBS = {
    "flush": "flush",
    "no": "no",
    "none": "no",
    "lowered": "lowered",
    "dropped": "lowered",
    "lowered_and_sloped": "lowered",
    "rolled": "rolled",
    "raised": "raised",
    "regular": "raised",
    "normal": "raised",
    "high": "raised",
}


def kerb(tags: Tags, class_key: str = "kerb", height_keys: Iterable[str] = ("kerb:height",)) -> Fact | None:
    """The kerb in centimetres: its measured height before its class, the worst of several; `yes` is not known."""
    line = plain(tags.get("barrier", "")) == "kerb"
    height_keys = tuple(height_keys)
    key = _first(tags, height_keys)
    if key is None and class_key not in tags and not line:
        return None
    keys = [class_key, *height_keys, "barrier", "wheelchair"] if line else [class_key, *height_keys, "wheelchair"]
    used = _used(tags, keys)
    if key is not None:
        return _measured_kerb(tags, [k for k in height_keys if k in tags], used)
    if vouched(tags):
        words = parts(tags.get(class_key, ""))
        conflict = any(_KERBS.get(word) in ("raised", "rolled") for word in words)
        return Fact("kerb", "usable", tags=used, note="conflict" if conflict else "")
    words = parts(tags.get(class_key, ""))
    classes = [_KERBS[word] for word in words if word in _KERBS]
    if not classes or len(classes) < len(words):
        worst = max((WORST_KERB[name] for name in classes), default=0.0)
        return Fact("kerb", worst if worst > 3 else None, "kind", used)
    worst_class = max(classes, key=WORST_KERB.__getitem__)
    return Fact("kerb", WORST_KERB[worst_class], tags=used, note=worst_class)


def _measured_kerb(tags: Tags, keys: list[str], used: tuple[tuple[str, str], ...]) -> Fact:
    """The highest of the measured heights. Without a unit it is metres; from 1 on surely centimetres, and in doubt."""
    heights: list[tuple[float, str]] = []
    for key in keys:
        found = lengths(tags[key])
        if found is None:
            return Fact("kerb", None, "unreadable", used)
        for height, unit in found:
            doubt = not unit and height >= 100
            heights.append((height / 100, "unit") if doubt else (height, ""))
    highest, doubt_word = max(heights)
    return Fact("kerb", highest, doubt_word, used)


_OPEN = frozenset(
    str.split(
        "entrance toll_booth height_restrictor border_control bus_trap archway arch coupure no sally_port checkpoint "
        "vehicle_block car_trap vehicle_barrier cable_barrier guard_rail"
    )
)
"""Barriers that stop no person: to be walked through or around."""


def barrier(tags: Tags) -> Fact | None:
    """What stands in the way: a kind that wheels never pass, or a gap in centimetres, perhaps not known."""
    kind = plain(tags.get("barrier", ""))
    if kind in ("", "kerb", "step", "door") or kind in _OPEN:
        return None
    # The width of a gate is its opening; that of a bollard or a block is its own.
    gap_keys = ("maxwidth:physical", "opening", *(("width",) if "gate" in kind else ()))
    used = _used(tags, ["barrier", *gap_keys, "wheelchair"])
    if vouched(tags):
        return Fact("barrier", "usable", tags=used)
    if kind in OBSTACLES:
        return Fact("barrier", kind, tags=used)
    gap = width(tags, gap_keys)
    if isinstance(gap.value, float):
        return Fact("barrier", gap.value, gap.doubt, used, kind)
    return Fact("barrier", None, "gap", used, kind)


def door(tags: Tags) -> Fact | None:
    """What it takes to open: nothing, a button, a hand; revolving doors are the hardest."""
    kind, automatic = plain(tags.get("door", "")), plain(tags.get("automatic_door", ""))
    if kind in ("", "no") and tags.get("barrier") != "door" and automatic in ("", "no"):
        return Fact("door", "none", tags=_used(tags, ["door"])) if kind == "no" else None
    used = _used(tags, ["door", "automatic_door", "barrier"])
    if kind == "revolving":
        return Fact("door", "revolving", tags=used)
    if automatic not in ("", "no"):
        return Fact("door", "automatic", tags=used)
    if automatic == "no" or kind in ("hinged", "manual", "swinging", "folding"):
        return Fact("door", "manual", tags=used)
    return Fact("door", None, tags=used)


def lift(tags: Tags) -> Fact | None:
    """A lift."""
    if tags.get("highway") != "elevator":
        return None
    return Fact("lift", "lift", tags=_used(tags, ["highway", "level"]))


def crossing(tags: Tags) -> Fact | None:
    """How a road is crossed: with a signal that sounds or vibrates, with a signal, marked, or unmarked."""
    if tags.get("highway") != "crossing" and not is_crossing(tags):
        return None
    keys = ["crossing", "crossing:signals", "crossing:markings", "traffic_signals:sound", "traffic_signals:vibration"]
    used = _used(tags, keys)
    words = set(parts(tags.get("crossing", "")))
    if any(plain(tags.get(key, "no")) not in ("no", "") for key in keys[3:]):
        return Fact("crossing", "sound", tags=used)
    if "traffic_signals" in words or plain(tags.get("crossing:signals", "no")) not in ("no", "shared"):
        return Fact("crossing", "signals", tags=used)
    if words & {"zebra", "marked", "uncontrolled", "island", "pelican", "puffin", "toucan"} or plain(
        tags.get("crossing:markings", "no")
    ) not in ("no", ""):
        return Fact("crossing", "marked", tags=used)
    return Fact("crossing", "unmarked" if words & {"unmarked", "informal", "no"} else None, tags=used)


def is_crossing(tags: Tags) -> bool:
    """Whether a way is the line on which a road is crossed."""
    return "crossing" in (tags.get("footway"), tags.get("path"), tags.get("cycleway"), tags.get("highway"))


# Whole elements -------------------------------------------------------------------------------------------------------


def walkable(tags: Tags) -> bool:
    """Whether a way belongs into the graph at all, however hard it is to pass."""
    highway = tags.get("highway")
    if highway is None:
        return tags.get("railway") == "platform" or tags.get("public_transport") == "platform"
    foot = tags.get("foot", "")
    if tags.get("area") == "yes" and highway not in FOOTWAYS:
        return False
    if highway in ("construction", "proposed"):
        return highway == "construction" and tags.get("construction") in HIGHWAYS
    if highway in ("trunk", "trunk_link"):
        return foot in YES or tags.get("sidewalk") in ("both", "left", "right", "yes")
    if tags.get("motorroad") == "yes" and foot not in YES:
        return False
    if highway in ("cycleway", "bridleway", "busway"):
        return foot != "no" or bool(sides(tags))
    return highway in HIGHWAYS


def sides(tags: Tags) -> tuple[str, ...]:
    """The sides on which a road has a pavement with tags of its own; empty for one undivided edge."""
    marked = [
        s for s in SIDES if any(key.startswith((f"sidewalk:{s}:", "sidewalk:both:")) and _physical(key) for key in tags)
    ]
    present = {
        "both": SIDES, "left": ("left",), "right": ("right",), "yes": SIDES, "no": (), "none": (), "separate": (),
    }.get(tags.get("sidewalk", "yes"), SIDES)  # fmt: skip
    named = tuple(
        s
        for s in SIDES
        if tags.get(f"sidewalk:{s}", tags.get("sidewalk:both", "yes")) not in ("no", "none", "separate")
    )
    return tuple(s for s in marked if s in present and s in named)


_SIDE_KEYS = ("surface", "smoothness", "width", "incline", "incline:across", "kerb", "kerb:height")


def _physical(key: str) -> bool:
    return (
        key.split(":", 2)[2].removesuffix(":start").removesuffix(":end") in _SIDE_KEYS if key.count(":") >= 2 else False
    )


def side_tags(tags: Tags, side: str) -> dict[str, str]:
    """The tags that hold for one pavement: its own, then those for both, then the road's that concern everybody.

    The road's width, surface, smoothness and kerb are not the pavement's; its incline is.
    """
    shared = {
        key: value
        for key, value in tags.items()
        if key
        not in ("width", "est_width", "surface", "smoothness", "kerb", "kerb:height", "tracktype", "maxwidth:physical")
    }
    for prefix in ("sidewalk:both:", f"sidewalk:{side}:"):
        shared |= {key.removeprefix(prefix): value for key, value in tags.items() if key.startswith(prefix)}
    return shared


def _start_end(reader: Callable[..., Fact | None], tags: Tags, key: str) -> Fact | None:
    """The worse of `key:start` and `key:end` where they are given."""
    ends = [f"{key}{end}" for end in (":start", ":end") if f"{key}{end}" in tags]
    if not ends:
        return None
    found = []
    for end in ends:
        fact = reader({key: tags[end], **{k: v for k, v in tags.items() if k == "wheelchair"}})
        if fact is not None:
            found.append(Fact(fact.attribute, fact.value, fact.doubt, _used(tags, ends), fact.note))
    return _worst_of(found)


def _worst_of(facts: list[Fact]) -> Fact | None:
    if not facts:
        return None
    attribute = facts[0].attribute
    if any(fact.value is None for fact in facts):
        return next(fact for fact in facts if fact.value is None)
    if attribute == "surface":
        order = list(dict.fromkeys(SURFACES.values()))
        return max(facts, key=lambda fact: order.index(SURFACES.get(str(fact.value), "any")))
    if attribute == "smoothness":
        return max(facts, key=lambda fact: SMOOTHNESS.index(str(fact.value)))
    if attribute == "width":
        return min(facts, key=lambda fact: fact.value if isinstance(fact.value, float) else math.inf)
    return _worst(facts)


def way_facts(tags: Tags, side: str = "", kerbs: int = 0) -> tuple[Fact, ...]:
    """Everything judged on a way. `side` picks a pavement of a road; `kerbs` counts the kerb nodes on a crossing."""
    own = side_tags(tags, side) if side else tags
    found: list[Fact | None] = [
        access(tags),
        hours(tags),
        wheelchair(own),
        steps(own),
        escalator(own),
        lift(own),
        crossing(own),
        _start_end(cross_slope, own, "incline:across") or cross_slope(own),
        _start_end(incline, own, "incline") or incline(own),
        _start_end(width, own, "width") or width(own),
        _start_end(surface, own, "surface") or surface(own),
        _start_end(smoothness, own, "smoothness") or smoothness(own),
        _start_end(_kerb_height, own, "kerb:height") or _start_end(kerb, own, "kerb") or kerb(own),
    ]
    facts = [fact for fact in found if fact is not None]
    if own.get("barrier") and (stands := barrier(own)):
        facts.append(stands)
    if own.get("highway") == "elevator":
        facts = [fact for fact in facts if fact.attribute not in ("incline", "surface", "smoothness", "cross_slope")]
    elif is_crossing(own) and not any(fact.attribute == "kerb" for fact in facts) and kerbs < 2:
        facts.append(Fact("kerb", "usable" if vouched(own) else None))
    return tuple(facts)


def _kerb_height(tags: Tags) -> Fact | None:
    return kerb(tags)


def node_facts(tags: Tags) -> tuple[Fact, ...]:
    """Everything judged on a node of a way."""
    stands = tags.keys() & {"barrier", "door", "entrance", "highway"}
    found = [
        access(tags) if stands else None,
        hours(tags) if stands else None,
        *(read(tags) for read in (wheelchair, steps, lift, crossing, kerb, barrier, door)),
    ]
    facts = [fact for fact in found if fact is not None]
    if any(fact.attribute in ("lift", "door") for fact in facts) and (key := _first(tags, ("door:width", "width"))):
        facts.append(width(tags, (key,)))
    return tuple(facts)
