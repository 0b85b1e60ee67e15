"""The books in sum: what each asset amounts to, kind of account by kind of account."""

from __future__ import annotations

from dataclasses import dataclass

from commonweal.kernel.proof.log import Cursor


@dataclass(frozen=True, slots=True)
class Total:
    """All accounts of one kind in one asset. `amount` is in smallest units, debit positive.

    The kind is the account's name up to the first colon (`clearing:simulator` is a `clearing`). Over all kinds of an
    asset the amounts are zero: what is here came from there.
    """

    asset: str
    kind: str
    accounts: int
    amount: int


def totals(cursor: Cursor) -> list[Total]:
    """The posted balances of all books, summed, by asset and kind."""
    cursor.execute(
        """
        SELECT a.asset, split_part(a.name, ':', 1) AS kind, count(DISTINCT (a.book, a.id)), sum(b.posted)::numeric
        FROM ledger_account a JOIN ledger_balance b ON b.book = a.book AND b.account = a.id
        GROUP BY a.asset, kind ORDER BY a.asset, kind
        """
    )
    return [Total(asset, kind, accounts, int(amount)) for asset, kind, accounts, amount in cursor.fetchall()]


def transfers(cursor: Cursor) -> int:
    """How many transfers have been posted."""
    cursor.execute("SELECT count(*) FROM ledger_transfer WHERE phase IN ('posted', 'post')")
    return int(cursor.fetchone()[0])
