"""The engines of giving: `matching` (a million gifts)."""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime, timedelta
from fractions import Fraction

from bench.figure import Figure, figure
from commonweal.services.giving.matching import Caps, Gift, Pool, Proportional, ProRata, Quadratic, Slice, match

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
