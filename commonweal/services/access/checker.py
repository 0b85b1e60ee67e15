"""Check a step-free route against the raw map: `python checker.py CERTIFICATE.json EXTRACT.osm.pbf`.

Stands alone: it imports nothing of the router and shares none of its tables. It reads the tags of every way and node of
the certificate again, derives each fact itself, applies the profile's limits, and measures the line. Exit code 0 if all
of it holds, 1 with the reasons if not, 2 if a file cannot be read.
"""

from __future__ import annotations

import datetime
import hashlib
import itertools
import json
import math
import re
import sys
import unicodedata
from pathlib import Path
from typing import Any

Reading = dict[str, tuple[Any, bool]]
"""For each attribute its value and whether it is in doubt."""
GRADES = {
    "smooth": "asphalt concrete chipseal rubber tartan acrylic plastic carpet linoleum granite marble terrazzo",
    "paved": "paved paving_stones paving_stones:30 paving_stones:20 concrete:plates concrete:lanes bricks brick tiles "
    "wood metal decking artificial_turf boardwalk fibre_reinforced_polymer_grate",
    "compacted": "compacted fine_gravel",
    "rough": "sett cobblestone cobblestone:flattened unhewn_cobblestone grass_paver metal_grid stone brick_weave",
    "loose": "unpaved gravel pebblestone ground dirt earth grass clay woodchips bark leaves shells soil turf",
    "any": "sand mud rock rocks ice snow salt water stepping_stones scree",
}
GRADE = {word: rank for rank, words in enumerate(GRADES.values()) for word in words.split()}
SMOOTH = str.split("excellent good intermediate bad very_bad horrible very_horrible impassable")
DOORS, CROSSINGS = str.split("none automatic manual revolving"), str.split("sound signals marked unmarked")
KERBS = {"flush": 0, "no": 0, "none": 0, "lowered": 3, "dropped": 3, "lowered_and_sloped": 3, "rolled": 15}
KERBS |= dict.fromkeys(("raised", "regular", "normal", "high"), 20)
NEVER = str.split("""stile turnstile full-height_turnstile kissing_gate motorcycle_barrier horse_stile log debris
cattle_grid bump_gate hampshire_gate spikes ditch rope chain horse_jump fence wall hedge retaining_wall city_wall hole
stone overgrowth shrub""")
HARMLESS = str.split("""entrance toll_booth height_restrictor border_control bus_trap archway arch coupure no sally_port
checkpoint vehicle_block car_trap vehicle_barrier cable_barrier guard_rail kerb step door""")
PUBLIC = str.split("yes designated permissive official public customers destination permit_holders")
OWNERS = str.split("private permit residents employees staff members delivery agricultural forestry military")
UNITS = {
    "m": 100,
    "米": 100,
    "cm": 1,
    "厘米": 1,
    "mm": 0.1,
    "毫米": 0.1,
    "km": 1e5,
    "'": 30.48,
    "ft": 30.48,
    "feet": 30.48,
}
UNITS |= {"foot": 30.48, '"': 2.54, "in": 2.54, "inch": 2.54, "inches": 2.54}
UNITS |= dict.fromkeys(("meter", "meters", "metre", "metres"), 100)


