"""Bad input through the doors: the stated answer, in both languages, and nothing half-done.

What is tested elsewhere under its own name is only named in the table of the README.
"""

from __future__ import annotations

import base64
import hashlib
import json
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from fractions import Fraction
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from commonweal.kernel import clock
from commonweal.kernel.errors import Invalid
from commonweal.kernel.jobs import run_due
from commonweal.kernel.ledger import audit
from commonweal.kernel.notices.inbox import inbox
from commonweal.kernel.parties import people
from commonweal.kernel.parties.models import Party
from commonweal.kernel.text import Text
from commonweal.services.giving import matching
from commonweal.services.giving.actions import deeds, gifts, returns
from commonweal.services.giving.payment import Back, Order
from commonweal.services.giving.payment.simulator import NONCE, SIGNATURE, TIME, Simulator
from commonweal.services.giving.queries import fees, pools
from commonweal.services.giving.queries import gifts as gift_queries
from commonweal.services.giving.rules.deeds import Shift
from commonweal.services.giving.rules.gifts import COLLECTED, Give, State
from commonweal.services.giving.tests.conftest import DAY, NOW, World, picture, somebody
from commonweal.services.giving.tests.test_doors import JSON, token
from commonweal.services.giving.tests.test_matches import open_pool, settle
from commonweal.services.giving.tests.test_payouts import put_in
from tests.cluster import unguarded

HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def now() -> Iterator[None]:
    with clock.stopped(NOW):
        yield


@pytest.fixture
def simulator(settings: Any) -> Simulator:
    return Simulator(settings.HOME)


def everything() -> dict[str, int]:
    """How many rows each table has; the books are audited. Sessions and tokens are of whoever asks."""
    with connection.cursor() as cursor:
        assert audit(cursor) == []
        cursor.execute(
            """
            SELECT table_name FROM information_schema.tables
            WHERE table_schema = 'public' AND table_type = 'BASE TABLE' AND table_name ~ '^(giving|ledger|proof|jobs)_'
               OR table_name IN ('parties_party', 'parties_credential', 'parties_grant')
            """
        )
        tables = [name for (name,) in cursor.fetchall()]
        cursor.execute(" UNION ALL ".join(f"SELECT '{name}', count(*) FROM {name}" for name in tables))
        return dict(cursor.fetchall())


def check_problem(answer: Any, status: int, code: str) -> None:
    assert answer.status_code == status, answer.content
    problem = answer.json()
    assert problem["code"] == code
    assert problem["en"].isascii() or "“" in problem["en"]
    assert any("\u4e00" <= sign <= "\u9fff" for sign in problem["zh"])


def api(client: Client, path: str, body: Any, by: Party, key: str = "k") -> Any:
    headers = token(by) | {"Idempotency-Key": key}
    return client.post(f"/api/v1/giving/{path}", json.dumps(body), content_type=JSON, headers=headers)


# What may not be given


def by_sql(statement: str) -> Callable[[World], None]:
    def run(world: World) -> None:
        with connection.cursor() as cursor, unguarded(cursor):  # the database itself would not let it happen
            cursor.execute(statement, {"campaign": world.campaign.id, "now": NOW})

    return run


@pytest.mark.parametrize(
    ("state", "happens", "at"),
    [
        ("closed", lambda world: None, NOW + 30 * DAY),
        ("upcoming", lambda world: None, NOW - 31 * DAY),
        ("stopped", by_sql("UPDATE giving_campaign SET stopped_at = %(now)s WHERE id = %(campaign)s"), NOW),
        ("unqualified", by_sql("UPDATE parties_credential SET revoked_at = %(now)s"), NOW),
        ("unfiled", by_sql("UPDATE giving_filing SET filed_at = %(now)s + interval '1 day'"), NOW),
        ("report-late", by_sql("UPDATE giving_campaign SET opens_at = %(now)s - interval '1 year'"), NOW),
    ],
)
def test_a_campaign_that_takes_no_gift_says_why(
    world: World, client: Client, state: str, happens: Callable[[World], None], at: Any
) -> None:
    happens(world)
    client.force_login(world.giver.login)
    with clock.stopped(at):
        before = everything()
        gift = {"amount": "5.00", "asset": "CNY"}
        check_problem(api(client, f"campaigns/{world.campaign.id}/gifts", gift, world.giver), 409, f"campaign.{state}")
        for language in ("en", "zh"):
            form = {"amount": "5.00", "channel": "simulator", "key": f"k-{language}"}
            page = client.post(f"/{language}/giving/{world.campaign.id}/give/", form)
            assert page.status_code == 409
    assert everything() == before


