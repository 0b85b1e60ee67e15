"""The demonstration: three made-up charities, thirteen campaigns, their gifts and what became of them.

Everything goes through the real actions, with the clock stopped in the past. Making it twice is making it once.
"""

from __future__ import annotations

import io
import random
import tomllib
import uuid
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

from commonweal.kernel import clock
from commonweal.kernel.parties import people
from commonweal.kernel.parties.models import Login, Party
from commonweal.kernel.text import Text
from commonweal.services.giving.actions import (
    alliances,
    appeals,
    banks,
    campaigns,
    card_returns,
    card_uses,
    cards,
    cases,
    clearings,
    clocks,
    deeds,
    exchanges,
    gifts,
    givers,
    invoices,
    matches,
    members,
    orders,
    partners,
    payouts,
    reconciliation,
    recurring,
    team_pages,
    teams,
    thanks,
    threads,
    uses,
    vendors,
)
from commonweal.services.giving.actions.campaigns import Charity, Qualification
from commonweal.services.giving.matching import SOURCED_TIERS, Caps, Extra, OnePlusX, ProRata, RandomBoost, Slice
from commonweal.services.giving.models import Campaign, Filing, Update
from commonweal.services.giving.payment import Agreeing, Order, providers
from commonweal.services.giving.payment.simulator import Simulator
from commonweal.services.giving.queries import appeals as appeal_queries
from commonweal.services.giving.queries import banks as bank_queries
from commonweal.services.giving.queries import cards as card_queries
from commonweal.services.giving.queries import deeds as deed_queries
from commonweal.services.giving.queries import exchanges as exchange_queries
from commonweal.services.giving.queries import orders as order_queries
from commonweal.services.giving.queries import payouts as queries
from commonweal.services.giving.queries import recurring as recurring_queries
from commonweal.services.giving.queries import teams as team_queries
from commonweal.services.giving.queries import threads as thread_queries
from commonweal.services.giving.queries import uses as use_queries
from commonweal.services.giving.queries import vendors as vendor_queries
from commonweal.services.giving.rules.appeals import Appeal
from commonweal.services.giving.rules.banks import Asking as Help
from commonweal.services.giving.rules.banks import Part, Side, Terms
from commonweal.services.giving.rules.campaigns import Custody
from commonweal.services.giving.rules.deeds import Shift, Sponsorship
from commonweal.services.giving.rules.gifts import Give
from commonweal.services.giving.rules.invoices import Account
from commonweal.services.giving.rules.matches import Promise, even_slices, proportional
from commonweal.services.giving.rules.needs import Need
from commonweal.services.giving.rules.orders import Billed, Wanted
from commonweal.services.giving.rules.plans import Asking, Plan, Telling
from commonweal.services.giving.rules.recurring import Every
from commonweal.services.giving.rules.teams import Page
from commonweal.services.giving.rules.uses import Answer as UseAnswer
from commonweal.services.giving.rules.uses import Standing

DAY = timedelta(days=1)
STORIES = Path(__file__).with_name("stories.toml")
Story = dict[str, Any]
"""A part of that file."""
DICE = 20261125
AMOUNTS = (500, 500, 500, 500, 880, 2_000, 2_000, 5_000, 20_000, 50_000)
"""What people give, in fen: most give five yuan."""


@dataclass(frozen=True)
class Cast:
    """Who plays in the demonstration."""

    officer: Party
    stewards: tuple[Party, Party]
    givers: tuple[Party, ...]


