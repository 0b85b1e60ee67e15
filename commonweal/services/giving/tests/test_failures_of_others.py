"""What went wrong on other platforms, each by its number there, on a real database; the table is in the README.

What is proved elsewhere under its own name is only named in the table.
"""

from __future__ import annotations

import csv
import io
import re
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from lxml import etree

from commonweal.kernel import clock
from commonweal.kernel.errors import Busy, Conflict
from commonweal.kernel.jobs import run_due
from commonweal.kernel.parties import people
from commonweal.kernel.text import Text
from commonweal.services.giving import iati, jobs, pages
from commonweal.services.giving.actions import card_uses, cards, gifts, givers, teams
from commonweal.services.giving.actions.reconciliation import reconcile
from commonweal.services.giving.payment import Back, Order
from commonweal.services.giving.payment.port import refused
from commonweal.services.giving.payment.simulator import Simulator
from commonweal.services.giving.queries import campaigns as campaign_queries
from commonweal.services.giving.queries import companies, opendata, totals
from commonweal.services.giving.queries import gifts as gift_queries
from commonweal.services.giving.queries import givers as giver_queries
from commonweal.services.giving.queries import recurring as recurring_queries
from commonweal.services.giving.queries import returns as queries
from commonweal.services.giving.queries import teams as team_queries
from commonweal.services.giving.rules import returns as rules
from commonweal.services.giving.rules.gifts import COLLECTED, Give, Outcome, State
from commonweal.services.giving.rules.returns import Standing
from commonweal.services.giving.tests.conftest import DAY, NOW, World, somebody
from commonweal.services.giving.tests.test_doors import post
from commonweal.services.giving.tests.test_fees import hosted
from commonweal.services.giving.tests.test_opendata import sums
from commonweal.services.giving.tests.test_payouts import pay_out, put_in
from commonweal.services.giving.tests.test_recurring import agree, begun, work
from commonweal.services.giving.tests.test_returns import charge_back, of_book, order, paid, raised, refund

YEAR = datetime(2025, 12, 31, 16, tzinfo=UTC), datetime(2026, 12, 31, 16, tzinfo=UTC)
assert pages.urlpatterns, "loaded before a fixture puts other providers in place"


@pytest.fixture(autouse=True)
def now() -> Iterator[None]:
    with clock.stopped(NOW):
        yield


@pytest.fixture
def simulator(settings: Any) -> Simulator:
    return Simulator(settings.HOME)


@pytest.fixture
def journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Simulator:
    """A provider with a journal of its own, that keeps its fee when money goes back."""
    made = Simulator(tmp_path, returns_fee=False)
    for module in ("payment", "jobs.providers"):
        monkeypatch.setattr(f"commonweal.services.giving.{module}.providers", lambda: {"simulator": made})
    return made


# Open Collective


def test_open_collective_2353_4814_the_balance_is_right_after_a_refund(world: World, simulator: Simulator) -> None:
    gift = paid(world, simulator, 10_000)
    put_in(world, 500)
    jobs.refund(campaign=str(world.campaign.id), id=str(refund(world, gift, 10_000)))
    assert of_book(world) == {"provider:collected": 500, "fund": 500}
    assert campaign_queries.page(world.campaign.id).available == 500


def test_open_collective_968_2679_totals_know_refunds(world: World) -> None:
    (gift,) = put_in(world, 900)
    before = totals.gifts()[0]
    refund(world, gift, 400)
    after = totals.gifts()[0]
    assert (before.raised - after.raised, raised(world)) == (400, 500)
    put_in(world, 70)  # on no line yet
    cards = campaign_queries.Search().part(0, 1_000)
    (total,) = totals.gifts()
    assert (total.raised, total.gifts) == (sum(card.raised for card in cards), sum(card.gifts for card in cards))


