"""Chargebacks that are contested and won; providers that come after the accounts; and the code that WeChat scans."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from django.db import connection
from django.test import Client

from commonweal.kernel import clock
from commonweal.services.giving import jobs, pages
from commonweal.services.giving.actions import gifts, receivables
from commonweal.services.giving.actions.reconciliation import reconcile
from commonweal.services.giving.payment import Order
from commonweal.services.giving.payment.simulator import Simulator
from commonweal.services.giving.queries import campaigns
from commonweal.services.giving.queries import gifts as gift_queries
from commonweal.services.giving.queries import returns as queries
from commonweal.services.giving.rules.gifts import Give, Outcome
from commonweal.services.giving.rules.returns import Standing
from commonweal.services.giving.tests.conftest import DAY, NOW, World
from commonweal.services.giving.tests.test_fees import hosted, of_book, order, paid
from commonweal.services.giving.tests.test_payouts import pay_out, put_in

assert pages.urlpatterns, "loaded before a fixture puts other providers in place"


@pytest.fixture(autouse=True)
def now() -> Iterator[None]:
    with clock.stopped(NOW):
        yield


@pytest.fixture
def simulator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Simulator:
    made = Simulator(tmp_path)
    for module in ("payment", "jobs.providers"):
        monkeypatch.setattr(f"commonweal.services.giving.{module}.providers", lambda: {"simulator": made})
    return made


def dispute(world: World, simulator: Simulator, gift: uuid.UUID, amount: int, *, lost: bool = True) -> Outcome:
    asked = order(world, gift, amount)
    return gifts.confirm("simulator", *simulator.report_chargeback(asked, NOW, succeeded=lost))


def test_what_is_won_back_is_a_payment_of_its_own_and_spent_money_is_owed_no_longer(
    world: World, simulator: Simulator
) -> None:
    gift = paid(world, simulator, 1_000)
    pay_out(world, 300, "a")
    assert dispute(world, simulator, gift, 1_000, lost=False) is Outcome.DIFFERS, "nothing was lost yet"
    assert dispute(world, simulator, gift, 1_000) is Outcome.CHARGED_BACK
    assert of_book(world) == {"receivable": 300, "payable": 300}
    assert dispute(world, simulator, gift, 900, lost=False) is Outcome.DIFFERS
    assert dispute(world, simulator, gift, 1_000, lost=False) is Outcome.CHARGEBACK_WON
    assert dispute(world, simulator, gift, 1_000, lost=False) is Outcome.KNOWN
    jobs.lay()
    assert of_book(world) == {"provider:simulator": 1_000, "fund": 700, "payable": 300}
    assert campaigns.card(world.campaign.id).raised == 1_000
    assert campaigns.page(world.campaign.id).available == 700
    (lost,) = queries.of_gift(world.campaign.id, gift)
    assert lost.standing is Standing.WON
    again = [each for each in gift_queries.Gifts(world.giver.id) if each.id != gift]
    assert [(each.amount, each.fact is not None) for each in again] == [(700, True)]
    pay_out(world, 700, "b")


def test_what_the_charity_had_repaid_goes_back_to_the_charity(world: World, simulator: Simulator) -> None:
    gift = paid(world, simulator, 1_000)
    put_in(world, 400)
    pay_out(world, 1_000, "a")
    dispute(world, simulator, gift, 1_000)
    receivables.repay(world.officer, world.campaign.id, 1_000, "k")
    before = of_book(world)
    assert dispute(world, simulator, gift, 1_000, lost=False) is Outcome.CHARGEBACK_WON
    after = of_book(world)
    assert before == {"provider:collected": 1_000, "fund": 400, "payable": 600}
    assert after == {"provider:simulator": 1_000, "fund": 400, "payable": 600}


def test_each_party_has_its_part_again_also_when_the_campaign_is_over(world: World, simulator: Simulator) -> None:
    world = hosted(world)
    gift = paid(world, simulator, 219_165, tip=38_676, fee=9_662)
    reconcile(simulator, NOW.date())
    before = of_book(world)
    assert dispute(world, simulator, gift, 257_841) is Outcome.CHARGED_BACK
    world.campaign.stopped_at = NOW + DAY / 2
    world.campaign.save()
    with clock.stopped(NOW + DAY):
        asked = order(world, gift, 257_841)
        report = simulator.report_chargeback(asked, NOW + DAY, succeeded=False)
        assert gifts.confirm("simulator", *report) is Outcome.CHARGEBACK_WON
        jobs.lay()
    after = of_book(world)
    assert before == after, "the host does not take its share twice"
    assert reconcile(simulator, NOW.date()) == reconcile(simulator, (NOW + DAY).date()) == []


def test_a_provider_that_comes_after_the_accounts_of_a_campaign(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Late(Simulator):
        name: ClassVar[str] = "late"

    late = Late(tmp_path)
    monkeypatch.setattr("commonweal.services.giving.payment.providers", lambda: {"late": late})
    wish = Give(world.campaign.id, world.giver.id, 500, "CNY", "late", "k")
    taken = gifts.give(wish)
    asked = Order(world.campaign.id, taken.id, 500, "CNY", world.campaign.title)
    assert gifts.confirm("late", *late.report(asked, NOW)) is Outcome.PAID
    assert of_book(world) == {"provider:late": 500, "received": 500}
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM ledger_account WHERE name = 'provider:late'")
        assert cursor.fetchone() == (1,)


def test_what_wechat_scans_is_drawn_on_the_page_of_the_gift(
    world: World, client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Scanned(Simulator):
        def create(self, order: Order) -> str:
            return f"weixin://wxpay/bizpayurl?pr={order.gift.hex[:8]}"

    made = Scanned(tmp_path)
    for module in ("payment", "pages.gifts"):
        monkeypatch.setattr(f"commonweal.services.giving.{module}.providers", lambda: {"simulator": made})
    client.force_login(world.giver.login)
    form: dict[str, Any] = {"choice": "5", "channel": "simulator", "key": "k"}
    sent = client.post(f"/zh/giving/{world.campaign.id}/give/", form)
    assert sent.status_code == 303 and "/gifts/" in sent["Location"]
    page = client.get(sent["Location"]).content.decode()
    assert "<svg" in page and "微信扫码" in page and "style=" not in page.partition("<svg")[2].partition("</svg>")[0]
