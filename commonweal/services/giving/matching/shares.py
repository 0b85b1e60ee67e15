"""Shared after the close: pro rata, quadratic, and pairwise in both of its published forms."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Literal

from commonweal.kernel.errors import Invalid
from commonweal.kernel.text import Text
from commonweal.services.giving.matching import roots
from commonweal.services.giving.matching.after_close import AfterClose, Contributions, Weights
from commonweal.services.giving.matching.pool import Counting, Pool


class _Shared(ABC):
    """What all of them have in common."""

    __slots__ = ()

    caps: ClassVar[frozenset[str]] = frozenset({"project", "charity"})
    seeded: ClassVar[bool] = False
    note: ClassVar[Text] = Text(
        "This is what your gift would add if the matching closed now. It changes as others give.",
        "如果配捐现在结束，您的捐款会带来这么多；其他人继续捐款时会变化。",
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


@dataclass(frozen=True, slots=True)
class ProRata(_Shared):
    """After the close, each project gets its part of the pool by what its donors gave, each of them counted with
    `donor_most` at most: no race, no queue, nothing to gain by being first. The default."""

    donor_most: int | None = None

    name: ClassVar[str] = "pro-rata"
    title: ClassVar[Text] = Text("Shared after the end", "结束后按份额配捐")
    explanation: ClassVar[Text] = Text(
        "After the end the pool is shared by what each project was given; what a cap holds back goes to the others.",
        "配捐结束后，按各项目获捐金额分配；超出上限的部分再分给其他项目。",
    )

    def counted(self, given: int) -> int:
        """What counts of a donor's gifts to one project."""
        return given if self.donor_most is None else min(given, self.donor_most)

    def weigh(self, contributions: Contributions) -> Weights:
        """The sum of what counts."""
        return Weights({project: sum(donors.values()) for project, donors in contributions.items()})


Scale = Literal["to-pool", "down-only"]
"""Whether a pool larger than what the formula asks for is shared out whole, or only what is asked for."""


@dataclass(frozen=True, slots=True)
class Quadratic(_Shared):
    """Quadratic matching (Buterin, Hitzig, Weyl 2018): a project's weight is the square of the sum of the square roots
    of its donors' gifts, less the gifts. Roots are exact to 2**-64 of a smallest unit, the same on every machine."""

    scale: Scale = "to-pool"

    name: ClassVar[str] = "quadratic"
    title: ClassVar[Text] = Text("Quadratic", "平方配捐")
    explanation: ClassVar[Text] = Text(
        "Many givers count for more than much money: a project's share grows with the square of the sum of the roots.",
        "人数比金额更重要：份额按各捐款人金额平方根之和的平方计算。",
    )

    def weigh(self, contributions: Contributions) -> Weights:
        """Weights in 2**-128 of a smallest unit."""
        of = {project: roots.quadratic(donors.values()) for project, donors in contributions.items()}
        return _scaled(of, self.scale, 2 * roots.BITS)


@dataclass(frozen=True, slots=True)
class _Pairwise(_Shared):
    bound: int
    scale: Scale = "down-only"

    def __post_init__(self) -> None:
        if self.bound < 1:
            raise Invalid("scheme.bound", Text("The bound M is above zero.", "参数 M 须大于零。"), field="scheme")


@dataclass(frozen=True, slots=True)
class PairwiseButerin(_Pairwise):
    """Pairwise-bounded matching (Buterin 2019): each pair of donors i, j of a project adds
    `sqrt(c_i c_j) * M / (M + T)`, where T is the sum of `sqrt(c_i c_j)` over all projects: people who always give
    together count for less. `bound` is M."""

    name: ClassVar[str] = "pairwise-buterin"
    title: ClassVar[Text] = Text("Pairwise", "成对配捐")
    explanation: ClassVar[Text] = Text(
        "As quadratic, but two givers who give to the same projects again and again count for less and less.",
        "同平方配捐，但总是一起捐给相同项目的两个人，共同的份额会越来越小。",
    )

    def weigh(self, contributions: Contributions) -> Weights:
        """Weights in 2**-64 of a smallest unit."""
        bound = self.bound << roots.BITS
        of = roots.pairwise(contributions, lambda both, total: both * bound // (bound + total))
        return _scaled(of, self.scale, roots.BITS)


@dataclass(frozen=True, slots=True)
class PairwiseGitcoin(_Pairwise):
    """Pairwise matching as Gitcoin's published code has it: each pair adds `sqrt(c_i c_j) * (M + 1) / T`, so that every
    pair has M + 1 to give in all. `bound` is M, `unit` is the 1 (one yuan is 100)."""

    unit: int = 100

    name: ClassVar[str] = "pairwise-gitcoin"
    title: ClassVar[Text] = Text("Pairwise, as Gitcoin computes it", "成对配捐（Gitcoin 算法）")
    explanation: ClassVar[Text] = Text(
        "Every two givers have the same amount to give together, however often they meet.",
        "每两位捐款人共同拥有同样的配捐额，分给他们共同支持的项目。",
    )

    def weigh(self, contributions: Contributions) -> Weights:
        """Weights in 2**-64 of a smallest unit."""
        whole = (self.bound + self.unit) << roots.BITS
        of = roots.pairwise(contributions, lambda both, total: both * whole // total)
        return _scaled(of, self.scale, roots.BITS)


def _scaled(of: dict[str, int], scale: Scale, bits: int) -> Weights:
    """The need is the sum of the weights, to the nearest smallest unit."""
    return Weights(of, None if scale == "to-pool" else (sum(of.values()) + (1 << (bits - 1))) >> bits)
