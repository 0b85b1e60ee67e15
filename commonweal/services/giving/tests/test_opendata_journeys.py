"""Open data as people reach it, by keyboard and without JavaScript: exports, feeds, tokens and webhooks."""

from __future__ import annotations

import json

import pytest

from commonweal.services.giving.tests.stage import title
from tests.browser.fixtures import Site
from tests.browser.walking import Enter

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def test_the_books_are_open_in_the_fields_own_formats(enter: Enter) -> None:
    stranger = enter("")
    stranger.opens("giving:books")
    assert b'<iati-activities version="2.03"' in stranger.download("IATI 2.03", "IATI 2.03")
    assert json.loads(stranger.download("360Giving", "360Giving"))["grants"]


def test_a_charity_takes_its_gifts_and_payouts_away(stage: dict[str, str], enter: Enter, language: str) -> None:
    officer = enter("charity")
    officer.opens("giving:charity")
    near = title("spent", language)
    officer.unfold("More", "更多", near=near)
    assert b"100.00" in officer.download("Gifts as CSV", "捐款 CSV", near=near)
    assert b"60.00" in officer.download("Payouts as CSV", "拨款 CSV", near=near)


def test_a_program_is_let_know_and_no_longer(site: Site, stage: dict[str, str], enter: Enter, language: str) -> None:
    somebody = enter("teacher")
    somebody.opens("giving:campaign", stage["spent"])
    somebody.press("Webhook", "事件推送")
    somebody.write("address", "https://127.0.0.1/hook")
    somebody.press("Call it from now on", "开始推送")
    somebody.is_refused("open internet", "公网")
    somebody.write("address", "https://example.org/hook")
    somebody.press("Call it from now on", "开始推送")
    somebody.reads("cwh_")
    somebody.press("End it", "停止推送")
    somebody.misses("https://example.org/hook")
    somebody.reads("For updates alone the feed is enough.", "只看进展，用订阅源即可。")
    feed = site.address("giving:feed", stage["spent"], language=language)
    assert site.knock(feed) == (200, "application/atom+xml; charset=utf-8")
