"""Every way in which money enters a campaign, by every state in which none may: what the action answers, and what the
database refuses to hand-written SQL.

The campaign is open when something is promised, and is not when the money comes.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client

from commonweal.kernel import clock
from commonweal.kernel.errors import Refusal
from commonweal.kernel.jobs import run_due
from commonweal.kernel.ledger import audit, post
from commonweal.kernel.notices.inbox import inbox
from commonweal.kernel.parties import people
from commonweal.kernel.sql import prepared
from commonweal.kernel.text import Text
from commonweal.services.giving import pages
from commonweal.services.giving.actions import card_uses, cards, gifts, invoices, payments, recurring, teams
from commonweal.services.giving.hot.writer import Wish, carry_gifts
from commonweal.services.giving.models import Update
from commonweal.services.giving.payment import Agreeing, Callback, Order
from commonweal.services.giving.payment.simulator import Simulator
from commonweal.services.giving.queries import campaigns as campaign_queries
from commonweal.services.giving.queries import cards as card_queries
from commonweal.services.giving.queries import gifts as gift_queries
from commonweal.services.giving.queries import recurring as recurring_queries
from commonweal.services.giving.rules import campaigns as campaign_rules
from commonweal.services.giving.rules import gifts as rules
from commonweal.services.giving.rules.gifts import COLLECTED, PAY_WITHIN, Give, Outcome, State
from commonweal.services.giving.rules.invoices import Account
from commonweal.services.giving.rules.recurring import Every
from commonweal.services.giving.tests.conftest import DAY, NOW, World
from commonweal.services.giving.tests.test_fees import hosted

assert pages.urlpatterns, "loaded before a fixture puts other providers in place"

BEFORE = NOW - timedelta(minutes=10)
"""When it was open, and promises were made that hold at `NOW`."""
LONG_BEFORE = NOW - timedelta(minutes=40)
"""When promises were made that are over at `NOW`."""

STATES = {
    "unqualified": "UPDATE parties_credential SET revoked_at = %(now)s WHERE holder_id = %(charity)s",
    "unfiled": "UPDATE giving_filing SET filed_at = %(now)s + interval '1 year' WHERE campaign_id = %(campaign)s",
    "report-late": "UPDATE giving_campaign SET opens_at = %(now)s - interval '1 year' WHERE id = %(campaign)s",
    "stopped": "UPDATE giving_campaign SET stopped_at = %(now)s WHERE id = %(campaign)s",
    "closed": "UPDATE giving_campaign SET closes_at = %(now)s WHERE id = %(campaign)s",
}
OVER_BY_TIME = ("report-late", "closed")
"""Where a promise that was made in time and is paid in time stays one."""

REFUSED = "cannot take this gift|owes the public a report|may not have the payment"
MAY_NOT = "may not have the payment"


@pytest.fixture(autouse=True)
def now() -> Iterator[None]:
    with clock.stopped(NOW):
        yield


@pytest.fixture
def simulator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Simulator:
    made = Simulator(tmp_path)
    for module in ("payment", "jobs.providers", "pages.cards"):
        monkeypatch.setattr(f"commonweal.services.giving.{module}.providers", lambda: {"simulator": made})
    return made


@dataclass(frozen=True)
class Scene:
    """A campaign whose host holds its money, so that every way leads into it."""

    world: World
    simulator: Simulator

    @property
    def book(self) -> uuid.UUID:
        return self.world.campaign.id

    def wish(self, key: str = "k", channel: str = "simulator", **more: object) -> Give:
        return replace(Give(self.book, self.world.giver.id, 500, "CNY", channel, key), **more)  # type: ignore[arg-type]

    def promise(self, ago: timedelta, key: str = "promised") -> uuid.UUID:
        with clock.stopped(NOW - ago):
            return gifts.give(self.wish(key)).id

    def report(self, gift: uuid.UUID, reference: str = "r1") -> Outcome:
        return gifts.confirm("simulator", *self.simulator.report(self._order(gift), clock.now(), reference=reference))

    def _order(self, gift: uuid.UUID) -> Order:
        return Order(self.book, gift, 500, "CNY", self.world.campaign.title)

    def becomes(self, state: str) -> None:
        with connection.cursor() as cursor:  # the database itself would not let all of it happen
            cursor.execute("SET LOCAL session_replication_role = replica")
            cursor.execute(STATES[state], {"campaign": self.book, "charity": self.world.charity.id, "now": NOW})
            cursor.execute("SET LOCAL session_replication_role = origin")
        assert self.state() == state

    def state(self) -> str:
        return campaign_rules.state(campaign_queries.taking([self.book], NOW)[self.book].standing, NOW)

    def rows(self) -> dict[str, int]:
        """What is there of the campaign's money; the books are right."""
        with connection.cursor() as cursor:
            assert audit(cursor) == []
            tables = ("gift", "payment", "card", "card_use", "team_gift", "renewal", "twice")
            cursor.execute(" UNION ALL ".join(f"SELECT '{each}', count(*) FROM giving_{each}" for each in tables))
            return dict(cursor.fetchall())


