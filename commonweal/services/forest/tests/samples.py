"""How the tests open the pages of the forest (see tests/browser/samples.py)."""

from __future__ import annotations

from tests.browser.samples import Sample

GIVER, STEWARD = "giver@demo.example", "steward@demo.example"

ENERGY: dict[str, Sample | list[Sample]] = {
    "forest:deeds": Sample(visitor=GIVER),
    "forest:bring": Sample(not_a_page="takes POST only"),
    "forest:connect": Sample(not_a_page="takes POST only"),
    "forest:deeds_proof": Sample(not_a_page="a file"),
    "forest:factors_json": Sample(not_a_page="a file"),
}

TREES: dict[str, Sample | list[Sample]] = {}

SAMPLES = {**ENERGY, **TREES}
