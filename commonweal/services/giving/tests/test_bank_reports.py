"""Monthly reports of time banks: sums of three people and more, as a page and as a table."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from commonweal.kernel import clock
from commonweal.kernel.errors import NotFound
from commonweal.services.giving.queries import bank_reports as queries
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
    assert "月度报告" in page
    assert f"{MONTH},total,合计,All together,3,2,50" in table


def test_a_month_that_is_not_over_has_no_report(north: There) -> None:
    with refused("report.unknown", NotFound):
        queries.report(north.id, MONTH)
    with clock.stopped(LATER), pytest.raises(NotFound):
        queries.report(north.id, queries.Month(NOW.year - 1, 1))