def seed() -> None:
    """Make the demonstration."""
    cast = Cast(
        officer=_of("charity@demo.example"),
        stewards=(_of("steward@demo.example"), _of("steward2@demo.example")),
        givers=tuple(_of(f"{name}@demo.example") for name in ("giver", "company", "teacher")),
    )
    stories = tomllib.loads(STORIES.read_text())
    today = clock.now().replace(hour=2, minute=0, second=0, microsecond=0)
    charities = {name: _charity(cast, story, today - 400 * DAY) for name, story in stories["charity"].items()}
    for number, story in enumerate(stories["campaign"], 1):
        campaign = _publish(cast, charities[story["charity"]], story, number, today)
        _live(cast, campaign, story, random.Random(DICE + number))  # noqa: S311 (nothing here is secret)
    _appeal(cast, today)
    _deeds(cast, today)
    _pools(cast, today)
    _order(cast, today)
    _recurring(cast, today)
    _team(cast, today)
    _card(cast, today)
    _invoice(cast, today)
    _banks(cast, today)
    _threads(cast, today)
    _settle(min(opened for opened in Campaign.objects.filter(kind="campaign").values_list("opens_at", flat=True)))
    clocks.ask_for_use()
    first, *others = use_queries.unanswered([charity.id for charity in charities.values()])
    if others:
        said = Text("It stands where it should, and is used every week.", "已在该在的地方，每周都在用。")
        shown = UseAnswer(Standing.IN_USE, said, (paper("SAMPLE PHOTOGRAPH", 4),))
        uses.answer(cast.officer, first.campaign, first.request, first.after, shown)


def _deeds(cast: Cast, today: datetime) -> None:
    """Steps and flowers, a sponsor's contract for the steps, and a shift to sign up for."""
    campaign = Campaign.objects.filter(kind="campaign", title_en__startswith="A music teacher").first()
    if campaign is None or deed_queries.shifts(campaign.id):
        return
    giver, company, _ = cast.givers
    sponsor = people.register_organisation(Text("Dianchi Tea (made up)", "滇池茶业（虚构）"), "DEMO-TEA-0001")
    with clock.stopped(today - 200 * DAY):
        people.grant_role(company, people.OFFICER, sponsor)
        for one in cast.givers:
            givers.join(one, givers.company_link(company, sponsor))
    with clock.stopped(today - 3 * DAY):
        partners.propose(company, sponsor, campaign.id)
        partners.answer(cast.officer, campaign.id, sponsor.id, accepts=True)
        terms = Sponsorship("STEPS", 5_000, 100, 2_000_00, today - 3 * DAY, campaign.closes_at - DAY)
        deeds.accept(cast.officer, deeds.sponsor(company, sponsor, campaign.id, terms))
        deeds.act(giver, campaign.id, "STEPS", 12_400, "seed-steps")
        deeds.act(giver, campaign.id, "FLOWERS", 3, "seed-flowers")
        slice = Slice(today - 3 * DAY + timedelta(minutes=1), campaign.closes_at, 300_00)
        caps = Caps(gift=50_00, donor_day=200_00)
        matches.fund(cast.officer, proportional(sponsor.id, campaign.id, Fraction(1, 2), slice, caps), "seed-pool")
        _give(cast, campaign, random.Random(DICE), 900, today - 2 * DAY)  # noqa: S311
    _ring(cast, campaign, today - 2 * DAY)
    shift = Shift(clock.now() + 3 * DAY, clock.now() + 3 * DAY + timedelta(hours=2), 6)
    deeds.call(cast.officer, campaign.id, Text("Teach a song by video", "视频教唱一首歌"), shift)
    givers.follow(giver, campaign.id, reminds=True)


