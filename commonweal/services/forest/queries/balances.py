"""Where all grams are, now and at the balances that were kept."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import connection

from commonweal.kernel.sql import row, rows
from commonweal.services.forest import energy
from commonweal.services.forest.energy.books import NAMES
from commonweal.services.forest.energy.conserve import MOVES

PLACES = {
    "minted": "minted",
    "bubbles": "waiting",
    "held": "held",
    "planted": "spent",
    "expired": "expired",
    "transit": "transit",
}
"""What the accounts are called in a balance."""

# One statement is one snapshot: whatever is going on, all of this is of one moment.
SNAPSHOT = """
SELECT (SELECT json_agg(json_build_array(account, total)) FROM (
            SELECT account, sum(posted)::bigint AS total FROM ledger_balance
            WHERE account = ANY(%(accounts)s) GROUP BY account) books) AS books,
       (SELECT json_agg(json_build_array(shard, kind, total)) FROM (
            SELECT shard, kind, sum(grams)::bigint AS total FROM forest_moved GROUP BY shard, kind) moving) AS moving,
       (SELECT coalesce(sum(left_g), 0)::bigint FROM forest_bubble) AS waiting,
       (SELECT coalesce(sum(grams), 0)::bigint FROM forest_holding) AS held,
       (SELECT coalesce(sum(grams), 0)::bigint FROM forest_certificate) AS spent,
       (SELECT json_agg(json_build_array(shard, kind, total)) FROM (
            SELECT shard, kind, sum(grams)::bigint AS total FROM forest_flow GROUP BY shard, kind) flow) AS flows,
       (SELECT json_object_agg(day, total) FROM (
            SELECT day, sum(grams)::bigint AS total FROM forest_flow WHERE kind = 'minted'
            GROUP BY day ORDER BY day DESC LIMIT 14) minted) AS minted_by_day
"""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All grams at one moment: by book and place; all movements so far, by book and kind; and counted one by one.

    `minted_by_day` has the last two weeks.
    """

    books: dict[int, dict[str, int]]
    flows: dict[tuple[int, str], int]
    counted: dict[str, int]
    minted_by_day: dict[str, int]

    @property
    def total(self) -> dict[str, int]:
        """By place, over all books."""
        return {place: sum(book[place] for book in self.books.values()) for place in PLACES.values()}


def snapshot() -> Snapshot:
    """Count everything. What has moved and is not in the books yet is reckoned into them."""
    names = {
        str(account.id): (shard, name)
        for shard in range(energy.SHARDS)
        for name, account in energy.accounts(shard).items()
    }
    with connection.cursor() as cursor:
        cursor.execute(SNAPSHOT, {"accounts": [uuid.UUID(id) for id in names]})
        accounts, moving, waiting, held, spent, flowed, minted = cursor.fetchone()
    books = {shard: dict.fromkeys(PLACES.values(), 0) for shard in range(energy.SHARDS)}
    for account, posted in _json(accounts) or ():
        shard, name = names[account]
        books[shard][PLACES[name]] += posted * NAMES[name]
    flows = {(shard, kind): grams for shard, kind, grams in _json(flowed) or ()}
    for shard, kind, grams in _json(moving) or ():
        flows[shard, kind] = flows.get((shard, kind), 0) + grams
        source, target = MOVES[kind]
        books[shard][PLACES[source]] -= grams
        books[shard][PLACES[target]] += grams
    return Snapshot(books, flows, {"waiting": waiting, "held": held, "spent": spent}, _json(minted) or {})


def _json(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


@dataclass(frozen=True, slots=True)
class Balance:
    """A balance as it was kept."""

    nth: int
    at: datetime
    document: dict[str, Any]
    digest: bytes
    fact: uuid.UUID


BALANCE = "SELECT nth, at, document, digest, fact FROM forest_balance"


def _balance(found: dict[str, Any]) -> Balance:
    document = json.loads(found["document"])
    return Balance(found["nth"], found["at"], document, bytes(found["digest"]), found["fact"])


def newest() -> Balance | None:
    """The newest balance, if there is one."""
    found = row(f"{BALANCE} ORDER BY nth DESC LIMIT 1")
    return _balance(found) if found else None


def latest(limit: int) -> list[Balance]:
    """The newest ones, newest first."""
    return [_balance(found) for found in rows(f"{BALANCE} ORDER BY nth DESC LIMIT %(limit)s", {"limit": limit})]


def documents() -> Iterator[str]:
    """Every balance from the first on, as it was kept."""
    for found in rows("SELECT document FROM forest_balance ORDER BY nth"):
        yield found["document"]


def to_expire() -> list[date]:
    """The days whose bubbles are still there, oldest first."""
    query = """
    SELECT to_date(right(inhrelid::regclass::text, 8), 'YYYYMMDD') AS day
    FROM pg_inherits WHERE inhparent = 'forest_bubble'::regclass ORDER BY 1
    """
    return [found["day"] for found in rows(query)]


def kinds() -> dict[int, str]:
    """The names of kinds."""
    return {found["id"]: found["key"] for found in rows("SELECT id, key FROM forest_kind")}


def seeds() -> dict[str, bytes]:
    """The seeds of draws by day, of the days not long past."""
    query = "SELECT day, seed FROM forest_draw_seed ORDER BY day DESC LIMIT 14"
    return {str(found["day"]): bytes(found["seed"]) for found in rows(query)}
