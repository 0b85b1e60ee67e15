"""Monthly reports of time banks: sums of three people and more, as a page and as a table."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from commonweal.kernel import clock
from commonweal.kernel.errors import NotFound
from commonweal.services.giving.queries import bank_reports as queries
from commonweal.services.giving.queries import banks
from commonweal.services.giving.tests.conftest import NOW
from commonweal.services.giving.tests.test_banks import There, ally, exchange, north, refused, south, today

__all__ = ["north", "south", "today"]

MONTH = queries.Month(NOW.year, NOW.month)
LATER = NOW + timedelta(days=40)


def test_a_month_tells_sums_of_three_people_and_more(north: There, south: There) -> None:
    ally(north, south)
    exchange(north, 1, north, 2, 30)
    with clock.stopped(LATER):
        few = queries.report(north.id, MONTH)
    assert (few.members, few.total.exchanges, few.total.minutes) == (3, 1, None)
    exchange(north, 1, north, 3, 20)
    with clock.stopped(LATER):
        enough = queries.report(north.id, MONTH)
        assert (enough.total.people, enough.total.minutes) == (3, 50)
        assert [(ally.owed) for ally in enough.allies] == [None]
        page = Client().get(f"/zh/giving/banks/{north.id}/reports/{MONTH.year}-{MONTH.number}/").content.decode()
        table = Client().get(f"/en/giving/banks/{north.id}/reports/{MONTH.year}-{MONTH.number}.csv").getvalue().decode()
    assert f"{NOW.year}年{NOW.month}月报告" in page
    assert f"{MONTH},total,合计,All together,3,2,50" in table


@pytest.mark.parametrize(
    ("inside", "allied", "minutes", "with_allies"),
    [
        ([(1, 2)], [], None, None),
        ([(1, 2), (2, 3)], [], 20, 0),
        ([], [(1, 1)], None, None),
        ([], [(1, 1), (2, 1)], 20, 20),
        ([(1, 2), (2, 3)], [(1, 1)], 30, None),  # the part would be of two
        ([(1, 2)], [(1, 1), (2, 1)], 30, None),  # what it leaves would be
        ([(1, 2), (2, 3)], [(1, 1), (2, 1)], 40, 20),
    ],
)
def test_the_live_report_tells_a_part_by_the_same_rule_as_the_month(
    north: There,
    south: There,
    inside: list[tuple[int, int]],
    allied: list[tuple[int, int]],
    minutes: int | None,
    with_allies: int | None,
) -> None:
    ally(north, south)
    for payer, payee in inside:
        exchange(north, payer, north, payee, 10)
    for payer, payee in allied:
        exchange(north, payer, south, payee, 10)
    (live,) = banks.report(north.id)
    with clock.stopped(LATER):
        (monthly,) = queries.report(north.id, MONTH).lines
    assert (live.minutes, live.with_allies) == (monthly.minutes, monthly.with_allies) == (minutes, with_allies)
    if None in (minutes, with_allies):
        page = Client().get(f"/en/giving/banks/{north.id}/").content.decode()
        assert '<td class="num">–</td>' in page


def test_a_month_that_is_not_over_has_no_report(north: There) -> None:
    with refused("report.unknown", NotFound):
        queries.report(north.id, MONTH)
    with clock.stopped(LATER), pytest.raises(NotFound):
        queries.report(north.id, queries.Month(NOW.year - 1, 1))
