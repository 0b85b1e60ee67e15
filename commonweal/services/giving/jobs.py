"""What happens after the commit: telling people, paying out, and the clockwork of the books."""

from __future__ import annotations

import uuid
from datetime import timedelta

from commonweal.kernel import clock
from commonweal.kernel.errors import NotFound
from commonweal.kernel.jobs import every, task
from commonweal.kernel.notices.inbox import notify
from commonweal.kernel.parties.erasure import eraser
from commonweal.kernel.parties.openings import opener
from commonweal.kernel.quantity import Asset, format_amount
from commonweal.kernel.text import Text
from commonweal.services.giving.actions import agreements as agreement_actions
from commonweal.services.giving.actions import appeals as appeal_actions
from commonweal.services.giving.actions import card_returns as card_return_actions
from commonweal.services.giving.actions import card_uses, reconciliation
from commonweal.services.giving.actions import cards as card_actions
from commonweal.services.giving.actions import cases as case_actions
from commonweal.services.giving.actions import clearings as clearing_actions
from commonweal.services.giving.actions import clocks as clock_actions
from commonweal.services.giving.actions import control as control_actions
from commonweal.services.giving.actions import deeds as deed_actions
from commonweal.services.giving.actions import exchanges as exchange_actions
from commonweal.services.giving.actions import gifts as gift_actions
from commonweal.services.giving.actions import givers as giver_actions
from commonweal.services.giving.actions import incomes as income_actions
from commonweal.services.giving.actions import marks as mark_actions
from commonweal.services.giving.actions import members as member_actions
from commonweal.services.giving.actions import payouts as payout_actions
from commonweal.services.giving.actions import recurring as recurring_actions
from commonweal.services.giving.actions import returns as return_actions
from commonweal.services.giving.actions import settlements as settlement_actions
from commonweal.services.giving.actions import teams as team_actions
from commonweal.services.giving.actions import thanks as thanks_actions
from commonweal.services.giving.actions import twice as twice_actions
from commonweal.services.giving.actions import webhooks as webhook_actions
from commonweal.services.giving.actions.openings import opening
from commonweal.services.giving.models import Update
from commonweal.services.giving.payment import providers
from commonweal.services.giving.queries import (
    appeals,
    campaigns,
    card_returns,
    cases,
    clocks,
    deeds,
    exchanges,
    gifts,
    givers,
    invoices,
    payouts,
    pools,
    returns,
    threads,
    webhooks,
)
from commonweal.services.giving.queries import recurring as recurring_queries
from commonweal.services.giving.queries import thanks as thanks_queries
from commonweal.services.giving.rules.banks import Standing as ExchangeStanding
from commonweal.services.giving.rules.matches import CHANNEL as MATCH
from commonweal.services.giving.rules.recurring import Standing as RecurringStanding
from commonweal.services.giving.rules.returns import TITLES, Cause, Standing
from commonweal.services.giving.rules.threads import Side


def _money(amount: int, asset: Asset) -> Text:
    written = format_amount(amount, asset)
    return Text(f"{asset.symbol} {written}".strip(), f"{written} {asset.title.zh}")


@task("giving.thank")
def thank(campaign: str) -> None:
    """Tell the givers of newly laid gifts that they have arrived: some now, the others by the next job."""
    found = gift_actions.thank(uuid.UUID(campaign))
    for gift in found:
        if gift.giver is not None and gift.channel != MATCH:
            _thank(gift.giver, gift)
    if found:
        thank.enqueue(campaign=campaign)


def _thank(giver: uuid.UUID, gift: gifts.Gift) -> None:
    notify(
        giver,
        "giving.gift",
        Text("Your gift of {amount} has arrived", "您的 {amount} 捐助已收到").format(
            amount=_money(gift.amount, gift.asset)
        ),
        Text(
            "{organisation} has received it for “{title}”. Your receipt is ready; whatever it pays for is told to you.",
            "{organisation} 已为“{title}”收到这笔捐款。收据已备好，用到哪里会告诉您。",
        ).format(organisation=gift.organisation, title=gift.title),
        f"/giving/{gift.campaign}/gifts/{gift.id}/",
    )


