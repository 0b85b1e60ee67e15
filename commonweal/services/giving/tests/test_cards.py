"""Gift cards: every fen is in a card or in a gift, codes are shown once, and guessing is stopped."""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from commonweal.kernel import clock
from commonweal.kernel.errors import Conflict, Invalid, NotFound, TooMany
from commonweal.kernel.parties import people
from commonweal.kernel.parties.models import Party
from commonweal.services.giving import jobs, pages
from commonweal.services.giving.actions import card_uses, cards, gifts, payouts
from commonweal.services.giving.actions.reconciliation import reconcile
from commonweal.services.giving.models import Campaign
from commonweal.services.giving.payment import Order
from commonweal.services.giving.payment.simulator import Simulator
from commonweal.services.giving.queries import cards as queries
from commonweal.services.giving.queries import gifts as gift_queries
from commonweal.services.giving.rules import cards as rules
from commonweal.services.giving.rules.gifts import Outcome
from commonweal.services.giving.tests.conftest import DAY, NOW, World
from commonweal.services.giving.tests.test_fees import hosted, of_book

# Rules


@given(st.integers(0, 2**32))
def test_a_code_is_read_as_people_write_it(number: int) -> None:
    code = rules.code(random.Random(number).choice)
    known = rules.digest(code)
    for written in (code.lower(), code.replace("-", " "), f" {code} ", code.replace("1", "l").replace("0", "o")):
        assert rules.digest(written) == known
    with pytest.raises(NotFound, match=r"card\.unknown"):
        rules.digest(code[:-1])


@given(st.integers(-5, 100), st.integers(0, 90))
def test_no_more_than_is_left_and_not_after_the_end(amount: int, left: int) -> None:
    fits = 0 < amount <= left
    for now, open_still in ((NOW, True), (NOW + DAY, False)):
        try:
            rules.check_use(amount, left, NOW + DAY, now)
            assert fits and open_still
        except Conflict as refused:
            assert refused.code == ("card.left" if open_still else "card.over")


@given(st.timedeltas(timedelta(0), timedelta(days=800)))
def test_a_card_ends_before_the_campaign_that_gets_the_rest(until: timedelta) -> None:
    closes: datetime = NOW + until
    if until < timedelta(days=8):
        with pytest.raises(Conflict, match=r"card\.closing"):
            rules.expires(NOW, closes)
    else:
        assert NOW + timedelta(days=7) <= rules.expires(NOW, closes) <= min(closes, NOW + timedelta(days=365))


# Actions


assert pages.urlpatterns, "loaded before a fixture puts other providers in place"


@pytest.fixture(autouse=True)
def now() -> Iterator[None]:
    with clock.stopped(NOW):
        yield


@pytest.fixture
def simulator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Simulator:
    made = Simulator(tmp_path)
    for module in ("payment", "jobs.providers", "pages.cards"):
        monkeypatch.setattr(f"commonweal.services.giving.{module}.providers", lambda: {"simulator": made})
    return made


def bought(world: World, simulator: Simulator, amount: int = 10_000, key: str = "k") -> queries.Card:
    card = cards.buy(world.giver, world.campaign.id, amount, "simulator", key)
    assert report(simulator, card) is Outcome.PAID
    return card


def report(simulator: Simulator, card: queries.Card, **changed: Any) -> Outcome:
    order = Order(card.campaign, card.id, card.amount, "CNY", card.title)
    return gifts.confirm("simulator", *simulator.report(order, clock.now(), **changed))


def code_of(world: World, card: queries.Card) -> str:
    return cards.show_code(world.giver, card.campaign, card.id)


def redeem(party: Party, code: str, world: World, amount: int | None, key: str) -> uuid.UUID:
    return card_uses.redeem(party, code, world.campaign.id, amount, key)


