"""Allometric equations `biomass = a x D^b`, each with its sample, range and source; never used outside its range."""

from __future__ import annotations

import csv
import io
import math
from dataclasses import dataclass
from importlib import resources

from commonweal.kernel.errors import Invalid
from commonweal.kernel.text import Text

CARBON_FRACTION = 0.47
"""Carbon in dry biomass: IPCC 2006 Guidelines, volume 4, table 4.3, default for above-ground forest biomass."""
CO2_PER_CARBON = 44 / 12


@dataclass(frozen=True, slots=True)
class Equation:
    """Above-ground dry biomass of a species: `a x D^b` in kg, with D in cm at breast height (1.3 m)."""

    key: str
    species: str
    title: Text
    a: float
    b: float
    d_min: float
    d_max: float
    sample: int
    r2: float
    place: str
    source: str

    def biomass(self, diameter: float) -> float:
        """Above-ground biomass in kg. Raises `Invalid` `diameter.range` outside the measured range."""
        if not (math.isfinite(diameter) and self.d_min <= diameter <= self.d_max):
            raise Invalid(
                "diameter.range",
                Text(
                    "The equation for {species} was measured from {low} to {high} cm; it says nothing about {d} cm.",
                    "{species} 的方程仅适用于 {low} 至 {high} 厘米，不能用于 {d} 厘米。",
                ).format(species=self.title, low=self.d_min, high=self.d_max, d=diameter),
                field="diameter",
            )
        return float(self.a * diameter**self.b)


@dataclass(frozen=True, slots=True)
class Stored:
    """What a tree holds now, above ground: biomass and CO2 in kg. `promised_at` is the diameter at which it will hold
    what its certificate promises (cm), None if that lies outside the equation's range."""

    biomass: float
    co2: float
    promised_at: float | None


def carbon_dioxide(equation: Equation, diameter: float, promised: float | None = None) -> Stored:
    """CO2 in a tree now, apart from what growth promises. `promised` is the certificate's kg of CO2."""
    biomass = equation.biomass(diameter)
    per_kg = CARBON_FRACTION * CO2_PER_CARBON
    needed = (promised / per_kg / equation.a) ** (1 / equation.b) if promised else None
    if needed is not None and not equation.d_min <= needed <= equation.d_max:
        needed = None
    return Stored(biomass, biomass * per_kg, needed)


def equations() -> dict[str, Equation]:
    """The equations that come with this package, by key."""
    text = resources.files(__package__).joinpath("equations.csv").read_text(encoding="utf-8")
    found = {}
    for row in csv.DictReader(io.StringIO(text)):
        a = float(row["a"]) / (1000 if row["unit"] == "g" else 1)
        found[row["key"]] = Equation(
            row["key"],
            row["species"],
            Text(row["species"], row["species_zh"]),
            a,
            float(row["b"]),
            float(row["d_min"]),
            float(row["d_max"]),
            int(row["n"]),
            float(row["r2"]),
            row["place"],
            row["source"],
        )
    return found
