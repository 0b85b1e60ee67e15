"""The forest's trees as people walk to them: without JavaScript, by keyboard, from a certificate to its proofs."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from commonweal.kernel.proof import load_verifier, verify_receipt
from commonweal.services.forest.rules.certificates import Number
from commonweal.services.forest.seed.snapshot import snapshot
from commonweal.services.forest.tests.grove import geojson
from tests.browser.fixtures import ROOT, Site

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

TREE = Number("MQ1", "2026S", 1)


def signed_in(site: Site, browser: Browser, visitor: str, *, script: bool = False) -> Page:
    context = browser.new_context(java_script_enabled=script, viewport={"width": 390, "height": 800})
    context.add_cookies(site.cookies(visitor))  # type: ignore[arg-type]
    return context.new_page()


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_trees_chain_is_checked_offline(site: Site, browser: Browser, language: str, tmp_path: Path) -> None:
    page = signed_in(site, browser, "giver@demo.example")
    page.goto(site.address("forest:trees", language=language))
    page.get_by_role("link", name=str(TREE)).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(str(TREE))
    facts = [link.get_attribute("href") for link in page.locator(".way a.proof").all()]
    kinds = []
    for number, href in enumerate(facts):
        data = page.request.get(f"{site.url}{re.sub('^/(zh|en)', '', href or '')}receipt")
        if not data.ok:
            data = page.request.get(f"{site.url}{href}receipt")
        (tmp_path / f"{number}").write_bytes(data.body())
        kinds.append(verify_receipt(data.body(), load_verifier(site.home)).fact["kind"])
    assert kinds[:3] == ["forest.plot", "forest.plot", "forest.certificate"]
    assert {"forest.planting", "forest.capture", "forest.seed", "forest.survey"} <= set(kinds)
    if language == "en":  # a stranger's machine: the command alone, without a server or a network
        for number in range(len(facts)):
            command = [sys.executable, "-m", "commonweal.cli", "verify", "receipt", str(tmp_path / f"{number}")]
            assert subprocess.run(command, cwd=ROOT, capture_output=True, check=False).returncode == 0
    page.context.close()


@pytest.mark.parametrize("language", ["zh", "en"])
def test_down_the_map_without_javascript(site: Site, page_without_js: Page, language: str) -> None:
    page = page_without_js
    page.goto(site.address("forest:tile", 15, 25767, 12567, language=language))
    for _ in range(20):
        table = page.get_by_role("main").locator("table th a")
        if not table.count() or "/19/" in page.url:
            break
        table.first.click()
    assert "/map/19/" in page.url
    expect(page.get_by_role("main").locator("table")).to_be_visible()
    page.get_by_role("main").locator(".key a").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(re.compile("MQ|YA"))


def test_the_map_by_keyboard_alone(site: Site, page: Page) -> None:
    page.goto(site.address("forest:map", language="zh"))
    page.locator("main").focus()
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.tagName == 'A' && document.activeElement.innerText.includes('°N')"):
            break
    before = page.url
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/map/\d+/\d+/\d+/$"))
    assert page.url != before


def test_a_photograph_waits_on_the_telephone_until_there_is_a_network(site: Site, browser: Browser) -> None:
    page = signed_in(site, browser, "charity@demo.example", script=True)
    page.goto(site.address("forest:field", language="en"))
    (before,) = site.row("SELECT count(*) FROM forest_capture")
    fix = site.row("SELECT latitude, longitude FROM forest_capture ORDER BY at LIMIT 1")
    page.get_by_label("Photograph", exact=True).set_input_files(
        {"name": "tree.jpg", "mimeType": "image/jpeg", "buffer": snapshot(900)}
    )
    page.get_by_label(re.compile("^Fixes")).fill("\n".join(f"{fix[0] + n * 1e-6}, {fix[1]}" for n in range(5)))
    page.context.set_offline(True)
    page.get_by_role("button", name="Send the photograph").click()
    expect(page.locator("[data-says]")).to_contain_text("Kept on this phone")
    assert site.row("SELECT count(*) FROM forest_capture") == (before,)
    page.context.set_offline(False)
    expect(page.locator("[data-says]")).to_have_text("Sent.")
    assert site.row("SELECT count(*) FROM forest_capture") == (before + 1,)
    page.context.close()


def test_the_field_page_opens_without_a_network(site: Site, browser: Browser) -> None:
    page = signed_in(site, browser, "charity@demo.example", script=True)
    page.goto(site.address("forest:field", language="zh"))
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    page.reload()  # now the worker stands in between and keeps what it sees
    page.wait_for_load_state("networkidle")
    page.context.set_offline(True)
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text("在地里")
    page.context.close()


def test_a_steward_contracts_a_plot_and_is_refused_its_neighbours_ground(site: Site, browser: Browser) -> None:
    page = signed_in(site, browser, "steward@demo.example")
    page.goto(site.address("forest:console", language="zh"))
    page.get_by_text("签约地块").click()
    form = page.locator("form:has(#outline)")
    form.get_by_label("代码").fill("ZZ9")
    form.get_by_label("合同允许的位置数").fill("100")
    outline = geojson((103.0912, 38.6203), (103.093, 38.6203), (103.093, 38.622))
    form.get_by_label("边界（GeoJSON）").fill(outline)
    form.get_by_role("button", name="签约").click()
    expect(page.get_by_role("alert")).to_contain_text("MQ1")
    expect(page.locator("#outline")).to_have_value(outline)
    page.context.close()
