"""The engines' doors for other programs: `commonweal forest ...`. With `--json`, one document on stdout."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from types import ModuleType
from typing import Any

from commonweal.kernel import clock
from commonweal.kernel.errors import Invalid, NotFound, Refusal
from commonweal.kernel.text import Text

TAUGHT = "geolife_modes/segment_features_dev.csv.xz"
UK_FACTORS = "uk_ghg_conversion_factors_2024_2025.csv.xz"
PHOTO_KINDS = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"}


def add_commands(subparsers: Any) -> None:
    """Add the doors to the command line."""
    modes = _door(subparsers, "modes", _modes, "which way somebody travelled, by segment")
    modes.add_argument("source", type=Path, metavar="SEGMENTS.csv|TRACKS_DIR")
    modes.add_argument("--taught", type=Path, help="labelled segments to learn from (default: in the data directory)")
    modes.add_argument("--stops", type=Path, help="the GTFS stops.txt of the place, if tracks are given")

    photos = _door(subparsers, "photos", _photos, "find re-used photographs")
    photos.add_argument("gallery", type=Path, metavar="GALLERY_DIR")
    photos.add_argument("probes", type=Path, metavar="PROBE_DIR")

    factor = _door(subparsers, "factor", _factor, "an emission factor or a method, with its source")
    factor.add_argument("key", metavar="KEY")
    factor.add_argument("--year", type=int, default=clock.now().year)
    factor.add_argument("--quantity", type=int, help="of a method: what that much of it saves")

    ndvi = _door(subparsers, "ndvi", _ndvi, "parcels of a satellite patch through time, and clearings")
    ndvi.add_argument("directory", type=Path, metavar="DIR")

    look = subparsers.add_parser("look", help="take satellite scenes in for the plots that lie in them")
    look.add_argument("directory", type=Path, metavar="DIR")
    look.add_argument("--by", required=True, metavar="EMAIL", help="the steward who does it")
    look.add_argument("--data", help="data directory (COMMONWEAL_DATA_DIR, else .data)")
    look.set_defaults(run=_look)

    survey = _door(subparsers, "survey", _survey, "survival and its interval from counts in sub-plots")
    survey.add_argument("file", type=Path, metavar="FILE.csv")
    survey.add_argument("--confidence", type=float, default=0.95)
    survey.add_argument("--population", type=int, help="how many sub-plots there are (of one stratum)")

    plan = _door(subparsers, "plan", _plan, "how many sub-plots a survey needs")
    plan.add_argument("--survival", type=float, required=True, help="expected share alive")
    plan.add_argument("--correlation", type=float, required=True, help="intra-cluster correlation, from a pilot")
    plan.add_argument("--trees", type=int, required=True, help="trees in a sub-plot")
    plan.add_argument("--population", type=int)
    plan.add_argument("--error", type=float, default=0.20, help="relative error at 90 %% confidence")

    biomass = _door(subparsers, "biomass", _biomass, "what a tree holds, by a published equation")
    biomass.add_argument("species", metavar="SPECIES")
    biomass.add_argument("diameter", type=float, metavar="CM")
    biomass.add_argument("--promised", type=float, help="kg of CO2 that its certificate promises")

    conserve = _door(subparsers, "conserve", _conserve, "check that no gram was made or lost, from public files")
    conserve.add_argument("source", type=Path, metavar="FILE|DIR")

    deeds = _door(subparsers, "deeds", _deeds, "check one's own proof of the deeds of a closed day")
    deeds.add_argument("file", type=Path, metavar="FILE")
    deeds.add_argument("--log", type=Path, metavar="DIR", help="the exported log")

    track = _door(subparsers, "track", _track, "whether a track can be true")
    track.add_argument("file", type=Path, metavar="FILE.gpx")
    track.add_argument("--at", type=datetime.fromisoformat, help="the moment of recording (default: now)")


def _door(subparsers: Any, name: str, run: Callable[[argparse.Namespace], int], help: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = subparsers.add_parser(name, help=help)
    parser.add_argument("--json", action="store_true", help="one JSON document instead of lines for people")
    parser.add_argument("--data", type=Path, default=_data(), help="directory of public data (COMMONWEAL_DATA)")
    parser.set_defaults(run=run)
    return parser


def _data() -> Path:
    return Path(os.environ.get("COMMONWEAL_DATA", "../shared/data")) / "forest"


def _engine(name: str) -> ModuleType:
    """An engine that needs the extra `forest`."""
    try:
        return importlib.import_module(f"commonweal.services.forest.{name}")
    except ModuleNotFoundError as error:
        raise Invalid(
            "forest.extra",
            Text(
                "This needs {module}: install commonweal[forest].", "缺少 {module}：请安装 commonweal[forest]。"
            ).format(module=error.name),
        ) from error


def _present(path: Path, *, directory: bool | None = None) -> Path:
    if directory is None and path.exists():
        return path
    if (directory is True and path.is_dir()) or (directory is False and path.is_file()):
        return path
    raise NotFound("forest.no-file", Text("There is no {path}.", "找不到 {path}。").format(path=path))


def _modes(arguments: argparse.Namespace) -> int:
    modes = _engine("modes")
    source: Path = _present(arguments.source)
    taught: Path = _present(arguments.taught or arguments.data / TAUGHT, directory=False)
    segments = modes.read_tracks(source) if source.is_dir() else modes.read_segments(source)
    stops = None
    if arguments.stops:
        stops = _engine("modes.stops").read_stops(_present(arguments.stops, directory=False))
    judged = modes.Recogniser(modes.read_segments(taught)).judge(segments, stops)
    rows = [
        {
            "segment": segment.name,
            "user": segment.user,
            "mode": verdict.mode,
            "probability": verdict.probability,
            "green": verdict.green,
            "credited": verdict.credited,
            "probabilities": verdict.probabilities,
        }
        for segment, verdict in zip(segments, judged, strict=True)
    ]
    if arguments.json:
        return _say({"taught": taught.name, "grade": "C", "segments": rows})
    print("segment\tuser\tmode\tprobability\tgreen\tcredited")
    for row in rows:
        print("\t".join(str(row[name]) for name in list(row)[:6]))
    return 0


def _photos(arguments: argparse.Namespace) -> int:
    photos = _engine("photos")
    gallery = photos.Gallery()
    unread = []
    for path in _pictures(arguments.gallery):
        try:
            gallery.add(path.name, photos.read_picture(path)[0])
        except Refusal as refusal:
            unread.append({"photo": path.name, "code": refusal.code})
    rows = []
    for path in _pictures(arguments.probes):
        try:
            verdict = gallery.check(photos.read_picture(path))
        except Refusal as refusal:
            row = {"photo": path.name, "verdict": "refused", "code": refusal.code, "match": None, "inliers": 0}
        else:
            row = {
                "photo": path.name,
                "verdict": "refused" if verdict.refused else "accepted",
                "code": "photo.reused" if verdict.refused else None,
                "match": verdict.match,
                "inliers": verdict.inliers,
                "agreement": verdict.agreement,
            }
        rows.append(row)
    if arguments.json:
        return _say({"gallery": len(gallery), "unread": unread, "probes": rows})
    for row in rows:
        print(f"{row['photo']}\t{row['verdict']}\t{row['match'] or row['code'] or ''}\t{row['inliers']}")
    return 0


def _pictures(directory: Path) -> list[Path]:
    inside = sorted(_present(directory, directory=True).rglob("*"))
    return [path for path in inside if path.suffix.lower() in PHOTO_KINDS]


def _factor(arguments: argparse.Namespace) -> int:
    factors = _engine("factors")
    table = factors.published()
    if (arguments.data / UK_FACTORS).exists():
        table |= factors.uk_government(arguments.data / UK_FACTORS)
    method = factors.methods().get(arguments.key)
    if method is not None:
        reduction = method.reduce(arguments.quantity or _example(method), arguments.year, table)
        said = {
            "key": method.key,
            "kind": "method",
            "version": method.version,
            "title": {"en": method.title.en, "zh": method.title.zh},
            "quantity": reduction.quantity,
            "unit": method.quantity,
            "kg_co2e": float(reduction.exact / 1000),
            "exact": str(reduction.exact / 1000),
            "grams": reduction.grams,
            "share": str(method.share),
            "day_cap_g": method.day_cap,
            "baseline": _say_factor(reduction.baseline),
            "project": _say_factor(reduction.project),
            "explanation": {"en": reduction.explain().en, "zh": reduction.explain().zh},
        }
    else:
        said = _say_factor(table.find(arguments.key, arguments.year)) | {"year": arguments.year}
    if arguments.json:
        return _say(said)
    for name, value in said.items():
        print(f"{name}\t{value}")
    return 0


def _example(method: Any) -> int:
    return 22_000 if method.key == "beijing-metro" else 1000 if method.quantity in ("m", "step", "g") else 1


def _say_factor(factor: Any) -> dict[str, Any]:
    return {
        "key": factor.key,
        "kind": "factor",
        "version": factor.version,
        "valid_from": factor.valid_from,
        "valid_to": factor.valid_to,
        "value": float(factor.value),
        "written": factor.written,
        "exact": str(factor.value),
        "unit": factor.unit,
        "per": factor.quantity,
        "title": {"en": factor.title.en, "zh": factor.title.zh},
        "path": list(factor.path),
        "source": factor.source,
        "licence": factor.licence,
        "note": factor.note,
    }


def _ndvi(arguments: argparse.Namespace) -> int:
    canopy = _engine("canopy")
    patch = canopy.read_patch(_present(arguments.directory, directory=True))
    cleared = [
        {
            "parcel": c.parcel,
            "date": c.seen.date().isoformat(),
            "seen": c.seen.isoformat(),
            "confirmed": c.confirmed.isoformat(),
            "pixels": c.pixels,
            "share": c.share,
            "ndvi_before": c.before,
            "ndvi_after": c.after,
        }
        for c in canopy.clearings(patch)
    ]
    parcels = [
        {
            "parcel": parcel.id,
            "cover": parcel.cover,
            "pixels": len(parcel.pixels),
            "dates": [moment.isoformat() for moment in line.dates],
            "ndvi": line.ndvi,
            "clear": line.clear,
            "clearings": [c for c in cleared if c["parcel"] == parcel.id],
        }
        for parcel, line in zip(patch.parcels, canopy.series(patch), strict=True)
    ]
    if arguments.json:
        return _say({"scenes": len(patch.dates), "parcels": parcels, "clearings": cleared})
    print(f"{len(parcels)} parcels, {len(patch.dates)} scenes, {len(cleared)} clearings")
    for c in cleared:
        print(f"{c['parcel']}\t{c['date']}\t{c['share']:.0%}\t{c['ndvi_before']} -> {c['ndvi_after']}")
    return 0


def _look(arguments: argparse.Namespace) -> int:
    directory: Path = _present(arguments.directory, directory=True)
    _engine("canopy")
    with arguments.database():
        from commonweal.kernel.parties.models import Login
        from commonweal.services.forest.actions import canopy

        login = Login.objects.filter(email=arguments.by).select_related("party").first()
        if login is None:
            text = Text("Nobody signs in as {by}.", "没有登录名 {by}。")
            raise NotFound("sign-in.unknown", text.format(by=arguments.by))
        found = canopy.look(login.party, directory)
    print(f"{found.plots} plots, {found.looks} new looks, {found.clearings} new clearings")
    return 0


def _survey(arguments: argparse.Namespace) -> int:
    survey = _engine("survey")
    counts = survey.read_counts(_present(arguments.file, directory=False).read_text("utf-8"))
    population = {counts[0].stratum: arguments.population} if arguments.population and counts else None
    found = survey.estimate(counts, confidence=arguments.confidence, population=population)
    said = {
        "survival": found.survival,
        "low": found.low,
        "high": found.high,
        "confidence": found.confidence,
        "relative_error_90": found.relative_error,
        "subplots": found.subplots,
        "planted": found.planted,
        "alive": found.alive,
        "correlation": found.correlation,
    }
    if arguments.json:
        return _say(said)
    print(f"{found.survival:.1%} alive ({found.low:.1%} to {found.high:.1%}), {found.subplots} sub-plots")
    return 0


def _plan(arguments: argparse.Namespace) -> int:
    found = _engine("survey").plan(
        survival=arguments.survival,
        correlation=arguments.correlation,
        trees=arguments.trees,
        population=arguments.population,
        relative_error=arguments.error,
    )
    if arguments.json:
        return _say({"subplots": found.subplots, "relative_error": found.relative_error})
    print(f"{found.subplots} sub-plots")
    return 0


def _biomass(arguments: argparse.Namespace) -> int:
    biomass = _engine("biomass")
    equation = biomass.equations().get(arguments.species)
    if equation is None:
        known = ", ".join(biomass.equations())
        raise NotFound(
            "biomass.species",
            Text("No equation for {name}; known: {known}.", "没有 {name} 的方程；已有：{known}。").format(
                name=arguments.species, known=known
            ),
        )
    stored = biomass.carbon_dioxide(equation, arguments.diameter, arguments.promised)
    said = {
        "species": equation.species,
        "diameter_cm": arguments.diameter,
        "range_cm": [equation.d_min, equation.d_max],
        "biomass_kg": stored.biomass,
        "co2_kg": stored.co2,
        "promised_at_cm": stored.promised_at,
        "source": equation.source,
    }
    if arguments.json:
        return _say(said)
    print(f"{stored.biomass:.3f} kg above ground, {stored.co2:.2f} kg CO2 stored now ({equation.source})")
    return 0


def _track(arguments: argparse.Namespace) -> int:
    tracks = _engine("tracks")
    path: Path = _present(arguments.file, directory=False)
    if path.suffix.lower() == ".gpx":
        fixes = tracks.read_gpx(path.read_bytes())
    else:
        text = path.read_text("utf-8")
        fixes = tracks.read_plt(text) if path.suffix.lower() == ".plt" else tracks.read_csv(text)
    track = tracks.check_track(fixes, arguments.at or clock.now())
    said = {"fixes": len(track.fixes), "from": str(track.fixes[0].at), "to": str(track.fixes[-1].at)}
    if arguments.json:
        return _say(said)
    print(f"{said['fixes']} fixes, {said['from']} to {said['to']}")
    return 0


def _conserve(arguments: argparse.Namespace) -> int:
    conservation = _engine("conservation")
    source: Path = _present(arguments.source)
    file = source / "conservation.json" if source.is_dir() else source
    balances = _read_json(file)
    if not isinstance(balances, list):
        raise _no_json(file)
    entries = _entries(source) if source.is_dir() else None
    checked = conservation.check(balances, entries)
    said = {
        "holds": checked.holds,
        "balances": checked.balances,
        "total": checked.total,
        "facts": checked.facts if entries is not None else None,
        "faults": [{"balance": fault.nth, "what": fault.what} for fault in checked.faults],
    }
    if arguments.json:
        _say(said)
    else:
        print(
            f"{checked.balances} balances, {checked.facts} facts: {'conserved' if checked.holds else 'NOT CONSERVED'}"
        )
        for name, grams in checked.total.items():
            print(f"{name}\t{grams}")
        for fault in checked.faults[:20]:
            print(f"balance {fault.nth}: {fault.what}")
    return 0 if checked.holds else 1


def _deeds(arguments: argparse.Namespace) -> int:
    proof = _read_json(_present(arguments.file, directory=False))
    wrong = _engine("conservation").check_opening(proof, _entries(arguments.log) if arguments.log else None)
    if arguments.json:
        _say({"holds": not wrong, "faults": wrong})
    else:
        print("\n".join(wrong) or f"{len(proof['opened']['deeds'])} deeds of {proof['opened']['day']} hold")
    return 1 if wrong else 0


def _entries(directory: Path) -> list[bytes]:
    """The entries of an exported log whose tiles and signed root have been recomputed."""
    from commonweal.kernel.proof.note import BadNote
    from commonweal.kernel.proof.static import entries_in, fsck

    try:
        fsck(_present(directory, directory=True))
        return list(entries_in(directory))
    except BadNote as error:
        raise Invalid(
            "forest.log", Text("This is not the log: {why}", "日志文件不符：{why}").format(why=error)
        ) from error


def _read_json(path: Path) -> Any:
    try:
        return json.loads(_present(path, directory=False).read_bytes())
    except ValueError as error:
        raise _no_json(path) from error


def _no_json(path: Path) -> Invalid:
    return Invalid("forest.json", Text("{path} is not such a file.", "{path} 不是这样的文件。").format(path=path))


def _say(document: dict[str, Any]) -> int:
    json.dump(document, sys.stdout, ensure_ascii=False, indent=1)
    print()
    return 0
