"""Accounts in a real browser: passkeys with a virtual authenticator, and everything else without JavaScript."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from commonweal.kernel.files.tests.pictures import document
from commonweal.operation.seed import PASSWORD
from tests.browser.fixtures import Site

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

VISITOR = "teacher@demo.example"


def sign_in(page: Page, url: str, who: str, to: str = "/en/account/") -> None:
    page.goto(f"{url}/en/account/login/?next={to}")
    page.fill("#login", who)
    page.fill("#password", PASSWORD)
    page.click("main form .btn >> nth=0")


def test_a_passkey_is_added_and_signs_in_alone(site: Site, page: Page) -> None:
    url = site.url.replace("127.0.0.1", "localhost")  # passkeys belong to names, not to numbers
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    site.cookies(VISITOR)  # from now on this account asks for more than a password: other tests have come in before
    sign_in(page, url, VISITOR, "/en/account/keys/webauthn/add/")
    page.fill("#password", PASSWORD)  # once more: this concerns safety
    page.click("main form .btn >> nth=0")
    page.fill("#name", "my phone")
    page.check("#passwordless")
    page.click("#passkey")
    page.wait_for_url(re.compile("/en/account/keys/(webauthn/|recovery-codes/)$"))
    page.goto(f"{url}/en/account/keys/webauthn/")
    expect(page.locator("main")).to_contain_text("my phone")
    page.goto(f"{url}/en/account/logout/")
    page.click("main form .btn")
    page.goto(f"{url}/en/account/login/")
    expect(page.locator("#passkey-error")).to_be_hidden()
    page.click("#passkey_login")
    page.wait_for_url(f"{url}/en/account/")
    expect(page.locator("main")).to_contain_text(VISITOR)


def test_when_a_passkey_is_not_used_it_is_said(site: Site, page: Page) -> None:
    page.goto(f"{site.url}/zh/account/login/")  # a number: no passkey can belong to it
    page.click("#passkey_login")
    expect(page.locator("#passkey-error")).to_contain_text("未能使用通行密钥")


def test_an_organisation_becomes_credible_without_javascript(site: Site, browser: Browser, tmp_path: Path) -> None:
    evidence = tmp_path / "certificate.pdf"
    evidence.write_bytes(document())
    officer = browser.new_context(java_script_enabled=False).new_page()
    sign_in(officer, site.url, "company@demo.example", "/en/account/organisations/new/")
    officer.fill("#name_zh", "春风企业基金")
    officer.fill("#name_en", "Spring Wind Fund")
    officer.fill("#registration", "91110000TESTFUND1X")
    officer.click("main form .btn")
    officer.check("#kind")
    officer.fill("#number", "91110000TESTFUND1X")
    officer.fill("#issuer", "民政部")
    officer.fill("#valid_from", "2026-01-01")
    officer.set_input_files("#evidence", evidence)
    officer.click("main form .btn")
    expect(officer.locator("main")).to_contain_text("being checked")
    where = officer.url
    for who in ("steward@demo.example", "steward2@demo.example"):
        steward = browser.new_context(java_script_enabled=False).new_page()
        sign_in(steward, site.url, who, "/en/console/")
        steward.click("#credentials + .scroll tbody a >> nth=-1")
        expect(steward.locator("main")).to_contain_text("Spring Wind Fund")
        steward.click("main form .btn >> nth=0")
        expect(steward.locator(".done-note")).to_contain_text("Your word is kept")
        steward.context.close()
    officer.goto(where)
    expect(officer.locator("main")).to_contain_text("counts")
    officer.context.close()


def test_a_fact_is_waited_for_and_its_receipt_downloaded_without_javascript(site: Site, page_without_js: Page) -> None:
    page = page_without_js
    page.goto(f"{site.url}/en/transparency/")
    page.click("main a.proof >> nth=0")
    expect(page.locator("main")).to_contain_text("In the log at place")
    with page.expect_download() as receipt:
        page.click("text=Download the receipt")
    assert receipt.value.suggested_filename.endswith(".tlog-proof")
    assert Path(receipt.value.path()).read_text().startswith("c2sp.org/tlog-proof@v1\n")