def test_open_collective_968_2679_so_does_every_other_sum(world: World, client: Client) -> None:
    """The giver's statement and receipt, the company's report, the team, the charity's file, the open data."""
    company = people.register_organisation(Text("Dianchi Tea", "滇池茶业"), "91530100TEST00001X")
    people.grant_role(world.officer, people.OFFICER, company)
    staff = [somebody(f"staff{n}@test.example") for n in range(4)]
    link = givers.company_link(world.officer, company)
    team = teams.found(staff[0], world.campaign.id, "Walkers")
    given = []
    for number, one in enumerate(staff):
        givers.join(one, link)
        wish = Give(world.campaign.id, one.id, 1_000, "CNY", COLLECTED, str(number), team=team)
        given.append(gifts.give(wish).id)
    refund(world, given[0], 400)
    refund(world, given[1], 1_000)
    pay_out(world, 700, "a")

    made = giver_queries.statement(staff[0].id, *YEAR)
    assert [(row.amount, row.returned, row.spent) for row in made.rows] == [(1_000, 400, 600)]
    assert [(total.amount, total.returned, total.net, total.spent) for total in made.totals] == [(1_000, 400, 600, 600)]
    (whole,) = giver_queries.statement(staff[1].id, *YEAR).totals
    assert (whole.net, whole.spent) == (0, 0), "what went back was not spent"
    with clock.stopped(NOW + 60 * DAY):
        (line,) = companies.report(company.id, NOW.year).gifts
    assert (line.people, line.amount) == (3, 2_600)
    teams.tell()
    (walkers,) = team_queries.teams(world.campaign.id)
    assert (walkers.people, walkers.amount) == (3, 2_600)
    assert sums(etree.fromstring("".join(iati.write(opendata.activities(), NOW)).encode())) == {"1": 2_600, "4": 700}

    client.force_login(staff[0].login)
    for language, words in (("en", "less what went back"), ("zh", "扣除退回后合计")):
        assert words in client.get(f"/{language}/giving/mine/2026/").content.decode()
    receipt = client.get(f"/zh/giving/{world.campaign.id}/gifts/{given[0]}/print/").content.decode()
    assert "陆元整" in receipt and "壹拾元" not in receipt, "a receipt is of what has stayed"
    client.force_login(staff[1].login)
    assert client.get(f"/zh/giving/{world.campaign.id}/gifts/{given[1]}/print/").status_code == 404
    client.force_login(world.officer.login)
    data = b"".join(client.get(f"/en/giving/{world.campaign.id}/gifts.csv")).decode("utf-8-sig")
    assert [(row["amount"], row["gone_back"]) for row in csv.DictReader(io.StringIO(data))] == [
        ("10.00", "4.00"), ("10.00", "10.00"), ("10.00", "0.00"), ("10.00", "0.00"),
    ]  # fmt: skip


def test_sums_know_what_was_won_back(world: World, simulator: Simulator) -> None:
    """A chargeback that is contested and won leaves every sum as it was before."""
    world = hosted(world)
    gift = paid(world, simulator, 1_000)
    jobs.lay()
    pay_out(world, 300, "a")
    for succeeded in (True, False):
        charge_back(world, simulator, gift, 1_000, succeeded=succeeded)
    jobs.lay()
    (total,) = giver_queries.statement(world.giver.id, *YEAR).totals
    assert (total.net, total.spent, raised(world)) == (1_000, 300, 1_000)
    assert gift_queries.gift(world.campaign.id, gift).state is State.PAID, "what was spent of it stays given"
    file = "".join(iati.write((each for each in opendata.activities() if each.id == str(world.campaign.id)), NOW))
    assert sums(etree.fromstring(file.encode())) == {"1": 1_000, "4": 300}


def test_open_collective_4369_6929_collected_money_is_taken_out_without_touching_the_database(world: World) -> None:
    (gift,) = put_in(world, 900)
    refund(world, gift, 900)
    assert of_book(world) == {}


def test_open_collective_5485_7969_each_party_returns_its_net_part() -> None:
    parts = {"processor": 9_662, "host": 20_627, "tip": 38_676, "collective": 188_876}
    assert sum(parts.values()) == 257_841
    assert rules.split(parts, 257_841) == parts
    rules.check_parts(parts, parts)  # nobody holds the gross amount, and nobody needs to
    with pytest.raises(Conflict, match=r"refund\.party") as refused:
        rules.check_parts(parts, parts | {"collective": 188_875})
    assert "collective" in refused.value.text.en
    half = rules.split(parts, 128_920)
    assert sum(half.values()) == 128_920


def test_open_collective_6591_given_spent_and_charged_back_is_never_a_silent_negative(
    world: World, simulator: Simulator
) -> None:
    gift = paid(world, simulator, 800)
    pay_out(world, 800, "a")
    with pytest.raises(Conflict, match=r"refund\.spent"):
        refund(world, gift, 800)
    charge_back(world, simulator, gift, 800)
    assert of_book(world) == {"payable": 800, "receivable": 800}


