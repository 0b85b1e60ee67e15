"""What goes back: of one gift, of one campaign, and what nobody has settled yet."""

from __future__ import annotations

import uuid
from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from commonweal.kernel.errors import NotFound
from commonweal.kernel.quantity import Asset
from commonweal.kernel.sql import row, rows
from commonweal.kernel.text import Text
from commonweal.services.giving.queries.campaigns import asset_of
from commonweal.services.giving.rules import returns as rules
from commonweal.services.giving.rules.fees import Payee

R = TypeVar("R", bound="Return")

RETURN = """
    SELECT r.book, r.id, r.gift, r.cause, r.amount, r.receivable, r.host, r.tip, r.processor,
           r.kept, r.reference, r.reason, r.transfer, r.fact, r.at,
           (SELECT coalesce(sum(upper(s) - lower(s)), 0)::bigint FROM unnest(r.spans) s) AS places,
           c.asset, c.title_en, c.title_zh, g.channel, g.giver, p.nth, p.reference AS payment,
           ARRAY(SELECT e.outcome FROM giving_return_end e WHERE e.book = r.book AND e.id = r.id) AS ends
    FROM giving_return r
    JOIN giving_gift g ON g.book = r.book AND g.id = r.gift
    JOIN giving_payment p ON p.book = r.book AND p.gift = r.gift
    JOIN giving_campaign c ON c.id = r.book"""


GONE = """
    (SELECT least(p.amount, coalesce(sum(
        b.amount - b.tip - CASE WHEN EXISTS (
            SELECT FROM giving_return_end w WHERE w.book = b.book AND w.id = b.id AND w.outcome = 'won'
        ) THEN b.receivable + b.host ELSE 0 END) FILTER (WHERE EXISTS (
            SELECT FROM giving_return_end e WHERE e.book = b.book AND e.id = b.id AND e.outcome = 'done')), 0))::bigint
     FROM giving_return b WHERE b.book = p.book AND b.gift = p.gift)"""
"""What has gone back of the payment `p`: of what was won again, only the part that is a payment of its own by now.

How it ended is asked of each return, never joined: before the first statistics of a book that has many returns, a join
begins with all their ends, for each gift."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Return(ABC):
    """A refund, chargeback or claw-back, of a gift or of a gift card; `payment` is the provider's word."""

    campaign: uuid.UUID
    id: uuid.UUID
    cause: rules.Cause
    amount: int
    asset: Asset
    channel: str
    payment: str
    reason: str
    transfer: uuid.UUID
    fact: uuid.UUID
    at: datetime
    title: Text
    ends: tuple[str, ...]

    @property
    @abstractmethod
    def of(self) -> uuid.UUID:
        """The gift or card of which it is."""

    @property
    def goes_back(self) -> int:
        """What its giver gets."""
        return self.amount

    @property
    def standing(self) -> rules.Standing:
        """How far it has come."""
        return rules.standing(self.ends)

    @property
    def standing_title(self) -> Text:
        """The same, in words."""
        return rules.TITLES[self.standing]

    @property
    def cause_title(self) -> Text:
        """What it is, in words."""
        return rules.CAUSES[self.cause]


@dataclass(frozen=True, slots=True, kw_only=True)
class GiftReturn(Return):
    """What goes back of a gift. `receivable` of `amount` had been spent."""

    gift: uuid.UUID
    giver: uuid.UUID | None
    nth: int
    receivable: int
    reference: str
    host: int
    tip: int
    processor: int
    kept: int
    """What each of the others returns of it, and what of its part the processor does not give back."""
    places: int
    """How many places of its gift it takes: what leaves the fund."""

    @property
    def of(self) -> uuid.UUID:
        """The gift."""
        return self.gift

    @property
    def goes_back(self) -> int:
        """What its giver gets."""
        return self.amount - self.kept

    @property
    def lost(self) -> int:
        """What of the provider's fee nobody gets back."""
        return self.processor if self.cause is rules.Cause.CHARGEBACK else self.kept

    @property
    def number(self) -> str:
        """By what the provider, and so a bank, finds it: its own word for it, or the number that we gave it there."""
        return self.reference or str(self.id)


def read(found: dict[str, Any]) -> dict[str, Any]:
    """The fields of a return, as a row has them."""
    title = Text(found.pop("title_en"), found.pop("title_zh"))
    more = {"cause": rules.Cause(found["cause"]), "asset": asset_of(found["asset"]), "ends": tuple(found["ends"])}
    return {"campaign": found.pop("book"), "title": title} | found | more


def existing(found: R | None) -> R:
    """A return that there is. Raises `NotFound` (`refund.unknown`)."""
    if found is None:
        raise NotFound("refund.unknown", Text("There is no such refund.", "没有这笔退款。"))
    return found


def _return(found: dict[str, Any]) -> GiftReturn:
    return GiftReturn(**read(found))


