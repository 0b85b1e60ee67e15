"""The engines of giving: `matching` (a million gifts) and `signals` (100,000 honest gifts a day, and planted rings)."""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime, timedelta
from fractions import Fraction

from bench.figure import Figure, figure
from commonweal.services.giving.matching import Caps, Gift, Pool, Proportional, ProRata, Quadratic, Slice, match
from commonweal.services.giving.signals import find
from commonweal.services.giving.signals.tests.world import world

AT = datetime(2026, 9, 9, 1, tzinfo=UTC)
MILLION = 1_000_000


def matching() -> list[Figure]:
    """Gifts/s of three schemes over a million gifts, beside a plain loop that multiplies and adds; sums are checked."""
    chance = random.Random(2026)
    gifts = [
        Gift(f"g{n}", AT + timedelta(milliseconds=3 * n), f"d{chance.randrange(400_000)}", f"p{project}",
             f"c{project % 100}", chance.choice([100, 500, 1000, 2000, 5000, 880]))
        for n in range(MILLION)
        for project in [int(chance.paretovariate(1.1)) % 5_000]
    ]  # fmt: skip
    begin = time.process_time()
    left = 10**9
    for gift in gifts:
        left -= min(gift.amount // 2, left)
    plain = MILLION / (time.process_time() - begin)
    figures = []
    for scheme in (ProRata(donor_most=100_000), Proportional(Fraction(1, 2)), Quadratic("to-pool")):
        caps = Caps(project=10**7, donor_day=99_900 if "donor_day" in scheme.caps else None)
        pool = Pool("bench", scheme, (Slice(AT, AT + timedelta(hours=1), 10**9),), caps)
        begin = time.process_time()
        matches = match(pool, gifts)
        speed = MILLION / (time.process_time() - begin)
        assert len(matches) == MILLION
        assert 0 < sum(one.amount for one in matches) <= pool.amount
        anchor = "a loop without caps"
        figures.append(figure(f"match, {scheme.name}", speed, "gifts/s", anchor=anchor, anchor_value=plain, n=MILLION))
    return figures


def signals() -> list[Figure]:
    """Precision, recall and honest givers delayed: the worst of five days of 100,000 honest gifts and 25 rings."""
    worst: dict[str, float] = {"precision": 1, "recall": 1, "delayed": 0, "seconds": 0}
    planted = 0
    for seed in range(100, 105):
        day = world(seed)
        begin = time.process_time()
        found = {gift for signal in find(day.rows) for gift in signal.gifts}
        took = time.process_time() - begin
        account = {row.id: row.account for row in day.rows}
        honest = {account[row.id] for row in day.rows if row.id not in day.planted}
        right = len(found & day.planted)
        planted += len(day.planted)
        worst["precision"] = min(worst["precision"], right / len(found))
        worst["recall"] = min(worst["recall"], right / len(day.planted))
        worst["delayed"] = max(worst["delayed"], len({account[gift] for gift in found - day.planted}) / len(honest))
        worst["seconds"] = max(worst["seconds"], took)
    return [
        figure("precision", worst["precision"], "", anchor="aim", anchor_value=0.95, n=planted, least=0.95),
        figure("recall", worst["recall"], "", anchor="aim", anchor_value=0.90, n=planted, least=0.90),
        figure("honest delayed", worst["delayed"], "", anchor="aim", anchor_value=0.001, n=planted, most=0.001),
        figure("100,000 gifts", worst["seconds"], "s", anchor="aim", anchor_value=10, n=100_000, most=10),
    ]