def _pools(cast: Cast, today: datetime) -> None:
    """Three more pools of the sponsor: one by lot that is over, one that is shared after its end, one to come."""
    sponsor = Party.objects.filter(registration="DEMO-TEA-0001").first()
    campaign = Campaign.objects.filter(kind="campaign", title_en__startswith="A music teacher").first()
    if sponsor is None or campaign is None:
        return
    lots, over = RandomBoost(Fraction(3, 4), Fraction(1), SOURCED_TIERS), today - 9 * DAY
    with clock.stopped(over - 3 * DAY):
        drawn = Promise(
            sponsor.id, (campaign.id,), lots, even_slices(over - DAY, over, 500_00, 1), Caps(donor_day=99_00)
        )
        matches.fund(cast.officer, drawn, "seed-lots")
    for number, giver in enumerate(cast.givers):
        with clock.stopped(over - DAY / 2 + number * timedelta(minutes=7)):
            key = f"seed-lots-{number}"
            _paid(
                campaign, Give(campaign.id, giver.id, (88_00, 30_00, 52_00)[number], campaign.asset, "simulator", key)
            )
    others = Campaign.objects.filter(
        organisation_id=campaign.organisation_id, kind="campaign", closes_at__gt=today + DAY
    )
    shared = (campaign.id, *others.exclude(id=campaign.id).order_by("opens_at").values_list("id", flat=True)[:1])
    extra, opens = OnePlusX(Fraction(1, 2), (Extra(Fraction(1, 2), team_of=3),)), today + 2 * DAY
    with clock.stopped(today - 2 * DAY):
        slices = even_slices(today - DAY, campaign.closes_at, 400_00, 1)
        promise = Promise(sponsor.id, shared, ProRata(donor_most=500_00), slices, Caps(project=300_00))
        matches.fund(cast.officer, promise, "seed-shared")
        promise = Promise(sponsor.id, (campaign.id,), extra, even_slices(opens, opens + 3 * DAY, 600_00, 3))
        matches.fund(cast.officer, promise, "seed-extra")


def _invoice(cast: Cast, today: datetime) -> None:
    """A company's promise, waiting for its transfer."""
    company = cast.givers[1]
    sponsor = Party.objects.filter(registration="DEMO-TEA-0001").first()
    campaign = Campaign.objects.filter(kind="campaign", title_en__startswith="A music teacher").first()
    if sponsor is None or campaign is None:
        return
    account = Account("山那边公益基金会（虚构）", "演示银行 (made up)", "0000 0000 0000 0000")
    with clock.stopped(today - 2 * DAY):
        invoices.name_account(cast.officer, Party.objects.get(pk=campaign.organisation_id), account)
        invoices.ask(company, sponsor, campaign.id, 300_00, "seed-invoice")


def _threads(cast: Cast, today: datetime) -> None:
    """A giver asks, the charity answers; another question waits. Everyone has been thanked once."""
    giver, _, teacher = cast.givers
    campaign = Campaign.objects.filter(kind="campaign", title_en__startswith="A music teacher").first()
    if campaign is None or thread_queries.of_giver(giver.id):
        return
    with clock.stopped(today - 4 * DAY):
        opening = threads.Opening("请问老师每周去几次？孩子们有自己的乐谱吗？(Made up.)")
        thread = threads.begin(giver, campaign.id, opening, "seed-thread")
        said = Text("The piano sounds again, thanks to you.", "琴声又响起来了，谢谢您。")
        thanks.thank(cast.officer, campaign.id, said, "seed-thanks")
    with clock.stopped(today - 3 * DAY):
        threads.write(
            cast.officer, campaign.id, thread, "每周二、周四各一次；乐谱每人一份，已经发下去了。", "seed-answer"
        )
        opening = threads.Opening("I teach nearby. May I come and listen? (Made up.)", name="Teacher Bai")
        threads.begin(teacher, campaign.id, opening, "seed-thread")


