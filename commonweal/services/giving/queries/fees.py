"""What was kept of gifts, by whom; and where the money of a campaign is."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from commonweal.kernel.quantity import Asset
from commonweal.kernel.sql import rows
from commonweal.kernel.text import Text
from commonweal.services.giving.queries.campaigns import asset_of
from commonweal.services.giving.rules import fees as rules
from commonweal.services.giving.rules.fees import Bearer, Payee


@dataclass(frozen=True, slots=True)
class Fee:
    """What a party has kept of gifts, and who bears it; `places` of it were still in the fund."""

    party: Payee
    bearer: Bearer
    amount: int
    places: int = 0

    @property
    def title(self) -> Text:
        """Who has kept it, in words."""
        return rules.PAYEES[self.party]


def of_gift(campaign: uuid.UUID, gift: uuid.UUID) -> list[Fee]:
    """What was kept of one gift."""
    query = """
        SELECT party, bearer, amount,
               (SELECT coalesce(sum(upper(s) - lower(s)), 0)::bigint FROM unnest(spans) s) AS places
        FROM giving_fee WHERE book = %(book)s AND gift = %(gift)s ORDER BY party, at"""
    return [
        Fee(Payee(found["party"]), Bearer(found["bearer"]), found["amount"], found["places"])
        for found in rows(query, {"book": campaign, "gift": gift})
    ]


def out_of(found: list[Fee]) -> dict[Payee, int]:
    """What of it came out of the gift itself."""
    return {fee.party: fee.amount for fee in found if fee.bearer is Bearer.CAMPAIGN}


def totals(campaign: uuid.UUID) -> list[Fee]:
    """What was kept of all gifts of a campaign, and of the gift cards bought there."""
    query = """
        SELECT party, bearer, sum(amount)::bigint AS amount FROM (
            SELECT party, bearer, amount FROM giving_fee WHERE book = %(book)s
            UNION ALL SELECT 'processor', 'host', amount FROM giving_card_fee WHERE book = %(book)s) kept
        GROUP BY party, bearer ORDER BY party, bearer"""
    return [
        Fee(Payee(found["party"]), Bearer(found["bearer"]), found["amount"])
        for found in rows(query, {"book": campaign})
    ]


@dataclass(frozen=True, slots=True)
class Account:
    """An account of a campaign's book: its balance on its normal side, in smallest units; `held` if it is a debit."""

    kind: str
    of: str
    asset: Asset
    held: bool
    amount: int


def accounts(campaign: uuid.UUID) -> list[Account]:
    """The accounts of money of a campaign's book that are not empty, where it is first, then whose it is."""
    query = """
        SELECT a.name, a.asset, a.side, sum(b.posted)::bigint * a.side AS amount
        FROM ledger_account a JOIN ledger_asset s ON s.code = a.asset AND s.kind = 'money'
        JOIN ledger_balance b ON b.book = a.book AND b.account = a.id
        WHERE a.book = %(book)s GROUP BY a.name, a.asset, a.side HAVING sum(b.posted) <> 0
        ORDER BY a.side DESC, a.name"""
    return [
        Account(kind, of, asset_of(found["asset"]), found["side"] == 1, found["amount"])
        for found in rows(query, {"book": campaign})
        for kind, _, of in [found["name"].partition(":")]
    ]
