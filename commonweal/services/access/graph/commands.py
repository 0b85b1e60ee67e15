"""The doors of the engine for other programs: `commonweal access build|update|route|reach|tags|check|export|places`."""

from __future__ import annotations

import argparse
import csv
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from commonweal.kernel.errors import Invalid, Refusal
from commonweal.kernel.text import Text
from commonweal.services.access.graph.easing import change
from commonweal.services.access.rules import MODES, PROFILES, Profile, judge, parse_profile


def add_commands(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands of the engine."""
    build = subparsers.add_parser("build", help="build the graph of an extract (.osm.pbf, or OpenSidewalks .geojson)")
    build.add_argument("extract", type=Path)
    build.add_argument("--out", type=Path, required=True, metavar="DIR")
    build.add_argument("--dem", type=Path, metavar="FILE", help="heights: .hgt, .hgt.zip or .tif; only ever a caution")
    build.add_argument("--json", action="store_true")
    build.set_defaults(run=run_build)

    update = subparsers.add_parser("update", help="apply replication diffs to an extract")
    update.add_argument("extract", type=Path)
    update.add_argument("diffs", type=Path, nargs="+")
    update.add_argument("--out", type=Path, required=True, metavar="EXTRACT")
    update.set_defaults(run=run_update)

    route = subparsers.add_parser("route", help="a way from place to place, or the reasons why there is none")
    _asks(route)
    route.add_argument("--to", dest="goal", metavar="LAT,LON")
    route.add_argument("--pairs", type=Path, metavar="FILE.csv", help="lat,lon,lat,lon a line; one JSON line each")
    route.add_argument("--objective", choices=("shortest", "fastest", "flattest", "known"), default="shortest")
    route.add_argument("--alternatives", action="store_true", help="also the fastest, flattest and best known way")
    route.add_argument("--barriers", type=Path, metavar="FILE.json", help="live barriers: a list of {lat, lon, kind}")
    route.set_defaults(run=run_route)

    reach = subparsers.add_parser("reach", help="the streets within reach of a place (GeoJSON)")
    _asks(reach)
    reach.add_argument("--minutes", type=float, default=15.0)
    reach.set_defaults(run=run_reach)

    tags = subparsers.add_parser("tags", help="judge tags: a CSV with element, tags, attribute -> verdict, value")
    tags.add_argument("cases", type=Path, metavar="FILE.csv")
    tags.add_argument("--profile", default="manual")
    tags.add_argument("--json", action="store_true")
    tags.set_defaults(run=run_tags)

    check = subparsers.add_parser("check", help="check a route's certificate against the raw map")
    check.add_argument("certificate", type=Path)
    check.add_argument("extract", type=Path)
    check.set_defaults(run=run_check)

    export = subparsers.add_parser("export", help="write a graph as OpenSidewalks GeoJSON")
    export.add_argument("graph", type=Path, metavar="DIR")
    export.add_argument("--out", type=Path, required=True, metavar="FILE.geojson")
    export.set_defaults(run=run_export)

    places = subparsers.add_parser(
        "places", help="the places of an extract as A11yJSON, or an A11yJSON file read again"
    )
    places.add_argument("source", type=Path)
    places.set_defaults(run=run_places)


def _asks(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("graph", type=Path, metavar="DIR")
    parser.add_argument("--profile", default="manual", metavar="|".join(PROFILES) + "|FILE.json")
    parser.add_argument("--from", dest="start", metavar="LAT,LON")
    parser.add_argument("--unknown", choices=MODES, help="one rule for every unknown, instead of the profile's")
    parser.add_argument("--json", action="store_true")


def show_progress(stage: str, count: int) -> None:
    sys.stderr.write(f"\r{stage}: {count:,}        " + ("\n" if stage == "edges" else ""))
    sys.stderr.flush()


def say(document: dict[str, Any], as_json: bool, lines: list[str]) -> None:
    print(json.dumps(document, ensure_ascii=False) if as_json else "\n".join(lines))


def run_build(arguments: argparse.Namespace) -> int:
    """Build a graph and say what is in it."""
    from commonweal.services.access.graph.build import build

    say_built(
        arguments, arguments.out, build(arguments.extract, arguments.out, dem=arguments.dem, progress=show_progress)
    )
    return 0


def say_built(arguments: argparse.Namespace, folder: Path, meta: dict[str, Any]) -> None:
    known = ", ".join(f"{name} {share:.1%}" for name, share in meta["coverage"].items())
    lines = [
        f"{meta['vertices']:,} vertices, {meta['edges']:,} edges, {meta['metres'] / 1000:,.0f} km",
        f"on record: {known}",
        f"build {meta['build']}",
        f"graph {folder}",
    ]
    say(meta | {"graph": str(folder)}, arguments.json, lines)


def run_update(arguments: argparse.Namespace) -> int:
    """Write an extract with diffs applied."""
    from commonweal.services.access.graph.replication import apply

    print(apply(arguments.extract, arguments.diffs, arguments.out))
    return 0


def read_profile(name: str, unknown: str | None) -> Profile:
    """A profile by its name or from a JSON file, with one rule for every unknown if that is asked for."""
    if name in PROFILES or not name.endswith(".json"):
        profile = parse_profile(name)
    else:
        try:
            document = json.loads(Path(name).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise Invalid(
                "profile.form",
                Text("{name} is no JSON file: {reason}.", "{name} 不是 JSON 文件：{reason}。").format(
                    name=name, reason=error
                ),
                field="profile",
            ) from None
        profile = parse_profile(document)
    if unknown:
        profile = change(change(profile, "unknown", unknown), "unknown_by", ())  # type: ignore[arg-type]
    return profile


def read_point(text: str | None, field: str) -> tuple[float, float]:
    """`LAT,LON` in degrees."""
    from commonweal.services.access.graph.router import check_point

    numbers = re.split(r"[,，\s]+", (text or "").strip())
    try:
        lat, lon = (float(number) for number in numbers)
    except ValueError:
        lat = lon = float("nan")
    return check_point((lat, lon), field)


def run_route(arguments: argparse.Namespace) -> int:
    """Answer one question, or a file of them."""
    from commonweal.services.access.graph.answer import route
    from commonweal.services.access.graph.live import read_barriers
    from commonweal.services.access.graph.router import Router

    profile = read_profile(arguments.profile, arguments.unknown)
    router = Router.open(arguments.graph)
    if arguments.barriers:
        read_barriers(router, arguments.barriers)
    options = {"objective": arguments.objective, "alternatives": arguments.alternatives}
    if arguments.pairs:
        for name, one, two in read_pairs(arguments.pairs):
            try:
                answer = route(router, profile, read_point(one, "from"), read_point(two, "to"), **options)
            except Refusal as refusal:
                answer = {"status": "refused", **refusal_json(refusal)}
            print(json.dumps({"pair": name} | answer, ensure_ascii=False))
        return 0
    start, goal = read_point(arguments.start, "from"), read_point(arguments.goal, "to")
    try:
        answer = route(router, profile, start, goal, **options)
    except Refusal as refusal:
        if not arguments.json:
            raise
        print(json.dumps({"status": "refused", **refusal_json(refusal)}, ensure_ascii=False))
        return 1 if refusal.status in (404, 409) else 2
    if answer["status"] == "ok":
        head = f"{answer['length_m']:.0f} m, {answer['time_s'] / 60:.0f} min"
        say(answer, arguments.json, [head, *answer["instructions"]["zh"], "", *answer["instructions"]["en"]])
        return 0
    lines = [answer["text"]["zh"], answer["text"]["en"]]
    if answer["opens"]:
        lines += [f"{c['field']}: {c['before']} -> {c['after']}" for c in answer["opens"]["changes"]]
    say(answer, arguments.json, lines)
    return 1


def refusal_json(refusal: Refusal) -> dict[str, Any]:
    """A question that cannot be asked, in the form of an answer."""
    return {
        "code": refusal.code,
        "field": refusal.field,
        "http": refusal.status,
        "text": {"en": refusal.text.en, "zh": refusal.text.zh},
        "reasons": [],
        "opens": None,
    }


def read_pairs(path: Path) -> Iterator[tuple[str, str, str]]:
    """The questions of a CSV file: the last four cells of a line are lat, lon, lat, lon; a heading may name columns."""
    try:
        rows = list(csv.reader(path.read_text(encoding="utf-8-sig").splitlines()))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise Invalid(
            "pairs.form",
            Text("{name} cannot be read: {reason}.", "{name} 无法读取：{reason}。").format(
                name=path.name, reason=error
            ),
            field="pairs",
        ) from None
    columns: list[int] | None = None
    for number, row in enumerate(rows):
        cells = [cell.strip() for cell in row]
        if not any(cells):
            continue
        if number == 0 and not any(re.fullmatch(r"[-+]?\d+(\.\d*)?", cell) for cell in cells[-4:]):
            columns = _columns([cell.lower() for cell in cells])
            continue
        chosen = [cells[k] if k < len(cells) else "" for k in columns] if columns else cells[-4:]
        chosen += [""] * (4 - len(chosen))
        name = cells[0] if len(cells) > 4 else str(number)
        yield name, ",".join(chosen[:2]), ",".join(chosen[2:4])


def _columns(heading: list[str]) -> list[int] | None:
    """Where the four numbers stand, if the heading says so."""
    lat = [k for k, name in enumerate(heading) if re.search(r"lat|纬", name)]
    lon = [k for k, name in enumerate(heading) if re.search(r"lon|lng|经", name)]
    return [lat[0], lon[0], lat[1], lon[1]] if len(lat) == 2 and len(lon) == 2 else None


def run_reach(arguments: argparse.Namespace) -> int:
    """Print the streets within reach."""
    from commonweal.services.access.graph.reach import reach
    from commonweal.services.access.graph.router import Router

    profile = read_profile(arguments.profile, arguments.unknown)
    found = reach(Router.open(arguments.graph), profile, read_point(arguments.start, "from"), arguments.minutes)
    say(found, arguments.json, [f"{found['metres'] / 1000:.1f} km in {found['minutes']:g} min"])
    return 0


_ALIASES = {
    "slope": "incline",
    "kerb:height": "kerb",
    "kerb_height": "kerb",
    "curb": "kerb",
    "incline:across": "cross_slope",
    "foot": "access",
    "conveying": "escalator",
    "elevator": "lift",
    "gap": "barrier",
    "highway": "steps",
    "doors": "door",
    "maxwidth:physical": "width",
    "tracktype": "surface",
    "opening_hours": "hours",
    "cross-slope": "cross_slope",
}
_UNITS = {"incline": "%", "cross_slope": "%", "kerb": "cm", "width": "cm", "barrier": "cm"}


def parse_tags(text: str) -> dict[str, str]:
    """Tags written as JSON, or as `key=value` joined by `;`, `|`, `,` or a blank (values may hold `;` themselves)."""
    text = text.strip()
    if text.startswith("{"):
        return {str(key): str(value) for key, value in json.loads(text).items()}
    pieces = re.split(r"\s*[;|,&\n]\s*(?=[A-Za-z_][\w:.\-]*\s*=)|\s+(?=[A-Za-z_][\w:.\-]*=)", text)
    return {key.strip(): value.strip() for key, _, value in (piece.partition("=") for piece in pieces if piece.strip())}


def judge_case(element: str, tags: dict[str, str], attribute: str, profile: Profile, sense: int = 0) -> dict[str, Any]:
    """The verdict and the value of one attribute of one element.

    `element` is node or way, with a side for the pavement of a road (`way:left`). An attribute that the element does
    not have passes with no value.
    """
    from commonweal.services.access.graph.tags import node_facts, way_facts

    kind, _, side = element.lower().partition(":")
    name = _ALIASES.get(attribute.lower(), attribute.lower())
    facts = node_facts(tags) if kind.startswith("n") else way_facts(tags, side if side in ("left", "right") else "")
    fact = next((fact for fact in facts if fact.attribute == name), None)
    if fact is None:
        return {"verdict": "pass", "value": None, "unit": "", "doubt": "", "note": "not there"}
    return {
        "verdict": judge(profile, fact, sense).name.lower(),
        "value": fact.value,
        "unit": _UNITS.get(name, "") if isinstance(fact.value, float) else "",
        "doubt": fact.doubt,
        "note": fact.note,
    }


def run_tags(arguments: argparse.Namespace) -> int:
    """Judge every case of a file; the rows come back with verdict, value, unit, doubt and note."""
    profile = read_profile(arguments.profile, None)
    try:
        with arguments.cases.open(encoding="utf-8-sig", newline="") as file:
            return _judge_file(file, profile, arguments.json)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise Invalid(
            "cases.form",
            Text("{name} cannot be read: {reason}.", "{name} 无法读取：{reason}。").format(
                name=arguments.cases.name, reason=error
            ),
            field="cases",
        ) from None


def _judge_file(file: IO[str], profile: Profile, as_json: bool) -> int:
    rows = csv.DictReader(file, restkey="more")
    names = [name.strip().lower() for name in rows.fieldnames or []]
    if not {"element", "tags", "attribute"} <= set(names):
        raise Invalid(
            "cases.heading",
            Text(
                "The first line must name the columns element, tags, attribute.",
                "首行应为 element,tags,attribute 三列。",
            ),
            field="cases",
        )
    writer = csv.writer(sys.stdout)
    added = ["verdict", "value", "unit", "doubt", "note"]
    if not as_json:
        writer.writerow([*names, *added])
    for row in rows:
        case = {str(key).strip().lower(): value or "" for key, value in row.items() if not isinstance(value, list)}
        try:
            tags = parse_tags(case["tags"])
        except ValueError:
            verdict: dict[str, Any] = dict.fromkeys(added, "") | {
                "verdict": "unknown",
                "doubt": "unreadable",
                "value": None,
            }
        else:
            sense = {"up": 1, "forward": 1, "down": -1, "backward": -1}.get(
                case.get("direction", "").strip().lower(), 0
            )
            own = parse_profile(case["profile"].strip()) if case.get("profile", "").strip() else profile
            verdict = judge_case(case["element"].strip(), tags, case["attribute"].strip(), own, sense)
        if as_json:
            print(json.dumps(case | verdict, ensure_ascii=False))
        else:
            value = verdict["value"]
            shown = "" if value is None else f"{value:g}" if isinstance(value, float) else value
            writer.writerow(
                [*(case.get(n, "") for n in names), verdict["verdict"], shown, *(verdict[k] for k in added[2:])]
            )
    return 0


def run_check(arguments: argparse.Namespace) -> int:
    """Hand over to the stand-alone checker."""
    from commonweal.services.access import checker

    return checker.main([str(arguments.certificate), str(arguments.extract)])


def run_export(arguments: argparse.Namespace) -> int:
    """Write OpenSidewalks."""
    from commonweal.services.access.graph import opensidewalks
    from commonweal.services.access.graph.store import load

    graph = load(arguments.graph)
    with arguments.out.open("w", encoding="utf-8") as file:
        print(f"{opensidewalks.write(graph, file.write):,} features")
    return 0


def run_places(arguments: argparse.Namespace) -> int:
    """Print A11yJSON."""
    from commonweal.services.access.graph import places

    source = arguments.source
    found = places.from_a11y(source) if source.suffix in (".json", ".geojson") else list(places.read_osm(source))
    print(json.dumps(places.to_a11y(found), ensure_ascii=False))
    return 0
