"""One small pool for each scheme, computed by the rule itself: what its page and the reference show as an example."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import cast

from commonweal.kernel.quantity import CNY, format_amount
from commonweal.kernel.text import Text
from commonweal.services.giving.matching.first_come import Ordered
from commonweal.services.giving.matching.lots import SOURCED_TIERS, RandomBoost
from commonweal.services.giving.matching.pool import LIMITS, Caps, Gift, Match, Pool, Scheme, Slice, match
from commonweal.services.giving.matching.proportional import Extra, OnePlusX, Proportional
from commonweal.services.giving.matching.schemes import SCHEMES
from commonweal.services.giving.matching.shares import PairwiseButerin, PairwiseGitcoin, ProRata, Quadratic, Shared

NINE = datetime(2026, 9, 9, 1, tzinfo=UTC)
PHRASE = "the seed of the example"
SEED = hashlib.sha256(PHRASE.encode()).digest()
"""Anybody makes it again, and so draws the example's lots again."""
GIVERS = {"a": Text("An", "安然"), "b": Text("Bo", "阿波"), "c": Text("Cai", "蔡姐")}
PROJECTS = {"p": Text("school", "学校"), "q": Text("well", "水井"), "r": Text("library", "图书室")}


@dataclass(frozen=True, slots=True)
class Row:
    """A gift of the example: `asks` is what its scheme would give without limits, None where only the whole decides."""

    gift: Gift
    giver: Text
    project: Text
    asks: int | None
    match: Match

    @property
    def why(self) -> Text | None:
        """Why it got less than it asked for."""
        return LIMITS[self.match.limit] if self.match.limit else None


@dataclass(frozen=True, slots=True)
class Example:
    """A pool, its gifts and what each of them got. `left` stays in the pool."""

    pool: Pool
    terms: Text
    rows: tuple[Row, ...]
    left: int
    ending: Text

    @property
    def seed(self) -> str:
        """The phrase whose SHA-256 is the seed; "" where no lots are drawn."""
        return PHRASE if self.pool.commitment else ""


def examples() -> dict[str, Example]:
    """By the name of the scheme, in the order in which the schemes are shown."""
    return {scheme.name: _worked_out(*POOLS[scheme.name]) for scheme in SCHEMES}


def _worked_out(pool: Pool, terms: Text, gifts: tuple[Gift, ...]) -> Example:
    matches = match(pool, gifts)
    rows = tuple(
        Row(gift, GIVERS[gift.donor], PROJECTS[gift.project], _asked(pool, gift, gifts), made)
        for gift, made in zip(gifts, matches, strict=True)
    )
    left = pool.amount - sum(made.amount for made in matches)
    shared = isinstance(pool.scheme, Shared)
    ending = (
        Text(
            "Each part is rounded down first; the fen that are left go to the largest remainders. {left} yuan stay in "
            "the pool.",
            "先逐份向下取整，余下的分按小数部分从大到小分配；资金池剩余 {left} 元。",
        )
        if shared
        else Text(
            "Each match is rounded down to the fen. What is rounded off and what nobody could get stays in the pool: "
            "{left} yuan.",
            "每笔配捐向下取整到分；舍去的零头和无人可得的部分留在资金池：{left} 元。",
        )
    ).format(left=money(left))
    return Example(pool, terms, rows, left, ending)


def _asked(pool: Pool, gift: Gift, gifts: tuple[Gift, ...]) -> int | None:
    if isinstance(pool.scheme, Shared):
        return None
    team = len({each.donor for each in gifts if each.team and each.team == gift.team})
    return cast(Ordered, pool.scheme).wish(pool, gift, team)


def money(amount: int) -> str:
    """Fen as yuan."""
    return format_amount(amount, CNY)


def _gift(minute: int, donor: str, project: str, fen: int, **more: object) -> Gift:
    id = f"{donor}{minute}"
    return Gift(id, NINE + timedelta(minutes=minute), donor, project, "x", fen, **more)  # type: ignore[arg-type]


def _pool(scheme: Scheme, amount: int, caps: Caps, en: str, zh: str, **said: object) -> tuple[Pool, Text]:
    """A pool of one slice, and its terms in words: `{pool}`, its caps and whatever else is said."""
    seed = {"commitment": hashlib.sha256(SEED).digest(), "seed": SEED} if scheme.seeded else {}
    pool = Pool("example", scheme, (Slice(NINE, NINE + timedelta(hours=1), amount),), caps, **seed)  # type: ignore[arg-type]
    stated = {cap: money(getattr(caps, cap)) for cap in caps.stated()}
    return pool, Text(en, zh).format(pool=money(amount), **stated, **said)


