"""The signs from which a steward's notes on a payout follow."""

from __future__ import annotations

from datetime import UTC, datetime, time

from commonweal.kernel import clock
from commonweal.kernel.sql import row
from commonweal.kernel.text import Text
from commonweal.services.giving.queries import campaigns
from commonweal.services.giving.queries.payouts import Payout
from commonweal.services.giving.rules import risks as rules

SIGNS = """
    SELECT
        (SELECT count(*) FROM unnest(%(evidence)s::text[]) e WHERE EXISTS (
            SELECT FROM giving_request o WHERE o.id <> %(id)s AND e = ANY(o.evidence))) AS reused_evidence,
        coalesce((SELECT sum(g.amount) FROM giving_gift g JOIN giving_payment p ON p.book = g.book AND p.gift = g.id
                  WHERE g.book = %(book)s AND g.giver IS NOT NULL GROUP BY g.giver ORDER BY 1 DESC LIMIT 1),
                 0)::bigint AS largest_giver,
        (SELECT count(*) FROM giving_payout p JOIN giving_campaign c ON c.id = p.book
         WHERE c.organisation_id = %(organisation)s) AS paid_before,
        (SELECT count(*) FROM giving_word w JOIN giving_campaign c ON c.id = w.book
         WHERE c.organisation_id = %(organisation)s AND NOT w.approves) AS declined_before"""


def notes(payout: Payout) -> list[Text]:
    """What a steward should look at before a word on this payout."""
    now = clock.now()
    page = campaigns.page(payout.campaign)
    values = {
        "evidence": list(payout.evidence),
        "id": payout.id,
        "book": payout.campaign,
        "organisation": payout.organisation_id,
    }
    until = page.qualified_until
    signs = rules.Signs(
        amount=payout.amount,
        available=page.available,
        raised=page.card.raised,
        qualified_for=datetime.combine(until, time.max, UTC) - now if until else None,
        open_for=now - page.card.standing.opens_at,
        **(row(SIGNS, values) or {}),
    )
    return rules.notes(signs)
