"""Signals open cases: matches wait, gifts do not; two stewards decide, givers object, the clock decides for givers."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any

import pytest
from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from commonweal.kernel import clock
from commonweal.kernel.errors import Conflict, Invalid, NotAllowed, NotFound
from commonweal.kernel.notices.inbox import opened as read_notice
from commonweal.kernel.notices.models import Notice
from commonweal.kernel.parties import erasure, people
from commonweal.kernel.parties.models import Party
from commonweal.kernel.text import Text
from commonweal.services.giving import jobs, matching
from commonweal.services.giving.actions import campaigns as campaign_actions
from commonweal.services.giving.actions import cases, gifts, marks, settlements, teams
from commonweal.services.giving.actions.reconciliation import reconcile
from commonweal.services.giving.matching import pool_file
from commonweal.services.giving.payment import Entry, Kind, Settlement
from commonweal.services.giving.payment.simulator import Simulator
from commonweal.services.giving.queries import cases as queries
from commonweal.services.giving.queries import gifts as gift_queries
from commonweal.services.giving.queries import pools
from commonweal.services.giving.queries.campaigns import asset_of
from commonweal.services.giving.queries.views import Views
from commonweal.services.giving.rules import cases as rules
from commonweal.services.giving.rules.cases import Outcome, State
from commonweal.services.giving.rules.gifts import COLLECTED, Give
from commonweal.services.giving.rules.gifts import Outcome as Told
from commonweal.services.giving.rules.views import What
from commonweal.services.giving.tests.conftest import DAY, NOW, World, plan, somebody
from commonweal.services.giving.tests.test_doors import JSON, token
from commonweal.services.giving.tests.test_matches import OVER, open_pool
from commonweal.services.giving.tests.test_payouts import put_in
from commonweal.services.giving.tests.test_returns import order
from tests.cluster import unguarded

HOUR = timedelta(hours=1)
LOOKED = NOW + 20 * HOUR
"""Every window that has a gift of NOW is over by then, and the pools are still in review."""


@pytest.fixture(autouse=True)
def now() -> Iterator[None]:
    with clock.stopped(NOW):
        yield


def ring(world: World, home: Any, size: int = 12) -> list[tuple[Party, uuid.UUID]]:
    """One person behind many accounts: one telephone, three cards, a minute apart."""
    simulator, made = Simulator(home), []
    for n in range(size):
        with clock.stopped(NOW + n * timedelta(minutes=1)):
            giver = somebody(f"ring{n}@test.example")
            asset = world.campaign.asset
            wish = Give(world.campaign.id, giver.id, 1_000 + n, asset, "simulator", f"r{n}", device="telephone-1")
            gift = gifts.give(wish).id
            asked = replace(order(world, gift, 1_000 + n), asset=asset)
            paid = simulator.report(asked, clock.now(), payer=f"card-{n % 3}")
            gifts.confirm("simulator", *paid)
        made.append((giver, gift))
    return made


@pytest.fixture
def case(world: World, settings: Any) -> tuple[uuid.UUID, uuid.UUID, list[tuple[Party, uuid.UUID]]]:
    """A pool, a ring that is found, and an honest gift beside it: `(pool, case, ring)`."""
    pool = open_pool(world, 100_000)
    found = ring(world, settings.HOME)
    with clock.stopped(LOOKED):
        jobs.watch()
        (opened,) = queries.waiting()
    return pool, opened.id, found


def told(party: Party) -> int:
    return Notice.objects.filter(party=party, kind="giving.case").count()


def others() -> tuple[Party, Party]:
    """Two stewards who have had no word yet."""
    found = somebody("steward3@test.example"), somebody("steward4@test.example")
    for steward in found:
        people.grant_role(steward, people.STEWARD)
    return found


def decide(
    world: World, case: uuid.UUID, *, withholds: bool, at: datetime, by: tuple[Party, Party] | None = None
) -> State:
    with clock.stopped(at):
        for steward in by or world.stewards:
            state = cases.judge(steward, case, withholds=withholds, note="Seen" if withholds else "")
    return state


def file_of(world: World, pool: uuid.UUID, at: datetime) -> pool_file.PoolFile:
    """The pool computed at a moment, read back and recomputed from the file alone."""
    with clock.stopped(at):
        jobs.settle_pools()
        found = pools.one(world.campaign.id, pool)
        assert found.digest is not None
        file = pool_file.parse(pools.published(found))
    assert list(pool_file.differences(file, matching.match(file.pool, file.gifts))) == []
    return file


def test_a_ring_opens_a_case_once_and_no_gift_is_touched(world: World, case: Any) -> None:
    _, id, found = case
    with clock.stopped(LOOKED):
        opened = queries.one(id)
        assert (opened.gifts, opened.state, opened.due_at) == (12, State.OPEN, LOOKED + rules.DECIDE_WITHIN)
        assert any("3 cards" in reason.en and "3 个支付方式" in reason.zh for reason in queries.reasons(opened))
        for _, gift in found:
            there = gift_queries.gift(world.campaign.id, gift)
            assert there.paid_at and there.state == "paid" and not there.returned
        assert cases.watch() == 0, "what is known is no news"
    with clock.stopped(LOOKED + HOUR):
        assert cases.watch() == 0
    assert len(queries.waiting()) == 1


def test_only_keyed_hashes_are_kept_and_not_for_long(world: World, case: Any) -> None:
    _, _, found = case
    with connection.cursor() as cursor:
        cursor.execute("SELECT what, count(DISTINCT mark), count(*) FROM giving_mark GROUP BY what ORDER BY what")
        assert cursor.fetchall() == [("device", 1, 12), ("payment", 3, 12)]
        cursor.execute("SELECT mark FROM giving_mark WHERE what = 'device' LIMIT 1")
        (kept,) = cursor.fetchone()
        assert bytes(kept) == marks.mark("device", "telephone-1") != marks.mark("payment", "telephone-1")
        assert b"telephone" not in bytes(kept)
    erasure.forget(found[0][0].id)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM giving_mark")
        assert cursor.fetchone() == (22,)
    assert marks.drop(NOW + rules.KEEP_MARKS - HOUR) == 0
    assert marks.drop(NOW + rules.KEEP_MARKS + HOUR) == 22


def test_two_stewards_withhold_and_the_file_says_so(world: World, case: Any) -> None:
    pool, id, found = case
    (honest,) = put_in(world, 500)
    held = pools.one(world.campaign.id, pool).reserved
    with clock.stopped(LOOKED + HOUR):
        with pytest.raises(Invalid, match=r"text\.empty"):
            cases.judge(world.stewards[0], id, withholds=True)
        assert cases.judge(world.stewards[0], id, withholds=True, note="One telephone") is State.OPEN
        with pytest.raises(Conflict, match=r"case\.same-person"):
            cases.judge(world.stewards[0], id, withholds=True, note="Again")
        with pytest.raises(NotAllowed, match=r"role\.missing"):
            cases.judge(world.giver, id, withholds=False)
        assert cases.judge(world.stewards[1], id, withholds=True, note="Three cards") is State.WITHHELD
        with pytest.raises(Conflict, match=r"case\.decided"):
            cases.judge(world.stewards[1], id, withholds=False)
    assert held == pools.one(world.campaign.id, pool).reserved + sum(1_000 + n for n in range(12)), "free for others"
    file = file_of(world, pool, OVER)
    assert {gift.withheld for gift in file.gifts if gift.id != str(honest)} == {"one-person"}
    assert file.matches == {str(honest): 500}
    assert told(found[0][0]) == 0
    with clock.stopped(OVER):
        jobs.tell_delayed(case=str(id), gifts=[str(found[0][1])])
        jobs.tell_case(case=str(id))
    assert (told(found[0][0]), told(found[1][0]), told(world.giver)) == (2, 1, 0)


def test_what_is_cleared_is_matched_and_stays_cleared(world: World, case: Any) -> None:
    pool, id, found = case
    assert decide(world, id, withholds=False, at=LOOKED) is State.CLEARED
    with clock.stopped(LOOKED + HOUR):
        assert cases.watch() == 0
    file = file_of(world, pool, OVER)
    assert file.matches == {str(gift): 1_000 + n for n, (_, gift) in enumerate(found)}


def test_a_pool_waits_for_its_cases_and_the_clock_ends_them_for_the_givers(world: World, settings: Any) -> None:
    pool = open_pool(world, 100_000)
    found = ring(world, settings.HOME)
    late = NOW + 7 * DAY
    with clock.stopped(late):
        with connection.cursor() as cursor:  # the clerk has been away
            cursor.execute("INSERT INTO giving_look VALUES (%s, 0, 0, 0)", [NOW - HOUR])
        jobs.watch()
        (opened,) = queries.waiting()
    with clock.stopped(OVER):
        assert settlements.propose(world.campaign.id, pool) is None, "the case is open"
        with (
            pytest.raises(IntegrityError, match="waits for a case"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(
                "INSERT INTO giving_pool_settlement VALUES (%s, %s, sha256(''), '', 0, 0, gen_random_uuid(), %s)",
                [world.campaign.id, pool, OVER],
            )
        assert cases.lapse() == 0
        assert cases.judge(world.stewards[0], opened.id, withholds=True, note="Seen") is State.OPEN
    with clock.stopped(late + rules.DECIDE_WITHIN):
        with pytest.raises(Conflict, match=r"case\.decided"):
            cases.judge(world.stewards[1], opened.id, withholds=True, note="Too late")
        jobs.lapse()
        assert queries.one(opened.id).state is State.LAPSED
    assert len(file_of(world, pool, late + rules.DECIDE_WITHIN).matches or {}) == len(found)


def test_an_objection_after_the_decision_opens_a_case_of_its_own(world: World, case: Any) -> None:
    pool, id, found = case
    giver, gift = found[0]
    end = NOW + 5 * DAY
    decide(world, id, withholds=True, at=end)
    with clock.stopped(OVER):
        assert settlements.propose(world.campaign.id, pool) is None, "its givers can still object"
        with pytest.raises(NotFound, match=r"gift\.unknown"):
            cases.object_to(world.giver, id, world.campaign.id, gift, "Not mine")
        with pytest.raises(Invalid, match=r"text\.empty"):
            cases.object_to(giver, id, world.campaign.id, gift, " ")
        again = cases.object_to(giver, id, world.campaign.id, gift, "We are a boarding school.")
        with pytest.raises(Conflict, match=r"objection\.over"):
            cases.object_to(giver, id, world.campaign.id, gift, "Once more")
        assert again != id and queries.one(again).objects_to == id
        (named,) = queries.gifts(queries.one(again))
        assert named.said == "We are a boarding school."
        assert queries.reasons(queries.one(again)) == queries.reasons(queries.one(id))
    with clock.stopped(end + rules.OBJECT_WITHIN):
        with pytest.raises(Conflict, match=r"objection\.over"):
            cases.object_to(found[1][0], id, world.campaign.id, found[1][1], "Too late")
        assert settlements.propose(world.campaign.id, pool) is None, "the objection is open"
    with pytest.raises(NotAllowed, match=r"case\.judged-before"):
        decide(world, again, withholds=False, at=end + rules.OBJECT_WITHIN)
    decide(world, again, withholds=False, at=end + rules.OBJECT_WITHIN, by=others())
    file = file_of(world, pool, end + rules.OBJECT_WITHIN)
    assert file.matches == {str(gift): 1_000}
    assert sum(bool(each.withheld) for each in file.gifts) == 11


def test_the_database_keeps_it_too(world: World, case: Any) -> None:
    _, id, _ = case
    statements = [
        ("INSERT INTO giving_case_end VALUES (%s, 'withheld', gen_random_uuid(), now())", "by two stewards"),
        ("INSERT INTO giving_case_end VALUES (%s, 'lapsed', gen_random_uuid(), '2026-11-26')", "has time left"),
        ("UPDATE giving_case SET kind = 'bot' WHERE id = %s", "append-only"),
        ("DELETE FROM giving_case_gift WHERE case_id = %s", "append-only"),
    ]
    for statement, why in statements:
        with pytest.raises(Exception, match=why), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement, [id])
    decide(world, id, withholds=True, at=LOOKED)
    for statement in (
        "INSERT INTO giving_case_gift SELECT %s, id, gen_random_uuid(), now() FROM giving_campaign LIMIT 1",
        "INSERT INTO giving_case_word VALUES (%s, gen_random_uuid(), true, 'x', gen_random_uuid(), now())",
    ):
        with pytest.raises(IntegrityError, match="has ended"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement, [id])


def test_an_objection_is_decided_by_others_also_by_sql(world: World, case: Any) -> None:
    _, id, found = case
    decide(world, id, withholds=True, at=LOOKED)
    with clock.stopped(LOOKED + HOUR):
        again = cases.object_to(found[0][0], id, world.campaign.id, found[0][1], "We are a boarding school.")
    word = "INSERT INTO giving_case_word VALUES (%s, %s, true, 'x', gen_random_uuid(), now())"
    for steward in world.stewards:
        with (
            pytest.raises(IntegrityError, match="has judged what case"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(word, [again, steward.id])
    fresh = others()
    assert set(queries.callees(queries.one(again))) == {steward.id for steward in fresh}
    with connection.cursor() as cursor:
        cursor.execute(word, [again, fresh[0].id])
    with clock.stopped(LOOKED + HOUR):
        assert cases.judge(fresh[1], again, withholds=True, note="Seen") is State.WITHHELD
        with pytest.raises(Conflict, match=r"objection\.over"):
            cases.object_to(found[0][0], again, world.campaign.id, found[0][1], "Once more")


def called(party: Party) -> list[str]:
    return [read_notice(each).title.en for each in Notice.objects.filter(party=party, kind="giving.call")]


def test_stewards_are_called_and_reminded_before_the_deadline(world: World, case: Any) -> None:
    """By notice (and mail, as every notice), those who can still say a word, and once."""
    _, id, found = case
    one, two = world.stewards
    with clock.stopped(LOOKED):
        jobs.call_stewards(case=str(id))
        assert called(one) == called(two) == ["Gifts to check before they are matched"]
        cases.judge(one, id, withholds=True, note="One telephone")
        cases.object_to(found[0][0], id, world.campaign.id, found[0][1], "We are a boarding school.")
        jobs.call_stewards(case=str(id), objection=True)
        assert (len(called(one)), called(two)[-1]) == (1, "A giver objects: a match is to be decided")
    with clock.stopped(LOOKED + rules.DECIDE_WITHIN - rules.REMIND_BEFORE - HOUR):
        jobs.remind_stewards()
    assert len(called(two)) == 2, "not yet"
    for _ in range(2):
        with clock.stopped(LOOKED + rules.DECIDE_WITHIN - HOUR):
            jobs.remind_stewards()
    assert (len(called(one)), called(two)[2:]) == (1, ["A case lapses soon"])
    with connection.cursor() as cursor:
        cursor.execute("SELECT payload ->> 'case' FROM jobs_job WHERE task = 'giving.call_stewards'")
        assert cursor.fetchall() == [(str(id),)] * 2


def test_a_steward_who_reads_an_objection_is_on_record(world: World, case: Any) -> None:
    _, id, found = case
    with clock.stopped(LOOKED):
        cases.read(world.stewards[0], id)
        assert len(Views()) == 0
        cases.object_to(found[0][0], id, world.campaign.id, found[0][1], "We are a boarding school.")
        cases.read(world.stewards[0], id)
        (seen,) = Views().part(0, 10)
        assert (seen.what, seen.thing, seen.subject) == (What.OBJECTION, id, found[0][0].id)
        with pytest.raises(NotAllowed, match=r"role\.missing"):
            cases.read(world.giver, id)


def test_a_chargeback_that_was_won_is_no_refund(world: World, settings: Any) -> None:
    """The payment that it became stands for it, with the same device and card."""
    gift, simulator = ring(world, settings.HOME, 1)[0][1], Simulator(settings.HOME)
    asked = order(world, gift, 1_000)
    (row,) = queries.given(NOW - HOUR, NOW + HOUR)
    gifts.confirm("simulator", *simulator.report_chargeback(asked, NOW))
    (lost,) = queries.given(NOW - HOUR, NOW + HOUR)
    assert lost == replace(row, refunded_at=NOW.timestamp())
    with clock.stopped(NOW + DAY):
        gifts.confirm("simulator", *simulator.report_chargeback(asked, NOW + DAY, succeeded=False))
        (won,) = queries.given(NOW - HOUR, NOW + HOUR)
        assert won == replace(row, id=won.id)
        assert won.id != row.id
        assert rules.slot(NOW) in queries.changed_slots(NOW + HOUR, NOW + 2 * DAY)


@dataclass(frozen=True)
class Statement:
    """A provider's own books of a day, in which payments have payers."""

    lines: list[Entry]
    name: str = "simulator"
    zone: tzinfo = UTC

    def fetch_statement(self, day: date) -> list[Entry]:
        return self.lines

    def fetch_settlements(self, day: date) -> list[Settlement]:
        return []


