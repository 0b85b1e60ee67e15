"""How the tests open the pages of the forest (see tests/browser/samples.py)."""

from __future__ import annotations

from tests.browser.samples import Sample

GIVER, STEWARD = "giver@demo.example", "steward@demo.example"

ENERGY: dict[str, Sample | list[Sample]] = {}

TREES: dict[str, Sample | list[Sample]] = {}

SAMPLES = {**ENERGY, **TREES}
