"""Measures the step-free router: `commonweal bench access NAME` or `python -m bench.access NAME`, NAME being
unsafe, latency, barriers, scale, trust, mutants, refusals, http or reported.

Each prints a table and, last, one JSON line. `--valhalla PYTHON` names the Python of an environment with
`pyvalhalla-weekly`; without it the anchor is left out.
"""

from __future__ import annotations

import argparse
import copy
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np

from bench import access_http
from bench.access_judge import Judge
from bench.figure import Figure
from commonweal.services.access import checker
from commonweal.services.access.graph import answer as answers
from commonweal.services.access.graph.build import build
from commonweal.services.access.graph.easing import change
from commonweal.services.access.graph.router import Router
from commonweal.services.access.rules import PROFILES, parse_profile
from commonweal.services.access.trust import CLEARED, CONFIRMED, Reporter, Standing, Vote, belief, learned


def _figure(name: str, value: float, unit: str, n: int, ok: bool, **more: Any) -> Figure:
    """A figure that carries further values beside those of every figure. Without an anchor, `anchor_value` is 0."""
    anchor_value = more.pop("anchor_value", None) or 0.0
    made: dict[str, Any] = {
        "name": name,
        "value": round(value, 4),
        "unit": unit,
        "anchor": more.pop("anchor", ""),
        "anchor_value": anchor_value,
        "ratio": round(value / anchor_value, 3) if anchor_value else 0.0,
        "n": n,
        "ok": ok,
    }
    return cast(Figure, made | more)


def _router(arguments: argparse.Namespace, folder: Path) -> Router:
    build(arguments.extract, folder / "graph")
    return Router.open(folder / "graph")


def _valhalla(
    arguments: argparse.Namespace, folder: Path, pairs: list[tuple[float, float, float, float]]
) -> list[dict[str, Any]] | None:
    if not arguments.valhalla:
        return None
    run = subprocess.run(
        [arguments.valhalla, Path(__file__).with_name("access_valhalla.py"), arguments.extract, folder / "valhalla"],
        input=json.dumps(pairs), capture_output=True, text=True, check=True,
    )  # fmt: skip
    found: list[dict[str, Any]] = json.loads(run.stdout)
    return found


def _quantiles(values: list[float]) -> tuple[float, float, float]:
    return tuple(round(float(v), 3) for v in np.percentile(values, [50, 95, 100]))  # type: ignore[return-value]


def unsafe(arguments: argparse.Namespace) -> Figure:
    """Routes of 8 profiles judged by the checker and a plain Dijkstra: unsafe, missing, too long, unexplained."""
    judge = Judge(arguments.extract)
    pairs = judge.pairs(arguments.pairs, arguments.seed)
    place = {ref: (lat, lon) for ref, (lat, lon, _, _) in judge.raw.nodes.items()}
    total = {
        "routes": 0,
        "unsafe": 0,
        "refused": 0,
        "missing": 0,
        "longer": 0,
        "unexplained": 0,
        "reachable": 0,
        "moved": 0,
    }
    worst = 1.0
    print(f"{'profile':10} routes unsafe refused missing longer unexplained worst-ratio moved")
    with tempfile.TemporaryDirectory() as name:
        router = _router(arguments, Path(name))
        for title, (standard, _) in PROFILES.items():
            profile = change(standard, "unknown", arguments.unknown) if arguments.unknown else standard
            judge.take(profile.to_json())
            row = dict.fromkeys(total, 0)
            longest = 1.0
            for a, b in pairs:
                answer = json.loads(json.dumps(answers.route(router, profile, place[a], place[b])))
                here = judge.stands(a) and judge.stands(b)
                if answer["status"] == "ok":
                    row["routes"] += 1
                    row["unsafe"] += bool(checker.check(answer["certificate"], judge.raw))
                    if max(answer["snap"][end]["off_m"] for end in ("from", "to")) > 0.5:
                        row["moved"] += 1
                        if here and np.isfinite(judge.shortest(a, b)):
                            row["missing"] += 1
                            row["reachable"] += 1
                    elif here:
                        best = judge.shortest(a, b, answer["length_m"] * 1.01 + 1)
                        row["reachable"] += 1
                        ratio = answer["length_m"] / max(best, 1e-9) if np.isfinite(best) else 1.0
                        longest = max(longest, ratio if best > 1 else 1.0)
                        row["longer"] += ratio > 1.001
                else:
                    row["refused"] += 1
                    if here and judge.shortest(a, b) <= profile.length:
                        row["missing"] += 1
                        row["reachable"] += 1
                    row["unexplained"] += not _explained(router, answer, place[a], place[b])
            worst = max(worst, longest)
            print(
                f"{title:10} {row['routes']:6} {row['unsafe']:6} {row['refused']:7} {row['missing']:7} "
                f"{row['longer']:6} "
                f"{row['unexplained']:11} {longest:11.6f} {row['moved']:5}"
            )
            total = {key: total[key] + row[key] for key in total}
        anchor = _valhalla_unsafe(arguments, Path(name), judge, pairs, place)
    complete = 1 - total["missing"] / max(1, total["reachable"])
    rate = 100 * total["unsafe"] / max(1, total["routes"])
    ok = rate == 0 and complete >= 0.995 and worst <= 1.001 and total["unexplained"] == 0
    print(
        f"completeness {100 * complete:.2f} %, worst length ratio {worst:.6f}, "
        f"refusals unexplained {total['unexplained']}"
    )
    return _figure(
        "unsafe", rate, "%", total["routes"], ok,
        anchor="valhalla wheelchair, gaps of unknown width passable",
        anchor_value=anchor and anchor[0], anchor_width_unknown_fails=anchor and anchor[1],
        completeness=round(100 * complete, 3),
        length_ratio=round(worst, 6), refusals=total["refused"], unexplained=total["unexplained"],
    )  # fmt: skip