def test_open_collective_10082_a_double_charge_is_refunded_as_any_other(world: World, simulator: Simulator) -> None:
    first, second = paid(world, simulator, key="a"), paid(world, simulator, key="b")
    jobs.refund(campaign=str(world.campaign.id), id=str(refund(world, second, 1_000)))
    assert of_book(world) == {"provider:simulator": 1_000, "fund": 1_000}
    assert gift_queries.gift(world.campaign.id, first).state is State.PAID


def test_open_collective_10082_what_is_charged_twice_is_owed_and_goes_back(
    world: World, journal: Simulator, client: Client
) -> None:
    gift = paid(world, journal, fee=6)
    jobs.lay()
    asked = order(world, gift, 1_000)
    assert gifts.confirm("simulator", *journal.report(asked, NOW, fee=6)) is Outcome.KNOWN, "the same, told again"
    for _ in range(2):
        assert gifts.confirm("simulator", *journal.report(asked, NOW, reference="another")) is Outcome.TWICE
    assert of_book(world) == {"provider:simulator": 2_000, "fund": 1_000, "owed": 1_000}
    assert raised(world) == 1_000
    client.force_login(world.stewards[0].login)
    for language, words in (("en", "paid once more"), ("zh", "重复付款")):
        assert words in client.get(f"/{language}/giving/mismatches/").content.decode()
    while run_due():
        pass
    while run_due():
        pass
    assert of_book(world) == {"provider:simulator": 1_000, "fund": 1_000}
    assert reconcile(journal, NOW.date()) == [], "the statement has two payments and a refund, and so have the books"
    with clock.stopped(NOW + DAY):
        assert reconcile(journal, clock.now().date()) == []
    assert of_book(world) == {"bank": 994, "fund": 994}


