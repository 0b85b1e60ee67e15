"""Shared after the close: pro rata, quadratic, and pairwise in both of its published forms."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

from commonweal.kernel.errors import Invalid
from commonweal.kernel.text import Text
from commonweal.services.giving.matching import roots
from commonweal.services.giving.matching.after_close import AfterClose, Contributions, Weights
from commonweal.services.giving.matching.pool import Counting, Pool

People = Mapping[int, int]
"""The givers of one project: how many have given how much to it, in all."""


class Shared(ABC):
    """What all of them have in common."""

    __slots__ = ()

    caps: ClassVar[frozenset[str]] = frozenset({"project", "charity"})
    seeded: ClassVar[bool] = False
    note: ClassVar[Text] = Text(
        "If the matching closed now. It goes up and down as others give: many givers count for more than much money.",
        "按现在结束计算。其他人继续捐款时会增加或减少：人数比金额更重要。",
    )

    def begin(self, pool: Pool) -> Counting:
        """Start counting."""
        return AfterClose(pool, self)

    def counted(self, given: int) -> int:
        """What counts of a donor's gifts to one project: all of it, unless the scheme says otherwise."""
        return given

    @abstractmethod
    def weigh(self, contributions: Contributions) -> Weights:
        """The weights of the projects."""

    @abstractmethod
    def scaled(self, of: Mapping[str, int]) -> Weights:
        """Weights of projects, with what the scheme gives at most."""

    @abstractmethod
    def grown(self, people: People, before: int, amount: int) -> int:
        """By how much the weight of a project grows when somebody who has given it `before` gives `amount` more."""

    def at_most(self, grown: int, weight: int, part: int, *, full: bool) -> int | None:
        """What such a gift can come to add by the end, whatever others give: None if no more is known than the caps.

        `weight` is the project's with the gift, `part` what it would get, `full` whether a cap holds that down.
        """
        return None


class Apart(Shared):
    """Each project is weighed by itself: it does not matter to what else its givers have given."""

    __slots__ = ()

    def weigh(self, contributions: Contributions) -> Weights:
        """The weights of the projects."""
        return self.scaled({project: self.weight(Counter(given.values())) for project, given in contributions.items()})

    @abstractmethod
    def weight(self, people: People) -> int:
        """The weight of one project."""


