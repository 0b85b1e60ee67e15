"""Money back of gift cards: every fen of a card is in a card, a gift, its buyer's hands, or a stated debt."""

from __future__ import annotations

import json
import os
import random
import uuid
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from commonweal.kernel import clock
from commonweal.kernel.errors import Conflict, Invalid, NotAllowed, NotFound
from commonweal.kernel.parties import people
from commonweal.services.giving import jobs, pages
from commonweal.services.giving.actions import card_returns, card_uses, cards, gifts, payouts, returns
from commonweal.services.giving.actions.reconciliation import reconcile
from commonweal.services.giving.payment import Back, Order
from commonweal.services.giving.payment.simulator import Simulator
from commonweal.services.giving.queries import card_returns as queries
from commonweal.services.giving.queries import cards as card_queries
from commonweal.services.giving.queries import returns as return_queries
from commonweal.services.giving.rules import cards as rules
from commonweal.services.giving.rules.gifts import Outcome
from commonweal.services.giving.rules.returns import Standing
from commonweal.services.giving.tests.conftest import DAY, NOW, World
from commonweal.services.giving.tests.test_cards import bought, code_of
from commonweal.services.giving.tests.test_fees import hosted, of_book
from commonweal.services.giving.tests.test_payouts import pay_out

assert pages.urlpatterns, "loaded before a fixture puts other providers in place"


@pytest.fixture(autouse=True)
def now() -> Iterator[None]:
    with clock.stopped(NOW):
        yield


@pytest.fixture
def simulator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Simulator:
    """A provider that keeps its fee, and whose refunds end when it is told so."""
    made = Simulator(tmp_path, returns_fee=False, refunds=None)
    for module in ("payment", "jobs.providers"):
        monkeypatch.setattr(f"commonweal.services.giving.{module}.providers", lambda: {"simulator": made})
    return made


def left(card: card_queries.Card) -> int:
    found = card_queries.find(card.campaign, card.id)
    assert found is not None
    return found.left


def order(card: card_queries.Card, amount: int | None = None) -> Order:
    return Order(card.campaign, card.id, amount or card.amount, "CNY", card.title)


def dispute(simulator: Simulator, card: card_queries.Card, amount: int, **changed: Any) -> Outcome:
    report = simulator.report_chargeback(order(card, amount), clock.now(), **changed)
    return gifts.confirm("simulator", *report)


def refunded(simulator: Simulator, card: card_queries.Card, id: uuid.UUID, *, succeeded: bool = True) -> Outcome:
    found = queries.one(card.campaign, id)
    back = Back(id, card.campaign, card.id, found.amount, "CNY", found.payment)
    return gifts.confirm("simulator", *simulator.report_refund(back, clock.now(), succeeded=succeeded))


def use(world: World, card: card_queries.Card, code: str, target: World, amount: int, key: str) -> uuid.UUID:
    return card_uses.redeem(world.officer, code, target.campaign.id, amount, key)


# Rules


@given(st.integers(1, 500), st.integers(0, 200), st.lists(st.integers(-5, 100), max_size=6))
def test_a_chargeback_takes_the_card_first_then_gifts_and_the_host_bears_the_rest(
    amount: int, held: int, of_gifts: list[int]
) -> None:
    parts = rules.chargeback(amount, held, of_gifts)
    assert parts.amount == amount and len(parts.from_gifts) == len(of_gifts)
    assert 0 <= parts.from_card <= held
    assert all(0 <= taken <= max(0, there) for taken, there in zip(parts.from_gifts, of_gifts, strict=True))
    assert not parts.borne or parts.amount - parts.borne == held + sum(max(0, there) for there in of_gifts)


# Refunds


