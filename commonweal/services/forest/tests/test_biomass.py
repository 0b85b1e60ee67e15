from __future__ import annotations

import csv
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonweal.kernel.errors import Invalid
from commonweal.services.forest.biomass import carbon_dioxide, equations
from commonweal.services.forest.tests.data import public

PINE = equations()["pinus-sylvestris-mongolica"]


@pytest.mark.parametrize(("diameter", "biomass", "co2"), [(5, 3.394, 5.85), (10, 20.509, 35.34), (20, 123.92, 213.6)])
def test_worked_examples(diameter: float, biomass: float, co2: float) -> None:
    stored = carbon_dioxide(PINE, diameter)
    assert stored.biomass == pytest.approx(biomass, rel=1e-3)
    assert stored.co2 == pytest.approx(co2, rel=1e-3)


def test_what_growth_promises_is_apart_from_what_is_stored() -> None:
    stored = carbon_dioxide(PINE, 10, promised=146.21)
    assert stored.promised_at == pytest.approx(17.3, abs=0.05)
    assert carbon_dioxide(PINE, 10, promised=100_000).promised_at is None


@pytest.mark.parametrize("diameter", [0, -3, 4.1, 28.2, math.nan, math.inf])
def test_no_extrapolation(diameter: float) -> None:
    with pytest.raises(Invalid) as refusal:
        PINE.biomass(diameter)
    assert refusal.value.code == "diameter.range"


@given(st.floats(0, 1))
def test_thicker_is_heavier(share: float) -> None:
    for equation in equations().values():
        d = equation.d_min + share * (equation.d_max - equation.d_min)
        assert equation.biomass(equation.d_min) <= equation.biomass(d) <= equation.biomass(equation.d_max)


def test_our_table_agrees_with_the_reviewed_one() -> None:
    text = public("allodb_equations.csv").read_text(encoding="latin-1")
    reviewed = {
        (row["equation_taxa"], row["dbh_min_cm"], row["dbh_max_cm"]): row for row in csv.DictReader(text.splitlines())
    }
    compared = 0
    for equation in equations().values():
        key = (equation.species, f"{equation.d_min:g}", f"{equation.d_max:g}")
        row = reviewed.get(key)
        if row is None:
            continue
        formula = row["equation_allometry"].replace("^", "**")
        for d in (equation.d_min, 15.0, equation.d_max):
            value = eval(formula, {"dbh": d, "log10": math.log10, "exp": math.exp, "log": math.log})
            value *= {"g": 0.001, "kg": 1}[row["output_units_original"]]
            assert equation.biomass(d) == pytest.approx(value, rel=0.01)
        compared += 1
    assert compared >= 6
