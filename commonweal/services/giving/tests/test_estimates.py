"""What a form says before the gift: as the engine computes it, a second old at most, and never as a promise."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import timedelta
from fractions import Fraction
from typing import Any

import pytest
from django.test import Client

from commonweal.kernel import clock
from commonweal.kernel.parties import people
from commonweal.kernel.parties.models import Party
from commonweal.services.giving import matching
from commonweal.services.giving.actions import gifts, returns
from commonweal.services.giving.matching import Caps, Slice
from commonweal.services.giving.queries import estimates, pools
from commonweal.services.giving.rules.gifts import COLLECTED, Give
from commonweal.services.giving.rules.matches import even_slices
from commonweal.services.giving.tests.conftest import DAY, NOW, World, somebody
from commonweal.services.giving.tests.test_doors import token
from commonweal.services.giving.tests.test_matches import open_pool, tea
from commonweal.services.giving.tests.test_payouts import put_in

SHARED = (
    matching.ProRata(),
    matching.ProRata(donor_most=900),
    matching.Quadratic(),
    matching.Quadratic("down-only"),
    matching.PairwiseButerin(2_500),
    matching.PairwiseGitcoin(2_500),
)
LATER = NOW + timedelta(seconds=2)


@pytest.fixture(autouse=True)
def now(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(estimates, "SELDOM", 0)  # however long adding up takes here
    with clock.stopped(NOW):
        yield


def given_by(world: World, giver: uuid.UUID, amount: int) -> uuid.UUID:
    return gifts.give(Give(world.campaign.id, giver, amount, "CNY", COLLECTED, str(uuid.uuid4()))).id


def now_of(world: World, amount: int, giver: uuid.UUID | None = None) -> int | None:
    (guess,) = estimates.of_gift(world.campaign.id, [amount], giver)
    return guess.estimates[0].now


@pytest.mark.parametrize("scheme", SHARED, ids=lambda scheme: scheme.name)
@pytest.mark.parametrize("known", [False, True])
def test_it_is_what_the_engine_adds_for_one_more_gift(world: World, scheme: Any, known: bool) -> None:
    """From sums in the database, against the file's own gifts: slices, refunds and earlier gifts of one's own."""
    pool = open_pool(world, 10_000, scheme=scheme, slices=even_slices(NOW - DAY, NOW + DAY, 10_000, 3))
    others = [people.register_person() for _ in range(4)]
    with clock.stopped(NOW - DAY / 2):
        for number, other in enumerate(others):
            given_by(world, other.id, 300 + 100 * number)
    for number, other in enumerate(others):
        back = given_by(world, other.id, 500 + 10 * number)
    returns.refund(world.officer, world.campaign.id, back, 130, "why", "r")
    returns.refund(world.officer, world.campaign.id, given_by(world, others[0].id, 77), 77, "why", "s")
    me = others[1] if known else people.register_person()
    with clock.stopped(LATER):
        said = now_of(world, 640, me.id)
        found = pools.one(world.campaign.id, pool)
        before = pools.gifts(found, LATER)
        asked = pools.gifts(found, LATER)
        own = next(each.donor for each in asked if each.amount == 510) if known else "somebody new"
        next_one = matching.Gift("next", LATER, own, before[0].project, before[0].charity, 640)
        with_it, without = (
            sum(each.amount for each in matching.match(found.rules, rows)) for rows in ([*before, next_one], before)
        )
    assert said == max(0, with_it - without)


def test_lots_are_a_range_and_extras_of_teams_too(world: World) -> None:
    lots = matching.RandomBoost(Fraction(1, 2), Fraction(1), matching.SOURCED_TIERS)
    open_pool(world, 10_000, scheme=lots, caps=Caps(donor_day=600))
    (guess,) = estimates.of_gift(world.campaign.id, [500, 2_000])
    assert [(each.now, each.least, each.most) for each in guess.estimates] == [(None, 0, 500), (None, 0, 600)]


def test_a_team_is_counted_as_large_as_it_is_told_to_be(world: World) -> None:
    open_pool(world, 10_000, scheme=matching.OnePlusX(Fraction(1, 2), (matching.Extra(Fraction(1, 2), team_of=3),)))
    for team, now, most in ((None, 200, 200), (1, 200, 400), (3, 400, 400)):
        (guess,) = estimates.of_gift(world.campaign.id, [400], None, team)
        assert (guess.estimates[0].now, guess.estimates[0].most) == (now, most), team


def test_what_the_day_has_held_already_is_not_offered_again(world: World) -> None:
    open_pool(world, 10_000, caps=Caps(donor_day=600))
    put_in(world, 500)
    assert now_of(world, 400, world.giver.id) == 100
    assert now_of(world, 400) == now_of(world, 400, people.register_person().id) == 400


def test_money_of_a_slice_to_come_is_not_offered(world: World) -> None:
    slices = (Slice(NOW - DAY, NOW + DAY / 2, 300), Slice(NOW + DAY / 2, NOW + DAY, 9_000))
    open_pool(world, slices=slices)
    assert now_of(world, 1_000) == 300


def test_it_is_a_second_old_at_most(world: World) -> None:
    open_pool(world, 1_000)
    assert now_of(world, 800) == 800
    put_in(world, 700)
    assert now_of(world, 800) == 800, "nothing is added up twice within a second"
    with clock.stopped(NOW + timedelta(milliseconds=999)):
        assert now_of(world, 800) == 800
    with clock.stopped(NOW + timedelta(seconds=1)):
        assert now_of(world, 800) == 300
    with clock.stopped(NOW + timedelta(minutes=-1)):
        assert now_of(world, 800) == 300, "a clock that is set back does not stop it"


def test_while_one_thread_adds_up_the_others_answer_from_what_is_there(world: World) -> None:
    open_pool(world, 1_000)
    assert now_of(world, 800) == 800
    put_in(world, 700)
    with clock.stopped(LATER):
        entry = estimates._entries[world.campaign.id]
        with entry.adding:
            assert now_of(world, 800) == 800
        assert now_of(world, 800) == 300


def test_a_process_remembers_so_many_campaigns_and_no_more(world: World) -> None:
    for _ in range(estimates.KEPT + 50):
        estimates._entry(uuid.uuid4())
    assert len(estimates._entries) == estimates.KEPT


def test_the_company_itself_is_offered_nothing(world: World) -> None:
    company = tea()
    open_pool(world, 1_000, company=company.id)
    assert estimates.of_gift(world.campaign.id, [100], company.id) == []
    assert len(estimates.of_gift(world.campaign.id, [100])) == 1


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", ("an estimate, not a promise", "If your gift is the next one", "7 days of review")),
     ("zh", ("不是承诺", "按您是下一位计算", "复核 7 天"))],
)  # fmt: skip
def test_the_form_shows_it_for_the_offered_amounts(
    world: World, client: Client, language: str, words: tuple[str, ...]
) -> None:
    page = client.get(f"/{language}/giving/{world.campaign.id}/").content.decode()
    assert "data-estimate" not in page and "estimate.js" not in page
    with clock.stopped(LATER):
        pool = open_pool(world, 100_000, scheme=matching.Proportional(Fraction(1, 2)), caps=Caps(gift=2_000))
        page = client.get(f"/{language}/giving/{world.campaign.id}/").content.decode()
    for text in (*words, "2.50", "10.00", "20.00", f"/pools/{pool}/"):
        assert text in page, text
    assert page.index("<form") < page.index("data-estimate") < page.index("</form>")


def test_a_refused_form_shows_it_still(world: World, client: Client) -> None:
    open_pool(world, 100_000)
    answer = client.post(f"/en/giving/{world.campaign.id}/give/", {"amount": "-1", "key": "k"})
    assert answer.status_code == 422 and "data-estimate" in answer.content.decode()


def test_programs_are_told_when_it_is_decided(world: World, client: Client) -> None:
    open_pool(world, 1_000, scheme=matching.ProRata())
    put_in(world, 300)
    path = f"/api/v1/giving/campaigns/{world.campaign.id}/estimate"
    with clock.stopped(LATER):
        (told,) = client.get(path, {"amount": "4.00"}).json()
        (again,) = client.get(path, {"amount": "4.00"}, headers=token(_friend())).json()
    assert (told["now"]["amount"], told["least"]["amount"], told["most"]["amount"]) == ("0.00", "0.00", "5.72")
    assert told["as_of"].startswith("2026-11-25T09:00:02") and told["decided_at"].startswith("2026-12-03T09:00:00")
    assert again == told
    for wrong in ("0", "-1", "1e3", "", "99999999999999999"):
        assert client.get(path, {"amount": wrong}).status_code == 422, wrong


def _friend() -> Party:
    return somebody("friend@test.example")
