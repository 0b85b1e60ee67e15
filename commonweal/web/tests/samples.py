"""How the tests open the pages of the house (see tests/browser/samples.py)."""

from commonweal.web.pages.design import SHEETS
from tests.browser.samples import Sample

GIVER, STEWARD = "giver@demo.example", "steward@demo.example"
FACT = "SELECT id FROM proof_leaf ORDER BY seq LIMIT 1"


def _own(*names: str, visitor: str = GIVER) -> dict[str, Sample]:
    return {name: Sample(visitor=visitor) for name in names}


def _closed(why: str, *names: str) -> dict[str, Sample]:
    return {name: Sample(not_a_page=why) for name in names}


SAMPLES = {
    "search": [Sample(), Sample(query="?q=zzzz")],
    "design-sheet": [Sample((name,)) for name in SHEETS],
    "fact": Sample(FACT),
    "tile": Sample(("0", "000", "1")),
    "consistency": Sample(query="?from=1&to=1"),
    **_own("account", "forget", "tokens", "register_organisation", "inbox", "mfa_index", "mfa_list_webauthn"),
    **_own("account_email", "account_change_password", "account_logout", "account_reauthenticate"),
    **_own("console", "console_audit", visitor=STEWARD),
    **_closed("takes POST only", "theme", "account_name", "account_language", "revoke_token", "withdraw_consent"),
    **_closed("takes POST only", "end_guardianship", "console_retry", "console_party", "account_phone_code"),
    **_closed("a file", "receipt", "account_data", "console_evidence", "mfa_download_recovery_codes"),
    **_closed("JSON for the passkey script", "mfa_login_webauthn"),
    **_closed("opened by the tests of accounts and credentials", "organisation", "message", "console_credential"),
    **_closed("only within a sign-in under way", "account_email_verification_sent", "account_confirm_login_code"),
    **_closed("only within a sign-in under way", "account_confirm_password_reset_code", "mfa_authenticate"),
    **_closed("only within a sign-in under way", "account_complete_password_reset", "mfa_signup_webauthn"),
    **_closed("only after the password was given once more", "mfa_activate_totp", "mfa_add_webauthn"),
    **_closed("only for those who have one", "mfa_deactivate_totp", "mfa_view_recovery_codes", "mfa_edit_webauthn"),
    **_closed("only for those who have one", "mfa_generate_recovery_codes", "mfa_remove_webauthn", "mfa_reauthenticate"),
    **_closed("only for those who have one", "mfa_reauthenticate_webauthn", "account_set_password"),
}