def fold(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip().lower()


def words(text: str) -> list[str]:
    return [word.strip() for word in fold(text).split(";") if word.strip()]


def measure(text: str) -> list[tuple[float, bool]]:
    """All lengths in a tag, centimetres, and whether each has a unit. Empty if any cannot be read."""
    found = []
    text = fold(text).translate({0x2032: "'", 0x2019: "'", 0x2033: '"'}).replace("''", '"').replace(",", ".")
    for part in words(text):
        if two := re.fullmatch(r"([\d.]+)\s*(?:'|ft|feet)\s*([\d.]+)\s*(?:\"|in|inch|inches)?", part):
            found.append((round(float(two[1]) * 30.48 + float(two[2]) * 2.54, 2), True))
            continue
        span = re.fullmatch(r"(\d[\d.]*)\s*(\D*?)\s*(?:-|–|\.\.)\s*(\d[\d.]*)\s*(\D*)", part)
        ends = [(span[1], span[2] or span[4]), (span[3], span[4] or span[2])] if span else []
        if not span:
            one = re.fullmatch(r"[~<>≈+]?\s*(\d+(?:\.\d+)?|\.\d+)\s*(\D*)", part)
            ends = [(one[1], one[2])] if one else [("", "")]
        for number, written in ends:
            unit = written.strip()
            if not number or (unit and unit not in UNITS):
                return []
            found.append((round(float(number) * UNITS.get(unit, 100), 2), bool(unit)))
    return found


def slope(text: str) -> tuple[float, bool] | None:
    text = fold(text).replace("−", "-").replace(",", ".")
    if ratio := re.fullmatch(r"([-+]?)\s*(\d+(?:\.\d+)?)\s*[:/]\s*(\d+(?:\.\d+)?)", text):
        rise, run = float(ratio[2]), float(ratio[3])
        return (round(100 * rise / run * (-1 if ratio[1] == "-" else 1), 2), False) if run else None
    one = re.fullmatch(r"([-+~<>≈]?)\s*(\d+(?:\.\d+)?|\.\d+)\s*(%|°|º|deg|degrees?|度|‰)?", text)
    if not one:
        return None
    value, unit = float(one[2]) * (-1 if one[1] == "-" else 1), one[3]
    if unit == "‰":
        return round(value / 10, 2), False
    if unit and unit != "%":
        return (round(100 * math.tan(math.radians(value)), 2), False) if abs(value) < 90 else None
    if not unit and 0 < abs(value) < 0.35:
        return round(value * 100, 2), True
    return (round(value, 2), not unit and value != 0) if abs(value) <= 1000 else None


def slopes(text: str) -> tuple[Any, bool]:
    if fold(text) in ("up", "down", "yes"):
        return None, False
    if fold(text) in ("no", "flat", "level"):
        return 0.0, False
    found = []
    for part in words(text):
        span = re.fullmatch(r"(\d[\d.,]*)\s*(\D*?)\s*(?:-|–|\.\.)\s*(\d[\d.,]*)\s*(\D*)", part)
        found += (
            [slope(f"{span[1]} {span[2] or span[4]}"), slope(f"{span[3]} {span[4] or span[2]}")]
            if span
            else [slope(part)]
        )
    if not found or None in found:
        return None, True
    return max((f for f in found if f), key=lambda f: (abs(f[0]), f[1]))


def ranked(text: str, order: dict[str, int]) -> tuple[Any, bool]:
    """The worst word of a list, in doubt if another word of it is not known."""
    listed = [word.strip(" _") for word in words(text)] if order is not GRADE else [
        word.strip(" _") for part in words(text) for word in part.split(",")]  # fmt: skip
    known = [word for word in listed if word in order]
    return (max(known, key=order.__getitem__), len(known) < len(listed)) if known else (None, True)


def vouched(tags: dict[str, str]) -> bool:
    said = words(tags.get("wheelchair", ""))
    return bool({"yes", "designated", "official"} & set(said)) and not {"no", "limited"} & set(said)


def has(tags: dict[str, str], *keys: str) -> str:
    return next((key for key in keys if tags.get(key, "").strip()), "")


def common(tags: dict[str, str]) -> Reading:
    """What is read alike on ways and nodes."""
    r: Reading = {}
    said = words(tags.get("wheelchair", ""))
    if sign := next((word for word in ("no", "limited") if word in said), "yes" if vouched(tags) else ""):
        r["wheelchair"] = sign, False
    if tags.get("highway") == "steps" or tags.get("barrier") == "step" or tags.get("footway") == "steps":
        counts = words(tags.get("step_count", ""))
        good = bool(counts) and all(re.fullmatch(r"[1-9]\d{0,3}", count) for count in counts)
        number = float(max(map(int, counts))) if good else 1.0 if tags.get("barrier") == "step" else None
        ramp = vouched(tags) or fold(tags.get("ramp:wheelchair", "")) in ("yes", "designated")
        r["steps"] = (0.0 if ramp else number), False
    if tags.get("highway") == "elevator":
        r["lift"] = "lift", False
    if "crossing" in (tags.get("highway"), tags.get("footway"), tags.get("path"), tags.get("cycleway")):
        kinds = set(words(tags.get("crossing", "")))
        on = {key for key in tags if fold(tags[key]) not in ("no", "")}
        marked = (
            kinds & {"zebra", "marked", "uncontrolled", "island", "pelican", "puffin", "toucan"}
            or "crossing:markings" in on
        )
        lights = "traffic_signals" in kinds or (fold(tags.get("crossing:signals", "no")) not in ("no", "shared"))
        plain = "unmarked" if kinds & {"unmarked", "informal", "no"} else None
        loud = on & {"traffic_signals:sound", "traffic_signals:vibration"}
        r["crossing"] = ("sound" if loud else "signals" if lights else "marked" if marked else plain), False
    if read := kerb(tags):
        r["kerb"] = read
    kind = fold(tags.get("barrier", ""))
    if kind and kind not in HARMLESS:
        gap = has(tags, "maxwidth:physical", "opening", *(("width",) if "gate" in kind else ()))
        found = measure(tags[gap]) if gap else []
        least = min(found) if found else None
        if vouched(tags):
            r["barrier"] = "usable", False
        elif kind in NEVER:
            r["barrier"] = kind, False
        elif least is None:
            r["barrier"] = None, True
        else:
            bare = not least[1] and least[0] >= 6000
            r["barrier"] = (least[0] / 100 if bare else least[0]), bare
    return r


def kerb(tags: dict[str, str]) -> tuple[Any, bool] | None:
    heights = [
        tags[key] for key in ("kerb:height", "kerb:height:start", "kerb:height:end") if tags.get(key, "").strip()
    ]
    if heights:
        found = [measure(text) for text in heights]
        if not all(found):
            return None, True
        return max((cm / 100, True) if not unit and cm >= 100 else (cm, False) for some in found for cm, unit in some)
    classes = [tags[key] for key in ("kerb:start", "kerb:end") if key in tags] or (
        [tags["kerb"]] if "kerb" in tags else []
    )
    if not classes and fold(tags.get("barrier", "")) != "kerb":
        return None
    if vouched(tags):
        return "usable", False
    listed = [word for text in classes for word in words(text)]
    worst = max((float(KERBS[word]) for word in listed if word in KERBS), default=0.0)
    if not listed or any(word not in KERBS for word in listed):
        return (worst if worst > 3 else None), True
    return worst, False


def allowed(tags: dict[str, str]) -> Reading:
    """Right of way and hours."""
    r: Reading = {}
    if tags.get("highway") in ("construction", "proposed") or tags.get("construction") in ("yes", "major"):
        r["access"] = "closed", False
    elif has(tags, "foot", "access", "locked") or {"foot", "access", "locked"} & tags.keys():
        said = words(tags.get(has(tags, "foot", "access"), ""))
        owner = any(word in OWNERS for word in said)
        barred = any(word in ("no", "use_sidepath", "restricted", "psv") for word in said)
        value = "yes" if any(word in PUBLIC for word in said) else "private" if owner else "no" if barred else "yes"
        r["access"] = ("private" if value == "yes" and tags.get("locked") == "yes" else value), False
    key = has(tags, "opening_hours", "foot:conditional", "access:conditional")
    if key and fold(tags[key]) != "24/7":
        r["hours"] = tags[key], False
    return r


def node_reading(tags: dict[str, str]) -> Reading:
    """Everything judged on a node."""
    r = common(tags) | (allowed(tags) if tags.keys() & {"barrier", "door", "entrance", "highway"} else {})
    kind, automatic = fold(tags.get("door", "")), fold(tags.get("automatic_door", ""))
    if kind not in ("", "no") or tags.get("barrier") == "door" or automatic not in ("", "no"):
        manual = "manual" if automatic == "no" or kind in ("hinged", "manual", "swinging", "folding") else None
        r["door"] = (
            ("revolving" if kind == "revolving" else "automatic" if automatic not in ("", "no") else manual),
            False,
        )
    elif kind == "no":
        r["door"] = "none", False
    if ("lift" in r or "door" in r) and (key := has(tags, "door:width", "width")):
        r["width"] = wide(tags, key)
    return r


def wide(tags: dict[str, str], key: str) -> tuple[Any, bool]:
    found = measure(tags[key])
    if not found:
        return None, True
    cm, unit = min(found)
    return (cm / 100, True) if not unit and cm >= 6000 else (cm, key == "est_width")


def way_reading(tags: dict[str, str], side: str, kerbs: int) -> Reading:
    """Everything judged on a way, or on the pavement on one of its sides."""
    own = dict(tags)
    if side:
        for key in str.split("width est_width surface smoothness kerb kerb:height tracktype maxwidth:physical"):
            own.pop(key, None)
        for start in ("sidewalk:both:", f"sidewalk:{side}:"):
            own |= {key.removeprefix(start): value for key, value in tags.items() if key.startswith(start)}
    r = common(own) | allowed(tags)
    blank = ("usable" if vouched(own) else None), False
    if own.get("highway") != "elevator" and fold(own.get("conveying", "")) not in ("", "no"):
        r["escalator"] = "yes", False

    def ends(key: str) -> list[str]:
        return [f"{key}{end}" for end in (":start", ":end") if f"{key}{end}" in own]

    def worst(found: list[tuple[Any, bool]], rank: Any) -> tuple[Any, bool]:
        return next((f for f in found if f[0] is None), None) or max(found, key=lambda f: rank(f[0]))

    key = has(own, "maxwidth:physical", "width", "est_width")
    tracks = {"grade1": "paved", "grade2": "compacted", "grade3": "unpaved", "grade4": "ground", "grade5": "ground"}
    some = ends("width")
    r["width"] = worst([wide(own, k) for k in some], lambda v: -v) if some else wide(own, key) if key else blank
    some = ends("surface") or ([k] if (k := has(own, "surface")) else [])
    track = tracks.get(fold(own.get("tracktype", "")))
    if own.get("highway") != "elevator":
        r["surface"] = (
            worst([ranked(own[k], GRADE) for k in some], GRADE.get) if some else (track, False) if track else blank
        )
        order = {word: rank for rank, word in enumerate(SMOOTH)}
        some = ends("smoothness") or ([k] if (k := has(own, "smoothness")) else [])
        r["smoothness"] = worst([ranked(own[k], order) for k in some], order.get) if some else blank
        some = ends("incline") or (["incline"] if "incline" in own else [])
        r["incline"] = worst([slopes(own[k]) for k in some], abs) if some else blank
        some = ends("incline:across") or (["incline:across"] if "incline:across" in own else [])
        if some:
            value, doubt = worst([slopes(own[k]) for k in some], abs)
            r["cross_slope"] = (abs(value) if value is not None else None), doubt
        crossing = "crossing" in (own.get("footway"), own.get("path"), own.get("cycleway"), own.get("highway"))
        if crossing and "kerb" not in r and kerbs < 2:
            r["kerb"] = blank
    return r


def verdict(p: dict[str, Any], attribute: str, value: Any, doubt: bool, sense: int) -> str:  # noqa: PLR0912
    """pass, unknown or fail, for a profile as written in the certificate."""
    bad: bool | None
    chair = p["wheelchair"]
    if attribute == "access":
        bad = value in ("no", "closed") or (value == "private" and not p["private"])
    elif attribute == "hours":
        bad = None
    elif attribute == "wheelchair":
        bad = chair and (value == "no" or (value == "limited" and not p["limited"]))
    elif attribute == "steps":
        bad = (
            False if p["steps"] >= 1000 else (True if not p["steps"] else None) if value is None else value > p["steps"]
        )
    elif attribute == "escalator":
        bad = not p["escalators"]
    elif attribute == "lift":
        bad = not p["lifts"]
    elif attribute == "crossing":
        limit = CROSSINGS.index(p["crossing"])
        bad = (None if limit < 3 else False) if value is None else CROSSINGS.index(value) > limit
    elif value is None:
        bad = False if attribute == "barrier" and p["width"] <= 60 else None
    elif value == "usable":
        bad = False if chair else None
    elif attribute == "door":
        bad = DOORS.index(value) > DOORS.index(p["doors"])
    elif attribute == "incline":
        rise = value if sense > 0 else -value
        bad = rise > p["incline_up"] or -rise > p["incline_down"]
    elif attribute == "cross_slope":
        bad = value > p["cross_slope"]
    elif attribute == "kerb":
        bad = value > (
            p["kerb_up"] if sense > 0 else p["kerb_down"] if sense < 0 else min(p["kerb_up"], p["kerb_down"])
        )
    elif attribute == "barrier" and isinstance(value, str):
        bad = not p["obstacles"]
    elif attribute in ("width", "barrier"):
        bad = value < p["width"]
    elif attribute == "surface":
        bad = GRADE[value] > list(GRADES).index(p["surface"])
    else:
        bad = SMOOTH.index(value) > SMOOTH.index(p["smoothness"])
    on_foot = attribute == "barrier" and value is None
    return "fail" if bad else "unknown" if bad is None or (doubt and not on_foot) else "pass"


def forbidden(p: dict[str, Any], attribute: str, value: Any, doubt: bool, sense: int) -> bool:
    """Whether the person of this profile must not be led there."""
    rule = p["unknown"]
    mode = rule if isinstance(rule, str) else rule.get(attribute, rule["default"])
    found = verdict(p, attribute, value, doubt, sense)
    return found == "fail" or (found == "unknown" and (mode == "strict" or (mode == "cautious" and doubt)))


class Raw:
    """The raw tags of an extract: of the ways and nodes that are asked for, or of all."""

    def __init__(self, extract: Path, ways: set[int] | None = None) -> None:
        import osmium

        with extract.open("rb") as file:
            self.sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        head = osmium.io.Reader(str(extract)).header()
        self.dated = head.get("osmosis_replication_timestamp", "") or head.get("timestamp", "")
        self.ways: dict[int, tuple[dict[str, str], list[int], str]] = {}
        self.nodes: dict[int, tuple[float, float, dict[str, str], str]] = {}
        processor = osmium.FileProcessor(str(extract), osmium.osm.WAY)
        keys = "highway", "railway", "public_transport"
        chosen = osmium.filter.KeyFilter(*keys) if ways is None else osmium.filter.IdFilter(ways)
        for way in processor.with_filter(chosen):
            if isinstance(way, osmium.osm.Way):
                self.ways[way.id] = dict(way.tags), [node.ref for node in way.nodes], self._day(way)
        wanted = {ref for _, refs, _ in self.ways.values() for ref in refs}
        for node in osmium.FileProcessor(str(extract), osmium.osm.NODE).with_filter(osmium.filter.IdFilter(wanted)):
            if isinstance(node, osmium.osm.Node) and node.location.valid():
                self.nodes[node.id] = node.location.lat, node.location.lon, dict(node.tags), self._day(node)

    def _day(self, thing: Any) -> str:
        seconds = thing.timestamp.timestamp()
        moment = datetime.datetime.fromtimestamp(max(seconds, 0), datetime.UTC)
        return moment.date().isoformat() if seconds > 0 else self.dated[:10]


def apart(lat1: float, lon1: float, lat2: float, lon2: float) -> float:
    """Metres between two points (haversine)."""
    a, b = math.radians(lat1), math.radians(lat2)
    h = math.sin((b - a) / 2) ** 2 + math.cos(a) * math.cos(b) * math.sin(math.radians(lon2 - lon1) / 2) ** 2
    return 2 * 6_371_008.8 * math.asin(math.sqrt(h))


def check(certificate: dict[str, Any], raw: Raw) -> list[str]:
    """What does not hold; empty if the certificate does."""
    try:
        return _check(certificate, raw)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        return [f"malformed: {type(error).__name__}: {error}"]


def _check(c: dict[str, Any], raw: Raw) -> list[str]:  # noqa: PLR0912, PLR0915
    wrong: list[str] = []
    body = json.dumps(
        {k: v for k, v in c.items() if k != "sha256"}, sort_keys=True, separators=(",", ":"), ensure_ascii=False
    )
    if hashlib.sha256(body.encode()).hexdigest() != c["sha256"]:
        wrong.append("the certificate was changed after it was written")
    if c["format"] != 1 or c["graph"]["sha256"] != raw.sha256 or c["graph"]["dated"] != raw.dated:
        wrong.append("the certificate is about another extract")
    profile, total = c["profile"], 0.0
    path: list[int] = []
    for number, s in enumerate(c["segments"]):
        tags, refs, day = raw.ways[s["way"]]
        line = list(reversed(refs)) if s["against"] else refs
        nodes = s["nodes"]
        spots = [(raw.nodes[ref][0], raw.nodes[ref][1]) for ref in nodes]
        chain = list(nodes)
        for name, place in (("begin", s.get("begin")), ("end", s.get("end"))):
            if place:
                if number not in ((0,) if name == "begin" else (len(c["segments"]) - 1,)):
                    wrong.append(f"way/{s['way']}: a stretch in the middle of the route is not whole")
                one, two = place["between"]
                spots = (
                    [(place["lat"], place["lon"]), *spots]
                    if name == "begin"
                    else [*spots, (place["lat"], place["lon"])]
                )
                chain = (
                    [one, *[ref for ref in chain if ref != one]]
                    if name == "begin"
                    else [*[ref for ref in chain if ref != two], two]
                )
                a, b = raw.nodes[one][:2], raw.nodes[two][:2]
                if (
                    abs(apart(*a, place["lat"], place["lon"]) + apart(*b, place["lat"], place["lon"]) - apart(*a, *b))
                    > 0.2
                ):
                    wrong.append(f"way/{s['way']}: the {name} does not lie on it")
        if not _runs(chain, line):
            wrong.append(f"way/{s['way']}: its nodes are not walked in this order")
        length = sum(apart(*one, *two) for one, two in itertools.pairwise(spots))
        if abs(length - s["length_m"]) > 0.05 + 1e-4 * length:
            wrong.append(f"way/{s['way']}: {length:.2f} m, not {s['length_m']}")
        total += s["length_m"]
        if path and nodes and path[-1] != nodes[0]:
            wrong.append(f"way/{s['way']}: does not begin where the stretch before ends")
        path += nodes[1:] if path and nodes else nodes
        kerbs = (
            sum("kerb" in node_reading(raw.nodes[ref][2]) for ref in refs if ref in raw.nodes) if _crosses(tags) else 0
        )
        sense = -1 if s["against"] else 1
        read = way_reading(tags, s["side"], kerbs)
        wrong += _compare(profile, read, s["facts"], sense, f"way/{s['way']}", tags, day)
    if abs(total - c["length_m"]) > 0.02:
        wrong.append(f"the stretches add up to {total:.2f} m, not {c['length_m']}")
    stated = [(point["node"], point) for point in c["points"]]
    joints = {k: (c["segments"][k - 1], s) for k, s in enumerate(c["segments"]) if k}
    at = {s["nodes"][0]: k for k, (_, s) in joints.items() if s["nodes"]}
    inner = path[
        0 if c["segments"][0].get("begin") else 1 : len(path) if c["segments"][-1].get("end") else len(path) - 1
    ]
    for ref in inner:
        *_, tags, day = raw.nodes[ref]
        read = node_reading(tags)
        if not read:
            continue
        if not stated or stated[0][0] != ref:
            wrong.append(f"node/{ref}: walked through without its facts")
            continue
        point = stated.pop(0)[1]
        before, after = joints[at[ref]]
        roads = [_crosses(raw.ways[s["way"]][0]) for s in (before, after)]
        sense = 0 if roads[0] == roads[1] else 1 if roads[0] else -1
        if point["sense"] not in (0, sense):
            wrong.append(f"node/{ref}: the kerb is not walked in that direction")
        wrong += _compare(profile, read, point["facts"], point["sense"], f"node/{ref}", tags, day)
    return wrong + [f"node/{ref}: not on the way" for ref, _ in stated]


def _crosses(tags: dict[str, str]) -> bool:
    return "crossing" in (tags.get("footway"), tags.get("path"), tags.get("cycleway"), tags.get("highway"))


def _runs(chain: list[int], line: list[int]) -> bool:
    """Whether `chain` is a run of `line`, which may be a ring."""
    return any(line[k : k + len(chain)] == chain for k, ref in enumerate(line) if ref == chain[0])


def _compare(p: Any, read: Reading, facts: Any, sense: int, element: str, tags: dict[str, str], day: str) -> list[str]:
    wrong = []
    if sorted(fact["attribute"] for fact in facts) != sorted(read):
        return [f"{element}: other attributes are stated than the map has: {sorted(read)}"]
    for fact in facts:
        name = fact["attribute"]
        value, doubt = read[name]
        turned = 0 if name == "kerb" and element.startswith("way") else sense
        if fact["value"] != value or bool(fact["doubt"]) != doubt:
            wrong.append(f"{element}: {name} is {value!r}, not {fact['value']!r}")
        if any(tags.get(key) != text for key, text in fact["tags"].items()) and not any(
            "sidewalk:" in key for key in tags
        ):
            wrong.append(f"{element}: the tags behind {name} are others")
        if forbidden(p, name, value, doubt, turned):
            wrong.append(f"{element}: {name}={value} is beyond the profile")
        if fact["verdict"] != verdict(p, name, value, doubt, turned):
            wrong.append(f"{element}: {name}={value} is judged wrongly")
        if (fact["source"], fact["element"], fact["date"]) != ("osm", element, day):
            wrong.append(f"{element}: source or date of {name} is wrong")
    return wrong


def main(arguments: list[str]) -> int:
    """Read, check, say."""
    try:
        certificate = json.loads(Path(arguments[0]).read_text(encoding="utf-8"))
        certificate = certificate.get("certificate", certificate)
        raw = Raw(Path(arguments[1]), {int(segment["way"]) for segment in certificate["segments"]})
    except (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError, RuntimeError) as error:
        sys.stderr.write(f"cannot be read: {error}\nusage: checker.py CERTIFICATE.json EXTRACT.osm.pbf\n")
        return 2
    wrong = check(certificate, raw)
    sys.stdout.write("".join(f"{line}\n" for line in wrong) or "the route holds: every fact was found on the map\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
