"""A charity thanks everyone who gave to a campaign, in one text: each of them once, and not every day."""

from __future__ import annotations

from datetime import datetime, timedelta

from commonweal.kernel.errors import Conflict
from commonweal.kernel.text import Text

LONGEST = 1_000
"""Characters of the text."""
EVERY = timedelta(days=30)
"""A campaign's givers are thanked at most so often."""


def check(last: datetime | None, now: datetime) -> None:
    """Whether they can be thanked again. Raises `Conflict` (`thanks.recent`)."""
    if last is not None and now < last + EVERY:
        raise Conflict(
            "thanks.recent",
            Text("They have been thanked within the last {days} days.", "最近 {days} 天内已经感谢过。").format(
                days=EVERY.days
            ),
        )
