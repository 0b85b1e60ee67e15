"""What a gift that is not made yet would be matched with, for its form: computed from sums that are a second old.

Thousands of forms may be open while thousands of gifts come each second. So each process adds up the open pools of a
campaign once a second at most, one thread at a time; the others answer from what is there. Where adding up takes long,
it is done so seldom that it takes a twentieth of the time.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from commonweal.kernel import clock
from commonweal.kernel.errors import TooLarge
from commonweal.kernel.sql import row, rows
from commonweal.kernel.text import Text
from commonweal.services.giving import matching
from commonweal.services.giving.matching.after_close import Contributions, Weights
from commonweal.services.giving.matching.first_come import Ordered
from commonweal.services.giving.matching.shares import Apart, People
from commonweal.services.giving.queries import pools
from commonweal.services.giving.rules import matches as rules

FRESH = timedelta(seconds=1)
"""How old the sums of a campaign's pools may be; or this many times what adding them up takes, if that is more:"""
SELDOM = 20
KEPT = 1_000
"""Campaigns whose pools a process remembers."""

GIVEN = """
    FROM giving_gift g
    JOIN giving_payment p ON p.book = g.book AND p.gift = g.id
    LEFT JOIN (SELECT r.book, r.gift, sum(r.amount - r.tip) AS amount FROM giving_return r
               JOIN giving_return_end e ON e.book = r.book AND e.id = r.id AND e.outcome = 'done'
               WHERE r.book = ANY(%(campaigns)s) GROUP BY r.book, r.gift) back
        ON back.book = g.book AND back.gift = g.id
    WHERE g.book = ANY(%(campaigns)s) AND g.at >= %(opens)s AND g.at < %(closes)s
      AND g.amount > coalesce(back.amount, 0)
      AND NOT EXISTS (SELECT FROM giving_withheld w WHERE w.campaign = g.book AND w.gift = g.id)"""
"""The gifts that count, as `pools.GIFTS` tells them one by one."""

CROWDS = f"""
    WITH given AS (
        SELECT width_bucket(g.at, %(begins)s::timestamptz[]) - 1 AS slice, g.book, g.giver,
               sum(g.amount - coalesce(back.amount, 0))::bigint AS total {GIVEN}
          AND g.at < (%(ends)s::timestamptz[])[width_bucket(g.at, %(begins)s::timestamptz[])]
          AND g.giver IS NOT NULL AND g.giver <> %(company)s AND g.channel <> %(channel)s
        GROUP BY 1, 2, 3
    )
    SELECT slice, book::text, total, CASE WHEN %(by_name)s THEN giver END AS giver, count(*) AS people
    FROM given GROUP BY 1, 2, 3, 4"""


@dataclass(frozen=True, slots=True)
class Guess:
    """What gifts of some amounts would add by one pool, as of a moment, in the order of the amounts."""

    pool: pools.Pool
    as_of: datetime
    estimates: tuple[matching.Estimate, ...]

    @property
    def note(self) -> Text:
        """How far the figures hold, in words."""
        return self.estimates[0].note


@dataclass(frozen=True, slots=True)
class _Open:
    """An open pool, and how far it has come if it is shared after its close."""

    pool: pools.Pool
    standing: matching.Standing | None


@dataclass(slots=True)
class _Entry:
    """The open pools of a campaign as they were `at` a moment; adding them up took so many `seconds`."""

    adding: threading.Lock = field(default_factory=threading.Lock)
    open: tuple[_Open, ...] = ()
    at: datetime | None = None
    seconds: float = 0.0

    def is_fresh(self, now: datetime) -> bool:
        """Whether it need not be added up again."""
        return self.at is not None and abs(now - self.at) < max(FRESH, timedelta(seconds=SELDOM * self.seconds))


_entries: OrderedDict[uuid.UUID, _Entry] = OrderedDict()
_choosing = threading.Lock()


def of_gift(
    campaign: uuid.UUID, amounts: Sequence[int], giver: uuid.UUID | None = None, team: int | None = None
) -> list[Guess]:
    """What a gift of each amount would add now, by each open pool; `team` is how many people its team is told to have.

    What the giver has given before counts: a cap for one person and day, roots of sums.
    """
    now, guesses = clock.now(), []
    entry = _entry(campaign)
    for each in _added_up(entry, campaign, now):
        pool, number = each.pool, each.pool.rules.slice_at(now)
        if giver == pool.company_id or number is None:
            continue
        if each.standing is None:
            estimates = _in_line(pool, campaign, amounts, giver, team, now)
        else:
            before = _given_before(pool, campaign, giver, number) if giver else 0
            estimates = tuple(each.standing.estimate(str(campaign), before, amount) for amount in amounts)
        guesses.append(Guess(pool, entry.at or now, estimates))
    return guesses