def test_what_a_card_holds_goes_back_to_who_bought_it(world: World, simulator: Simulator) -> None:
    home = hosted(world, Fraction(0))
    card = bought(home, simulator)
    code = code_of(home, card)
    use(world, card, code, home, 3_000, "a")
    ask = card_returns.refund
    with pytest.raises(NotAllowed, match=r"refund\.not-yours"):
        ask(world.giver, card.campaign, card.id, 1_000, "asked for", "r")
    for amount, error, why in ((0, Conflict, "refund.nothing"), (7_001, Conflict, "card.given")):
        with pytest.raises(error) as refused:
            ask(world.officer, card.campaign, card.id, amount, "asked for", "r")
        assert refused.value.code == why
    with pytest.raises(Invalid, match=r"text\.empty"):
        ask(world.officer, card.campaign, card.id, 1_000, "", "r")
    with pytest.raises(NotFound, match=r"card\.unknown"):
        ask(world.officer, card.campaign, uuid.uuid4(), 1_000, "asked for", "r")
    id = ask(world.officer, card.campaign, card.id, 6_000, "asked for", "r")
    assert ask(world.officer, card.campaign, card.id, 6_000, "asked for", "r") == id
    with pytest.raises(Conflict, match=r"key\.reused"):
        ask(world.officer, card.campaign, card.id, 5_000, "asked for", "r")
    assert left(card) == 1_000, "it is held at once"
    with pytest.raises(Conflict, match=r"card\.left"):
        use(world, card, code, home, 1_001, "b")
    card_returns.send(card.campaign, id)
    assert queries.one(card.campaign, id).standing is Standing.UNDER_WAY
    assert refunded(simulator, card, id, succeeded=False) is Outcome.REFUND_FAILED
    assert left(card) == 7_000, "a refund that failed is on the card again"
    again = ask(world.stewards[0], card.campaign, card.id, 7_000, "asked for", "again")
    assert refunded(simulator, card, again) is Outcome.REFUNDED
    assert refunded(simulator, card, again) is Outcome.KNOWN
    assert left(card) == 0
    with clock.stopped(NOW + timedelta(hours=1)):
        assert refunded(simulator, card, again, succeeded=False) is Outcome.REFUND_FAILED
    books = of_book(home)
    assert (books["owed"], books["provider:simulator"]) == (7_000, 10_000), "it came back and is owed to the buyer"
    assert left(card) == 0


def test_a_refund_of_a_gift_made_with_a_card_is_on_the_card_again(world: World, simulator: Simulator) -> None:
    home, other = hosted(world, Fraction(0)), hosted(world, Fraction(1, 10), number="H2")
    card = bought(home, simulator)
    code = code_of(home, card)
    gift = use(world, card, code, other, 4_000, "a")
    payouts.lay(other.campaign.id)
    returns.refund(world.officer, other.campaign.id, gift, 1_000, "asked for", "r")
    returns.refund(world.officer, other.campaign.id, gift, 1_000, "asked for", "r")
    assert left(card) == 7_000
    assert of_book(other) == {"provider:collected": 3_000, "fund": 2_700, "host": 300}, "each party returns its part"
    assert of_book(home) == {"provider:simulator": 10_000, "payable": 3_000, "cards": 7_000}
    use(world, card, code, other, 7_000, "b")
    with clock.stopped(NOW + DAY):
        assert reconcile(simulator, NOW.date()) == reconcile(simulator, (NOW + DAY).date()) == []
    assert of_book(home) == {}
    returns.refund(world.officer, other.campaign.id, gift, 500, "asked for", "late")
    assert of_book(home) == {"provider:collected": 500, "cards": 500}, "after the settlement it comes as collected"


def test_what_was_left_at_the_end_stays_given(world: World, simulator: Simulator) -> None:
    home = hosted(world, Fraction(0))
    card = bought(home, simulator)
    gift = use(world, card, code_of(home, card), home, 4_000, "a")
    with clock.stopped(card.expires):
        jobs.end_cards()
        returns.refund(world.officer, home.campaign.id, gift, 1_500, "asked for", "r")
        assert left(card) == 1_500
        jobs.end_cards()
        jobs.end_cards()
        assert left(card) == 0, "what came back after the end goes where the rest went"
        rest = next(each for each in queries.uses(card.campaign, card.id) if each.rest)
        with pytest.raises(Conflict, match=r"card\.rest"):
            returns.refund(world.officer, home.campaign.id, rest.gift, 100, "asked for", "rest")


# The provider's fee


def test_the_host_bears_the_fee_of_a_card(world: World, simulator: Simulator) -> None:
    home = hosted(world, Fraction(0))
    card = cards.buy(world.giver, home.campaign.id, 10_000, "simulator", "k")
    gifts.confirm("simulator", *simulator.report(order(card), NOW, fee=60))
    with clock.stopped(NOW + DAY):
        assert reconcile(simulator, NOW.date()) == []
        assert of_book(home) == {"provider:simulator": 9_940, "borne": 60, "cards": 10_000}
        assert reconcile(simulator, (NOW + DAY).date()) == reconcile(simulator, NOW.date()) == []
    assert of_book(home) == {"bank": 9_940, "borne": 60, "cards": 10_000}, "nothing is left with the provider"
    assert left(card) == 10_000


# Chargebacks