def test_an_unknown_campaign_is_not_there(world: World, client: Client) -> None:
    before = everything()
    gift = {"amount": "5.00", "asset": "CNY"}
    check_problem(api(client, f"campaigns/{uuid.uuid4()}/gifts", gift, world.giver), 404, "campaign.unknown")
    assert everything() == before


# What a charity, a giver or a volunteer asks for


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def asks(amount: str, *evidence: bytes) -> dict[str, Any]:
    return {"amount": amount, "asset": "CNY", "what": {"en": "Lessons"}, "evidence": list(map(encoded, evidence))}


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (asks("50.01", picture()), 409, "fund.too-low"),
        (asks("5.00"), 422, "evidence.missing"),
        (asks("5.00", b"<svg onload=alert(1)>"), 422, "picture.form"),
        (asks("5.00", b"MZ\x90\x00"), 422, "picture.form"),
        (asks("5.00", b"\x89PNG\r\n\x1a\n cut off"), 422, "picture.form"),
        (asks("5.00", b"%PDF-1.7 /JavaScript %%EOF"), 422, "document.form"),
        (asks("5.00", picture(), b"<html>"), 422, "picture.form"),
    ],
)
def test_a_tranche_above_the_fund_or_without_honest_evidence(
    world: World, client: Client, body: Any, status: int, code: str
) -> None:
    put_in(world, 5_000)
    before = everything()
    check_problem(api(client, f"campaigns/{world.campaign.id}/payouts", body, world.officer), status, code)
    assert everything() == before


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_refund_above_the_gift(world: World, client: Client, language: str) -> None:
    (gift,) = put_in(world, 500)
    client.force_login(world.officer.login)
    before = everything()
    address = f"/{language}/giving/{world.campaign.id}/gifts/{gift}/refund/"
    for amount, status in (("5.01", 409), ("0", 422), ("-1", 422), ("1e2", 422), ("99999999999999999999", 422)):
        answer = client.post(address, {"amount": amount, "reason": "Given twice", "key": "k"})
        assert answer.status_code == status
        assert 'aria-invalid="true"' in answer.content.decode()
    assert everything() == before


def test_a_copied_registration_code(world: World, client: Client) -> None:
    code = world.charity.registration or ""
    for copied in (code, f" {code.lower()} "):
        before = everything()
        charity = {"name": {"en": "Dali"}, "registration": copied, "about": {"en": "We"}, "contact": "a@b.example"}
        check_problem(api(client, "charities", charity, world.giver), 409, "organisation.registered")
        assert everything() == before


def test_a_hundred_thousand_steps(world: World, client: Client) -> None:
    before = everything()
    steps = {"amount": "100000", "asset": "STEPS"}
    check_problem(api(client, f"campaigns/{world.campaign.id}/deeds", steps, world.giver), 422, "deed.limit")
    assert everything() == before


def test_hours_that_overlap(world: World, client: Client) -> None:
    what = Text("Sorting books", "整理图书")
    first, second = (
        deeds.call(world.officer, world.campaign.id, what, Shift(NOW + start, NOW + start + 3 * HOUR, 2))
        for start in (HOUR, 2 * HOUR)
    )
    deeds.sign_up(world.giver, first)
    before = everything()
    check_problem(api(client, f"shifts/{second}/signup", {}, world.giver), 409, "hours.overlap")
    assert everything() == before


