"""A giver's account: statement, receipts with tax fields, following, things; the company's report; exports; notes."""

from __future__ import annotations

import csv
import io
import itertools
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from commonweal.kernel import clock
from commonweal.kernel.errors import Invalid, NotFound
from commonweal.kernel.notices.inbox import inbox
from commonweal.kernel.parties.erasure import forget
from commonweal.kernel.text import Text
from commonweal.services.giving import jobs
from commonweal.services.giving.actions import campaigns, gifts, givers
from commonweal.services.giving.queries import deadlines
from commonweal.services.giving.queries import givers as queries
from commonweal.services.giving.rules import receipts, risks
from commonweal.services.giving.rules.gifts import COLLECTED, Give
from commonweal.services.giving.rules.needs import Need
from commonweal.services.giving.rules.plans import Telling
from commonweal.services.giving.tests.conftest import DAY, NOW, World
from commonweal.services.giving.tests.test_payouts import ask, pay_out, put_in

YEAR = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def now() -> Iterator[None]:
    with clock.stopped(NOW):
        yield


@pytest.mark.parametrize(
    ("fen", "said"),
    [
        (500, "伍元整"),
        (0, "零元整"),
        (5, "伍分"),
        (50, "伍角"),
        (10_050, "壹佰元伍角"),
        (10_005, "壹佰元零伍分"),
        (100_100, "壹仟零壹元整"),
        (1_010_000_00, "壹佰零壹万元整"),
        (1_000_010_00, "壹佰万零壹拾元整"),
        (100_001_000_00, "壹亿零壹仟元整"),
        (6_807_312, "陆万捌仟零柒拾叁元壹角贰分"),
    ],
)
def test_capital_numerals(fen: int, said: str) -> None:
    assert receipts.capitals(fen) == said


def read_capitals(said: str) -> int:
    """An independent reader: back to fen."""
    whole, _, rest = said.rpartition("元") if "元" in said else ("", "", said)
    total = group = digit = 0
    for sign in whole:
        if sign in receipts.DIGITS:
            digit = receipts.DIGITS.index(sign)
        elif sign in "拾佰仟":
            group, digit = group + digit * 10 ** ("拾佰仟".index(sign) + 1), 0
        elif sign == "万":
            group, digit = (group + digit) * 10_000, 0
            total, group = total + group, 0
        else:
            total, group, digit = (total + group + digit) * 10**8, 0, 0
    fen = (total + group + digit) * 100
    for sign, after in itertools.pairwise(rest):
        if after in "角分":
            fen += receipts.DIGITS.index(sign) * (10 if after == "角" else 1)
    return fen


@given(st.integers(0, 10**14 - 1))
def test_capital_numerals_say_the_amount(fen: int) -> None:
    assert read_capitals(receipts.capitals(fen)) == fen


@given(st.lists(st.integers(1, 10**6), min_size=1, max_size=5), st.integers(1, 10**8))
def test_things_never_say_more_than_was_given(prices: list[int], amount: int) -> None:
    needs = [Need(Text("x", "某"), price, 1, Text("u", "个")) for price in prices]
    said = receipts.impact(needs, amount)
    assert said is not None
    reached = next((price for price in prices if price <= amount), None)
    if reached:
        assert int(said.en.split()[0].replace(",", "")) * reached <= amount
    else:
        assert min(prices) <= int(said.en.split()[2].replace(",", "")) * amount


def test_five_yuan_in_things(world: World) -> None:
    lesson = [Need(Text("a lesson", "音乐课"), 250, 32, Text("lessons", "节"))]
    assert receipts.impact(lesson, 500) == Text("2 lessons: a lesson", "音乐课 2 节")
    assert receipts.impact(queries.needs(world.campaign.id), 500) == Text(
        "one of 4 shares of a set of sheet music", "乐谱的 4 分之一"
    )


def test_the_statement_has_every_gift_of_the_year_and_what_of_it_is_spent(world: World) -> None:
    put_in(world, 3_000, 4_000)
    pay_out(world, 5_000, "a")
    made = queries.statement(world.giver.id, *YEAR)
    assert [(row.amount, row.spent) for row in made.rows] == [(3_000, 3_000), (4_000, 2_000)]
    assert [(total.asset.code, total.amount, total.spent) for total in made.totals] == [("CNY", 7_000, 5_000)]
    assert queries.statement(world.officer.id, *YEAR).rows == []
    assert queries.statement(world.giver.id, YEAR[1], YEAR[1] + 365 * DAY).rows == []
    assert queries.years(world.giver.id, "Asia/Shanghai") == [2026]


def test_what_has_no_place_on_the_line_yet_has_paid_for_nothing(world: World) -> None:
    put_in(world, 3_000)
    pay_out(world, 2_000, "a")
    put_in(world, 400)
    made = queries.statement(world.giver.id, *YEAR)
    assert [(row.amount, row.spent) for row in made.rows] == [(3_000, 2_000), (400, 0)]


