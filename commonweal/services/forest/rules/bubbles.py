"""Energy in bubbles: when it is ripe, when it is gone, and who may gather how much of it.

Ripeness and expiry are read off the clock; nothing is ever set. A bubble is one person's energy of one kind on one
day of recording, so a day's end closes its bubbles: what arrives later is energy of the later day, never an edit.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Literal

from commonweal.kernel.errors import Conflict, Invalid, NotAllowed
from commonweal.kernel.text import Text

HOUR = timedelta(hours=1)
RIPENS_AFTER = 24 * HOUR
LASTS = 72 * HOUR
"""From ripeness to the end; the same rhythm as the largest programme of this kind (259,200,000 ms)."""

ZONE = timezone(timedelta(hours=8), "Asia/Shanghai")
"""Days are days in China: one zone, no summer time since 1991."""

DRAW = timedelta(seconds=1)
"""Those who ask within this time after ripeness are equal: the order is drawn, so that no alarm clock wins."""

OWNERS_PERCENT = 60
"""The share of every bubble that stays with its owner, at least."""
FRIEND_PERCENT = 10
"""The share of one bubble that one friend may gather, at most."""
FRIEND_LEAST = 1
"""Grams that a friend may gather even from a small bubble, while the owner's share allows it."""
FRIEND_DAY_LIMIT = 200
"""Grams that one person may gather from others in one day."""
WATERINGS = (5, 10, 18, 33, 66)
"""Grams that can be given to a friend at once."""
WATERINGS_A_DAY = 3

State = Literal["growing", "ripe", "gone"]