@pytest.fixture
def scene(world: World, simulator: Simulator) -> Scene:
    return Scene(hosted(world, Fraction(0)), simulator)


Step = Callable[[], object]


def single(scene: Scene) -> Step:
    return lambda: gifts.give(scene.wish())


def collected(scene: Scene) -> Step:
    return lambda: gifts.collect(scene.world.officer, scene.wish(channel=COLLECTED))


def batch(scene: Scene) -> Step:
    """The hot path: one of two wishes of a batch, the other is for a campaign of its own."""
    token = hashlib.sha256(people.make_token(scene.world.giver, "hot").encode()).digest()

    def carry() -> object:
        with transaction.atomic(), prepared() as cursor:
            (answer,) = carry_gifts(cursor, [Wish(scene.wish(), token)], NOW)
        if isinstance(answer, Refusal):
            raise answer
        return answer

    return carry


def team(scene: Scene) -> Step:
    with clock.stopped(BEFORE):
        id = teams.found(scene.world.giver, scene.book, "Class 3b")
    return lambda: gifts.give(scene.wish(team=id))


def card(scene: Scene) -> Step:
    code = code_of(scene, bought(scene))
    return lambda: card_uses.redeem(scene.world.giver, code, scene.book, 500, "use")


def card_bought(scene: Scene) -> Step:
    return lambda: cards.buy(scene.world.giver, scene.book, 500, "simulator", "k")


def agreement(scene: Scene) -> Step:
    wish = recurring.Wish(scene.book, 500, "CNY", Every.MONTH, "simulator")
    return lambda: recurring.begin(scene.world.giver, wish, "k")


def bought(scene: Scene) -> card_queries.Card:
    with clock.stopped(BEFORE):
        found = cards.buy(scene.world.giver, scene.book, 500, "simulator", "card")
        assert scene.report(found.id) is Outcome.PAID
    return found


def code_of(scene: Scene, found: card_queries.Card) -> str:
    return cards.show_code(scene.world.giver, scene.book, found.id)


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("way", [single, collected, batch, team, card, card_bought, agreement])
def test_what_is_wished_is_refused_with_the_reason(scene: Scene, way: Callable[[Scene], Step], state: str) -> None:
    step = way(scene)
    scene.becomes(state)
    before = scene.rows()
    with pytest.raises(Refusal) as refused:
        step()
    assert (refused.value.code, refused.value.status) == (f"campaign.{state}", 409)
    assert refused.value.text == campaign_rules.REASONS[campaign_rules.State(state)]
    assert scene.rows() == before


@pytest.mark.parametrize("way", [single, collected, batch, team, card, card_bought, agreement])
def test_each_of_them_leads_in_while_it_is_open(scene: Scene, way: Callable[[Scene], Step]) -> None:
    way(scene)()


