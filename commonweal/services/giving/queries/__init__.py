"""What pages and programs ask: plain SQL into frozen values, one module a noun. Nothing is written here.

The functions here are what the first page, the search and the site map ask every service.
"""

from __future__ import annotations

from django.urls import reverse

from commonweal.kernel.quantity import CNY, format_amount
from commonweal.kernel.registry import Card, Figure, Hit
from commonweal.kernel.text import Text
from commonweal.services.giving.queries import campaigns, control, grants, totals


def headline() -> list[Figure]:
    """How much has been given here, in yuan."""
    proof = reverse("giving:books")
    return [
        Figure(Text("Given here", "已收到捐款"), total.raised, proof, total.asset)
        for total in totals.gifts()
        if total.asset == CNY and total.raised
    ]


def announced() -> list[Text]:
    """What the stewards of giving have to say now."""
    return [each.text for each in control.announcements()]


def needed_now() -> list[Card]:
    """The newest open campaigns."""
    return [
        Card(
            title=card.title,
            text=card.summary or card.organisation,
            tag=card.place or card.topic,
            url=reverse("giving:campaign", args=[card.id]),
            value=card.raised,
            goal=card.goal,
            status=Text("{raised} of {goal} yuan", "已筹 {raised} 元，目标 {goal} 元").format(
                raised=format_amount(card.raised, card.asset), goal=format_amount(card.goal, card.asset)
            ),
        )
        for card in campaigns.Search(only_open=True)[:6]
    ]


def search(text: str, limit: int) -> list[Hit]:
    """Campaigns, then grants, in which the words occur."""
    hits = [
        Hit(card.title, card.summary or card.organisation, reverse("giving:campaign", args=[card.id]))
        for card in campaigns.Search(words=text)[:limit]
    ]
    hits += [
        Hit(
            Text(grant.title, grant.title),
            Text("{funder} to {recipient}", "{funder} 资助 {recipient}").format(
                funder=grant.funder_name, recipient=grant.recipient_name
            ),
            reverse("giving:grant", args=[grant.programme, grant.id]),
        )
        for grant in grants.Grants(words=text)[: limit - len(hits)]
    ]
    return hits


def public_pages() -> list[str]:
    """Every campaign, for search engines."""
    return [reverse("giving:campaign", args=[card.id]) for card in campaigns.Search()[:10_000]]
