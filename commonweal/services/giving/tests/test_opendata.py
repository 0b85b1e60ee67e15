"""Open data: IATI 2.03 against the official schema and rules, 360Giving, feeds; webhooks signed and sent for real."""

from __future__ import annotations

import http.server
import json
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from lxml import etree

from commonweal.kernel import clock
from commonweal.kernel.errors import Invalid, NotFound
from commonweal.kernel.jobs import run_due
from commonweal.kernel.parties.erasure import forget
from commonweal.kernel.quantity import CNY
from commonweal.kernel.text import Text
from commonweal.services.giving import iati, jobs, webhooks
from commonweal.services.giving.actions import campaigns, gifts, payouts, returns
from commonweal.services.giving.actions import webhooks as actions
from commonweal.services.giving.queries import opendata
from commonweal.services.giving.queries import webhooks as queries
from commonweal.services.giving.rules.gifts import COLLECTED, Give
from commonweal.services.giving.rules.plans import Telling
from commonweal.services.giving.tests.conftest import DAY, NOW, World
from commonweal.services.giving.tests.iati_rules import broken
from commonweal.services.giving.tests.test_doors import token
from commonweal.services.giving.tests.test_payouts import pay_out, put_in
from commonweal.services.giving.tests.test_threesixty import check_schema
from commonweal.services.giving.webhooks.sending import is_public
from tests.published import published

__all__ = ["check_schema"]
SOURCE = "IATI/IATI-Schemas and IATI/IATI-Rulesets"
FOLDER = "stewardship/iati203"


@pytest.fixture(autouse=True)
def now() -> Iterator[None]:
    with clock.stopped(NOW):
        yield


@pytest.fixture(scope="session")
def schema() -> etree.XMLSchema:
    path: Path = published(f"{FOLDER}/iati-activities-schema.xsd", SOURCE)
    return etree.XMLSchema(etree.parse(path))


def exported() -> bytes:
    return "".join(iati.write(opendata.activities(), NOW)).encode()


def test_the_judge_judges(schema: etree.XMLSchema) -> None:
    """The official cases: those that should fail do, those that should pass do."""
    cases = json.loads(published(f"{FOLDER}/schema_cases.json", SOURCE).read_bytes())
    judged = 0
    for name, text in cases.items():
        document = etree.fromstring(text.encode())
        if document.tag == "iati-activities":
            assert schema.validate(document) == name.startswith("should-pass"), name
            judged += 1
    assert judged > 50


def test_the_file_is_valid_keeps_the_rules_and_has_every_fen(world: World, schema: etree.XMLSchema) -> None:
    put_in(world, 3_000, 4_000)
    pay_out(world, 5_000, "a")
    data = exported()
    document = etree.fromstring(data)
    schema.assertValid(document)
    rules = json.loads(published(f"{FOLDER}/standard.json", SOURCE).read_bytes())
    tested, errors = broken(document, rules, NOW.date())
    assert (tested >= 15, errors) == (True, [])
    assert sums(document) == {"1": 7_000, "4": 5_000}
    assert str(world.giver.id) not in data.decode()
    identifier = document.findtext(".//iati-identifier")
    assert identifier == f"53100000500000001X-{world.campaign.id}"


def sums(document: etree._Element) -> dict[str, int]:
    found: dict[str, int] = {}
    for movement in document.iter("transaction"):
        kind = movement.find("transaction-type").get("code")
        found[kind] = found.get(kind, 0) + int(Decimal(movement.findtext("value")) * 100)
    return found


def without_currency(document: etree._Element) -> None:
    document.find(".//iati-activity").attrib.pop("default-currency")
    for value in document.iter("value"):
        value.attrib.pop("currency")


def test_the_rules_are_really_run(world: World, schema: etree.XMLSchema) -> None:
    rules = json.loads(published(f"{FOLDER}/standard.json", SOURCE).read_bytes())
    for change in (
        lambda d: d.find(".//sector").getparent().remove(d.find(".//sector")),
        lambda d: d.find(".//activity-date[@type='2']").set("iso-date", "2030-01-01"),
        without_currency,
        lambda d: d.find(".//budget/period-end").set("iso-date", "2036-01-01"),
    ):
        put_in(world, 500)
        document = etree.fromstring(exported())
        change(document)
        assert broken(document, rules, NOW.date())[1], "a broken file passes"


@pytest.mark.parametrize("days", [0, 1, 364, 365, 366, 800, 3_000])
def test_budgets_are_a_year_at_most_and_sum_to_the_goal(days: int, schema: etree.XMLSchema) -> None:
    opens = date(2026, 1, 31)
    activity = iati.Activity(
        id="a", organisation=iati.Organisation("X-1", Text("<A> & B", "甲")), title=Text("t", "t"),
        description=Text("d", "丁"),
        topic="health", asset=CNY, goal=100_001, opens=opens, closes=opens + timedelta(days=days), ended=None,
        updated=NOW + DAY, movements=(),
    )  # fmt: skip
    document = etree.fromstring("".join(iati.write([activity], NOW)).encode())
    schema.assertValid(document)
    assert sum(int(Decimal(each.text) * 100) for each in document.iterfind(".//budget/value")) == 100_001
    for budget in document.iter("budget"):
        start, end = (date.fromisoformat(budget.find(each).get("iso-date")) for each in ("period-start", "period-end"))
        assert start <= end and (end - start).days <= 365


