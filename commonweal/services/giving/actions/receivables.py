"""Receivables: a charity pays back what had been spent of gifts before the bank took them back."""

from __future__ import annotations

import uuid

from django.db import connection, transaction

from commonweal.kernel import clock
from commonweal.kernel.errors import NotAllowed
from commonweal.kernel.ledger import Transfer, open_accounts, post, request_hash
from commonweal.kernel.ledger.books import check_key
from commonweal.kernel.parties.models import Party
from commonweal.kernel.proof import Fact, append
from commonweal.kernel.quantity import check_amount
from commonweal.kernel.text import Text
from commonweal.services.giving.actions import books, line
from commonweal.services.giving.queries.campaigns import acts_for, asset_of
from commonweal.services.giving.rules.gifts import COLLECTED


def repay(officer: Party, campaign: uuid.UUID, amount: int, key: str) -> uuid.UUID:
    """A charity pays what it owes for spent gifts that were charged back; returns the transfer.

    Raises `NotAllowed` (`refund.not-yours`), `Invalid` for the amount, `Conflict` (`balance.too-low`) above the debt.
    """
    if not acts_for(officer.id, campaign):
        raise NotAllowed("refund.not-yours", Text("Only the charity itself repays.", "只有该机构可以偿还。"))
    now = clock.now()
    with transaction.atomic(), connection.cursor() as cursor:
        line.lock(cursor, campaign)
        cursor.execute("SELECT asset FROM giving_campaign WHERE id = %s", [campaign])
        asset = str(cursor.fetchone()[0])
        check_amount(amount, asset_of(asset))
        owes = books.receivable(campaign, asset)
        open_accounts(cursor, [owes])
        legs = books.move(books.provider(campaign, asset, COLLECTED), owes, amount)
        request = request_hash("repay", amount)
        transfer = Transfer(campaign, f"repay {check_key(key)}", request, "giving.repayment", legs, now)
        (posted,) = post(cursor, [transfer])
        if not posted.existed:
            fact = Fact("giving.repayment", now, {"campaign": str(campaign), "amount": amount, "asset": asset})
            cursor.execute(
                "INSERT INTO giving_repayment (book, transfer, amount, by_party, fact, at) VALUES (%s,%s,%s,%s,%s,%s)",
                [campaign, posted.id, amount, officer.id, fact.id, now],
            )
            append(cursor, fact)
    return posted.id
