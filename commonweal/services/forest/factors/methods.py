"""From a deed to grams: `quantity x (baseline - project) x share`, in fractions, rounded down once at the end."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from fractions import Fraction
from importlib import resources
from typing import get_args

from commonweal.kernel.errors import Invalid
from commonweal.kernel.text import Text
from commonweal.services.forest.factors.table import Factor, FactorTable
from commonweal.services.forest.rules.evidence import Grade

FORMULA = "max(0, quantity x (baseline - project) x share), rounded down to whole grams, at most the day's cap"

_SCALES = {("m", "km"): Fraction(1, 1000), ("m", "passenger.km"): Fraction(1, 1000), ("trip", "trip"): Fraction(1)}
"""How many of a factor's units one unit of a method is, where no size is given."""


@dataclass(frozen=True, slots=True)
class Method:
    """How deeds of one kind are reckoned. `size` is grams (metres for steps) a unit, where the factor needs it."""

    key: str
    version: str
    valid_from: int
    valid_to: int | None
    quantity: str
    baseline: str
    project: str
    size: Fraction | None
    share: Fraction
    grade_least: Grade
    day_cap: int
    title: Text
    note: str

    def reduce(self, quantity: int, year: int, factors: FactorTable) -> Reduction:
        """What a deed saves. Raises `NotFound` if a factor is not known for the year, `Invalid` for no quantity."""
        if quantity <= 0:
            raise Invalid("deed.quantity", Text("The quantity must be positive.", "数量须为正数。"), field="quantity")
        baseline, project = factors.find(self.baseline, year), factors.find(self.project, year)
        exact = quantity * self.rate(baseline, project)
        return Reduction(self, quantity, baseline, project, exact, min(int(exact), self.day_cap))

    def rate(self, baseline: Factor, project: Factor) -> Fraction:
        """Grams that one unit saves with these factors, exactly; never below 0."""
        saved = self._scale(baseline) * baseline.value - self._scale(project) * project.value
        return max(Fraction(0), saved * self.share * 1000)

    def _scale(self, factor: Factor) -> Fraction:
        if factor.quantity == "any":
            return Fraction(0)
        if self.size is None:
            return _SCALES[self.quantity, factor.quantity]
        if factor.quantity == "tonnes":
            return self.size / 1_000_000
        return self.size * _SCALES["m", factor.quantity]


@dataclass(frozen=True, slots=True)
class Reduction:
    """A result that explains itself: method, inputs, factors; `exact` grams of CO2e and `grams` rounded and capped."""

    method: Method
    quantity: int
    baseline: Factor
    project: Factor
    exact: Fraction
    grams: int

    def explain(self) -> Text:
        """The sum in words, with both versions and sources."""
        values = {
            "quantity": self.quantity,
            "unit": self.method.quantity,
            "baseline": self.baseline.written,
            "project": self.project.written,
            "share": self.method.share,
            "grams": self.grams,
            "method": self.method.title,
            "version": self.method.version,
            "source": self.baseline.source,
        }
        return Text(
            "{method} (method {version}): {quantity} {unit} x ({baseline} - {project}) x {share} = {grams} g CO2e. "
            "Source: {source}.",
            "{method}（方法 {version}）：{quantity} {unit} x（{baseline} - {project}）x {share} = {grams} 克"
            "二氧化碳当量。来源：{source}。",
        ).format(**values)


def methods() -> dict[str, Method]:
    """The methods that come with this package, by key."""
    text = resources.files(__package__).joinpath("methods.csv").read_text(encoding="utf-8")
    found = {}
    for row in csv.DictReader(io.StringIO(text)):
        if row["grade_least"] not in get_args(Grade):
            raise ValueError(f"{row['key']}: no such grade: {row['grade_least']}")
        found[row["key"]] = Method(
            row["key"],
            row["version"],
            int(row["valid_from"]),
            int(row["valid_to"]) if row["valid_to"] else None,
            row["quantity"],
            row["baseline"],
            row["project"],
            Fraction(row["size"]) if row["size"] else None,
            Fraction(row["share"]),
            row["grade_least"],  # type: ignore[arg-type]
            int(row["day_cap_g"]),
            Text(row["title_en"], row["title_zh"]),
            row["note"],
        )
    return found
