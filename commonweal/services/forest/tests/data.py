"""Where the public test data is. It is not part of this repository; without it the tests that need it say so loudly."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

FOREST = Path(os.environ.get("COMMONWEAL_DATA", "../shared/data")) / "forest"

SOURCES = {
    "sentinel2_eopatch": "github.com/sentinel-hub/eo-learn, example_data/TestEOPatch",
    "geolife_modes": "GeoLife 1.3 (Microsoft Research): github.com/mie-lab/trackintel, tests/data/geolife_modes",
    "uk_ghg_conversion_factors_2024_2025.csv.xz": "UK Government GHG conversion factors 2024 and 2025 (OGL v3)",
    "allodb_equations.csv": "github.com/ropensci/allodb, data-raw/csv_database",
}


def public(name: str) -> Path:
    """The path of public data, or a skip that names where to get it."""
    path = FOREST / name
    if not path.exists():
        pytest.skip(f"COMMONWEAL_DATA/forest/{name} is missing; get it from {SOURCES[name.split('/', maxsplit=1)[0]]}")
    return path
