"""Signals of fraud, with reasons: which gifts' matches should wait until a steward has looked, and why.

`find(rows)` is pure: rows in, signals out, no database, clock or network. A signal delays a match and opens a case; it
never refuses a gift.
"""

from collections.abc import Sequence

from commonweal.services.giving.signals import bursts, links, refunds
from commonweal.services.giving.signals.bursts import promise
from commonweal.services.giving.signals.rows import Row, read_csv
from commonweal.services.giving.signals.signal import KINDS, Kind, Signal


def find(rows: Sequence[Row]) -> list[Signal]:
    """All signals of some gifts, the strongest first. A gift may be in several."""
    found = [
        *links.one_person(rows),
        *refunds.refund_rings(rows),
        *bursts.same_amounts(rows),
        *bursts.tireless(rows),
        *bursts.card_testing(rows),
        *bursts.promises(rows),
    ]
    return sorted(found, key=lambda signal: (-signal.score, signal.kind, signal.gifts))


__all__ = ["KINDS", "Kind", "Row", "Signal", "find", "promise", "read_csv"]