def find(campaign: uuid.UUID, id: uuid.UUID) -> GiftReturn | None:
    """One return, if there is such."""
    found = row(f"{RETURN} WHERE r.book = %(book)s AND r.id = %(id)s", {"book": campaign, "id": id})
    return _return(found) if found else None


def one(campaign: uuid.UUID, id: uuid.UUID) -> GiftReturn:
    """One return. Raises `NotFound` (`refund.unknown`)."""
    return existing(find(campaign, id))


def of_gift(campaign: uuid.UUID, gift: uuid.UUID) -> list[GiftReturn]:
    """What goes back of one gift, oldest first."""
    query = f"{RETURN} WHERE r.book = %(book)s AND r.gift = %(gift)s ORDER BY r.at, r.id"
    return [_return(found) for found in rows(query, {"book": campaign, "gift": gift})]


def returned(found: list[GiftReturn]) -> int:
    """How much of a gift has gone back by refund or claw-back, or is on its way."""
    return sum(
        each.amount
        for each in found
        if each.cause is not rules.Cause.CHARGEBACK and each.standing is not rules.Standing.FAILED
    )


def gone(found: list[GiftReturn], *, charged_back: bool = False) -> dict[Payee, int]:
    """What each party has returned of a gift by refund or claw-back, or is about to; or else by chargeback."""
    counted = [
        each
        for each in found
        if (each.cause is rules.Cause.CHARGEBACK) is charged_back and each.standing is not rules.Standing.FAILED
    ]
    return {
        Payee.CAMPAIGN: sum(each.amount - each.host - each.tip - each.processor for each in counted),
        Payee.HOST: sum(each.host for each in counted),
        Payee.TIP: sum(each.tip for each in counted),
        Payee.PROCESSOR: sum(each.processor for each in counted),
    }


def newest(limit: int = 100) -> list[GiftReturn]:
    """The newest returns of all campaigns."""
    return [_return(found) for found in rows(f"{RETURN} ORDER BY r.at DESC, r.id LIMIT %(limit)s", {"limit": limit})]


def of_campaign(campaign: uuid.UUID, limit: int = 100) -> list[GiftReturn]:
    """The newest returns of a campaign."""
    query = f"{RETURN} WHERE r.book = %(book)s ORDER BY r.at DESC, r.id LIMIT %(limit)s"
    return [_return(found) for found in rows(query, {"book": campaign, "limit": limit})]


def waiting(limit: int = 500) -> list[GiftReturn]:
    """Refunds under way, oldest first."""
    query = f"""{RETURN}
        WHERE NOT EXISTS (SELECT FROM giving_return_end e WHERE e.book = r.book AND e.id = r.id)
        ORDER BY r.at LIMIT %(limit)s"""
    return [_return(found) for found in rows(query, {"limit": limit})]


@dataclass(frozen=True, slots=True)
class Receivable:
    """What a charity owes for gifts that were charged back after they had been spent, in smallest units."""

    campaign: uuid.UUID
    title: Text
    organisation: Text
    asset: Asset
    amount: int


def receivables() -> list[Receivable]:
    """All that are open, as the books have them."""
    query = """
        SELECT c.id, c.title_en, c.title_zh, o.name_en, o.name_zh, c.asset, sum(b.posted)::bigint AS amount
        FROM giving_campaign c
        JOIN parties_party o ON o.id = c.organisation_id
        JOIN ledger_account a ON a.book = c.id AND a.name = 'receivable'
        JOIN ledger_balance b ON b.book = a.book AND b.account = a.id
        GROUP BY c.id, o.id HAVING sum(b.posted) > 0 ORDER BY amount DESC"""
    return [
        Receivable(
            found["id"],
            Text(found["title_en"], found["title_zh"]),
            Text(found["name_en"], found["name_zh"]),
            asset_of(found["asset"]),
            found["amount"],
        )
        for found in rows(query, {})
    ]


def receivable(campaign: uuid.UUID) -> int:
    """What the charity of a campaign owes for it, in smallest units."""
    query = """
        SELECT coalesce(sum(b.posted), 0)::bigint AS amount FROM ledger_account a
        JOIN ledger_balance b ON b.book = a.book AND b.account = a.id
        WHERE a.book = %(book)s AND a.name = 'receivable'"""
    return int(rows(query, {"book": campaign})[0]["amount"])


@dataclass(frozen=True, slots=True)
class Repayment:
    """What a charity has paid back, in smallest units."""

    amount: int
    fact: uuid.UUID
    at: datetime


def repayments(campaign: uuid.UUID) -> list[Repayment]:
    """What was paid back for a campaign, oldest first."""
    query = "SELECT amount, fact, at FROM giving_repayment WHERE book = %(book)s ORDER BY at, transfer"
    return [Repayment(**found) for found in rows(query, {"book": campaign})]