@task("giving.tell")
def tell(update: str) -> None:
    """Tell the givers of a campaign, and who follows it, that its charity has written."""
    told = Update.objects.select_related("campaign").get(pk=update)
    if event := webhooks.update_event(told.id):
        webhook_actions.announce(event[0], "update", event[1])
    title = Text(told.title_en, told.title_zh)
    for giver in {*gifts.givers_of(told.campaign_id), *givers.followers(told.campaign_id)}:
        notify(
            giver,
            "giving.update",
            Text("News of “{title}”", "“{title}”有新进展").format(title=told.campaign.title),
            title,
            f"/giving/{told.campaign_id}/#updates",
        )


@task("giving.pay_income")
def pay_income(campaign: str, id: str) -> None:
    """Pay out the host's own income that two people have agreed to."""
    income_actions.pay(uuid.UUID(campaign), uuid.UUID(id))


@task("giving.pay")
def pay(campaign: str, request: str) -> None:
    """Pay out what two people have approved."""
    payout_actions.pay(uuid.UUID(campaign), uuid.UUID(request))


@task("giving.tell_paid")
def tell_paid(campaign: str, request: str) -> None:
    """Tell the charity that it is paid, and each giver what their gift paid for, to the fen."""
    paid = payouts.payout(uuid.UUID(campaign), uuid.UUID(request))
    webhook_actions.announce(paid.campaign, "payout", webhooks.payout_event(paid.campaign, paid.id))
    notify(
        paid.asked_by,
        "giving.paid",
        Text("Paid: {amount}", "已拨付：{amount}").format(amount=_money(paid.amount, paid.asset)),
        paid.what,
        f"/giving/{campaign}/payouts/{request}/",
    )
    for source in gifts.sources(paid.campaign, paid.id):
        if source.giver is None:
            continue
        notify(
            source.giver,
            "giving.used",
            Text("{amount} of your gift has been spent", "您的捐款有 {amount} 已经使用").format(
                amount=_money(source.amount, paid.asset)
            ),
            Text("For “{title}”: {what}", "用于“{title}”：{what}").format(title=paid.title, what=paid.what),
            f"/giving/{campaign}/gifts/{source.gift}/",
        )


@task("giving.tell_use")
def tell_use(campaign: str, request: str, after: int) -> None:
    """Tell those whose gifts paid for something how it is used."""
    paid = payouts.payout(uuid.UUID(campaign), uuid.UUID(request))
    for source in gifts.sources(paid.campaign, paid.id):
        if source.giver is None:
            continue
        notify(
            source.giver,
            "giving.use",
            Text("{days} days on: how it is used", "{days} 天后的使用情况").format(days=str(after)),
            paid.what,
            f"/giving/{campaign}/gifts/{source.gift}/",
        )


@task("giving.tell_declined")
def tell_declined(campaign: str, request: str) -> None:
    """Tell the charity why a payout was declined."""
    declined = payouts.payout(uuid.UUID(campaign), uuid.UUID(request))
    note = declined.declined or ""
    notify(
        declined.asked_by,
        "giving.declined",
        Text("Not approved: {what}", "未批准：{what}").format(what=declined.what),
        Text(note, note),
        f"/giving/{campaign}/payouts/{request}/",
    )


@task("giving.refund")
def refund(campaign: str, id: str) -> None:
    """Ask the provider to pay a refund."""
    return_actions.send(uuid.UUID(campaign), uuid.UUID(id))


@task("giving.give_twice_back")
def give_twice_back(campaign: str, id: str) -> None:
    """Send back what was paid once more."""
    twice_actions.give_back(uuid.UUID(campaign), uuid.UUID(id))


