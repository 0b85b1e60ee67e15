"""The live streams of the house, mounted by `front`; those of a service are in its own `live.py`."""

from __future__ import annotations

import json

from commonweal.kernel import proof
from commonweal.kernel.live import Event, Feed
from commonweal.kernel.proof.log import Cursor
from commonweal.kernel.proof.note import encode


def checkpoint(cursor: Cursor) -> Event | None:
    """The newest checkpoint of the log."""
    head = proof.head(cursor)
    if head is None:
        return None
    at = head.at.isoformat(timespec="milliseconds")
    return Event(str(head.size), json.dumps({"size": head.size, "root": encode(head.root), "at": at}))


routes = {"/live/checkpoints": Feed("checkpoint", checkpoint)}
