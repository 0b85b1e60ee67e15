"""The clock of disclosure warns, then stops; what was bought is asked after; the page of needs; spending shown."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from django.test import Client

from commonweal.kernel import clock
from commonweal.kernel.errors import Conflict
from commonweal.kernel.notices.inbox import inbox
from commonweal.kernel.text import Text
from commonweal.services.giving import jobs
from commonweal.services.giving.actions import campaigns, deeds
from commonweal.services.giving.models import Campaign
from commonweal.services.giving.queries import campaigns as campaign_queries
from commonweal.services.giving.queries import clocks as queries
from commonweal.services.giving.queries import deeds as deed_queries
from commonweal.services.giving.rules.plans import Telling
from commonweal.services.giving.tests.conftest import DAY, NOW, World, plan
from commonweal.services.giving.tests.test_doors import token
from commonweal.services.giving.tests.test_payouts import pay_out, put_in


@pytest.fixture(autouse=True)
def now() -> Iterator[None]:
    with clock.stopped(NOW):
        yield


def titles(world: World, campaign: Campaign) -> list[str]:
    told = [message for message in inbox(world.officer) if message.kind == "giving.deadline"]
    return [message.title.en for message in told if str(campaign.id) in message.link]


def test_a_late_report_is_warned_of_and_then_stops_the_campaign(world: World) -> None:
    with clock.stopped(NOW - 39 * DAY):
        long = campaigns.publish(
            world.officer,
            plan(
                world.charity, filing_number="X-LONG", opens_at=NOW, closes_at=NOW + 300 * DAY, filed_at=NOW - 60 * DAY
            ),
        )
    due = campaign_queries.card(long.id).standing.report_due
    assert due is not None
    for before, warned in ((31, 0), (30, 1), (29, 1), (7, 2), (1, 3), (0, 4)):
        with clock.stopped(due - before * DAY):
            jobs.disclosure()
            jobs.disclosure()
            assert len(titles(world, long)) == warned, before
    assert titles(world, long)[0] == "Report overdue: giving has stopped"
    with clock.stopped(due):
        with pytest.raises(Conflict, match=r"campaign\.report-late"):
            deeds.act(world.giver, long.id, "STEPS", 5, "a")
        telling = Telling(Text("Report", "报告"), Text("All is well.", "一切顺利。"), report=True)
        campaigns.tell(world.officer, long.id, telling)
        deeds.act(world.giver, long.id, "STEPS", 5, "a")


def test_how_much_of_last_years_income_was_spent(world: World, client: Client) -> None:
    put_in(world, 10_000)
    pay_out(world, 7_500, "a")
    assert queries.ratios(world.charity.id) == []
    with clock.stopped(NOW + 60 * DAY):
        ((asset, came, spent, percent),) = queries.ratios(world.charity.id)
        assert (asset.code, came, spent, percent) == ("CNY", 10_000, 7_500, 75)
        assert "75 %" in client.get(f"/en/giving/organisations/{world.charity.id}/").content.decode()


def test_one_page_shows_every_asset_and_takes_them(world: World, client: Client) -> None:
    address = f"/en/giving/{world.campaign.id}/needs/"
    assert client.get(address).status_code == 200
    client.force_login(world.giver.login)
    form = {"asset": "STEPS", "amount": "12000", "key": "a"}
    assert client.post(f"{address}act/", form).status_code == 303
    assert client.post(f"{address}act/", form | {"amount": "100000", "key": "b"}).status_code == 422
    client.force_login(world.officer.login)
    shift = {"what_zh": "读书", "starts_at": "2026-11-26T09:00", "ends_at": "2026-11-26T11:00", "seats": "2"}
    assert client.post(f"{address}call/", shift | {"starts_at": "soon"}).status_code == 422
    assert client.post(f"{address}call/", shift).status_code == 303
    id = _shifts(world)[0].id
    client.force_login(world.giver.login)
    assert client.post(f"{address}call/", shift).status_code == 404
    assert client.post(f"{address}{id}/").status_code == 303
    assert client.post(f"{address}{id}/", {"word": "check-in"}).status_code == 409
    with clock.stopped(_shifts(world)[0].starts_at):
        client.force_login(world.giver.login)
        assert client.post(f"{address}{id}/", {"word": "check-in"}).status_code == 303
        client.force_login(world.officer.login)
        said = {"word": "confirm", "person": str(world.giver.id), "minutes": "110"}
        assert "Hours to confirm" in client.get(address).content.decode()
        assert client.post(f"{address}{id}/", said).status_code == 303
    page = client.get(address).content.decode()
    assert "12,000" in page and "110" in page
    with clock.stopped(_shifts(world)[0].ends_at):
        client.force_login(world.giver.login)
        assert client.post(f"{address}{id}/", {"word": "dispute", "minutes": "121"}).status_code == 422
        assert client.post(f"{address}{id}/", {"word": "dispute", "minutes": "120"}).status_code == 303
        assert client.get("/en/giving/disputes/").status_code == 403
        client.force_login(world.stewards[0].login)
        assert "120" in client.get("/en/giving/disputes/").content.decode()
        decided = {"shift": str(id), "person": str(world.giver.id), "minutes": "120"}
        assert client.post("/en/giving/disputes/", decided | {"shift": "x"}).status_code == 404
        assert client.post("/en/giving/disputes/", decided).status_code == 303
        assert client.post("/en/giving/disputes/", decided).status_code == 409


def test_programs_see_and_give_deeds(world: World, client: Client) -> None:
    base, headers = f"/api/v1/giving/campaigns/{world.campaign.id}", token(world.giver)
    body = json.dumps({"amount": "9000", "asset": "STEPS", "device": "watch"})

    def give(data: str) -> int:
        sent = headers | {"Idempotency-Key": "k"}
        return client.post(f"{base}/deeds", data, content_type="application/json", headers=sent).status_code

    assert [give(body), give(body), give(body.replace("9000", "100000")), give(body.replace("STEPS", "CNY"))] == [
        *(201, 201),
        *(409, 422),
    ]
    assert client.get(f"{base}/deeds").json()[0] == {
        **{"asset": "STEPS", "amount": 9_000, "people": 1},
        **{"needed": None, "promised": None},
    }
    assert client.get(f"{base}/shifts").json() == client.get("/api/v1/giving/appeals").json() == []
    assert client.put(f"{base}/follow?reminds=true", headers=headers).status_code == 204
    assert client.delete(f"{base}/follow", headers=headers).status_code == 204


def _shifts(world: World) -> list[deed_queries.Shift]:
    return deed_queries.shifts(world.campaign.id)