def test_every_fen_of_a_card_is_followed(world: World, simulator: Simulator) -> None:
    home, other = hosted(world, Fraction(0)), hosted(world, Fraction(0), number="H2")
    card = bought(home, simulator)
    assert cards.buy(world.giver, home.campaign.id, 10_000, "simulator", "k").id == card.id
    assert report(simulator, card) is Outcome.KNOWN
    assert of_book(home) == {"provider:simulator": 10_000, "cards": 10_000}
    code = code_of(home, card)
    first = redeem(world.officer, code, other, 3_000, "a")
    assert redeem(world.officer, code, other, 3_000, "a") == first, "the same form twice is one gift"
    with pytest.raises(Conflict, match=r"key\.reused"):
        redeem(world.officer, code, other, 4_000, "a")
    redeem(world.officer, code, home, 2_000, "b")
    payouts.lay(home.campaign.id)
    payouts.lay(other.campaign.id)
    assert of_book(home) == {
        "provider:simulator": 10_000, "provider:collected": 2_000, "cards": 5_000, "fund": 2_000, "payable": 5_000,
    }  # fmt: skip
    assert of_book(other) == {"provider:collected": 3_000, "fund": 3_000}
    assert gift_queries.gift(other.campaign.id, first).giver == world.officer.id
    assert [each.amount for each in queries.uses(card)] == [3_000, 2_000]
    with pytest.raises(Conflict, match=r"card\.left"):
        redeem(world.officer, code, other, 5_001, "c")
    with clock.stopped(NOW + DAY):
        assert reconcile(simulator, NOW.date()) == reconcile(simulator, (NOW + DAY).date()) == []
    assert of_book(home) == {"bank": 5_000, "provider:collected": 2_000, "cards": 5_000, "fund": 2_000}
    with clock.stopped(card.expires):
        with pytest.raises(Conflict, match=r"card\.over"):
            redeem(world.officer, code, other, 1, "d")
        jobs.end_cards()
        jobs.end_cards()
    payouts.lay(home.campaign.id)
    assert of_book(home) == {"provider:collected": 7_000, "fund": 7_000}, (
        "what was left is a gift to the named campaign"
    )
    left = queries.find(home.campaign.id, card.id)
    assert left is not None and left.left == 0


def test_a_card_needs_somebody_who_holds_the_money(world: World, simulator: Simulator) -> None:
    with pytest.raises(Invalid, match=r"card\.mirror"):
        cards.buy(world.giver, world.campaign.id, 500, "simulator", "k")
    home = hosted(world, Fraction(0))
    code = code_of(home, bought(home, simulator))
    with pytest.raises(Invalid, match=r"card\.mirror"):
        redeem(world.officer, code, world, 500, "a")


def test_the_code_is_shown_once_after_the_payment_and_kept_as_a_hash(world: World, simulator: Simulator) -> None:
    home = hosted(world, Fraction(0))
    card = cards.buy(world.giver, home.campaign.id, 500, "simulator", "k")
    with pytest.raises(Conflict, match=r"card\.unpaid"):
        code_of(home, card)
    assert report(simulator, card, amount=499) is Outcome.DIFFERS
    with clock.stopped(NOW + timedelta(hours=2)):
        gifts.expire()
        assert report(simulator, card) is Outcome.PAID, "money that comes late has come"
    code = code_of(home, card)
    with pytest.raises(Conflict, match=r"card\.shown"):
        code_of(home, card)
    with pytest.raises(NotFound, match=r"card\.not-yours"):
        cards.show_code(world.officer, home.campaign.id, card.id)
    with connection.cursor() as cursor:
        cursor.execute("SELECT digest FROM giving_card_code")
        (kept,) = cursor.fetchone()
    assert bytes(kept) == rules.digest(code) and code.replace("-", "").encode() not in bytes(kept)
    assert of_book(home) == {"provider:simulator": 500, "cards": 500}


def test_guessing_is_stopped_and_for_the_right_code_too(world: World, simulator: Simulator) -> None:
    home = hosted(world, Fraction(0))
    code = code_of(home, bought(home, simulator))
    for _ in range(10):
        with pytest.raises(NotFound, match=r"card\.unknown"):
            redeem(world.officer, "0000-0000-0000-0000", home, None, "g")
    with pytest.raises(TooMany, match=r"card\.too-often"):
        redeem(world.officer, code, home, None, "g")
    with clock.stopped(NOW + timedelta(hours=1, seconds=1)):
        assert redeem(world.officer, code, home, None, "g")


