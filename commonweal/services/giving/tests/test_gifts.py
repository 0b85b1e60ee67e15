"""Giving and paying on a real database: keys, callbacks that misbehave, and guards that raw SQL meets, too."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import translation

from commonweal.kernel import clock, proof
from commonweal.kernel.errors import Conflict, Invalid, NotAllowed, NotFound, Unauthenticated
from commonweal.kernel.ledger import KeyReused, audit, balance, post
from commonweal.kernel.notices.inbox import inbox
from commonweal.kernel.parties.erasure import forget
from commonweal.kernel.proof.verify import seal
from commonweal.kernel.quantity import CNY
from commonweal.kernel.text import Text
from commonweal.services.giving import jobs
from commonweal.services.giving.actions import books, gifts, payouts
from commonweal.services.giving.actions import campaigns as campaign_actions
from commonweal.services.giving.actions.gifts import Taken
from commonweal.services.giving.actions.openings import opening
from commonweal.services.giving.models import Campaign
from commonweal.services.giving.payment import Order, providers
from commonweal.services.giving.payment.simulator import NONCE, SIGNATURE, TIME, Simulator
from commonweal.services.giving.queries import campaigns as campaign_queries
from commonweal.services.giving.queries import gifts as queries
from commonweal.services.giving.rules.gifts import COLLECTED, Give, Outcome, State
from commonweal.services.giving.tests.conftest import DAY, NOW, World


@pytest.fixture(autouse=True)
def now() -> Iterator[None]:
    with clock.stopped(NOW):
        yield


@pytest.fixture
def simulator() -> Simulator:
    found = providers()["simulator"]
    assert isinstance(found, Simulator)
    return found


def wish(world: World, amount: int = 500, key: str = "k1", **changes: Any) -> Give:
    return replace(Give(world.campaign.id, world.giver.id, amount, "CNY", "simulator", key), **changes)


def order(world: World, taken: Taken, amount: int = 500) -> Order:
    return Order(world.campaign.id, taken.id, amount, "CNY", world.campaign.title)


def pay(world: World, simulator: Simulator, taken: Taken, **changed: Any) -> Outcome:
    body, headers = simulator.report(order(world, taken), clock.now(), **changed)
    return gifts.confirm("simulator", body, headers)


def of_book(world: World) -> dict[str, int]:
    book = world.campaign.id
    accounts = books.provider(book, "CNY", "simulator"), books.received(book, "CNY"), books.fund(book, "CNY")
    with connection.cursor() as cursor:
        assert audit(cursor) == []
        return {account.name: balance(cursor, account) for account in accounts}


def test_a_gift_waits_for_its_payment_and_is_then_in_books_log_and_inbox(world: World, simulator: Simulator) -> None:
    taken = gifts.give(wish(world))
    assert (taken.fact, taken.existed) == (None, False)
    assert queries.gift(world.campaign.id, taken.id).state is State.WAITING
    assert of_book(world) == {"provider:simulator": 0, "received": 0, "fund": 0}

    assert pay(world, simulator, taken) is Outcome.PAID
    found = queries.gift_of(world.giver.id, world.campaign.id, taken.id)
    assert (found.state, found.amount, found.nth) == (State.PAID, 500, None)
    assert of_book(world) == {"provider:simulator": 500, "received": 500, "fund": 0}
    assert campaign_queries.card(world.campaign.id).raised == 500
    assert campaign_queries.card(world.campaign.id).gifts == 1

    assert payouts.lay(world.campaign.id) == 1
    assert payouts.lay(world.campaign.id) == 0
    assert of_book(world) == {"provider:simulator": 500, "received": 0, "fund": 500}
    assert queries.gift(world.campaign.id, taken.id).nth == 1
    assert campaign_queries.card(world.campaign.id).raised == 500

    for _ in range(2):  # thanked once
        jobs.thank(campaign=str(world.campaign.id))
    (message,) = inbox(world.giver)
    assert "5.00" in message.title.zh
    assert message.link == f"/giving/{world.campaign.id}/gifts/{taken.id}/"


def test_the_leaf_names_the_giver_to_the_giver_alone(world: World, simulator: Simulator) -> None:
    taken = gifts.give(wish(world))
    pay(world, simulator, taken)
    found = queries.gift(world.campaign.id, taken.id)
    assert found.fact is not None
    with connection.cursor() as cursor:
        placed = proof.placed(cursor, found.fact)
    assert placed is not None
    leaf = json.loads(placed.entry)
    assert str(world.giver.id) not in placed.entry.decode()
    assert (leaf["kind"], leaf["amount"], leaf["asset"]) == ("giving.gift", 500, "CNY")
    salt, private = opening(world.giver.id, found.fact)
    assert leaf["seal"] == proof.note.encode(seal(salt, private))
    assert private == {"giver": str(world.giver.id)}

    forget(world.giver.id)
    with pytest.raises(NotFound, match=r"party\.forgotten"):
        opening(world.giver.id, found.fact)


def test_whoever_is_forgotten_while_paying_gives_without_a_name(world: World, simulator: Simulator) -> None:
    taken = gifts.give(wish(world))
    forget(world.giver.id)
    assert pay(world, simulator, taken) is Outcome.PAID
    assert payouts.lay(world.campaign.id) == 1
    jobs.thank(campaign=str(world.campaign.id))
    assert queries.gift(world.campaign.id, taken.id).giver == world.giver.id


def test_the_same_key_and_wish_is_the_same_gift(world: World) -> None:
    first, again = gifts.give(wish(world)), gifts.give(wish(world))
    assert (again.id, again.at, again.existed) == (first.id, first.at, True)
    with pytest.raises(KeyReused):
        gifts.give(wish(world, amount=501))
    with pytest.raises(KeyReused):
        gifts.give(wish(world, channel=COLLECTED))
    other = gifts.give(wish(world, giver=world.officer.id, amount=700))
    assert other.id != first.id, "two givers may think of the same key"
    with pytest.raises(Invalid, match=r"key\.form"):
        gifts.give(wish(world, key="späße"))


def test_a_repeated_wish_gets_its_answer_also_after_the_campaign_has_closed(world: World) -> None:
    first = gifts.give(wish(world))
    with clock.stopped(world.campaign.closes_at + DAY):
        assert gifts.give(wish(world)).id == first.id
        with pytest.raises(Conflict, match=r"campaign\.closed"):
            gifts.give(wish(world, key="k2"))


def test_what_a_charity_has_collected_is_there_at_once(world: World) -> None:
    taken = gifts.collect(world.officer, wish(world, giver=None, channel=COLLECTED))
    assert taken.fact is not None
    assert queries.gift(world.campaign.id, taken.id).state is State.PAID
    with pytest.raises(NotAllowed, match=r"gift\.not-yours"):
        gifts.collect(world.giver, wish(world, channel=COLLECTED, key="k2"))
    again = gifts.collect(world.officer, wish(world, giver=None, channel=COLLECTED))
    assert (again.fact, again.existed) == (taken.fact, True)


def test_a_batch_answers_each_wish_and_a_bad_one_hinders_no_other(world: World) -> None:
    nowhere = uuid.uuid4()
    batch = [
        wish(world, key="a"),
        wish(world, key="b", amount=0),
        wish(world, key="c", campaign=nowhere),
        wish(world, key="d", amount=2_000_000),
        wish(world, key="a"),
        wish(world, key="e", channel=COLLECTED, giver=None),
    ]
    with transaction.atomic(), connection.cursor() as cursor:
        answers = gifts.take(cursor, batch, NOW)
    codes = [answer.code if not isinstance(answer, Taken) else "" for answer in answers]
    assert codes == ["", "amount.too-small", "campaign.unknown", "amount.too-large", "", ""]
    first, twin, box = answers[0], answers[4], answers[5]
    assert isinstance(first, Taken) and isinstance(twin, Taken) and isinstance(box, Taken)
    assert (twin.id, twin.existed) == (first.id, True)
    assert box.fact is not None


def test_an_unknown_way_to_pay_is_refused(world: World) -> None:
    with pytest.raises(Invalid, match=r"channel\.unknown"):
        gifts.give(wish(world, channel="shells"))


# What providers call back


def test_a_callback_that_comes_twice_pays_once(world: World, simulator: Simulator) -> None:
    taken = gifts.give(wish(world))
    body, headers = simulator.report(order(world, taken), NOW)
    assert gifts.confirm("simulator", body, headers) is Outcome.PAID
    assert gifts.confirm("simulator", body, headers) is Outcome.KNOWN
    assert pay(world, simulator, taken) is Outcome.KNOWN
    assert of_book(world)["received"] == 500


@pytest.mark.parametrize("changed", [{"amount": 501}, {"amount": 5}, {"amount": -500}, {"asset": "USD"}])
def test_another_amount_or_currency_freezes_the_gift(
    world: World, simulator: Simulator, changed: dict[str, Any]
) -> None:
    taken = gifts.give(wish(world))
    assert pay(world, simulator, taken, **changed) is Outcome.DIFFERS
    assert queries.gift(world.campaign.id, taken.id).state is State.FROZEN
    assert of_book(world)["received"] == 0
    assert [each.outcome for each in queries.mismatches()] == ["differs"]


def test_a_payment_for_no_gift_of_ours_is_kept_for_the_stewards(world: World, simulator: Simulator) -> None:
    taken = gifts.give(wish(world))
    assert pay(world, simulator, taken, gift=str(uuid.uuid4())) is Outcome.UNKNOWN
    box = gifts.give(wish(world, channel=COLLECTED, giver=None, key="box"))
    assert pay(world, simulator, box) is Outcome.UNKNOWN
    assert [each.outcome for each in queries.mismatches()] == ["unknown", "unknown"]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda body, headers: (body + b" ", headers),
        lambda body, headers: (json.dumps(json.loads(body), separators=(",", ":")).encode(), headers),
        lambda body, headers: (body, headers | {NONCE: "other"}),
        lambda body, headers: (body, headers | {TIME: str(int(headers[TIME]) + 1)}),
        lambda body, headers: (body, headers | {SIGNATURE: "AAAA"}),
        lambda body, headers: (body, headers | {SIGNATURE: "not base64"}),
        lambda body, headers: (body, {}),
    ],
)
def test_a_callback_is_believed_for_the_very_bytes_that_were_signed(
    world: World, simulator: Simulator, spoil: Any
) -> None:
    taken = gifts.give(wish(world))
    body, headers = spoil(*simulator.report(order(world, taken), NOW))
    with pytest.raises(Unauthenticated, match=r"callback\.signature"):
        gifts.confirm("simulator", body, headers)
    assert of_book(world)["received"] == 0


@pytest.mark.parametrize(
    "changed", [{"amount": 5.0}, {"amount": "500"}, {"amount": 2**63}, {"amount": True}, {"gift": 1}]
)
def test_a_signed_callback_that_is_out_of_form_is_refused(
    world: World, simulator: Simulator, changed: dict[str, Any]
) -> None:
    taken = gifts.give(wish(world))
    body, _ = simulator.report(order(world, taken), NOW)  # changed here, so that its journal stays in form
    body = json.dumps(json.loads(body) | changed).encode()
    with pytest.raises(Unauthenticated):
        gifts.confirm("simulator", body, simulator.sign(body, NOW))


@pytest.mark.parametrize("age", [301, 86_400, -301])
def test_yesterdays_callback_is_a_replay(world: World, simulator: Simulator, age: int) -> None:
    taken = gifts.give(wish(world))
    body, headers = simulator.report(order(world, taken), NOW - timedelta(seconds=age))
    with pytest.raises(Unauthenticated, match=r"callback\.time"):
        gifts.confirm("simulator", body, headers)


def test_money_that_comes_late_is_money(world: World, simulator: Simulator) -> None:
    taken = gifts.give(wish(world))
    with clock.stopped(NOW + timedelta(minutes=31)):
        assert queries.gift(world.campaign.id, taken.id).state is State.EXPIRED
        assert gifts.expire() == 1
        assert gifts.expire() == 0
        assert pay(world, simulator, taken) is Outcome.PAID
        assert queries.gift(world.campaign.id, taken.id).state is State.PAID
    assert of_book(world)["received"] == 500


def test_a_promise_that_a_clock_ahead_has_voided_is_paid_when_the_clock_is_set_back(
    world: World, simulator: Simulator
) -> None:
    taken = gifts.give(wish(world))
    with clock.stopped(NOW + timedelta(hours=1)):
        assert gifts.expire() == 1
    assert pay(world, simulator, taken) is Outcome.PAID
    assert queries.gift(world.campaign.id, taken.id).state is State.PAID
    assert of_book(world)["received"] == 500


def test_late_money_that_overtakes_the_clockwork(world: World, simulator: Simulator) -> None:
    taken = gifts.give(wish(world))
    with clock.stopped(NOW + timedelta(minutes=31)):
        assert pay(world, simulator, taken) is Outcome.PAID
        assert gifts.expire() == 0
    assert of_book(world)["received"] == 500


# What the database itself refuses


def insert_gift(world: World) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        now = clock.now()
        wished = wish(world, giver=None, channel=COLLECTED, key=str(uuid.uuid4()))
        transfer = gifts._transfer(wished, now)
        post(cursor, [transfer])
        cursor.execute(
            "INSERT INTO giving_gift (book, id, amount, channel, at) VALUES (%s, %s, 500, 'collected', %s)",
            [world.campaign.id, transfer.id, now],
        )


def spoil(world: World, statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, {"campaign": world.campaign.id, "charity": world.charity.id, "now": NOW})


def test_raw_sql_can_give_to_an_open_campaign(world: World) -> None:
    insert_gift(world)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM giving_gift WHERE book = %s", [world.campaign.id])
        assert cursor.fetchone() == (1,)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE parties_credential SET revoked_at = %(now)s WHERE holder_id = %(charity)s",
        "UPDATE parties_credential SET valid_until = '2026-11-24' WHERE holder_id = %(charity)s",
        "UPDATE parties_credential SET kind = 'registration' WHERE holder_id = %(charity)s",
        "DELETE FROM parties_attestation WHERE id IN (SELECT id FROM parties_attestation LIMIT 1)",
        "UPDATE giving_campaign SET stopped_at = %(now)s WHERE id = %(campaign)s",
        "UPDATE giving_campaign SET closes_at = %(now)s WHERE id = %(campaign)s",
        "UPDATE giving_campaign SET opens_at = %(now)s + interval '1 day' WHERE id = %(campaign)s",
        "UPDATE giving_campaign SET cap = 499 WHERE id = %(campaign)s",
        "UPDATE giving_campaign SET kind = 'programme' WHERE id = %(campaign)s",
    ],
)
def test_raw_sql_cannot_give_to_one_that_may_not_take_it(world: World, statement: str) -> None:
    spoil(world, statement)
    with pytest.raises(IntegrityError, match="cannot take this gift"):
        insert_gift(world)


def test_raw_sql_cannot_give_to_a_campaign_without_a_filing(world: World) -> None:
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        spoil(world, "DELETE FROM giving_filing WHERE campaign_id = %(campaign)s")
    unfiled = Campaign.objects.get(pk=world.campaign.id)
    unfiled.pk = uuid.uuid4()
    unfiled.save(force_insert=True)
    with connection.cursor() as cursor:
        campaign_actions.open_book(cursor, unfiled.pk, CNY)
    with pytest.raises(IntegrityError, match="cannot take this gift"):
        insert_gift(replace(world, campaign=unfiled))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE giving_gift SET amount = 1",
        "DELETE FROM giving_gift",
        "UPDATE giving_payment SET amount = 1",
        "UPDATE giving_payment SET start = 7, nth = 2",
        "DELETE FROM giving_payment",
        "TRUNCATE giving_payment CASCADE",
        "UPDATE giving_callback SET outcome = 'paid'",
    ],
)
def test_what_is_written_stays(world: World, simulator: Simulator, statement: str) -> None:
    pay(world, simulator, gifts.give(wish(world)))
    pay(world, simulator, gifts.give(wish(world, key="k2")), amount=1)
    payouts.lay(world.campaign.id)
    with pytest.raises(IntegrityError), transaction.atomic():
        spoil(world, statement)


def test_a_payment_is_the_amount_of_its_gift_and_the_line_has_no_gap(world: World, simulator: Simulator) -> None:
    first, second = gifts.give(wish(world)), gifts.give(wish(world, key="k2"))
    with pytest.raises(IntegrityError, match="not its amount"), transaction.atomic():
        spoil(
            world,
            "INSERT INTO giving_payment (book, gift, amount, transfer, fact, reference, at) "
            f"VALUES (%(campaign)s, '{first.id}', 499, '{first.id}', '{first.id}', '', %(now)s)",
        )
    pay(world, simulator, first)
    pay(world, simulator, second)
    for start, nth in ((1, 1), (500, 2), (0, 2)):
        with pytest.raises(IntegrityError), transaction.atomic():
            spoil(world, f"UPDATE giving_payment SET start = {start}, nth = {nth} WHERE gift = '{second.id}'")


def test_the_simulator_speaks_the_language_of_the_page(tmp_path: Path) -> None:
    order = Order(uuid.uuid4(), uuid.uuid4(), 500, "CNY", Text("A cause", "一件事"))
    simulator = Simulator(tmp_path)
    for language, prefix in (("zh-hans", "/zh/"), ("en", "/en/"), ("zh-hans", "/zh/")):
        with translation.override(language):
            assert simulator.create(order).startswith(prefix)
