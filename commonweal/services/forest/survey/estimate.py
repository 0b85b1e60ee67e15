"""Survival from counts in sub-plots. Trees die in clumps: the sub-plot is the unit, not the tree.

The estimate is the ratio of living to planted over sub-plots with the finite population correction (Cochran, Sampling
Techniques, 3rd ed., chapter 6). Its interval is Student's on the logit scale, with Satterthwaite's degrees of freedom
for the spread really seen: var(s^2)/s^4 = 2/(n - 1) + kurtosis/n, so few sub-plots where all died widen it. Simulated
with 30 to 80 sub-plots, survival 0.3 to 0.95 and correlation 0 to 0.3 it covers 94 to 96 % where it says 95 %; with
n - 1 degrees it falls to 91 %, and taking trees for independent to 38 %.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

from commonweal.kernel.errors import Invalid
from commonweal.kernel.text import Text
from commonweal.services.forest.survey.students import quantile

LEAST = 3
"""Sub-plots a stratum needs at least; below, no spread can be seen."""


@dataclass(frozen=True, slots=True)
class Count:
    """What was found in one sub-plot: trees planted there, trees alive. `stratum` groups sub-plots of one kind.

    `planted` is the count at planting, never what can be found now: dead seedlings disappear.
    """

    subplot: str
    planted: int
    alive: int
    stratum: str = ""


@dataclass(frozen=True, slots=True)
class Estimate:
    """Survival as a share: `low` and `high` bound it with `confidence`; `relative_error` is the half-width of the 90 %
    interval over the mean (the credit rules of forestry standards are stated at 90 %)."""

    survival: float
    low: float
    high: float
    confidence: float
    relative_error: float
    subplots: int
    planted: int
    alive: int
    correlation: float

    def alive_of(self, planted: int) -> int:
        """Trees surely alive of `planted`: by the lower bound, rounded down."""
        return int(planted * self.low)


def estimate(
    counts: Sequence[Count], *, confidence: float = 0.95, population: dict[str, int] | None = None
) -> Estimate:
    """Survival with its interval. `population` gives the number of sub-plots of each stratum, where it is known.

    Several strata are combined by their planted trees in the population (by the sampled ones where it is not known).
    With all sub-plots alike (nobody died, or all did) the t interval has no width: then the bound is the exact one of
    Clopper and Pearson for sub-plots as the units. Raises `Invalid` with codes `survey.count`, `survey.twice`,
    `survey.few`, `survey.population`.
    """
    strata = _strata(counts, population or {})
    weights = _weights(strata, population or {})
    survival = sum(weights[s] * _ratio(c) for s, c in strata.items())
    parts = {s: weights[s] ** 2 * _variance(c, (population or {}).get(s)) for s, c in strata.items()}
    variance = sum(parts.values())
    error = math.sqrt(variance)
    if variance == 0:
        low, high = _all_alike(survival, counts, confidence, population)
        relative = (high - low) / survival if survival else math.inf
    else:
        df = max(1, int(2 * variance**2 / sum(part**2 * _uncertainty(strata[s]) for s, part in parts.items())))
        low, high = _logit_interval(survival, error, quantile(confidence, df))
        relative = quantile(0.90, df) * error / survival
    return Estimate(
        survival,
        low,
        high,
        confidence,
        relative,
        len(counts),
        sum(c.planted for c in counts),
        sum(c.alive for c in counts),
        intracluster_correlation(counts),
    )


def _strata(counts: Sequence[Count], population: dict[str, int]) -> dict[str, list[Count]]:
    strata: dict[str, list[Count]] = {}
    seen: set[tuple[str, str]] = set()
    for count in counts:
        if not 0 <= count.alive <= count.planted or count.planted == 0:
            raise Invalid(
                "survey.count",
                Text(
                    "Sub-plot {name}: {alive} alive of {planted} planted cannot be.",
                    "样地 {name}：栽植 {planted} 株、成活 {alive} 株，数字有误。",
                ).format(name=count.subplot, alive=count.alive, planted=count.planted),
                field="alive",
            )
        if (count.stratum, count.subplot) in seen:
            raise Invalid(
                "survey.twice",
                Text("Sub-plot {name} is counted twice.", "样地 {name} 重复计数。").format(name=count.subplot),
                field="subplot",
            )
        seen.add((count.stratum, count.subplot))
        strata.setdefault(count.stratum, []).append(count)
    if not strata or min(map(len, strata.values())) < LEAST:
        raise Invalid(
            "survey.few",
            Text("Count at least {n} sub-plots in each stratum.", "每一层至少调查 {n} 个样地。").format(n=LEAST),
            field="subplot",
        )
    for stratum, all_of_them in population.items():
        if len(strata.get(stratum, ())) > all_of_them:
            raise Invalid(
                "survey.population",
                Text("More sub-plots are counted than there are.", "调查的样地多于样地总数。"),
                field="population",
            )
    return strata


def _weights(strata: dict[str, list[Count]], population: dict[str, int]) -> dict[str, float]:
    sizes = {
        s: sum(c.planted for c in counts) / len(counts) * population.get(s, len(counts)) for s, counts in strata.items()
    }
    whole = sum(sizes.values())
    return {s: size / whole for s, size in sizes.items()}


def _ratio(counts: Sequence[Count]) -> float:
    return sum(c.alive for c in counts) / sum(c.planted for c in counts)


def _variance(counts: Sequence[Count], population: int | None) -> float:
    n, ratio = len(counts), _ratio(counts)
    mean = sum(c.planted for c in counts) / n
    spread = sum((c.alive - ratio * c.planted) ** 2 for c in counts) / (n - 1)
    unseen = 1 - n / population if population else 1.0
    return unseen * spread / n / mean**2


def _uncertainty(counts: Sequence[Count]) -> float:
    """The relative variance of the variance that these sub-plots show."""
    n, ratio = len(counts), _ratio(counts)
    squares = [(c.alive - ratio * c.planted) ** 2 for c in counts]
    mean = sum(squares) / n
    kurtosis = sum(square**2 for square in squares) / n / mean**2 - 3 if mean else 0.0
    return 2 / (n - 1) + max(0.0, kurtosis) / n


def _logit_interval(share: float, error: float, t: float) -> tuple[float, float]:
    centre, half = math.log(share / (1 - share)), t * error / (share * (1 - share))
    return 1 / (1 + math.exp(half - centre)), 1 / (1 + math.exp(-half - centre))


def _all_alike(
    survival: float, counts: Sequence[Count], confidence: float, population: dict[str, int] | None
) -> tuple[float, float]:
    if population and sum(population.values()) == len(counts):
        return survival, survival  # everything was counted
    bound = ((1 - confidence) / 2) ** (1 / len(counts))
    return (bound * survival, survival) if survival == 1 else (survival, survival + (1 - bound) * (1 - survival))


def intracluster_correlation(counts: Sequence[Count]) -> float:
    """How alike the fates of neighbours are: the ANOVA estimate, 0 (not at all) to 1 (a sub-plot lives or dies whole).

    Source: Ridout, Demetrio and Firth 1999, Biometrics 55:137-148, for binary data.
    """
    n, trees = len(counts), sum(c.planted for c in counts)
    ratio = sum(c.alive for c in counts) / trees
    if ratio in (0, 1) or trees <= n or n < 2:
        return 0.0
    between = sum(c.planted * (c.alive / c.planted - ratio) ** 2 for c in counts) / (n - 1)
    within = sum(c.alive * (c.planted - c.alive) / c.planted for c in counts) / (trees - n)
    size = (trees - sum(c.planted**2 for c in counts) / trees) / (n - 1)
    return min(1.0, max(0.0, (between - within) / (between + (size - 1) * within)))


def wilson(alive: int, planted: int, confidence: float = 0.95) -> tuple[float, float]:
    """Wilson's interval as if every tree were independent: the usual mistake, shown beside ours, never used."""
    z, share = NormalDist().inv_cdf((1 + confidence) / 2), alive / planted
    centre = (share + z * z / (2 * planted)) / (1 + z * z / planted)
    half = z / (1 + z * z / planted) * math.sqrt(share * (1 - share) / planted + z * z / (4 * planted**2))
    return centre - half, centre + half


def read_counts(text: str) -> list[Count]:
    """Read a CSV with columns `subplot`, `planted`, `alive` and, if it has one, `stratum`.

    Raises `Invalid` `survey.file` naming the line that cannot be read.
    """
    reader = csv.DictReader(io.StringIO(text.lstrip("\ufeff")))
    if not {"subplot", "planted", "alive"} <= set(reader.fieldnames or ()):
        raise Invalid(
            "survey.file",
            Text(
                "The first line must name the columns subplot, planted, alive.",
                "首行须含 subplot、planted、alive 三列。",
            ),
            field="file",
        )
    counts = []
    for row in reader:
        try:
            counts.append(Count(row["subplot"], int(row["planted"]), int(row["alive"]), row.get("stratum") or ""))
        except (TypeError, ValueError) as error:
            raise Invalid(
                "survey.file",
                Text("Line {line} cannot be read.", "第 {line} 行无法读取。").format(line=reader.line_num),
                field="file",
            ) from error
    return counts
