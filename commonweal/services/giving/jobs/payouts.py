"""Money that leaves, and what becomes of it."""

from __future__ import annotations

import uuid
from datetime import timedelta

from commonweal.kernel.jobs import every, task
from commonweal.kernel.notices.inbox import notify
from commonweal.kernel.text import Text
from commonweal.services.giving.actions import clocks as clock_actions
from commonweal.services.giving.actions import incomes as income_actions
from commonweal.services.giving.actions import payouts as payout_actions
from commonweal.services.giving.actions import webhooks as webhook_actions
from commonweal.services.giving.jobs.words import money
from commonweal.services.giving.queries import (
    clocks,
    gifts,
    payouts,
    webhooks,
)
from commonweal.services.giving.rules.matches import CHANNEL as MATCH


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
        Text("Paid: {amount}", "已拨付：{amount}").format(amount=money(paid.amount, paid.asset)),
        paid.what,
        f"/giving/{campaign}/payouts/{request}/",
    )
    for source in gifts.sources(paid.campaign, paid.id):
        if source.giver is None or source.channel == MATCH:  # a company reads of its matches in its statement
            continue
        notify(
            source.giver,
            "giving.used",
            Text("{amount} of your gift has been spent", "您的捐款有 {amount} 已经使用").format(
                amount=money(source.amount, paid.asset)
            ),
            Text("For “{title}”: {what}", "用于“{title}”：{what}").format(title=paid.title, what=paid.what),
            f"/giving/{campaign}/gifts/{source.gift}/",
        )


@task("giving.tell_use")
def tell_use(campaign: str, request: str, after: int) -> None:
    """Tell those whose gifts paid for something how it is used."""
    paid = payouts.payout(uuid.UUID(campaign), uuid.UUID(request))
    for source in gifts.sources(paid.campaign, paid.id):
        if source.giver is None or source.channel == MATCH:
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


every(timedelta(minutes=1), disclosure)