@task("giving.tell_returned")
def tell_returned(campaign: str, id: str, outcome: str) -> None:
    """Tell programs of what goes back, and the giver that a refund is done, has failed or came back."""
    found = returns.one(uuid.UUID(campaign), uuid.UUID(id))
    webhook_actions.announce(found.campaign, "return", webhooks.return_event(found.campaign, found.id))
    if found.giver is None or found.cause is not Cause.REFUND:
        return
    notify(
        found.giver,
        "giving.returned",
        Text("Your refund of {amount}: {how}", "您的 {amount} 退款：{how}").format(
            amount=_money(found.amount, found.asset), how=TITLES[Standing(outcome)]
        ),
        Text("Of your gift for “{title}”.", "来自您对“{title}”的捐助。").format(title=found.title),
        f"/giving/{campaign}/gifts/{found.gift}/",
    )


@task("giving.card_refund")
def card_refund(campaign: str, id: str) -> None:
    """Ask the provider to pay the refund of a gift card."""
    card_return_actions.send(uuid.UUID(campaign), uuid.UUID(id))


@task("giving.tell_card_returned")
def tell_card_returned(campaign: str, id: str, outcome: str) -> None:
    """Tell who bought a card that a refund of it is done, has failed or came back."""
    found = card_returns.one(uuid.UUID(campaign), uuid.UUID(id))
    if found.cause is not Cause.REFUND:
        return
    notify(
        found.buyer,
        "giving.returned",
        Text("The refund of {amount} of your gift card: {how}", "您的礼品卡 {amount} 退款：{how}").format(
            amount=_money(found.amount, found.asset), how=TITLES[Standing(outcome)]
        ),
        Text("What the card still held.", "退回的是卡内余额。"),
        f"/giving/{campaign}/cards/{found.card}/",
    )


@task("giving.renew")
def renew() -> None:
    """Look for recurring gifts whose next period may be due; each is renewed by an errand of its own."""
    for campaign, id in recurring_queries.maybe_due(clock.now()):
        renew_one.enqueue(campaign=str(campaign), recurring=str(id))


@task("giving.renew_one")
def renew_one(campaign: str, recurring: str) -> None:
    """Make the gift of the period that is due, once."""
    recurring_actions.renew(uuid.UUID(campaign), uuid.UUID(recurring))


@task("giving.charge")
def charge(campaign: str, recurring: str, period: int, attempt: int) -> None:
    """Charge the gift of a period."""
    recurring_actions.charge(uuid.UUID(campaign), uuid.UUID(recurring), period, attempt)


@task("giving.give_back")
def give_back(campaign: str, recurring: str) -> None:
    """Give the agreement of what has ended back to the provider."""
    agreement_actions.give_back(uuid.UUID(campaign), uuid.UUID(recurring))


@task("giving.foretell")
def foretell(campaign: str, recurring: str, period: int) -> None:
    """Tell a giver, who has asked for it, that a renewal is near."""
    found = recurring_queries.find(uuid.UUID(campaign), uuid.UUID(recurring))
    if found is None or found.next_due is None or recurring_queries.next_period(found) != period:
        return
    notify(
        found.giver,
        "giving.foretold",
        Text("As you asked: {amount} on {day}", "按您的选择提醒：{day} 将捐出 {amount}").format(
            amount=_money(found.amount, found.asset), day=found.next_due.date().isoformat()
        ),
        Text(
            "Your recurring gift for “{title}”. Change, pause or end it here.",
            "您对“{title}”的定期捐赠，可在此修改、暂停或结束。",
        ).format(title=found.title),
        f"/giving/{campaign}/recurring/{recurring}/",
    )


