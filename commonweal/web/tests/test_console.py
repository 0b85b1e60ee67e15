"""The stewards' console: closed to everybody else, and every look a fact."""

from __future__ import annotations

import json
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from commonweal.kernel import clock, jobs
from commonweal.kernel.ids import uuid7
from commonweal.kernel.jobs.task import TASKS
from commonweal.kernel.ledger import Account, open_accounts, open_assets
from commonweal.kernel.ledger.books import CREDIT
from commonweal.kernel.parties import people
from commonweal.kernel.parties.erasure import forget
from commonweal.kernel.quantity import CNY
from commonweal.kernel.registry import Link, Service
from commonweal.kernel.text import Text
from commonweal.web.tests.people import browser, give_places, person

NOBODY = uuid.UUID(int=0)
PATHS = [
    ("GET", "/en/console/"),
    ("GET", "/en/console/audit/"),
    ("GET", f"/en/console/credentials/{NOBODY}/"),
    ("POST", f"/en/console/credentials/{NOBODY}/"),
    ("GET", f"/en/console/credentials/{NOBODY}/evidence"),
    ("POST", f"/en/console/jobs/{NOBODY}/retry/"),
    ("POST", "/en/console/party/"),
]


@pytest.mark.parametrize(("method", "path"), PATHS)
def test_nobody_but_a_steward_comes_in(db: None, method: str, path: str) -> None:
    officer = person()
    people.grant_role(officer.party, people.OFFICER, within=people.register_organisation(Text("a", "甲")))
    assert browser(officer).generic(method, path).status_code == 403
    assert browser().generic(method, path).status_code in (303, 401)
    former = person(role=people.STEWARD)
    people.revoke_role(former.party, people.STEWARD)
    assert browser(former).generic(method, path).status_code == 403


@pytest.mark.parametrize(("method", "path"), PATHS[2:6])
def test_what_is_not_there(db: None, method: str, path: str) -> None:
    assert browser(person(role=people.STEWARD)).generic(method, path).status_code == 404


def test_a_dead_letter_is_seen_and_revived(db: None) -> None:
    done: list[int] = []

    @jobs.task("test.console", attempts=1)
    def fails() -> None:
        if not done:
            raise ValueError("secret")

    try:
        steward = browser(person(role=people.STEWARD))
        assert "Every job has been done" in steward.get("/en/console/").content.decode()
        fails.enqueue()
        jobs.run_due()
        shown = steward.get("/en/console/").content.decode()
        assert "test.console" in shown
        assert "ValueError" in shown
        assert "secret" not in shown
        (dead,) = jobs.dead_letters()
        done.append(1)
        assert steward.post(f"/en/console/jobs/{dead.id}/retry/").status_code == 303
        assert steward.post(f"/en/console/jobs/{dead.id}/retry/").status_code == 404
        assert jobs.run_due() == 1
    finally:
        del TASKS["test.console"]
    assert jobs.dead_letters() == []


def test_work_that_is_late_is_seen(db: None) -> None:
    with connection.cursor() as cursor:
        late = clock.now() - timedelta(seconds=90)
        cursor.execute("INSERT INTO jobs_job (id, task, payload, due) VALUES (%s, 'gone', '{}', %s)", [uuid7(), late])
    assert "90 s" in browser(person(role=people.STEWARD)).get("/en/console/").content.decode()


def readings() -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT entry FROM proof_staged ORDER BY id")
        return [json.loads(bytes(row[0])) for row in cursor.fetchall()]


def test_who_stands_behind_a_pseudonym_is_shown_for_a_purpose_and_logged(db: None) -> None:
    watcher, subject = person(role=people.STEWARD), person()
    people.write_personal(subject.party, {"name": "何小满"})
    steward = browser(watcher)
    answer = steward.post("/zh/console/party/", {"id": f" {subject.party_id} ", "purpose": "complaint"})
    assert "何小满" in answer.content.decode()
    (fact,) = readings()
    assert (fact["kind"], fact["reader"], fact["purpose"]) == ("parties.read", str(watcher.party_id), "complaint")
    charity = people.register_organisation(Text("Spring Bud", "春蕾"))
    assert "春蕾" in steward.post("/zh/console/party/", {"id": charity.id, "purpose": "payment"}).content.decode()
    for sent, status in (
        ({"id": "me", "purpose": "payment"}, 404),
        ({"id": uuid7(), "purpose": "payment"}, 404),
        ({"id": subject.party_id, "purpose": ""}, 422),
        ({"id": subject.party_id, "purpose": "Because!"}, 422),
        ({}, 404),
    ):
        assert steward.post("/zh/console/party/", sent).status_code == status
    assert len(readings()) == 2
    assert steward.get("/zh/console/party/").status_code == 405


def test_the_forgotten_are_nobody(db: None) -> None:
    subject = person()
    people.write_personal(subject.party, {"name": "何小满"})
    forget(subject.party_id)
    answer = browser(person(role=people.STEWARD)).post(
        "/en/console/party/", {"id": subject.party_id, "purpose": "help"}
    )
    assert answer.status_code == 200
    assert "何小满" not in answer.content.decode()


def test_the_audit_finds_a_balance_that_is_not_its_sum(db: None) -> None:
    steward, book = browser(person(role=people.STEWARD)), uuid7()
    assert "is the sum of its postings" in steward.get("/en/console/audit/").content.decode()
    with connection.cursor() as cursor:
        open_assets(cursor, [CNY])
        fund = Account(book, "fund", "CNY", CREDIT)
        open_accounts(cursor, [fund])
        cursor.execute(
            "ALTER TABLE ledger_balance DISABLE TRIGGER kept_by_postings"
        )  # somebody with the owner's powers
        cursor.execute("INSERT INTO ledger_balance VALUES (%s, %s, 0, 5, 0, 0)", [book, fund.id])
        cursor.execute("ALTER TABLE ledger_balance ENABLE TRIGGER kept_by_postings")
    shown = steward.get("/en/console/audit/").content.decode()
    assert "1 kept balances are not" in shown
    assert str(fund.id) in shown


def test_services_bring_their_own_queues(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("commonweal.web.pages.console.reverse", lambda name: f"/en/{name.replace(':', '/')}/")
    service = Service("toy", Text("Toy", "玩具"), Text("p", "诺"), console=(Link("queue", Text("To sort", "待分拣")),))
    monkeypatch.setattr("commonweal.web.pages.console.services", lambda: (service,))
    give_places()
    shown = browser(person(role=people.STEWARD)).get("/zh/console/").content.decode()
    assert 'href="/en/toy/queue/"' in shown
    assert "待分拣" in shown
