"""Planting together: who has put in what, what is theirs of a tree, and what goes back when a grove ends."""

from __future__ import annotations

import uuid
from collections.abc import Mapping

from commonweal.kernel.errors import Conflict, Invalid
from commonweal.kernel.text import Text

MOST_MEMBERS = 50
GROVES = 10
"""Groves that one person is in at a time."""
LONGEST_NAME = 40


def shares(contributions: Mapping[uuid.UUID, int]) -> dict[uuid.UUID, int]:
    """Per mille of a grove's trees, by what each has put in so far; the rest of rounding stays with nobody."""
    total = sum(contributions.values())
    return {who: grams * 1000 // total if total else 0 for who, grams in contributions.items()}


def divide(left: int, contributions: Mapping[uuid.UUID, int]) -> dict[uuid.UUID, int]:
    """Divide what is left among those who put it in, in proportion, to the gram: largest remainders first.

    Nobody gets back more than they put in, as long as `left` is at most the sum. Equal remainders go by id.
    """
    total = sum(contributions.values())
    if total == 0:
        return dict.fromkeys(contributions, 0)
    parts = {who: left * grams // total for who, grams in contributions.items()}
    rest = left - sum(parts.values())
    in_turn = sorted(contributions, key=lambda who: (-(left * contributions[who] % total), who))
    for who in in_turn[:rest]:
        parts[who] += 1
    return parts


def check_gift(grams: int, held: int) -> int:
    """What somebody wants to put in. Raises `Invalid` (`grove.grams`) or `Conflict` (`energy.short`)."""
    if grams <= 0:
        raise Invalid("grove.grams", Text("Give at least 1 g.", "至少 1 克。"), field="grams")
    if grams > held:
        raise Conflict("energy.short", Text("There is not enough energy yet.", "能量还不够。"), field="grams")
    return grams