@pytest.mark.parametrize("state", STATES)
def test_in_a_batch_the_others_are_not_hindered(scene: Scene, world: World, state: str) -> None:
    token = hashlib.sha256(people.make_token(scene.world.giver, "hot").encode()).digest()
    with clock.stopped(NOW - 40 * DAY):
        other = hosted(world, Fraction(0), number="H2").campaign.id
    scene.becomes(state)
    asked = [Wish(scene.wish("a"), token), Wish(replace(scene.wish("b"), campaign=other), token)]
    with transaction.atomic(), prepared() as cursor:
        first, second = carry_gifts(cursor, asked, NOW)
    assert isinstance(first, Refusal) and first.code == f"campaign.{state}"
    assert isinstance(second, Refusal) == (state == "unqualified"), "the charity is the same"


@pytest.mark.parametrize("state", STATES)
def test_a_recurring_gift_is_not_charged_and_pauses_or_ends(scene: Scene, state: str) -> None:
    with clock.stopped(BEFORE):
        id = agreement(scene)()
        assert isinstance(id, uuid.UUID)
        agreeing = Agreeing(scene.book, id, 500, "CNY", Every.MONTH, scene.world.campaign.title)
        gifts.confirm("simulator", *scene.simulator.report_agreement(agreeing, BEFORE))
    scene.becomes(state)
    before = scene.rows()
    assert recurring.renew(scene.book, id) is None
    assert scene.rows() == before
    found = recurring_queries.find(scene.book, id)
    ends = state in ("stopped", "closed")
    assert found is not None and found.standing == ("ended" if ends else "paused")
    assert found.rule.cause == "campaign"


@pytest.mark.parametrize("state", STATES)
def test_a_renewal_that_was_made_is_not_charged(scene: Scene, state: str) -> None:
    with clock.stopped(BEFORE):
        id = agreement(scene)()
        assert isinstance(id, uuid.UUID)
        agreeing = Agreeing(scene.book, id, 500, "CNY", Every.MONTH, scene.world.campaign.title)
        gifts.confirm("simulator", *scene.simulator.report_agreement(agreeing, BEFORE))
        gift = recurring.renew(scene.book, id)
    assert gift is not None
    scene.becomes(state)
    recurring.charge(scene.book, id, 0, 1)
    assert scene.rows()["payment"] == 0
    assert [line.gift for line in scene.simulator.fetch_statement(NOW.date())] == [], "nobody has been charged"


@pytest.mark.parametrize("state", STATES)
def test_a_transfer_for_an_invoice_is_listed_and_moves_nothing(scene: Scene, state: str) -> None:
    with clock.stopped(BEFORE):
        officer = scene.world.giver
        company = people.register_organisation(Text("Tea Works", "茶厂"), "91530000TEA0000001")
        people.grant_role(officer, people.OFFICER, company)
        account = Account("山里基金会", "大理银行", "6222 0000-1111 2222")
        invoices.name_account(scene.world.officer, scene.world.charity, account)
        asked = invoices.ask(officer, company, scene.book, 500, "k")
    scene.becomes(state)
    before = scene.rows()
    with pytest.raises(Refusal) as refused:
        invoices.ask(officer, company, scene.book, 500, "another")
    assert refused.value.code == f"campaign.{state}"
    line = f"date,amount,id,text\n2026-11-25,5.00,T1,{asked.reference}\n"
    assert invoices.take_in(scene.world.officer, scene.world.charity, line) == {"refused": 1}
    assert scene.rows() == before


@pytest.mark.parametrize("state", STATES)
def test_the_rest_of_a_card_stays_on_the_card(scene: Scene, state: str) -> None:
    found = bought(scene)
    scene.becomes(state)
    with clock.stopped(found.expires):
        assert card_uses.expire() == 0
    assert scene.rows()["payment"] == 0
    kept = card_queries.find(scene.book, found.id)
    assert kept is not None and kept.left == 500


