"""How the tests open the pages of the house (see tests/browser/samples.py)."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page

from commonweal.web.pages.design import SHEETS
from tests.browser.samples import Sample

GIVER, CHARITY, STEWARD = "giver@demo.example", "charity@demo.example", "steward@demo.example"
FACT = "SELECT id FROM proof_leaf ORDER BY seq LIMIT 1"
MESSAGE = """SELECT notice.id FROM notices_notice AS notice
    JOIN parties_login AS login ON login.party_id = notice.party_id WHERE login.email = 'giver@demo.example' LIMIT 1"""
ORGANISATION = """SELECT within_id FROM parties_grant AS held
    JOIN parties_login AS login ON login.party_id = held.party_id
    WHERE login.email = 'charity@demo.example' AND within_id IS NOT NULL LIMIT 1"""


def _closed(why: str, *names: str) -> dict[str, Sample]:
    return {name: Sample(not_a_page=why) for name in names}


def _once_more(page: Page, site: Any) -> None:
    """Give the password once more, as the pages that change the ways of signing in ask."""
    page.goto(site.address("account_reauthenticate"))
    page.locator("input[name=password]").fill(site.password)
    page.locator("main form button").first.click()


SAMPLES = {
    "search": [Sample(), Sample(query="?q=zzzz")],
    "design-sheet": [Sample((name,)) for name in SHEETS],
    "fact": Sample(FACT),
    "tile": Sample(("0", "000", "1")),
    "consistency": Sample(query="?from=1&to=1"),
    "message": Sample(MESSAGE, visitor=GIVER),
    "organisation": Sample(ORGANISATION, visitor=CHARITY),
    "console_credential": Sample("SELECT id FROM parties_credential LIMIT 1", visitor=STEWARD),
    "mfa_activate_totp": Sample(visitor=GIVER, prepare=_once_more),
    "mfa_add_webauthn": Sample(visitor=GIVER, prepare=_once_more),
    **_closed("takes POST only", "theme", "revoke_token", "end_guardianship", "console_retry"),
    **_closed("a file", "file", "smaller", "receipt", "console_evidence", "mfa_download_recovery_codes"),
    **_closed("JSON for the passkey script", "mfa_login_webauthn"),
    **_closed("only where WeChat is set up", "account_wechat", "account_wechat_back"),
    **_closed("only within a sign-in under way", "account_email_verification_sent", "account_confirm_login_code"),
    **_closed("only within a sign-in under way", "account_confirm_password_reset_code", "mfa_authenticate"),
    **_closed("only within a sign-in under way", "account_complete_password_reset", "mfa_signup_webauthn"),
    **_closed("only for those who have one", "mfa_deactivate_totp", "mfa_view_recovery_codes", "mfa_edit_webauthn"),
    **_closed("only for those who have one", "mfa_generate_recovery_codes", "mfa_remove_webauthn"),
    **_closed("only for those who have one", "mfa_reauthenticate", "mfa_reauthenticate_webauthn"),
    **_closed("only for those who have no password", "account_set_password"),
}
