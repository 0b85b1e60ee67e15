"""Operation: `commonweal bench operation restore` (a million postings into a file and back, verified)."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.figure import Figure, figure
from commonweal.kernel.postgres import Server, running
from commonweal.kernel.postgres.binaries import program
from commonweal.operation.outside import environment

TRANSFERS = 500_000


def restore() -> list[Figure]:
    """Seconds for the backup, and for the restore with its verification; beside plain pg_dump and pg_restore."""
    with tempfile.TemporaryDirectory(prefix="commonweal-bench-") as directory:
        home, file = Path(directory) / "home", Path(directory) / "backup.tar"
        _python(home, "commonweal.operation.tests.world", TRANSFERS)
        with running(home) as server:
            writing, made = _timed(home, "backup", file)
            dumping = _dump(server, Path(directory) / "dump")
        reading, found = _timed(home, "restore", file, "--verify", "--data", Path(directory) / "new")
        assert found["verified"]
        assert found["root"] == made["root"]
        assert found["postings"] == 2 * TRANSFERS
        loading = _load(Path(directory))
    return [
        figure("backup", writing, "s", anchor="pg_dump", anchor_value=dumping, n=2 * TRANSFERS, most=60),
        figure("restore --verify", reading, "s", anchor="pg_restore", anchor_value=loading, n=2 * TRANSFERS, most=60),
    ]


def _python(home: Path, module: str, *words: object) -> str:
    command = [sys.executable, "-m", module, *map(str, words)]
    return subprocess.run(command, env=environment(home), stdout=subprocess.PIPE, text=True, check=True).stdout


def _timed(home: Path, *words: object) -> tuple[float, dict[str, object]]:
    begun = time.monotonic()
    said = _python(home, "commonweal.cli", *words, "--json")
    return time.monotonic() - begun, json.loads(said)


def _dump(server: Server, to: Path) -> float:
    begun = time.monotonic()
    subprocess.run([program("pg_dump"), "-Fc", "-Z1", f"--file={to}", server.conninfo()], check=True)
    return time.monotonic() - begun


def _load(directory: Path) -> float:
    (directory / "plain").mkdir()
    with running(directory / "plain") as server:
        begun = time.monotonic()
        words = [str(program("pg_restore")), "--jobs=2", f"--dbname={server.conninfo()}", str(directory / "dump")]
        subprocess.run(words, check=True)
        return time.monotonic() - begun