def test_a_stopped_campaign_leaves_the_rest_in_the_card(world: World, simulator: Simulator) -> None:
    home = hosted(world, Fraction(0))
    card = bought(home, simulator)
    Campaign.objects.filter(pk=home.campaign.id).update(stopped_at=NOW + DAY)
    with clock.stopped(card.expires):
        assert card_uses.expire() == 0
    assert of_book(home) == {"provider:simulator": 10_000, "cards": 10_000}


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("INSERT INTO giving_card_use SELECT book, card, 'raw', target, gift, amount, at FROM giving_card_use",
         "not the amount of its gift"),
        ("UPDATE giving_card SET amount = 1", "append-only"),
        ("DELETE FROM giving_card_use", "append-only"),
        ("UPDATE giving_campaign SET custody = 'mirror'; INSERT INTO giving_card SELECT book, "
         "(SELECT id FROM ledger_transfer t WHERE t.book = k.book AND t.id <> k.id LIMIT 1), buyer, amount, channel, "
         "expires, at FROM giving_card k", "nobody holds"),
    ],
)  # fmt: skip
def test_raw_sql_is_held_too(world: World, simulator: Simulator, statement: str, why: str) -> None:
    home = hosted(world, Fraction(0))
    redeem(world.officer, code_of(home, bought(home, simulator)), home, 5_000, "a")
    with pytest.raises(IntegrityError, match=why), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_the_pages_from_buying_to_giving(world: World, simulator: Simulator, client: Client) -> None:
    client.force_login(world.giver.login)
    assert "无人可以代为保管" in client.get(f"/zh/giving/{world.campaign.id}/card/").content.decode()
    assert client.post(f"/zh/giving/{world.campaign.id}/card/", {"amount": "5", "key": "k"}).status_code == 422
    home = hosted(world, Fraction(0))
    buy = f"/zh/giving/{home.campaign.id}/card/"
    assert client.post(buy, {"amount": "x", "key": "k"}).status_code == 422
    sent = client.post(buy, {"amount": "50", "key": "k"})
    assert sent.status_code == 303 and "50.00" in client.get(sent["Location"]).content.decode()
    (card,) = queries.bought(world.giver.id)
    page = f"/zh/giving/{home.campaign.id}/cards/{card.id}/"
    assert "去付款" in client.get(page).content.decode()
    assert client.post(page).status_code == 409
    report(simulator, card)
    assert "显示卡号" in client.get(page).content.decode()
    shown = client.post(page).content.decode()
    code = shown.partition('<strong class="num">')[2].partition("</strong>")[0]
    assert page in client.get("/zh/giving/mine/").content.decode()
    assert len(code) == 19 and code not in client.get(page).content.decode()
    client.force_login(world.officer.login)
    assert client.get(page).status_code == 404
    form = {"code": code, "target": str(home.campaign.id), "amount": "20", "key": "u1"}
    for wrong, status in (
        ({"code": "x"}, 404),
        ({"target": "x"}, 422),
        ({"amount": "51"}, 409),
        ({"amount": "x"}, 422),
    ):
        assert client.post("/zh/giving/cards/use/", form | wrong).status_code == status
    given = client.post("/zh/giving/cards/use/", form)
    assert given.status_code == 303 and "20.00" in client.get(given["Location"]).content.decode()


def test_programs_buy_and_give(world: World, simulator: Simulator, client: Client) -> None:
    def post(path: str, by: Party, body: dict[str, Any]) -> Any:
        headers = {"Authorization": f"Bearer {people.make_token(by, 'test')}", "Idempotency-Key": "c1"}
        return client.post(f"/api/v1/giving{path}", json.dumps(body), content_type="application/json", headers=headers)

    home = hosted(world, Fraction(0))
    made = post(f"/campaigns/{home.campaign.id}/cards", world.giver, {"amount": "5.00", "asset": "CNY"})
    assert made.status_code == 201 and made.json()["pay"] and not made.json()["paid"]
    (card,) = queries.bought(world.giver.id)
    report(simulator, card)
    use = {"code": code_of(home, card), "campaign": str(home.campaign.id)}
    assert post("/cards/uses", world.officer, use | {"code": "x"}).json()["code"] == "card.unknown"
    assert post("/cards/uses", world.officer, use).status_code == 201
    headers = {"Authorization": f"Bearer {people.make_token(world.giver, 'test')}"}
    assert [each["left"]["amount"] for each in client.get("/api/v1/giving/cards", headers=headers).json()] == ["0.00"]
