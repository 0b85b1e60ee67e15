"""What journeys find where they begin: campaigns with a past, made beside the running platform by its own actions."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

from commonweal.kernel import clock
from commonweal.kernel.parties import people
from commonweal.kernel.parties.models import Login, Party
from commonweal.kernel.text import Text
from commonweal.services.giving.actions import campaigns, cases, clocks, gifts, matches, payouts, settlements, uses
from commonweal.services.giving.matching import Caps, Slice
from commonweal.services.giving.payment import Order, providers
from commonweal.services.giving.payment.simulator import Simulator
from commonweal.services.giving.rules.gifts import Give
from commonweal.services.giving.rules.matches import proportional
from commonweal.services.giving.rules.needs import Need
from commonweal.services.giving.rules.plans import Asking, Plan
from commonweal.services.giving.rules.uses import Answer, Standing
from commonweal.services.giving.seed import paper

DAY = timedelta(days=1)
LEADERS = {"zh": "teacher", "en": "company"}
"""Who is in the ring whose match waits."""


def make() -> dict[str, dict[str, str]]:
    """Make a stage for each language, and tell the ids of what stands on it."""
    now = clock.now()
    return {language: {name: str(id) for name, id in _make(language, now).items()} for language in ("zh", "en")}


def title(name: str, language: str) -> str:
    """What a campaign of a language's stage is called."""
    return f"Stage {language}, {name}"


def _make(language: str, now: datetime) -> dict[str, object]:
    stage = _Stage(language, now, Party.objects.get(registration="DEMO-53-0001"), _of("charity"))
    spent = stage.campaign("spent", opened=50, days=120)
    pool = stage.match(spent, 46, 30)
    stage.give(spent, 100_00, ago=45)
    payout = stage.pay(spent, 60_00, ago=40)
    clocks.ask_for_use()
    settlements.propose(spent, pool)
    taken = stage.campaign("taken back", opened=20, days=60)
    gift = stage.give(taken, 20_00, ago=15)
    stage.pay(taken, 20_00, ago=10)
    stage.charge_back(taken, gift, 20_00)
    unspent = stage.campaign("unspent", opened=20, days=60)
    back = stage.give(unspent, 20_00, ago=15)
    stage.give(unspent, 30_00, ago=14)
    stage.charge_back(unspent, back, 20_00)
    old = stage.campaign("of last year", opened=380, days=60)
    stage.give(old, 40_00, ago=375)
    lasting = stage.pay(old, 40_00, ago=370)
    stage.ask_for_use(ago=340, answers=(old, lasting))
    stage.ask_for_use(ago=280)
    clocks.ask_for_use()
    ended = stage.campaign("ended", opened=60, days=50)
    left = stage.give(ended, 50_00, ago=20)
    late = stage.campaign("late", opened=200, days=300)
    stopped = stage.campaign("to be stopped", opened=5, days=60)
    ring = stage.campaign("ring", opened=4, days=60)
    leader = stage.ring(ring)
    code = f"STAGE-SHOP-{language.upper()}"
    shop = people.register_organisation(Text(f"Stage shop {language}", f"舞台书店 {language}"), code)
    people.grant_role(_of("company"), people.OFFICER, shop)
    return {
        "charity": stage.charity.id, "spent": spent, "pool": pool, "payout": payout, "taken": taken,
        "taken_gift": gift, "ended": ended,
        "unspent": unspent, "back": back, "old": old, "lasting": lasting,
        "left": left, "late": late, "stopped": stopped, "ring": ring, "leader": leader, "shop": code,
    }  # fmt: skip


def _of(name: str) -> Party:
    return Login.objects.select_related("party").get(email=f"{name}@demo.example").party


