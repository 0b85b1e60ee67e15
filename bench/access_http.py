"""The step-free map over HTTP: a platform of two web processes, a real city, ten thousand barriers standing.

`routes` times whole answers (words and certificate); `reports` times from a steward's report to a route that has
changed in every process, as a client sees it.
"""

from __future__ import annotations

import json
import os
import random
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from commonweal.operation.outside import Run, free_port
from commonweal.services.access.graph.regions import bring
from commonweal.services.access.graph.router import Router

WORKERS = 2
STANDING = 10_000
Ends = tuple[tuple[float, float], tuple[float, float]]


@dataclass(frozen=True)
class City:
    """A running platform with one city."""

    platform: Run
    router: Router
    region: str
    token: str

    def route(self, ends: Ends, unknown: str = "permissive") -> tuple[float, dict[str, Any]]:
        """Milliseconds, and the answer."""
        (a, b), (c, d) = ends
        body = {"start": {"lat": a, "lon": b}, "goal": {"lat": c, "lon": d}, "unknown": unknown}
        begun = time.perf_counter()
        answer = self.platform.ask(
            "POST", "/api/v1/access/route", json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        taken = 1000 * (time.perf_counter() - begun)
        assert answer.status == 200, answer.body[:300]
        return taken, json.loads(answer.body)

    def report(self, lat: float, lon: float, key: str) -> None:
        """A steward's word, which is believed at once."""
        body = json.dumps({"kind": "works", "place": {"lat": lat, "lon": lon}}).encode()
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self.token}", "Idempotency-Key": key}
        answer = self.platform.ask("POST", "/api/v1/access/reports", body, headers)
        assert answer.status == 201, answer.body[:300]


@contextmanager
def city(extract: Path) -> Iterator[City]:
    """Start the platform with the city of `extract`."""
    with tempfile.TemporaryDirectory(prefix="commonweal-bench-") as name:
        home = Path(name) / "data"
        folder, _ = bring(extract, home / "access")
        platform = Run(home, free_port(), workers=WORKERS).wait()
        try:
            os.environ["COMMONWEAL_DATA_DIR"] = str(home)
            from commonweal.operation.database import setup

            setup()
            from commonweal.kernel.parties import people
            from commonweal.kernel.parties.models import Login

            steward = Login.objects.select_related("party").get(email="steward@demo.example").party
            yield City(platform, Router.open(folder), folder.name, people.make_token(steward, "bench"))
        finally:
            platform.stop()


def asked(router: Router, count: int, seed: int) -> list[Ends]:
    """Places that a way joins."""
    from commonweal.services.access.graph.easing import change
    from commonweal.services.access.rules import PROFILES

    a, draw = router.arrays, random.Random(seed)
    found: list[Ends] = []
    profile = change(PROFILES["manual"][0], "unknown", "permissive")
    while len(found) < count:
        i, j = draw.randrange(len(a.v_lat)), draw.randrange(len(a.v_lat))
        ends = (float(a.v_lat[i]), float(a.v_lon[i])), (float(a.v_lat[j]), float(a.v_lon[j]))
        way = router.find(profile, *ends)
        if way is not None and len(way.pieces) > 5 and way.length < 3_000:
            found.append(ends)
    return found


def stand(city: City, seed: int) -> None:
    """Barriers that people have told of, in the tables: one in fifty confirmed."""
    from commonweal.kernel import clock
    from commonweal.kernel.ids import uuid7
    from commonweal.kernel.parties import people
    from commonweal.services.access.models import Change, Report, Vote

    a, draw, by, now = city.router.arrays, random.Random(seed), people.register_person(), clock.now()
    spots = [draw.randrange(len(a.s_lat)) for _ in range(STANDING)]
    reports = [
        Report(region=city.region, kind="surface", lat=float(a.s_lat[k]), lon=float(a.s_lon[k]), key=str(number), by=by,
               fact=uuid7(), at=now)
        for number, k in enumerate(spots)
    ]  # fmt: skip
    Report.objects.bulk_create(reports, batch_size=2_000)
    Vote.objects.bulk_create([Vote(report=report, by=by, present=True, at=now) for report in reports], batch_size=2_000)
    Change.objects.bulk_create(
        [
            Change(report=report, standing="doubted" if number % 50 else "confirmed", at=now)
            for number, report in enumerate(reports)
        ],
        batch_size=2_000,
    )


def routes(city: City, count: int, seed: int) -> list[float]:
    """The time of each answer, after every process has been asked."""
    pairs = asked(city.router, count, seed)
    for ends in pairs[: 20 * WORKERS]:
        city.route(ends)
    return [city.route(ends)[0] for ends in pairs]


def reports(city: City, count: int, seed: int) -> tuple[list[float], int]:
    """The time from a report to a changed route, and how often some process still gave the old one afterwards."""
    times: list[float] = []
    stale = 0
    for number, ends in enumerate(asked(city.router, 4 * count, seed + 1)):
        if len(times) == count:
            break
        before = city.route(ends)[1]
        if before["status"] != "ok" or len(before["geometry"]["coordinates"]) < 6:
            continue
        lines = before["geometry"]["coordinates"]
        (lon, lat), (lon2, lat2) = lines[len(lines) // 2 - 1 : len(lines) // 2 + 1]
        begun = time.perf_counter()
        city.report((lat + lat2) / 2, (lon + lon2) / 2, f"bench-{number}")
        after = city.route(ends)[1]
        times.append(1000 * (time.perf_counter() - begun))
        answers = [after, *(city.route(ends)[1] for _ in range(2 * WORKERS))]
        stale += any(answer.get("segments") == before["segments"] for answer in answers)
    return times, stale
