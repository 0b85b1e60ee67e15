"""The accounts of a campaign's book, and the moves between them.

A gift: debit `provider:<channel>`, credit `received` (no floor, striped: many writers at once). Laying: debit
`received`, credit `fund` (floor 0: nothing that is not there can be spent). A payout: debit `fund`, credit `bank`.
A refund: debit `fund`, credit `provider:<channel>`, pending until the provider has said how it ended; if it bounces
later: debit `provider:<channel>`, credit `owed`. A chargeback: the same for what is there, and debit `receivable` for
what is spent. A pool of matching: debit `provider:collected`, credit `pool:<id>`; a match: debit `pool:<id>`, credit
`received`; taken back: debit `fund`, credit `pool:<id>`. A published grant: debit `recipient:<party>`, credit `funder`.
"""

from __future__ import annotations

import uuid

from commonweal.kernel.ledger import Account, Leg

DEBIT, CREDIT = 1, -1


def provider(book: uuid.UUID, asset: str, channel: str) -> Account:
    """Money in the hands of a payment provider, or of the charity itself (`collected`)."""
    return Account(book, f"provider:{channel}", asset, DEBIT)


def received(book: uuid.UUID, asset: str) -> Account:
    """Gifts that have no place on the fund's line yet."""
    return Account(book, "received", asset, CREDIT)


def fund(book: uuid.UUID, asset: str) -> Account:
    """Gifts that are laid and not spent."""
    return Account(book, "fund", asset, CREDIT, floor=0)


def bank(book: uuid.UUID, asset: str) -> Account:
    """Money in the bank: payouts leave from here."""
    return Account(book, "bank", asset, DEBIT)


def receivable(book: uuid.UUID, asset: str) -> Account:
    """What the charity owes for gifts that were charged back after they had been spent."""
    return Account(book, "receivable", asset, DEBIT, floor=0)


def owed(book: uuid.UUID, asset: str) -> Account:
    """Refunds that came back after they had been done: they are still owed to their givers."""
    return Account(book, "owed", asset, CREDIT, floor=0)


def pool(book: uuid.UUID, asset: str, id: uuid.UUID) -> Account:
    """What a company has put in for matching and nobody has reserved."""
    return Account(book, f"pool:{id}", asset, CREDIT, floor=0)


def funder(book: uuid.UUID, asset: str) -> Account:
    """What a funder has granted out of a programme."""
    return Account(book, "funder", asset, CREDIT)


def recipient(book: uuid.UUID, asset: str, party: uuid.UUID) -> Account:
    """What an organisation has been granted out of a programme."""
    return Account(book, f"recipient:{party}", asset, DEBIT)


def move(debit: Account, credit: Account, amount: int) -> tuple[Leg, Leg]:
    """The two legs of a simple transfer."""
    return Leg(debit.id, amount), Leg(credit.id, -amount)