@dataclass(frozen=True)
class _Stage:
    language: str
    now: datetime
    charity: Party
    officer: Party

    def campaign(self, name: str, opened: int, days: int) -> uuid.UUID:
        """A campaign that opened so many days ago."""
        plan = Plan(
            organisation=self.charity.id,
            title=Text(title(name, self.language), title(name, self.language)),
            summary=Text("Made up, for walking through.", "虚构项目，供走查使用。"),
            story=Text("Made up.", "虚构。"),
            topic="culture",
            place=Text("Nowhere", "虚构之地"),
            needs=(Need(Text("a book", "图书"), 20_00, 50, Text("books", "册")),),
            opens_at=self.now - opened * DAY,
            closes_at=self.now - (opened - days) * DAY,
            filing_number=f"STAGE-{self.language}-{name}",
            filed_at=self.now - (opened + 15) * DAY,
        )
        with clock.stopped(self.now - (opened + 14) * DAY):
            return campaigns.publish(self.officer, plan).id

    def give(self, campaign: uuid.UUID, amount: int, ago: int) -> uuid.UUID:
        """The giver gives, and it is paid."""
        with clock.stopped(self.now - ago * DAY):
            gift = gifts.give(Give(campaign, _of("giver").id, amount, "CNY", "simulator", f"stage-{ago}")).id
            gifts.confirm("simulator", *_simulator().report(_order(campaign, gift, amount), clock.now()))
        return gift

    def pay(self, campaign: uuid.UUID, amount: int, ago: int) -> uuid.UUID:
        """The charity asks, two stewards approve, the money goes out."""
        with clock.stopped(self.now - ago * DAY):
            asking = Asking(amount, Text("Books", "图书一批"), (paper("SAMPLE INVOICE", 4),))
            request = payouts.ask(self.officer, campaign, asking, "stage")
            for steward in ("steward", "steward2"):
                payouts.judge(_of(steward), campaign, request, approves=True)
            payouts.pay(campaign, request)
        return request

    def ask_for_use(self, ago: int, answers: tuple[uuid.UUID, uuid.UUID] | None = None) -> None:
        """The clerk asks what is due by then; of one payout (campaign, id) the charity answers that it is in use."""
        with clock.stopped(self.now - ago * DAY):
            clocks.ask_for_use()
            if answers:
                said = Answer(Standing.IN_USE, Text("Read every day.", "天天有人读。"), (paper("SAMPLE SHELF", 3),))
                uses.answer(self.officer, *answers, 30, said)

    def match(self, campaign: uuid.UUID, opened: int, closed: int) -> uuid.UUID:
        """A company matches half of each gift, from so many days ago until so many days ago."""
        company = Party.objects.get(registration="DEMO-TEA-0001")
        opens, closes = self.now - opened * DAY, self.now - closed * DAY
        with clock.stopped(opens - timedelta(hours=1)):
            promise = proportional(company.id, campaign, Fraction(1, 2), Slice(opens, closes, 300_00), Caps())
            return matches.fund(self.officer, promise, "stage")

    def ring(self, campaign: uuid.UUID) -> uuid.UUID:
        """Eight accounts, one telephone and two cards, in a window that is over and new to the clerk: a case.

        The gift of its leader.
        """
        self.match(campaign, 3, -20)
        gifts_of = []
        for number, giver in enumerate([_of(LEADERS[self.language]), *(people.register_person() for _ in range(7))]):
            with clock.stopped(self.now - timedelta(hours=23, minutes=-number)):
                wish = Give(campaign, giver.id, 20_00, "CNY", "simulator", f"ring-{number}", device=str(campaign))
                gift = gifts.give(wish).id
                payer = f"stage-{self.language}-{number % 2}"
                told = _simulator().report(_order(campaign, gift, 20_00), clock.now(), payer=payer)
                gifts.confirm("simulator", *told)
            gifts_of.append(gift)
        cases.watch()
        return gifts_of[0]

    def charge_back(self, campaign: uuid.UUID, gift: uuid.UUID, amount: int) -> None:
        """The giver's bank takes the payment back."""
        with clock.stopped(self.now - 2 * DAY):
            gifts.confirm("simulator", *_simulator().report_chargeback(_order(campaign, gift, amount), clock.now()))


def _order(campaign: uuid.UUID, gift: uuid.UUID, amount: int) -> Order:
    return Order(campaign, gift, amount, "CNY", Text("Stage", "舞台"))


def _simulator() -> Simulator:
    found = providers()["simulator"]
    if not isinstance(found, Simulator):
        raise TypeError("a demonstration pays through the simulator")
    return found
