"""Making the database and the static files ready for this version of the code. Repeating it costs nothing."""

from __future__ import annotations

import hashlib
import os
import sys
from contextlib import suppress
from pathlib import Path

import commonweal
from commonweal.kernel.registry import services
from commonweal.operation.database import setup

PACKAGE = Path(commonweal.__file__).parent


def version_of_the_ground() -> str:
    """A hash over every migration, service and static file: while it stays the same there is nothing to prepare."""
    open_services = " ".join(service.name for service in services())
    digest = hashlib.sha256(f"{commonweal.__version__} {open_services}".encode())
    for pattern in ("**/migrations/*.py", "services/*/__init__.py", "**/static/**/*"):
        for path in sorted(PACKAGE.glob(pattern)):
            if path.is_file():
                digest.update(str(path.relative_to(PACKAGE)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def prepare(home: Path, *, database: str = "") -> bool:
    """Migrate the database (which opens the assets) and gather static files, if not yet done for this version.

    `database` names the database in the note that is kept in `home/prepared`. Returns whether anything was done.
    """
    note = home / "prepared"
    wanted = f"{version_of_the_ground()} {database}"
    with suppress(FileNotFoundError):
        if note.read_text() == wanted:
            return False
    print("Preparing the database…", file=sys.stderr)  # noqa: T201
    setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    call_command("createcachetable", verbosity=0)
    call_command("collectstatic", verbosity=0, interactive=False, clear=True)
    fresh = note.with_suffix(f".{os.getpid()}")
    fresh.write_text(wanted)
    fresh.rename(note)
    return True
