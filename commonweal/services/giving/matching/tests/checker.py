"""An independent checker of pool files: it knows docs/reference/pool-file.md and imports nothing of the platform.

Money in fen, exact fractions, roots as decimals of 80 digits. Slow and plain on purpose.
"""

from __future__ import annotations

import hashlib
import hmac
from collections import defaultdict
from datetime import datetime, timedelta
from decimal import Decimal, localcontext
from fractions import Fraction
from itertools import combinations
from typing import Any


def checked(pool: Any) -> dict[str, int]:
    """`{gift id: smallest units}` for a parsed pool file."""
    unit = 10 ** pool["exponent"]

    def money(text: Any) -> int:
        amount = Fraction(text) * unit
        assert amount.denominator == 1
        return int(amount)

    def when(text: Any) -> datetime:
        return datetime.fromisoformat(text)

    gifts = []
    for n, row in enumerate(pool["gifts"]):
        counts = 0 if "withheld" in row else money(row["amount"]) - money(row.get("refunded", "0"))
        slices = [i for i, s in enumerate(pool["slices"]) if when(s["opens"]) <= when(row["at"]) < when(s["closes"])]
        if counts > 0 and slices:
            gifts.append((slices[0], n, counts, row))
    caps = {name: money(cap) for name, cap in pool.get("caps", {}).items()}
    answer = {row["id"]: 0 for row in pool["gifts"]}
    scheme = pool["scheme"]
    if scheme["name"] in ("proportional", "one-plus-x", "random-boost"):
        in_order(pool, scheme, caps, gifts, money, when, answer)
    else:
        carried = 0
        spent_project: Any = defaultdict(int)
        spent_charity: Any = defaultdict(int)
        for i, part in enumerate(pool["slices"]):
            mine = [gift for gift in gifts if gift[0] == i]
            available = money(part["amount"]) + carried
            spent = shared(scheme, caps, mine, available, money, unit, spent_project, spent_charity, answer)
            carried = available - spent
    return answer


def in_order(pool: Any, scheme: Any, caps: Any, gifts: Any, money: Any, when: Any, answer: Any) -> None:
    sign = -1 if pool["zone"][0] == "-" else 1
    zone = sign * timedelta(hours=int(pool["zone"][1:3]), minutes=int(pool["zone"][4:6]))
    used: Any = defaultdict(int)
    teams: Any = defaultdict(set)
    for _, _, _, row in gifts:
        teams[row.get("team")].add(row["donor"])
    for i, _, counts, row in sorted(gifts, key=lambda gift: gift[:2]):
        if scheme["name"] == "random-boost":
            wish = lot(bytes.fromhex(pool["seed"]["revealed"]), scheme, row["id"], counts, row.get("flowers", 0), money)
        else:
            rate = Fraction(scheme["rate"])
            for extra in scheme.get("extras", ()):
                team = len(teams[row["team"]]) if "team" in row else 0
                if (
                    extra.get("project", row["project"]) == row["project"]
                    and ("opens" not in extra or when(extra["opens"]) <= when(row["at"]))
                    and ("closes" not in extra or when(row["at"]) < when(extra["closes"]))
                    and extra.get("team_of", 0) <= team
                ):
                    rate += Fraction(extra["rate"])
            wish = int(rate * counts)
        day = ("day", row["donor"], (when(row["at"]) + zone).date())
        room = sum(money(part["amount"]) for part in pool["slices"][: i + 1]) - used["pool"]
        got = min([
            wish,
            caps.get("gift", wish),
            caps.get("donor_day", used[day] + wish) - used[day],
            caps.get("project", used["p", row["project"]] + wish) - used["p", row["project"]],
            caps.get("charity", used["c", row["charity"]] + wish) - used["c", row["charity"]],
            room,
        ])  # fmt: skip
        for key in (day, ("p", row["project"]), ("c", row["charity"]), "pool"):
            used[key] += got
        answer[row["id"]] = got


def lot(seed: Any, scheme: Any, gift: Any, counts: Any, flowers: Any, money: Any) -> int:
    if counts < money(scheme["minimum"]):
        return 0
    u = Fraction(int(hmac.new(seed, gift.encode(), hashlib.sha256).hexdigest(), 16), 2**256)
    chance = Fraction(scheme["chance"])
    if u >= chance:
        return 0
    base = int(counts * Fraction(scheme["rate"]) * u / chance)
    tier = max((tier for tier in scheme["tiers"] if tier["flowers"] <= flowers), key=lambda tier: tier["flowers"])
    v = Fraction(int(hmac.new(seed, f"{gift}:boost".encode(), hashlib.sha256).hexdigest(), 16), 2**256)
    low, high = Fraction(tier["low"]), Fraction(tier["high"])
    return base + int(base * (low + (high - low) * v))


