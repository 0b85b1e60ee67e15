"""How the tests open the pages of the house (see tests/browser/samples.py)."""

from commonweal.web.pages.design import SHEETS
from tests.browser.samples import Sample

POST = Sample(not_a_page="takes POST only")
STATE = Sample(not_a_page="opens only in the middle of signing in; the journeys walk through it")
FACT = "SELECT id FROM proof_leaf ORDER BY seq LIMIT 1"

SAMPLES = {
    "search": [Sample(), Sample(query="?q=zzzz")],
    "design-sheet": [Sample((name,)) for name in SHEETS],
    "theme": POST,
    "revoke_token": POST,
    "end_guardianship": POST,
    "console_retry": POST,
    "console_evidence": Sample(not_a_page="hands out a file"),
    "receipt": Sample(not_a_page="hands out a file"),
    "fact": Sample(FACT),
    "tile": Sample(("0/000",)),
    "consistency": Sample(query="?old=0&new=0"),
}