def test_who_paid_may_be_told_later_but_not_of_who_is_forgotten(world: World, settings: Any) -> None:
    """By a second report of the same payment or by the day's statement; the window is looked at again."""
    simulator, later = Simulator(settings.HOME), NOW + 30 * HOUR
    people_of = [somebody(f"p{n}@test.example") for n in range(3)]
    orders = []
    for giver in people_of:
        wish = Give(world.campaign.id, giver.id, 500, "CNY", "simulator", "k")
        orders.append(order(world, gifts.give(wish).id, 500))
        assert gifts.confirm("simulator", *simulator.report(orders[-1], NOW)) is Told.PAID
    assert {row.payment for row in queries.given(NOW - HOUR, NOW + HOUR)} == {""}
    erasure.forget(people_of[2].id)
    with clock.stopped(later):
        told = simulator.report(orders[0], later, payer="card-1")
        assert gifts.confirm("simulator", *told) is Told.KNOWN
        entries = [Entry(Kind.PAYMENT, each.gift, 500, "CNY", f"r{n}", 0, "card-1") for n, each in enumerate(orders)]
        reconcile(Statement(entries), NOW.date())
        found = {row.id: row.payment for row in queries.given(NOW - HOUR, NOW + HOUR)}
        card = marks.mark("payment", "simulator:card-1").hex()
        assert [found.get(str(each.gift), "") for each in orders] == [card, card, ""]
        assert queries.changed_slots(later - HOUR, later + HOUR) == [rules.slot(NOW)]