_PAIRS = (
    _gift(1, "a", "p", 400), _gift(2, "a", "q", 900), _gift(3, "b", "p", 900), _gift(4, "b", "q", 400),
    _gift(5, "c", "p", 100),
)  # fmt: skip
_HALF, _FIFTH, _M = Fraction(1, 2), Fraction(1, 5), 2_500

POOLS: Mapping[str, tuple[Pool, Text, tuple[Gift, ...]]] = {
    ProRata.name: (
        *_pool(
            ProRata(), 10_000, Caps(project=5_000),
            "The pool has {pool} yuan, one project gets {project} at most.",
            "资金池 {pool} 元，单个项目最多 {project} 元。",
        ),
        (_gift(1, "a", "p", 6_000), _gift(2, "b", "q", 2_000), _gift(3, "c", "r", 1_000)),
    ),
    Proportional.name: (
        *_pool(
            Proportional(_HALF), 5_000, Caps(gift=2_000),
            "The pool has {pool} yuan and adds {rate} to each yuan, {gift} to one gift at most.",
            "资金池 {pool} 元，每捐 1 元配 {rate} 元，单笔最多 {gift} 元。", rate=float(_HALF),
        ),
        (_gift(1, "a", "p", 3_333), _gift(2, "b", "p", 5_000), _gift(3, "c", "p", 4_001)),
    ),
    OnePlusX.name: (
        *_pool(
            OnePlusX(_HALF, (Extra(_FIFTH, project="q"), Extra(_HALF, team_of=2))), 10_000, Caps(donor_day=4_000),
            "The pool has {pool} yuan and adds {rate} to each yuan; {well} more for the well; {team} more for a team "
            "of 2 or more. One giver gets {donor_day} a day at most.",
            "资金池 {pool} 元，每捐 1 元配 {rate} 元；捐给水井另加 {well} 元；小队满 2 人另加 {team} 元。每人每日最多 "
            "{donor_day} 元。", rate=float(_HALF), well=float(_FIFTH), team=float(_HALF),
        ),
        (_gift(1, "a", "q", 3_333), _gift(2, "b", "p", 1_999, team="t"), _gift(3, "c", "p", 5_000, team="t")),
    ),
    RandomBoost.name: (
        *_pool(
            RandomBoost(Fraction(3, 4), Fraction(1), SOURCED_TIERS), 20_000, Caps(donor_day=2_750),
            "The pool has {pool} yuan. Three of four gifts draw something, up to their own amount, and flowers add to "
            "it: An has 50, Cai 120. One giver gets {donor_day} a day at most.",
            "资金池 {pool} 元。每四笔约有三笔抽中，最多与捐款相同，小红花另有加成：安然 50 朵，蔡姐 120 朵。"
            "每人每日最多 {donor_day} 元。",
        ),
        (_gift(1, "a", "p", 5_000, flowers=50), _gift(2, "b", "p", 3_000), _gift(3, "c", "p", 8_000, flowers=120)),
    ),
    Quadratic.name: (
        *_pool(
            Quadratic(), 5_000, Caps(), "The pool has {pool} yuan, without caps.", "资金池 {pool} 元，不设上限。",
        ),
        (_gift(1, "a", "p", 100), _gift(2, "a", "q", 900), _gift(3, "b", "p", 400), _gift(4, "c", "q", 1_600)),
    ),
    PairwiseButerin.name: (
        *_pool(
            PairwiseButerin(_M), 5_000, Caps(project=4_000),
            "The pool has {pool} yuan, M is {bound}; one project gets {project} at most.",
            "资金池 {pool} 元，参数 M 为 {bound} 元，单个项目最多 {project} 元。", bound=money(_M),
        ),
        _PAIRS,
    ),
    PairwiseGitcoin.name: (
        *_pool(
            PairwiseGitcoin(_M), 5_000, Caps(project=4_000),
            "The pool has {pool} yuan, M is {bound}; one project gets {project} at most.",
            "资金池 {pool} 元，参数 M 为 {bound} 元，单个项目最多 {project} 元。", bound=money(_M),
        ),
        _PAIRS,
    ),
}  # fmt: skip