def _team(cast: Cast, today: datetime) -> None:
    """A class that gives together: three people have, and two have greeted."""
    campaign = Campaign.objects.filter(kind="campaign", title_en__startswith="A music teacher").first()
    if campaign is None or team_queries.teams(campaign.id):
        return
    giver, company, teacher = cast.givers
    page = Page(
        "我们班毕业二十年了，想让石坝的孩子也有人教唱歌。（演示内容，纯属虚构。）\n"
        "Twenty years after school: let the children of Shiba have somebody who sings with them. (Made up.)",
        300_00, campaign.closes_at - DAY, "王老师 (made up)", named=True,
    )  # fmt: skip
    with clock.stopped(today - 4 * DAY):
        team = teams.found(teacher, campaign.id, "三年二班 · Class of 2006", page)
    said = ((teacher, 50_00, ""), (giver, 20_00, "唱起来！"), (company, 88_00, "Sing it for us, too."))
    for number, (who, amount, words) in enumerate(said):
        with clock.stopped(today - 3 * DAY + timedelta(hours=number)):
            wish = Give(campaign.id, who.id, amount, campaign.asset, "simulator", "seed-team", team=team)
            gift = _paid(campaign, wish)
            if words:
                team_pages.greet(who, campaign.id, gift, words)
    with clock.stopped(today - 2 * DAY):
        teams.tell()


def _card(cast: Cast, today: datetime) -> None:
    """A gift card that a company has bought: part of it given by who got it, part refunded."""
    giver, company, _ = cast.givers
    campaign = Campaign.objects.filter(kind="campaign", title_en__startswith="After the flood").first()
    simulator = providers()["simulator"]
    if campaign is None or card_queries.bought(company.id) or not isinstance(simulator, Simulator):
        return
    with clock.stopped(today - 3 * DAY):
        card = cards.buy(company, campaign.id, 200_00, simulator.name, "seed-card")
        order = Order(campaign.id, card.id, card.amount, campaign.asset, campaign.title)
        gifts.confirm(simulator.name, *simulator.report(order, clock.now(), fee=120))
        code = cards.show_code(company, campaign.id, card.id)
    with clock.stopped(today - 2 * DAY):
        card_uses.redeem(giver, code, campaign.id, 80_00, "seed-card-use")
        refund = card_returns.refund(cast.stewards[0], campaign.id, card.id, 50_00, "演示退款 (made up)", "seed-refund")
        card_returns.send(campaign.id, refund)


def _order(cast: Cast, today: datetime) -> None:
    """A vendor, its list, and an order that has arrived and was cheaper than approved."""
    if vendor_queries.vendors():
        return
    campaign = Campaign.objects.filter(kind="campaign", title_en__startswith="A music teacher").first()
    if campaign is None:
        return
    shop = people.register_organisation(Text("Erhai Music (made up)", "洱海乐器（虚构）"), "DEMO-MUSIC-0001")
    _, company, teacher = cast.givers
    people.grant_role(company, people.OFFICER, shop)
    with clock.stopped(today - 5 * DAY):
        vendors.admit(cast.stewards[0], shop.id, Text("Sheet music and strings", "乐谱与琴弦"), "shop@demo.example")
        item = vendors.offer(company, shop.id, Text("Song book", "歌本"), Text("copies", "册"), 15_00)
        need = order_queries.needs(campaign.id)[1]
        wanted = [Wanted(need.id, item, 4)]
        what = Text("Four song books", "歌本四册")
        quote, bill = paper("SAMPLE QUOTATION", 3), paper("SAMPLE INVOICE", 3)
        request = orders.order(cast.officer, campaign.id, shop.id, wanted, what, quote, "seed-order")
        for steward in cast.stewards:
            payouts.judge(steward, campaign.id, request, approves=True)
    with clock.stopped(today - 2 * DAY):
        link = orders.receiver_link(cast.officer, campaign.id, request)
        orders.arrive(teacher, link, {1: 4}, [paper("SAMPLE PHOTOGRAPH", 2)])
        orders.invoice(cast.officer, campaign.id, request, [Billed(1, 14_00, 4)], bill)
        payouts.pay(campaign.id, request)


