"""What goes back: refunds, second payments, cards."""

from __future__ import annotations

import uuid
from datetime import timedelta

from commonweal.kernel import clock
from commonweal.kernel.jobs import every, task
from commonweal.kernel.notices.inbox import notify
from commonweal.kernel.text import Text
from commonweal.services.giving.actions import card_returns as card_return_actions
from commonweal.services.giving.actions import card_uses
from commonweal.services.giving.actions import returns as return_actions
from commonweal.services.giving.actions import twice as twice_actions
from commonweal.services.giving.actions import webhooks as webhook_actions
from commonweal.services.giving.jobs.words import money
from commonweal.services.giving.queries import (
    campaigns,
    card_returns,
    gifts,
    returns,
    webhooks,
)
from commonweal.services.giving.rules import campaigns as campaign_rules
from commonweal.services.giving.rules.returns import TITLES, Cause, Standing


@task("giving.refund")
def refund(campaign: str, id: str) -> None:
    """Ask the provider to pay a refund."""
    return_actions.send(uuid.UUID(campaign), uuid.UUID(id))


@task("giving.give_twice_back")
def give_twice_back(campaign: str, id: str) -> None:
    """Send back what was paid once more, or too late."""
    twice_actions.give_back(uuid.UUID(campaign), uuid.UUID(id))


@task("giving.tell_sent_back")
def tell_sent_back(campaign: str, gift: str) -> None:
    """Tell a giver that what they have paid is on its way back, and why."""
    found = gifts.gift(uuid.UUID(campaign), uuid.UUID(gift))
    if found.giver is None:
        return
    now = clock.now()
    state = campaign_rules.state(campaigns.taking([found.campaign], now)[found.campaign].standing, now)
    why = campaign_rules.REASONS.get(state, Text("Your payment came too late.", "您的付款到账过晚。"))
    notify(
        found.giver,
        "giving.returned",
        Text("Your payment of {amount} goes back to you", "您支付的 {amount} 将退回给您").format(
            amount=money(found.whole, found.asset)
        ),
        Text(
            "When it came, “{title}” could not have it any more. {why}", "款项到账时，“{title}”已不能接收。{why}"
        ).format(title=found.title, why=why),
        f"/giving/{campaign}/gifts/{gift}/",
    )


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
            amount=money(found.amount, found.asset), how=TITLES[Standing(outcome)]
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
            amount=money(found.amount, found.asset), how=TITLES[Standing(outcome)]
        ),
        Text("What the card still held.", "退回的是卡内余额。"),
        f"/giving/{campaign}/cards/{found.card}/",
    )


@task("giving.end_cards")
def end_cards() -> None:
    """Give what expired gift cards still hold to the campaign that was named for it."""
    card_uses.expire()


every(timedelta(hours=1), end_cards)
