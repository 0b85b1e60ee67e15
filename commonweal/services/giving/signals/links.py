"""One person behind many accounts: accounts that share devices or ways to pay far more than people do.

Within one campaign, gifts that share a device or a payment are one group. A family shares a card among up to five; in
an office or a school many share a device, but everybody pays for themselves, and either gives where they like, too, or
waits for their turn. Neither looks like a person who needs many accounts for one campaign.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise
from statistics import median

from commonweal.kernel.text import Text
from commonweal.services.giving.signals.rows import Row, of_many_aims
from commonweal.services.giving.signals.signal import TURN, Signal, duration, money, rhythm, surprise

FAMILY = 5
"""Accounts that may share a card or a tablet without a second thought."""

CLASSES = 3
"""Queues before devices for one campaign, of more people than a family, that a school may have."""

_BY_CARD = Text(
    "{accounts} {accounts:account|accounts} paid with {payments} {payments:card or wallet|cards or wallets}.",
    "{accounts} 个账号共用 {payments} 个支付方式。",
)
_BY_DEVICE = Text(
    "Accounts that gave: {accounts}; devices they shared: {devices}.", "{accounts} 个账号共用 {devices} 台设备。"
)
_ONE_AIM = Text(
    "{share} % of what came from these devices went to this one campaign.",
    "这些设备的捐款中有 {share}% 给了这一个项目。",
)
_SAME = Text("{same} of {gifts} gifts are {amount}.", "{gifts} 笔捐款中有 {same} 笔都是 {amount}。")
_FAST = Text("Half of them came within {gap} of the one before.", "其中一半与前一笔相隔不到 {gap}。")
_REGULAR = Text("They came at regular intervals of about {gap}.", "捐款间隔非常规律，约每 {gap}一笔。")
_REFUNDED = Text("{refunded} of {gifts} were refunded.", "{gifts} 笔中有 {refunded} 笔已退款。")


def one_person(rows: Sequence[Row]) -> list[Signal]:
    """Groups of accounts behind which one person is likely."""
    amounts = Counter((row.asset.code, row.amount) for row in rows)
    share_of = {given: count / len(rows) for given, count in amounts.items()}
    by_device: defaultdict[str, list[Row]] = defaultdict(list)
    by_payment: defaultdict[str, list[Row]] = defaultdict(list)
    by_campaign: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_campaign[row.campaign].append(row)
        if row.device:
            by_device[row.device].append(row)
        if row.payment:
            by_payment[row.payment].append(row)
    busy = of_many_aims(rows)
    common = _common(by_device, rows) | _common(by_payment, rows)
    found = []
    for campaign, theirs in by_campaign.items():
        popular = len(theirs) / len(rows)
        together = groups(theirs, common)
        queues = sum(len({row.account for row in group}) > FAMILY and _queue(group) for group in together)
        places = [_place(group, busy, queues) for group in together]
        for group, place in zip(together, places, strict=True):
            if (signal := _judge(campaign, group, by_device, popular, share_of, place=place)) is not None:
                found.append(signal)
    found += _everywhere(by_payment, common, {id for signal in found for id in signal.gifts})
    return found


def groups(rows: Iterable[Row], common: frozenset[str]) -> list[list[Row]]:
    """Gifts that are connected by shared devices, payments or accounts; single accounts are left out."""
    above: dict[str, str] = {}

    def top(name: str) -> str:
        while (up := above.setdefault(name, name)) != name:
            above[name] = above[up]
            name = up
        return name

    rows = list(rows)
    for row in rows:
        names = [f"a{row.account or row.id}"]
        if row.device and f"d{row.device}" not in common:
            names.append(f"d{row.device}")
        if row.payment and f"p{row.payment}" not in common:
            names.append(f"p{row.payment}")
        for other in names[1:]:
            above[top(other)] = top(names[0])
    together: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        together[top(f"a{row.account or row.id}")].append(row)
    return [group for group in together.values() if len({row.account for row in group}) > 2]


def _common(by: dict[str, list[Row]], rows: Sequence[Row]) -> frozenset[str]:
    """Devices and payments that connect nobody: a value that a large part of all gifts carries is a default, and a
    device of many people who give here and there is a public one."""
    found = set()
    for name, theirs in by.items():
        is_device = theirs[0].device == name
        if len(theirs) > max(200, len(rows) // 50) or (is_device and _public(theirs)):
            found.add(f"{'d' if is_device else 'p'}{name}")
    return frozenset(found)


def _public(theirs: list[Row]) -> bool:
    """A device on which many people give to many campaigns, and pay for themselves."""
    accounts = len({row.account for row in theirs})
    most = Counter(row.campaign for row in theirs).most_common(1)[0][1]
    own = len({row.payment for row in theirs})
    return accounts > FAMILY and most < 0.6 * len(theirs) and own > 0.6 * accounts


def _judge(
    campaign: str,
    group: list[Row],
    by_device: dict[str, list[Row]],
    popular: float,
    share_of: dict[tuple[str, int], float],
    *,
    place: bool,
) -> Signal | None:
    accounts = len({row.account for row in group})
    devices = len({row.device or row.id for row in group})
    payments = len({row.payment or row.id for row in group})
    refunded = sum(row.refunded_at is not None for row in group)
    reasons, points = [], 0.0
    if accounts >= 2 * payments:
        points += 25 + 8 * min(accounts - payments, 6)
        reasons.append(_BY_CARD.format(accounts=accounts, payments=payments))
    if accounts >= 1.5 * devices and (refunded >= 3 or not place):
        points += 10 + 4 * min(accounts - devices, 6)
        reasons.append(_BY_DEVICE.format(accounts=accounts, devices=devices))
        share = _aim(group, by_device)
        chance = max(popular, 0.05)
        if share >= 0.7 and accounts > 3:
            points += min(5 * accounts, 30) * (1 - chance)
            reasons.append(_ONE_AIM.format(share=round(100 * share)))
    if not reasons:
        return None
    amount, same = Counter(row.amount for row in group).most_common(1)[0]
    asset = group[0].asset
    if same >= 4 and surprise(same, len(group), share_of[asset.code, amount]) > 3:
        points += 15
        reasons.append(_SAME.format(same=same, gifts=len(group), amount=money(amount, asset)))
    points += _pace(group, reasons)
    if refunded >= 3 and refunded >= len(group) / 2:
        points += 45
        reasons.append(_REFUNDED.format(refunded=refunded, gifts=len(group)))
    elif accounts <= FAMILY:
        return None
    if points < 60:
        return None
    return Signal("one-person", min(round(points), 100), campaign, tuple(row.id for row in group), tuple(reasons))


def _place(group: list[Row], busy: set[str], queues: int) -> bool:
    """Whether a device is that of a place where people come: they pay for themselves, not like clockwork, and some
    give elsewhere, too (an office behind one network), or they queue (a class before one tablet; a shelf of telephones
    would be many `queues` for one campaign)."""
    accounts = {row.account for row in group}
    own = {row.payment for row in group if row.payment}
    if len(own) < 0.8 * len(accounts) or rhythm(sorted(row.at for row in group)) is not None:
        return False
    return len(accounts & busy) >= max(1, len(accounts) / 20) or (queues <= CLASSES and _queue(group))


def _queue(group: list[Row]) -> bool:
    """Whether the gifts from each device come one after another as people do: no faster than they can, without
    pauses."""
    by: defaultdict[str, list[float]] = defaultdict(list)
    for row in group:
        by[row.device or row.id].append(row.at)
    gaps = [b - a for times in by.values() for a, b in pairwise(sorted(times))]
    hasty = sum(gap < TURN / 2 for gap in gaps)
    return bool(gaps) and TURN <= median(gaps) <= 12 * TURN and hasty <= 0.05 * len(gaps)


def _aim(group: list[Row], by_device: dict[str, list[Row]]) -> float:
    """The part of all gifts from the devices of a group that went where the group gave."""
    everything = sum(len(by_device.get(device, ())) for device in {row.device for row in group if row.device})
    return len([row for row in group if row.device]) / everything if everything else 0.0


def _pace(group: list[Row], reasons: list[Text]) -> float:
    """Points for a pace that people do not keep up."""
    times = sorted(row.at for row in group)
    if len(times) < 5:
        return 0
    if (gap := rhythm(times)) is not None:
        reasons.append(_REGULAR.format(gap=duration(gap)))
        return 25
    middle = median(b - a for a, b in pairwise(times))
    if middle <= 60:
        reasons.append(_FAST.format(gap=duration(middle)))
        return 20 if middle <= 15 else 10
    return 0


def _everywhere(by_payment: dict[str, list[Row]], common: frozenset[str], known: set[str]) -> list[Signal]:
    """A card of more accounts than a family has, wherever they gave."""
    found = []
    for payment, theirs in by_payment.items():
        accounts = len({row.account for row in theirs})
        if accounts <= FAMILY + 1 or f"p{payment}" in common or all(row.id in known for row in theirs):
            continue
        campaign = Counter(row.campaign for row in theirs).most_common(1)[0][0]
        reason = _BY_CARD.format(accounts=accounts, payments=1)
        score = min(60 + 4 * (accounts - FAMILY), 100)
        found.append(Signal("one-person", score, campaign, tuple(row.id for row in theirs), (reason,)))
    return found
