"""Actions within their limits, a sponsor's contract, and hours: nobody in two places, nobody their own witness."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from commonweal.kernel import clock
from commonweal.kernel.errors import Conflict, Invalid, NotAllowed
from commonweal.kernel.ledger import Account, KeyReused, audit, balance
from commonweal.kernel.parties import people
from commonweal.kernel.text import Text
from commonweal.services.giving.actions import deeds
from commonweal.services.giving.queries import campaigns
from commonweal.services.giving.queries import deeds as queries
from commonweal.services.giving.rules import deeds as rules
from commonweal.services.giving.tests.conftest import DAY, NOW, World

HOUR = timedelta(hours=1)
SHIFT = rules.Shift(NOW + HOUR, NOW + 3 * HOUR, 2)
WHAT = Text("Read to the little ones", "给孩子们读书")


@pytest.fixture(autouse=True)
def now() -> Iterator[None]:
    with clock.stopped(NOW):
        yield


def in_books(world: World, asset: str) -> int:
    with connection.cursor() as cursor:
        assert audit(cursor) == []
        return balance(cursor, Account(world.campaign.id, f"got:{asset}", asset, -1))


def test_steps_are_given_once_and_within_the_day(world: World) -> None:
    first = deeds.act(world.giver, world.campaign.id, "STEPS", 20_000, "a")
    assert deeds.act(world.giver, world.campaign.id, "STEPS", 20_000, "a") == first
    with pytest.raises(KeyReused):
        deeds.act(world.giver, world.campaign.id, "STEPS", 1, "a")
    with pytest.raises(Invalid, match=r"deed\.limit"):
        deeds.act(world.giver, world.campaign.id, "STEPS", 10_001, "b")
    deeds.act(world.giver, world.campaign.id, "STEPS", 10_000, "c")
    with clock.stopped(NOW + DAY):
        deeds.act(world.giver, world.campaign.id, "STEPS", 30_000, "d")
    assert in_books(world, "STEPS") == 60_000
    assert {each.asset.code: (each.amount, each.needed) for each in queries.got(world.campaign.id)} == {
        "STEPS": (60_000, None),
        "FLOWERS": (0, None),
        "BOOKS": (0, None),
        "MINUTES": (0, None),
    }
    assert queries.people(world.campaign.id)["STEPS"] == 1


@pytest.mark.parametrize(
    ("asset", "amount", "code"),
    [
        ("STEPS", 100_000, "deed.limit"),
        ("STEPS", 0, "deed.limit"),
        ("STEPS", -5, "deed.limit"),
        ("FLOWERS", 4, "deed.limit"),
        ("BOOKS", 21, "deed.limit"),
        ("CNY", 1, "deed.asset"),
        ("MINUTES", 1, "deed.asset"),
    ],
)
def test_what_cannot_be_given(world: World, asset: str, amount: int, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        deeds.act(world.giver, world.campaign.id, asset, amount, "a")
    assert refused.value.code == code


def test_one_device_is_one_walker(world: World) -> None:
    deeds.act(world.giver, world.campaign.id, "STEPS", 20_000, "a", device="watch-1")
    with pytest.raises(Invalid, match=r"deed\.limit"):
        deeds.act(world.officer, world.campaign.id, "STEPS", 20_000, "a", device="watch-1")
    deeds.act(world.officer, world.campaign.id, "STEPS", 20_000, "a", device="watch-2")
    with connection.cursor() as cursor:
        cursor.execute("SELECT device FROM giving_act")
        assert all(b"watch" not in bytes(device) for (device,) in cursor.fetchall())


@given(st.integers(1, 10**4), st.integers(1, 10**4), st.integers(0, 10**6), st.integers(0, 10**6))
def test_a_contract_pays_for_whole_units_and_never_beyond_its_most(per: int, pays: int, over: int, given: int) -> None:
    contract = rules.Sponsorship("STEPS", per, pays, pays + over, NOW, NOW + DAY)
    due = rules.due(contract, given)
    assert 0 <= due <= contract.most
    assert due == contract.most or due * per <= given * pays < (due + pays) * per


def test_a_sponsors_contract_turns_steps_into_money_at_its_close(world: World) -> None:
    company = people.register_organisation(Text("Dianchi Tea", "滇池茶业"), "91530100TEST00001X")
    people.grant_role(world.giver, people.OFFICER, company)
    terms = rules.Sponsorship("STEPS", 5_000, 100, 500, NOW, NOW + 10 * DAY)
    with pytest.raises(NotAllowed):
        deeds.sponsor(world.officer, company, world.campaign.id, terms)
    late = rules.Sponsorship("STEPS", 5_000, 100, 500, NOW, NOW + 30 * DAY)
    with pytest.raises(Invalid, match=r"sponsorship\.form"):
        deeds.sponsor(world.giver, company, world.campaign.id, late)
    id = deeds.sponsor(world.giver, company, world.campaign.id, terms)
    with pytest.raises(NotAllowed):
        deeds.accept(world.giver, id)
    with clock.stopped(NOW + 10 * DAY), pytest.raises(Conflict, match=r"sponsorship\.not-accepted"):
        deeds.settle(id)
    with clock.stopped(NOW + 10 * DAY), pytest.raises(Conflict, match=r"sponsorship\.over"):
        deeds.accept(world.officer, id)
    deeds.accept(world.officer, id)
    with pytest.raises(Conflict, match=r"sponsorship\.accepted"):
        deeds.accept(world.officer, id)
    assert queries.got(world.campaign.id)[0].needed == 25_000  # what it takes until the sponsor's most is reached
    deeds.act(world.giver, world.campaign.id, "STEPS", 12_000, "a")
    with pytest.raises(Conflict, match=r"sponsorship\.open"):
        deeds.settle(id)
    with pytest.raises(Conflict, match=r"sponsorship\.not-due"):
        deeds.receive(world.officer, id)
    with clock.stopped(NOW + 10 * DAY):
        deeds.act(world.giver, world.campaign.id, "STEPS", 30_000, "after-the-close")
        assert queries.to_settle(clock.now()) == [id]
        assert deeds.settle(id) == deeds.settle(id) == 200
        with pytest.raises(NotAllowed):
            deeds.receive(world.giver, id)
        gift = deeds.receive(world.officer, id)
        assert deeds.receive(world.officer, id) == gift
        assert campaigns.card(world.campaign.id).raised == 200


def call(world: World) -> uuid.UUID:
    return deeds.call(world.officer, world.campaign.id, WHAT, SHIFT)


def test_hours_are_confirmed_by_the_receiving_side_disputed_and_decided(world: World) -> None:
    id = call(world)
    deeds.sign_up(world.giver, id)
    deeds.sign_up(world.giver, id)
    with pytest.raises(Conflict, match=r"shift\.not-now"):
        deeds.check_in(world.giver, id)
    with pytest.raises(Conflict, match=r"hours\.not-there"):
        deeds.confirm(world.officer, id, world.giver.id, 60)
    with clock.stopped(NOW + HOUR):
        deeds.check_in(world.giver, id)
        with pytest.raises(Conflict, match=r"shift\.not-yours"):
            deeds.check_in(world.stewards[0], id)
    assert [each.person for each in queries.to_confirm(world.campaign.id)] == [world.giver.id]
    with clock.stopped(NOW + 4 * HOUR):
        with pytest.raises(Invalid, match=r"hours\.range"):
            deeds.confirm(world.officer, id, world.giver.id, 121)
        with pytest.raises(NotAllowed):
            deeds.confirm(world.giver, id, world.giver.id, 100)
        deeds.confirm(world.officer, id, world.giver.id, 60)
        with pytest.raises(Conflict, match=r"hours\.known"):
            deeds.confirm(world.officer, id, world.giver.id, 60)
        assert in_books(world, "MINUTES") == 60
        with pytest.raises(Conflict, match=r"hours\.not-open"):
            deeds.decide(world.stewards[0], id, world.giver.id, 120)
        deeds.dispute(world.giver, id, 120)
        deeds.decide(world.stewards[0], id, world.giver.id, 110)
        assert in_books(world, "MINUTES") == 110
        with pytest.raises(Conflict, match=r"hours\.not-open"):
            deeds.decide(world.stewards[1], id, world.giver.id, 120)
    assert queries.shift(id, world.giver.id).minutes == 110
    time = queries.got(world.campaign.id)[-1]
    assert (time.needed, time.promised, time.amount) == (240, 120, 110)
    assert queries.people(world.campaign.id)["MINUTES"] == 1


def test_nobody_confirms_their_own_hours(world: World) -> None:
    id = call(world)
    deeds.sign_up(world.officer, id)
    with clock.stopped(NOW + HOUR):
        deeds.check_in(world.officer, id)
        with pytest.raises(NotAllowed, match=r"hours\.own"):
            deeds.confirm(world.officer, id, world.officer.id, 60)


def test_hours_that_overlap_and_places_that_are_taken_are_refused(world: World) -> None:
    first = call(world)
    overlapping = rules.Shift(NOW + 2 * HOUR, NOW + 5 * HOUR, 1)
    second = deeds.call(world.officer, world.campaign.id, WHAT, overlapping)
    after = deeds.call(world.officer, world.campaign.id, WHAT, rules.Shift(NOW + 3 * HOUR, NOW + 5 * HOUR, 1))
    deeds.sign_up(world.giver, first)
    with pytest.raises(Conflict, match=r"hours\.overlap"):
        deeds.sign_up(world.giver, second)
    deeds.sign_up(world.giver, after)
    with pytest.raises(Conflict, match=r"shift\.full"):
        deeds.sign_up(world.officer, after)
    with pytest.raises(Invalid, match=r"shift\.form"):
        deeds.call(world.officer, world.campaign.id, WHAT, rules.Shift(NOW, NOW + HOUR, 1))