@task("giving.tell_recurring")
def tell_recurring(campaign: str, recurring: str) -> None:
    """Tell a giver that a recurring gift has paused or ended without their word, and that nothing is owed."""
    found = recurring_queries.find(uuid.UUID(campaign), uuid.UUID(recurring))
    if found is None or found.reason is None:
        return
    ended = found.standing is RecurringStanding.ENDED
    notify(
        found.giver,
        "giving.recurring",
        (
            Text("Your gift for “{title}” has ended", "您对“{title}”的定期捐赠已结束")
            if ended
            else Text("Your gift for “{title}” is paused", "您对“{title}”的定期捐赠已暂停")
        ).format(title=found.title),
        found.reason,
        f"/giving/{campaign}/recurring/{recurring}/",
    )


@task("giving.tell_invoice")
def tell_invoice(charity: str, year: int, number: int) -> None:
    """Tell who asked for an invoice that it is paid or cancelled."""
    found = invoices.find(uuid.UUID(charity), year, number)
    if found is None:
        return
    notify(
        found.asked_by,
        "giving.invoice",
        Text("Invoice {year}-{number}: {state}", "缴款通知单 {year}-{number}：{state}").format(
            year=year, number=number, state=found.state_title
        ),
        Text("{amount} of {company} for “{title}”.", "{company} 对“{title}”的 {amount} 捐款。").format(
            amount=_money(found.amount, found.asset), company=found.company.name, title=found.title
        ),
        f"/giving/invoices/{charity}/{year}/{number}/",
    )


@task("giving.end_cards")
def end_cards() -> None:
    """Give what expired gift cards still hold to the campaign that was named for it."""
    card_uses.expire()


@task("giving.tell_appeal")
def tell_appeal(appeal: str) -> None:
    """Tell who asked for help how far it has come."""
    found = appeals.appeal(uuid.UUID(appeal))
    notify(
        found.standing.asker,
        "giving.appeal",
        Text("Your appeal: {state}", "您的求助：{state}").format(state=found.state_title),
        Text(found.note, found.note) if found.note else found.title,
        f"/giving/appeals/{appeal}/",
    )


@task("giving.tell_exchange")
def tell_exchange(book: str, id: str) -> None:
    """Tell the side that has to answer; and how it ended, the side that had asked; of a dispute or a return, both."""
    found = exchanges.exchange(uuid.UUID(book), uuid.UUID(id))
    asked = found.standing is ExchangeStanding.ASKED
    both = found.standing in {ExchangeStanding.DISPUTED, ExchangeStanding.SETTLED}
    for side in (found.payer, found.payee) if both else (found.other if asked else found.asker,):
        notify(
            side.person,
            "giving.exchange",
            Text("{n} minutes, {what}: {how}", "{what}，{n} 分钟：{how}").format(
                n=found.minutes, what=found.category_title, how=found.standing_title
            ),
            Text("In the time bank “{bank}”.", "时间银行“{bank}”。").format(bank=side.bank_name),
            f"/giving/banks/{book}/exchanges/{id}/",
        )


@task("giving.expire_exchanges")
def expire_exchanges() -> None:
    """End the exchanges that nobody has answered in time."""
    exchange_actions.expire()


@task("giving.clear_banks")
def clear_banks() -> None:
    """Strike out what circles between allied time banks, and publish the statement."""
    clearing_actions.clear()


@task("giving.tell_message")
def tell_message(campaign: str, thread: str, nth: int) -> None:
    """Tell the other side that there is something to read; what it says stands in the thread alone."""
    try:
        found = threads.thread(uuid.UUID(campaign), uuid.UUID(thread))
    except NotFound:
        return  # the giver has been forgotten
    side = next(each.side for each in threads.messages(found) if each.nth == nth)
    about = Text("About “{title}”.", "关于“{title}”。").format(title=found.title)
    address = f"/giving/{campaign}/messages/{thread}/"
    if side is Side.CHARITY:
        title = Text("{organisation} has answered you", "{organisation}回复了您").format(
            organisation=found.organisation
        )
        notify(found.giver, "giving.message", title, about, address)
        return
    for officer in clocks.officers(found.campaign):
        notify(officer, "giving.message", Text("A giver has written to you", "有捐助人给您留言"), about, address)


