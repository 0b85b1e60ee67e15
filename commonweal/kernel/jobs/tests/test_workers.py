"""Jobs under several real processes, one of which is killed in the middle of its work."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psycopg

from commonweal.kernel.ids import uuid7

WORKER = """
import sys, time
from datetime import timedelta
import django
django.setup()
from django.db import connection
from commonweal.kernel.jobs import run_due, task

host, port, user, name, mode = sys.argv[1:]
connection.settings_dict.update(HOST=host, PORT=port, USER=user, NAME=name)
hang = mode == "hang"

@task("test.work", lease=timedelta(seconds=1))
def work(number):
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO done VALUES (%s)", [number])
    if hang:
        print("working", flush=True)
        time.sleep(4)

print("ready", flush=True)
sys.stdin.readline()
deadline = time.monotonic() + 20
with connection.cursor() as cursor:
    while time.monotonic() < deadline:
        if run_due(limit=7) == 0:
            cursor.execute("SELECT count(*) FROM jobs_job")
            if cursor.fetchone()[0] == 0:
                break
            time.sleep(0.02)
"""


def start(database: str, mode: str) -> subprocess.Popen[str]:
    where = psycopg.conninfo.conninfo_to_dict(database)
    words = [sys.executable, "-c", WORKER]
    words += [*(str(where.get(part, "")) for part in ("host", "port", "user", "dbname")), mode]
    root = Path(__file__).parents[4]
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "commonweal.settings", "PYTHONPATH": str(root)}
    process = subprocess.Popen(words, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    assert process.stdout.readline() == "ready\n"
    return process


def go(process: subprocess.Popen[str]) -> None:
    assert process.stdin
    process.stdin.write("go\n")
    process.stdin.flush()


Session = psycopg.Connection[tuple[int, ...]]


def ask_for(session: Session, jobs: int) -> None:
    session.execute("CREATE TABLE done (number integer)")
    with session.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO jobs_job (id, task, payload, due) VALUES (%s, 'test.work', %s, now())",
            [(uuid7(), f'{{"number": {number}}}') for number in range(jobs)],
        )


def test_a_worker_that_stands_still_holds_its_job_no_longer_than_its_lease(
    fresh_database: str, session: Session
) -> None:
    ask_for(session, 20)
    victim, worker = start(fresh_database, "hang"), start(fresh_database, "work")
    try:
        go(victim)
        assert victim.stdout
        assert victim.stdout.readline() == "working\n"
        victim.send_signal(signal.SIGSTOP)
        go(worker)
        assert worker.wait(timeout=30) == 0
        assert session.execute("SELECT count(*), count(DISTINCT number) FROM done").fetchone() == (20, 20)
        victim.send_signal(signal.SIGCONT)  # and goes on, after its job was done by the other
        assert victim.wait(timeout=30) != 0
    finally:
        for process in (victim, worker):
            process.kill()
            process.communicate()
    assert session.execute("SELECT count(*), count(DISTINCT number) FROM done").fetchone() == (20, 20)


def test_a_killed_worker_loses_nothing_and_doubles_nothing(fresh_database: str, session: Session) -> None:
    ask_for(session, 100)
    victim, workers = start(fresh_database, "hang"), [start(fresh_database, "work") for _ in range(2)]
    try:
        go(victim)
        assert victim.stdout
        assert victim.stdout.readline() == "working\n"  # it holds one job, and six more by lease
        victim.send_signal(signal.SIGKILL)
        assert victim.wait() == -signal.SIGKILL
        for worker in workers:
            go(worker)
        for worker in workers:
            assert worker.wait(timeout=30) == 0
    finally:
        for process in (victim, *workers):
            process.kill()
            process.communicate()
    assert session.execute("SELECT count(*), count(DISTINCT number) FROM done").fetchone() == (100, 100)
    assert session.execute("SELECT count(*) FROM jobs_job").fetchone() == (0,)