def test_gifts_of_every_currency_are_looked_at(world: World, settings: Any) -> None:
    with clock.stopped(NOW - 30 * DAY):
        dollars = campaign_actions.publish(world.officer, plan(world.charity, filing_number="53329000A26003"))
    with connection.cursor() as cursor:  # plans are in yuan; what is published elsewhere may be in any money
        with unguarded(cursor):
            cursor.execute("UPDATE giving_campaign SET asset = 'USD' WHERE id = %s", [dollars.id])
            cursor.execute("DELETE FROM ledger_balance WHERE book = %s", [dollars.id])
            cursor.execute("DELETE FROM ledger_account WHERE book = %s", [dollars.id])
        campaign_actions.open_book(cursor, dollars.id, asset_of("USD"))
    dollars.refresh_from_db()
    made = ring(replace(world, campaign=dollars), settings.HOME)
    with clock.stopped(LOOKED):
        assert cases.watch() == 1
        (opened,) = queries.waiting()
    assert (opened.asset.code, opened.gifts, opened.campaign) == ("USD", len(made), dollars.id)


def crowd(world: World) -> list[uuid.UUID]:
    """A day of sixty people who give four times each, what they like."""
    givers, made = [people.register_person().id for _ in range(60)], []
    for hour in range(20):
        with clock.stopped(NOW + hour * HOUR), connection.cursor() as cursor:
            wishes = [
                Give(world.campaign.id, givers[(12 * hour + n) % 60], 100 * (1 + (7 * n + hour) % 40), "CNY", COLLECTED,
                     f"h{hour}-{n}") for n in range(12)
            ]  # fmt: skip
            made += [taken.id for taken in gifts.take(cursor, wishes, clock.now()) if isinstance(taken, gifts.Taken)]
    return made