def _entry(campaign: uuid.UUID) -> _Entry:
    with _choosing:
        entry = _entries.setdefault(campaign, _Entry())
        _entries.move_to_end(campaign)
        if len(_entries) > KEPT:
            _entries.popitem(last=False)
        return entry


def _added_up(entry: _Entry, campaign: uuid.UUID, now: datetime) -> tuple[_Open, ...]:
    if entry.is_fresh(now) or not entry.adding.acquire(blocking=False):
        return entry.open
    try:
        begun = time.perf_counter()
        found = [_standing(pool, now) for pool in pools.of(campaign) if pool.is_open]
        entry.open = tuple(each for each in found if each is not None)
        entry.at, entry.seconds = now, time.perf_counter() - begun
    finally:
        entry.adding.release()
    return entry.open


def _standing(pool: pools.Pool, now: datetime) -> _Open | None:
    """None where there are too many pairs to say anything."""
    scheme, terms = pool.rules.scheme, pool.rules
    if not isinstance(scheme, matching.Shared):
        return _Open(pool, None)
    last = terms.slice_at(now) or 0
    by_name = not isinstance(scheme, Apart)
    values = {
        "campaigns": list(pool.campaigns), "opens": terms.opens, "closes": now, "company": pool.company_id,
        "channel": rules.CHANNEL, "by_name": by_name, "begins": [part.opens for part in terms.slices],
        "ends": [part.closes for part in terms.slices],
    }  # fmt: skip
    people: list[defaultdict[str, Counter[int]]] = [defaultdict(Counter) for _ in range(last + 1)]
    named: list[defaultdict[str, dict[str, int]]] = [defaultdict(dict) for _ in range(last + 1)]
    for found in rows(CROWDS, values):
        people[found["slice"]][found["book"]][found["total"]] += found["people"]
        if by_name:
            named[found["slice"]][found["book"]][str(found["giver"])] = found["total"]
    try:
        weights = [_weights(scheme, *crowd) for crowd in zip(people, named, strict=True)]
    except TooLarge:
        return None
    crowds = [matching.Crowd(each, crowd) for each, crowd in zip(weights, people, strict=True)]
    charity_of = dict.fromkeys(map(str, pool.campaigns), str(pool.organisation_id))
    return _Open(pool, matching.Standing(terms, scheme, crowds, charity_of))


def _weights(scheme: matching.Shared, people: Mapping[str, People], named: Contributions) -> Weights:
    if isinstance(scheme, Apart):
        return scheme.scaled({project: scheme.weight(theirs) for project, theirs in people.items()})
    return scheme.weigh(named)


def _in_line(
    pool: pools.Pool, campaign: uuid.UUID, amounts: Sequence[int], giver: uuid.UUID | None, team: int | None,
    now: datetime,
) -> tuple[matching.Estimate, ...]:  # fmt: skip
    scheme: Ordered = pool.rules.scheme  # type: ignore[assignment]
    held = 0 if scheme.seeded else pool.reserved
    of_day = _held_of_day(pool, giver, now) if giver and pool.rules.caps.donor_day and not scheme.seeded else 0
    room = rules.room(pool.rules, now, held, of_day)
    who = str(giver or "")
    asked = [
        matching.Gift(
            "next", now, who, str(campaign), str(pool.organisation_id), amount, team="" if team is None else "t"
        )
        for amount in amounts
    ]
    return tuple(matching.in_line(pool.rules, scheme, gift, team or 0, room) for gift in asked)


def _held_of_day(pool: pools.Pool, giver: uuid.UUID, now: datetime) -> int:
    query = """
        SELECT coalesce(sum(r.amount), 0)::bigint AS held FROM giving_reservation r
        JOIN ledger_open o ON o.book = r.book AND o.id = r.transfer
        WHERE r.book = %(book)s AND r.pool = %(pool)s AND r.giver = %(giver)s AND r.day = %(day)s"""
    day = date.fromordinal(pool.rules.day(now))
    found = row(query, {"book": pool.campaign, "pool": pool.id, "giver": giver, "day": day})
    return int(found["held"]) if found else 0


def _given_before(pool: pools.Pool, campaign: uuid.UUID, giver: uuid.UUID, number: int) -> int:
    query = f"""
        SELECT coalesce(sum(g.amount - coalesce(back.amount, 0)), 0)::bigint AS given {GIVEN}
          AND g.giver = %(giver)s AND g.channel <> %(channel)s"""
    part = pool.rules.slices[number]
    values = {"campaigns": [campaign], "giver": giver, "opens": part.opens, "closes": part.closes}
    found = row(query, values | {"channel": rules.CHANNEL})
    return int(found["given"]) if found else 0
