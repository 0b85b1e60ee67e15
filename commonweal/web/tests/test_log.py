"""The public log as people and programs read it, checked with the verifier that anybody else would use."""

from __future__ import annotations

import json
import secrets
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client

from commonweal.kernel import clock
from commonweal.kernel.ids import uuid7
from commonweal.kernel.jobs import run_due
from commonweal.kernel.ledger import Account, Leg, Transfer, open_accounts, open_assets, post, request_hash
from commonweal.kernel.ledger.books import CREDIT, DEBIT
from commonweal.kernel.parties import openings, people
from commonweal.kernel.parties.models import Login, Session
from commonweal.kernel.parties.session_store import SessionStore
from commonweal.kernel.proof import Fact, VerifierKey, append, load_signer, tree, verify_receipt
from commonweal.kernel.proof.note import decode, open_checkpoint
from commonweal.kernel.proof.verify import seal
from commonweal.kernel.quantity import CNY
from commonweal.kernel.text import Text
from commonweal.web import facts, jobs, live
from commonweal.web.tests.people import browser, give_places, person

HOUR = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)


@pytest.fixture
def key(db: None) -> VerifierKey:
    return load_signer(settings.HOME, settings.LOG_NAME).verifier


def fill(count: int) -> list[Fact]:
    """Some facts in the log, in order."""
    made = sorted((Fact("test.thing", clock.now(), {"n": n}) for n in range(count)), key=lambda fact: fact.id)
    with connection.cursor() as cursor:
        append(cursor, *made)
    give_places()
    return made


def test_the_files_are_those_of_c2sp_and_hold(key: VerifierKey, client: Client) -> None:
    made = fill(300)
    answer = client.get("/checkpoint")
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert "no-cache" in answer["Cache-Control"]
    checkpoint = open_checkpoint(answer.content.decode(), key)
    assert checkpoint.size == 300
    assert client.get("/log.vkey").content.decode() == f"{key}\n"
    tiles = {}
    for level, n, width in tree.tiles_of(300):
        answer = client.get("/" + tree.tile_path(level, n, width))
        assert "immutable" in answer["Cache-Control"]
        assert answer["Content-Type"] == "application/octet-stream"
        assert "Set-Cookie" not in answer
        tiles[level, n] = answer.content
    assert tree.root(300, tree.Tiles(lambda level, n: tiles[level, n])) == checkpoint.root
    entries = []
    for n, width in ((0, 256), (1, 44)):
        entries += tree.unbundle(client.get("/" + tree.entries_path(n, width)).content)
    assert entries == [fact.entry for fact in made]
    assert b"".join(map(tree.leaf_hash, entries[256:])) == tiles[0, 1]


def test_a_partial_tile_stays_what_it_was(key: VerifierKey, client: Client) -> None:
    fill(5)
    before = client.get("/tile/0/000.p/5").content
    fill(300)
    assert client.get("/tile/0/000.p/5").content == before
    assert client.get("/tile/0/000").content[: len(before)] == before
    assert len(tree.unbundle(client.get("/tile/entries/000.p/3").content)) == 3


@pytest.mark.parametrize(
    "path",
    ["tile/0/000", "tile/0/000.p/6", "tile/0/000.p/0", "tile/0/000.p/256", "tile/0/000.p/05", "tile/0/001.p/1",
     "tile/1/000.p/1", "tile/00/000.p/5", "tile/64/000.p/1", "tile/0/0.p/5", "tile/0/x000/000.p/5", "tile/-1/000",
     "tile/entries/000", "tile/entries/x999/x999/x999/x999/x999/999", "tile/0/x999/x999/x999/x999/x999/999.p/1",
     "tile/entries/001.p/1", "tile/data/000", "tile/0/000.p/5/", "tile/0/%00", "tile/0/000.p/%ef%bc%95"],
)  # fmt: skip
def test_what_is_no_tile(key: VerifierKey, client: Client, path: str) -> None:
    fill(5)
    assert client.get(f"/{path}").status_code == 404


def test_before_the_first_fact_there_is_nothing_to_serve(key: VerifierKey, client: Client) -> None:
    answer = client.get("/checkpoint")
    assert answer.status_code == 503
    assert answer["Retry-After"] == "1"
    assert client.get("/en/transparency/").status_code == 200
    assert client.get("/consistency?from=1&to=1").status_code == 422


