"""The public log as its pages and its API show it."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection

from commonweal.kernel import clock, proof
from commonweal.kernel.errors import Busy, NotFound
from commonweal.kernel.ids import derived
from commonweal.kernel.ledger.totals import Total, totals, transfers
from commonweal.kernel.parties.models import Party
from commonweal.kernel.parties.openings import open_fact
from commonweal.kernel.proof import tree
from commonweal.kernel.proof.log import Cursor, Head
from commonweal.kernel.quantity import format_amount
from commonweal.kernel.registry import FactKind, assets, services
from commonweal.kernel.text import Text

KERNEL_KINDS = (
    FactKind("ledger.totals", Text("The sum of all books, each hour", "每小时的全部账簿合计")),
    FactKind("parties.credential", Text("A credential was verified or revoked", "一项资质通过核验或被撤销")),
    FactKind("parties.read", Text("A steward looked at what is personal", "审核员查看了个人信息")),
    FactKind("parties.forgotten", Text("A person was forgotten at their wish", "应本人要求清除了个人资料")),
)
"""What the house itself writes into the log."""

STATED_EVERY = timedelta(hours=1)
_TOTALS = uuid.UUID("5d2c1d0e-6f5c-5b0e-9c59-6f0c1c3f7a10")  # the namespace of the hourly facts
_LOOK_BACK = 48


@dataclass(frozen=True)
class Shown:
    """A fact: its public fields, its bytes, and its place (None while it waits for it)."""

    id: uuid.UUID
    fields: dict[str, Any]
    entry: bytes
    index: int | None

    @property
    def kind(self) -> str:
        """What sort of thing happened."""
        return str(self.fields["kind"])

    @property
    def at(self) -> datetime:
        """When it happened."""
        return datetime.fromtimestamp(self.fields["at"] / 1000, UTC)

    @property
    def leaf(self) -> bytes:
        """The hash of its leaf."""
        return tree.leaf_hash(self.entry)


def kinds() -> list[FactKind]:
    """Every kind of fact that is written here."""
    return [*KERNEL_KINDS, *(kind for service in services() for kind in service.fact_kinds)]


def find(cursor: Cursor, fact: uuid.UUID) -> Shown:
    """A fact by its id. Raises `NotFound`."""
    found = proof.placed(cursor, fact)
    if found is None:
        raise NotFound("fact.unknown", Text("There is no such fact in the log.", "公开日志中没有这条记录。"))
    return Shown(fact, json.loads(found.entry), found.entry, found.index)


def receipt(cursor: Cursor, fact: Shown, asker: Party | None) -> proof.Receipt:
    """The receipt of a fact, with its opening if the asker holds it. Raises `Busy` while it waits for its place."""
    made = proof.receipt_of(cursor, fact.id, verifier(), open_fact(fact.fields, asker))
    if made is None:
        raise Busy(
            "fact.waiting",
            Text(
                "This fact gets its place in the log within a second or two. Try again.",
                "这条记录将在一两秒内写入公开日志，请稍后再试。",
            ),
            retry_after=1,
        )
    return made


def newest(cursor: Cursor) -> Head:
    """The newest checkpoint. Raises `Busy` while the log is empty."""
    head: Head | None = proof.head(cursor)
    if head is None:
        raise Busy("log.empty", Text("Nothing is in the log yet.", "公开日志中暂无内容。"), retry_after=1)
    return head


def latest_checkpoints(cursor: Cursor, limit: int = 10) -> list[Head]:
    """The newest checkpoints, newest first."""
    cursor.execute("SELECT size, root, note, at FROM proof_head ORDER BY size DESC LIMIT %s", [limit])
    return [Head(size, bytes(root), note, at) for size, root, note, at in cursor.fetchall()]


def verifier() -> proof.VerifierKey:
    """The log's public key. Raises `Busy` before the clerk's first start."""
    key = proof.load_verifier(settings.HOME)
    if key is None:
        raise Busy("log.no-key", Text("The log has not begun yet.", "公开日志尚未启用。"), retry_after=5)
    return key


def waiting(cursor: Cursor) -> int:
    """How many facts wait for their place."""
    cursor.execute("SELECT count(*) FROM proof_staged")
    return int(cursor.fetchone()[0])


def title_of(total: Total) -> Text | None:
    """What a kind of account is called, if its service says so."""
    titles = (service.account_kinds.get(total.kind) for service in services())
    return next((title for title in titles if title), None)


def written(total: Total) -> str:
    """A total as a decimal string."""
    asset = assets().get(total.asset)
    return format_amount(total.amount, asset, grouped=False) if asset else str(total.amount)


def _slot(moment: datetime) -> uuid.UUID:
    hour = moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    return derived(_TOTALS, hour.isoformat())


def state_totals() -> bool:
    """Write the sum of all books into the log, once an hour; returns whether it was still to be done."""
    now = clock.now()
    with connection.cursor() as cursor:
        if proof.placed(cursor, _slot(now)):
            return False
        sums: dict[str, dict[str, str]] = {}
        for total in totals(cursor):
            sums.setdefault(total.asset, {})[total.kind] = written(total)
        fields = {"totals": sums, "transfers": transfers(cursor)}
        proof.append(cursor, proof.Fact("ledger.totals", now, fields, id=_slot(now)))
    return True


def stated_totals(cursor: Cursor) -> Shown | None:
    """The newest sum that stands in the log."""
    now = clock.now()
    slots = [_slot(now - STATED_EVERY * hours) for hours in range(_LOOK_BACK)]
    cursor.execute("SELECT id, entry, seq FROM proof_leaf WHERE id = ANY(%s) ORDER BY seq DESC LIMIT 1", [slots])
    row = cursor.fetchone()
    return Shown(row[0], json.loads(bytes(row[1])), bytes(row[1]), row[2]) if row else None
