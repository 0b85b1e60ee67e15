"""One page shows all that a campaign needs and has got, in every asset, in both languages, also after refunds."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.test import Client

from commonweal.kernel import clock
from commonweal.kernel.parties import people
from commonweal.kernel.parties.models import Party
from commonweal.kernel.text import Text
from commonweal.services.giving.actions import deeds, gifts, orders, payouts, returns
from commonweal.services.giving.payment import Order, providers
from commonweal.services.giving.payment.simulator import Simulator
from commonweal.services.giving.queries import orders as order_queries
from commonweal.services.giving.rules import deeds as rules
from commonweal.services.giving.rules.gifts import Give
from commonweal.services.giving.tests import test_orders
from commonweal.services.giving.tests.conftest import DAY, NOW, World
from commonweal.services.giving.tests.test_orders import arrive, offer, order
from commonweal.services.giving.tests.test_payouts import approve, put_in

vendor = test_orders.vendor
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def now() -> Iterator[None]:
    with clock.stopped(NOW):
        yield


def shown(client: Client, world: World, language: str, page: str = "") -> dict[str, tuple[str, str]]:
    """The rows of the table as somebody reads them: name, needed, given."""
    written = client.get(f"/{language}/giving/{world.campaign.id}/{page}").content.decode()
    table = re.search(r"<table>.*?</table>", written, re.S)
    assert table
    found = {}
    for row in re.findall(r"<tr>(.*?)</tr>", table.group(), re.S)[1:]:
        cells = re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.S)
        name, needed, given = (" ".join(html.unescape(re.sub(r"<[^>]+>", "", cell)).split()) for cell in cells)
        found[name] = (needed, given)
    return found


def test_a_campaign_with_everything(world: World, vendor: Party, client: Client) -> None:
    campaign = world.campaign.id
    first, _ = put_in(world, 105_000, 60_000)
    company = people.register_organisation(Text("Dianchi Tea", "滇池茶业"), "91530100TEST00001X")
    people.grant_role(world.giver, people.OFFICER, company)
    terms = rules.Sponsorship("STEPS", 5_000, 100, 500, NOW, NOW + 10 * DAY)
    deeds.accept(world.officer, deeds.sponsor(world.giver, company, campaign, terms))
    for asset, amount in (("STEPS", 12_000), ("FLOWERS", 2), ("BOOKS", 7)):
        deeds.act(world.giver, campaign, asset, amount, f"act-{asset}")
    shift = deeds.call(world.officer, campaign, Text("Read", "读书"), rules.Shift(NOW + HOUR, NOW + 3 * HOUR, 2))
    deeds.sign_up(world.giver, shift)
    music, songs = offer(world, vendor, 1_500, "Sheet music"), offer(world, vendor, 900, "Songs")
    request = order(world, vendor, (1, music, 4), (1, songs, 2))
    approve(world, request)
    arrive(world, request, {1: 3})
    assert shown(client, world, "en") == {
        "Money": ("¥ 2,176.00", "¥ 1,650.00"),
        "a lesson ¥ 50.00 each": ("32", "32"),
        "a set of sheet music ¥ 18.00 each": ("32", "2"),
        "Bought: Sheet music copies": ("4 ordered", "3 arrived"),
        "Bought: Songs copies": ("2 ordered", "0 arrived"),
        "steps": ("25,000", "12,000"),
        "flowers": ("any", "2"),
        "books": ("any", "7"),
        "Volunteers’ time minutes": ("240", "0 120 promised"),
    }
    assert shown(client, world, "en", "needs/") == shown(client, world, "en"), "the forms stand beside the same table"
    chinese = shown(client, world, "zh")
    assert next(iter(chinese.values())) == ("2,176.00 元", "1,650.00 元")
    assert chinese["采购：Sheet music 册"] == ("4 已订购", "3 已到货")
    assert chinese["志愿时间 分钟"] == ("240", "0 已报名 120")

    returns.refund(world.officer, campaign, first, 55_000, "asked for", "r1")
    again = shown(client, world, "en")
    assert again["Money"] == ("¥ 2,176.00", "¥ 1,100.00")
    assert again["a lesson ¥ 50.00 each"] == ("32", "22")
    assert again["a set of sheet music ¥ 18.00 each"] == ("32", "0")
    assert again["steps"] == ("25,000", "12,000"), "what was done stays done"
    with clock.stopped(NOW + HOUR):
        deeds.check_in(world.giver, shift)
    with clock.stopped(NOW + 4 * HOUR):
        deeds.confirm(world.officer, shift, world.giver.id, 60)
        deeds.dispute(world.giver, shift, 120)
        deeds.decide(world.stewards[0], shift, world.giver.id, 110)
    assert shown(client, world, "en")["Volunteers’ time minutes"] == ("240", "110 120 promised")


def test_a_chargeback_is_seen_at_once(world: World, client: Client) -> None:
    simulator = providers()["simulator"]
    assert isinstance(simulator, Simulator)
    wish = Give(world.campaign.id, world.giver.id, 10_000, "CNY", "simulator", "k")
    promised = Order(world.campaign.id, gifts.give(wish).id, 10_000, "CNY", world.campaign.title)
    assert shown(client, world, "en")["Money"][1] == "¥ 0.00", "a promise is not got"
    gifts.confirm("simulator", *simulator.report(promised, NOW))
    assert shown(client, world, "en")["Money"][1] == "¥ 100.00"
    gifts.confirm("simulator", *simulator.report_chargeback(promised, NOW))
    assert shown(client, world, "en")["Money"][1] == "¥ 0.00"


def test_what_was_cancelled_or_declined_is_not_bought(world: World, vendor: Party, client: Client) -> None:
    put_in(world, 60_000)
    songs = offer(world, vendor, 900)
    order_ids = [order(world, vendor, (1, songs, number), key=f"o{number}") for number in (1, 2, 4)]
    orders.cancel(world.officer, world.campaign.id, order_ids[0], "Another is cheaper")
    payouts.judge(world.stewards[0], world.campaign.id, order_ids[1], approves=False, note="Too dear")
    (goods,) = order_queries.goods(world.campaign.id)
    assert (goods.ordered, goods.arrived) == (4, 0)
    assert shown(client, world, "en")["Bought: Songs copies"] == ("4 ordered", "0 arrived")
