"""`commonweal database distribute` on a PostgreSQL without Citus."""

from __future__ import annotations

import json

import psycopg
import pytest
from pytest_django import Settings

from tests.command import main


@pytest.fixture(autouse=True)
def reached(session: psycopg.Connection, fresh_database: str, settings: Settings) -> None:
    settings.DATABASE_URL = fresh_database


def test_without_citus_it_says_so_and_does_nothing(
    session: psycopg.Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    keys = "SELECT count(*) FROM pg_constraint"
    before = session.execute(keys).fetchone()
    session.commit()
    assert main(["database", "distribute", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["code"] == "citus.missing"
    assert session.execute(keys).fetchone() == before


def test_what_would_be_done_can_be_read(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["database", "distribute", "--dry-run"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "SET LOCAL citus.enable_unsafe_triggers TO on;" in lines
    at = [n for n, line in enumerate(lines) if "create_distributed_table('ledger_account'" in line]
    assert at and all(line.startswith("ALTER TABLE") for line in lines[max(at) + 1 :] if "ADD CONSTRAINT" in line)
    assert main(["database", "distribute", "--dry-run", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert "ledger_posting" in said["distributed"] and "ledger_asset" in said["copied"]