def test_a_promise_to_pay_back_from_the_gifts_to_the_file(world: World) -> None:
    """Forty strangers give one large sum within the hour: found, withheld by two, in the published file, told."""
    pool = open_pool(world, 10_000_000)
    simulator, bought = Simulator(settings.HOME), []
    for n in range(40):
        with clock.stopped(NOW + timedelta(seconds=70 * n + 9 * (n * n % 7))):
            giver = somebody(f"g{n}@test.example")
            wish = Give(world.campaign.id, giver.id, 100_000, "CNY", "simulator", f"b{n}", device=f"t{n}")
            gift = gifts.give(wish).id
            gifts.confirm("simulator", *simulator.report(order(world, gift, 100_000), clock.now(), payer=f"c{n}"))
            bought.append((giver, gift))
    honest = crowd(world)
    with clock.stopped(LOOKED):
        jobs.watch()
        (opened,) = queries.waiting()
        assert (opened.gifts, opened.kind.en) == (40, "Gifts that somebody pays back")
        assert "40 gifts of 1000.00 yuan" in queries.reasons(opened)[0].en
        assert "40 笔 1000.00 元的捐款" in queries.reasons(opened)[0].zh
    decide(world, opened.id, withholds=True, at=LOOKED)
    file = file_of(world, pool, OVER)
    assert {gift.withheld for gift in file.gifts if gift.id not in set(map(str, honest))} == {"return-gift"}
    assert set(file.matches or {}) == set(map(str, honest))
    with clock.stopped(LOOKED):
        (check,) = queries.of_gift(world.campaign.id, bought[0][1])
        assert (check.notes, check.may_object) == (("Seen", "Seen"), True)


