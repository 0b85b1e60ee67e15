"""Fees split by party, tips, and settlements: on the real ledger, with Open Collective's figures."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from commonweal.kernel import clock
from commonweal.kernel.errors import Conflict, Invalid
from commonweal.kernel.ledger import audit
from commonweal.services.giving import jobs, pages
from commonweal.services.giving.actions import campaigns, gifts, returns
from commonweal.services.giving.actions.reconciliation import reconcile
from commonweal.services.giving.payment import Order, Provider
from commonweal.services.giving.payment.simulator import Simulator
from commonweal.services.giving.queries import campaigns as campaign_queries
from commonweal.services.giving.queries import fees as queries
from commonweal.services.giving.queries import gifts as gift_queries
from commonweal.services.giving.queries import reconciliation
from commonweal.services.giving.queries import returns as return_queries
from commonweal.services.giving.rules import fees as rules
from commonweal.services.giving.rules.campaigns import Custody
from commonweal.services.giving.rules.fees import Bearer, Payee
from commonweal.services.giving.rules.gifts import Give, Outcome, State
from commonweal.services.giving.tests.conftest import DAY, NOW, World, plan
from commonweal.services.giving.tests.test_payouts import pay_out, put_in

RATE = Fraction(20_627, 219_165)
"""Open Collective's host fee of the case, as a share of the gift."""


# Rules


amounts = st.integers(0, 10**6)


