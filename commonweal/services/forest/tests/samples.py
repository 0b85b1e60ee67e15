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

PLOT = "SELECT code FROM forest_plot WHERE code = 'MQ1'"
OPEN_PLOT = "SELECT code FROM forest_plot WHERE code = 'YA2'"

TREES: dict[str, Sample | list[Sample]] = {
    "forest:plot": [Sample(PLOT), Sample(OPEN_PLOT)],
    "forest:trees": Sample(visitor=GIVER),
    "forest:tree": Sample(not_a_page="the demonstration has no certificate yet: opened in test_tree_doors"),
    "forest:console": Sample(visitor=STEWARD),
}

SAMPLES = {**ENERGY, **TREES}
