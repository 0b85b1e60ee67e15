"""Giving over HTTP: `commonweal bench giving gifts`, through the ordinary action, beside the usual ORM design."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg

from bench.figure import Figure, figure
from commonweal.kernel.postgres import Server
from commonweal.operation import outside
from commonweal.operation.outside import free_port

SECONDS = 8
CONNECTIONS = 32
LEAST = 700
BUSY = "SELECT id FROM giving_campaign WHERE title_en LIKE 'A music teacher%'"

SENDER = """
local threads = 0
function setup(thread) thread:set("id", threads) threads = threads + 1 end
function init() n = 0 end
function request()
  n = n + 1
  wrk.headers["Idempotency-Key"] = "%(run)s-" .. id .. "-" .. n
  wrk.headers["Authorization"] = "Bearer %(token)s"
  wrk.headers["Content-Type"] = "application/json"
  return wrk.format("POST", "%(path)s", nil, '%(body)s')
end
"""


@dataclass(frozen=True)
class Sender:
    """wrk, sending the same gift again and again with a key of its own each time."""

    port: int
    path: str
    token: str = ""
    body: str = '{"amount": "5.00", "asset": "CNY"}'

    def rate(self, session: psycopg.Connection, table: str) -> tuple[float, int]:
        """Rows of `table` a second that were there afterwards and not before, and how many. All answers are 201."""
        values = {"run": time.time_ns(), "token": self.token, "path": self.path, "body": self.body}
        before, begun = _count(session, table), time.monotonic()
        with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
            script.write(SENDER % values)
            script.flush()
            words = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", "--timeout", "30s", "-s", script.name]
            address = f"http://127.0.0.1:{self.port}"
            said = subprocess.run([*words, address], capture_output=True, text=True, check=True).stdout
        took = time.monotonic() - begun
        assert "Non-2xx" not in said, said
        number = _count(session, table) - before
        return number / took, number


def gifts() -> list[Figure]:
    """Durable gifts/s into one busy campaign, counted as distinct rows after the run: what is collected (books, payment
    and proof in one transaction), and what waits for its payment."""
    with (
        tempfile.TemporaryDirectory(prefix="commonweal-bench-") as name,
        outside.run(Path(name) / "home", workers=2) as run,
    ):
        server = Server(run.home)
        with psycopg.connect(server.conninfo(), autocommit=True) as session:
            for setting in ("fsync", "synchronous_commit", "full_page_writes"):
                assert session.execute(f"SHOW {setting}").fetchone() == ("on",), f"{setting} is off"
            (campaign,) = session.execute(BUSY).fetchone() or (None,)
            path = f"/api/v1/giving/campaigns/{campaign}/gifts"
            giver, officer = (_token(run.home, who) for who in ("giver@demo.example", "charity@demo.example"))
            box = '{"amount": "5.00", "asset": "CNY", "channel": "collected"}'
            while session.execute("SELECT FROM jobs_job WHERE task <> 'giving.lay' LIMIT 1").fetchone():
                time.sleep(0.5)  # until the clerk has done what the seeding left to do
            collected = Sender(run.port, path, officer, box).rate(session, "giving_payment")
            promised = Sender(run.port, path, giver).rate(session, "giving_gift")
        with _naive(server) as port, psycopg.connect(server.conninfo("naive"), autocommit=True) as session:
            usual, _ = Sender(port, "/gifts").rate(session, "naive_gift")
    return [
        figure(
            f"{what} gifts over HTTP", rate, "1/s", anchor="ORM, select_for_update on the campaign",
            anchor_value=usual, n=number, least=LEAST,
        )
        for what, (rate, number) in (("collected", collected), ("promised", promised))
    ]  # fmt: skip


def _count(session: psycopg.Connection, table: str) -> int:
    (number,) = session.execute(f"SELECT count(*) FROM {table}").fetchone() or (0,)
    return int(number)


def _token(home: Path, email: str) -> str:
    """A token of somebody, made by a process of its own."""
    program = f"""
import django
django.setup()
from commonweal.kernel.parties import people
from commonweal.kernel.parties.models import Login
print(people.make_token(Login.objects.get(email="{email}").party, "bench"))
"""
    environment = outside.environment(home, DJANGO_SETTINGS_MODULE="commonweal.settings")
    made = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    return made.stdout.strip()


@contextmanager
def _naive(server: Server) -> Iterator[int]:
    """The usual design on the same server, with as many workers as the platform and four threads each."""
    server.create("naive")
    port = free_port()
    where = {"NAIVE_HOST": str(server.socket_directory), "NAIVE_NAME": "naive", "NAIVE_USER": "commonweal"}
    environment = os.environ | where
    root = Path(__file__).parent.parent
    subprocess.run([sys.executable, "-m", "bench.naive"], env=environment, cwd=root, check=True)
    words = ["granian", "--interface", "wsgi", "--workers", "2", "--blocking-threads", "4", "--port", str(port)]
    command = [sys.executable, "-m", *words, "--no-access-log", "bench.naive:application"]
    process = subprocess.Popen(command, env=environment, cwd=root, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait(port)
        yield port
    finally:
        process.terminate()
        process.wait(20)


def _wait(port: int) -> None:
    import http.client

    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with suppress(OSError, http.client.HTTPException):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/")
            connection.getresponse().read()
            return
        time.sleep(0.1)
    raise RuntimeError("the anchor does not start")