def test_before_the_clerks_first_start_there_is_no_key(db: None, client: Client, tmp_path: Any) -> None:
    from django.test import override_settings

    with override_settings(HOME=tmp_path):
        assert client.get("/log.vkey").status_code == 503
        assert client.get("/en/transparency/check/").status_code == 503


def test_that_an_older_log_is_the_beginning_of_a_newer_one(key: VerifierKey, client: Client) -> None:
    fill(7)
    old = open_checkpoint(client.get("/checkpoint").content.decode(), key)
    fill(40)
    new = open_checkpoint(client.get("/checkpoint").content.decode(), key)
    answer = client.get("/consistency?from=7&to=47")
    assert "immutable" in answer["Cache-Control"]
    proof = [decode(line) for line in answer.content.decode().splitlines()]
    assert tree.verify_consistency(7, 47, proof, old.root, new.root)
    assert client.get("/api/v1/log/consistency?old=7&new=47").json()["hashes"] == answer.content.decode().split()
    assert client.get("/consistency?from=47&to=47").content == b""


@pytest.mark.parametrize(
    "query",
    ["", "from=1", "from=0&to=1", "from=2&to=1", "from=1&to=6", "from=1&to=-1", "from=a&to=b", "from=1e3&to=5",
     "from=１&to=５", "from=1&to=" + "9" * 40],
)  # fmt: skip
def test_sizes_that_make_no_sense(key: VerifierKey, client: Client, query: str) -> None:
    fill(5)
    assert client.get(f"/consistency?{query}").status_code == 422


def test_a_fact_waits_and_then_has_its_place(key: VerifierKey, client: Client) -> None:
    fact = Fact("test.thing", clock.now(), {"amount": "5.00", "note": "<b>not markup</b>"})
    with connection.cursor() as cursor:
        append(cursor, fact)
    page = client.get(f"/en/fact/{fact.id}/")
    assert "gets its place" in page.content.decode()
    assert page["Refresh"] == "2"
    for path in (f"/en/fact/{fact.id}/receipt", f"/api/v1/log/facts/{fact.id}/proof"):
        waiting = client.get(path)
        assert (waiting.status_code, waiting["Retry-After"]) == (503, "1")
    assert client.get(f"/api/v1/log/facts/{fact.id}").json()["index"] is None
    give_places()
    page = client.get(f"/zh/fact/{fact.id}/")
    assert "位于日志第" in page.content.decode()
    assert "Refresh" not in page
    assert "<b>not" not in page.content.decode()
    answer = client.get(f"/en/fact/{fact.id}/receipt")
    assert "attachment" in answer["Content-Disposition"]
    assert "no-store" in answer["Cache-Control"]
    assert verify_receipt(answer.content, key).entry == fact.entry
    proved = client.get(f"/api/v1/log/facts/{fact.id}/proof").json()
    assert verify_receipt(proved["receipt"].encode(), key).index == proved["index"]
    assert client.get("/api/v1/log/checkpoint").json()["note"] == proved["checkpoint"]


def test_a_fact_that_does_not_exist(key: VerifierKey, client: Client) -> None:
    for path in (f"/en/fact/{uuid7()}/", f"/en/fact/{uuid7()}/receipt", "/en/fact/1/", f"/api/v1/log/facts/{uuid7()}"):
        assert client.get(path).status_code == 404
    assert client.get("/api/v1/log/facts/1").status_code == 422


def test_an_organisation_is_called_by_its_name_and_a_person_never(key: VerifierKey, client: Client) -> None:
    charity = people.register_organisation(Text("Spring Bud", "春蕾"))
    fact = Fact("test.thing", clock.now(), {"to": str(charity.id), "by": str(people.register_person(name="何小满").id)})
    with connection.cursor() as cursor:
        append(cursor, fact)
    assert "春蕾" in (page := client.get(f"/zh/fact/{fact.id}/").content.decode())
    assert "何小满" not in page


@pytest.fixture
def sealed(key: VerifierKey) -> Iterator[tuple[Fact, Login, Login]]:
    """A fact with a seal that its holder opens."""
    holder, absent, salt, private = person(), person(), secrets.token_bytes(16), {"giver": "the holder"}
    fact = Fact("test.sealed", clock.now(), {}, seal=seal(salt, private | {"holder": str(holder.party_id)}))

    @openings.opener("test.sealed")
    def opens(party: uuid.UUID, id: uuid.UUID) -> openings.Opening | None:
        if party == absent.party_id:
            return None
        return salt, private | {"holder": str(party)}

    with connection.cursor() as cursor:
        append(cursor, fact)
    give_places()
    yield fact, holder, absent
    del openings._openers["test.sealed"]