@given(st.integers(1, 10**6), amounts, st.fractions(0, Fraction(15, 100)), amounts, st.data())
def test_refunds_in_any_steps_return_each_part_exactly(
    gift: int, tip: int, rate: Fraction, fee: int, data: st.DataObject
) -> None:
    host = rules.host_fee(gift, rate)
    parts = rules.parts(gift, tip, {Payee.HOST: host, Payee.PROCESSOR: min(fee, gift - host)})
    assert sum(parts.values()) == gift + tip
    gone = dict.fromkeys(parts, 0)
    while left := gift + tip - sum(gone.values()):
        amount = data.draw(st.integers(max(1, left // 3), left))
        shares = rules.shares(parts, gone, amount)
        assert sum(shares.values()) == amount
        gone = {payee: gone[payee] + share for payee, share in shares.items()}
        assert all(0 <= gone[payee] <= parts[payee] for payee in parts), "nobody returns more than they got"
    assert gone == parts


@given(amounts, st.integers(-5, 10**6), st.integers(-5, 10**6))
def test_what_leaves_overdraws_nothing(amount: int, bank: int, collected: int) -> None:
    found = rules.cover(amount, bank, collected)
    assert found.bank + found.collected + found.payable == amount
    assert 0 <= found.bank <= max(0, bank) and 0 <= found.collected <= max(0, collected)
    assert not found.payable or (found.bank, found.collected) == (max(0, bank), max(0, collected))


def test_terms_that_cannot_be() -> None:
    for rate in (Fraction(-1, 100), Fraction(16, 100)):
        with pytest.raises(Invalid, match=r"fee\.rate"):
            rules.check(Custody.CUSTODIAN, rate, Bearer.CAMPAIGN)
    for rate, bearer in ((Fraction(1, 100), Bearer.CAMPAIGN), (Fraction(0), Bearer.HOST)):
        with pytest.raises(Invalid, match=r"fee\.mirror"):
            rules.check(Custody.MIRROR, rate, bearer)


# On the ledger


assert pages.urlpatterns, "loaded before a fixture puts other providers in place"


@pytest.fixture(autouse=True)
def now() -> Iterator[None]:
    with clock.stopped(NOW):
        yield


@pytest.fixture
def simulator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Simulator:
    """A provider with a journal of its own, that keeps its fee when money goes back."""
    made = Simulator(tmp_path, returns_fee=False)
    providers: dict[str, Provider] = {"simulator": made}
    for module in ("payment", "jobs.providers"):
        monkeypatch.setattr(f"commonweal.services.giving.{module}.providers", lambda: providers)
    return made


def hosted(world: World, rate: Fraction = RATE, bearer: Bearer = Bearer.CAMPAIGN, number: str = "H1") -> World:
    with clock.stopped(NOW - 40 * DAY):
        terms = {"custody": Custody.CUSTODIAN, "host_fee": rate, "fee_bearer": bearer, "filing_number": number}
        return replace(world, campaign=campaigns.publish(world.officer, plan(world.charity, **terms)))


def order(world: World, gift: uuid.UUID, amount: int) -> Order:
    return Order(world.campaign.id, gift, amount, "CNY", world.campaign.title)


def paid(
    world: World, simulator: Simulator, amount: int, tip: int = 0, fee: int = 0, key: str = "k", at: datetime = NOW
) -> uuid.UUID:
    id = gifts.give(Give(world.campaign.id, world.giver.id, amount, "CNY", "simulator", key, tip)).id
    report = simulator.report(order(world, id, amount + tip), at, fee=fee)
    with clock.stopped(at):
        assert gifts.confirm("simulator", *report) is Outcome.PAID
        jobs.lay()
    return id


def of_book(world: World) -> dict[str, int]:
    with connection.cursor() as cursor:
        assert audit(cursor) == []
    return {f"{each.kind}:{each.of}".rstrip(":"): each.amount for each in queries.accounts(world.campaign.id)}


def refund(world: World, gift: uuid.UUID, amount: int, key: str = "r") -> uuid.UUID:
    id = returns.refund(world.officer, world.campaign.id, gift, amount, "Given twice", key)
    returns.send(world.campaign.id, id)
    return id


def test_open_collective_7969_a_refund_returns_the_net_part_of_each_party(world: World, simulator: Simulator) -> None:
    """2,578.41 = 96.62 processor + 206.27 host fee + 386.76 tip + 1,888.76 collective."""
    world = hosted(world)
    gift = paid(world, simulator, 219_165, tip=38_676, fee=9_662)
    assert of_book(world) == {"provider:simulator": 257_841, "fund": 219_165 - 20_627, "host": 20_627 + 38_676}
    assert reconcile(simulator, NOW.date()) == []
    assert of_book(world) == {"provider:simulator": 248_179, "fund": 188_876, "host": 59_303}
    assert {fee.party: fee.amount for fee in queries.of_gift(world.campaign.id, gift)} == {
        Payee.HOST: 20_627, Payee.PROCESSOR: 9_662,
    }  # fmt: skip
    card = campaign_queries.page(world.campaign.id)
    assert (card.card.raised, card.available) == (219_165, 188_876)

    id = refund(world, gift, 257_841)
    back = return_queries.one(world.campaign.id, id)
    assert (back.host, back.tip, back.processor, back.kept) == (20_627, 38_676, 9_662, 9_662)
    assert back.goes_back == 248_179, "what the processor keeps is stated, and nobody else pays it"
    assert of_book(world) == {}
    assert gift_queries.gift(world.campaign.id, gift).state is State.RETURNED
    assert campaign_queries.card(world.campaign.id).raised == 0
    assert reconcile(simulator, NOW.date()) == []


def test_a_provider_that_gives_its_fee_back_pays_the_whole(
    world: World, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "commonweal.services.giving.payment.providers", lambda: {"simulator": replace(simulator, returns_fee=True)}
    )
    world = hosted(world)
    gift = paid(world, simulator, 219_165, tip=38_676, fee=9_662)
    reconcile(simulator, NOW.date())
    back = return_queries.one(world.campaign.id, refund(world, gift, 257_841))
    assert (back.goes_back, back.kept) == (257_841, 0)
    assert of_book(world) == {}


def test_partial_refunds_sum_to_the_whole_and_the_gross_need_not_be_held(world: World, simulator: Simulator) -> None:
    world = hosted(world)
    gift = paid(world, simulator, 219_165, tip=38_676, fee=9_662)
    reconcile(simulator, NOW.date())
    for number, amount in enumerate((1, 100_000, 57_840, 100_000)):
        refund(world, gift, amount, f"r{number}")
    assert of_book(world) == {}
    with pytest.raises(Conflict, match=r"refund\.above-gift"):
        refund(world, gift, 1, "more")


def test_the_campaigns_part_that_is_spent_does_not_go_back(world: World, simulator: Simulator) -> None:
    world = hosted(world)
    gift = paid(world, simulator, 10_000, fee=60)
    reconcile(simulator, NOW.date())
    pay_out(world, 5_000, "a")
    with pytest.raises(Conflict, match=r"refund\.spent"):
        refund(world, gift, 10_000)
    assert refund(world, gift, 2_000, "less")


def test_a_fee_that_is_told_after_the_gift_was_spent_is_a_stated_receivable(world: World, simulator: Simulator) -> None:
    paid(world, simulator, 10_000, fee=60)
    pay_out(world, 10_000, "a")
    reconcile(simulator, NOW.date())
    assert of_book(world) == {"provider:simulator": 9_940, "payable": 10_000, "receivable": 60}


def test_the_host_that_bears_the_fee_owes_it_and_the_fund_stays_whole(world: World, simulator: Simulator) -> None:
    world = hosted(world, Fraction(0), Bearer.HOST)
    gift = paid(world, simulator, 10_000, fee=60)
    reconcile(simulator, NOW.date())
    reconcile(simulator, NOW.date())
    assert of_book(world) == {"provider:simulator": 9_940, "borne": 60, "fund": 10_000}
    assert refund(world, gift, 10_000)
    assert of_book(world) == {"provider:simulator": -60, "borne": 60}, "the host still owes what the provider kept"


def test_a_chargeback_takes_from_each_party_and_what_is_gone_is_stated(world: World, simulator: Simulator) -> None:
    world = hosted(world)
    gift = paid(world, simulator, 219_165, tip=38_676, fee=9_662)
    reconcile(simulator, NOW.date())
    pay_out(world, 88_876, "a")
    asked = order(world, gift, 257_841)
    assert gifts.confirm("simulator", *simulator.report_chargeback(asked, NOW)) is Outcome.CHARGED_BACK
    assert of_book(world) == {"provider:simulator": -9_662, "payable": 88_876, "receivable": 98_538}
    assert gift_queries.gift(world.campaign.id, gift).state is State.RETURNED


def test_a_tip_is_possible_only_where_the_host_holds_the_money(world: World, simulator: Simulator) -> None:
    with pytest.raises(Invalid, match=r"tip\.mirror"):
        gifts.give(Give(world.campaign.id, world.giver.id, 500, "CNY", "simulator", "t", 100))
    world = hosted(world, Fraction(0))
    wish = Give(world.campaign.id, world.giver.id, 500, "CNY", "simulator", "t", 100)
    taken = gifts.give(wish)
    assert gifts.give(wish).id == taken.id
    with pytest.raises(Conflict, match=r"key\.reused"):
        gifts.give(replace(wish, tip=200))
    assert gifts.confirm("simulator", *simulator.report(order(world, taken.id, 500), NOW)) is Outcome.DIFFERS


# Settlements


def test_what_the_provider_settles_arrives_in_the_bank_and_pays_what_waited(world: World, simulator: Simulator) -> None:
    other = hosted(world, Fraction(0))
    first, _ = paid(world, simulator, 10_000, fee=60), paid(other, simulator, 3_000, key="o")
    request = pay_out(world, 4_000, "a")
    assert of_book(world) == {"provider:simulator": 10_000, "fund": 6_000, "payable": 4_000}, "nothing is overdrawn"
    refund(world, first, 400)
    with clock.stopped(NOW + timedelta(hours=1)):
        refund(world, first, 600, "again")
    with clock.stopped(NOW + DAY):
        jobs.reconcile()
        jobs.reconcile()
    assert reconciliation.differences() == []
    with clock.stopped(NOW + 2 * DAY):
        jobs.reconcile()
        jobs.reconcile()
    assert of_book(world) == {"bank": 4_940, "fund": 4_940}
    assert of_book(other) == {"bank": 3_000, "fund": 3_000}
    (settled,) = reconciliation.settlements()
    assert (settled.amount, settled.lines, settled.day) == (11_940, 4, (NOW + DAY).date())
    with clock.stopped(NOW + 3 * DAY):
        pay_out(world, 2_000, "b")
        put_in(world, 500)
        pay_out(world, 3_440, "c")
    assert of_book(world) == {}
    assert request


def test_a_settlement_that_comes_to_nothing_is_one(world: World, simulator: Simulator) -> None:
    """A fen of which the provider keeps a fen, and two campaigns of which one gets what the other gives back."""
    other = hosted(world, Fraction(0))
    paid(world, simulator, 1, fee=1)
    paid(world, simulator, 700, key="k2")
    with clock.stopped(NOW - 2 * DAY):
        gift = paid(other, simulator, 700, key="o", at=NOW - 2 * DAY)
    with clock.stopped(NOW - DAY):
        assert reconcile(simulator, (NOW - DAY).date()) == []
    refund(other, gift, 700)
    with clock.stopped(NOW + DAY):
        assert reconcile(simulator, (NOW + DAY).date()) == []
    newest, _ = reconciliation.settlements()
    assert (newest.amount, newest.lines) == (0, 3)
    assert of_book(world) == {"bank": 700, "fund": 700}
    assert of_book(other) == {}


def test_a_settlement_that_differs_moves_nothing_and_is_listed(world: World, simulator: Simulator) -> None:
    paid(world, simulator, 10_000)
    with (simulator.home / "simulator" / f"{NOW.date()}.jsonl").open("a") as journal:
        journal.write(
            f'{{"book": "{world.campaign.id}", "gift": "{uuid.uuid4()}", "amount": 7, "asset": "CNY", '
            '"reference": "sim-lost"}\n'
        )
    found = reconcile(simulator, (NOW + DAY).date())
    assert [(each.kind, each.here, each.there) for each in found] == [("settlement", 10_000, 10_007)]
    assert of_book(world) == {"provider:simulator": 10_000, "fund": 10_000}


def test_the_providers_own_day_counts_not_that_of_utc(world: World, simulator: Simulator) -> None:
    """16:30 UTC is half past midnight of the next day where the provider is."""
    late = datetime(2026, 11, 25, 16, 30, tzinfo=UTC)
    paid(world, simulator, 500, at=late)
    assert simulator.fetch_statement(late.date()) == []
    assert reconcile(simulator, late.date()) == []
    assert reconcile(simulator, late.date() + timedelta(days=1)) == []
    assert [each.amount for each in simulator.fetch_statement(late.date() + timedelta(days=1))] == [500]


# The database keeps it, too


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("UPDATE giving_campaign SET host_fee_numerator = 1, host_fee_denominator = 50 WHERE custody = 'mirror'",
         "mirror_fee"),
        ("UPDATE giving_fee SET amount = 1", "append-only"),
        ("INSERT INTO giving_settlement VALUES ('p', 'r', 'CNY', 5, '2026-11-25', now());"
         "INSERT INTO giving_settled VALUES ('p', 'payment', 'l', 'r', gen_random_uuid(), 4)", "sum of its lines"),
        ("INSERT INTO giving_fee SELECT book, gen_random_uuid(), gift, 'processor', 'campaign', 5, 0, '{}', transfer, "
         "fact, now() FROM giving_payment", "other places"),
        ("INSERT INTO giving_fee SELECT book, gen_random_uuid(), gift, 'processor', 'campaign', 5, 0, "
         "'{[999999,1000004)}', transfer, fact, now() FROM giving_payment", "other places"),
    ],
)  # fmt: skip
def test_raw_sql_is_held_too(world: World, simulator: Simulator, statement: str, why: str) -> None:
    world = hosted(world)
    paid(world, simulator, 1_000)
    with pytest.raises(IntegrityError, match=why), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


# Doors


def test_the_page_tells_where_the_money_is_and_takes_a_tip(world: World, simulator: Simulator, client: Client) -> None:
    world = hosted(world, Fraction(5, 100), Bearer.HOST)
    form: dict[str, Any] = {"choice": "20", "tip": "1.5", "channel": "simulator", "key": "k1"}
    page = client.get(f"/en/giving/{world.campaign.id}/").content.decode()
    assert "keeps 5 % of each gift" in page and 'name="tip"' in page
    sent = client.post(f"/en/giving/{world.campaign.id}/give/", form)
    assert simulator.order(sent["Location"].rstrip("/").rpartition("/")[2]).amount == 2_150
    wrong = client.post(f"/en/giving/{world.campaign.id}/give/", form | {"tip": "1e3", "key": "k2"})
    assert wrong.status_code == 422
    paid(world, simulator, 1_000, fee=6)
    reconcile(simulator, NOW.date())
    for language, words in (("en", "the foundation that holds the money"), ("zh", "托管基金会")):
        shown = client.get(f"/{language}/giving/{world.campaign.id}/money/").content.decode()
        assert words in shown and "0.50" in shown and "0.06" in shown
