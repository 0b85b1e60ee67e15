"""The stream of what changes on the streets (`/live/access`, the number of the newest change), and files of maps."""

from __future__ import annotations

import json

from commonweal.kernel.live import Event, Feed
from commonweal.kernel.proof.log import Cursor
from commonweal.services.access.downloads import PREFIX, download


def newest(cursor: Cursor) -> Event | None:
    """The newest change: its number, the report and what it came to."""
    cursor.execute("SELECT sequence, report_id, standing FROM access_change ORDER BY sequence DESC LIMIT 1")
    row = cursor.fetchone()
    return (
        Event(str(row[0]), json.dumps({"sequence": row[0], "report": str(row[1]), "standing": row[2]})) if row else None
    )


routes = {"/live/access": Feed("access", newest, interval=0.2), PREFIX: download}