def test_only_its_holder_opens_a_seal(key: VerifierKey, sealed: tuple[Fact, Login, Login]) -> None:
    fact, holder, absent = sealed
    opened = browser(holder).get(f"/en/fact/{fact.id}/receipt")
    receipt = verify_receipt(opened.content, key)
    assert receipt.opening is not None
    assert receipt.opening[1]["giver"] == "the holder"
    assert "the holder" in browser(holder).get(f"/en/fact/{fact.id}/").content.decode()
    for client in (browser(), browser(person()), browser(absent)):
        bare = client.get(f"/en/fact/{fact.id}/receipt")
        assert verify_receipt(bare.content, key).opening is None
        assert "the holder" not in client.get(f"/en/fact/{fact.id}/").content.decode()
    with pytest.raises(ValueError, match=r"test\.sealed"):
        openings.opener("test.sealed")(lambda party, id: None)


def test_the_sum_of_all_books_is_stated_once_an_hour_and_is_zero(key: VerifierKey, client: Client) -> None:
    book, start = uuid7(), clock.now()
    with connection.cursor() as cursor:
        open_assets(cursor, [CNY])
        fund, clearing = Account(book, "fund", "CNY", CREDIT), Account(book, "clearing:simulator", "CNY", DEBIT)
        open_accounts(cursor, [fund, clearing])
        legs = (Leg(clearing.id, 128_450), Leg(fund.id, -128_450))
        post(cursor, [Transfer(book, "k", request_hash("k"), "gift", legs, start)])
    with clock.stopped(HOUR):
        assert facts.state_totals()
        assert not facts.state_totals()
    with clock.stopped(HOUR + timedelta(hours=1)):
        jobs.totals()
        give_places()
        with connection.cursor() as cursor:
            stated = facts.stated_totals(cursor)
        assert stated is not None
        assert stated.fields["totals"] == {"CNY": {"clearing": "1284.50", "fund": "-1284.50"}}
        assert stated.fields["transfers"] == 1
        assert stated.at == HOUR + timedelta(hours=1)
        page = client.get("/en/transparency/").content.decode()
        assert f'href="/en/fact/{stated.id}/"' in page
        assert "-1284.50" in page
        assert verify_receipt(client.get(f"/en/fact/{stated.id}/receipt").content, key)
    with clock.stopped(HOUR + timedelta(days=3)), connection.cursor() as cursor:
        assert facts.stated_totals(cursor) is None
    assert client.get("/api/v1/ledger/totals").json() == {
        "transfers": 1,
        "totals": [
            {"asset": "CNY", "kind": "clearing", "accounts": 1, "amount": "1284.50"},
            {"asset": "CNY", "kind": "fund", "accounts": 1, "amount": "-1284.50"},
        ],
    }


def test_the_stream_tells_the_newest_checkpoint(key: VerifierKey) -> None:
    with connection.cursor() as cursor:
        assert live.checkpoint(cursor) is None
        fill(3)
        event = live.checkpoint(cursor)
    assert event is not None
    assert (event.id, json.loads(event.data)["size"]) == ("3", 3)


def test_what_is_over_is_swept_away(db: None) -> None:
    for days in (-1, 1):
        store = SessionStore()
        store.set_expiry(clock.now() + timedelta(days=days))
        store.save()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO web_cache VALUES ('a', 'x', now() - interval '1 hour'), ('b', 'x', now() + '1 hour')"
        )
    jobs.sweep.enqueue()
    run_due()
    assert Session.objects.count() == 1
    with connection.cursor() as cursor:
        cursor.execute("SELECT cache_key FROM web_cache")
        assert cursor.fetchall() == [("b",)]


def test_every_kind_of_fact_is_explained(db: None, client: Client) -> None:
    page = client.get("/zh/transparency/").content.decode()
    for kind in facts.kinds():
        assert kind.name in page
        assert kind.title.zh in page


def test_the_page_on_checking_carries_the_key(key: VerifierKey, client: Client) -> None:
    page = client.get("/en/transparency/check/").content.decode()
    assert str(key).replace("+", "&#43;") in page or str(key) in page