def shared(
    scheme: Any,
    caps: Any,
    gifts: Any,
    available: Any,
    money: Any,
    unit: Any,
    spent_project: Any,
    spent_charity: Any,
    answer: Any,
) -> int:
    given: Any = defaultdict(lambda: defaultdict(int))
    charity = {}
    for _, _, counts, row in gifts:
        given[row["project"]][row["donor"]] += counts
        charity[row["project"]] = row["charity"]
    most = money(scheme["donor_most"]) if "donor_most" in scheme else None
    if most is not None:
        given = {p: {d: min(c, most) for d, c in donors.items()} for p, donors in given.items()}
    with localcontext() as context:
        context.prec = 80
        weights = weigh(scheme, given, money, unit)
        weights = {p: w for p, w in sorted(weights.items()) if w > Decimal("1e-9")}
        if not weights:
            return 0
        total = available
        if scheme.get("scale") == "down-only":
            total = min(total, int(sum(weights.values()) + Decimal("0.5")))
        parts = water(total, {p: Fraction(w) for p, w in weights.items()}, caps, charity, spent_project, spent_charity)
    for project, part in parts.items():
        spent_project[project] += part
        spent_charity[charity[project]] += part
        for donor, amount in largest_remainder(part, given[project]).items():
            mine = {
                row["id"]: counts for _, _, counts, row in gifts if (row["project"], row["donor"]) == (project, donor)
            }
            answer.update(largest_remainder(amount, mine))
    return sum(parts.values())


def weigh(scheme: Any, given: Any, money: Any, unit: Any) -> dict[str, Decimal]:
    if scheme["name"] == "pro-rata":
        return {p: Decimal(sum(donors.values())) for p, donors in given.items()}
    if scheme["name"] == "quadratic":
        return {p: sum(Decimal(c).sqrt() for c in d.values()) ** 2 - sum(d.values()) for p, d in given.items()}
    bound = money(scheme["bound"])
    together: Any = defaultdict(Decimal)
    for donors in given.values():
        for i, j in combinations(sorted(donors), 2):
            together[i, j] += Decimal(donors[i] * donors[j]).sqrt()
    weights = {}
    for p, donors in given.items():
        weights[p] = Decimal(0)
        for i, j in combinations(sorted(donors), 2):
            both, t = Decimal(donors[i] * donors[j]).sqrt(), together[i, j]
            gitcoin = scheme["name"] == "pairwise-gitcoin"
            weights[p] += both * (bound + unit) / t if gitcoin else both * bound / (bound + t)
    return weights


def water(total: Any, weights: Any, caps: Any, charity: Any, spent_project: Any, spent_charity: Any) -> dict[str, int]:
    """Pour in small steps of certainty: raise the level until somebody is full, again and again."""
    parts = dict.fromkeys(weights, Fraction(0))
    left_p = {p: caps.get("project", 10**18) - spent_project[p] for p in weights}
    left_c = {charity[p]: caps.get("charity", 10**18) - spent_charity[charity[p]] for p in weights}
    open_ = {p for p in weights if left_p[p] > 0 and left_c[charity[p]] > 0}
    rest = Fraction(total)
    while open_ and rest > 0:
        slope = sum(weights[p] for p in open_)
        rise = min([rest / slope, *((left_p[p] - parts[p]) / weights[p] for p in open_)])
        for c in {charity[p] for p in open_}:
            members = sum(weights[p] for p in open_ if charity[p] == c)
            rise = min(rise, (left_c[c] - sum(parts[p] for p in parts if charity[p] == c)) / members)
        for p in open_:
            parts[p] += weights[p] * rise
        rest -= slope * rise
        full = {c for c in left_c if sum(parts[p] for p in parts if charity[p] == c) >= left_c[c]}
        open_ = {p for p in open_ if parts[p] < left_p[p] and charity[p] not in full}
    if "charity" not in caps:
        return largest_remainder(int(sum(parts.values())), parts)
    sums: Any = defaultdict(Fraction)
    for p, part in sorted(parts.items(), key=lambda item: charity[item[0]]):
        sums[charity[p]] += part
    answer: dict[str, int] = {}
    for c, amount in largest_remainder(int(sum(sums.values())), sums).items():
        mine = {p: weights[p] for p in weights if charity[p] == c}
        only = {"project": caps["project"]} if "project" in caps else {}
        answer |= water(amount, mine, only, charity, spent_project, spent_charity)
    return answer


def largest_remainder(total: Any, shares: Any) -> dict[str, int]:
    whole = sum(shares.values())
    if not whole:
        return dict.fromkeys(shares, 0)
    exact = {name: Fraction(total) * Fraction(share) / Fraction(whole) for name, share in sorted(shares.items())}
    parts = {name: int(share) for name, share in exact.items()}
    for name in sorted(exact, key=lambda name: (parts[name] - exact[name], name))[: total - sum(parts.values())]:
        parts[name] += 1
    return parts