def test_payouts_go_out_as_grants(world: World, client: Client, check_schema: Callable[[bytes], None]) -> None:
    put_in(world, 3_000, 4_000)
    pay_out(world, 5_000, "a")
    pay_out(world, 1_001, "b")
    data = b"".join(client.get("/en/giving/360giving.json"))
    check_schema(data)
    grants = json.loads(data, parse_float=Decimal)["grants"]
    assert sum(Decimal(grant["amountAwarded"]) for grant in grants) == Decimal("60.01")
    assert {grant["recipientOrganization"][0]["id"] for grant in grants} == {"53100000500000001X"}
    assert b"<iati-activities" in b"".join(client.get("/en/giving/iati.xml"))


def test_two_thousand_gifts_leave_in_time(world: World, schema: etree.XMLSchema) -> None:
    """A fiftieth of the hundred thousand that may take 60 s, of this processor."""
    wishes = [Give(world.campaign.id, world.giver.id, 500 + n, "CNY", COLLECTED, str(n)) for n in range(2_000)]
    with connection.cursor() as cursor:
        gifts.take(cursor, wishes, NOW)
    started = time.process_time()
    data = exported()
    assert time.process_time() - started <= 1.2
    document = etree.fromstring(data)
    schema.assertValid(document)
    assert sums(document) == {"1": sum(wish.amount for wish in wishes)}


def tell(world: World) -> str:
    telling = Telling(Text("It <has> come", "琴到了"), Text("Safely & well.", "平安。"))
    return str(campaigns.tell(world.officer, world.campaign.id, telling).id)


def test_the_feed_is_atom_in_both_languages(world: World, client: Client) -> None:
    update = tell(world)
    for language, title in (("en", "It <has> come"), ("zh", "琴到了")):
        answer = client.get(f"/{language}/giving/{world.campaign.id}/updates.atom")
        assert answer["Content-Type"].startswith("application/atom+xml")
        feed = etree.fromstring(answer.content)
        space = {"a": "http://www.w3.org/2005/Atom"}
        (entry,) = feed.findall("a:entry", space)
        assert entry.findtext("a:title", None, space) == title
        assert entry.findtext("a:id", None, space) == f"urn:uuid:{update}"
        assert feed.findtext("a:id", None, space) == f"urn:uuid:{world.campaign.id}"
    assert client.get(f"/en/giving/{uuid.uuid4()}/updates.atom").status_code == 404


# Webhooks


class Receiver(http.server.BaseHTTPRequestHandler):
    """A program that is called."""

    calls: list[tuple[str, bytes, str]]
    status = 200

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.calls.append((self.path, body, self.headers[webhooks.HEADER]))
        self.send_response(self.status)
        self.send_header("Location", "/elsewhere")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def receiver() -> Iterator[tuple[str, type[Receiver]]]:
    handler = type("Handler", (Receiver,), {"calls": []})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/hook?x=1", handler
        server.shutdown()


def test_a_call_is_signed_over_its_very_bytes_and_its_time(receiver: tuple[str, type[Receiver]]) -> None:
    address, handler = receiver
    secret, body = b"cwh_secret", '{"琴":1}'.encode()
    headers = {webhooks.HEADER: webhooks.sign(secret, body, NOW)}
    assert webhooks.send(address, body, headers, allows=lambda ip: ip == "127.0.0.1") == 200
    ((path, got, signature),) = handler.calls
    assert (path, got) == ("/hook?x=1", body)
    assert webhooks.verify(secret, got, signature, NOW + timedelta(seconds=300))
    assert not webhooks.verify(secret, got, signature, NOW + timedelta(seconds=301))
    assert not webhooks.verify(secret, got, signature, NOW - timedelta(seconds=301))
    assert not webhooks.verify(secret, got + b" ", signature, NOW)
    assert not webhooks.verify(b"other", got, signature, NOW)
    assert not webhooks.verify(secret, got, "t=x,v1=0", NOW)


@pytest.mark.parametrize("status", [301, 404, 500])
def test_anything_but_2xx_is_tried_again(receiver: tuple[str, type[Receiver]], status: int) -> None:
    address, handler = receiver
    handler.status = status
    with pytest.raises(webhooks.Unreachable, match=str(status)):
        webhooks.send(address, b"{}", {webhooks.HEADER: "-"}, allows=lambda ip: True)
    assert len(handler.calls) == 1, "no redirect is followed"


