"""Recurring gifts: the calendar by hypothesis, renewal on a real database, and CiviCRM's failures by name."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from commonweal.kernel import clock
from commonweal.kernel.errors import Conflict, Invalid, NotFound
from commonweal.kernel.jobs import run_due
from commonweal.kernel.ledger import audit
from commonweal.kernel.notices.inbox import inbox
from commonweal.kernel.parties import erasure, people
from commonweal.services.giving import jobs
from commonweal.services.giving.actions import agreements, gifts, recurring, returns
from commonweal.services.giving.models import Campaign
from commonweal.services.giving.payment import Agreeing, Order
from commonweal.services.giving.payment import recurring as provider
from commonweal.services.giving.payment.simulator import Simulator
from commonweal.services.giving.queries import gifts as gift_queries
from commonweal.services.giving.queries import recurring as queries
from commonweal.services.giving.rules import campaigns as campaign_rules
from commonweal.services.giving.rules import recurring as rules
from commonweal.services.giving.rules.gifts import Give, Outcome, State
from commonweal.services.giving.rules.recurring import Cause, Charge, Every, Said, Standing, Word
from commonweal.services.giving.tests.conftest import DAY, NOW, World

CHINA = ZoneInfo("Asia/Shanghai")
moments = st.datetimes(datetime(2000, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 (it adds one)
often = st.sampled_from(list(Every))


# Rules


@given(moments, often, st.integers(0, 1200))
def test_periods_neither_drift_nor_repeat(first: datetime, every: Every, period: int) -> None:
    begin, end = (rules.due(first, every, each, CHINA) for each in (period, period + 1))
    if every is Every.WEEK:
        assert end - begin == timedelta(days=7)
    else:
        assert timedelta(days=28) <= end - begin <= timedelta(days=31)
        local = first.astimezone(CHINA)
        assert begin.day == local.day or (begin + DAY).day == 1, "the same day, or the last of a shorter month"
        assert begin.timetz() == local.timetz()
    for moment in (begin, end - timedelta(microseconds=1)):
        assert rules.period_of(first, every, moment, CHINA) == period


def test_the_thirty_first_comes_back() -> None:
    first = datetime(2026, 1, 31, 12, tzinfo=CHINA)
    days = [rules.due(first, Every.MONTH, n, CHINA).date() for n in range(5)]
    assert days == [date(2026, 1, 31), date(2026, 2, 28), date(2026, 3, 31), date(2026, 4, 30), date(2026, 5, 31)]


@given(moments, often, st.lists(st.tuples(st.sampled_from(list(Word)), st.integers(0, 200)), max_size=12))
def test_only_what_is_running_is_charged_and_nothing_that_was_missed(
    first: datetime, every: Every, steps: list[tuple[Word, int]]
) -> None:
    words, at, charged = [Said(Word.AGREED, Cause.GIVER, first)], first, set()
    for word, days in steps:
        at += timedelta(days=days)
        found = rules.after(500, words)
        period = rules.to_charge(found, every, at, CHINA)
        if period is not None:
            assert found.standing is Standing.ACTIVE and found.since is not None
            due = rules.due(first, every, period, CHINA)
            assert found.since <= due <= at < rules.due(first, every, period + 1, CHINA), "the current one alone"
            charged.add(period)
        try:
            rules.check_word(found, word)
        except Conflict:
            continue
        words.append(Said(word, Cause.GIVER, at, 700 if word is Word.CHANGED else None))
    ended = rules.after(500, words)
    assert (ended.standing is Standing.ENDED) == (words[-1].word is Word.ENDED)


@given(st.integers(1, 9), moments, st.integers(0, 40))
def test_retries_stop_before_the_next_period(attempt: int, failed: datetime, days: int) -> None:
    following = failed + timedelta(days=days)
    again = rules.retry_at(attempt, failed, following)
    assert again is None or (failed < again < following and attempt <= 3)
    assert (again is None) == (attempt > 3 or days <= (1, 3, 7)[attempt - 1])


def test_a_campaign_that_is_over_ends_it_and_one_in_trouble_pauses_it() -> None:
    said = {state: rules.halt(state) for state in campaign_rules.State}
    assert {state for state, word in said.items() if word is Word.ENDED} == {"closed", "stopped", "history"}
    assert [state for state, word in said.items() if word is None] == ["open"]


# Actions


@pytest.fixture(autouse=True)
def now() -> Iterator[None]:
    with clock.stopped(NOW):
        yield


@pytest.fixture
def simulator(settings: Any) -> Simulator:
    return Simulator(settings.HOME)


@pytest.fixture
def long(world: World) -> World:
    """A campaign that runs for a year and owes no report within it."""
    Campaign.objects.filter(pk=world.campaign.id).update(closes_at=NOW + 150 * DAY)
    return world


def begun(world: World, key: str = "k", **changes: Any) -> uuid.UUID:
    wish: dict[str, Any] = {"amount": 500, "asset": "CNY", "every": Every.MONTH, "channel": "simulator"}
    return recurring.begin(world.giver, recurring.Wish(world.campaign.id, **(wish | changes)), key)


def agree(world: World, simulator: Simulator, id: uuid.UUID, charges: Charge = Charge.PAID) -> Outcome:
    found = queries.recurring_of(world.giver.id, world.campaign.id, id)
    agreeing = Agreeing(found.campaign, id, found.amount, "CNY", found.every, found.title)
    return gifts.confirm("simulator", *simulator.report_agreement(agreeing, clock.now(), charges))


def work() -> None:
    """What the clerk does until nothing is due."""
    jobs.renew()
    while run_due():
        pass


def later(days: float) -> Any:
    return clock.stopped(NOW + timedelta(days=days))


def standing(world: World, id: uuid.UUID) -> tuple[Standing, Cause | None]:
    found = queries.recurring_of(world.giver.id, world.campaign.id, id)
    return found.standing, found.rule.cause


def renewals(world: World, id: uuid.UUID) -> list[tuple[int, bool, int]]:
    return [(each.period, each.paid, each.failed) for each in reversed(queries.renewals(world.campaign.id, id))]


def titles(world: World) -> list[str]:
    return [message.title.en for message in inbox(world.giver)]


def test_agreed_once_and_given_every_month(long: World, simulator: Simulator) -> None:
    id = begun(long, foretold=True)
    assert begun(long, foretold=True) == id, "the same form sent twice is one wish"
    with pytest.raises(Conflict, match=r"key\.reused"):
        begun(long, amount=600)
    work()
    assert renewals(long, id) == [], "nothing before the payer has agreed"
    assert agree(long, simulator, id) is Outcome.AGREED
    assert agree(long, simulator, id) is Outcome.KNOWN
    work()
    assert renewals(long, id) == [(0, True, 0)]
    for days in (3, 26, 27):
        with later(days):
            work()
    assert renewals(long, id) == [(0, True, 0)]
    assert [title[-10:] for title in titles(long) if title.startswith("As you asked")] == ["2026-12-25"]
    with later(30):
        work()
    with later(31.5):
        work()
    assert renewals(long, id) == [(0, True, 0), (1, True, 0)]
    found = [gift_queries.gift(long.campaign.id, each.gift) for each in queries.renewals(long.campaign.id, id)]
    assert {each.state for each in found} == {State.PAID}
    with connection.cursor() as cursor:
        assert audit(cursor) == []


def test_a_way_to_pay_that_keeps_no_agreements_is_refused(long: World) -> None:
    with pytest.raises(Invalid, match=r"channel\.unknown"):
        begun(long, channel="carrier-pigeon")


def test_civicrm_duplicates_of_recurring_gifts(long: World, simulator: Simulator) -> None:
    """civicrm-core 7129, iats 228 and 258: a period is charged once, whatever runs twice or is broken off."""
    id = begun(long)
    agree(long, simulator, id)
    first = recurring.renew(long.campaign.id, id)
    assert first is not None and recurring.renew(long.campaign.id, id) is None
    with pytest.raises(RuntimeError), transaction.atomic():
        recurring.charge(long.campaign.id, id, 0, 1)
        raise RuntimeError  # the clerk dies after the provider has charged, before our commit
    assert renewals(long, id) == [(0, False, 0)]
    recurring.charge(long.campaign.id, id, 0, 1)
    recurring.charge(long.campaign.id, id, 0, 1)
    recurring.charge(long.campaign.id, id, 0, 2)
    assert renewals(long, id) == [(0, True, 0)]
    order = Order(long.campaign.id, first, 500, "CNY", long.campaign.title)
    assert gifts.confirm("simulator", *simulator.report(order, NOW)) is Outcome.KNOWN, "its callback comes, too"
    assert [each.gift for each in simulator.fetch_statement(NOW.date())].count(first) == 1
    with later(31):  # a second clerk, and a clerk that was away for a month
        jobs.renew()
        jobs.renew()
        work()
    with later(95):
        work()
    assert renewals(long, id) == [(0, True, 0), (1, True, 0), (3, True, 0)], "what was missed is not caught up"


def test_civicrm_a_copied_receipt_number(long: World, simulator: Simulator) -> None:
    """donrec 104: each renewal is a gift of its own, with its own number, place and leaf."""
    id = begun(long, every=Every.WEEK)
    agree(long, simulator, id)
    for days in (0, 7.5, 14.5):
        with later(days):
            work()
            jobs.lay()
    found = [gift_queries.gift(long.campaign.id, each.gift) for each in queries.renewals(long.campaign.id, id)]
    assert len({each.id for each in found}) == len({each.fact for each in found}) == 3
    assert sorted(each.nth or 0 for each in found) == [1, 2, 3]


def test_civicrm_a_refunded_gift_is_not_reverified(long: World, simulator: Simulator) -> None:
    """iats 209: after a refund no late callback and no renewal makes the gift paid again."""
    id = begun(long)
    agree(long, simulator, id)
    work()
    (renewal,) = queries.renewals(long.campaign.id, id)
    returns.refund(long.officer, long.campaign.id, renewal.gift, 500, "Asked for", "r")
    work()
    order = Order(long.campaign.id, renewal.gift, 500, "CNY", long.campaign.title)
    assert gifts.confirm("simulator", *simulator.report(order, NOW)) is Outcome.KNOWN
    recurring.charge(long.campaign.id, id, 0, 1)
    assert gift_queries.gift(long.campaign.id, renewal.gift).state is State.RETURNED
    with later(30.5):
        work()
    assert gift_queries.gift(long.campaign.id, renewal.gift).state is State.RETURNED
    assert renewals(long, id) == [(0, True, 0), (1, True, 0)]


def test_want_of_money_is_tried_three_times_more_then_paused_kindly(long: World, simulator: Simulator) -> None:
    id = begun(long)
    agree(long, simulator, id, Charge.INSUFFICIENT)
    seen = []
    for days in (0, 0.5, 1.1, 2, 4.2, 5, 11.3, 12):
        with later(days):
            work()
        seen.append(renewals(long, id)[0][2])
    assert seen == [1, 1, 2, 2, 3, 3, 4, 4]
    assert standing(long, id) == (Standing.PAUSED, Cause.FAILED)
    (told,) = [message for message in inbox(long.giver) if message.kind == "giving.recurring"]
    assert "Nothing is owed" in told.body.en and "没有任何欠款" in told.body.zh
    with later(35):
        work()
        assert [period for period, _, _ in renewals(long, id)] == [0], "what is paused is not charged"
        agree(long, simulator, id)  # another card
        work()
    assert standing(long, id) == (Standing.ACTIVE, None)
    with later(62):
        work()
    assert renewals(long, id)[-1] == (2, True, 0)


def test_money_that_comes_at_the_second_try(long: World, simulator: Simulator) -> None:
    id = begun(long)
    agree(long, simulator, id, Charge.INSUFFICIENT)
    work()
    (renewal,) = queries.renewals(long.campaign.id, id)
    (simulator.home / "simulator" / "agreements" / f"agreement-{id.hex}").write_text(Charge.PAID)
    with later(1.1):
        jobs.expire()
        work()
    assert renewals(long, id) == [(0, True, 1)]
    assert gift_queries.gift(long.campaign.id, renewal.gift).state is State.PAID


def test_a_card_that_is_gone_pauses_at_once_and_needs_a_new_agreement(long: World, simulator: Simulator) -> None:
    id = begun(long)
    agree(long, simulator, id, Charge.GONE)
    work()
    assert standing(long, id) == (Standing.PAUSED, Cause.GONE)
    with pytest.raises(Conflict, match=r"recurring\.agreement"):
        agreements.say(long.giver, long.campaign.id, id, Word.RESUMED)
    assert queries.recurring_of(long.giver.id, long.campaign.id, id).needs_agreement


def test_the_payer_takes_the_agreement_back(long: World, simulator: Simulator) -> None:
    id = begun(long)
    agree(long, simulator, id)
    work()
    assert agree(long, simulator, id, Charge.REVOKED) is Outcome.REVOKED
    assert agree(long, simulator, id, Charge.REVOKED) is Outcome.KNOWN
    assert standing(long, id) == (Standing.ENDED, Cause.REVOKED)
    with later(40):
        work()
    assert len(renewals(long, id)) == 1


def test_revoked_where_only_the_charge_tells(long: World, simulator: Simulator) -> None:
    id = begun(long)
    agree(long, simulator, id)
    provider("simulator").cancel(f"agreement-{id.hex}")
    work()
    assert standing(long, id) == (Standing.ENDED, Cause.REVOKED)


def test_its_giver_pauses_resumes_changes_and_ends(long: World, simulator: Simulator) -> None:
    id, book = begun(long), long.campaign.id
    with pytest.raises(Conflict, match=r"recurring\.not-now"):
        agreements.say(long.giver, book, id, Word.PAUSED)
    agree(long, simulator, id)
    work()
    with pytest.raises(NotFound, match=r"recurring\.unknown"):
        agreements.say(long.officer, book, id, Word.ENDED)
    assert agreements.say(long.giver, book, id, Word.PAUSED) is Standing.PAUSED
    with later(31):
        work()
        assert agreements.say(long.giver, book, id, Word.RESUMED) is Standing.ACTIVE
        with pytest.raises(Invalid, match=r"amount\.too-large"):
            agreements.say(long.giver, book, id, Word.CHANGED, 10**9)
        agreements.say(long.giver, book, id, Word.CHANGED, 800)
        work()
    assert len(renewals(long, id)) == 1, "the month of the pause is not charged after it"
    with later(62):
        work()
    assert [each.amount for each in queries.renewals(book, id)] == [800, 500]
    with later(63):
        assert agreements.say(long.giver, book, id, Word.ENDED) is Standing.ENDED
        with pytest.raises(Conflict, match=r"recurring\.ended"):
            agreements.say(long.giver, book, id, Word.RESUMED)
        work()
    assert not simulator.agreed(id), "the provider has its agreement back"


@pytest.mark.parametrize(("field", "ends"), [("closes_at", True), ("stopped_at", True), ("opens_at", False)])
def test_it_stops_when_the_campaign_takes_no_gifts(long: World, simulator: Simulator, field: str, ends: bool) -> None:
    id = begun(long)
    agree(long, simulator, id)
    work()
    Campaign.objects.filter(pk=long.campaign.id).update(**{field: NOW + 10 * DAY if ends else NOW + 60 * DAY})
    with later(31):
        work()
    assert standing(long, id) == (Standing.ENDED if ends else Standing.PAUSED, Cause.CAMPAIGN)
    assert len(renewals(long, id)) == 1
    assert any("has ended" in title if ends else "is paused" in title for title in titles(long))


def test_a_retry_does_not_charge_for_a_campaign_that_has_closed(long: World, simulator: Simulator) -> None:
    id = begun(long)
    agree(long, simulator, id, Charge.INSUFFICIENT)
    work()
    (simulator.home / "simulator" / "agreements" / f"agreement-{id.hex}").write_text(Charge.PAID)
    Campaign.objects.filter(pk=long.campaign.id).update(closes_at=NOW + DAY)
    with later(2):
        while run_due():
            pass
    assert renewals(long, id) == [(0, False, 1)]
    assert standing(long, id) == (Standing.ENDED, Cause.CAMPAIGN)


def test_whoever_is_forgotten_is_charged_no_more(long: World, simulator: Simulator) -> None:
    id = begun(long)
    agree(long, simulator, id)
    work()
    erasure.forget(long.giver.id)
    found = queries.find(long.campaign.id, id)
    assert found is not None and (found.standing, found.rule.cause) == (Standing.ENDED, Cause.FORGOTTEN)
    with later(40):
        work()
    assert len(renewals(long, id)) == 1


# The database keeps it, too


def sql(statement: str, **values: Any) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, values)


RENEWAL = """INSERT INTO giving_renewal (book, recurring, period, gift, due, at)
             VALUES (%(book)s, %(id)s, %(period)s, %(gift)s, now(), now())"""


def test_raw_sql_cannot_renew_twice_nor_otherwise_than_agreed(long: World, simulator: Simulator) -> None:
    id, book = begun(long), long.campaign.id
    agree(long, simulator, id)
    work()
    (renewal,) = queries.renewals(book, id)
    other = gifts.give(Give(book, long.giver.id, 700, "CNY", "simulator", "o")).id
    same = gifts.give(Give(book, long.giver.id, 500, "CNY", "simulator", "s")).id
    stranger = gifts.give(Give(book, long.officer.id, 500, "CNY", "simulator", "s")).id
    for period, gift, why in ((0, same, "duplicate key"), (1, renewal.gift, "duplicate key"), (1, other, "agreed"),
                              (1, stranger, "agreed")):  # fmt: skip
        with pytest.raises(IntegrityError, match=why):
            sql(RENEWAL, book=book, id=id, period=period, gift=gift)
    agreements.say(long.giver, book, id, Word.PAUSED)
    with pytest.raises(IntegrityError, match="not running"):
        sql(RENEWAL, book=book, id=id, period=1, gift=same)
    agreements.say(long.giver, book, id, Word.ENDED)
    with pytest.raises(IntegrityError, match="has ended"):
        sql(
            """INSERT INTO giving_recurring_word (book, id, nth, word, cause, fact, at)
               VALUES (%(book)s, %(id)s, 9, 'resumed', 'giver', %(id)s, now())""",
            book=book, id=id,
        )  # fmt: skip
    for statement in ("UPDATE giving_recurring SET amount = 1", "DELETE FROM giving_renewal"):
        with pytest.raises(IntegrityError, match="append-only"):
            sql(statement)


# Doors


def test_the_pages_begin_agree_and_end_in_two_clicks(long: World, client: Client) -> None:
    begin = f"/zh/giving/{long.campaign.id}/recurring/"
    form = {"choice": "5", "every": "month", "channel": "simulator", "key": "p1"}
    assert client.post(begin, form).status_code == 401, "whoever cannot sign in could not end it"
    client.force_login(long.giver.login)
    assert client.post(begin, form | {"amount": "1e3"}).status_code == 422
    sent = client.post(begin, form)
    assert sent.status_code == 303 and "/agree/" in sent["Location"]
    assert "同意扣款协议" in client.get(sent["Location"]).content.decode()
    agreed = client.post(sent["Location"], {"charges": "paid"})
    page = agreed["Location"]
    assert "进行中" in client.get(page).content.decode()
    assert "每月" in client.get("/zh/giving/mine/").content.decode()
    assert client.post(page, {"word": "change", "amount": "0"}).status_code == 422
    assert client.post(page, {"word": "burn"}).status_code == 422
    assert client.post(page, {"word": "change", "amount": "8.80"}).status_code == 303
    assert client.post(page, {"word": "end"}).status_code == 303
    assert "已结束" in client.get(page).content.decode()
    client.force_login(long.officer.login)
    assert client.get(page).status_code == 404


def test_programs_begin_and_end(long: World, client: Client) -> None:
    headers = {"Authorization": f"Bearer {people.make_token(long.giver, 'test')}", "Idempotency-Key": "r1"}
    address = f"/api/v1/giving/campaigns/{long.campaign.id}/recurring"

    def post(url: str, body: dict[str, Any]) -> Any:
        return client.post(url, json.dumps(body), content_type="application/json", headers=headers)

    made = post(address, {"amount": "5.00", "asset": "CNY", "every": "week"})
    assert made.status_code == 201 and made.json()["standing"] == "waiting" and "/agree/" in made.json()["agree"]
    assert post(address, {"amount": "5.00", "asset": "CNY", "every": "day"}).status_code == 422
    words = f"{address}/{made.json()['id']}/words"
    assert post(words, {"word": "pause"}).json()["code"] == "recurring.not-now"
    assert post(words, {"word": "end"}).json()["standing"] == "ended"
    assert [each["standing"] for each in client.get("/api/v1/giving/recurring", headers=headers).json()] == ["ended"]
