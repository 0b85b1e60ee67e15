"""The control room: its figures, its stream, announcements, and counters that equal log and books."""

from __future__ import annotations

import asyncio
import json
import random
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from commonweal.kernel import clock
from commonweal.kernel.errors import Invalid, NotAllowed
from commonweal.kernel.parties.cipher import platform_key
from commonweal.kernel.proof import load_signer, sequence
from commonweal.kernel.text import Text
from commonweal.services.giving import live
from commonweal.services.giving.actions import control, gifts
from commonweal.services.giving.hot.meter import Counts
from commonweal.services.giving.payment.simulator import Simulator
from commonweal.services.giving.queries import control as queries
from commonweal.services.giving.rules import load
from commonweal.services.giving.rules.gifts import COLLECTED, Give
from commonweal.services.giving.tests.conftest import NOW, World
from commonweal.services.giving.tests.test_fees import hosted, paid

SAID = Text("Matching opens at nine.", "九点开放配捐。")


@pytest.fixture(autouse=True)
def today() -> Any:
    with clock.stopped(NOW):
        yield


@pytest.fixture(autouse=True)
def home(settings: Settings, tmp_path: Path) -> None:
    """A log with a key of its own; what is sealed can be read here, too."""
    sealed = platform_key(settings.HOME)
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "parties.key").write_bytes(sealed)
    settings.HOME = tmp_path


def collect(world: World, *amounts: int) -> None:
    """Gifts that the charity has collected, each with its leaf; in the log up to the next checkpoint."""
    with transaction.atomic(), connection.cursor() as cursor:
        wishes = [
            Give(world.campaign.id, world.officer.id, amount, "CNY", COLLECTED, f"c{amount}-{n}")
            for n, amount in enumerate(amounts)
        ]
        assert all(isinstance(taken, gifts.Taken) for taken in gifts.take(cursor, wishes, clock.now()))


def check(settings: Settings) -> None:
    sequence(connection.connection, load_signer(settings.HOME, settings.LOG_NAME), clock.now())


