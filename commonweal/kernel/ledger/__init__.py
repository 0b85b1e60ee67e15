"""The books: double entry in any asset, exact, append-only; `post` is the only writer.

A book is a set of accounts that balance together. A transfer moves amounts between accounts of one book and sums to
zero in every asset. It is posted at once, or pending until it is posted or voided (or its time is over).
"""

from commonweal.kernel.ledger import stripe
from commonweal.kernel.ledger.books import (
    Account,
    Difference,
    KeyReused,
    Leg,
    Overdrawn,
    Posted,
    Transfer,
    audit,
    balance,
    check_key,
    expired,
    find,
    open_accounts,
    open_assets,
    post,
    post_each,
    request_hash,
    resolve,
    resolve_each,
)

__all__ = [
    "Account",
    "Difference",
    "KeyReused",
    "Leg",
    "Overdrawn",
    "Posted",
    "Transfer",
    "audit",
    "balance",
    "check_key",
    "expired",
    "find",
    "open_accounts",
    "open_assets",
    "post",
    "post_each",
    "request_hash",
    "resolve",
    "resolve_each",
    "stripe",
]
