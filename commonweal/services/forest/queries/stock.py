"""What a plot holds now, apart from what its certificates promise by growth."""

from __future__ import annotations

from dataclasses import dataclass

from commonweal.kernel.errors import Invalid
from commonweal.services.forest.biomass import Equation, carbon_dioxide, equations
from commonweal.services.forest.queries.plots import Plot
from commonweal.services.forest.queries.surveys import survey


@dataclass(frozen=True, slots=True)
class Stock:
    """Kilograms of CO2 above ground.

    `stored` is what the trees that surely live hold now: the mean of the measured trees, of which those outside the
    equation's range (`unsaid`) count nothing. None if no equation fits or no tree was measured. `promised` is what all
    certificates of the plot promise by growth. `grown_at` is the diameter in cm at which a tree holds its promise.
    """

    equation: Equation | None
    measured: int
    unsaid: int
    per_tree: float | None
    stored: int | None
    promised: int
    grown_at: float | None


def stock(plot: Plot) -> Stock:
    """Of one plot, by its newest survey."""
    grams = plot.season.species.grams
    promised = plot.standing.issued * grams // 1000
    equation = equations().get(plot.season.species.equation)
    found = survey(plot.standing.survey) if plot.standing.survey else None
    diameters = [each / 10 for count in found.counts for each in count.diameters] if found else []
    if equation is None:
        return Stock(None, len(diameters), 0, None, None, promised, None)
    held, unsaid = 0.0, 0
    for diameter in diameters:
        try:
            held += carbon_dioxide(equation, diameter).co2
        except Invalid:  # outside the range in which the equation was measured: nothing is said
            unsaid += 1
    per_tree = held / len(diameters) if diameters else None
    stored = int(per_tree * plot.numbers.alive) if per_tree is not None else None
    grown_at = carbon_dioxide(equation, equation.d_min, grams / 1000).promised_at
    return Stock(equation, len(diameters), unsaid, per_tree, stored, promised, grown_at)
