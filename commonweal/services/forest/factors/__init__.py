"""Emission factors as versioned data with source and validity, and the methods that turn deeds into grams.

No factor is a constant of the code. `published.csv` holds the few of published examples, `methods.csv` what a deed
is compared with; the UK Government's whole yearly set is read from a file with `uk_government`.
"""

from commonweal.services.forest.factors.methods import FORMULA, Method, Reduction, methods
from commonweal.services.forest.factors.table import Factor, FactorTable, published, uk_government

__all__ = ["FORMULA", "Factor", "FactorTable", "Method", "Reduction", "methods", "published", "uk_government"]
