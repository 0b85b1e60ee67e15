"""One gift followed to its end, and one payout back to its gifts, as documents that other programs read.

Nobody is named in them: a gift is its number and its leaf in the public log. Amounts are decimal strings.
"""

from __future__ import annotations

import uuid
from typing import Any

from commonweal.kernel.errors import NotFound
from commonweal.kernel.quantity import Asset, format_amount
from commonweal.kernel.sql import row
from commonweal.kernel.text import Text
from commonweal.services.giving.queries import fees, gifts, orders, payouts, returns
from commonweal.services.giving.rules.returns import Cause, Standing

FORMAT = "commonweal-trace/1"

GONE = {Cause.REFUND: "refunded", Cause.CHARGEBACK: "charged_back", Cause.CLAW_BACK: "clawed_back"}


def _money(amount: int, asset: Asset) -> str:
    return format_amount(amount, asset, grouped=False)


def _both(text: Text) -> dict[str, str]:
    return {"en": text.en, "zh": text.zh}


def gift(id: uuid.UUID) -> dict[str, Any]:
    """A gift, what each payout used of it with the evidence (line by line if a vendor was paid), what was kept as a
    fee, what went back, and what is left; they sum to the gift.

    Raises `NotFound` (`gift.unknown`).
    """
    # Every key begins with the book, so the id alone is found by skipping from book to book.
    known = row("SELECT book FROM giving_gift WHERE id = %(id)s", {"id": id})
    if known is None:
        raise gifts.unknown()
    found = gifts.gift(known["book"], id)
    parts = gifts.trace(found.campaign, id)
    gone = [each for each in returns.of_gift(found.campaign, id) if each.standing is not Standing.FAILED]
    spent = sum(part.amount for part in parts)
    taken = sum(each.places for each in gone)
    kept = [each for each in fees.of_gift(found.campaign, id) if each.places]
    held = sum(each.places for each in kept)
    return {
        "format": FORMAT,
        "gift": str(id),
        "campaign": str(found.campaign),
        "title": _both(found.title),
        "number": found.nth,
        "state": found.state.value,
        "asset": found.asset.code,
        "amount": _money(found.amount, found.asset),
        "place": None if found.start is None else [found.start, found.start + found.amount],
        "fact": str(found.fact) if found.fact else None,
        "payouts": [
            {
                "payout": str(part.request),
                "what": _both(part.what),
                "amount": _money(part.amount, found.asset),
                "of": _money(part.whole, found.asset),
                "paid_at": part.at.isoformat(),
                "evidence": list(part.evidence),
                "fact": str(part.fact),
                "lines": [
                    {
                        "what": _both(share.what),
                        "amount": _money(share.amount, found.asset),
                        "things": share.things,
                        "unit": _both(share.unit),
                    }
                    for share in orders.shares(found.campaign, part.request, id)
                ],
            }
            for part in parts
        ],
        "fees": [{"to": each.party.value, "amount": _money(each.places, found.asset)} for each in kept],
        "returns": [
            {
                "return": str(each.id),
                "what": GONE[each.cause],
                "standing": each.standing.value,
                "amount": _money(each.amount, found.asset),
                "owed_by_charity": _money(each.receivable, found.asset),
                "fact": str(each.fact),
            }
            for each in gone
        ],
        "spent": _money(spent, found.asset),
        "returned": _money(taken, found.asset),
        "kept": _money(held, found.asset),
        "left": _money(found.amount - spent - held - taken if found.fact else 0, found.asset),
    }


def payout(id: uuid.UUID) -> dict[str, Any]:
    """A payout, its evidence, the lines and arrivals of its order if a vendor was paid, and the gifts that paid for it;
    lines and gifts sum to it once it is paid.

    Raises `NotFound` (`payout.unknown`).
    """
    known = row("SELECT book FROM giving_request WHERE id = %(id)s", {"id": id})
    if known is None:
        raise NotFound("payout.unknown", Text("There is no such payout.", "没有这笔拨款。"))
    found = payouts.payout(known["book"], id)
    sources, order = gifts.sources(found.campaign, id), orders.find(found.campaign, id)
    return {
        "format": FORMAT,
        "payout": str(id),
        "campaign": str(found.campaign),
        "title": _both(found.title),
        "what": _both(found.what),
        "state": found.state.value,
        "asset": found.asset.code,
        "amount": _money(found.amount, found.asset),
        "evidence": list(found.evidence),
        "paid_at": found.paid_at.isoformat() if found.paid_at else None,
        "fact": str(found.paid_fact) if found.paid_fact else None,
        "order": _order(order, found.asset) if order else None,
        "gifts": [
            {
                "gift": str(source.gift),
                "number": source.nth,
                "amount": _money(source.amount, found.asset),
                "fact": str(source.fact),
            }
            for source in sources
        ],
        "sum": _money(sum(source.amount for source in sources), found.asset),
    }


def _order(order: orders.Order, asset: Asset) -> dict[str, Any]:
    """Who was paid, for what: the lines sum to the payout. Amounts of lines that nobody has invoiced are zero."""
    return {
        "vendor": _both(order.vendor_name),
        "lines": [
            {
                "what": _both(line.what),
                "unit": _both(line.unit),
                "ordered": line.quantity,
                "arrived": line.arrived,
                "paid_for": line.paid_quantity,
                "price": _money(line.paid_price, asset),
                "amount": _money(line.paid, asset),
            }
            for line in order.lines
        ],
        "arrivals": [
            {
                "what": _both(each.what),
                "number": each.quantity,
                "at": each.at.isoformat(),
                "evidence": list(each.evidence),
                "fact": str(each.fact),
            }
            for each in orders.arrivals(order.payout.campaign, order.payout.id)
        ],
        "saved": None if order.saved is None else _money(order.saved, asset),
    }
