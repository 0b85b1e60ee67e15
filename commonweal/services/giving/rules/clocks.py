"""When a charity is reminded: before a report is due, when giving stops, and 30, 90 and 365 days after a payout."""

from __future__ import annotations

from datetime import datetime, timedelta

from commonweal.kernel.text import Text

AHEAD = (30, 7, 1, 0)
"""Days before a report is due on which its charity is warned; at 0 giving has stopped."""
USE_AFTER = (30, 90, 365)
"""Days after a payout when its charity is asked whether what was bought is in use."""


def warning(due: datetime, now: datetime) -> int | None:
    """The nearest of the days of `AHEAD` that has come, None before the first."""
    return min((days for days in AHEAD if due - timedelta(days=days) <= now), default=None)


def warned(days: int) -> Text:
    """What the charity reads."""
    if days == 0:
        return Text("Report overdue: giving has stopped", "报告逾期：募捐已停止")
    return Text("A public report is due in {days} {days:day|days} or less", "公开报告须在 {days} 天内公布").format(
        days=str(days)
    )
