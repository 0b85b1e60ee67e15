"""What givers do beside giving once: every month, together, by card, by invoice."""

from __future__ import annotations

from datetime import datetime, timedelta

from commonweal.kernel import clock
from commonweal.kernel.parties.models import Party
from commonweal.services.giving.actions import (
    card_returns,
    card_uses,
    cards,
    gifts,
    invoices,
    recurring,
    team_pages,
    teams,
)
from commonweal.services.giving.payment import Agreeing, Order, providers
from commonweal.services.giving.payment.simulator import Simulator
from commonweal.services.giving.queries import cards as card_queries
from commonweal.services.giving.queries import recurring as recurring_queries
from commonweal.services.giving.queries import teams as team_queries
from commonweal.services.giving.rules.gifts import Give
from commonweal.services.giving.rules.invoices import Account
from commonweal.services.giving.rules.recurring import Every
from commonweal.services.giving.rules.teams import Page
from commonweal.services.giving.seed.cast import DAY, Cast, campaign_of
from commonweal.services.giving.seed.gifts import give_paid


def begin_recurring(cast: Cast, today: datetime) -> None:
    """Twenty yuan a month, agreed some days ago and given once."""
    giver, simulator = cast.givers[0], providers()["simulator"]
    campaign = campaign_of("A music teacher")
    if campaign is None or recurring_queries.of(giver.id) or not isinstance(simulator, Simulator):
        return
    with clock.stopped(today - 5 * DAY):
        wish = recurring.Wish(campaign.id, 2_000, campaign.asset, Every.MONTH, simulator.name, foretold=True)
        id = recurring.begin(giver, wish, "seed-recurring")
        agreeing = Agreeing(campaign.id, id, wish.amount, wish.asset, wish.every, campaign.title)
        gifts.confirm(simulator.name, *simulator.report_agreement(agreeing, clock.now()))
        recurring.renew(campaign.id, id)
        recurring.charge(campaign.id, id, period=0, attempt=1)


def give_together(cast: Cast, today: datetime) -> None:
    """A class that gives together: three people have, and two have greeted."""
    campaign = campaign_of("A music teacher")
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
            gift = give_paid(campaign, wish)
            if words:
                team_pages.greet(who, campaign.id, gift, words)
    with clock.stopped(today - 2 * DAY):
        teams.tell()


def give_by_card(cast: Cast, today: datetime) -> None:
    """A gift card that a company has bought: part of it given by who got it, part refunded. A gift with a tip, which is
    what the host has earned."""
    giver, company, teacher = cast.givers
    campaign = campaign_of("After the flood")
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
        give_paid(campaign, Give(campaign.id, teacher.id, 50_00, campaign.asset, simulator.name, "seed-tip", tip=5_00))


def promise_by_invoice(cast: Cast, today: datetime) -> None:
    """A company's promise, waiting for its transfer."""
    company = cast.givers[1]
    sponsor = Party.objects.filter(registration="DEMO-TEA-0001").first()
    campaign = campaign_of("A music teacher")
    if sponsor is None or campaign is None:
        return
    account = Account("山那边公益基金会（虚构）", "演示银行 (made up)", "0000 0000 0000 0000")
    with clock.stopped(today - 2 * DAY):
        invoices.name_account(cast.officer, Party.objects.get(pk=campaign.organisation_id), account)
        invoices.ask(company, sponsor, campaign.id, 300_00, "seed-invoice")
