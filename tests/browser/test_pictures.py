"""The README's pictures, taken as a visitor sees the pages; `COMMONWEAL_PICTURES=1` keeps them in docs/pictures."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser

from tests.browser.fixtures import ROOT, Site
from tests.browser.samples import addresses

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

KEPT = ROOT / "docs" / "pictures"


@dataclass(frozen=True)
class Picture:
    """A page as a visitor sees it; `arguments` is SQL for those of its address."""

    address: str
    language: str
    visitor: str = ""
    arguments: str = ""
    width: int = 1280
    height: int = 960


PICTURES = {
    "home": Picture("home", "en"),
    "campaign": Picture(
        "giving:campaign",
        "zh",
        arguments="SELECT id FROM giving_campaign WHERE kind = 'campaign' AND title_en LIKE 'A music teacher%'",
    ),
    "forest": Picture("forest:energy", "zh", visitor="giver@demo.example"),
}


@pytest.mark.parametrize("name", PICTURES)
def test_the_readme_shows_the_pages_as_they_are(site: Site, browser: Browser, name: str) -> None:
    shot = PICTURES[name]
    if shot.address not in {address.name for address in addresses()}:
        pytest.skip(f"the service of {shot.address} is not here")
    context = browser.new_context(viewport={"width": shot.width, "height": shot.height}, reduced_motion="reduce")
    if shot.visitor:
        context.add_cookies(site.cookies(shot.visitor))  # type: ignore[arg-type]
    page = context.new_page()
    arguments = site.row(shot.arguments) if shot.arguments else ()
    answer = page.goto(site.address(shot.address, *arguments, language=shot.language), wait_until="networkidle")
    assert answer is not None and answer.status == 200
    taken = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    context.close()
    assert len(taken.quantize(64).getcolors() or []) > 20, "an empty page"
    assert f"docs/pictures/{name}.png" in (ROOT / "README.md").read_text()
    if os.environ.get("COMMONWEAL_PICTURES"):
        _keep(taken, KEPT / f"{name}.png")
    assert Image.open(KEPT / f"{name}.png").size == taken.size


def _keep(taken: Image.Image, path: Path) -> None:
    taken.quantize(128).save(path, optimize=True)
