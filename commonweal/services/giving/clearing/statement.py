"""The published statement of a clearing: what was owed, what was struck out, what is left; canonical JSON.

    {"format": "commonweal-clearing/1", "at": "2026-11-25T02:00:00+00:00",
     "banks": {"<id>": {"en": "...", "zh": "..."}},
     "positions": [{"agreement": "...", "debtor": "...", "creditor": "...", "minutes": 90, "free": 90, "struck": 30}]}

Whoever has it recomputes it without database or network: `commonweal giving clearing FILE`.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from commonweal.kernel.errors import Invalid
from commonweal.kernel.proof.verify import canonical
from commonweal.kernel.quantity import MAX_AMOUNT
from commonweal.kernel.text import Text
from commonweal.services.giving.clearing.compression import Position, compress

FORMAT = "commonweal-clearing/1"
LARGEST = 20_000_000
"""Bytes of a file that is read."""


@dataclass(frozen=True, slots=True)
class Statement:
    """A clearing: the positions as they were, and how much of each was struck out."""

    at: datetime
    banks: Mapping[str, Text]
    positions: tuple[Position, ...]
    struck: tuple[int, ...]

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical form, in hexadecimal: it stands in the public log."""
        return hashlib.sha256(write(self)).hexdigest()

    @property
    def owed(self) -> int:
        """Minutes owed before it, by all to all."""
        return sum(position.minutes for position in self.positions)

    def nets(self) -> dict[str, int]:
        """What each bank is owed less what it owes, before and after alike; they sum to zero."""
        nets: Counter[str] = Counter(dict.fromkeys(self.banks, 0))
        for position in self.positions:
            nets[position.creditor] += position.minutes
            nets[position.debtor] -= position.minutes
        return dict(nets)


def make(at: datetime, banks: Mapping[str, Text], positions: Sequence[Position]) -> Statement:
    """The clearing of these positions."""
    ordered = tuple(sorted(positions, key=lambda each: (each.agreement, each.debtor)))
    return Statement(at, dict(banks), ordered, tuple(compress(ordered)))


def wrong(statement: Statement) -> list[int]:
    """The places of the positions at which a statement differs from its recomputation."""
    recomputed = compress(statement.positions)
    return [n for n, (said, found) in enumerate(zip(statement.struck, recomputed, strict=True)) if said != found]


def write(statement: Statement) -> bytes:
    """The canonical bytes."""
    return canonical(
        {
            "format": FORMAT,
            "at": statement.at.isoformat(),
            "banks": {id: {"en": name.en, "zh": name.zh} for id, name in statement.banks.items()},
            "positions": [
                {
                    "agreement": at.agreement,
                    "debtor": at.debtor,
                    "creditor": at.creditor,
                    "minutes": at.minutes,
                    "free": at.free,
                    "struck": struck,
                }
                for at, struck in zip(statement.positions, statement.struck, strict=True)
            ],
        }
    )


def parse(data: bytes) -> Statement:
    """Read a statement. Raises `Invalid` (`clearing.form`) for anything that is none."""
    try:
        if len(data) > LARGEST:
            raise ValueError("it is too long")
        said: Any = json.loads(data)
        if said["format"] != FORMAT or set(said) != {"format", "at", "banks", "positions"}:
            raise ValueError("it has another format")
        banks = {str(id): Text(str(name["en"]), str(name["zh"])) for id, name in said["banks"].items()}
        positions = tuple(_position(each, banks) for each in said["positions"])
        struck = tuple(_whole(each["struck"]) for each in said["positions"])
        keys = {(each.agreement, each.debtor) for each in positions}
        if len(keys) != len(positions):
            raise ValueError("a position stands in it twice")
        return Statement(datetime.fromisoformat(said["at"]), banks, positions, struck)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise Invalid(
            "clearing.form",
            Text("This is no statement of a clearing: {why}.", "这不是清算单：{why}。").format(why=str(error)),
        ) from error


def _position(said: Mapping[str, Any], banks: Mapping[str, Text]) -> Position:
    if said["debtor"] not in banks or said["creditor"] not in banks:
        raise ValueError("a position is of a bank that is not named")
    minutes, free = _whole(said["minutes"]), _whole(said["free"])
    return Position(str(said["agreement"]), said["debtor"], said["creditor"], minutes, free)


def _whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_AMOUNT:
        raise ValueError("a number of minutes is a whole number")
    return value