def test_the_statement_of_a_thousand_gifts_takes_a_tenth_of_a_second(world: World) -> None:
    wishes = [Give(world.campaign.id, world.giver.id, 500, "CNY", COLLECTED, str(n)) for n in range(1_000)]
    with connection.cursor() as cursor:
        gifts.take(cursor, wishes, NOW)
    pay_out(world, 250_000, "a")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE giving_gift, giving_payment, giving_draw")
    times = []
    for _ in range(5):
        started = time.perf_counter()
        made = queries.statement(world.giver.id, *YEAR)
        times.append(time.perf_counter() - started)
    assert (len(made.rows), made.totals[0].amount, made.totals[0].spent) == (1_000, 500_000, 250_000)
    assert min(times) <= 0.1, f"{min(times) * 1000:.0f} ms"


def test_a_receipt_with_tax_fields_is_for_its_giver_alone(client: Client, world: World) -> None:
    (gift,) = put_in(world, 680_732)
    client.force_login(world.giver.login)
    with pytest.raises(Invalid, match=r"taxpayer\.number"):
        receipts.taxpayer("Li", "12")
    refused = client.post("/en/giving/mine/receipts/", {"name": "Li Hua", "number": "1"})
    assert refused.status_code == 422
    assert (
        client.post("/en/giving/mine/receipts/", {"name": "Li Hua", "number": "53010219900101001x"}).status_code == 303
    )
    for language in ("en", "zh"):
        page = client.get(f"/{language}/giving/{world.campaign.id}/gifts/{gift}/print/").content.decode()
        for field in ("Li Hua", "53010219900101001X", "陆仟捌佰零柒元叁角贰分", "53100000500000001X", "53329000A26001"):
            assert field in page
        assert "Li Hua" in client.get(f"/{language}/giving/mine/2026/").content.decode()
    client.force_login(world.officer.login)
    assert client.get(f"/en/giving/{world.campaign.id}/gifts/{gift}/print/").status_code == 404
    forget(world.giver.id)
    assert queries.taxpayer(world.giver.id) is None


def test_following_news_and_a_word_a_month(client: Client, world: World) -> None:
    client.force_login(world.giver.login)
    address = f"/en/giving/{world.campaign.id}/follow/"
    assert client.post(address, {"follow": "remind"}).status_code == 303
    assert [each.reminds for each in queries.follows(world.giver.id)] == [True]
    telling = Telling(Text("It has come", "琴到了"), Text("Safely.", "平安。"))
    jobs.tell(update=str(campaigns.tell(world.officer, world.campaign.id, telling).id))
    assert inbox(world.giver)[0].kind == "giving.update"
    jobs.remind()
    assert len(inbox(world.giver)) == 1, "not before the month is over"
    with clock.stopped(NOW + timedelta(days=29, hours=23)):
        jobs.remind()
    assert len(inbox(world.giver)) == 1
    world.campaign.closes_at = NOW + 90 * DAY
    world.campaign.save()
    with clock.stopped(NOW + 30 * DAY):
        jobs.remind()
        jobs.remind()
    assert [message.kind for message in inbox(world.giver)].count("giving.reminder") == 1
    assert client.post(address, {"follow": "no"}).status_code == 303
    assert queries.follows(world.giver.id) == []
    with pytest.raises(NotFound):
        givers.follow(world.giver, uuid.uuid4())


def test_the_charitys_files_and_deadlines(client: Client, world: World) -> None:
    put_in(world, 3_000, 4_000)
    pay_out(world, 5_000, "a")
    client.force_login(world.officer.login)
    data = b"".join(client.get(f"/en/giving/{world.campaign.id}/gifts.csv")).decode("utf-8-sig")
    table = list(csv.DictReader(io.StringIO(data)))
    assert [(row["number"], row["amount"], row["asset"]) for row in table] == [
        ("1", "30.00", "CNY"),
        ("2", "40.00", "CNY"),
    ]
    assert str(world.giver.id) not in data
    data = b"".join(client.get(f"/en/giving/{world.campaign.id}/payouts.csv")).decode("utf-8-sig")
    assert [row["amount"] for row in csv.DictReader(io.StringIO(data))] == ["50.00"]
    (report, qualified) = deadlines.of_organisations([world.charity.id])
    assert (report.due, report.late) == (world.campaign.closes_at.replace(year=2027, month=3), False)
    assert qualified.due.year == 2028
    assert "Deadlines" in client.get("/en/giving/charity/").content.decode()
    client.force_login(world.giver.login)
    assert client.get(f"/en/giving/{world.campaign.id}/gifts.csv").status_code == 404


def test_a_stewards_notes(client: Client, world: World) -> None:
    put_in(world, 10_000)
    request = ask(world, 9_000)
    client.force_login(world.stewards[0].login)
    assert "signs to look twice" in client.get("/en/giving/payouts/").content.decode()
    page = client.get(f"/en/giving/{world.campaign.id}/payouts/{request}/").content.decode()
    for note in ("One giver gave 100 % of everything.", "It asks for 90 % of what is there.", "The first payout"):
        assert note in page
    calm = risks.Signs(10, 100, 0, 100, 5, 3, 0, timedelta(days=400), timedelta(days=30))
    assert risks.notes(calm) == []
