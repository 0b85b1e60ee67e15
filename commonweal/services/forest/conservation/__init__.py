"""Checking, from public files alone, that no gram of energy was made or lost.

Nothing here knows the platform's ledger or database: a stranger needs this package, the balances and, for the whole
check, the exported log.
"""

from commonweal.services.forest.conservation.checking import Checked, Fault, check, check_opening, digest

__all__ = ["Checked", "Fault", "check", "check_opening", "digest"]
