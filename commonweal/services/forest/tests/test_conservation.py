from __future__ import annotations

import copy
import json
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client

from commonweal.kernel import clock, proof
from commonweal.kernel.proof import static
from commonweal.kernel.proof.note import SignerKey
from commonweal.services.forest import conservation
from commonweal.services.forest.actions import balances, days, friends, gardens
from commonweal.services.forest.queries import deeds as deed_queries
from commonweal.services.forest.tests.conftest import DAY, NOW, Forest, make_forest

Document = dict[str, Any]
SIGNER = SignerKey("forest.example", bytes(range(32)))


def live(f: Forest) -> None:
    """Six days: rides, harvests, gathering, watering, and what nobody gathers."""
    friends.accept(f.wang, friends.invite(f.li))
    for n in range(6):
        at = NOW + n * DAY
        f.partner.send([f.ride(f"li-{n}", f.li, at=at), f.ride(f"wang-{n}", f.wang, metres=3000, at=at)], at)
        with clock.stopped(at + timedelta(hours=1)):
            days.open_forest()
            if n in (1, 5):
                gardens.harvest(f.wang)
            if n == 5:
                gardens.harvest(f.li)
                gardens.water(f.li, f.wang.id, 33)
            days.close_days()
            balances.expire_days()
            if n % 2:
                balances.state()
            else:
                balances.settle()


def published() -> list[Document]:
    found: list[Document] = json.loads(b"".join(Client().get("/en/forest/conservation.json").streaming_content))  # type: ignore[attr-defined]
    return found


def test_a_lived_chain_holds_against_the_exported_log(session: psycopg.Connection, tmp_path: Path) -> None:
    with clock.stopped(NOW):
        forest_at_noon = make_forest()
        assert published() == []
    live(forest_at_noon)
    documents = published()
    proof.sequence(session, SIGNER, NOW + 6 * DAY)
    with session.cursor() as cursor:
        static.export(cursor, SIGNER.verifier, tmp_path)
    checked = conservation.check(documents, static.entries_in(tmp_path))
    assert checked.holds, checked.faults
    assert checked.balances == 3
    total = checked.total
    assert total["expired"] > 0 and total["waiting"] > 0 and total["held"] > 0 and total["transit"] == 0
    (tmp_path / "conservation.json").write_text(json.dumps(documents))
    opening = deed_queries.proof(forest_at_noon.li.id, "test-metro", deed_queries.closed()[-1].day)
    (tmp_path / "deeds.json").write_text(json.dumps(opening))
    said = json.loads(_command("conserve", str(tmp_path), "--json").stdout)
    assert said["holds"] and said["facts"] == checked.facts > 8
    assert _command("deeds", str(tmp_path / "deeds.json"), "--log", str(tmp_path)).returncode == 0
    opening["opened"]["deeds"][0]["grams"] += 1
    assert conservation.check_opening(opening) == ["these deeds are not under that root"]
    spoiled = copy.deepcopy(documents)
    spoiled[-1]["counted"]["held"] += 1
    (tmp_path / "conservation.json").write_text(json.dumps(spoiled))
    failed = _command("conserve", str(tmp_path))
    assert failed.returncode == 1 and "NOT CONSERVED" in failed.stdout


def _command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "commonweal.cli", "forest", *arguments], capture_output=True, text=True, check=False
    )


def spoil(change: Callable[[Document], object]) -> Callable[[list[Document]], object]:
    return lambda documents: change(documents[1])


def book(document: Document) -> Document:
    found: Document = document["books"][0]
    return found


SPOILS: dict[str, Callable[[list[Document]], object]] = {
    "a gram from nothing": spoil(lambda d: book(d).update(held=book(d)["held"] + 1)),
    "a gram from nothing, in the total too": spoil(
        lambda d: (book(d).update(held=book(d)["held"] + 1), d["total"].update(held=d["total"]["held"] + 1))
    ),
    "minted as well": spoil(
        lambda d: [part.update({n: part[n] + 1 for n in ("held", "minted")}) for part in (book(d), d["total"])]
    ),
    "a total of its own": spoil(lambda d: d["total"].update(minted=1)),
    "another count": spoil(lambda d: d["counted"].update(waiting=d["counted"]["waiting"] + 5)),
    "another time": lambda documents: documents[1].update(at=documents[0]["at"]),
    "another predecessor": spoil(lambda d: d.update(previous="00" * 32)),
    "one left out": lambda documents: documents.pop(1),
    "turned round": lambda documents: documents.reverse(),
    "a movement that is none": spoil(lambda d: d["flows"].append({"book": 0, "kind": "found", "grams": 5})),
    "a movement left out": spoil(lambda d: d["flows"].pop()),
    "a book twice": spoil(lambda d: d["books"].append(book(d))),
    "a seed that was not promised": spoil(lambda d: d["seeds"].update({next(iter(d["draws"])): "00" * 32})),
    "no balance": spoil(lambda d: d.pop("books")),
    "text for grams": spoil(lambda d: book(d).update(held="many")),
}


@pytest.fixture
def chain(forest_at_noon: Forest) -> list[Document]:
    live(forest_at_noon)
    return published()


def test_every_change_is_noticed(chain: list[Document]) -> None:
    assert conservation.check(chain).holds
    for what, change in SPOILS.items():
        documents = copy.deepcopy(chain)
        change(documents)
        assert not conservation.check(documents).holds, what
    assert not conservation.check([]).holds


@pytest.mark.parametrize("document", [{}, [], None, 5, {"nth": 1}])
def test_what_is_no_balance_is_a_fault(document: Any) -> None:
    assert conservation.check([document]).faults
    assert conservation.check_opening(document)


def test_a_fact_that_is_not_in_the_log_is_missed(chain: list[Document]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT entry FROM proof_staged ORDER BY id")
        entries = [bytes(entry) for (entry,) in cursor.fetchall()]
    assert conservation.check(chain, entries).holds
    for kind in ("forest.balance", "forest.expiry"):
        without = [entry for entry in entries if json.loads(entry)["kind"] != kind]
        assert not conservation.check(chain, without).holds
    poor = [entry.replace(b'"grams":', b'"grams":0,"was":') if b"forest.deeds" in entry else entry for entry in entries]
    assert any("had earned" in fault.what for fault in conservation.check(chain, poor).faults)


def test_a_balance_is_kept_for_good(chain: list[Document]) -> None:
    with connection.cursor() as cursor:
        for statement in ("UPDATE forest_balance SET nth = 9", "DELETE FROM forest_draw_seed"):
            with pytest.raises((IntegrityError, Exception), match="append"), transaction.atomic():
                cursor.execute(statement)


def test_the_checker_knows_nothing_of_the_ledger() -> None:
    program = "import sys, commonweal.services.forest.conservation; print([m for m in sys.modules if 'ledger' in m])"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_the_page_of_balances(chain: list[Document]) -> None:
    page = Client().get("/en/forest/balance/").content.decode()
    assert f"{chain[-1]['total']['minted']:,}" in page and "conservation.json" in page
