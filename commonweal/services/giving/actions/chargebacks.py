"""Chargebacks of gifts: lost, and perhaps won again. In the caller's transaction."""

from __future__ import annotations

import uuid
from datetime import datetime

from commonweal.kernel.ids import uuid7
from commonweal.kernel.ledger import Transfer, balance, open_accounts, post, request_hash
from commonweal.kernel.parties import cipher
from commonweal.kernel.proof import Fact, append
from commonweal.kernel.proof.log import Cursor
from commonweal.kernel.proof.verify import seal
from commonweal.services.giving.actions import books, holes, marks, rematches
from commonweal.services.giving.actions.openings import opening
from commonweal.services.giving.actions.returns import GIFTS
from commonweal.services.giving.queries import returns as queries
from commonweal.services.giving.rules import fees
from commonweal.services.giving.rules import returns as rules
from commonweal.services.giving.rules.fees import Payee
from commonweal.services.giving.rules.gifts import COLLECTED
from commonweal.services.giving.rules.returns import Cause, End


def charge_back(
    cursor: Cursor, campaign: uuid.UUID, gift: uuid.UUID, amount: int, reference: str, now: datetime
) -> uuid.UUID:
    """The bank has taken the money back. What is there of the gift goes; what is spent is owed by the charity.

    Returns the return.
    """
    paid = holes.paid(cursor, campaign, gift)
    asset = paid.asset
    GIFTS.let_go(cursor, campaign, gift, now)
    earlier = queries.gone(queries.of_gift(campaign, gift), charged_back=True)
    shares = fees.shares(paid.parts, earlier, amount)
    spans, receivable = rules.chargeback(holes.there(cursor, paid), shares[Payee.CAMPAIGN])
    receivable += shares[Payee.PROCESSOR]  # the provider keeps its fee; the charity bears it
    earned, borne, owes = books.host(campaign, asset), books.borne(campaign, asset), books.receivable(campaign, asset)
    host = shares[Payee.HOST] + shares[Payee.TIP]
    open_accounts(cursor, [owes, *((earned, borne) if host else ())])
    there = min(host, balance(cursor, earned)) if host else 0
    if paid.channel == COLLECTED:  # made with a card: it goes to the book of the card
        legs = books.out(cursor, campaign, asset, amount)
    else:
        legs = books.credits((books.provider(campaign, asset, paid.channel), amount))
    legs += books.debits(
        (books.fund(campaign, asset), sum(map(len, spans))), (owes, receivable), (earned, there), (borne, host - there)
    )
    id = GIFTS.chargeback_id(campaign, reference)
    hole = holes.Hole(id, Cause.CHARGEBACK, amount, legs, spans, shares, receivable=receivable, reference=reference)
    holes.keep(cursor, paid, hole, now)
    GIFTS.end(cursor, campaign, id, End.DONE, now)
    return id


def win(
    cursor: Cursor, campaign: uuid.UUID, gift: uuid.UUID, reference: str, now: datetime
) -> tuple[uuid.UUID, int] | None:
    """The money is back. What was spent is owed no longer; what a charity has repaid of it goes to the charity; each
    other party has its part again; and what the fund had lost is a payment of the same giver, at a place of its own,
    since the places of the first one are gone for good. Matches that were taken back stand again (`rematches`).

    Returns that payment's gift and amount, None if nothing of the fund had been lost.
    """
    paid = holes.paid(cursor, campaign, gift)
    lost = queries.one(campaign, GIFTS.chargeback_id(campaign, reference))
    asset, host = paid.asset, lost.host + lost.tip
    fund = lost.amount - lost.receivable - host
    owes, earned, borne = books.receivable(campaign, asset), books.host(campaign, asset), books.borne(campaign, asset)
    open_accounts(cursor, [owes, earned, borne])
    open_debt, open_borne = min(lost.receivable, balance(cursor, owes)), min(host, balance(cursor, borne))
    legs = books.debits((books.provider(campaign, asset, paid.channel), lost.amount))
    legs += books.credits(
        (books.received(campaign, asset), fund), (owes, open_debt), (borne, open_borne), (earned, host - open_borne)
    )
    if lost.receivable > open_debt:
        legs += books.out(cursor, campaign, asset, lost.receivable - open_debt)
    transfer = Transfer(campaign, f"won {lost.id}", request_hash("won", str(lost.id)), "giving.won", legs, now)
    post(cursor, [transfer])
    if fund:
        _keep_again(cursor, lost, transfer.id, fund, now)
    GIFTS.end(cursor, campaign, lost.id, End.WON, now)
    rematches.restore(cursor, campaign, gift, lost.id, transfer.id if fund else None, now)
    return (transfer.id, fund) if fund else None


def _keep_again(cursor: Cursor, lost: queries.GiftReturn, again: uuid.UUID, amount: int, now: datetime) -> None:
    """What is in the fund again is a gift of the same giver and team, made when the first one was."""
    campaign, id = lost.campaign, uuid7()
    sealed = seal(*opening(lost.giver, id)) if lost.giver and not _is_forgotten(lost.giver) else None
    fields = {"campaign": str(campaign), "gift": str(again), "amount": amount, "asset": lost.asset.code}
    fact = Fact("giving.gift", now, fields, sealed, id)
    cursor.execute(
        """
        WITH gift AS (
            INSERT INTO giving_gift (book, id, giver, amount, channel, at)
            SELECT book, %(id)s, giver, %(amount)s, channel, at FROM giving_gift
            WHERE book = %(book)s AND id = %(gift)s
        )
        INSERT INTO giving_payment (book, gift, amount, transfer, fact, reference, at)
        VALUES (%(book)s, %(id)s, %(amount)s, %(id)s, %(fact)s, %(won)s, %(now)s)
        """,
        {"book": campaign, "id": again, "gift": lost.gift, "won": books.WON, "amount": amount, "fact": fact.id,
         "now": now},
    )  # fmt: skip
    cursor.execute(
        "INSERT INTO giving_team_gift SELECT book, %s, team FROM giving_team_gift WHERE book = %s AND gift = %s",
        [again, campaign, lost.gift],
    )
    marks.copy(cursor, campaign, lost.gift, again)
    append(cursor, fact)


def _is_forgotten(giver: uuid.UUID) -> bool:
    """Whether nothing can be sealed for a giver any more."""
    try:
        cipher.key_of(giver)
    except cipher.Forgotten:
        return True
    return False