@task("giving.tell_judged")
def tell_judged(campaign: str, thread: str) -> None:
    """Tell both sides what a steward has decided about their thread."""
    try:
        found = threads.thread(uuid.UUID(campaign), uuid.UUID(thread))
    except NotFound:
        return
    title = (
        Text("A steward has closed your thread", "审核员已关闭您的留言")
        if found.rule.closed
        else Text("A steward has looked at your thread: it stays open", "审核员已查看您的留言，可以继续交流")
    )
    about = Text("About “{title}”.", "关于“{title}”。").format(title=found.title)
    for party in (found.giver, *clocks.officers(found.campaign)):
        notify(party, "giving.message", title, about, f"/giving/{campaign}/messages/{thread}/")


@task("giving.thank_all")
def thank_all(campaign: str, thanks: str) -> None:
    """Thank those who gave to a campaign: some now, the others by the next job."""
    givers = thanks_actions.take(uuid.UUID(campaign), uuid.UUID(thanks))
    if not givers:
        return
    card = campaigns.card(uuid.UUID(campaign))
    title = Text("{organisation} thanks you", "{organisation}感谢您").format(organisation=card.organisation)
    said = thanks_queries.said(uuid.UUID(campaign), uuid.UUID(thanks))
    for giver in givers:
        notify(giver, "giving.thanks", title, said, f"/giving/{campaign}/")
    thank_all.enqueue(campaign=campaign, thanks=thanks)


@task("giving.remind")
def remind() -> None:
    """The word a month that followers have asked for."""
    for campaign, party in giver_actions.due_reminders():
        card = campaigns.card(campaign)
        notify(
            party,
            "giving.reminder",
            Text("As you asked: “{title}”", "您订阅的提醒：“{title}”").format(title=card.title),
            Text("It has {raised} of {goal} by now.", "目前已筹 {raised}，目标 {goal}。").format(
                raised=_money(card.raised, card.asset), goal=_money(card.goal, card.asset)
            ),
            f"/giving/{campaign}/",
        )


@task("giving.reconcile")
def reconcile() -> None:
    """Compare the last three days' statements of all providers with the books: what came late is found again."""
    for source in providers().values():
        today = clock.now().astimezone(source.zone).date()
        for back in (3, 2, 1):
            reconciliation.reconcile(source, today - timedelta(days=back))


@task("giving.announce")
def announce() -> None:
    """Tell programs of the gifts that have been laid since they were told last."""
    for webhook in webhooks.behind():
        webhook_actions.announce_gifts(webhook)


@task("giving.deliver")
def deliver(delivery: str) -> None:
    """Send one signed delivery; what never arrives becomes a dead letter."""
    webhook_actions.deliver(uuid.UUID(delivery))


@task("giving.settle")
def settle() -> None:
    """Fix what sponsors' contracts that are over come to."""
    for contract in deeds.to_settle(clock.now()):
        deed_actions.settle(contract)


@task("giving.clock")
def disclosure() -> None:
    """Warn charities before a report is due, say when giving has stopped, and ask how things are used."""
    for warning in clock_actions.take_warnings():
        for officer in clocks.officers(warning.campaign):
            notify(officer, "giving.deadline", warning.title, warning.text, f"/giving/{warning.campaign}/tell/")
    for asked in clock_actions.ask_for_use():
        for officer in clocks.officers(asked.campaign):
            notify(
                officer,
                "giving.use",
                Text("{days} days on: is it in use?", "已过 {days} 天：还在使用吗？").format(days=str(asked.after)),
                asked.what,
                f"/giving/{asked.campaign}/payouts/{asked.request}/use/{asked.after}/",
            )


@task("giving.watch", lease=timedelta(minutes=10))
def watch() -> None:
    """Look for signals of fraud among the gifts of the windows that are over, and forget old marks."""
    case_actions.watch()
    mark_actions.drop(clock.now())


