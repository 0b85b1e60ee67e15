"""The clock of disclosure and the yearly figures: the rule, the database and the page say the same."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, connection, transaction
from django.test import Client
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from commonweal.kernel import clock
from commonweal.kernel.errors import Conflict, Invalid
from commonweal.kernel.ledger import Transfer, post, request_hash
from commonweal.kernel.text import Text
from commonweal.services.giving.actions import books, campaigns, gifts, years
from commonweal.services.giving.models import Campaign
from commonweal.services.giving.queries import campaigns as queries
from commonweal.services.giving.queries import deadlines
from commonweal.services.giving.queries import years as year_queries
from commonweal.services.giving.rules import law, spending
from commonweal.services.giving.rules.gifts import COLLECTED, Give
from commonweal.services.giving.rules.plans import Telling
from commonweal.services.giving.tests.conftest import DAY, NOW, World, picture, plan
from commonweal.services.giving.tests.test_doors import JSON, token

MOMENTS = st.integers(1_577_836_800, 2_240_524_800).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
"""From 2020 to 2040."""
REPORT = Telling(Text("Report", "报告"), Text("All is well.", "一切顺利。"), report=True)


@pytest.fixture(autouse=True)
def now() -> Iterator[None]:
    with clock.stopped(NOW):
        yield


@given(MOMENTS, st.timedeltas(timedelta(seconds=1), timedelta(days=1500)), st.none() | MOMENTS)
@example(datetime(2025, 8, 31, tzinfo=UTC), timedelta(days=181), None)
@example(datetime(2027, 11, 29, 23, 59, 59, tzinfo=UTC), timedelta(days=400), datetime(2028, 2, 29, tzinfo=UTC))
@settings(max_examples=400, suppress_health_check=list(HealthCheck), deadline=None)
def test_the_database_and_the_law_name_the_same_deadline(
    db: None, opens_at: datetime, lasts: timedelta, report: datetime | None
) -> None:
    closes_at = opens_at + lasts
    with connection.cursor() as cursor:
        cursor.execute("SELECT giving_next_report(%s, %s, %s)", [opens_at, closes_at, report])
        (found,) = cursor.fetchone()
    assert found == law.next_report(opens_at, closes_at, [report] if report else [])


def long_campaign(world: World) -> Campaign:
    with clock.stopped(NOW - 40 * DAY):
        return campaigns.publish(
            world.officer,
            plan(
                world.charity, filing_number="X-LONG", opens_at=NOW, closes_at=NOW + 300 * DAY, filed_at=NOW - 60 * DAY
            ),
        )


def insert(campaign: Campaign, at: datetime) -> None:
    """A gift by hand: with its transfer, without the action that checks."""
    id, key = uuid.uuid4(), f"by hand {at}"
    with transaction.atomic(), connection.cursor() as cursor:
        legs = books.move(books.provider(campaign.id, "CNY", COLLECTED), books.received(campaign.id, "CNY"), 500)
        try:
            post(cursor, [Transfer(campaign.id, key, request_hash(key), "giving.gift", legs, at, id=id)])
            cursor.execute(
                "INSERT INTO giving_gift (book, id, giver, amount, channel, at) VALUES (%s, %s, NULL, 500, 'x', %s)",
                [campaign.id, id, at],
            )
        finally:
            transaction.set_rollback(True)


def test_a_late_report_refuses_a_hand_written_gift_to_the_second(world: World) -> None:
    campaign = long_campaign(world)
    due = law.next_report(campaign.opens_at, campaign.closes_at, [])
    assert due is not None
    insert(campaign, due - timedelta(seconds=1))
    with pytest.raises(IntegrityError, match="owes the public a report"):
        insert(campaign, due)
    with clock.stopped(due), pytest.raises(Conflict, match=r"campaign\.report-late"):
        gifts.give(Give(campaign.id, world.giver.id, 500, "CNY", COLLECTED, "k"))
    with clock.stopped(due + timedelta(seconds=1)):
        campaigns.tell(world.officer, campaign.id, Telling(Text("News", "消息"), Text("No report.", "不是报告。")))
        with pytest.raises(IntegrityError, match="owes the public a report"):
            insert(campaign, clock.now())
        campaigns.tell(world.officer, campaign.id, REPORT)
        insert(campaign, clock.now())
        gifts.give(Give(campaign.id, world.giver.id, 500, "CNY", COLLECTED, "k"))


def test_after_the_final_report_nothing_is_owed(world: World) -> None:
    end = world.campaign.closes_at
    with clock.stopped(end + 100 * DAY):
        assert [each.late for each in deadlines.of_organisations([world.charity.id])] == [True]
        campaigns.tell(world.officer, world.campaign.id, REPORT)
        assert deadlines.of_organisations([world.charity.id]) == []
        assert queries.card(world.campaign.id).standing.report_due is None


FUND = spending.Form.FOUNDATION
MILLION = 1_000_000_00


def test_the_limits_are_kept_by_last_years_income_or_the_mean_of_three() -> None:
    def year(income: int, programme: int) -> spending.Year:
        return spending.Year(FUND, income, 10 * MILLION, programme, MILLION)

    years_of = {2022: year(MILLION, 0), 2023: year(MILLION, 0), 2024: year(4 * MILLION, 0)}
    kept = {programme: spending.programme(years_of | {2025: year(0, programme)}, 2025) for programme in
            (140 * MILLION // 100 - 1, 140 * MILLION // 100)}  # fmt: skip
    assert [ratio and ratio.kept for ratio in kept.values()] == [False, True], "70 % of the mean of two million"
    assert spending.programme({2025: year(0, 1)}, 2025) is None
    del years_of[2022]
    ratio = spending.programme(years_of | {2025: year(0, 279 * MILLION // 100)}, 2025)
    assert ratio == spending.Ratio(69, 70, False), "without three years the last one alone counts"


@pytest.mark.parametrize(
    ("form", "cost", "kept"),
    [
        (FUND, 1_000_000_00, True),
        (FUND, 1_000_000_01, False),
        (spending.Form.SERVICE, 1_300_000_00, True),
        (spending.Form.ASSOCIATION, 1_300_000_01, False),
        (FUND, 199_999_99, None),
    ],
)
def test_management_cost_beside_its_limit(form: spending.Form, cost: int, kept: bool | None) -> None:
    ratio = spending.management(spending.Year(form, 0, 10 * MILLION, 0, cost))
    assert ratio is not None and ratio.kept is kept
    assert spending.management(spending.Year(form, 0, 0, 0, 0)) is None


@given(st.lists(st.integers(-1, 9), min_size=4, max_size=4))
def test_parts_are_never_more_than_the_whole(amounts: list[int]) -> None:
    right = min(amounts) >= 0 and amounts[2] + amounts[3] <= amounts[1]
    try:
        spending.check(spending.Year(FUND, *amounts))
    except Invalid as refused:
        assert refused.code == "year.sums" and not right
    else:
        assert right


FORM = {"year": "2025", "form": "foundation", "income": "1000000", "spending": "900000", "programme": "800000",
        "management": "50000"}  # fmt: skip


def accounts() -> SimpleUploadedFile:
    return SimpleUploadedFile("accounts.png", picture(), "image/png")


def test_a_charity_states_its_years_and_corrects_in_the_open(world: World, client: Client) -> None:
    address = f"/en/giving/charity/{world.charity.id}/years/"
    client.force_login(world.giver.login)
    assert client.get(address).status_code == 404
    client.force_login(world.officer.login)
    assert client.get(address).status_code == 200
    assert client.post(address, FORM).status_code == 422
    for wrong in ({"year": "2026"}, {"year": "x"}, {"form": "bank"}, {"programme": "900000"}, {"income": "-1"}):
        assert client.post(address, FORM | {"accounts": accounts()} | wrong).status_code == 422, wrong
    for year, programme in (("2024", "650000"), ("2025", "700000"), ("2025", "699999")):
        told = FORM | {"year": year, "programme": programme, "accounts": accounts()}
        assert client.post(address, told).status_code == 303
    client.logout()
    page = client.get(f"/en/giving/organisations/{world.charity.id}/").content.decode()
    assert "corrected" in page and "below 70 %" in page and "no limit applies" in page
    newest, oldest = client.get(f"/api/v1/giving/charities/{world.charity.id}/years").json()
    assert (newest["corrections"], newest["programme_of_last_income"]["kept"]) == (1, False)
    assert oldest["programme_of_last_income"] is None
    body = {name: FORM[name] for name in FORM if name != "year"} | {
        "year": 2025,
        "accounts": base64.b64encode(picture()).decode(),
    }
    api = f"/api/v1/giving/charities/{world.charity.id}/years"
    sent = [
        client.post(api, json.dumps(body), content_type=JSON, headers=token(by)).status_code
        for by in (world.giver, world.officer)
    ]
    assert sent == [403, 204]
    assert year_queries.of(world.charity.id)[0].corrections == 2


def test_what_was_stated_stays(world: World) -> None:
    years.state(world.officer, world.charity.id, 2025, spending.Year(FUND, 1, 1, 1, 0), picture())
    for change in ("UPDATE giving_year SET income = 2", "DELETE FROM giving_year"):
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(change)
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO giving_year SELECT organisation, year, 2, form, income, 1, 1, 1, accounts, stated_by, fact, "
            "at FROM giving_year"
        )
