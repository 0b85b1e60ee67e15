"""What is the giver's own, by keyboard and without JavaScript: an account, statements, receipts, following."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from commonweal.services.giving.tests.stage import title
from commonweal.services.giving.tests.test_journeys import MUSIC, give
from tests.browser.fixtures import Site
from tests.browser.walking import Enter

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def test_a_stranger_gives_joins_in_and_finds_the_gift_and_the_mails_link_works(
    site: Site, enter: Enter, language: str
) -> None:
    somebody, address = enter(""), f"newcomer-{language}@demo.example"
    somebody.opens("giving:campaign", *site.row(MUSIC))
    give(somebody)
    somebody.opens("account_signup")
    somebody.write("email", address)
    somebody.write("password1", "five yuan is enough")
    somebody.press("Join in", "注册")
    code = site.mail(address, r"([B-Z]{4}-[B-Z]{4})")
    somebody.write("code", code)
    somebody.press("Go on", "继续")
    somebody.opens("giving:mine")
    somebody.reads("5.00")
    somebody.opens("giving:campaign", *site.row(MUSIC))
    give(somebody)
    somebody.goes(site.mail(address, r"(http\S+/gifts/\S+)"))
    somebody.is_at("Thank you", "谢谢您")


def test_a_statement_a_receipt_and_the_name_on_it(stage: dict[str, str], enter: Enter, language: str) -> None:
    giver, year = enter("giver"), datetime.now(ZoneInfo("Asia/Shanghai")).year
    giver.opens("giving:mine")
    giver.press("How receipts name you", "收据抬头")
    giver.write("name", "李明")
    giver.write("number", "530102199001011234")
    giver.press("Save", "保存")
    giver.press(str(year), str(year))
    giver.reads("李明")
    giver.press_what_has(title("ended", language))
    giver.press("Receipt to print", "可打印的收据")
    giver.reads("530102199001011234")
    giver.reads("伍拾元整")
    giver.reads("2 books", "2 册")


def test_following_with_a_word_a_month_and_no_longer(stage: dict[str, str], enter: Enter, language: str) -> None:
    giver = enter("giver")
    giver.opens("giving:campaign", stage["late"])
    giver.press("Follow, with a word a month", "关注并每月提醒")
    giver.opens("giving:mine")
    giver.reads(title("late", language))
    giver.press_what_has(title("late", language))
    giver.press("Follow no longer", "取消关注")
    giver.press("Follow", "关注")
    giver.press("Follow no longer", "取消关注")