def _banks(cast: Cast, today: datetime) -> None:
    """Three time banks that are allied, their exchanges, a clearing, something to confirm and something in dispute."""
    if bank_queries.banks():
        return
    giver, company, teacher = cast.givers
    with clock.stopped(today - 30 * DAY):
        lake = _bank("Cuihu", "翠湖", teacher, (giver, company))
        hill = _bank("Shiba", "石坝", cast.officer, (teacher,))
        shore = _bank("Erhai", "洱海", company, (teacher,))
        for (one, proposes), (other, accepts) in (
            ((lake, teacher), (shore, company)),
            ((shore, company), (hill, cast.officer)),
            ((hill, cast.officer), (lake, teacher)),
        ):
            alliances.accept(accepts, other, alliances.propose(proposes, one, other, 1_200))
    helped = [
        (lake, 3, lake, 1, 60, "digital"), (lake, 4, lake, 1, 45, "digital"), (lake, 1, lake, 2, 90, "home"),
        (lake, 5, lake, 3, 120, "care"), (lake, 3, lake, 4, 30, "errands"), (lake, 4, lake, 5, 40, "care"),
        (shore, 2, shore, 1, 50, "lessons"), (shore, 3, shore, 2, 80, "meals"), (hill, 2, hill, 3, 60, "garden"),
        (lake, 5, shore, 1, 120, "lessons"), (shore, 2, hill, 2, 90, "transport"), (hill, 3, lake, 3, 75, "care"),
    ]  # fmt: skip
    for n, (bank, payer, other, payee, minutes, category) in enumerate(helped):
        with clock.stopped(today - (25 - n) * DAY):
            _help(bank, payer, other, payee, minutes, category, f"seed-{n}")
    with clock.stopped(today - 3 * DAY):
        clearings.clear()
        _help(lake, 4, lake, 1, 25, "digital", "seed-to-confirm", confirms=False)
        _help(hill, 2, shore, 3, 70, "meals", "seed-disputed", claims=40)


def _bank(en: str, zh: str, officer: Party, known: tuple[Party, ...]) -> uuid.UUID:
    """A bank with those members and three made-up neighbours."""
    organisation = people.register_organisation(
        Text(f"{en} neighbours (made up)", f"{zh}邻里（虚构）"), f"DEMO-BANK-{en.upper()}"
    )
    people.grant_role(officer, people.OFFICER, organisation)
    name = Text(f"{en} time bank (made up)", f"{zh}时间银行（虚构）")
    bank = banks.found(officer, organisation, name, Terms(may_owe=600, may_bear=1_200))
    neighbours = [people.register_person() for _ in range(3)]
    for person, called in zip((*known, *neighbours), ("阿秀", "老陈", "小周", "李婶", "王叔"), strict=False):
        members.admit(officer, bank, members.join(person, bank, called))
    return bank


def _help(
    bank: uuid.UUID,
    payer: int,
    other: uuid.UUID,
    payee: int,
    minutes: int,
    category: str,
    key: str,
    *,
    confirms: bool = True,
    claims: int | None = None,
) -> None:
    """One member was helped by another, and gives the minutes."""
    helped = Party(id=bank_queries.by_number(bank, [payer])[payer].person)
    helper = Party(id=bank_queries.by_number(other, [payee])[payee].person)
    asking = exchanges.ask(helped, bank, Help(Side.GIVES, category, (Part(other, payee, minutes),)), key)
    for asked in exchange_queries.asked(bank, asking):
        if confirms:
            exchanges.confirm(helper, asked.book, asked.id)
        if claims is not None:
            exchanges.dispute(helped, asked.book, asked.id, claims)


def _settle(since: datetime) -> None:
    """Day by day, what the provider has settled into the bank."""
    source = providers()["simulator"]
    day, today = since.astimezone(source.zone).date(), clock.now().astimezone(source.zone).date()
    while day < today:
        reconciliation.reconcile(source, day)
        day += DAY


