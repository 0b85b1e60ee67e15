"""One embedded server: a data directory, a socket directory, and the process between them."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg

from commonweal.kernel.errors import Conflict
from commonweal.kernel.postgres import binaries
from commonweal.kernel.text import Text

DATABASE = "commonweal"
USER = "commonweal"
SOCKET_LIMIT = 107  # bytes in sockaddr_un.sun_path
START_LIMIT = 600.0
"""Seconds that a start may take: a long replay of the write-ahead log is not a failure."""

ORPHANS_LIMIT = 30.0
"""Seconds that the orphans of a killed server may keep a new one from starting."""

SETTINGS = {
    "listen_addresses": "",  # the socket only
    "unix_socket_permissions": "0700",
    "max_connections": "120",
    "shared_buffers": "256MB",
    "max_wal_size": "4GB",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] ",
    # Statements are never logged with their values: they may be personal.
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
}

_children: list[subprocess.Popen[bytes]] = []
"""Servers that this process has started: one that was killed counts as alive until its parent takes note of its end."""


class Server:
    """The embedded server of the data directory `home`: the cluster is in `home/postgres`; `settings` are added."""

    def __init__(self, home: Path, settings: Mapping[str, str] | None = None) -> None:
        self.home = home.resolve()  # one directory has one name, whichever way it was reached
        self.settings = SETTINGS | dict(settings or {})
        self.cluster = self.home / "postgres"
        self.log = self.home / "postgres.log"

    @property
    def socket_directory(self) -> Path:
        """A directory for the socket that only its owner can enter.

        It is inside the home if the path is short enough and has no comma (a list separator to libpq).
        """
        inside = self.home / "run"
        if len(os.fsencode(inside / ".s.PGSQL.5432")) <= SOCKET_LIMIT and "," not in str(inside):
            return inside
        name = hashlib.sha256(os.fsencode(self.home)).hexdigest()[:16]
        return Path("/tmp") / f"commonweal-{os.geteuid()}-{name}"  # noqa: S108 (owner and mode are checked)

    def conninfo(self, database: str = DATABASE) -> str:
        """The libpq connection string of one database."""
        return psycopg.conninfo.make_conninfo(host=str(self.socket_directory), user=USER, dbname=database)

    def initialise(self) -> None:
        """Make the cluster if there is none. Killed half-way, the next call starts over."""
        self._refuse_another_version()
        if (self.cluster / "PG_VERSION").exists():
            return
        fresh = self.home / "postgres.new"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        self._own(fresh)
        # fmt: off
        binaries.run("initdb", "-D", fresh, "-U", USER, "-E", "UTF8", "--locale=C", "--locale-provider=builtin",
                     "--builtin-locale=C.UTF-8", "--auth=trust", "--no-instructions", "--no-sync")
        # fmt: on
        os.sync()
        fresh.rename(self.cluster)

    def start(self, *, quiet: bool = True) -> bool:
        """Start the server, or adopt the one that already runs here. Returns whether this call started it.

        After a SIGKILL the orphans of the old server may live on for a moment: PostgreSQL then refuses to start, and
        we try again. Nothing is ever killed by number alone, and the pid file is never touched. Raises `RuntimeError`
        with the server's last words if it does not start.
        """
        self._make_private(self.home)
        self._make_private(self.socket_directory)
        with (self.home / "start.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self.initialise()
            started = not self.answers()
            if started:
                self._launch()
            self.create(DATABASE)  # here too: the starter that we adopt from may have been killed before this
        if started and not quiet:
            print(f"PostgreSQL {binaries.MAJOR} runs, data in {self.cluster}", file=sys.stderr)  # noqa: T201
        return started

    def stop(self, limit: float = 60.0) -> None:
        """Stop the server the fast way (sessions end, everything is written) and wait until it is gone."""
        pid = self.pid()
        if pid is None:
            return
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGINT)
        deadline = time.monotonic() + limit
        while self.pid() is not None:
            if time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL (process {pid}) did not stop within {limit:.0f} s")
            time.sleep(0.02)
        _take_note()

    def pid(self) -> int | None:
        """The process of the server, if it lives and really is the server of this data directory."""
        try:
            lines = (self.cluster / "postmaster.pid").read_text().splitlines()
            pid = int(lines[0])
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except (OSError, ValueError, IndexError):
            return None
        return pid if state != "Z" and os.fsencode(self.cluster) in words else None

    def answers(self) -> bool:
        """Whether a session can be opened now."""
        if self.pid() is None:
            return False
        try:
            psycopg.connect(self.conninfo("postgres"), connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    def create(self, database: str, *, template: str = "template1") -> None:
        """Create a database if it is missing; from a `template` of ours its files are copied."""
        with psycopg.connect(self.conninfo("postgres"), autocommit=True) as connection:
            if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone():
                return
            statement = psycopg.sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy")
            connection.execute(statement.format(psycopg.sql.Identifier(database), psycopg.sql.Identifier(template)))

    def drop(self, database: str) -> None:
        """Drop a database with its sessions, if it is there."""
        with psycopg.connect(self.conninfo("postgres"), autocommit=True) as connection:
            statement = psycopg.sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
            connection.execute(statement.format(psycopg.sql.Identifier(database)))

    def _launch(self) -> None:
        deadline = time.monotonic() + START_LIMIT
        orphans_until = time.monotonic() + ORPHANS_LIMIT
        process = self._spawn()
        try:
            while not self.answers():
                _take_note()
                if process.poll() is not None:
                    if time.monotonic() > orphans_until or not (self.cluster / "postmaster.pid").exists():
                        raise RuntimeError(f"PostgreSQL does not start:\n{self._last_words()}")
                    time.sleep(0.25)
                    process = self._spawn()
                if time.monotonic() > deadline:
                    raise RuntimeError(f"PostgreSQL is not ready after {START_LIMIT:.0f} s:\n{self._last_words()}")
                time.sleep(0.02)
        except BaseException:  # an interrupt too: what we started does not stay behind
            while process.poll() is None:
                process.send_signal(signal.SIGINT)  # again and again: one that comes before the handlers stand is lost
                with suppress(subprocess.TimeoutExpired):
                    process.wait(1.0)
            raise

    def _spawn(self) -> subprocess.Popen[bytes]:
        settings = self.settings | {"unix_socket_directories": str(self.socket_directory)}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        command = [*binaries.as_ordinary_user(), str(binaries.program("postgres")), "-D", str(self.cluster), *options]
        with self.log.open("ab") as log:
            # A session of its own: Ctrl-C reaches us first, and we stop the server after its clients.
            _children.append(
                subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
            )
        return _children[-1]

    def _refuse_another_version(self) -> None:
        with suppress(FileNotFoundError):
            found = (self.cluster / "PG_VERSION").read_text().strip()
            if found != str(binaries.MAJOR):
                raise Conflict(
                    "postgres.version",
                    Text(
                        "{cluster} belongs to PostgreSQL {found}, this is {own}. Make a backup with the version of "
                        "commonweal that wrote it (commonweal backup FILE) and restore it with this one into a new "
                        "data directory (commonweal restore FILE).",
                        "{cluster} 属于 PostgreSQL {found}，当前版本是 {own}。请用原来的 commonweal 版本备份"
                        "（commonweal backup FILE），再用当前版本恢复到新的数据目录（commonweal restore FILE）。",
                    ).format(cluster=self.cluster, found=found, own=binaries.MAJOR),
                )

    def _make_private(self, directory: Path) -> None:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = directory.lstat()
        if status.st_uid not in (os.geteuid(), 65534 if binaries.changes_owner() else os.geteuid()):
            raise RuntimeError(f"{directory} belongs to somebody else (uid {status.st_uid})")
        if status.st_mode & 0o077:
            directory.chmod(0o700)
        self._own(directory)

    def _own(self, directory: Path) -> None:
        if binaries.changes_owner():
            os.chown(directory, 65534, 65534)

    def _last_words(self) -> str:
        with suppress(FileNotFoundError):
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-12:])
        return "(no log)"


def _take_note() -> None:
    _children[:] = [child for child in _children if child.poll() is None]


def conninfo(home: Path, database: str = DATABASE) -> str:
    """The connection string of the embedded server in `home`, running or not."""
    return Server(home).conninfo(database)


@contextmanager
def running(home: Path) -> Iterator[Server]:
    """The server of `home`, running: adopted if it already ran (and then left running), else started and stopped."""
    server = Server(home)
    started = server.start()
    try:
        yield server
    finally:
        if started:
            server.stop()