def test_a_pool_that_was_opened_in_the_past(world: World, client: Client) -> None:
    people.register_organisation(Text("Dianchi Tea", "滇池茶业"), "91530100TEST00001X")
    before = everything()
    for opens, closes in ((-1, 5), (-9, -2)):
        pool = {"amount": "100.00", "asset": "CNY", "registration": "91530100TEST00001X",
                "opens_at": (NOW + opens * DAY).isoformat(), "closes_at": (NOW + closes * DAY).isoformat()}  # fmt: skip
        answer = api(client, f"campaigns/{world.campaign.id}/pools", pool, world.officer)
        check_problem(answer, 409, "pool.opens-in-the-past")
    assert everything() == before


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_seed_that_is_asked_for_early(world: World, client: Client, language: str) -> None:
    """Refused until the close, on the page as in the file and by the API; then it is the one that was committed to."""
    scheme = matching.RandomBoost(Fraction(1), Fraction(1), matching.SOURCED_TIERS)
    pool = open_pool(world, 50_000, scheme=scheme, caps=matching.Caps(donor_day=99_900))
    secret = f"/api/v1/giving/campaigns/{world.campaign.id}/pools/{pool}"
    before = everything()
    with clock.stopped(NOW + DAY - timedelta(milliseconds=1)):
        check_problem(client.get(f"{secret}/seed"), 409, "seed.early")
        file = client.get(f"{secret}/file").json()
        commitment = file["seed"]["commitment"]
        assert set(file["seed"]) == {"commitment"}
        page = client.get(f"/{language}/giving/{world.campaign.id}/pools/{pool}/").content.decode()
        assert commitment in page
    with clock.stopped(NOW + DAY):
        told = client.get(f"{secret}/seed").json()
        assert told["commitment"] == commitment == hashlib.sha256(bytes.fromhex(told["seed"])).hexdigest()
        assert told["seed"] not in page
    assert everything() == before


@pytest.mark.parametrize("amounts", [(100, 100, 100), (1, 1, 1), (333, 333, 334), (1, 2, 99_997)])
def test_the_fen_that_is_left_is_paid_once_and_none_is_made(world: World, amounts: tuple[int, ...]) -> None:
    """A pool of one yuan for three gifts, from the gifts to the books: naive rounding gives 0.99 or 1.01."""
    open_pool(world, 100, scheme=matching.ProRata())
    for amount in amounts:
        gifts.give(Give(world.campaign.id, somebody(f"{uuid.uuid4()}@t.example").id, amount, "CNY", COLLECTED, "k"))
    got = settle(world, pools.of(world.campaign.id)[0].id)
    (pool,) = pools.of(world.campaign.id)
    assert sum(got.values()) == pool.matched == 100
    assert (pool.free, pool.reserved) == (0, 0)
    with connection.cursor() as cursor:
        assert audit(cursor) == []


@pytest.mark.parametrize("cap", [99_899, 99_900, 99_901])
def test_a_boosted_day_at_998_99_and_999_00_and_999_01(world: World, cap: int) -> None:
    """What is worth more than the day's cap is paid up to it, boost included; a cap above 999 yuan is refused."""
    certain = matching.RandomBoost(Fraction(1), Fraction(100), matching.SOURCED_TIERS)
    if cap > 99_900:
        with pytest.raises(Invalid, match=r"pool\.donor-day"):
            open_pool(world, 10_000_000, scheme=certain, caps=matching.Caps(donor_day=cap))
        return
    pool = open_pool(world, 10_000_000, scheme=certain, caps=matching.Caps(donor_day=cap))
    deeds.act(world.giver, world.campaign.id, "FLOWERS", 3, "f")
    put_in(world, 50_000, 50_000, 50_000)
    assert sum(settle(world, pool).values()) == cap


# What calls back


def written_again(body: bytes, **how: Any) -> bytes:
    return json.dumps(json.loads(body), **how).encode()


@pytest.mark.parametrize(
    ("spoil", "status", "said"),
    [
        (lambda body, head: (body, head | {SIGNATURE: "AAAA"}), 401, "callback.signature"),
        (lambda body, head: (body, head | {TIME: "0"}), 401, "callback.signature"),
        (lambda body, head: (body, head | {NONCE: "x"}), 401, "callback.signature"),
        (lambda body, head: (body + b" ", head), 401, "callback.signature"),
        (lambda body, head: (written_again(body, separators=(",", ":")), head), 401, "callback.signature"),
        (lambda body, head: (written_again(body, sort_keys=True), head), 401, "callback.signature"),
        (lambda body, head: (b"x" * 20_000, head), 413, "body.too-large"),
        (lambda body, head: (b"", {}), 401, "callback.signature"),
    ],
)
def test_a_callback_that_is_not_what_was_signed(
    world: World, simulator: Simulator, client: Client, spoil: Any, status: int, said: str
) -> None:
    order = promised(world)
    body, headers = spoil(*simulator.report(order, NOW))
    before = everything()
    check_problem(call_back(client, body, headers), status, said)
    assert everything() == before
    assert gift_queries.gift(order.book, order.gift).state is State.WAITING