def _explained(router: Router, answer: dict[str, Any], start: Any, goal: Any) -> bool:
    """Whether a refusal has reasons, and the change it names opens a route."""
    if not answer["reasons"] or answer.get("geometry"):
        return False
    if answer["opens"] is None:
        return answer["code"] in ("route.unconnected", "route.closed", "route.too-long")
    return bool(answers.route(router, parse_profile(answer["opens"]["profile"]), start, goal)["status"] == "ok")


def _valhalla_unsafe(
    arguments: argparse.Namespace,
    folder: Path,
    judge: Judge,
    pairs: list[tuple[int, int]],
    place: dict[int, tuple[float, float]],
) -> tuple[float, float] | None:
    found = _valhalla(arguments, folder, [(*place[a], *place[b]) for a, b in pairs])
    if found is None:
        return None
    judge.take(PROFILES["manual"][0].to_json())
    lines = [judge.match([(lat, lon) for lat, lon in entry["line"]]) for entry in found if entry["line"]]
    rates = [
        100 * sum(judge.unsafe(path, width_unknown_fails=strict) for path in lines) / max(1, len(lines))
        for strict in (False, True)
    ]
    print(f"valhalla: {len(lines)} routes, unsafe {rates[0]:.1f} % (gaps of unknown width failing: {rates[1]:.1f} %)")
    return round(rates[0], 2), round(rates[1], 2)


def latency(arguments: argparse.Namespace) -> Figure:
    """Snapping, path and instructions; and the whole answer with certificate; beside Valhalla in its own process."""
    judge = Judge(arguments.extract)
    pairs = judge.pairs(arguments.pairs, arguments.seed)
    asked = [(*judge.raw.nodes[a][:2], *judge.raw.nodes[b][:2]) for a, b in pairs]
    profile = PROFILES["manual"][0]
    engine: list[float] = []
    whole: list[float] = []
    with tempfile.TemporaryDirectory() as name:
        router = _router(arguments, Path(name))
        from commonweal.services.access.graph import text

        for warm in (True, False):
            for a, b, c, d in asked[: 20 if warm else None]:
                begun = time.perf_counter()
                way = router.find(profile, (a, b), (c, d))
                if way is not None:
                    text.steps(router, way, profile)
                if not warm:
                    engine.append(1000 * (time.perf_counter() - begun))
                if way is not None:
                    begun = time.perf_counter()
                    json.dumps(answers.route(router, profile, (a, b), (c, d)))
                    if not warm:
                        whole.append(1000 * (time.perf_counter() - begun))
        found = _valhalla(arguments, Path(name), asked)
    print(f"{'':34} p50      p95      max  (ms)")
    print(f"{'snap + path + instructions':30} {'{:8} {:8} {:8}'.format(*_quantiles(engine))}")
    print(f"{'answer with certificate, JSON':30} {'{:8} {:8} {:8}'.format(*_quantiles(whole))}")
    theirs = _quantiles([entry["ms"] for entry in found]) if found else None
    if theirs:
        print(f"{'valhalla in-process':30} {'{:8} {:8} {:8}'.format(*theirs)}")
    p95, most = _quantiles(engine)[1:]
    return _figure(
        "latency p95", p95, "ms", len(engine), p95 <= 5 and most <= 30, anchor="valhalla in-process p95",
        anchor_value=theirs and theirs[1], max=most,
        answer_p95=_quantiles(whole)[1],
    )  # fmt: skip