def test_open_collective_10082_what_does_not_go_back_stays_owed(
    world: World, tmp_path: Path, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    gift = paid(world, simulator)
    jobs.lay()
    twice = simulator.report(order(world, gift, 1_000), NOW, reference="another")
    assert gifts.confirm("simulator", *twice) is Outcome.TWICE
    slow = Simulator(tmp_path, refunds=None)
    monkeypatch.setattr("commonweal.services.giving.payment.providers", lambda: {"simulator": slow})
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM giving_twice")
        (id,) = cursor.fetchone()
    with pytest.raises(Busy, match=r"provider\.unavailable"):
        jobs.give_twice_back(campaign=str(world.campaign.id), id=str(id))
    assert of_book(world) == {"provider:simulator": 2_000, "fund": 1_000, "owed": 1_000}
    told = Back(id, world.campaign.id, gift, 1_000, "CNY", "another")
    other = slow.report_refund(told, NOW, amount=999)
    assert gifts.confirm("simulator", *other) is Outcome.UNKNOWN, "another amount moves nothing"
    outcomes = [gifts.confirm("simulator", *slow.report_refund(told, NOW)) for _ in range(2)]
    assert outcomes == [Outcome.REFUNDED, Outcome.KNOWN]
    assert of_book(world) == {"provider:simulator": 1_000, "fund": 1_000}


# CiviCRM


def test_civicrm_iats_209_a_refunded_gift_is_never_completed_again(world: World, simulator: Simulator) -> None:
    gift = paid(world, simulator)
    jobs.refund(campaign=str(world.campaign.id), id=str(refund(world, gift, 1_000)))
    assert gifts.confirm("simulator", *simulator.report(order(world, gift, 1_000), NOW)) is Outcome.KNOWN
    assert gift_queries.gift(world.campaign.id, gift).state is State.RETURNED
    assert of_book(world) == {}


def test_civicrm_stripe_135_a_refund_that_the_provider_knows_alone_is_listed(
    world: World, simulator: Simulator
) -> None:
    gift = paid(world, simulator)
    theirs = Back(uuid.uuid4(), world.campaign.id, gift, 1_000, "CNY", "")
    assert gifts.confirm("simulator", *simulator.report_refund(theirs, NOW)) is Outcome.UNKNOWN
    assert [each.outcome for each in gift_queries.mismatches()] == ["unknown"]


def test_civicrm_donrec_104_no_two_gifts_share_a_receipt(world: World, simulator: Simulator) -> None:
    found = [gift_queries.gift(world.campaign.id, paid(world, simulator, key=key)) for key in "abc"]
    assert len({each.id for each in found}) == len({each.fact for each in found}) == 3


# Liberapay


def test_liberapay_1421_a_chargeback_is_noticed_and_stated(world: World, simulator: Simulator) -> None:
    gift = paid(world, simulator)
    charge_back(world, simulator, gift, 1_000)
    (found,) = queries.newest()
    assert (found.cause, found.amount, found.standing) == (rules.Cause.CHARGEBACK, 1_000, Standing.DONE)


class Refusing(Simulator):
    """A provider that does not serve the giver's country."""

    def create(self, order: Order) -> str:
        raise refused()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_liberapay_1525_a_payment_that_fails_by_country_says_so_and_another_way_is_open(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, client: Client, language: str
) -> None:
    home = Path(tmp_path)
    there = {"sepa": Refusing(home), "simulator": Simulator(home)}
    for module in ("payment", "pages.campaigns", "pages.gifts", "api.gifts"):
        monkeypatch.setattr(f"commonweal.services.giving.{module}.providers", lambda: there)
    client.force_login(world.giver.login)
    address = f"/{language}/giving/{world.campaign.id}/give/"
    form = {"amount": "5.00", "channel": "sepa", "key": "the-first-key"}
    said = client.post(address, form)
    page = said.content.decode()
    assert said.status_code == 409
    assert {"en": "Choose another way to pay", "zh": "请选择其他付款方式"}[language] in page
    (key,) = set(re.findall(r'name="key" value="([^"]+)"', page)) - {"the-first-key"}
    assert client.post(address, form | {"channel": "simulator", "key": key}).status_code == 303
    assert of_book(world) == {}, "nothing was charged"
    (second, first) = gift_queries.Gifts(world.giver.id)
    assert (first.channel, second.channel) == ("sepa", "simulator")
    assert client.get(f"/{language}/giving/{first.campaign}/gifts/{first.id}/").status_code == 200
    for _ in range(2):
        answer = post(client, world, {"amount": "5.00", "asset": "CNY", "channel": "sepa"})
        assert (answer.status_code, answer.json()["code"]) == (409, "provider.refused")


def test_liberapay_1927_a_giver_can_show_their_bank_what_came_and_what_went_back(
    world: World, simulator: Simulator, client: Client
) -> None:
    gift = paid(world, simulator)
    id = refund(world, gift, 10)
    charge_back(world, simulator, gift, 500, reference="dispute-77")
    reference = gift_queries.gift(world.campaign.id, gift).reference
    assert reference.startswith("sim-") and queries.one(world.campaign.id, id).payment == reference
    client.force_login(world.giver.login)
    for language in ("en", "zh"):
        page = client.get(f"/{language}/giving/{world.campaign.id}/gifts/{gift}/").content.decode()
        for number in (reference, str(id), "dispute-77"):
            assert number in page


def test_liberapay_1841_every_payment_says_why_it_was_made(world: World, simulator: Simulator, client: Client) -> None:
    id = begun(world)
    agree(world, simulator, id)
    work()
    (renewal,) = recurring_queries.renewals(world.campaign.id, id)
    client.force_login(world.giver.login)
    for language, words in (("en", "Your recurring gift, period 1"), ("zh", "您的定期捐赠，第 1 期")):
        assert words in client.get(f"/{language}/giving/{world.campaign.id}/gifts/{renewal.gift}/").content.decode()
    single = put_in(world, 500)[0]
    assert "recurring" not in client.get(f"/en/giving/{world.campaign.id}/gifts/{single}/").content.decode()


def test_liberapay_bulletin_33_every_chargeback_is_published_with_what_is_lost(
    world: World, simulator: Simulator, client: Client
) -> None:
    gift = paid(world, simulator)
    pay_out(world, 700, "a")
    charge_back(world, simulator, gift, 1_000)
    for language, words in (("en", "Fee lost"), ("zh", "损失的手续费")):
        page = client.get(f"/{language}/giving/{world.campaign.id}/money/").content.decode()
        assert words in page and "10.00" in page and "7.00" in page
        assert str(gift) not in page and str(world.giver.id) not in page


def test_liberapay_bulletin_33_the_fee_of_a_dispute_is_owed_by_the_charity(
    world: World, journal: Simulator, client: Client
) -> None:
    gift = paid(world, journal, fee=6)
    jobs.lay()
    assert reconcile(journal, NOW.date()) == []
    with clock.stopped(NOW + DAY):
        dispute = order(world, gift, 1_000)
        report = journal.report_chargeback(dispute, clock.now(), fee=1_500)
        assert gifts.confirm("simulator", *report) is Outcome.CHARGED_BACK
        assert reconcile(journal, clock.now().date()) == []
        assert reconcile(journal, clock.now().date()) == []
    assert of_book(world) == {"provider:simulator": -2_500, "bank": 994, "receivable": 1_506}
    page = client.get(f"/zh/giving/{world.campaign.id}/money/").content.decode()
    assert "拒付处理费" in page and "15.00" in page and "0.06" in page


@pytest.mark.parametrize(
    ("here", "there"),
    [(6, 7), (0, 6), (6, -6)],
)
def test_a_fee_that_differs_is_listed_and_moves_nothing(
    world: World, journal: Simulator, here: int, there: int
) -> None:
    paid(world, journal, fee=here)
    reconcile(journal, NOW.date())
    before = of_book(world)
    said = Path(journal.home, "simulator", f"{NOW.date()}.jsonl")
    said.write_text(said.read_text().replace(f'"fee": {here}', f'"fee": {there}'))
    found = reconcile(journal, NOW.date())
    if here:
        assert [(each.kind, each.here, each.there) for each in found] == [("fee", here, there)]
        assert of_book(world) == before
    else:
        assert found == [], "told later, it is booked then"


def test_open_collective_6025_many_small_gifts_are_one_payment_with_one_fee(world: World, journal: Simulator) -> None:
    """A gift card is paid for once; its provider's fee is the host's, and each gift is whole."""
    home = hosted(world, Fraction(0))
    card = cards.buy(world.giver, home.campaign.id, 1_000, "simulator", "k")
    whole = order(home, card.id, 1_000)
    assert gifts.confirm("simulator", *journal.report(whole, NOW, fee=30)) is Outcome.PAID
    code = cards.show_code(world.giver, card.campaign, card.id)
    for number in range(10):
        card_uses.redeem(world.giver, code, home.campaign.id, 100, str(number))
    jobs.lay()
    assert reconcile(journal, NOW.date()) == []
    assert reconcile(journal, NOW.date()) == []
    books = of_book(home)
    assert (books["fund"], books["borne"], books["provider:simulator"]) == (1_000, 30, 970)
    assert len(giver_queries.statement(world.giver.id, *YEAR).rows) == 10


def test_open_collective_4702_every_fee_says_whose_it_is(world: World, journal: Simulator, client: Client) -> None:
    """The host's, the provider's and a tip: three kinds, each under the name of who gets it, on the giver's page."""
    home = hosted(world, Fraction(5, 100))
    wish = Give(home.campaign.id, world.giver.id, 1_000, "CNY", "simulator", "k", 200)
    gift = gifts.give(wish).id
    assert gifts.confirm("simulator", *journal.report(order(home, gift, 1_200), NOW, fee=7)) is Outcome.PAID
    jobs.lay()
    assert reconcile(journal, NOW.date()) == []
    client.force_login(world.giver.login)
    for language, words in (
        ("en", ("the foundation that holds the money", "the payment provider", "For the platform, beside it")),
        ("zh", ("托管基金会", "支付机构", "另外支持平台")),
    ):
        page = client.get(f"/{language}/giving/{home.campaign.id}/gifts/{gift}/").content.decode()
        assert all(word in page for word in (*words, "0.50", "0.07", "2.00"))


# GlobalGiving


def test_globalgiving_forty_gifts_of_one_person_are_one_giver(world: World) -> None:
    """Wherever people are counted, whoever gives often counts once, and a box is nobody."""
    team = teams.found(world.giver, world.campaign.id, "Walkers")
    for number in range(40):
        gifts.give(Give(world.campaign.id, world.giver.id, 100, "CNY", COLLECTED, str(number), team=team))
    put_in(replace(world, giver=world.officer), 100)
    (walkers,) = team_queries.teams(world.campaign.id)
    assert (walkers.people, walkers.amount) == (None, None)
    assert len(set(gift_queries.givers_of(world.campaign.id))) == 2
    jobs.lay()
    assert campaign_queries.card(world.campaign.id).gifts == 41
