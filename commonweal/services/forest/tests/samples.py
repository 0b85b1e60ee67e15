"""How the tests open the pages of the forest (see tests/browser/samples.py)."""

from __future__ import annotations

from commonweal.services.forest.rules.certificates import Number
from tests.browser.samples import Sample

GIVER, STEWARD = "giver@demo.example", "steward@demo.example"

FRIENDSHIP = """SELECT f.id FROM forest_friendship f JOIN parties_login l ON l.party_id IN (f.one, f.other)
    WHERE l.email = 'giver@demo.example' LIMIT 1"""
A_GROVE = """SELECT m.grove FROM forest_member m JOIN parties_login l ON l.party_id = m.person
    WHERE l.email = 'giver@demo.example' LIMIT 1"""

ENERGY: dict[str, Sample | list[Sample]] = {
    "forest:deeds": Sample(visitor=GIVER),
    "forest:bring": Sample(not_a_page="takes POST only"),
    "forest:connect": Sample(not_a_page="takes POST only"),
    "forest:deeds_proof": Sample(not_a_page="a file"),
    "forest:energy": [Sample(), Sample(visitor=GIVER)],
    "forest:harvest": Sample(not_a_page="takes POST only"),
    "forest:wish": Sample(not_a_page="takes POST only"),
    "forest:friends": Sample(visitor=GIVER),
    "forest:friend": Sample(FRIENDSHIP, visitor=GIVER),
    "forest:visit": Sample(not_a_page="takes POST only"),
    "forest:groves": Sample(visitor=GIVER),
    "forest:grove": Sample(A_GROVE, visitor=GIVER),
    "forest:partner": [Sample(visitor=GIVER), Sample(visitor="company@demo.example")],
    "forest:partners": Sample(visitor=STEWARD),
    "forest:conservation": Sample(not_a_page="a file"),
    "forest:factors_json": Sample(not_a_page="a file"),
}

PLOT = "SELECT code FROM forest_plot WHERE code = 'MQ1'"
TREE = str(Number("MQ1", "2026S", 1))
SURVEY = "SELECT survey FROM forest_outcome WHERE replant = 0"
OWING = "SELECT survey FROM forest_outcome WHERE replant > 0"
OPEN_PLOT = "SELECT code FROM forest_plot WHERE code = 'YA2'"

TREES: dict[str, Sample | list[Sample]] = {
    "forest:plot": [Sample(PLOT), Sample(OPEN_PLOT), Sample(("YA1",), visitor=STEWARD)],
    "forest:trees": Sample(visitor=GIVER),
    "forest:tree": [Sample((TREE,)), Sample((TREE,), visitor=GIVER)],
    "forest:field": Sample(visitor="charity@demo.example"),
    "forest:worker": Sample(not_a_page="a script"),
    "forest:survey": [Sample(SURVEY), Sample(OWING, visitor=STEWARD)],
    "forest:begin": Sample(not_a_page="takes POST only"),
    "forest:tile": [Sample((17, 103070, 50270)), Sample((19, 412283, 201080))],
    "forest:planner": [Sample(), Sample(query="?survival=80&correlation=0.1&trees=49&error=10")],
    "forest:console": Sample(visitor=STEWARD),
}

SAMPLES = {**ENERGY, **TREES}
