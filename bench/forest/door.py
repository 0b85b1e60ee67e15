"""Benchmark of the partners' door: signed batches through Django, from the signature to the answer for each deed."""

from __future__ import annotations

import json
import time
from datetime import datetime
from typing import Any

from bench.figure import Figure, figure
from bench.forest.ground import judged
from bench.ground import server

BATCH = 5_000


def report(batches: int = 20, people: int = 1_000) -> Figure:
    """Deeds a second by one sender; then the same batches again, which credit nothing. Beside it one deed a request."""
    with server():
        from django.db import connection
        from django.test import Client

        from commonweal.kernel import clock
        from commonweal.kernel.parties.people import register_person
        from commonweal.services.forest import energy
        from commonweal.services.forest.actions import sources
        from commonweal.services.forest.tests.conftest import make_forest

        world, now = make_forest(), clock.now()
        names = [sources.connect(register_person(), world.partner.source) for _ in range(people)]
        client = Client(SERVER_NAME="127.0.0.1")

        def send(deeds: list[Any]) -> Any:
            body = json.dumps({"deeds": deeds}).encode()
            headers = world.partner.headers(body, clock.now())
            answer = client.post("/api/v1/forest/deeds", body, "application/json", headers=headers)
            return answer.json()

        def ride(event: str, number: int, at: datetime) -> dict[str, Any]:
            said = {"event": event, "person": str(names[number % people]), "kind": "metro", "quantity": 1_000}
            return {**said, "happened": at.isoformat()}

        work = [[ride(f"{part}-{n}", n, now) for n in range(BATCH)] for part in range(batches)]
        start = time.perf_counter()
        first = [send(deeds) for deeds in work]
        seconds = time.perf_counter() - start
        again = [send(deeds) for deeds in work[:3]]
        start = time.perf_counter()
        alone = [send([ride(f"alone-{n}", n, now)]) for n in range(200)]
        one_by_one = 200 / (time.perf_counter() - start)
        with connection.cursor() as cursor:
            conserved = energy.reconcile(cursor)
    credited = sum(answer["credited"] for answer in first)
    grown = sum(answer["grown"] for answer in (*first, *alone))
    right = (
        credited == batches * BATCH
        and sum(answer["credited"] + answer["grown"] for answer in again) == 0
        and conserved.holds
        and conserved.grams.minted == grown
    )
    speed = credited / seconds
    found = figure("forest report", speed, "deeds/s", anchor="one deed a request", anchor_value=one_by_one, n=credited)
    return judged(found, right)