def test_a_chargeback_of_a_card_that_holds_all_of_it(world: World, simulator: Simulator) -> None:
    home = hosted(world, Fraction(0))
    card = bought(home, simulator)
    code = code_of(home, card)
    held = card_returns.refund(world.officer, card.campaign, card.id, 9_000, "asked for", "r")
    assert dispute(simulator, card, 10_001) is Outcome.DIFFERS
    assert dispute(simulator, card, 10_000, succeeded=False) is Outcome.DIFFERS, "nothing was lost yet"
    assert dispute(simulator, card, 10_000) is Outcome.CHARGED_BACK
    assert dispute(simulator, card, 10_000) is Outcome.KNOWN
    assert queries.one(card.campaign, held).standing is Standing.FAILED, "what was held for a refund is taken first"
    assert of_book(home) == {} and left(card) == 0
    with pytest.raises(Conflict, match=r"card\.left"):
        use(world, card, code, home, 1, "a")
    assert dispute(simulator, card, 10_000, succeeded=False) is Outcome.CHARGEBACK_WON
    assert dispute(simulator, card, 10_000, succeeded=False) is Outcome.KNOWN
    assert of_book(home) == {"provider:simulator": 10_000, "cards": 10_000} and left(card) == 10_000
    with clock.stopped(NOW + DAY):
        assert reconcile(simulator, NOW.date()) == []


def test_a_card_partly_used_and_charged_back_is_a_stated_receivable(world: World, simulator: Simulator) -> None:
    home, other = hosted(world, Fraction(0)), hosted(world, Fraction(0), number="H2")
    card = bought(home, simulator)
    code = code_of(home, card)
    first = use(world, card, code, other, 4_000, "a")
    pay_out(other, 3_000, "p")
    with clock.stopped(NOW + timedelta(minutes=1)):
        second = use(world, card, code, home, 2_000, "b")
    assert dispute(simulator, card, 9_000) is Outcome.CHARGED_BACK
    (lost,) = queries.of_card(card.campaign, card.id)
    assert (lost.from_card, lost.from_gifts, lost.borne, left(card)) == (4_000, 5_000, 0, 0)
    (of_second,) = return_queries.of_gift(home.campaign.id, second)
    (of_first,) = return_queries.of_gift(other.campaign.id, first)
    assert (of_second.amount, of_second.receivable) == (2_000, 0), "the newest gift goes first"
    assert (of_first.amount, of_first.receivable) == (3_000, 2_000), "what of a gift is spent, its charity owes"
    assert of_book(other)["receivable"] == 2_000
    assert return_queries.receivable(other.campaign.id) == 2_000
    assert dispute(simulator, card, 9_000, succeeded=False) is Outcome.CHARGEBACK_WON
    payouts.lay(home.campaign.id)
    payouts.lay(other.campaign.id)
    assert left(card) == 4_000 and "receivable" not in of_book(other)
    assert (of_book(home)["fund"], of_book(other)["fund"]) == (2_000, 1_000)
    again = [each for each in queries.uses(card.campaign, card.id) if each.gift not in (first, second)]
    assert sorted(each.left for each in again) == [1_000, 2_000]
    returns.refund(world.officer, home.campaign.id, again[0].gift, again[0].left, "asked for", "r") if (
        again[0].target == home.campaign.id
    ) else returns.refund(world.officer, home.campaign.id, again[1].gift, again[1].left, "asked for", "r")
    assert left(card) == 6_000, "a gift that stands again is still a gift of the card"


def test_what_was_refunded_and_is_charged_back_too_is_borne_by_the_host(world: World, simulator: Simulator) -> None:
    home = hosted(world, Fraction(0))
    card = bought(home, simulator)
    id = card_returns.refund(world.officer, card.campaign, card.id, 7_000, "asked for", "r")
    refunded(simulator, card, id)
    assert dispute(simulator, card, 10_000) is Outcome.CHARGED_BACK
    assert of_book(home) == {"provider:simulator": -7_000, "borne": 7_000}, "paid twice: stated, not silent"
    assert dispute(simulator, card, 10_000, succeeded=False) is Outcome.CHARGEBACK_WON
    assert of_book(home) == {"provider:simulator": 3_000, "cards": 3_000}


def test_raw_sql_is_held_too(world: World, simulator: Simulator) -> None:
    home = hosted(world, Fraction(0))
    card = bought(home, simulator)
    code = code_of(home, card)
    gift = use(world, card, code, home, 4_000, "a")
    returns.refund(world.officer, home.campaign.id, gift, 1_000, "asked for", "r")
    card_returns.refund(world.officer, card.campaign, card.id, 1_000, "asked for", "r")
    copied = "book, gen_random_uuid(), card, cause, {0}, {0}, 0, 0, reference, reason, asked_by, transfer, fact, at"
    for statement, why in (
        (f"INSERT INTO giving_card_return SELECT {copied.format(6_001)} FROM giving_card_return", "not hold as much"),
        ("INSERT INTO giving_card_back SELECT book, gen_random_uuid(), card, target, NULL, 5, at FROM giving_card_back",
         "is not what has gone back"),
        ("UPDATE giving_card_return SET amount = 1", "append-only"),
        ("DELETE FROM giving_card_back", "append-only"),
    ):  # fmt: skip
        with pytest.raises(IntegrityError, match=why), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


# Doors