# Money that is on its way


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("hot", [False, True])
@pytest.mark.parametrize(("ago", "late"), [(timedelta(minutes=10), False), (timedelta(minutes=40), True)])
def test_what_was_promised_before_is_taken_or_goes_back_whole(
    scene: Scene, state: str, hot: bool, ago: timedelta, late: bool
) -> None:
    gift = scene.promise(ago)
    scene.becomes(state)
    if hot:
        with transaction.atomic(), prepared() as cursor:
            said = Callback("simulator", "n", scene.book, gift, 500, "CNY", "r1")
            (outcome,) = payments.take_in(cursor, [said], NOW)
    else:
        outcome = scene.report(gift)
    assert outcome is (Outcome.PAID if state in OVER_BY_TIME and not late else Outcome.SENT_BACK)
    if outcome is Outcome.PAID:
        assert gift_queries.gift(scene.book, gift).state is State.PAID
        return
    assert gift_queries.gift(scene.book, gift).state is State.GOING_BACK
    assert scene.rows() == {"gift": 1, "payment": 0, "card": 0, "card_use": 0, "team_gift": 0, "renewal": 0, "twice": 1}
    while run_due():
        pass
    assert gift_queries.gift(scene.book, gift).state is State.RETURNED
    (told,) = [each for each in inbox(scene.world.giver) if each.kind == "giving.returned"]
    why = campaign_rules.REASONS[campaign_rules.State(state)]
    assert why.en in told.body.en and why.zh in told.body.zh
    assert gifts.expire() in (0, 1)
    assert campaign_queries.card(scene.book).raised == 0
    assert scene.report(gift) is Outcome.KNOWN, "told again after it has gone back"


def test_told_twice_in_one_batch_it_goes_back_once(scene: Scene) -> None:
    gift = scene.promise(timedelta(minutes=40))
    scene.becomes("closed")
    said = [
        Callback("simulator", nonce, scene.book, gift, 500, "CNY", reference)
        for nonce, reference in (("1", "r1"), ("2", "r1"), ("3", "r2"))
    ]
    with transaction.atomic(), prepared() as cursor:
        outcomes = payments.take_in(cursor, said, NOW)
    assert outcomes == [Outcome.SENT_BACK, Outcome.KNOWN, Outcome.SENT_BACK], "another payment goes back, too"
    assert scene.rows()["twice"] == 2


def test_what_has_gone_back_stays_so_when_the_report_comes_after_all(scene: Scene) -> None:
    gift = scene.promise(timedelta(minutes=40))
    scene.becomes("report-late")
    assert scene.report(gift) is Outcome.SENT_BACK
    Update.objects.create(
        campaign=scene.world.campaign, report=True, title_en="R", title_zh="报告", body_en="R", body_zh="报告",
        by=scene.world.officer, fact=uuid.uuid4(), at=NOW,
    )  # fmt: skip
    assert scene.state() == "open"
    assert scene.report(gift) is Outcome.KNOWN, "the same payment, told anew"
    assert scene.report(gift, "r2") is Outcome.PAID, "another one: its giver has paid again"


@pytest.mark.parametrize("state", STATES)
def test_a_second_payment_is_owed_whatever_the_state(scene: Scene, state: str) -> None:
    gift = scene.promise(timedelta(minutes=10))
    with clock.stopped(BEFORE):
        assert scene.report(gift) is Outcome.PAID
    scene.becomes(state)
    assert scene.report(gift, "r2") is Outcome.TWICE
    assert scene.rows()["payment"] == 1
    while run_due():
        pass
    assert gift_queries.gift(scene.book, gift).state is State.PAID


@pytest.mark.parametrize("language", ["en", "zh"])
def test_its_giver_is_told_on_the_page_and_by_the_api(scene: Scene, client: Client, language: str) -> None:
    gift = scene.promise(timedelta(minutes=40))
    scene.becomes("closed")
    assert scene.report(gift) is Outcome.SENT_BACK
    client.force_login(scene.world.giver.login)
    page = client.get(f"/{language}/giving/{scene.book}/gifts/{gift}/").content.decode()
    assert ("On its way back to you" if language == "en" else "正在退回给您") in page
    assert "Thank you" not in page and "谢谢您" not in page
    answer = client.get(f"/api/v1/giving/campaigns/{scene.book}/gifts/{gift}")
    assert answer.json()["state"] == "going-back"
    while run_due():
        pass
    page = client.get(f"/{language}/giving/{scene.book}/gifts/{gift}/").content.decode()
    assert ("Given back" if language == "en" else "已退回") in page