@task("giving.lapse")
def lapse() -> None:
    """End the cases that nobody has decided in time, for the givers."""
    case_actions.lapse()


@task("giving.tell_delayed")
def tell_delayed(case: str, gifts: list[str]) -> None:
    """Tell the givers of gifts that a case has taken in that the gift is there and its match waits."""
    found = cases.one(uuid.UUID(case))
    for giver, campaign, gift in cases.givers(found.id):
        if str(gift) in gifts:
            notify(
                giver,
                "giving.case",
                Text("Your gift arrived in full; its match waits for a check", "您的捐款已全额到账，配捐待核查"),
                Text(
                    "For “{title}”. You can read why, and object. It is decided by {day}.",
                    "项目“{title}”。您可以查看原因并提出异议，最晚 {day} 前作出决定。",
                ).format(title=found.title, day=found.due_at.date().isoformat()),
                f"/giving/{campaign}/gifts/{gift}/#check",
            )


@task("giving.tell_case")
def tell_case(case: str) -> None:
    """Tell the givers how a case of their gifts has ended."""
    found = cases.one(uuid.UUID(case))
    for giver, campaign, gift in cases.givers(found.id):
        notify(
            giver,
            "giving.case",
            Text("The check of your gift's match: {how}", "配捐核查结果：{how}").format(how=found.state_title),
            Text("Your gift for “{title}” stays as it is.", "您对“{title}”的捐款不受影响。").format(title=found.title),
            f"/giving/{campaign}/gifts/{gift}/#check",
        )


@task("giving.settle_pools")
def settle_pools() -> None:
    """Compute the pools whose review is over; two stewards then look at what came out."""
    for pool in pools.closed():
        if pools.due(pool):
            settlement_actions.propose(pool.campaign, pool.id)


@task("giving.pay_pool")
def pay_pool(campaign: str, pool: str) -> None:
    """Pay a settlement that two stewards have agreed to."""
    settlement_actions.pay(uuid.UUID(campaign), uuid.UUID(pool))


@task("giving.tell_teams")
def tell_teams() -> None:
    """Tell what teams have come to, in steps of three people or more."""
    team_actions.tell()


@task("giving.expire")
def expire() -> None:
    """Void the promises whose payment did not come in time."""
    gift_actions.expire()


@task("giving.count")
def count() -> None:
    """Bring the public counters to the newest checkpoint."""
    control_actions.count()


@task("giving.lay")
def lay() -> None:
    """Give new payments their places on the lines of their funds."""
    for book in gifts.books_to_lay():
        payout_actions.lay(book)


every(timedelta(minutes=1), expire)
every(timedelta(minutes=10), renew)
every(timedelta(hours=1), end_cards)
every(timedelta(hours=1), tell_teams)
every(timedelta(days=1), reconcile)
every(timedelta(hours=1), expire_exchanges)
every(timedelta(days=7), clear_banks)
every(timedelta(seconds=5), lay)
every(timedelta(seconds=5), count)
every(timedelta(seconds=5), announce)
every(timedelta(hours=1), remind)
every(timedelta(minutes=1), settle)
every(timedelta(minutes=1), settle_pools)
every(timedelta(hours=1), watch)
every(timedelta(minutes=1), lapse)
every(timedelta(minutes=1), disclosure)

opener("giving.gift")(opening)
opener("giving.hours")(opening)
opener("giving.exchange")(opening)
opener("giving.recurring")(opening)
opener("giving.pledge")(opening)
opener("giving.card")(opening)
eraser(appeal_actions.erase)
eraser(giver_actions.erase)
eraser(member_actions.erase)
eraser(card_actions.erase)
eraser(team_actions.erase)
eraser(mark_actions.erase)
eraser(agreement_actions.erase)
eraser(webhook_actions.erase)