@dataclass(frozen=True, slots=True)
class Bubble:
    """`grams` as earned, `left` as not yet gathered; `ripe_at` is a moment in UTC."""

    owner: str
    kind: str
    day: date
    grams: int
    left: int
    ripe_at: datetime

    @property
    def gone_at(self) -> datetime:
        """The moment from which nothing can be gathered any more."""
        return self.ripe_at + LASTS

    def state(self, at: datetime) -> State:
        """What the bubble is at that moment: `ripe_at <= at < gone_at` is ripe."""
        if at < self.ripe_at:
            return "growing"
        return "ripe" if at < self.gone_at else "gone"

    @property
    def floor(self) -> int:
        """Grams that only the owner may gather."""
        return -(-self.grams * OWNERS_PERCENT // 100)


@dataclass(frozen=True, slots=True)
class Garden:
    """How an owner's energy may be gathered by others."""

    open_to_friends: bool = True
    child: bool = False
    shielded_until: datetime | None = None

    def lets_in(self, at: datetime) -> bool:
        """Whether friends may gather here now: never from a child, not behind a shield, not where it is turned off."""
        shielded = self.shielded_until is not None and at < self.shielded_until
        return self.open_to_friends and not self.child and not shielded


def day_of(at: datetime) -> date:
    """The day on which something happens, in China. Raises `ValueError` for a moment without a zone."""
    if at.tzinfo is None:
        raise ValueError("a moment needs a time zone")
    return at.astimezone(ZONE).date()


def begins(happened: datetime, recorded: datetime) -> datetime:
    """The moment from which a deed's bubble grows: when it happened, or, a day late, when it was recorded."""
    return happened if day_of(happened) == day_of(recorded) else recorded


def merge(earlier: Bubble, grams: int, begun: datetime) -> Bubble:
    """The day's bubble with one more deed in it. It cannot be ripe yet: its day is not over."""
    return Bubble(
        earlier.owner,
        earlier.kind,
        earlier.day,
        earlier.grams + grams,
        earlier.left + grams,
        max(earlier.ripe_at, begun + RIPENS_AFTER),
    )


def droppable_from(day: date) -> datetime:
    """The moment from which every bubble of `day` is gone, so that the day's partition can be dropped whole."""
    after = datetime(day.year, day.month, day.day, tzinfo=ZONE) + timedelta(days=1)
    return (after + RIPENS_AFTER + LASTS).astimezone(UTC)


def harvest(bubble: Bubble, at: datetime) -> int:
    """What the owner gathers: all that is left of a ripe bubble. Raises `Conflict`: `bubble.growing`, `bubble.gone`."""
    _ripe(bubble, at)
    return bubble.left


def share_for_friend(bubble: Bubble) -> int:
    """The most that one friend may have of this bubble, whatever is left of it."""
    return max(FRIEND_LEAST, bubble.grams * FRIEND_PERCENT // 100)


def collect(bubble: Bubble, garden: Garden, *, friends: bool, gathered_today: int, again: bool, at: datetime) -> int:
    """What a friend gathers now, at least 1 gram.

    `gathered_today` is what this person has gathered from others on this day, `again` whether from this bubble
    already. Raises `NotAllowed` (`collect.not-friends`, `collect.closed`) or `Conflict` (`bubble.growing`,
    `bubble.gone`, `collect.again`, `collect.day-full`, `collect.nothing-left`).
    """
    if not friends:
        raise NotAllowed("collect.not-friends", Text("Only friends gather here.", "只有好友可以在这里收取。"))
    if not garden.lets_in(at):
        raise NotAllowed(
            "collect.closed",
            Text("Gathering is closed here now. You can water instead.", "这里现在不能收取，可以改为浇水。"),
        )
    _ripe(bubble, at)
    if again:
        raise Conflict("collect.again", Text("You have gathered from this bubble.", "这个气泡您已经收取过了。"))
    day_left = FRIEND_DAY_LIMIT - gathered_today
    if day_left <= 0:
        raise Conflict("collect.day-full", Text("That is enough for today. Tomorrow again.", "今天已收满，明天再来。"))
    grams = min(share_for_friend(bubble), bubble.left - bubble.floor, day_left)
    if grams <= 0:
        raise Conflict("collect.nothing-left", Text("What is left belongs to its owner.", "剩下的能量归主人所有。"))
    return grams


def draw(bubble_id: str, askers: Iterable[str], seed: bytes) -> list[str]:
    """The order of those who asked within `DRAW` after ripeness: by SHA-256 of seed, bubble and asker.

    The seed is committed to before the bubble is ripe, so anyone can repeat the draw.
    """
    return sorted(askers, key=lambda who: hashlib.sha256(seed + f"\0{bubble_id}\0{who}".encode()).digest())


def water(grams: int, *, given_today: int) -> int:
    """Check a gift of energy to a friend. Raises `Invalid` `water.amount` or `Conflict` `water.enough`."""
    if grams not in WATERINGS:
        raise Invalid(
            "water.amount",
            Text("Choose one of {choices} g.", "请选择 {choices} 克之一。").format(
                choices=", ".join(map(str, WATERINGS))
            ),
            field="grams",
        )
    if given_today >= WATERINGS_A_DAY:
        raise Conflict("water.enough", Text("Watered enough for today.", "今天已经浇够水了。"))
    return grams


@dataclass(frozen=True, slots=True)
class Balance:
    """Where all grams of a book are. `minted` equals the sum of the others, or grams came from nothing."""

    minted: int
    waiting: int
    held: int
    spent: int
    expired: int

    @property
    def conserved(self) -> bool:
        """Whether no gram was made or lost."""
        return self.minted == self.waiting + self.held + self.spent + self.expired


def gone_by_kind(bubbles: Sequence[Bubble], at: datetime) -> dict[str, int]:
    """Grams that expire, by kind: what is left in bubbles that are gone."""
    total: dict[str, int] = {}
    for bubble in bubbles:
        if bubble.left and bubble.state(at) == "gone":
            total[bubble.kind] = total.get(bubble.kind, 0) + bubble.left
    return total


def _ripe(bubble: Bubble, at: datetime) -> None:
    state = bubble.state(at)
    if state == "growing":
        raise Conflict("bubble.growing", Text("This energy is still growing.", "能量还在生长。"))
    if state == "gone":
        raise Conflict("bubble.gone", Text("This energy was not gathered in time.", "这份能量已逾期。"))