# Hand-written SQL

GIFT = """
    INSERT INTO giving_gift (book, id, giver, amount, channel, at)
    VALUES (%(book)s, %(id)s, %(giver)s, 500, %(channel)s, %(now)s)"""
PAYMENT = """
    INSERT INTO giving_payment (book, gift, amount, transfer, fact, reference, at)
    VALUES (%(book)s, %(id)s, 500, %(id)s, %(id)s, '', %(now)s)"""
WRITTEN = {
    "a gift": GIFT,
    "a gift with its payment": f"WITH gift AS ({GIFT}) {PAYMENT}",
    "a batch": """
        INSERT INTO giving_gift (book, id, giver, amount, channel, at)
        SELECT book, id, %(giver)s, 500, 'collected', %(now)s
        FROM (VALUES (%(open)s::uuid, %(other)s::uuid), (%(book)s::uuid, %(id)s::uuid)) AS each (book, id)""",
    "a renewal": f"""
        WITH gift AS ({GIFT}), payment AS ({PAYMENT})
        INSERT INTO giving_renewal (book, recurring, period, gift, due, at)
        VALUES (%(book)s, %(recurring)s, 0, %(id)s, %(now)s, %(now)s)""",
    "a use of a card": f"""
        WITH gift AS ({GIFT}), payment AS ({PAYMENT})
        INSERT INTO giving_card_use (book, card, key, target, gift, amount, at)
        VALUES (%(book)s, %(card)s, 'by hand', %(book)s, %(id)s, 500, %(now)s)""",
    "a gift of a team": f"""
        WITH gift AS ({GIFT}), payment AS ({PAYMENT})
        INSERT INTO giving_team_gift (book, gift, team) VALUES (%(book)s, %(id)s, %(team)s)""",
    "an invoice that is paid": f"""
        WITH gift AS ({GIFT}), payment AS ({PAYMENT})
        INSERT INTO giving_pledge_end (charity, year, number, gift, by_party, fact, at)
        VALUES (%(charity)s, 2026, 1, %(id)s, %(giver)s, %(id)s, %(now)s)""",
}


@pytest.mark.parametrize("written", WRITTEN)
def test_hand_written_gifts(scene: Scene, world: World, written: str) -> None:
    names = beside_it(scene, world)
    names["giver"] = names["company"] if written == "an invoice that is paid" else scene.world.giver.id
    names["channel"] = "simulator" if written == "a renewal" else COLLECTED
    with connection.cursor() as cursor:
        (posted,) = post(cursor, [gifts._transfer(scene.wish("by-hand", COLLECTED), NOW)])
        names |= {"id": posted.id, "book": scene.book, "now": NOW, "charity": scene.world.charity.id}
        for state in STATES:
            with pytest.raises(IntegrityError, match=REFUSED), transaction.atomic():
                scene.becomes(state)
                cursor.execute(WRITTEN[written], names)
        cursor.execute(WRITTEN[written], names)
    assert scene.state() == "open"


def beside_it(scene: Scene, world: World) -> dict[str, Any]:
    """A running agreement, a paid card, a team, an invoice, and another campaign of the charity, open."""
    with clock.stopped(BEFORE):
        id = agreement(scene)()
        assert isinstance(id, uuid.UUID)
        agreeing = Agreeing(scene.book, id, 500, "CNY", Every.MONTH, scene.world.campaign.title)
        gifts.confirm("simulator", *scene.simulator.report_agreement(agreeing, BEFORE))
        company = people.register_organisation(Text("Tea Works", "茶厂"), "91530000TEA0000001")
        people.grant_role(scene.world.giver, people.OFFICER, company)
        account = Account("山里基金会", "大理银行", "6222 0000-1111 2222")
        invoices.name_account(scene.world.officer, scene.world.charity, account)
        invoices.ask(scene.world.giver, company, scene.book, 500, "k")
        group = teams.found(scene.world.giver, scene.book, "Class 3b")
    other = replace(scene.wish("beside", COLLECTED), campaign=world.campaign.id)
    with connection.cursor() as cursor:
        (posted,) = post(cursor, [gifts._transfer(other, NOW)])
    return {
        "recurring": id, "card": bought(scene).id, "team": group, "company": company.id,
        "open": world.campaign.id, "other": posted.id,
    }  # fmt: skip