def test_what_is_not_believed_is_logged_without_its_body_and_counted(
    world: World, simulator: Simulator, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    order = promised(world)
    body, headers = simulator.report(order, NOW, payer="somebody's card")
    before = gifts.not_believed["simulator"]
    for _ in range(2):
        call_back(client, body, headers | {SIGNATURE: "AAAA"})
    call_back(client, body, simulator.sign(body, NOW - DAY))
    said = [record.getMessage() for record in caplog.records if "not believed" in record.getMessage()]
    assert said == [
        f"callback of simulator not believed (callback.{why}): {before + n} by now"
        for n, why in enumerate(("signature", "signature", "time"), 1)
    ]
    assert str(order.gift) not in caplog.text and "somebody" not in caplog.text


def test_a_refund_is_reported_before_the_provider_has_answered(
    world: World, simulator: Simulator, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The callback overtakes the answer to our own question: the money goes back once."""
    order = promised(world)
    call_back(client, *simulator.report(order, NOW))
    id = returns.refund(world.officer, order.book, order.gift, 500, "Given twice", "k")
    plain, told = Simulator.refund, []

    def refund(provider: Simulator, back: Back) -> bool | None:
        answer = plain(provider, back)
        told.append(call_back(client, *simulator.report_refund(back, NOW)).json()["outcome"])
        return answer

    monkeypatch.setattr(Simulator, "refund", refund)
    returns.send(order.book, id)
    returns.send(order.book, id)
    assert told == ["refunded"]
    assert gift_queries.gift(order.book, order.gift).state is State.RETURNED
    assert fees.accounts(order.book) == []
    with connection.cursor() as cursor:
        cursor.execute("SELECT outcome, count(*) FROM giving_return_end GROUP BY 1")
        assert cursor.fetchall() == [("done", 1)]
        assert audit(cursor) == []


def test_no_provider_is_asked_within_a_callback(
    world: World, simulator: Simulator, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever a callback leads to: what has to be asked is asked by an errand afterwards."""
    order = promised(world)
    id = uuid.uuid4()
    reports = [
        simulator.report(order, NOW),
        simulator.report(order, NOW, reference="again"),
        simulator.report(order, NOW, amount=1),
        simulator.report_chargeback(order, NOW),
        simulator.report_refund(Back(id, order.book, order.gift, 5, "CNY", ""), NOW),
    ]

    def asked(*_: object, **__: object) -> None:
        raise AssertionError("a provider is asked within its callback")

    for name in ("create", "refund", "query", "fetch_statement", "charge", "cancel", "agree"):
        monkeypatch.setattr(Simulator, name, asked)
    outcomes = [call_back(client, *report).json()["outcome"] for report in reports]
    assert outcomes == ["paid", "twice", "differs", "charged-back", "unknown"]


def promised(world: World) -> Order:
    id = gifts.give(Give(world.campaign.id, world.giver.id, 500, "CNY", "simulator", "k")).id
    return Order(world.campaign.id, id, 500, "CNY", world.campaign.title)


def call_back(client: Client, body: bytes, headers: dict[str, str]) -> Any:
    return client.post("/api/v1/giving/payments/simulator", body, content_type=JSON, headers=headers)


def signed(simulator: Simulator, order: Order, **changed: Any) -> tuple[bytes, dict[str, str]]:
    """A callback that is signed as it stands, whatever stands in it."""
    body, _ = simulator.report(order, NOW)
    body = json.dumps(json.loads(body) | changed).encode()
    return body, simulator.sign(body, NOW)


@pytest.mark.parametrize("age", [timedelta(seconds=301), DAY, -timedelta(seconds=301)])
def test_a_callback_of_yesterday(world: World, simulator: Simulator, client: Client, age: timedelta) -> None:
    order = promised(world)
    body, _ = simulator.report(order, NOW)
    before = everything()
    check_problem(call_back(client, body, simulator.sign(body, NOW - age)), 401, "callback.time")
    assert everything() == before


@pytest.mark.parametrize(
    "changed",
    [{"amount": 2**63}, {"amount": -(2**63)}, {"amount": 5.0}, {"amount": "500"}, {"amount": None}, {"amount": True},
     {"gift": 7}, {"gift": "x"}, {"book": None}, {"kind": "present"}],
)  # fmt: skip
def test_a_callback_out_of_form(world: World, simulator: Simulator, client: Client, changed: dict[str, Any]) -> None:
    order = promised(world)
    before = everything()
    check_problem(call_back(client, *signed(simulator, order, **changed)), 401, "callback.signature")
    assert everything() == before


@pytest.mark.parametrize(
    ("changed", "outcome"),
    [
        ({"amount": 5}, "differs"),  # yuan for fen
        ({"amount": 50_000}, "differs"),  # fen for yuan
        ({"amount": -500}, "differs"),
        ({"amount": 0}, "differs"),
        ({"amount": 2**63 - 1}, "differs"),
        ({"asset": "USD"}, "differs"),
        ({"asset": "cny"}, "differs"),
        ({"gift": str(uuid.uuid4())}, "unknown"),
        ({"book": str(uuid.uuid4())}, "unknown"),
    ],
)
def test_a_callback_that_contradicts_the_promise_is_kept_and_moves_nothing(
    world: World, simulator: Simulator, client: Client, changed: dict[str, Any], outcome: str
) -> None:
    order = promised(world)
    before = everything()
    for _ in range(2):  # a provider repeats what was not answered with 200
        body, headers = signed(simulator, order, **changed)
        assert call_back(client, body, headers).json() == {"outcome": outcome}
        assert call_back(client, body, headers).json()["outcome"] in ("known", outcome)
    assert everything() == before | {
        "giving_callback": before["giving_callback"] + 2,
        "jobs_job": before["jobs_job"] + 1,
    }
    while run_due():
        pass
    for steward in world.stewards:
        (called,) = inbox(steward)
        assert called.link == "/giving/mismatches/", "once an hour, whatever comes"
    frozen = gift_queries.gift(order.book, order.gift).state
    assert frozen is (State.FROZEN if outcome == "differs" else State.WAITING)
    assert {each.outcome for each in gift_queries.mismatches()} == {outcome}
    client.force_login(world.giver.login)
    for language, words in (("en", "differs from your gift"), ("zh", "与您的捐助不一致")):
        page = client.get(f"/{language}/giving/{order.book}/gifts/{order.gift}/").content.decode()
        assert (words in page) == (outcome == "differs")


def test_a_callback_that_is_replayed_counts_once(world: World, simulator: Simulator, client: Client) -> None:
    """The very bytes again, at once and within the tolerance; and the same payment under a new nonce."""
    order = promised(world)
    paid = simulator.report(order, NOW)
    assert call_back(client, *paid).json() == {"outcome": "paid"}
    after = everything()
    for _ in range(3):
        assert call_back(client, *paid).json() == {"outcome": "known"}
    with clock.stopped(NOW + timedelta(seconds=300)):
        assert call_back(client, *paid).json() == {"outcome": "known"}
    assert everything() == after
    assert call_back(client, *simulator.report(order, NOW)).json() == {"outcome": "known"}
    assert everything() == after | {"giving_callback": after["giving_callback"] + 1}
    with clock.stopped(NOW + timedelta(seconds=301)):
        check_problem(call_back(client, *paid), 401, "callback.time")


def test_callbacks_in_the_wrong_order(world: World, simulator: Simulator, client: Client) -> None:
    """A chargeback that overtakes its payment is listed; the payment counts; told again, so does the chargeback."""
    order = promised(world)
    paid, taken = simulator.report(order, NOW), simulator.report_chargeback(order, NOW)
    again = taken[0], simulator.sign(taken[0], NOW)
    outcomes = [call_back(client, *sent).json()["outcome"] for sent in (taken, paid, paid, again, paid)]
    assert outcomes == ["unknown", "paid", "known", "charged-back", "known"]
    assert gift_queries.gift(order.book, order.gift).state is State.RETURNED
    with connection.cursor() as cursor:
        assert audit(cursor) == []