def _recurring(cast: Cast, today: datetime) -> None:
    """Twenty yuan a month, agreed some days ago and given once."""
    giver, simulator = cast.givers[0], providers()["simulator"]
    campaign = Campaign.objects.filter(kind="campaign", title_en__startswith="A music teacher").first()
    if campaign is None or recurring_queries.of(giver.id) or not isinstance(simulator, Simulator):
        return
    with clock.stopped(today - 5 * DAY):
        wish = recurring.Wish(campaign.id, 2_000, campaign.asset, Every.MONTH, simulator.name, foretold=True)
        id = recurring.begin(giver, wish, "seed-recurring")
        agreeing = Agreeing(campaign.id, id, wish.amount, wish.asset, wish.every, campaign.title)
        gifts.confirm(simulator.name, *simulator.report_agreement(agreeing, clock.now()))
        recurring.renew(campaign.id, id)
        recurring.charge(campaign.id, id, period=0, attempt=1)


def _appeal(cast: Cast, today: datetime) -> None:
    """A person who asks for help, and whom no charity has adopted yet."""
    asker = _of("teacher@demo.example")
    if appeal_queries.of(asker.id):
        return
    with clock.stopped(today - 9 * DAY):
        appeal = Appeal(
            title=Text("A hearing aid for a village teacher", "给一位乡村教师配助听器"),
            story=Text(
                "I have taught for twenty-six years and hear the back row no longer. (Made up, as all of this is.)",
                "我教了二十六年书，已经听不清后排孩子的声音。（演示内容，纯属虚构。）",
            ),
            topic="health",
            amount=12_600_00,
            evidence=(paper("SAMPLE AUDIOGRAM", 5),),
        )
        id = appeals.ask(asker, appeal)
    with clock.stopped(today - 8 * DAY):
        appeals.judge(cast.stewards[0], id, shows=True)


def _both(told: dict[str, str]) -> Text:
    return Text(told["en"], told["zh"])


def _of(email: str) -> Party:
    return Login.objects.select_related("party").get(email=email).party


def _charity(cast: Cast, story: Story, at: datetime) -> Party:
    found = Party.objects.filter(registration=story["registration"]).first()
    if found is not None:
        return found
    charity = Charity(_both(story["name"]), story["registration"], _both(story["about"]), story["contact"])
    with clock.stopped(at):
        party = campaigns.found(cast.officer, charity)
        qualification = Qualification(
            number=f"{charity.registration}-Q",
            issuer="演示主管部门 (made up)",
            valid_from=(at - 30 * DAY).date(),
            valid_until=date(at.year + 4, 3, 1),
            evidence=paper("SAMPLE CERTIFICATE", 6),
        )
        credential = campaigns.claim(cast.officer, party, qualification)
    with clock.stopped(at + DAY):
        for steward in cast.stewards:
            people.attest(credential, steward)
    return party


def _publish(cast: Cast, charity: Party, story: Story, number: int, today: datetime) -> Campaign:
    filing = f"DEMO-A26{number:03}"
    known = Filing.objects.select_related("campaign").filter(number=filing).first()
    if known is not None:
        return known.campaign
    opens_at = today - story["opened"] * DAY
    filed_at = opens_at - (DAY / 12 if story["topic"] == "disaster" else 15 * DAY)
    plan = Plan(
        organisation=charity.id,
        title=_both(story["title"]),
        summary=_both(story["summary"]),
        story=_both(story["story"]),
        topic=story["topic"],
        place=_both(story["place"]),
        needs=tuple(
            Need(_both(need["what"]), need["price"], need["quantity"], _both(need["unit"])) for need in story["needs"]
        ),
        opens_at=opens_at,
        closes_at=opens_at + story["days"] * DAY,
        filing_number=filing,
        filed_at=filed_at,
        custody=Custody.CUSTODIAN if story["charity"] == "rivers" else Custody.MIRROR,
        cap=100_000_00,
        drawing=story["drawing"],
        picture_shows=_both(story["drawn"]),
    )
    with clock.stopped(filed_at + DAY / 24):
        return campaigns.publish(cast.officer, plan)