@pytest.mark.parametrize(("language", "word"), [("zh", "退回礼品卡款项"), ("en", "Refund of a gift card")])
def test_the_pages(world: World, simulator: Simulator, client: Client, language: str, word: str) -> None:
    home = hosted(world, Fraction(0))
    card = bought(home, simulator)
    page = f"/{language}/giving/{card.campaign}/cards/{card.id}/refund/"
    client.force_login(world.giver.login)
    assert client.get(page).status_code == 404
    client.force_login(world.stewards[0].login)
    assert page in client.get(f"/{language}/giving/returns/").content.decode()
    assert word in client.get(page).content.decode()
    form = {"amount": "30", "reason": "asked for", "key": "k"}
    for wrong, status in (({"amount": "x"}, 422), ({"reason": ""}, 422), ({"amount": "101"}, 409)):
        assert client.post(page, form | wrong).status_code == status
    assert client.post(page, form).status_code == 303
    assert left(card) == 7_000 and "30.00" in client.get(f"/{language}/giving/returns/").content.decode()
    client.force_login(world.giver.login)
    assert "30.00" in client.get(f"/{language}/giving/{card.campaign}/cards/{card.id}/").content.decode()


def test_programs_refund(world: World, simulator: Simulator, client: Client) -> None:
    home = hosted(world, Fraction(0))
    card = bought(home, simulator)
    headers = {"Authorization": f"Bearer {people.make_token(world.officer, 'test')}", "Idempotency-Key": "c1"}
    path = f"/api/v1/giving/campaigns/{card.campaign}/cards/{card.id}/refunds"
    for amount, code in (("100.01", "card.given"), ("30.00", None), ("40.00", "key.reused")):
        body = json.dumps({"amount": amount, "asset": "CNY", "reason": "asked for"})
        said = client.post(path, body, content_type="application/json", headers=headers)
        assert said.json().get("code") == code and said.status_code == (409 if code else 201)
    assert left(card) == 7_000


# In any order, against a model


STEPS = int(os.environ.get("CARD_STEPS", "60"))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_in_any_order_every_fen_is_somewhere(world: World, simulator: Simulator, seed: int) -> None:
    dice = random.Random(seed)
    home, other = hosted(world, Fraction(0)), hosted(world, Fraction(1, 20), number="H2")
    card = bought(home, simulator)
    code, minute = code_of(home, card), NOW
    paid_back, lost, made, done = 0, 0, [], Counter[str]()

    def check() -> None:
        held, owed = of_book(home), of_book(other)
        assert held.get("cards", 0) == left(card) + sum(
            each.amount for each in queries.of_card(card.campaign, card.id) if each.standing is Standing.UNDER_WAY
        ), "what cards hold is what this card holds, and what is on its way to its buyer"
        for books in (held, owed):
            assert all(amount >= 0 for name, amount in books.items() if name != "provider:simulator"), books
        assert held.get("provider:simulator", 0) == 10_000 - paid_back - lost

    for step in range(STEPS):
        minute += timedelta(minutes=1)
        with clock.stopped(minute):
            deed = dice.choice(["use", "use", "refund", "gift refund", "pay", "charge back", "win"])
            amount = dice.randrange(1, 900)
            try:
                if deed == "use":
                    target = dice.choice([home, other])
                    made.append((target, use(world, card, code, target, amount, f"k{step}")))
                elif deed == "refund":
                    id = card_returns.refund(world.officer, card.campaign, card.id, amount, "asked", f"k{step}")
                    succeeded = dice.random() < 0.7
                    refunded(simulator, card, id, succeeded=succeeded)
                    paid_back += amount if succeeded else 0
                elif deed == "gift refund" and made:
                    target, gift = dice.choice(made)
                    returns.refund(world.officer, target.campaign.id, gift, amount, "asked", f"k{step}")
                elif deed == "pay":
                    target = dice.choice([home, other])
                    pay_out(target, amount, f"k{step}")
                elif deed == "charge back":
                    reference = f"dispute-{len(queries.of_card(card.campaign, card.id))}-{step}"
                    if dispute(simulator, card, amount, reference=reference) is Outcome.CHARGED_BACK:
                        lost += amount
                elif deed == "win":
                    open_ones = [each for each in queries.of_card(card.campaign, card.id)
                                 if each.cause == "chargeback" and each.standing is Standing.DONE]  # fmt: skip
                    if open_ones:
                        one = dice.choice(open_ones)
                        with connection.cursor() as cursor:
                            cursor.execute("SELECT reference FROM giving_card_return WHERE id = %s", [one.id])
                            (reference,) = cursor.fetchone()
                        said = dispute(simulator, card, one.amount, reference=reference, succeeded=False)
                        assert said is Outcome.CHARGEBACK_WON
                        lost -= one.amount
                done[deed] += 1
            except Conflict:
                done[f"{deed} refused"] += 1
            check()
    assert done["use"] and done["charge back"], done
