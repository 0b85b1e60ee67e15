"""Receivables: a charity pays back what had been spent of gifts before the bank took them back."""

from __future__ import annotations

import uuid

from django.db import connection, transaction

from commonweal.kernel import clock
from commonweal.kernel.errors import Conflict, NotAllowed
from commonweal.kernel.ledger import Overdrawn, Transfer, open_accounts, post, request_hash
from commonweal.kernel.ledger.books import check_key
from commonweal.kernel.parties.models import Party
from commonweal.kernel.proof import Fact, append
from commonweal.kernel.proof.log import Cursor
from commonweal.kernel.quantity import check_amount, format_amount
from commonweal.kernel.text import Text
from commonweal.services.giving.actions import books, line
from commonweal.services.giving.queries import returns as queries
from commonweal.services.giving.queries.campaigns import acts_for, asset_of, card
from commonweal.services.giving.rules.gifts import COLLECTED


def repay(officer: Party, campaign: uuid.UUID, amount: int, key: str) -> uuid.UUID:
    """A charity pays what it owes for spent gifts that were charged back; returns the transfer.

    Raises `NotAllowed` (`refund.not-yours`), `Invalid` for the amount, `Conflict` (`refund.above-debt`).
    """
    if not acts_for(officer.id, campaign):
        raise NotAllowed("refund.not-yours", Text("Only the charity itself repays.", "只有该机构可以偿还。"))
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            return _enter(cursor, officer, campaign, amount, check_key(key))
    except Overdrawn as error:
        owed = format_amount(queries.receivable(campaign), card(campaign).asset)
        raise Conflict(
            "refund.above-debt",
            Text("Still owed: {owed}. Enter at most that.", "尚欠 {owed}，登记金额不能超过此数。").format(owed=owed),
            field="amount",
        ) from error


def _enter(cursor: Cursor, officer: Party, campaign: uuid.UUID, amount: int, key: str) -> uuid.UUID:
    now = clock.now()
    line.lock(cursor, campaign)
    cursor.execute("SELECT asset FROM giving_campaign WHERE id = %s", [campaign])
    asset = str(cursor.fetchone()[0])
    check_amount(amount, asset_of(asset))
    owes = books.receivable(campaign, asset)
    open_accounts(cursor, [owes])
    legs = books.move(books.provider(campaign, asset, COLLECTED), owes, amount)
    transfer = Transfer(campaign, f"repay {key}", request_hash("repay", amount), "giving.repayment", legs, now)
    (posted,) = post(cursor, [transfer])
    if not posted.existed:
        fact = Fact("giving.repayment", now, {"campaign": str(campaign), "amount": amount, "asset": asset})
        cursor.execute(
            "INSERT INTO giving_repayment (book, transfer, amount, by_party, fact, at) VALUES (%s,%s,%s,%s,%s,%s)",
            [campaign, posted.id, amount, officer.id, fact.id, now],
        )
        append(cursor, fact)
    return posted.id
