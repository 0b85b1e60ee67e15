"""What banks owe one another, and the clearings that have been."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from commonweal.kernel.errors import NotFound
from commonweal.kernel.sql import row, rows
from commonweal.kernel.text import Text
from commonweal.services.giving.clearing import Position, Statement, parse

POSITIONS = """
    SELECT a.id, a.one, a.other, coalesce(o.posted, 0)::bigint AS one_posted,
           coalesce(o.posted - o.pending_credit, 0)::bigint + a.most AS one_room,
           coalesce(t.posted - t.pending_credit, 0)::bigint + a.most AS other_room
    FROM giving_alliance a
    LEFT JOIN ledger_account lo ON lo.book = a.one AND lo.name = 'ally:' || a.id
    LEFT JOIN ledger_balance o ON o.book = lo.book AND o.account = lo.id
    LEFT JOIN ledger_account lt ON lt.book = a.other AND lt.name = 'ally:' || a.id
    LEFT JOIN ledger_balance t ON t.book = lt.book AND t.account = lt.id
    ORDER BY a.id"""


def positions() -> list[Position]:
    """What is owed under every alliance, open or ended."""
    found = []
    for each in rows(POSITIONS, {}):
        owed = each["one_posted"]  # by `other` to `one` if positive
        if not owed:
            continue
        debtor, creditor, room = (
            (each["other"], each["one"], each["one_room"])
            if owed > 0
            else (each["one"], each["other"], each["other_room"])
        )
        minutes = abs(owed)
        found.append(Position(str(each["id"]), str(debtor), str(creditor), minutes, max(0, min(minutes, room))))
    return found


MIRRORED = """
    SELECT a.id FROM giving_alliance a
    JOIN ledger_account lo ON lo.book = a.one AND lo.name = 'ally:' || a.id
    LEFT JOIN ledger_balance o ON o.book = lo.book AND o.account = lo.id
    LEFT JOIN ledger_account lt ON lt.book = a.other AND lt.name = 'ally:' || a.id
    LEFT JOIN ledger_balance t ON t.book = lt.book AND t.account = lt.id
    WHERE coalesce(o.posted, 0) + coalesce(t.posted, 0) <> 0"""


def uneven() -> list[uuid.UUID]:
    """Alliances whose two sides do not say the same: there are none."""
    return [each["id"] for each in rows(MIRRORED, {})]


@dataclass(frozen=True, slots=True)
class Clearing:
    """A clearing that has been."""

    id: uuid.UUID
    number: int
    struck: int
    fact: uuid.UUID
    at: datetime
    statement: bytes

    @property
    def told(self) -> Statement:
        """What its statement says."""
        return parse(self.statement)


CLEARING = "SELECT id, number, struck, fact, at, statement FROM giving_clearing"


def clearings(limit: int = 100) -> list[Clearing]:
    """The newest first."""
    query = f"{CLEARING} ORDER BY number DESC LIMIT %(limit)s"
    return [Clearing(**{**found, "statement": found["statement"].encode()}) for found in rows(query, {"limit": limit})]


def clearing(id: uuid.UUID) -> Clearing:
    """One clearing. Raises `NotFound` (`clearing.unknown`)."""
    found = row(f"{CLEARING} WHERE id = %(id)s", {"id": id})
    if found is None:
        raise NotFound("clearing.unknown", Text("There is no such clearing.", "没有这次清算。"))
    return Clearing(**{**found, "statement": found["statement"].encode()})