def api(client: Client, path: str, by: Party, body: Any = None) -> Any:
    """What the API answers a party."""
    address = f"/api/v1/giving/{path}"
    if body is None:
        return client.get(address, headers=token(by))
    return client.post(address, json.dumps(body), content_type=JSON, headers=token(by))


def test_programs_list_open_decide_and_object(world: World, case: Any, client: Client) -> None:
    _, id, found = case
    giver, gift = found[0]
    mine = f"campaigns/{world.campaign.id}/gifts/{gift}/checks"
    one, two = world.stewards
    with clock.stopped(LOOKED):
        assert api(client, "cases", giver).status_code == api(client, f"cases/{id}", giver).status_code == 403
        (listed,) = api(client, "cases", one).json()
        assert (listed["id"], listed["state"], listed["gifts"]) == (str(id), "open", 12)
        assert listed["amount"] == {"amount": "120.66", "asset": "CNY"}
        whole = api(client, f"cases/{id}", one).json()
        assert len(whole["named"]) == 12 and whole["reasons"][0]["zh"] and str(giver.id) not in json.dumps(whole)
        (told,) = api(client, mine, giver).json()
        assert (told["state"], told["notes"], told["objected"]) == ("open", [], False)
        assert api(client, mine, world.giver).status_code == 404
        word = f"cases/{id}/words"
        assert api(client, word, giver, {"withholds": True, "note": "x"}).status_code == 403
        assert api(client, word, one, {"withholds": True}).json()["code"] == "text.empty"
        assert api(client, word, one, {"withholds": True, "note": "One", "more": 1}).status_code == 422
        assert api(client, word, one, {"withholds": True, "note": "One telephone"}).json()["state"] == "open"
        assert api(client, word, one, {"withholds": True, "note": "x"}).json()["code"] == "case.same-person"
        assert api(client, word, two, {"withholds": True, "note": "Three cards"}).json()["state"] == "withheld"
        assert api(client, word, two, {"withholds": False}).json()["code"] == "case.decided"
        assert [each["id"] for each in api(client, "cases?which=ended", one).json()] == [str(id)]
        assert api(client, mine, giver).json()[0]["notes"] == ["One telephone", "Three cards"]
        objections = f"{mine}/{id}/objections"
        assert api(client, objections, giver, {"words": " "}).json()["code"] == "text.empty"
        assert api(client, objections, world.giver, {"words": "x"}).status_code == 404
        answer = api(client, objections, giver, {"words": "We are a boarding school."})
        assert answer.status_code == 201
        again = answer.json()["id"]
        assert api(client, objections, giver, {"words": "Again"}).json()["code"] == "objection.over"
        whole = api(client, f"cases/{again}", one).json()
        assert (whole["objects_to"], whole["named"][0]["objection"]) == (str(id), "We are a boarding school.")
        refused = api(client, f"cases/{again}/words", one, {"withholds": False})
        assert (refused.status_code, refused.json()["code"]) == (403, "case.judged-before")
        fresh = others()
        assert api(client, f"cases/{again}/words", fresh[0], {"withholds": False}).json()["state"] == "open"
        assert api(client, f"cases/{again}/words", fresh[1], {"withholds": False}).json()["state"] == "cleared"
        assert api(client, f"cases/{uuid.uuid4()}", one).json()["code"] == "case.unknown"


