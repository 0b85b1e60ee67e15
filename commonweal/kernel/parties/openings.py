"""Opening facts for their holders: what a leaf commits to, for the one person (or organisation) who may know it.

A service says, for a kind of fact, what a party's opening of it would be; whoever's opening really is what the leaf
commits to is its holder. The page of a fact then offers them the receipt with the opening, and everybody else the bare
one.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Any

from commonweal.kernel.parties.models import Party
from commonweal.kernel.proof.note import encode
from commonweal.kernel.proof.verify import seal

Opening = tuple[bytes, dict[str, Any]]
"""The salt and what was sealed with it (`proof.verify.seal`)."""
Opener = Callable[[uuid.UUID, uuid.UUID], Opening | None]
"""`(party, fact) -> opening`: what would open the fact if the party held it; None if it surely does not."""

_openers: dict[str, Opener] = {}


def opener(kind: str) -> Callable[[Opener], Opener]:
    """Register how facts of a kind (`giving.gift`) are opened; in the service's `jobs.py`, which is loaded at start."""

    def register(opens: Opener) -> Opener:
        if kind in _openers:
            raise ValueError(f"facts of the kind {kind} are opened already")
        _openers[kind] = opens
        return opens

    return register


def open_fact(fields: Mapping[str, Any], asker: Party | None) -> Opening | None:
    """What the leaf with these public fields commits to, if the asker holds it."""
    opens = _openers.get(fields["kind"])
    if opens is None or asker is None or "seal" not in fields:
        return None
    opening = opens(asker.id, uuid.UUID(fields["id"]))
    return opening if opening and encode(seal(*opening)) == fields["seal"] else None
