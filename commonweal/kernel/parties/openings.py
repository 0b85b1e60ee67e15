"""Opening facts for their holders: what a leaf commits to, for the one person (or organisation) who may know it.

A service says, for a kind of fact, how it is opened; the page of a fact then offers the receipt with its opening to its
holder, and the bare one to everybody else.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from commonweal.kernel.parties.models import Party

Opening = tuple[bytes, dict[str, Any]]
"""The salt and what was sealed with it (`proof.verify.seal`)."""
Opener = Callable[[Party, uuid.UUID], Opening | None]
"""`(asker, fact) -> opening`, or None if the asker does not hold this fact."""

_openers: dict[str, Opener] = {}


def opener(kind: str) -> Callable[[Opener], Opener]:
    """Register how facts of a kind (`giving.gift`) are opened; in the service's `jobs.py`, which is loaded at start."""

    def register(opens: Opener) -> Opener:
        if kind in _openers:
            raise ValueError(f"facts of the kind {kind} are opened already")
        _openers[kind] = opens
        return opens

    return register


def open_fact(kind: str, asker: Party | None, fact: uuid.UUID) -> Opening | None:
    """What a fact commits to, if the asker is its holder."""
    opens = _openers.get(kind)
    return opens(asker, fact) if opens and asker else None
