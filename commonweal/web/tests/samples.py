"""How the tests open the pages of the house (see tests/browser/samples.py)."""

from commonweal.web.pages.design import SHEETS
from tests.browser.samples import Sample

SAMPLES = {
    "search": [Sample(), Sample(query="?q=zzzz")],
    "design-sheet": [Sample((name,)) for name in SHEETS],
    "theme": Sample(not_a_page="takes POST only"),
}