@pytest.mark.parametrize("state", ["open", *STATES])
@pytest.mark.parametrize("minutes", [10, 40])
def test_a_hand_written_payment_of_a_promise(scene: Scene, minutes: int, state: str) -> None:
    gift = scene.promise(timedelta(minutes=minutes))
    if state != "open":
        scene.becomes(state)
    if state == "open" or (state in OVER_BY_TIME and minutes == 10):
        by_hand(PAYMENT, scene, gift)
        return
    with pytest.raises(IntegrityError, match=MAY_NOT), transaction.atomic():
        by_hand(PAYMENT, scene, gift)


@pytest.mark.parametrize("state", STATES)
def test_a_hand_written_second_payment(scene: Scene, state: str) -> None:
    gift = scene.promise(timedelta(minutes=10))
    with clock.stopped(BEFORE):
        scene.report(gift)
    scene.becomes(state)
    for statement in (PAYMENT, "UPDATE giving_payment SET amount = 1000", "UPDATE giving_gift SET amount = 1000"):
        with pytest.raises(IntegrityError), transaction.atomic():
            by_hand(statement, scene, gift)


@pytest.mark.parametrize("state", ["open", *STATES])
def test_a_hand_written_card(scene: Scene, state: str) -> None:
    with connection.cursor() as cursor:
        (posted,) = post(cursor, [gifts._transfer(scene.wish("card", COLLECTED), NOW)])
    if state == "open":
        by_hand(CARD, scene, posted.id)
        return
    scene.becomes(state)
    with pytest.raises(IntegrityError, match="cannot take what is left of card"), transaction.atomic():
        by_hand(CARD, scene, posted.id)


CARD = """
    INSERT INTO giving_card (book, id, buyer, amount, channel, expires, at)
    VALUES (%(book)s, %(id)s, %(giver)s, 500, 'simulator', %(now)s, %(now)s)"""


def by_hand(statement: str, scene: Scene, id: uuid.UUID) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, {"book": scene.book, "id": id, "giver": scene.world.giver.id, "now": NOW})


# The database and the rules say the same


@pytest.mark.parametrize("state", ["open", *STATES])
def test_the_database_and_the_rules_agree(scene: Scene, state: str) -> None:
    if state != "open":
        scene.becomes(state)
    for step in (timedelta(seconds=-1), timedelta(0), timedelta(days=1), timedelta(days=31)):
        at = NOW + step
        standing = campaign_queries.taking([scene.book], at)[scene.book].standing
        with connection.cursor() as cursor:
            cursor.execute("SELECT giving_may_have(%s, %s), giving_takes(%s, %s)", [scene.book, at, scene.book, at])
            assert cursor.fetchone() == (
                rules.may_have(standing, at, at),
                campaign_rules.state(standing, at) is campaign_rules.State.OPEN,
            )


def test_half_an_hour_is_half_an_hour_in_both(scene: Scene) -> None:
    """The promise is over at the very moment in which the database says so."""
    gift = scene.promise(timedelta(0))
    scene.becomes("closed")
    for at, refused in ((NOW + PAY_WITHIN - timedelta(microseconds=1), False), (NOW + PAY_WITHIN, True)):
        standing = campaign_queries.taking([scene.book], at)[scene.book].standing
        assert rules.may_have(standing, NOW, at) is not refused
        names: list[Any] = [scene.book, gift, gift, gift, at]
        with connection.cursor() as cursor:
            try:
                with transaction.atomic():
                    cursor.execute(
                        "INSERT INTO giving_payment (book, gift, amount, transfer, fact, reference, at) "
                        "VALUES (%s, %s, 500, %s, %s, '', %s)",
                        names,
                    )
                    raise _UndoneError
            except _UndoneError:
                assert not refused
            except IntegrityError as error:
                assert refused and MAY_NOT in str(error)


class _UndoneError(Exception):
    """What was written is taken back."""