@given(st.lists(st.floats(min_value=0, max_value=60), min_size=1, max_size=200), st.floats(0.01, 1))
def test_a_quantile_is_at_most_a_quarter_too_high(times: list[float], share: float) -> None:
    counts = [0] * len(load.BOUNDS)
    for time in times:
        counts[load.bucket(time)] += 1
    exact = sorted(times)[max(0, -int(-share * len(times) // 1) - 1)]
    said = load.quantile(counts, share)
    assert said >= min(exact, load.BOUNDS[-1]) - 1e-9 or share * len(times) % 1 < 1e-6
    assert said <= max(exact * 1.25, load.BOUNDS[0]) + 1e-9 or share * len(times) % 1 < 1e-6


def test_counts_of_several_processes_add_up() -> None:
    dice = random.Random(3)
    parts = [[dice.randrange(9) for _ in load.BOUNDS] for _ in range(4)]
    assert load.added(parts) == [sum(each) for each in zip(*parts, strict=True)]
    assert load.added([]) == [0] * len(load.BOUNDS)
    assert load.quantile(load.added([]), 0.99) == 0


def test_only_stewards_enter(world: World, client: Client) -> None:
    for party, status in ((world.giver, 403), (world.officer, 403), (world.stewards[0], 200)):
        client.force_login(party.login)
        assert client.get("/zh/giving/control/").status_code == status
    with pytest.raises(NotAllowed):
        control.ticket(world.giver)
    assert not control.admits("made-up:1:2")
    opened = control.ticket(world.stewards[0])
    assert control.admits(opened)


def test_the_stream_is_for_tickets_and_says_what_the_page_says(world: World) -> None:
    async def ask(path: str) -> bool:
        scope = {"type": "http", "method": "HEAD", "path": path, "headers": []}
        sent: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            sent.append(message)

        return await live.room(scope, receive, send) is None

    assert not asyncio.run(ask(live.ROOM + "nobody"))
    assert asyncio.run(ask(live.ROOM + control.ticket(world.stewards[0])))
    with connection.cursor() as cursor:
        event = live.poll(cursor)
    assert event is not None and json.loads(event.data) == queries.room().figures()


def test_the_load_of_all_processes_is_added(world: World) -> None:
    with connection.cursor() as cursor:
        for process, waiting in ((1, 5), (2, 7)):
            times = Counts().times
            times[load.bucket(0.05)] = 30
            cursor.execute(
                "INSERT INTO giving_meter VALUES (%s::text::uuid, %s, 0.25, 30, 1, 2, 0, %s, %s)",
                [f"{process:032x}", NOW - timedelta(seconds=1), waiting, times],
            )
    found = queries.current_load(NOW)
    assert (found.taken, round(found.busy, 3), found.waiting) == (20, 1.333, 12)
    assert 0.05 <= found.p99 <= 0.0625
    assert queries.current_load(NOW + timedelta(seconds=3)).taken == 0


def test_an_announcement_is_on_every_public_page_until_it_is_over(world: World, client: Client) -> None:
    steward = world.stewards[0]
    for hours in (0, 25):
        with pytest.raises(Invalid, match=r"1 to 24|1 至 24"):
            control.announce(steward, SAID.en, SAID.zh, hours)
    with pytest.raises(NotAllowed):
        control.announce(world.officer, SAID.en, SAID.zh, 1)
    id = control.announce(steward, SAID.en, SAID.zh, 2)
    pages = [reverse("giving:campaigns"), reverse("giving:books"), reverse("giving:campaign", args=[world.campaign.id])]
    for page in pages:
        assert SAID.zh in client.get(f"/zh{page.removeprefix('/zh').removeprefix('/en')}").content.decode()
    with clock.stopped(NOW + timedelta(hours=3)):
        assert queries.announcements() == []
    with clock.stopped(NOW + timedelta(minutes=1)):
        control.withdraw(steward, id)
        assert queries.announcements() == []


def test_the_steward_announces_by_the_page(world: World, client: Client) -> None:
    client.force_login(world.stewards[0].login)
    page = "/zh/giving/control/"
    assert client.post(page, {"text_zh": "", "hours": "1"}).status_code == 422
    assert client.post(page, {"text_zh": SAID.zh, "hours": "x"}).status_code == 422
    assert client.post(page, {"text_zh": SAID.zh, "text_en": SAID.en, "hours": "3"}).status_code == 303
    (said,) = queries.announcements()
    assert said.text == SAID and said.until == NOW + timedelta(hours=3)
    with clock.stopped(NOW + timedelta(minutes=1)):
        assert client.post(f"/zh/giving/control/announcements/{said.id}/end/").status_code == 303
        assert queries.announcements() == []


def test_counters_are_those_of_a_checkpoint(world: World, settings: Settings) -> None:
    assert control.count() == 0
    collect(world, 500, 880)
    assert control.count() == 0, "no checkpoint holds them yet"
    check(settings)
    assert control.count() > 0
    (first,) = queries.counters()
    assert (first.gifts, first.amount) == (2, 1_380)
    collect(world, 120)
    assert queries.counters() == [first]
    check(settings)
    control.count()
    assert control.count() == 0
    (second,) = queries.counters()
    assert (second.gifts, second.amount) == (3, 1_500) and second.size > first.size


def test_a_tip_is_in_no_counter(world: World, settings: Settings) -> None:
    paid(hosted(world), Simulator(settings.HOME), 1_000, tip=200)
    check(settings)
    assert control.count() > 0
    (counter,) = queries.counters()
    assert (counter.gifts, counter.amount) == (1, 1_000)


def test_counters_that_have_fallen_behind_come_up_in_stretches(
    world: World, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rush makes checkpoints faster than the clerk looks at them: each look takes as many as it can carry."""
    for amount in range(100, 106):
        collect(world, amount)
        check(settings)
    monkeypatch.setattr(control, "AT_ONCE", 3)
    with connection.cursor() as cursor:
        cursor.execute("SELECT size FROM proof_head ORDER BY size")
        sizes = [size for (size,) in cursor.fetchall()]
    counted, steps = 0, []
    while step := control.count():
        counted += step
        steps.append(step)
        assert counted in sizes
    assert counted == sizes[-1] and len(steps) < len(sizes)
    assert [(each.gifts, each.amount) for each in queries.counters()] == [(6, 615)]


def test_a_counter_that_the_books_do_not_bear_out_is_refused(world: World) -> None:
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("INSERT INTO giving_counter VALUES (5, 'CNY', 1, 500, 499)")
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO giving_counter VALUES (5, 'CNY', 1, 500, 500)")
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE giving_counter SET gifts = 2")


RAW = """
    SELECT count(*), sum(l.amount)::bigint FROM proof_leaf e
    JOIN giving_payment p ON p.fact = e.id
    JOIN LATERAL (SELECT sum(-o.amount) AS amount FROM ledger_posting o JOIN ledger_account a
                  ON a.book = o.book AND a.id = o.account
                  WHERE o.book = p.book AND o.transfer = p.transfer AND o.amount < 0) l ON true
    WHERE e.seq < %s AND p.at <= %s
"""
"""From the postings alone, by the numbers of the leaves: nothing of it is the counter's own statement."""


def test_the_pages_name_the_checkpoint_and_raw_sql_comes_to_the_same(
    world: World, settings: Settings, client: Client
) -> None:
    collect(world, 500, 880)
    check(settings)
    collect(world, 999)
    check(settings)
    control.count()
    collect(world, 4_321)
    (said,) = queries.counters()
    with connection.cursor() as cursor:
        cursor.execute(RAW, [said.size, NOW])
        assert cursor.fetchone() == (said.gifts, said.amount) == (3, 2_379)
        cursor.execute("SELECT count(*) FROM proof_head WHERE size = %s", [said.size])
        assert cursor.fetchone() == (1,), "a checkpoint that was signed"
    for language, words in (("en", f"the first <span class=\"num\">{said.size}</span> leaves"),
                            ("zh", f"前 <span class=\"num\">{said.size}</span> 条")):  # fmt: skip
        page = client.get(f"/{language}/giving/books/").content.decode()
        assert words in page and "23.79" in page and "/checkpoint" in page


def test_an_announcement_is_on_the_first_page_and_in_the_room_with_its_end(world: World, client: Client) -> None:
    control.announce(world.stewards[0], SAID.en, SAID.zh, 2)
    for path, words in (("/en/", SAID.en), ("/zh/", SAID.zh)):
        assert words in client.get(path).content.decode()
    page = client.get(f"/en/giving/{world.campaign.id}/").content.decode()
    assert "The stewards of this site, until" in page and 'datetime="2026-11-25T19:00:00+08:00"' in page
    client.force_login(world.stewards[1].login)
    assert SAID.en in client.get("/en/giving/control/").content.decode()
    with clock.stopped(NOW + timedelta(hours=2)):
        for path in ("/en/", f"/en/giving/{world.campaign.id}/", "/en/giving/control/"):
            assert SAID.en not in client.get(path).content.decode(), path
