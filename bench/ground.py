"""What benchmarks stand on: an embedded server of their own with durability on, migrated, and gone afterwards."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg

from commonweal.kernel.postgres import Server, running
from commonweal.kernel.postgres.binaries import run
from commonweal.operation import outside


@contextmanager
def server() -> Iterator[Server]:
    """A fresh embedded server with the platform's migrations applied. Durability is checked, not assumed."""
    with tempfile.TemporaryDirectory(prefix="commonweal-bench-") as directory:
        os.environ["COMMONWEAL_DATA_DIR"] = directory
        os.environ["DJANGO_SETTINGS_MODULE"] = "commonweal.settings"
        with running(Path(directory)) as started:
            import django
            from django.core.management import call_command
            from django.db import connections

            django.setup()
            ours = connections["default"]
            ours.settings_dict["HOST"] = str(started.socket_directory)  # settings are read once a process
            call_command("migrate", verbosity=0, interactive=False)
            connections.close_all()
            ours.close_pool()  # type: ignore[attr-defined]
            with psycopg.connect(started.conninfo()) as session:
                for name in ("fsync", "synchronous_commit", "full_page_writes"):
                    assert session.execute(f"SHOW {name}").fetchone() == ("on",), f"{name} is off"
            yield started


def processor(home: Path) -> dict[str, float]:
    """Seconds of processor that each kind of process of a platform has used until now."""
    tick, spent = os.sysconf("SC_CLK_TCK"), dict.fromkeys(("web", "clerk", "PostgreSQL"), 0.0)
    for pid, words in outside.processes(home).items():
        kind = "PostgreSQL" if "postgres" in words else "clerk" if "operation.clerk" in words else "web"
        with suppress(OSError):
            times = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            spent[kind] += (int(times[11]) + int(times[12])) / tick
    return spent


def tpc_b(
    started: Server, *, scale: int = 10, clients: int = 8, seconds: int = 5, words: tuple[str, ...] = ()
) -> float:
    """The anchor: transactions/s of pgbench on the same server, in a database of its own."""
    started.create("pgbench")
    where: list[str | Path] = ["-h", started.socket_directory, "-U", "commonweal", "pgbench"]
    run("pgbench", "-i", "-q", "-s", str(scale), *where)
    done = run("pgbench", "-c", str(clients), "-j", "2", "-T", str(seconds), *words, *where)
    started.drop("pgbench")
    (line,) = [line for line in done.stdout.decode().splitlines() if line.startswith("tps = ")]
    return float(line.split()[2])
