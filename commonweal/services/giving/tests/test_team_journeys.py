"""A team as people walk it: founded, shared, given with, greeted, closed; by keyboard, without JavaScript."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from commonweal.services.giving.tests.test_journeys import FOCUSED
from commonweal.services.giving.tests.test_money_journeys import MUSIC, plain
from tests.browser.fixtures import Site

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

WORDS = {
    "zh": {
        "found": "组队", "give": "和小队一起捐", "donate": "捐助", "pay": "立即付款", "write": "写句留言",
        "publish": "发布", "close": "现在结束小队", "closed": "已经结束", "without": "不随小队",
        "poster": "打印海报（含二维码）",
        "name": "小队名称", "story": "为什么一起捐", "goal": "目标金额", "words": "留言内容",
    },
    "en": {
        "found": "Found it", "give": "Give with this team", "donate": "Give", "pay": "Pay now",
        "write": "Write a greeting", "publish": "Publish it", "close": "Close the team now", "closed": "has closed",
        "without": "Give without it", "poster": "Poster to print, with a QR code", "name": "Name of the team",
        "story": "Why we give", "goal": "Goal", "words": "Your words",
    },
}  # fmt: skip


def press(page: Page, words: str) -> None:
    """Walk with the Tab key to the link or button that says just this, and press Enter."""
    page.locator("main").focus()
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate(FOCUSED) == words:
            return page.keyboard.press("Enter")
    raise AssertionError(f"Tab never comes to {words}")


def write(page: Page, label: str, words: str) -> None:
    """Walk to a field with the Tab key and write into it."""
    go_to(page, page.get_by_label(label).first)
    page.keyboard.type(words)


def go_to(page: Page, field: Locator) -> None:
    """Walk with the Tab key until this has the focus."""
    page.locator("main").focus()
    for _ in range(80):
        page.keyboard.press("Tab")
        if field.evaluate("e => e === document.activeElement"):
            return
    raise AssertionError(f"Tab never comes to {field}")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_founded_shared_given_with_greeted_and_closed(site: Site, browser: Browser, language: str) -> None:
    (campaign,), words, name = site.row(MUSIC), WORDS[language], f"Row four {language}"
    with plain(site, browser, "teacher@demo.example") as founder, plain(site, browser, "giver@demo.example") as friend:
        founder.goto(site.address("giving:teams", campaign, language=language))
        write(founder, words["name"], name)
        write(founder, words["story"], "Thirty years of singing.")
        write(founder, words["goal"], "200")
        press(founder, words["found"])
        expect(founder.get_by_role("heading", level=1)).to_have_text(name)
        shared = re.search(r"https?://\S+/teams/\S+/", founder.inner_text("main"))
        assert shared is not None
        press(founder, words["poster"])
        expect(founder.locator("figure svg")).to_be_visible()

        friend.goto(f"{site.url}/{language}{urlsplit(shared[0]).path}")
        press(friend, words["give"])
        expect(friend.locator("#give")).to_contain_text(name)
        press(friend, words["donate"])
        press(friend, words["pay"])
        press(friend, words["write"])
        write(friend, words["words"], "For the back row!")
        press(friend, words["publish"])
        expect(friend.locator("main")).to_contain_text("For the back row!")
        expect(friend.locator("main")).not_to_contain_text("5.00")
        friend.goto(site.address("giving:campaign", campaign, language=language, query=_team(friend.url)))
        late = friend.get_by_role("button", name=words["donate"], exact=True)

        founder.goto(f"{site.url}/{language}{urlsplit(shared[0]).path}")
        press(founder, words["close"])
        expect(founder.locator("main")).to_contain_text(words["closed"])

        late.press("Enter")
        expect(friend.get_by_role("alert")).to_contain_text(words["without"])
        press(friend, words["donate"])  # the same form again is a gift without the team
        press(friend, words["pay"])
        expect(friend.locator("main")).not_to_contain_text(name)


def _team(address: str) -> str:
    return f"?team={address.rstrip('/').rsplit('/', 1)[-1]}"
