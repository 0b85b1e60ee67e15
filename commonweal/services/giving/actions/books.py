"""The accounts of a campaign's book, and the moves between them.

A gift: debit `provider:<channel>`, credit `received` (no floor, striped: many writers at once). Laying: debit
`received`, credit `fund` (floor 0: nothing that is not there can be spent). A payout: debit `fund`, credit `bank`, then
`provider:collected`; what neither holds is `payable` until the provider settles. A refund: debit `fund`, credit
`provider:<channel>`, pending until the provider has said how it ended; if it bounces later: debit `provider:<channel>`,
credit `owed`; so does what is paid twice, until it goes back. A chargeback: the same for what is there, and debit
`receivable` for what is spent. Fees: debit `fund`, or `borne` if the host bears them, credit `provider:<channel>` or
`host`; a tip: debit `provider:<channel>`, credit `host`. A settlement: debit `bank`, credit `provider:<channel>`; and
debit `payable`, credit `bank` for what has waited. A pool of matching: debit `provider:collected`, credit `pool:<id>`;
a match: debit `pool:<id>`, credit `received`; taken back: debit `fund`, credit `pool:<id>`. A card: debit
`provider:<channel>`, credit `cards`; its use: debit `cards`, and out as a payout, into the book of its campaign as
collected; what comes back of it: debit `payable` for what waits there, then `provider:collected`, credit `cards`.
A card's refund: debit `cards`, credit `provider:<channel>`; its chargeback: the same for what it holds, then for what
comes back of its gifts, and debit `borne` for what had been refunded before; its provider's fee: debit `borne`, credit
`provider:<channel>`. The host's own income: debit `host`, and out as a payout. A published grant: debit
`recipient:<party>`, credit `funder`.
"""

from __future__ import annotations

import functools
import uuid
from collections.abc import Iterable

from django.db import transaction

from commonweal.kernel.ledger import Account, Leg, balance, open_accounts
from commonweal.kernel.proof.log import Cursor
from commonweal.services.giving.rules.fees import cover
from commonweal.services.giving.rules.gifts import COLLECTED, Give
from commonweal.services.giving.rules.trace import Span

DEBIT, CREDIT = 1, -1


WON = "won"
"""The reference of a payment that a won chargeback has made: the host has its share of it already."""


@functools.lru_cache(16_384)
def provider(book: uuid.UUID, asset: str, channel: str) -> Account:
    """Money in the hands of a payment provider, or of the charity itself (`collected`)."""
    return Account(book, f"provider:{channel}", asset, DEBIT)


@functools.lru_cache(16_384)
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
    """What is owed to payers: refunds that came back after they had been done, and what was paid twice."""
    return Account(book, "owed", asset, CREDIT, floor=0)


def host(book: uuid.UUID, asset: str) -> Account:
    """What the host has earned here: its share of gifts, and tips."""
    return Account(book, "host", asset, CREDIT, floor=0)


def borne(book: uuid.UUID, asset: str) -> Account:
    """What the host owes the book: fees that it bears, and what it can not return of a gift that was charged back."""
    return Account(book, "borne", asset, DEBIT, floor=0)


def cards(book: uuid.UUID, asset: str) -> Account:
    """What gift cards hold that were bought here."""
    return Account(book, "cards", asset, CREDIT, floor=0)


def payable(book: uuid.UUID, asset: str) -> Account:
    """What is paid out and leaves the bank when the provider has settled."""
    return Account(book, "payable", asset, CREDIT, floor=0)


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


def debits(*parts: tuple[Account, int]) -> tuple[Leg, ...]:
    """A debit of each account that has a part."""
    return tuple(Leg(account.id, part) for account, part in parts if part)


def credits(*parts: tuple[Account, int]) -> tuple[Leg, ...]:
    """A credit of each account that has a part."""
    return tuple(Leg(account.id, -part) for account, part in parts if part)


def gift(wish: Give) -> tuple[Leg, ...]:
    """The legs of a gift and of the tip beside it."""
    there = provider(wish.campaign, wish.asset, wish.channel)
    to = received(wish.campaign, wish.asset)
    if not wish.tip:
        return move(there, to, wish.amount)
    tip = host(wish.campaign, wish.asset)
    return Leg(there.id, wish.whole), Leg(to.id, -wish.amount), Leg(tip.id, -wish.tip)


_SEEN: set[tuple[uuid.UUID, str]] = set()
"""Accounts that this process has found open; they are never closed."""


def ensure(cursor: Cursor, accounts: Iterable[Account]) -> None:
    """Open what is not open yet: a provider that was configured after a campaign had got its accounts.

    Asked once a process for each, so that it costs a busy door nothing; remembered when the caller has committed.
    """
    unseen = [account for account in accounts if (account.book, account.name) not in _SEEN]
    if not unseen:
        return
    cursor.execute(
        "SELECT book, name FROM ledger_account WHERE (book, id) IN (SELECT * FROM unnest(%s::uuid[], %s::uuid[]))",
        [[account.book for account in unseen], [account.id for account in unseen]],
    )
    found = set(cursor.fetchall())
    transaction.on_commit(lambda: _SEEN.update(found))
    open_accounts(cursor, [account for account in unseen if (account.book, account.name) not in found])


def out(cursor: Cursor, book: uuid.UUID, asset: str, amount: int) -> tuple[Leg, ...]:
    """The credits of money that leaves the charity's own hands: from the bank, from what it has collected itself, and
    the rest when the provider settles. Under the lock of the book's line."""
    there, collected, later = bank(book, asset), provider(book, asset, COLLECTED), payable(book, asset)
    open_accounts(cursor, [there, collected, later])
    found = cover(amount, balance(cursor, there), balance(cursor, collected))
    return credits((there, found.bank), (collected, found.collected), (later, found.payable))


def multirange(spans: Iterable[Span]) -> str:
    """Places of a line as PostgreSQL writes them."""
    return "{" + ",".join(f"[{span.start},{span.end})" for span in spans) + "}"
