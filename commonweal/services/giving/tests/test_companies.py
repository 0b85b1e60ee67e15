"""A company's report: sums of quarters that are over, of three people and more; the campaigns that it makes its own."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from commonweal.kernel import clock
from commonweal.kernel.errors import Conflict, Gone, Invalid, NotAllowed, NotFound
from commonweal.kernel.parties import people
from commonweal.kernel.parties.models import Party
from commonweal.kernel.text import Text
from commonweal.services.giving.actions import deeds, gifts, givers, partners, returns
from commonweal.services.giving.queries import companies
from commonweal.services.giving.queries import partners as partner_queries
from commonweal.services.giving.rules import companies as rules
from commonweal.services.giving.rules import partners as partner_rules
from commonweal.services.giving.rules.deeds import Shift
from commonweal.services.giving.rules.gifts import COLLECTED, Give
from commonweal.services.giving.tests.conftest import DAY, NOW, World, somebody

NEW_YEAR = datetime(2026, 12, 31, 16, tzinfo=UTC)
"""When the fourth quarter of 2026 is over in China."""
HOUR = timedelta(hours=1)
KEYS = itertools.count()


@pytest.fixture(autouse=True)
def now() -> Iterator[None]:
    with clock.stopped(NOW):
        yield


@pytest.fixture
def company(world: World) -> Party:
    made = people.register_organisation(Text("Dianchi Tea", "滇池茶业"), "91530100TEST00001X")
    with clock.stopped(NOW - 30 * DAY):
        world_officer = somebody("boss@test.example")
        people.grant_role(world_officer, people.OFFICER, made)
    return made


@pytest.fixture
def boss(company: Party) -> Party:
    return Party.objects.get(login__email="boss@test.example")


@pytest.fixture
def staff(company: Party, boss: Party) -> list[Party]:
    found = [somebody(f"staff{n}@test.example") for n in range(4)]
    for one in found[:3]:
        givers.join(one, givers.company_link(boss, company))
    return found


def give(world: World, giver: Party, amount: int) -> uuid.UUID:
    return gifts.give(Give(world.campaign.id, giver.id, amount, "CNY", COLLECTED, f"k{next(KEYS)}")).id


def test_quarters_follow_one_another() -> None:
    zone = ZoneInfo("Asia/Shanghai")
    starts = [rules.quarter_start(2026, quarter, zone) for quarter in range(1, 6)]
    assert [(each.year, each.month) for each in starts] == [(2026, 1), (2026, 4), (2026, 7), (2026, 10), (2027, 1)]
    assert [rules.over(2026, moment, zone) for moment in (starts[0], starts[3], NOW, NEW_YEAR)] == [0, 3, 3, 4]
    assert rules.over(2027, NEW_YEAR, zone) == 0


@given(st.lists(st.integers(1, 6), max_size=20))
def test_nothing_is_told_of_fewer_than_three(counts: list[int]) -> None:
    sums = [rules.Sum(1, uuid.uuid4(), "CNY", count, count, 100) for count in counts]
    told, kept = rules.tellable(sums)
    assert len(told) + len(kept) == len(counts)
    assert all(each.people >= 3 for each in told) and all(each.people < 3 for each in kept)


def test_a_quarter_is_told_once_it_is_over_and_then_stays(world: World, company: Party, staff: list[Party]) -> None:
    with clock.stopped(NOW - DAY):
        give(world, staff[0], 99)  # before they joined
    for one in staff[:2]:
        give(world, one, 1_000)
    give(world, staff[3], 5_000)  # never joined
    with clock.stopped(NEW_YEAR):
        report = companies.report(company.id, 2026)
        assert (report.gifts, report.kept_back, report.next) == ([], 1, None), "two people are not told of"
    last = give(world, staff[2], 700)
    returns.refund(world.officer, world.campaign.id, last, 200, "asked for", "r1")
    report = companies.report(company.id, 2026)
    assert (report.gifts, report.kept_back, report.next) == ([], 0, NEW_YEAR), "the quarter is not over"
    with clock.stopped(NEW_YEAR):
        told = companies.report(company.id, 2026)
        (line,) = told.gifts
        assert (line.quarter, line.people, line.number, line.amount) == (4, 3, 3, 2_500)
        assert [(asset.code, amount) for asset, amount in told.totals] == [("CNY", 2_500)]
        returns.refund(world.officer, world.campaign.id, last, 500, "asked for", "r2")
        givers.leave(staff[0], company)
        later = companies.report(company.id, 2026)
        assert (later.gifts, later.employees) == (told.gifts, 2), "what was told does not change: changes name people"
        assert companies.years(company.id) == [2027, 2026]
        assert companies.report(company.id, 2027).gifts == []


def work(world: World, one: Party, minutes: int, begins: datetime) -> uuid.UUID:
    shift = deeds.call(world.officer, world.campaign.id, Text("Paint", "刷墙"), Shift(begins, begins + 2 * HOUR, 9))
    deeds.sign_up(one, shift)
    with clock.stopped(begins):
        deeds.check_in(one, shift)
    with clock.stopped(begins + 2 * HOUR):
        deeds.confirm(world.officer, shift, one.id, minutes)
    return shift


def test_confirmed_minutes_are_exact(world: World, company: Party, staff: list[Party]) -> None:
    shifts = [work(world, one, minutes, NOW + DAY) for one, minutes in zip(staff, (61, 62, 63, 90), strict=True)]
    work(world, staff[0], 7, NOW + 2 * DAY)
    with clock.stopped(NOW + 2 * DAY):
        deeds.dispute(staff[1], shifts[1], 100)
        deeds.decide(world.stewards[0], shifts[1], staff[1].id, 99)
    with clock.stopped(NEW_YEAR + DAY):
        (line,) = companies.report(company.id, 2026).hours
        assert (line.people, line.number, line.amount, line.asset.code) == (3, 4, 61 + 99 + 63 + 7, "MINUTES")


def test_two_volunteers_are_not_told_of_and_no_minutes_do_not_count(
    world: World, company: Party, staff: list[Party]
) -> None:
    for one, minutes in zip(staff, (61, 62, 0), strict=False):
        work(world, one, minutes, NOW + DAY)
    with clock.stopped(NEW_YEAR):
        report = companies.report(company.id, 2026)
        assert (report.hours, report.kept_back, report.totals) == ([], 1, [])


def test_joining_by_a_link(world: World, company: Party, boss: Party) -> None:
    link = givers.company_link(boss, company)
    with pytest.raises(NotAllowed):
        givers.company_link(world.giver, company)
    with clock.stopped(NOW + 31 * DAY), pytest.raises(Gone, match=r"link\.over"):
        givers.join(world.giver, link)
    with pytest.raises(Invalid, match=r"link\.form"):
        givers.join(world.giver, link[:-1])


def test_a_company_makes_a_campaign_its_own(world: World, company: Party, boss: Party) -> None:
    campaign = world.campaign.id
    with pytest.raises(NotAllowed):
        partners.propose(world.giver, company, campaign)
    with pytest.raises(NotFound):
        partners.propose(world.officer, world.charity, campaign)  # its own campaign
    partners.propose(boss, company, campaign)
    partners.propose(boss, company, campaign)
    assert partner_queries.accepted(campaign) == []
    with pytest.raises(NotAllowed):
        partners.answer(boss, campaign, company.id, accepts=True)
    people.grant_role(boss, people.OFFICER, world.charity)
    with pytest.raises(NotAllowed, match=r"partner\.own"):
        partners.answer(boss, campaign, company.id, accepts=True)
    with pytest.raises(NotFound, match=r"partner\.unknown"):
        partners.answer(world.officer, campaign, uuid.uuid4(), accepts=True)
    partners.answer(world.officer, campaign, company.id, accepts=True)
    assert [each.name.en for each in partner_queries.accepted(campaign)] == ["Dianchi Tea"]
    with pytest.raises(Conflict, match=r"partner\.answered"):
        partners.answer(world.officer, campaign, company.id, accepts=False)
    with clock.stopped(NOW + 60 * DAY), pytest.raises(Conflict):
        partners.propose(boss, company, campaign)


def test_nobody_answers_themselves_by_sql(world: World, company: Party, boss: Party) -> None:
    partners.propose(boss, company, world.campaign.id)
    with pytest.raises(IntegrityError, match="does not answer"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO giving_partner_word SELECT campaign, company, by, true, company, now() FROM giving_partner"
        )


@pytest.mark.parametrize(("language", "word"), [("zh", "志愿时长"), ("en", "confirmed by the receiving side")])
def test_the_doors(
    client: Client, world: World, company: Party, boss: Party, staff: list[Party], language: str, word: str
) -> None:
    home = f"/{language}/giving"
    for one in staff[:3]:
        work(world, one, 60, NOW + DAY)
    client.force_login(staff[3].login)
    join = f"{home}/company/join/{givers.company_link(boss, company)}/"
    assert client.get(join).status_code == 200
    assert client.post(join).status_code == 303
    assert client.get(f"{home}/company/{company.id}/2026/").status_code == 404
    client.force_login(boss.login)
    assert "/2026/" in client.get(f"{home}/company/").content.decode()
    with clock.stopped(NEW_YEAR):
        client.force_login(boss.login)
        page = client.get(f"{home}/company/{company.id}/2026/").content.decode()
        assert word in page and "180" in page and not any(str(one.id) in page for one in staff)
        token = people.make_token(boss, "t")
        headers = {"Authorization": f"Bearer {token}"}
        said = client.get(f"/api/v1/giving/companies/{company.id}/reports/2026", headers=headers).json()
        assert [(each["people"], each["amount"]) for each in said["lines"]] == [
            (3, {"amount": "180", "asset": "MINUTES"})
        ]
    address = f"{home}/{world.campaign.id}/partners/"
    assert client.post(address, {"company": "me"}).status_code == 422
    assert client.post(address, {"company": str(company.id)}).status_code == 303
    client.force_login(world.officer.login)
    assert company.name.say(language) in client.get(address).content.decode()
    assert client.post(f"{address}{company.id}/", {"word": "accept"}).status_code == 303
    assert client.post(f"{address}{company.id}/", {"word": "decline"}).status_code == 409
    client.logout()
    assert partner_rules.SOURCE.say(language) in client.get(address).content.decode()
    assert company.name.say(language) in client.get(f"{home}/{world.campaign.id}/").content.decode()
    (said,) = client.get(f"/api/v1/giving/campaigns/{world.campaign.id}/partners").json()
    assert said["company"] == str(company.id)
