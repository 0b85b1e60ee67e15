"""Energy in the database: taking deeds in, gathering, expiry, and the proof that no gram was made or lost.

Every function works in the transaction of the cursor that it is given.
"""

from commonweal.services.forest.energy.books import SHARDS, accounts, book_of, open_shards, shard_of
from commonweal.services.forest.energy.conserve import Conserved, balance, reconcile, settle
from commonweal.services.forest.energy.expire import Expired, expire
from commonweal.services.forest.energy.gather import collect, give, harvest
from commonweal.services.forest.energy.intake import Deed, Taken, take_in

__all__ = [
    "SHARDS",
    "Conserved",
    "Deed",
    "Expired",
    "Taken",
    "accounts",
    "balance",
    "book_of",
    "collect",
    "expire",
    "give",
    "harvest",
    "open_shards",
    "reconcile",
    "settle",
    "shard_of",
    "take_in",
]
