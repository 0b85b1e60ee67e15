"""Recurring gifts: renewing, charging, and telling of both."""

from __future__ import annotations

import uuid
from datetime import timedelta

from commonweal.kernel import clock
from commonweal.kernel.jobs import every, task
from commonweal.kernel.notices.inbox import notify
from commonweal.kernel.text import Text
from commonweal.services.giving.actions import agreements as agreement_actions
from commonweal.services.giving.actions import recurring as recurring_actions
from commonweal.services.giving.jobs.words import money
from commonweal.services.giving.queries import recurring as recurring_queries
from commonweal.services.giving.rules.recurring import Standing as RecurringStanding


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
            amount=money(found.amount, found.asset), day=found.next_due.date().isoformat()
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


every(timedelta(minutes=10), renew)