@dataclass(frozen=True, slots=True)
class ProRata(Apart):
    """After the close, each project gets its part of the pool by what its donors gave, each of them counted with
    `donor_most` at most: no race, no queue, nothing to gain by being first. The default."""

    donor_most: int | None = None

    name: ClassVar[str] = "pro-rata"
    title: ClassVar[Text] = Text("Shared after the end", "结束后按份额配捐")
    explanation: ClassVar[Text] = Text(
        "After the end the pool is shared by what each project was given; what a cap holds back goes to the others.",
        "配捐结束后，按各项目获捐金额分配；超出上限的部分再分给其他项目。",
    )
    note: ClassVar[Text] = Text(
        "If the matching closed now. The more others give, the smaller each part; it stays below the upper figure.",
        "按现在结束计算。其他人捐得越多，每一份越小，不会超过所示上限。",
    )

    def counted(self, given: int) -> int:
        """What counts of a donor's gifts to one project."""
        return given if self.donor_most is None else min(given, self.donor_most)

    def weight(self, people: People) -> int:
        """The sum of what counts."""
        return sum(self.counted(given) * number for given, number in people.items())

    def scaled(self, of: Mapping[str, int]) -> Weights:
        """The pool is shared whole."""
        return Weights(of)

    def grown(self, people: People, before: int, amount: int) -> int:
        """What counts of the gift."""
        return self.counted(before + amount) - self.counted(before)

    def at_most(self, grown: int, weight: int, part: int, *, full: bool) -> int | None:
        """What the gift itself brings by today's share of each unit: gifts of others only make that smaller.

        A project at its cap may fall below it again, then by less for each unit than the cap over what others gave.
        """
        units = weight - grown if full else weight
        return -(-grown * (part + 1) // units) if units else None


Scale = Literal["to-pool", "down-only"]
"""Whether a pool larger than what the formula asks for is shared out whole, or only what is asked for."""


@dataclass(frozen=True, slots=True)
class Quadratic(Apart):
    """Quadratic matching (Buterin, Hitzig, Weyl 2018): a project's weight is the square of the sum of the square roots
    of its donors' gifts, less the gifts. Roots are exact to 2**-64 of a smallest unit, the same on every machine."""

    scale: Scale = "to-pool"

    name: ClassVar[str] = "quadratic"
    title: ClassVar[Text] = Text("Quadratic", "平方配捐")
    explanation: ClassVar[Text] = Text(
        "Many givers count for more than much money: a project's share grows with the square of the sum of the roots.",
        "人数比金额更重要：份额按各捐款人金额平方根之和的平方计算。",
    )

    def weight(self, people: People) -> int:
        """In 2**-128 of a smallest unit."""
        return roots.quadratic(people)

    def scaled(self, of: Mapping[str, int]) -> Weights:
        """Shared whole, or as far as the formula asks for it."""
        return _scaled(of, self.scale, 2 * roots.BITS)

    def grown(self, people: People, before: int, amount: int) -> int:
        """`(sum + r' - r)**2 - sum**2` less the squares of the roots `r` before and `r'` after the gift."""
        first, then = roots.root(before), roots.root(before + amount)
        return 2 * (then - first) * (sum(roots.root(given) * number for given, number in people.items()) - first)


@dataclass(frozen=True, slots=True)
class Pairwise(Shared):
    """What both forms have in common: what a pair may add at most, in all."""

    bound: int
    scale: Scale = "down-only"

    def __post_init__(self) -> None:
        if self.bound < 1:
            raise Invalid("scheme.bound", Text("The bound M is above zero.", "参数 M 须大于零。"), field="scheme")

    @abstractmethod
    def bounded(self, both: int, total: int) -> int:
        """What a pair adds to a project that shares `both` of the `total` that it shares everywhere, in 2**-64."""

    def weigh(self, contributions: Contributions) -> Weights:
        """Weights in 2**-64 of a smallest unit."""
        return self.scaled(roots.pairwise(contributions, self.bounded))

    def scaled(self, of: Mapping[str, int]) -> Weights:
        """Shared whole, or as far as the formula asks for it."""
        return _scaled(of, self.scale, roots.BITS)

    def grown(self, people: People, before: int, amount: int) -> int:
        """The new pairs, as if the giver and the others had met nowhere else: who they are, nobody looks up for it."""
        others = {given: number - (given == before) for given, number in people.items()}

        def pairs(mine: int) -> int:
            shared = ((roots.root(mine * theirs), number) for theirs, number in others.items() if mine)
            return sum(number * self.bounded(both, both) for both, number in shared)

        return pairs(before + amount) - pairs(before)


@dataclass(frozen=True, slots=True)
class PairwiseButerin(Pairwise):
    """Pairwise-bounded matching (Buterin 2019): each pair of donors i, j of a project adds
    `sqrt(c_i c_j) * M / (M + T)`, where T is the sum of `sqrt(c_i c_j)` over all projects: people who always give
    together count for less. `bound` is M."""

    name: ClassVar[str] = "pairwise-buterin"
    title: ClassVar[Text] = Text("Pairwise", "成对配捐")
    explanation: ClassVar[Text] = Text(
        "As quadratic, but two givers who give to the same projects again and again count for less and less.",
        "同平方配捐，但总是一起捐给相同项目的两个人，共同的份额会越来越小。",
    )

    def bounded(self, both: int, total: int) -> int:
        """What a pair adds."""
        bound = self.bound << roots.BITS
        return both * bound // (bound + total)


@dataclass(frozen=True, slots=True)
class PairwiseGitcoin(Pairwise):
    """Pairwise matching as Gitcoin's published code has it: each pair adds `sqrt(c_i c_j) * (M + 1) / T`, so that every
    pair has M + 1 to give in all. `bound` is M, `unit` is the 1 (one yuan is 100)."""

    unit: int = 100

    name: ClassVar[str] = "pairwise-gitcoin"
    title: ClassVar[Text] = Text("Pairwise, as Gitcoin computes it", "成对配捐（Gitcoin 算法）")
    explanation: ClassVar[Text] = Text(
        "Every two givers have the same amount to give together, however often they meet.",
        "每两位捐款人共同拥有同样的配捐额，分给他们共同支持的项目。",
    )

    def bounded(self, both: int, total: int) -> int:
        """What a pair adds."""
        return both * ((self.bound + self.unit) << roots.BITS) // total


def _scaled(of: Mapping[str, int], scale: Scale, bits: int) -> Weights:
    """The need is the sum of the weights, to the nearest smallest unit."""
    return Weights(of, None if scale == "to-pool" else (sum(of.values()) + (1 << (bits - 1))) >> bits)