def barriers(arguments: argparse.Namespace) -> Figure:
    """From a report to a route that avoids it, in the engine, with 10,000 barriers already standing."""
    from commonweal.services.access.graph.live import place

    profile = PROFILES["manual"][0]
    draw = random.Random(arguments.seed)
    with tempfile.TemporaryDirectory() as name:
        router = _router(arguments, Path(name))
        a = router.arrays
        standing_ones = []
        for number in range(10_000):
            k = draw.randrange(len(a.s_lat))
            state: Standing = "confirmed" if number % 50 == 0 else "doubted"
            standing_ones.append(
                (number + 1, place(router, str(number), "works", state, [(float(a.s_lat[k]), float(a.s_lon[k]))]))
            )
        router.overlay.apply(standing_ones)
        open_ = change(profile, "unknown", "permissive")
        times: list[float] = []
        changed, sequence = 0, 10_000
        while len(times) < arguments.pairs:
            i, j = draw.randrange(len(a.v_lat)), draw.randrange(len(a.v_lat))
            ends = (float(a.v_lat[i]), float(a.v_lon[i])), (float(a.v_lat[j]), float(a.v_lon[j]))
            way = router.find(open_, *ends)
            if way is None or len(way.pieces) < 5:
                continue
            edge = way.pieces[len(way.pieces) // 2].arc >> 1
            middle = int(a.e_shape[edge] + a.e_shape[edge + 1]) // 2
            begun = time.perf_counter()
            sequence += 1
            barrier = place(
                router, str(sequence), "works", "confirmed", [(float(a.s_lat[middle]), float(a.s_lon[middle]))]
            )
            router.overlay.apply([(sequence, barrier)])
            after = router.find(open_, *ends)
            times.append(1000 * (time.perf_counter() - begun))
            changed += after is None or all(piece.arc >> 1 not in barrier.edges for piece in after.pieces)
    p50, p95, most = _quantiles(times)
    print(
        f"report to changed route, {sequence:,} barriers: p50 {p50} ms, p95 {p95} ms, max {most} ms; "
        f"changed {changed}/{len(times)}"
    )
    return _figure("barrier to route p95", p95, "ms", len(times), p95 <= 200 and changed == len(times), max=most)


def scale(arguments: argparse.Namespace) -> Figure:
    """Sixteen copies of the extract side by side, joined: build time, memory, latency."""
    import osmium

    copies = 16
    with tempfile.TemporaryDirectory() as name:
        large = Path(name) / "large.osm.pbf"
        judge = Judge(arguments.extract)
        south, north = judge.at[:, 0].min(), judge.at[:, 0].max()
        west, east = judge.at[:, 1].min(), judge.at[:, 1].max()
        joints = sorted({ref for pair in judge.pairs(2000, 1) for ref in pair})
        at = np.array([judge.raw.nodes[ref][:2] for ref in joints])
        middle = [(south + north) / 2, (west + east) / 2]
        edges = ([middle[0], west], [middle[0], east], [south, middle[1]], [north, middle[1]])
        gates = [joints[int(np.abs(at - edge).sum(axis=1).argmin())] for edge in edges]
        step = 10**11
        with osmium.SimpleWriter(str(large)) as writer:
            for kind in (osmium.osm.NODE, osmium.osm.WAY):
                for copy_ in range(copies):
                    dy, dx = (copy_ // 4) * (north - south) * 1.001, (copy_ % 4) * (east - west) * 1.001
                    for thing in osmium.FileProcessor(str(arguments.extract), kind):
                        if isinstance(thing, osmium.osm.Node):
                            if thing.location.valid():
                                where = (thing.location.lon + dx, thing.location.lat + dy)
                                writer.add_node(thing.replace(id=thing.id + copy_ * step, location=where))
                        elif isinstance(thing, osmium.osm.Way) and "highway" in thing.tags:
                            refs = [node.ref + copy_ * step for node in thing.nodes]
                            writer.add_way(
                                osmium.osm.mutable.Way(id=thing.id + copy_ * step, nodes=refs, tags=dict(thing.tags))
                            )
            for copy_ in range(copies):
                links = ((gates[1], gates[0], copy_ + 1, copy_ % 4 < 3), (gates[3], gates[2], copy_ + 4, copy_ < 12))
                for number, (one, two, other, there) in enumerate(links):
                    if there:
                        refs = [one + copy_ * step, two + other * step]
                        writer.add_way(
                            osmium.osm.mutable.Way(
                                id=99 * step + copy_ * 2 + number, nodes=refs, tags={"highway": "footway"}
                            )
                        )
        del judge
        program = (
            "import json,sys,time;from pathlib import Path;begun=time.time()\n"
            "from commonweal.services.access.graph.build import build\n"
            "meta=build(Path(sys.argv[1]),Path(sys.argv[2]))\n"
            "print(json.dumps([time.time()-begun,int(open('/proc/self/status').read().split('VmHWM:')[1].split()[0])/1024,meta['vertices'],meta['edges']]))"
        )
        run = subprocess.run(
            [sys.executable, "-c", program, large, Path(name) / "graph"], capture_output=True, text=True, check=True
        )
        seconds, build_mb, vertices, edges = json.loads(run.stdout)
        program = (
            "import json,random,sys,time\n"
            "from commonweal.services.access.graph.router import Router\n"
            "from commonweal.services.access.graph import text\n"
            "from commonweal.services.access.graph.build import metres\n"
            "from commonweal.services.access.rules import PROFILES\n"
            "router=Router.open(sys.argv[1]);a=router.arrays;p=PROFILES['manual'][0];draw=random.Random(int(sys.argv[3]));times=[];n=0;far=[]\n"
            "while len(times)<int(sys.argv[2])+20:\n"
            "  i,j=draw.randrange(len(a.v_lat)),draw.randrange(len(a.v_lat))\n"
            "  s,g=(float(a.v_lat[i]),float(a.v_lon[i])),(float(a.v_lat[j]),float(a.v_lon[j]))\n"
            "  if not 300<=float(metres(*s,*g))<=20000: continue\n"
            "  t=time.perf_counter();w=router.find(p,s,g)\n"
            "  if w is not None and w.length<=20000: text.steps(router,w,p);n+=1;far.append(w.length)\n"
            "  times.append(1000*(time.perf_counter()-t))\n"
            "print(json.dumps([times[20:],n,sum(far)/max(1,len(far)),int(open('/proc/self/status').read().split('VmHWM:')[1].split()[0])/1024]))"
        )
        words = [sys.executable, "-c", program, str(Path(name) / "graph"), str(arguments.pairs), str(arguments.seed)]
        times, found, mean, route_mb = json.loads(
            subprocess.run(words, capture_output=True, text=True, check=True).stdout
        )
        disk = sum(file.stat().st_size for file in (Path(name) / "graph").iterdir()) / 2**20
    p50, p95, most = _quantiles(times)
    print(
        f"{vertices:,} vertices, {edges:,} edges: build {seconds:.1f} s, {build_mb:.0f} MB; graph {disk:.0f} MB on disk"
    )
    print(
        f"{found} routes of {mean / 1000:.1f} km on average: "
        f"p50 {p50} ms, p95 {p95} ms, max {most} ms, {route_mb:.0f} MB"
    )
    print(f"per million edges: {disk / edges * 1e6:.0f} MB mapped, {route_mb / edges * 1e6:.0f} MB resident at most")
    ok = p95 <= 15 and seconds <= 60 and max(build_mb, route_mb) <= 1024
    return _figure(
        "scale p95",
        p95,
        "ms",
        len(times),
        ok,
        build_s=round(seconds, 1),
        build_mb=round(build_mb),
        route_mb=round(route_mb),
        vertices=vertices,
    )


def trust(arguments: argparse.Namespace) -> Figure:
    """Simulated reporters: what of their word becomes right, with how many votes, and what colluding accounts flip.

    The same crowd judges the same facts twice, once honestly and once with a tenth of the accounts colluding: to deny
    every fact, or to lie about a tenth of the facts only, which they choose together.
    """
    facts, first = 10_000, 2_000
    honest, cast = _crowd(arguments.seed, facts, liars=0.0, targets=0)
    right = sum(found == truth for found, truth in honest) / facts
    flips = {}
    for name, targets in (("about every fact", 1), ("about a tenth of the facts", 10)):
        crowd, _ = _crowd(arguments.seed, facts, liars=0.1, targets=targets)
        wrong = [sum(found != truth for found, truth in run[first:]) for run in (honest, crowd)]
        flips[name] = (wrong[1] - wrong[0]) / (facts - first)
    print(f"{facts} facts: right {100 * right:.2f} % with {cast:.2f} votes on average")
    for name, share in flips.items():
        print(f"10 % of the accounts lie {name}: {100 * share:.2f} % more facts wrong, after the first {first}")
    worst = max(flips.values())
    ok = right >= 0.93 and cast <= 3 and worst <= 0.01
    return _figure("trust right", 100 * right, "%", facts, ok, votes=round(cast, 2), flipped=round(100 * worst, 2))


def _crowd(seed: int, facts: int, liars: float, targets: int) -> tuple[list[tuple[bool, bool]], float]:
    """For every fact what was concluded and what is true; and the votes it took on average."""
    draw = random.Random(seed)
    people = [(f"p{k}", draw.random() < liars, min(0.99, max(0.5, draw.gauss(0.81, 0.08)))) for k in range(200)]
    known = {name: Reporter() for name, _, _ in people}
    found, cast = [], 0
    for number in range(facts):
        truth = draw.random() < 0.5
        asked = [(*person, draw.random()) for person in draw.sample(people, 9)]
        votes: list[Vote] = []
        for name, liar, skill, luck in asked:
            lies = liar and targets and number % targets == 0
            says = not truth if lies else truth if luck < skill else not truth
            votes.append(Vote(name, says, known[name].reliability))
            probability = belief(votes, "works")
            if len(votes) >= 2 and not CLEARED < probability < CONFIRMED:
                break
        probability = belief(votes, "works")
        cast += len(votes)
        found.append((probability > 0.5, truth))
        for vote in votes:
            known[vote.reporter] = learned(known[vote.reporter], probability if vote.present else 1 - probability)
    return found, cast / facts


def mutants(arguments: argparse.Namespace) -> Figure:
    """Certificates with one thing changed, their digest made anew: all must be refused."""
    judge = Judge(arguments.extract)
    draw = random.Random(arguments.seed)
    refused = tried = 0
    with tempfile.TemporaryDirectory() as name:
        router = _router(arguments, Path(name))
        pairs = judge.pairs(60, arguments.seed)
        good = [
            json.loads(json.dumps(found["certificate"]))
            for a, b in pairs
            if (found := answers.route(router, PROFILES["manual"][0], judge.raw.nodes[a][:2], judge.raw.nodes[b][:2]))[
                "status"
            ]
            == "ok"
        ]
        times = []
        for certificate in good:
            begun = time.perf_counter()
            assert not checker.check(certificate, judge.raw)
            times.append(1000 * (time.perf_counter() - begun))
        while tried < max(arguments.pairs, 1000):
            mutant = copy.deepcopy(draw.choice(good))
            kind = _mutate(mutant, draw)
            if kind is None:
                continue
            mutant["sha256"] = answers.digest(mutant)
            tried += 1
            caught = bool(checker.check(mutant, judge.raw))
            refused += caught
            if not caught:
                print("accepted:", kind)
    print(
        f"{refused} of {tried} mutants refused; "
        f"checking a certificate p50 {_quantiles(times)[0]} ms, p95 {_quantiles(times)[1]} ms"
    )
    return _figure(
        "mutants refused", 100 * refused / tried, "%", tried, refused == tried, check_p95=_quantiles(times)[1]
    )


def _mutate(c: dict[str, Any], draw: random.Random) -> str | None:  # noqa: PLR0912
    segment = draw.choice(c["segments"])
    facts = [*segment["facts"], *(f for point in c["points"] for f in point["facts"])]
    fact = draw.choice(facts)
    kind = draw.choice(
        [
            "value",
            "verdict",
            "doubt",
            "date",
            "source",
            "element",
            "drop",
            "way",
            "node",
            "length",
            "total",
            "tags",
            "reorder",
            "extract",
            "cut",
            "against",
            "invent",
        ]
    )
    if kind == "value":
        fact["value"] = (
            {None: "asphalt"}.get(fact["value"]) if not isinstance(fact["value"], float) else fact["value"] + 1
        )
    elif kind == "verdict":
        fact["verdict"] = "pass" if fact["verdict"] != "pass" else "unknown"
    elif kind == "doubt":
        fact["doubt"] = "" if fact["doubt"] else "gap"
    elif kind in ("date", "source", "element"):
        fact[kind] += "x"
    elif kind == "drop":
        segment["facts"].pop(draw.randrange(len(segment["facts"])))
    elif kind == "way":
        other = draw.choice(c["segments"])["way"]
        if other == segment["way"]:
            return None
        segment["way"] = other
    elif kind == "node":
        if not segment["nodes"]:
            return None
        segment["nodes"][draw.randrange(len(segment["nodes"]))] += 1
    elif kind == "length":
        segment["length_m"] = round(segment["length_m"] * 0.9 - 1, 2)
    elif kind == "total":
        c["length_m"] -= 1
    elif kind == "tags":
        if not fact["tags"]:
            return None
        key = draw.choice(sorted(fact["tags"]))
        fact["tags"][key] += "y"
    elif kind == "reorder":
        if len(segment["nodes"]) < 2:
            return None
        segment["nodes"].reverse()
    elif kind == "extract":
        c["graph"]["sha256"] = "0" * 64
    elif kind == "cut":
        if len(c["segments"]) < 3:
            return None
        c["segments"].pop(len(c["segments"]) // 2)
    elif kind == "against":
        segment["against"] = not segment["against"]
    else:
        segment["facts"].append({**fact, "attribute": "lift"})
    return kind


def refusals(arguments: argparse.Namespace) -> Figure:
    """Pairs that are refused: every one explained, the named change applied and opening, and how long it takes."""
    judge = Judge(arguments.extract)
    pairs = judge.pairs(arguments.pairs, arguments.seed)
    times, opened, closed = [], 0, 0
    with tempfile.TemporaryDirectory() as name:
        router = _router(arguments, Path(name))
        for profile, _ in PROFILES.values():
            for a, b in pairs:
                ends = judge.raw.nodes[a][:2], judge.raw.nodes[b][:2]
                begun = time.perf_counter()
                answer = answers.route(router, profile, *ends)
                if answer["status"] == "refused":
                    times.append(1000 * (time.perf_counter() - begun))
                    good = _explained(router, answer, *ends)
                    opened += good and answer["opens"] is not None
                    closed += good and answer["opens"] is None
    p50, p95, most = _quantiles(times or [0.0])
    print(
        f"{len(times)} refusals: {opened} opened by the named change, {closed} closed to everybody; "
        f"p50 {p50} ms, p95 {p95} ms, max {most} ms"
    )
    share = 100 * (opened + closed) / max(1, len(times))
    return _figure("refusals explained", share, "%", len(times), share == 100, p95_ms=p95)


def http(arguments: argparse.Namespace) -> Figure:
    """Whole answers over HTTP, words and certificate included, from two web processes."""
    with access_http.city(arguments.extract) as city:
        times = access_http.routes(city, arguments.pairs, arguments.seed)
    p50, p95, most = _quantiles(times)
    print(f"{len(times)} answers over HTTP: p50 {p50} ms, p95 {p95} ms, max {most} ms")
    return _figure("route over HTTP p95", p95, "ms", len(times), p95 <= 25, max=most, p50=p50)


def reported(arguments: argparse.Namespace) -> Figure:
    """From a steward's report over HTTP to a changed route in both web processes, ten thousand barriers standing."""
    with access_http.city(arguments.extract) as city:
        access_http.stand(city, arguments.seed)
        access_http.routes(city, 40, arguments.seed)
        times, stale = access_http.reports(city, min(arguments.pairs, 45), arguments.seed)
    p50, p95, most = _quantiles(times)
    print(f"report to changed route over HTTP: p50 {p50} ms, p95 {p95} ms, max {most} ms; stale answers {stale}")
    return _figure(
        "report to changed route over HTTP p95", p95, "ms", len(times), p95 <= 200 and not stale, max=most, stale=stale
    )


DATA = Path(os.environ.get("COMMONWEAL_DATA", "../shared/data")) / "access"
BENCHES: dict[str, Callable[[argparse.Namespace], Figure]] = {
    bench.__name__: bench for bench in (unsafe, latency, barriers, scale, trust, mutants, refusals, http, reported)
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options that every bench takes."""
    parser.add_argument("--extract", type=Path, default=DATA / "oslo.osm.pbf")
    parser.add_argument("--pairs", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--unknown", choices=("strict", "cautious", "permissive"))
    parser.add_argument("--valhalla", metavar="PYTHON", help="a Python with pyvalhalla-weekly, for the anchor")


def main() -> int:
    """Run one bench."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("name", choices=BENCHES)
    add_arguments(parser)
    arguments = parser.parse_args()
    result = BENCHES[arguments.name](arguments)
    print(json.dumps(result))
    return 0 if result["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
