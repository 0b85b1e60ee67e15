"""`commonweal backup`: everything that cannot be made again, at one moment, in one file.

The database is dumped under one snapshot while the platform runs. Uploads are copied after it: they are named by their
content, so those that came later do no harm. The keys of the people are no part of the dump but members of their own,
which can go into a second file: that one is kept for a short time only, and without it the long-kept first file holds
no readable word about a person who has been forgotten.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psycopg

import commonweal
from commonweal.kernel import clock
from commonweal.operation import archive, inventory
from commonweal.operation.database import client, conninfo, reach
from commonweal.operation.forget import read_forgotten

DUMP = "database.dump"
PARTY_KEYS = "keys/parties.copy"
"""The table of the people's keys, as `COPY` writes it in binary."""
FORGOTTEN = "keys/forgotten"
"""The pseudonyms of everybody who has been forgotten."""

LEFT_OUT = ("parties_partykey", "web_cache")
"""Tables whose rows are no part of the dump."""


def back_up(file: Path, keys: Path | None = None) -> dict[str, Any]:
    """Write the backup `file`, the keys into the second file `keys` if one is named; returns the manifest's figures."""
    with reach() as home, tempfile.TemporaryDirectory(prefix=".backup-", dir=file.absolute().parent) as scratch:
        work = Path(scratch)
        with psycopg.connect(conninfo(), application_name="commonweal backup") as connection:
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            about = _about(connection)
            snapshot = connection.execute("SELECT pg_export_snapshot()").fetchone()[0]  # type: ignore[index]
            left_out = [f"--exclude-table-data={table}" for table in LEFT_OUT]
            print("Dumping the database…", file=sys.stderr)  # noqa: T201
            # fmt: off
            client("pg_dump", "--format=custom", "--compress=1", "--no-owner", "--no-acl", f"--snapshot={snapshot}",
                   *left_out, f"--file={work / 'dump'}")
            # fmt: on
            query = "COPY parties_partykey (party_id, wrapped) TO STDOUT (FORMAT binary)"
            with connection.cursor() as cursor, cursor.copy(query) as rows, (work / "parties.copy").open("wb") as out:
                for row in rows:
                    out.write(row)
            erased = connection.execute("SELECT id::text FROM parties_party WHERE erased_at IS NOT NULL").fetchall()
        forgotten = {party for (party,) in erased} | read_forgotten(home / FORGOTTEN)
        (work / "forgotten").write_text("".join(f"{party}\n" for party in sorted(forgotten)))
        own = list(_keys(home, work))
        data = [(DUMP, work / "dump"), *_files(home)]
        if keys is not None:
            archive.write(keys, {"kind": "keys", **about}, own)
        archive.write(file, {"kind": "data" if keys else "all", **about}, data if keys else [*own, *data])
        return about


def _files(home: Path) -> Iterator[tuple[str, Path]]:
    """Uploads; one that is being written or was removed meanwhile is none."""
    for path in sorted((home / "files").glob("??/*")):
        if not path.suffix and path.is_file():
            yield f"files/{path.parent.name}/{path.name}", path


def _keys(home: Path, work: Path) -> Iterator[tuple[str, Path]]:
    yield PARTY_KEYS, work / "parties.copy"
    yield FORGOTTEN, work / "forgotten"
    for path in sorted((home / "keys").iterdir()):
        if path.name != "forgotten" and not path.name.startswith("."):  # being written
            yield f"keys/{path.name}", path


def _about(connection: psycopg.Connection[Any]) -> dict[str, Any]:
    """What the manifest says beside the members."""
    migrations = connection.execute("SELECT app, name FROM django_migrations ORDER BY app, name").fetchall()
    return {
        "commonweal": commonweal.__version__,
        "postgresql": connection.info.server_version // 10_000,
        "made": clock.now().isoformat(timespec="seconds"),
        "migrations": [f"{app}.{name}" for app, name in migrations],
        "inventory": asdict(inventory.take(connection)),
    }
