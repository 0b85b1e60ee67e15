"""The outside judge: Go's own libraries read what we export, sharing no code with us (judge/main.go)."""

import os
import random
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from commonweal.kernel.proof import log, static
from commonweal.kernel.proof.tests.making import SIGNER

AT = datetime(2026, 1, 1, tzinfo=UTC)
SIZES = (1, 2, 3, 7, 255, 256, 257, 511, 512, 513, 65_536, 70_001)


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built judge. Without Go this is an error, never a skip."""
    go = shutil.which("go")
    if go is None:
        pytest.fail("the outside judge needs Go: apt-get install golang-go golang-golang-x-mod-dev")
    built = tmp_path_factory.mktemp("judge") / "judge"
    environment = os.environ | {
        "GO111MODULE": "off",
        "GOPATH": "/usr/share/gocode",
        "GOCACHE": str(built.parent / "cache"),
        "GOFLAGS": "",
    }
    source = Path(__file__).parent / "judge" / "main.go"
    subprocess.run([go, "build", "-o", built, source], env=environment, check=True, timeout=120)
    return built


def verdict(judge: Path, *directories: Path) -> tuple[bool, str]:
    done = subprocess.run([judge, *directories], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode in (0, 1), done.stderr
    return done.returncode == 0, done.stderr


def grow_to(session: psycopg.Connection, size: int) -> None:
    """Stage small entries until the log has `size` leaves. Some are empty JSON, some long."""
    with session.cursor() as cursor:
        newest = log.head(cursor)
        have = newest.size if newest else 0
        cursor.execute(
            """
            INSERT INTO proof_staged (id, entry)
            SELECT lpad(to_hex(n), 32, '0')::uuid,
                   convert_to(format('{"n":%%s,"x":"%%s"}', n, repeat('元', (n %% 97)::int * 3)), 'UTF8')
            FROM generate_series(%s::bigint, %s::bigint - 1) AS n
            """,
            [have, size],
        )
    while log.sequence(session, SIGNER, AT):
        pass


def test_go_accepts_every_size_and_every_step_between(judge: Path, session: psycopg.Connection, tmp_path: Path) -> None:
    before = None
    for size in SIZES:
        grow_to(session, size)
        with session.cursor() as cursor:
            checkpoint = static.export(cursor, SIGNER.verifier, tmp_path / str(size))
        assert checkpoint is not None
        assert checkpoint.size == size
        held, reason = verdict(judge, *([tmp_path / str(before)] if before else []), tmp_path / str(size))
        assert held, f"{size}: {reason}"
        before = size
    assert not verdict(judge, tmp_path / "257", tmp_path / "256")[0]  # the larger does not come before the smaller


def test_go_refuses_every_damaged_file(judge: Path, session: psycopg.Connection, tmp_path: Path) -> None:
    grow_to(session, 600)
    with session.cursor() as cursor:
        static.export(cursor, SIGNER.verifier, tmp_path)
    assert verdict(judge, tmp_path)[0]
    dice = random.Random(20260101)
    for path in sorted(path for path in tmp_path.rglob("*") if path.is_file()):
        data = path.read_bytes()
        damaged = [data[:-2], b""]
        for _ in range(6):
            position = dice.randrange(len(data) - 1)
            flipped = bytes([data[position] ^ 1 << dice.randrange(8)])
            damaged.append(data[:position] + flipped + data[position + 1 :])
        for other in damaged:
            path.write_bytes(other)
            assert not verdict(judge, tmp_path)[0], path
        path.write_bytes(data)
    assert verdict(judge, tmp_path)[0]


def test_go_refuses_another_log_that_has_the_same_key(judge: Path, session: psycopg.Connection, tmp_path: Path) -> None:
    """Two histories under one key: each holds by itself, neither continues the other."""
    grow_to(session, 300)
    with session.cursor() as cursor:
        static.export(cursor, SIGNER.verifier, tmp_path / "one")
        cursor.execute("SET session_replication_role = replica")
        for table in ("proof_leaf", "proof_tile", "proof_head"):
            cursor.execute(f"DELETE FROM {table}")
    session.execute("INSERT INTO proof_staged VALUES (gen_random_uuid(), 'rewritten')")
    grow_to(session, 0)
    grow_to(session, 400)
    with session.cursor() as cursor:
        static.export(cursor, SIGNER.verifier, tmp_path / "other")
    assert verdict(judge, tmp_path / "one")[0]
    assert verdict(judge, tmp_path / "other")[0]
    assert not verdict(judge, tmp_path / "one", tmp_path / "other")[0]
