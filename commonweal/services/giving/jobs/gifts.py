"""Thanking, reminding, and the clockwork of gifts: promises that end, places on the line, counters."""

from __future__ import annotations

import uuid
from datetime import timedelta

from commonweal.kernel.jobs import every, task
from commonweal.kernel.notices.inbox import Letter, notify, notify_each
from commonweal.kernel.parties import people
from commonweal.kernel.text import Text
from commonweal.services.giving.actions import control as control_actions
from commonweal.services.giving.actions import gifts as gift_actions
from commonweal.services.giving.actions import givers as giver_actions
from commonweal.services.giving.actions import payouts as payout_actions
from commonweal.services.giving.actions import webhooks as webhook_actions
from commonweal.services.giving.jobs.words import money
from commonweal.services.giving.models import Update
from commonweal.services.giving.queries import (
    campaigns,
    gifts,
    givers,
    webhooks,
)
from commonweal.services.giving.rules.matches import CHANNEL as MATCH


@task("giving.thank")
def thank(campaign: str) -> None:
    """Tell the givers of newly laid gifts that they have arrived: some now, the others by the next job."""
    found = gift_actions.thank(uuid.UUID(campaign))
    notify_each(
        "giving.gift", [_thanks(gift.giver, gift) for gift in found if gift.giver is not None and gift.channel != MATCH]
    )
    if found:
        thank.enqueue(campaign=campaign)


def _thanks(giver: uuid.UUID, gift: gifts.Gift) -> Letter:
    return Letter(
        giver,
        Text("Your gift of {amount} has arrived", "您的 {amount} 捐助已收到").format(
            amount=money(gift.amount, gift.asset)
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
    about = Text("News of “{title}”", "“{title}”有新进展").format(title=told.campaign.title)
    readers = {*gifts.givers_of(told.campaign_id), *givers.followers(told.campaign_id)}
    link = f"/giving/{told.campaign_id}/#updates"
    notify_each("giving.update", [Letter(reader, about, title, link) for reader in readers])


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
                raised=money(card.raised, card.asset), goal=money(card.goal, card.asset)
            ),
            f"/giving/{campaign}/",
        )


@task("giving.announce")
def announce() -> None:
    """Tell programs of the gifts that have been laid since they were told last."""
    for webhook in webhooks.behind():
        webhook_actions.announce_gifts(webhook)


@task("giving.deliver")
def deliver(delivery: str) -> None:
    """Send one signed delivery; what never arrives becomes a dead letter."""
    webhook_actions.deliver(uuid.UUID(delivery))


@task("giving.call_about_payments")
def call_about_payments() -> None:
    """Call the stewards: a provider reports what fits no promise. Nothing has moved; the list has what came."""
    title = Text("A payment does not match", "有付款不符")
    body = Text(
        "A provider reports a payment for no gift of ours, or another amount or currency. Nothing was booked.",
        "支付机构报告的款项没有对应捐款，或金额、货币不一致，未入账。",
    )
    link = "/giving/mismatches/"
    notify_each("giving.call", [Letter(steward, title, body, link) for steward in people.stewards()])


@task("giving.expire")
def expire() -> None:
    """Void the promises whose payment did not come in time."""
    gift_actions.expire()


@task("giving.count")
def count() -> None:
    """Bring the public counters to the newest checkpoint: a stretch now, what is left by the next job."""
    if control_actions.count():
        count.enqueue()


@task("giving.lay")
def lay() -> None:
    """Give new payments their places on the lines of their funds."""
    for book in gifts.books_to_lay():
        payout_actions.lay(book)


every(timedelta(minutes=1), expire)
every(timedelta(seconds=5), lay)
every(timedelta(seconds=5), count)
every(timedelta(seconds=5), announce)
every(timedelta(hours=1), remind)
