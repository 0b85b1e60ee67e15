"""A team as people walk it: founded, shared, given with, greeted, closed; by keyboard, without JavaScript."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from commonweal.services.giving.tests.test_journeys import MUSIC
from tests.browser.fixtures import Site
from tests.browser.walking import Enter

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def test_founded_shared_given_with_greeted_and_closed(site: Site, enter: Enter, language: str) -> None:
    founder, friend, name = enter("teacher"), enter("giver"), f"Row four {language}"
    founder.opens("giving:campaign", *site.row(MUSIC))
    founder.press("Give together", "组队捐")
    founder.write("name", name)
    founder.write("story", "Thirty years of singing.")
    founder.write("goal", "200")
    founder.press("Start the team", "组队")
    founder.is_at(name)
    shared = re.search(r"https?://\S+/teams/\S+/", founder.page.inner_text("main"))
    assert shared is not None and shared[0].startswith(site.url)
    team = f"{site.url}/{language}{urlsplit(shared[0]).path}"
    founder.press("Poster to print, with a QR code", "打印海报（含二维码）")
    expect(founder.page.locator("figure svg")).to_be_visible()

    friend.goes(team)
    friend.press("Give with this team", "和小队一起捐")
    expect(friend.page.locator("#give")).to_contain_text(name)
    friend.press("Give", "捐助")
    friend.press("Pay now", "立即付款")
    friend.press("Write a greeting", "写句留言")
    friend.write("greeting", "For the back row!")
    friend.press("Publish it", "发布")
    friend.reads("For the back row!")
    friend.misses("5.00")
    late = enter("giver")
    late.goes(team)
    late.press("Give with this team", "和小队一起捐")

    founder.goes(team)
    founder.press("Close the team now", "现在结束小队")
    founder.reads("has closed", "已经结束")

    late.press("Give", "捐助")
    late.is_refused("Give without it", "不随小队")
    late.press("Give", "捐助")  # the same form again is a gift without the team
    late.press("Pay now", "立即付款")
    late.misses(name)
