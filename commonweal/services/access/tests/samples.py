"""How the tests open the pages of access (see tests/browser/samples.py)."""

from __future__ import annotations

from tests.browser.samples import Sample

SAMPLES = {
    "access:report": Sample("SELECT id FROM access_report LIMIT 1"),
    "access:place": Sample(("district", "node", 63)),
    "access:city": Sample(("district",)),
    "access:profile": Sample(not_a_page="its owner's alone: opened in test_service"),
}
