"""Gifts that are no money: actions within daily limits, a sponsor's contract for them, and hours at a shift."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from commonweal.kernel.errors import Conflict, Invalid, NotAllowed
from commonweal.kernel.quantity import Asset
from commonweal.kernel.text import Text

STEPS = Asset("STEPS", 0, "action", Text("steps", "步"), one="step")
FLOWERS = Asset("FLOWERS", 0, "action", Text("flowers", "小红花"), one="flower")
BOOKS = Asset("BOOKS", 0, "thing", Text("books", "图书"), one="book")
MINUTES = Asset("MINUTES", 0, "time", Text("minutes", "分钟"), one="minute")

DAILY = {STEPS.code: 30_000, FLOWERS.code: 3, BOOKS.code: 20}
"""How much of each one person, or one device, can give in a day, to all campaigns together."""
ACTIONS = {asset.code: asset for asset in (STEPS, FLOWERS, BOOKS)}
LONGEST_SHIFT = timedelta(hours=12)
DISPUTE_WITHIN = timedelta(days=14)


def action(code: str) -> Asset:
    """What can be given by doing. Raises `Invalid` (`deed.asset`)."""
    found = ACTIONS.get(code)
    if found is None:
        raise Invalid("deed.asset", Text("Give steps, flowers or books.", "可以捐步数、小红花或图书。"), field="asset")
    return found


def check_act(asset: Asset, amount: int, given_today: int, device_today: int) -> None:
    """Whether so much more can be given today. Raises `Invalid` (`deed.limit`) beyond the day's limit."""
    most = DAILY[asset.code]
    if amount < 1 or max(given_today, device_today) + amount > most:
        raise Invalid(
            "deed.limit",
            Text(
                "At most {most} {asset} a day for each person and device.", "每人、每台设备每天最多 {most} {asset}。"
            ).format(most=f"{most:,}", asset=asset.title),
            field="amount",
        )


@dataclass(frozen=True, slots=True)
class Sponsorship:
    """A contract: `pays` fen for every `per` units given while it is open, `most` in all."""

    asset: str
    per: int
    pays: int
    most: int
    opens_at: datetime
    closes_at: datetime


def due(contract: Sponsorship, given: int) -> int:
    """What a contract comes to, in fen: whole units only, never more than its most."""
    return min(contract.most, given // contract.per * contract.pays)


def check_sponsorship(contract: Sponsorship, campaign_closes_at: datetime) -> None:
    """Raises `Invalid` (`sponsorship.form`) unless its numbers make sense and it ends before the campaign does."""
    right = contract.per > 0 and 0 < contract.pays <= contract.most and contract.opens_at < contract.closes_at
    if not right or contract.closes_at >= campaign_closes_at or contract.asset not in ACTIONS:
        raise Invalid(
            "sponsorship.form",
            Text("State what is paid for how much, and end before the campaign.", "请写明单价和总额，并早于项目结束。"),
            field="closes_at",
        )


def check_accept(contract: Sponsorship, now: datetime, *, accepted: bool, acts_for_sponsor: bool) -> None:
    """Whether the charity can accept an offer.

    Raises `NotAllowed` (`sponsorship.own`) for whoever also acts for the sponsor, and `Conflict` with
    `sponsorship.accepted`, or `sponsorship.over` once its time has passed.
    """
    if acts_for_sponsor:
        raise NotAllowed("sponsorship.own", Text("The other side has to accept this.", "须由对方接受。"))
    if accepted:
        raise Conflict("sponsorship.accepted", Text("This contract is accepted already.", "该赞助约定已接受。"))
    if contract.closes_at <= now:
        raise Conflict("sponsorship.over", Text("The time of this offer has passed.", "该赞助约定已过期。"))


@dataclass(frozen=True, slots=True)
class Shift:
    """When help is wanted, and by how many."""

    starts_at: datetime
    ends_at: datetime
    seats: int


def check_shift(shift: Shift, now: datetime) -> None:
    """Raises `Invalid` (`shift.form`) unless it lies ahead, is at most 12 hours long and has 1 to 1,000 places."""
    length = shift.ends_at - shift.starts_at
    if shift.starts_at <= now or not timedelta(0) < length <= LONGEST_SHIFT or not 0 < shift.seats <= 1_000:
        raise Invalid(
            "shift.form",
            Text("A shift lies ahead and lasts 12 hours at most.", "班次须在未来，最长 12 小时。"),
            field="starts_at",
        )


def check_in(shift: Shift, now: datetime) -> None:
    """Raises `Conflict` (`shift.not-now`) unless the shift is on, or begins within half an hour."""
    if not shift.starts_at - timedelta(minutes=30) <= now < shift.ends_at:
        raise Conflict("shift.not-now", Text("Check in while the shift is on.", "请在班次时间内签到。"))


def check_minutes(shift: Shift, minutes: int) -> None:
    """Raises `Invalid` (`hours.range`) for more than the shift has."""
    if not 0 <= minutes <= (shift.ends_at - shift.starts_at) // timedelta(minutes=1):
        raise Invalid("hours.range", Text("Not more than the shift lasted.", "不能超过班次时长。"), field="minutes")