def test_nobody_decides_on_their_own_gifts(world: World, case: Any) -> None:
    _, id, found = case
    company = pools.of(world.campaign.id)[0].company_id
    for party, within in ((found[0][0], None), (somebody("c@test.example"), company), (world.officer, None)):
        people.grant_role(party, people.STEWARD)
        if within:
            people.grant_role(party, people.OFFICER, Party.objects.get(id=within))
        with clock.stopped(LOOKED), pytest.raises(NotAllowed, match=r"case\.own"):
            cases.judge(party, id, withholds=False)


def test_a_public_text_opens_a_case_in_which_no_gift_waits(world: World) -> None:
    story = Text("Give 1000 and I pay you back tonight.", "先捐一千，全额返还。")
    with clock.stopped(NOW):
        campaign_actions.publish(world.officer, plan(world.charity, story=story, filing_number="53329000A26002"))
    with clock.stopped(NOW + HOUR):
        assert cases.watch() == 1
        (opened,) = queries.waiting()
        assert (opened.gifts, opened.kind.en) == (0, "Gifts that somebody pays back")
    with clock.stopped(NOW + 2 * HOUR):
        assert cases.watch() == 0


def test_a_team_whose_name_promises_money_back(world: World) -> None:
    """The name is sealed under its founder's key; it is public all the same, and the only words of a gift that are."""
    team = teams.found(world.giver, world.campaign.id, "全额返现小组")
    simulator = Simulator(settings.HOME)
    wish = Give(world.campaign.id, world.giver.id, 500, "CNY", "simulator", "t", team=team)
    gift = gifts.give(wish).id
    gifts.confirm("simulator", *simulator.report(order(world, gift, 500), NOW))
    with clock.stopped(LOOKED):
        assert cases.watch() == 1
        (opened,) = queries.waiting()
        assert [each.gift for each in queries.gifts(opened)] == [gift]
        assert "全额返" in queries.reasons(opened)[0].zh