def test_nobody_is_called_in_our_own_network(receiver: tuple[str, type[Receiver]]) -> None:
    address, handler = receiver
    with pytest.raises(webhooks.Unreachable, match="not a public address"):
        webhooks.send(address, b"{}", {})
    with pytest.raises(webhooks.Unreachable):
        webhooks.send(address.replace("127.0.0.1", "localhost"), b"{}", {})
    assert handler.calls == []
    for ip in ("10.0.0.1", "169.254.169.254", "::1", "192.168.1.1", "fd00::1", "0.0.0.0"):
        assert not is_public(ip)


@pytest.mark.parametrize(
    "address",
    ["", "http://a.example/", "https://", "https://u:p@a.example/", "https://127.0.0.1/", "https://[::1]/",
     "https://a.example:0/", "https://a.example:99999/", "ftp://a.example", "https://a b/", "https://é.example/",
     "javascript:alert(1)", "https://a.example/" + "x" * 500, "https://169.254.169.254/latest"],
)  # fmt: skip
def test_addresses_that_are_not_taken(world: World, address: str) -> None:
    with pytest.raises(Invalid, match=r"webhook\.address"):
        actions.add(world.giver, world.campaign.id, address)


def test_what_is_told_and_that_it_waits_until_it_arrives(world: World) -> None:
    put_in(world, 500)
    payouts.lay(world.campaign.id)
    id, secret = actions.add(world.giver, world.campaign.id, "https://program.invalid/hook")
    _, third = put_in(world, 3_000, 4_000)
    payouts.lay(world.campaign.id)
    jobs.announce()
    jobs.announce()
    jobs.tell(update=tell(world))
    request = pay_out(world, 5_000, "a")
    jobs.tell_paid(campaign=str(world.campaign.id), request=str(request))
    back = returns.refund(world.officer, world.campaign.id, third, 1_500, "Asked for it", "r")
    jobs.tell_returned(campaign=str(world.campaign.id), id=str(back), outcome="done")
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, event, body FROM giving_delivery ORDER BY at, id")
        found = cursor.fetchall()
    assert [event for _, event, _ in found] == ["gifts", "update", "payout", "return"]
    told = [json.loads(body) for _, _, body in found]
    assert [gift["amount"] for gift in told[0]["gifts"]] == ["30.00", "40.00"]
    assert (told[1]["title"]["zh"], told[2]["amount"]) == ("琴到了", "50.00")
    assert (told[3]["gift"], told[3]["what"], told[3]["amount"]) == (str(third), "refund", "15.00")
    assert str(world.giver.id) not in json.dumps(told)
    with pytest.raises(webhooks.Unreachable):
        actions.deliver(found[0][0])
    assert [(each.delivered, each.waiting) for each in queries.of(world.giver.id)] == [(0, 4)]
    actions.end(world.giver, id)
    actions.deliver(found[0][0])
    assert secret.startswith("cwh_")
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM giving_webhook")
        assert secret.encode() not in bytes(cursor.fetchone()[0])


def test_a_delivery_that_never_arrives_becomes_a_dead_letter(world: World) -> None:
    actions.add(world.giver, world.campaign.id, "https://program.invalid/hook")
    actions.announce(world.campaign.id, "update", {"x": 1})
    for hours in range(0, 24 * 30, 12):
        with clock.stopped(NOW + timedelta(hours=hours)):
            run_due()
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM jobs_job WHERE task = 'giving.deliver' AND dead_at IS NOT NULL")
        assert cursor.fetchone()[0] == 1


def test_programs_manage_their_webhooks(world: World, client: Client) -> None:
    put_in(world, 500)
    headers = token(world.giver)
    body = {"campaign": str(world.campaign.id), "address": "https://program.example/hook"}

    def add() -> int:
        data = json.dumps(body)
        address = "/api/v1/giving/webhooks"
        return client.post(address, data, content_type="application/json", headers=headers).status_code

    assert [add() for _ in range(11)] == [201] * 10 + [409]
    listed = client.get("/api/v1/giving/webhooks", headers=headers).json()
    assert len(listed) == 10 and "secret" not in listed[0]
    address = f"/api/v1/giving/webhooks/{listed[0]['id']}"
    assert client.delete(address, headers=token(world.officer)).status_code == 404
    assert client.delete(address, headers=headers).status_code == 204
    assert client.get("/api/v1/giving/webhooks").status_code == 401
    (row,) = client.get("/api/v1/giving/statement/2026", headers=headers).json()
    assert row["amount"] == {"amount": "5.00", "asset": "CNY"}
    assert client.get(f"/api/v1/giving/campaigns/{world.campaign.id}/updates").json() == []
    assert client.get(f"/api/v1/giving/campaigns/{world.campaign.id}/payouts").json() == []
    forget(world.giver.id)
    assert queries.of(world.giver.id) == []
    with pytest.raises(NotFound):
        actions.end(world.giver, uuid.UUID(listed[1]["id"]))
