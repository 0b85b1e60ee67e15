"""What somebody holds and can spend."""

from __future__ import annotations

import uuid

from commonweal.kernel.sql import row


def held(owner: uuid.UUID) -> int:
    """Grams in hand, of a person or a grove."""
    found = row("SELECT grams FROM forest_holding WHERE owner = %(owner)s", {"owner": owner})
    return found["grams"] if found else 0
