"""Campaign states, the law's clock, gifts, payouts, needs and search terms."""

from __future__ import annotations

import itertools
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonweal.kernel.errors import Conflict, Invalid, NotAllowed
from commonweal.kernel.quantity import CNY
from commonweal.kernel.text import Text
from commonweal.services.giving.rules import campaigns, gifts, law, needs, payouts, terms
from commonweal.services.giving.rules.campaigns import Campaign, Custody, Kind, State
from commonweal.services.giving.rules.gifts import Give
from commonweal.services.giving.rules.needs import Need
from commonweal.services.giving.rules.payouts import Payout

NOW = datetime(2026, 11, 25, 9, tzinfo=UTC)
DAY = timedelta(days=1)
OPEN = Campaign(Kind.CAMPAIGN, True, True, NOW - 30 * DAY, NOW + 30 * DAY, None, NOW + 120 * DAY)
A, B, C = (uuid.UUID(int=n) for n in (1, 2, 3))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, State.OPEN),
        ({"opens_at": NOW}, State.OPEN),
        ({"opens_at": NOW + timedelta(seconds=1)}, State.UPCOMING),
        ({"closes_at": NOW}, State.CLOSED),
        ({"closes_at": NOW + timedelta(seconds=1)}, State.OPEN),
        ({"stopped_at": NOW}, State.STOPPED),
        ({"stopped_at": NOW + DAY}, State.OPEN),
        ({"qualified": False}, State.UNQUALIFIED),
        ({"filed": False}, State.UNFILED),
        ({"report_due": NOW}, State.REPORT_LATE),
        ({"report_due": None}, State.OPEN),
        ({"kind": Kind.PROGRAMME}, State.HISTORY),
    ],
)
def test_the_state_follows_from_the_facts(change: dict[str, object], expected: State) -> None:
    campaign = replace(OPEN, **change)  # type: ignore[arg-type]
    assert campaigns.state(campaign, NOW) is expected
    if expected is State.OPEN:
        campaigns.check_open(campaign, NOW)
    else:
        with pytest.raises(Conflict) as refused:
            campaigns.check_open(campaign, NOW)
        assert refused.value.code == f"campaign.{expected}"
        assert refused.value.text is campaigns.REASONS[expected]


def test_every_state_has_its_words() -> None:
    assert set(campaigns.TITLES) == set(State)
    assert set(campaigns.REASONS) == set(State) - {State.OPEN}
    assert set(gifts.TITLES) == set(gifts.State)
    assert set(payouts.TITLES) == set(payouts.State)
    assert {Custody.MIRROR, Custody.CUSTODIAN} == set(Custody)


def test_the_law_names_its_sources() -> None:
    assert len({rule.code for rule in law.RULES}) == len(law.RULES)


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [
        (datetime(2026, 1, 31, tzinfo=UTC), 1, datetime(2026, 2, 28, tzinfo=UTC)),
        (datetime(2023, 11, 30, tzinfo=UTC), 3, datetime(2024, 2, 29, tzinfo=UTC)),
        (datetime(2026, 12, 1, tzinfo=UTC), 1, datetime(2027, 1, 1, tzinfo=UTC)),
        (datetime(2026, 5, 5, tzinfo=UTC), 0, datetime(2026, 5, 5, tzinfo=UTC)),
    ],
)
def test_months_end_where_the_calendar_does(start: datetime, months: int, end: datetime) -> None:
    assert law.add_months(start, months) == end


def test_a_long_campaign_owes_a_report_every_three_months() -> None:
    opens, closes = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 12, 31, tzinfo=UTC)
    assert law.next_report(opens, closes, []) == datetime(2026, 4, 1, tzinfo=UTC)
    assert law.next_report(opens, closes, [datetime(2026, 3, 20, tzinfo=UTC)]) == datetime(2026, 6, 20, tzinfo=UTC)
    before = datetime(2025, 12, 1, tzinfo=UTC)
    assert law.next_report(opens, closes, [before]) == datetime(2026, 4, 1, tzinfo=UTC)
    last = datetime(2026, 12, 30, tzinfo=UTC)
    assert law.next_report(opens, closes, [last]) == datetime(2027, 3, 30, tzinfo=UTC)
    assert law.next_report(opens, closes, [closes]) is None


def test_a_short_campaign_owes_one_report_after_its_end() -> None:
    opens, closes = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC)
    assert law.next_report(opens, closes, []) == datetime(2026, 10, 1, tzinfo=UTC)


def test_a_gift_is_checked_in_order() -> None:
    give = Give(A, B, 500, "CNY", "simulator", "k")
    gifts.check(give, OPEN, CNY, 1_000, NOW)
    with pytest.raises(Conflict, match=r"campaign\.closed"):
        gifts.check(give, replace(OPEN, closes_at=NOW), CNY, 1_000, NOW)
    with pytest.raises(Invalid, match=r"asset\.other"):
        gifts.check(replace(give, asset="GBP"), OPEN, CNY, 1_000, NOW)
    for amount, code in ((0, "too-small"), (-5, "too-small"), (1_001, "too-large")):
        with pytest.raises(Invalid, match=rf"amount\.{code}"):
            gifts.check(replace(give, amount=amount), OPEN, CNY, 1_000, NOW)
    assert not give.collected
    assert replace(give, channel=gifts.COLLECTED).collected


