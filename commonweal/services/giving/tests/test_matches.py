"""Matching by companies: held at the gift, computed from the pool's file after the review, agreed to by two, paid."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterator
from datetime import timedelta
from fractions import Fraction
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from commonweal.kernel import clock
from commonweal.kernel.errors import Conflict, Invalid, NotAllowed, NotFound
from commonweal.kernel.ledger import KeyReused, Transfer, audit, balance, post
from commonweal.kernel.parties import people
from commonweal.kernel.parties.models import Party
from commonweal.kernel.text import Text
from commonweal.services.giving import jobs, matching
from commonweal.services.giving.actions import books, campaigns, deeds, gifts, matches, payouts, returns, settlements
from commonweal.services.giving.matching import Caps, Slice, pool_file
from commonweal.services.giving.payment.simulator import Simulator
from commonweal.services.giving.queries import campaigns as campaign_queries
from commonweal.services.giving.queries import estimates
from commonweal.services.giving.queries import gifts as gift_queries
from commonweal.services.giving.queries import pools as queries
from commonweal.services.giving.rules import matches as rules
from commonweal.services.giving.rules.gifts import COLLECTED, Give, Outcome
from commonweal.services.giving.rules.matches import Promise, State
from commonweal.services.giving.tests.conftest import DAY, NOW, World, plan, somebody
from commonweal.services.giving.tests.test_payouts import pay_out, put_in
from commonweal.services.giving.tests.test_returns import charge_back, order
from tests.command import main

SECOND = timedelta(seconds=1)
OVER = NOW + 9 * DAY
"""The pools of these tests close a day from now and are in review for seven."""


@pytest.fixture(autouse=True)
def now() -> Iterator[None]:
    with clock.stopped(NOW):
        yield


@pytest.fixture
def simulator(settings: Any) -> Simulator:
    return Simulator(settings.HOME)


def tea() -> Party:
    return people.register_organisation(Text("Dianchi Tea", "滇池茶业"), f"TEA-{uuid.uuid4()}")


def promise(world: World, amount: int = 1_000, **changed: Any) -> Promise:
    company = changed.pop("company", None) or tea().id
    said: dict[str, Any] = {
        "campaigns": (world.campaign.id,), "scheme": matching.Proportional(),
        "slices": (Slice(NOW - DAY, NOW + DAY, amount),),
    }  # fmt: skip
    return Promise(company, **(said | changed))


def open_pool(world: World, amount: int = 1_000, **changed: Any) -> uuid.UUID:
    with clock.stopped(NOW - 2 * DAY):
        return matches.fund(world.officer, promise(world, amount, **changed), "pool")


def left(world: World, pool: uuid.UUID) -> int:
    """What is in the pool, held or not."""
    with connection.cursor() as cursor:
        assert audit(cursor) == []
        return balance(cursor, books.pool(world.campaign.id, "CNY", pool))


def raised(world: World) -> int:
    return campaign_queries.card(world.campaign.id).raised


def promised(world: World, amount: int, key: str = "k") -> uuid.UUID:
    return gifts.give(Give(world.campaign.id, world.giver.id, amount, "CNY", "simulator", key)).id


def settle(world: World, pool: uuid.UUID) -> dict[str, int]:
    """Compute, agree twice, pay; what each gift got. The file alone gives the same."""
    with clock.stopped(OVER):
        jobs.settle_pools()
        found = queries.one(world.campaign.id, pool)
        assert found.digest is not None and found.state is State.JUDGED
        for steward in world.stewards:
            settlements.judge(steward, world.campaign.id, pool, found.digest.hex(), approves=True)
        settlements.pay(world.campaign.id, pool)
        payouts.lay(world.campaign.id)
        file = pool_file.parse(queries.published(queries.one(world.campaign.id, pool)))
    assert list(pool_file.differences(file, matching.match(file.pool, file.gifts))) == []
    with connection.cursor() as cursor:
        cursor.execute("SELECT gift, amount FROM giving_match WHERE pool = %s", [pool])
        paid = {str(gift): amount for gift, amount in cursor.fetchall()}
    assert paid == {gift: amount for gift, amount in (file.matches or {}).items() if amount}
    return paid


def test_a_match_is_held_at_the_gift_and_paid_after_the_review(world: World, simulator: Simulator) -> None:
    pool = open_pool(world, 700)
    gift = promised(world, 600)
    (second,) = put_in(world, 500)
    found = queries.one(world.campaign.id, pool)
    assert (found.reserved, found.free, found.matched, raised(world)) == (700, 0, 0, 500), "the second holds 100"
    assert gifts.confirm("simulator", *simulator.report(order(world, gift, 600), NOW)) is Outcome.PAID
    assert raised(world) == 1_100, "nothing is paid before the review is over"
    assert settle(world, pool) == {str(gift): 600, str(second): 100}
    assert (left(world, pool), raised(world)) == (0, 1_800)


def test_what_is_held_ends_with_its_promise(world: World, simulator: Simulator) -> None:
    pool = open_pool(world, 600)
    gift = promised(world, 600)
    with clock.stopped(NOW + timedelta(minutes=31)):
        gifts.expire()
        assert queries.one(world.campaign.id, pool).free == 600
        late = simulator.report(order(world, gift, 600), clock.now())
        assert gifts.confirm("simulator", *late) is Outcome.PAID
    assert settle(world, pool) == {str(gift): 600}, "late money is money, and its pool was not used up"


def test_a_match_is_a_gift_on_the_line_and_traced(world: World) -> None:
    pool = open_pool(world)
    put_in(world, 400)
    settle(world, pool)
    with clock.stopped(OVER):
        request = pay_out(world, 700, "a")
    assert [(each.nth, each.amount) for each in gift_queries.sources(world.campaign.id, request)] == [
        (1, 400),
        (2, 300),
    ]


def test_caps_hold_a_gift_and_a_giver_of_one_day(world: World) -> None:
    caps = Caps(gift=200, donor_day=300)
    pool = open_pool(world, scheme=matching.Proportional(Fraction(1, 2)), caps=caps)
    put_in(world, 1_000, 1_000, 1_000)
    with clock.stopped(NOW + DAY / 2 + DAY / 4):
        put_in(world, 300)
    assert queries.one(world.campaign.id, pool).reserved == 450
    assert sorted(settle(world, pool).values()) == [100, 150, 200]


def test_a_burst_cannot_drain_the_slices_that_have_not_begun(world: World) -> None:
    slices = rules.even_slices(NOW - DAY, NOW + DAY, 1_001, 4)
    assert [part.amount for part in slices] == [251, 250, 250, 250]
    pool = open_pool(world, slices=slices)
    put_in(world, 5_000)
    assert queries.one(world.campaign.id, pool).reserved == 751, "the third begins this very moment"
    with clock.stopped(NOW + DAY - SECOND):
        put_in(world, 5_000)
    assert queries.one(world.campaign.id, pool).free == 0
    assert sorted(settle(world, pool).values()) == [250, 751]


def test_not_even_sql_holds_more_than_the_slices_have_set_free(world: World) -> None:
    book = world.campaign.id
    later = (Slice(NOW - DAY, NOW + DAY / 2, 10), Slice(NOW + DAY / 2, NOW + DAY, 990))
    pool = open_pool(world, slices=later)
    (gift,) = put_in(world, 500)
    with connection.cursor() as cursor:
        account = books.pool(book, "CNY", pool)
        legs = books.move(account, books.received(book, "CNY"), 20)
        more = Transfer(book, "by hand", b"0" * 32, "giving.hold", legs, NOW, "pending")
        post(cursor, [more])
        with pytest.raises(IntegrityError, match="more than its slices"), transaction.atomic():
            cursor.execute(
                "INSERT INTO giving_reservation VALUES (%s, %s, %s, %s, %s, %s, 20)",
                [book, more.id, gift, pool, world.giver.id, NOW.date()],
            )


def test_a_return_takes_back_its_part_of_the_match(world: World, simulator: Simulator) -> None:
    pool = open_pool(world)
    first, second, third = put_in(world, 300, 200, 90)
    returns.refund(world.officer, world.campaign.id, first, 100, "why", "a")
    gift = promised(world, 300)
    gifts.confirm("simulator", *simulator.report(order(world, gift, 300), NOW))
    assert settle(world, pool) == {str(first): 200, str(second): 200, str(third): 90, str(gift): 300}
    assert left(world, pool) == 210
    with clock.stopped(OVER):
        returns.refund(world.officer, world.campaign.id, first, 50, "why", "b")
        assert left(world, pool) == 260, "a quarter of what was matched has gone back"
        returns.refund(world.officer, world.campaign.id, first, 150, "why", "c")
        assert left(world, pool) == 410
    charge_back(world, simulator, gift, 300)
    assert left(world, pool) == 710


def test_what_goes_back_between_computing_and_paying_is_taken_back_at_once(world: World) -> None:
    pool = open_pool(world)
    first, _ = put_in(world, 300, 200)
    with clock.stopped(OVER):
        digest = settlements.propose(world.campaign.id, pool) or ""
        returns.refund(world.officer, world.campaign.id, first, 300, "why", "a")
        for steward in world.stewards:
            settlements.judge(steward, world.campaign.id, pool, digest, approves=True)
        assert settlements.pay(world.campaign.id, pool) == 2
        assert settlements.pay(world.campaign.id, pool) == 0, "paid once"
    assert left(world, pool) == 800


def test_a_spent_match_stays_spent(world: World, simulator: Simulator) -> None:
    pool = open_pool(world)
    gift = promised(world, 500)
    gifts.confirm("simulator", *simulator.report(order(world, gift, 500), NOW))
    settle(world, pool)
    with clock.stopped(OVER):
        pay_out(world, 800, "a")
    charge_back(world, simulator, gift, 500)
    assert left(world, pool) == 700, "200 of the match were free"


def test_a_settlement_needs_two_people_and_the_newest_file(world: World) -> None:
    pool, book = open_pool(world), world.campaign.id
    put_in(world, 400)
    first, second = world.stewards
    with clock.stopped(NOW + 8 * DAY - SECOND):
        assert settlements.propose(book, pool) is None, "still in review"
    with clock.stopped(OVER):
        digest = settlements.propose(book, pool) or ""
        assert settlements.propose(book, pool) is None, "one is enough"
        with pytest.raises(Conflict, match=r"settlement\.not-agreed"):
            settlements.pay(book, pool)
        with pytest.raises(IntegrityError, match="not agreed"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("INSERT INTO giving_pool_settled VALUES (%s, %s, %s, %s)",
                           [book, pool, bytes.fromhex(digest), OVER])  # fmt: skip
        with pytest.raises(NotAllowed):
            settlements.judge(world.giver, book, pool, digest, approves=True)
        settlements.judge(first, book, pool, digest, approves=True)
        with pytest.raises(Conflict, match=r"settlement\.same-person"):
            settlements.judge(first, book, pool, digest, approves=True)
        with pytest.raises(Conflict, match=r"settlement\.other"):
            settlements.judge(second, book, pool, "00" * 32, approves=True)
        with pytest.raises(Invalid):
            settlements.judge(second, book, pool, digest, approves=False)
        settlements.judge(second, book, pool, digest, approves=False, note="One gift is false")
        with pytest.raises(Conflict, match=r"settlement\.decided"):
            settlements.judge(first, book, pool, digest, approves=True)
    with clock.stopped(OVER + SECOND):
        anew = settlements.propose(book, pool)
        assert anew and anew != digest
        people.grant_role(second, people.OFFICER, world.charity)
        with pytest.raises(NotAllowed, match=r"settlement\.own"):
            settlements.judge(second, book, pool, anew, approves=True)


def test_a_pool_is_entered_once_by_the_charity_and_in_form(world: World) -> None:
    company = tea().id
    pool = open_pool(world, company=company)
    with clock.stopped(NOW - 2 * DAY):
        with pytest.raises(KeyReused):
            matches.fund(world.officer, promise(world, 1_001, company=company), "pool")
        with pytest.raises(NotAllowed):
            matches.fund(world.giver, promise(world, company=company), "other")
        with pytest.raises(NotFound, match=r"campaign\.unknown"):
            matches.fund(world.officer, promise(world, campaigns=(world.campaign.id, uuid.uuid4())), "other")
        wrong: dict[str, dict[str, Any]] = {
            "pool.rate": {"scheme": matching.Proportional(Fraction(11))},
            "pool.cap": {"caps": Caps(donor_day=0)},
            "pool.slices": {"slices": ()},
            "pool.review-days": {"review_days": 6},
            "pool.cap-unused": {"scheme": matching.ProRata(), "caps": Caps(gift=5)},
            "pool.campaigns": {"campaigns": (world.campaign.id, world.campaign.id)},
            "pool.donor-day": {"scheme": matching.RandomBoost(Fraction(1), Fraction(1), matching.SOURCED_TIERS)},
        }
        for code, changed in wrong.items():
            with pytest.raises(Invalid, match=code.replace(".", r"\.")):
                matches.fund(world.officer, promise(world, **changed), "other")
    with pytest.raises(Conflict, match=r"pool\.opens-in-the-past"):
        matches.fund(world.officer, promise(world), "late")
    assert left(world, pool) == 1_000


def test_a_box_and_the_company_itself_are_not_matched(world: World) -> None:
    company = tea()
    pool = open_pool(world, company=company.id)
    for giver in (None, company.id):
        gifts.give(Give(world.campaign.id, giver, 300, "CNY", COLLECTED, str(giver)))
    assert queries.one(world.campaign.id, pool).free == 1_000
    assert settle(world, pool) == {}


def test_lots_are_drawn_by_a_seed_that_is_published_after_the_close(world: World) -> None:
    scheme = matching.RandomBoost(Fraction(1), Fraction(1), matching.SOURCED_TIERS)
    pool = open_pool(world, 50_000, scheme=scheme, caps=Caps(donor_day=99_900))
    deeds.act(world.giver, world.campaign.id, "FLOWERS", 3, "f")
    put_in(world, 10_000, 10_000)
    found = queries.one(world.campaign.id, pool)
    assert (found.seed, found.reserved) == ("", 0)
    with pytest.raises(Conflict, match=r"seed\.early"):
        queries.revealed(found)
    early = pool_file.parse(queries.published(found))
    assert early.matches is None and early.pool.seed is None
    assert [gift.flowers for gift in early.gifts] == [3, 3]
    with clock.stopped(NOW + DAY):
        seed = queries.revealed(queries.one(world.campaign.id, pool))
        assert hashlib.sha256(seed).hexdigest() == found.commitment
    got = settle(world, pool)
    assert len(got) == 2
    assert all(0 < amount <= 10_000 for amount in got.values())


@pytest.mark.parametrize(
    "scheme",
    [matching.ProRata(), matching.Quadratic(), matching.PairwiseButerin(2_500), matching.PairwiseGitcoin(2_500)],
    ids=lambda scheme: scheme.name,
)
def test_what_is_shared_after_the_end_reaches_every_campaign_of_the_pool(world: World, scheme: Any) -> None:
    with clock.stopped(NOW - 40 * DAY):
        other = campaigns.publish(world.officer, plan(world.charity, filing_number="53329000A26002"))
    pool = open_pool(world, 1_000, scheme=scheme, campaigns=(world.campaign.id, other.id))
    people_here = [somebody(f"p{n}@test.example").id for n in range(3)]
    for n, giver in enumerate(people_here):
        gifts.give(Give(world.campaign.id, giver, 300, "CNY", COLLECTED, f"a{n}"))
    gift = gifts.give(Give(other.id, people_here[0], 300, "CNY", COLLECTED, "b")).id
    got = settle(world, pool)
    whole = sum(got.values())
    assert 0 < whole <= 1_000
    assert left(world, pool) == 1_000 - whole
    assert campaign_queries.card(other.id).raised == 300 + got.get(str(gift), 0)
    assert raised(world) == 900 + whole - got.get(str(gift), 0)
    if scheme.name == "pro-rata":
        assert got[str(gift)] == 250
        with clock.stopped(OVER):
            returns.refund(world.officer, other.id, gift, 150, "why", "x")
        assert left(world, pool) == 125, "the match goes back into the other book's pool"


def test_an_estimate_says_what_the_next_gift_would_add(world: World) -> None:
    open_pool(world, 700)
    put_in(world, 500)
    (guess,) = estimates.of_gift(world.campaign.id, [400, 100], world.giver.id)
    assert [(each.now, each.least, each.most) for each in guess.estimates] == [(200, 0, 200), (100, 0, 100)]


def test_the_file_is_recomputed_by_the_command(world: World, tmp_path: Any, capsys: Any) -> None:
    pool = open_pool(world)
    put_in(world, 400, 900)
    settle(world, pool)
    file = tmp_path / "pool.json"
    file.write_bytes(queries.published(queries.one(world.campaign.id, pool)))
    assert str(world.giver.id).encode() not in file.read_bytes()
    assert main(["giving", "recompute", str(file)]) == 0
    assert json.loads(capsys.readouterr().out)["equal"] is True


@given(
    st.lists(st.tuples(st.integers(1, 3), st.integers(1, 900), st.integers(0, 3)), max_size=12),
    st.fractions(Fraction(1, 7), 3),
    st.none() | st.integers(1, 500),
    st.none() | st.integers(1, 800),
    st.none() | st.integers(1, 2_000),
    st.integers(4, 3_000),
    st.integers(1, 4),
)
def test_step_by_step_it_gives_what_the_engine_gives(
    given_gifts: list[tuple[int, int, int]],
    rate: Fraction,
    gift_cap: int | None,
    day_cap: int | None,
    project_cap: int | None,
    whole: int,
    parts: int,
) -> None:
    opens = NOW.replace(hour=0) - timedelta(hours=8)
    pool = matching.Pool(
        name="pool", scheme=matching.Proportional(rate), caps=Caps(gift_cap, day_cap, project_cap),
        slices=rules.even_slices(opens, opens + 4 * DAY, whole, parts),
    )  # fmt: skip
    of_day: dict[tuple[int, int], int] = {}
    held, ours, theirs = 0, [], []
    for number, (giver, amount, day) in enumerate(sorted(given_gifts, key=lambda each: each[2])):
        gift = matching.Gift(str(number), opens + day * DAY, str(giver), "p", "c", amount)
        got = rules.hold(pool, gift, 0, held, of_day.get((giver, day), 0))
        of_day[giver, day] = of_day.get((giver, day), 0) + got
        held += got
        ours.append(got)
        theirs.append(gift)
    assert ours == [match.amount for match in matching.match(pool, theirs)]