def test_the_pages_and_what_the_giver_reads(world: World, case: Any, client: Client) -> None:
    pool, id, found = case
    giver, gift = found[0]
    mine = f"/zh/giving/{world.campaign.id}/gifts/{gift}/"
    with clock.stopped(LOOKED):
        client.force_login(giver.login)
        page = client.get(mine).content.decode()
        assert "您的捐款已全额到账；配捐待核查" in page and "3 个支付方式" in page
        assert (
            "arrived in full; its match waits for a check" in client.get(mine.replace("/zh/", "/en/")).content.decode()
        )
        assert client.post(f"{mine}object/{id}/", {"words": ""}).status_code == 422
        assert client.post(f"{mine}object/{id}/", {"words": "我们是寄宿学校。"}).status_code == 303
        assert "您的异议已送达审核员" in client.get(mine).content.decode()
        assert client.get("/zh/giving/cases/").status_code == client.get(f"/zh/giving/cases/{id}/").status_code == 403
        client.force_login(world.giver.login)
        assert client.post(f"{mine}object/{id}/", {"words": "x"}).status_code == 404
        address = f"/en/giving/cases/{id}/"
        for steward in world.stewards:
            client.force_login(steward.login)
            assert "1 objection<" in client.get("/en/giving/cases/").content.decode()
            page = client.get(address).content.decode()
            assert "我们是寄宿学校。" in page and str(giver.id) not in page
            assert client.post(address, {"word": "withhold", "note": ""}).status_code == 422
            assert client.post(address, {"word": "withhold", "note": "One telephone"}).status_code == 303
        assert client.post(address, {"word": "clear"}).status_code == 409
        assert client.get(f"/en/giving/cases/{uuid.uuid4()}/").status_code == 404
        page = client.get(f"/en/giving/{world.campaign.id}/pools/{pool}/").content.decode()
        assert "Gifts that two stewards took out" in page
        client.force_login(giver.login)
        page = client.get(mine.replace("/zh/", "/en/")).content.decode()
        assert "is not matched" in page and "One telephone" in page