def _live(cast: Cast, campaign: Campaign, story: Story, dice: random.Random) -> None:
    """Gifts, news and payouts, each at its time: what is paid out has come in before."""
    days = min(story["opened"], story["days"])
    moments = sorted(dice.randrange(60, days * 86_400 - 3_600) for _ in range(story["gifts"]))
    for number, moment in enumerate(moments):
        _give(cast, campaign, dice, number, campaign.opens_at + timedelta(seconds=moment))
    for told in story.get("told", []):
        if not Update.objects.filter(campaign=campaign, title_en=told["title"]["en"]).exists():
            with clock.stopped(campaign.opens_at + told["day"] * DAY):
                telling = Telling(_both(told["title"]), _both(told["body"]), told.get("report", False))
                campaigns.tell(cast.officer, campaign.id, telling)
    for paid in story.get("paid", []):
        with clock.stopped(campaign.opens_at + paid["day"] * DAY):
            _pay(cast, campaign, paid)


def _give(cast: Cast, campaign: Campaign, dice: random.Random, number: int, at: datetime) -> None:
    giver, amount = dice.choice(cast.givers), dice.choice(AMOUNTS)
    with clock.stopped(at):
        _paid(campaign, Give(campaign.id, giver.id, amount, campaign.asset, "simulator", f"seed-{number}"))


def _paid(campaign: Campaign, wish: Give, payer: str = "") -> uuid.UUID:
    """A gift that is taken and paid now."""
    simulator = providers()["simulator"]
    if not isinstance(simulator, Simulator):
        raise TypeError("a demonstration pays through the simulator")
    taken = gifts.give(wish)
    if not taken.existed:
        order = Order(campaign.id, taken.id, wish.amount, campaign.asset, campaign.title)
        gifts.confirm(simulator.name, *simulator.report(order, clock.now(), payer=payer))
    return taken.id


def _ring(cast: Cast, campaign: Campaign, at: datetime) -> None:
    """Eight accounts, one telephone and two cards: a case, with the teacher among those whose match waits."""
    people_of = [cast.givers[2], *(people.register_person() for _ in range(7))]
    for number, giver in enumerate(people_of):
        key = f"seed-ring-{number}"
        with clock.stopped(at + number * timedelta(minutes=1)):
            wish = Give(campaign.id, giver.id, 2_000, campaign.asset, "simulator", key, device="demonstration")
            _paid(campaign, wish, payer=f"card-{number % 2}")
    cases.watch()


def _pay(cast: Cast, campaign: Campaign, paid: Story) -> None:
    evidence = paper("SAMPLE INVOICE", 9), paper("SAMPLE DELIVERY NOTE", 5)
    asking = Asking(paid["amount"], _both(paid["what"]), evidence)
    request = payouts.ask(cast.officer, campaign.id, asking, f"seed-{paid['day']}")
    stewards = cast.stewards[: paid.get("approvals", len(cast.stewards))]
    known = queries.payout(campaign.id, request).approved_by
    for steward in stewards:
        if steward.id not in known:
            payouts.judge(steward, campaign.id, request, approves=True)
    if len(stewards) == len(cast.stewards):
        payouts.pay(campaign.id, request)


def paper(title: str, lines: int) -> bytes:
    """A drawn sheet that is clearly no real document."""
    sheet = Image.new("RGB", (420, 300), (253, 251, 246))
    pen = ImageDraw.Draw(sheet)
    pen.rectangle((12, 12, 407, 287), outline=(90, 80, 70), width=2)
    pen.text((30, 28), f"{title} - MADE UP", fill=(150, 60, 40))
    for line in range(lines):
        pen.line((30, 70 + 22 * line, 390 - 30 * (line % 3), 70 + 22 * line), fill=(120, 110, 100), width=2)
    out = io.BytesIO()
    sheet.save(out, "PNG")
    return out.getvalue()