@given(st.booleans(), st.booleans(), st.integers(0, 3600))
def test_a_gift_waits_until_it_is_paid_or_its_time_is_over(paid: bool, frozen: bool, age: int) -> None:
    state = gifts.state(paid=paid, frozen=frozen, given_at=NOW - timedelta(seconds=age), now=NOW)
    waiting = gifts.State.WAITING if age < 1800 else gifts.State.EXPIRED
    assert state is (gifts.State.PAID if paid else gifts.State.FROZEN if frozen else waiting)


def test_two_people_decide_and_neither_is_of_the_charity() -> None:
    asked = Payout(A, frozenset(), declined=False, paid=False)
    payouts.check_word(asked, B, acts_for_charity=False)
    for steward, own in ((A, False), (B, True)):
        with pytest.raises(NotAllowed, match=r"payout\.own"):
            payouts.check_word(asked, steward, acts_for_charity=own)
    once = replace(asked, approved_by=frozenset({B}))
    with pytest.raises(Conflict, match=r"payout\.same-person"):
        payouts.check_word(once, B, acts_for_charity=False)
    with pytest.raises(Conflict, match=r"payout\.not-approved"):
        payouts.check_payable(once)
    twice = replace(asked, approved_by=frozenset({B, C}))
    payouts.check_payable(twice)
    for decided in (twice, replace(once, declined=True), replace(twice, paid=True)):
        with pytest.raises(Conflict, match=r"payout\.decided"):
            payouts.check_word(decided, uuid.UUID(int=4), acts_for_charity=False)


@pytest.mark.parametrize(
    ("approvals", "declined", "paid", "expected"),
    [
        (0, False, False, payouts.State.ASKED),
        (1, False, False, payouts.State.ASKED),
        (2, False, False, payouts.State.APPROVED),
        (1, True, False, payouts.State.DECLINED),
        (2, False, True, payouts.State.PAID),
    ],
)
def test_the_state_of_a_payout(approvals: int, declined: bool, paid: bool, expected: payouts.State) -> None:
    assert payouts.state(Payout(A, frozenset([B, C][:approvals]), declined, paid)) is expected


def test_no_more_is_asked_for_than_there_is() -> None:
    payouts.check_request(100, 100, 0)
    payouts.check_request(40, 100, 60)
    for amount, promised in ((101, 0), (41, 60)):
        with pytest.raises(Conflict, match=r"fund\.too-low"):
            payouts.check_request(amount, 100, promised)


@given(st.lists(st.tuples(st.integers(1, 50), st.integers(1, 9)), max_size=6), st.integers(0, 2000))
def test_needs_are_filled_in_their_order(items: list[tuple[int, int]], raised: int) -> None:
    word = Text("lesson", "节")
    wanted = [Need(word, price, quantity, word) for price, quantity in items]
    covered = needs.covered(wanted, raised)
    assert sum(covered) == min(raised, sum(need.cost for need in wanted))
    for (need, amount), (_, after) in itertools.pairwise(zip(wanted, covered, strict=True)):
        assert 0 <= amount <= need.cost
        assert after == 0 or amount == need.cost


TITLE = "给石坝小学请一位音乐老师"


@pytest.mark.parametrize("search", ["音乐", "石坝小学", "师", "yinyue", "yin yue", "YinYueLaoShi", "yyls", "石坝 音乐"])
def test_chinese_is_found_by_characters_and_by_pinyin(search: str) -> None:
    assert _found(search, TITLE)


@pytest.mark.parametrize("search", ["乐音", "喝", "yuey", "石坝 数学"])
def test_and_not_by_what_it_does_not_say(search: str) -> None:
    assert not _found(search, TITLE)


@pytest.mark.parametrize(
    ("search", "text"), [("cafe", "A Café"), ("CAFÉ 3", "cafe nr. 37"), ("ＡＢＣ", "abc"), ("ol", "Olá")]
)
def test_other_scripts_are_folded(search: str, text: str) -> None:
    assert _found(search, text)


@given(st.text(max_size=60))
def test_a_query_is_always_a_safe_tsquery(text: str) -> None:
    asked = terms.query(text)
    assert asked.count("'") == 2 * asked.count(":*") == 2 * len([part for part in asked.split(" & ") if part])
    assert "\\" not in asked
    if asked:
        assert _found(text, text)


def test_names_are_sorted_by_pinyin() -> None:
    names = ["张", "Bao", "阿", "李"]
    assert sorted(names, key=terms.sort_key) == ["阿", "Bao", "李", "张"]


def _found(search: str, text: str) -> bool:
    index = terms.terms(text)
    asked = [part.removeprefix("'").removesuffix("':*") for part in terms.query(search).split(" & ")]
    return all(any(term.startswith(word) for term in index) for word in asked)