def test_the_form_names_the_browser_and_programs_name_their_device(world: World, client: Client) -> None:
    form = {"choice": "5", "channel": "simulator", "key": "k1"}
    first = client.post(f"/zh/giving/{world.campaign.id}/give/", form)
    name = first.cookies["device"].value
    assert first.cookies["device"]["httponly"] and first.cookies["device"]["max-age"] == 90 * 86_400
    client.post(f"/zh/giving/{world.campaign.id}/give/", form | {"key": "k2"})
    address, body = f"/api/v1/giving/campaigns/{world.campaign.id}/gifts", json.dumps({"amount": "5", "asset": "CNY"})
    headers = token(world.giver) | {"Idempotency-Key": "k", "Device": name}
    assert client.post(address, body, content_type=JSON, headers=headers).status_code == 201
    assert client.post(address, body, content_type=JSON, headers=headers | {"Device": "x" * 65}).status_code == 422
    with connection.cursor() as cursor:
        cursor.execute("SELECT mark, count(*) FROM giving_mark GROUP BY mark")
        assert [(bytes(mark), number) for mark, number in cursor.fetchall()] == [(marks.mark("device", name), 3)]


@given(st.lists(st.booleans(), max_size=3), st.integers(-100, 100))
def test_an_outcome_needs_two_or_the_clock(words: list[bool], hours: int) -> None:
    found = rules.outcome(words, NOW, NOW + hours * HOUR)
    if words.count(True) >= 2:
        assert found is Outcome.WITHHELD
    elif words.count(False) >= 2:
        assert found is Outcome.CLEARED
    else:
        assert found is (Outcome.LAPSED if hours >= 0 else None)


@given(st.integers(0, 365 * 86_400))
def test_every_gift_is_whole_in_two_windows(seconds: int) -> None:
    at = NOW + timedelta(seconds=seconds)
    found = rules.windows([rules.slot(at)], at + 2 * rules.SLOT)
    assert len(found) == 2
    assert all(begin <= at < end and end - begin == 2 * rules.SLOT for begin, end in found)
    assert rules.windows([rules.slot(at)], at) == [], "no window is looked at before it is over"
