"""Actions and time as people walk them: shifts, disputes, contracts, time banks; without JavaScript, or a mouse."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from commonweal.services.giving.tests.test_journeys import look_again_until, signed_in, walk_to
from commonweal.services.giving.tests.test_money_journeys import plain
from tests.browser.fixtures import Site

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

STAMPS = "SELECT id FROM giving_campaign WHERE title_en LIKE 'Stamps for letters%'"
LAKE = "SELECT id FROM giving_bank WHERE name_en LIKE 'Cuihu%'"
SHORE = "SELECT id FROM giving_bank WHERE name_en LIKE 'Erhai%'"
MINUTE = timedelta(minutes=1)
WORDS = {
    "zh": {
        "what": "内容（中文）", "from": "开始", "to": "结束", "places": "名额", "call": "发布", "sign": "报名",
        "check": "签到", "confirm": "确认", "confirmed": "已确认 {n} 分钟", "mine": "我的实际分钟数", "dispute": "申诉",
        "decide": "裁定", "taken": "该时段您已报名其他班次", "waits": "待机构确认",
        "claim": "机构确认 40，志愿者主张 50",
        "per": "每多少", "pays": "出资（元）", "most": "总额上限（元）", "until": "截止时间", "offer": "提出",
        "company": "代表哪家企业", "accept": "代表机构接受", "give": "捐出", "many": "数量", "limit": "每天最多 30,000",
        "due": "应付", "came": "款项已到账", "closed": "已结清", "numbers": "对方编号", "minutes": "分钟",
        "bank": "对方所在时间银行", "send": "请对方确认", "low": "余额不足", "self": "不能与自己互助", "shore": "洱海",
        "get": "确认收到", "done": "已确认", "about": "互助类别", "lessons": "教学伴读", "back": "全部退回",
        "return": "退回", "settled": "已裁定或退回",
    },
    "en": {
        "what": "What, in Chinese", "from": "From", "to": "To", "places": "Places", "call": "Call", "sign": "Sign up",
        "check": "Check in", "confirm": "Confirm", "confirmed": "{n} minutes confirmed",
        "mine": "Minutes that I was there", "dispute": "Dispute", "decide": "Decide",
        "taken": "You have signed up for another shift at that time", "waits": "Waits for the charity",
        "claim": "confirmed 40, claimed 50", "per": "For every so many", "pays": "Yuan", "most": "At most, in yuan",
        "until": "Until", "offer": "Offer", "company": "For which company", "accept": "Accept for the charity",
        "give": "Give", "many": "How many", "limit": "At most 30,000", "due": "Due", "came": "The money has come",
        "closed": "Closed", "numbers": "Their number", "minutes": "Minutes", "bank": "The other is a member of",
        "send": "Send for confirmation", "low": "There is not enough left", "self": "somebody else than yourself",
        "shore": "Erhai", "get": "Confirm: I get the time", "done": "Confirmed", "about": "What it was about",
        "lessons": "Lessons and reading", "back": "Give it all back", "return": "Give back", "settled": "Settled",
    },
}  # fmt: skip


def local(ahead: timedelta) -> str:
    """A local day and time as a form takes it."""
    return f"{datetime.now(ZoneInfo('Asia/Shanghai')) + ahead:%Y-%m-%dT%H:%M}"


def call(page: Page, words: dict[str, str], what: str, starts: timedelta) -> None:
    """The charity calls for help for an hour."""
    page.get_by_label(words["what"]).fill(what)
    page.get_by_label(words["from"], exact=True).fill(local(starts))
    page.get_by_label(words["to"], exact=True).fill(local(starts + 60 * MINUTE))
    page.get_by_label(words["places"], exact=True).fill("2")
    page.get_by_role("button", name=words["call"], exact=True).click()
    expect(line(page, what)).to_be_visible()


def line(page: Page, what: str) -> Locator:
    """The shift of that name in the list."""
    return page.locator("main li", has_text=what)


# The volunteers differ by language: nobody is at two shifts at a time.
@pytest.mark.parametrize(("language", "volunteer"), [("zh", "giver@demo.example"), ("en", "teacher@demo.example")])
def test_a_call_is_answered_confirmed_disputed_and_decided(
    site: Site, browser: Browser, language: str, volunteer: str
) -> None:
    (campaign,), words = site.row(STAMPS), WORDS[language]
    needs = site.address("giving:needs", campaign, language=language)
    what, other = f"写信 {uuid.uuid4().hex[:6]}", f"寄信 {uuid.uuid4().hex[:6]}"
    with (
        plain(site, browser, "charity@demo.example") as charity,
        plain(site, browser, volunteer) as page,
        plain(site, browser, "steward@demo.example") as steward,
    ):
        charity.goto(needs)
        call(charity, words, what, 2 * MINUTE)
        call(charity, words, other, 30 * MINUTE)
        page.goto(needs)
        line(page, what).get_by_role("button", name=words["sign"]).click()
        line(page, other).get_by_role("button", name=words["sign"]).click()
        expect(page.get_by_role("alert")).to_contain_text(words["taken"])
        line(page, what).get_by_role("button", name=words["check"]).click()
        expect(line(page, what)).to_contain_text(words["waits"])

        charity.goto(needs)
        hours = charity.locator("main form", has_text=what).filter(
            has=charity.get_by_role("button", name=words["confirm"], exact=True)
        )
        hours.get_by_role("textbox").fill("61")
        hours.get_by_role("button").click()
        expect(charity.get_by_role("alert")).to_be_visible()
        hours.get_by_role("textbox").fill("40")
        hours.get_by_role("button").click()
        expect(hours).to_have_count(0)

        page.goto(needs)
        expect(line(page, what)).to_contain_text(words["confirmed"].format(n=40))
        page.get_by_label(words["mine"]).last.fill("50")
        line(page, what).get_by_role("button", name=words["dispute"]).click()

        steward.goto(site.address("giving:disputes", language=language))
        dispute = steward.locator("main form", has_text=what)
        expect(dispute).to_contain_text(words["claim"])
        dispute.get_by_role("textbox").fill("45")
        dispute.get_by_role("button", name=words["decide"]).click()
        expect(dispute).to_have_count(0)
        page.goto(needs)
        expect(line(page, what)).to_contain_text(words["confirmed"].format(n=45))


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_sponsors_contract_from_the_offer_to_its_close(site: Site, browser: Browser, language: str) -> None:
    (campaign,), words = site.row(STAMPS), WORDS[language]
    with (
        plain(site, browser, "company@demo.example") as company,
        plain(site, browser, "charity@demo.example") as charity,
        plain(site, browser, "giver@demo.example") as giver,
    ):
        company.goto(site.address("giving:sponsors", campaign, language=language))
        company.get_by_label(words["per"]).fill("1000")
        company.get_by_label(words["pays"], exact=True).fill("1")
        company.get_by_label(words["most"]).fill("100")
        company.get_by_label(words["until"]).fill(local(timedelta(hours=2)))
        company.get_by_role("button", name=words["offer"]).click()
        contract = company.url
        charity.goto(contract)
        charity.get_by_role("button", name=words["accept"]).click()

        needs = site.address("giving:needs", campaign, language=language)
        giver.goto(needs)
        giver.get_by_label(words["many"]).fill("100000")
        giver.get_by_role("button", name=words["give"], exact=True).click()
        expect(giver.get_by_role("alert")).to_contain_text(words["limit"])
        giver.get_by_label(words["many"]).fill("2500")
        giver.get_by_role("button", name=words["give"], exact=True).click()
        expect(giver.get_by_role("alert")).to_have_count(0)

        # Two hours later, as far as this contract and the clerk can tell.
        id = contract.rstrip("/").rpartition("/")[2]
        site.row(f"UPDATE giving_sponsorship SET closes_at = now() WHERE id = '{id}' RETURNING id")
        site.row("UPDATE jobs_recurrence SET next = now() WHERE task = 'giving.settle' RETURNING task")
        charity.goto(contract)
        look_again_until(charity, charity.get_by_role("button", name=words["came"]))
        expect(charity.locator("main .tag").first).to_contain_text(words["due"])
        expect(charity.locator("main dl")).to_contain_text("2.00")
        charity.get_by_role("button", name=words["came"]).click()
        expect(charity.locator("main .tag").first).to_contain_text(words["closed"])


@pytest.mark.parametrize("language", ["zh", "en"])
def test_minutes_go_from_one_bank_to_another_and_back(site: Site, browser: Browser, language: str) -> None:
    (lake,), (shore,), words = site.row(LAKE), site.row(SHORE), WORDS[language]
    with plain(site, browser, "giver@demo.example") as giver, plain(site, browser, "teacher@demo.example") as teacher:
        giver.goto(site.address("giving:bank_account", lake, language=language))
        giver.get_by_label(words["minutes"], exact=True).fill("20")
        giver.get_by_label(words["numbers"]).fill("1")
        giver.get_by_role("button", name=words["send"]).click()
        expect(giver.get_by_role("alert")).to_contain_text(words["self"])
        giver.get_by_label(words["bank"]).select_option(str(shore))
        giver.get_by_label(words["minutes"], exact=True).fill("1440")
        giver.get_by_role("button", name=words["send"]).click()
        expect(giver.get_by_role("alert")).to_contain_text(words["low"])
        expect(giver.get_by_label(words["numbers"])).to_have_value("1")
        giver.get_by_label(words["minutes"], exact=True).fill("20")
        giver.get_by_label(words["about"]).select_option("lessons")
        giver.get_by_role("button", name=words["send"]).click()
        expect(giver.get_by_role("alert")).to_have_count(0)
        giver.locator("main li a", has_text=words["shore"]).first.click()
        exchange = giver.url
        expect(giver.locator("main dl")).to_contain_text(words["lessons"])

        teacher.goto(site.address("inbox", language=language))
        look_again_until(teacher, teacher.get_by_text(words["lessons"]).first)
        teacher.goto(site.address("giving:bank_account", shore, language=language))
        teacher.locator(f"main a[href*='{exchange.rstrip('/').rpartition('/')[2]}']").click()
        teacher.get_by_role("button", name=words["get"]).click()
        expect(teacher.locator("main .tag")).to_contain_text(words["done"])
        teacher.get_by_text(words["back"], exact=True).click()
        teacher.get_by_role("button", name=words["return"], exact=True).click()
        expect(teacher.locator("main .tag")).to_contain_text(words["settled"])
        giver.goto(exchange)
        expect(giver.locator("main .tag")).to_contain_text(words["settled"])


def test_help_is_entered_and_withdrawn_by_keyboard_alone(site: Site, browser: Browser) -> None:
    (lake,) = site.row(LAKE)
    page = signed_in(site, browser, "giver@demo.example")
    page.goto(site.address("giving:timebank", lake, language="zh"))
    walk_to(page, "我的账户")
    page.keyboard.press("Enter")
    page.wait_for_url("**/account/")
    page.get_by_label("对方编号").focus()
    page.keyboard.type("2，3")
    page.keyboard.press("Tab")
    page.keyboard.type("5")
    walk_to(page, "请对方确认")
    page.keyboard.press("Enter")
    page.wait_for_load_state()
    walk_to(page, "我付出 5 分钟")
    page.keyboard.press("Enter")
    page.wait_for_url("**/exchanges/**")
    walk_to(page, "撤回")
    page.keyboard.press("Enter")
    expect(page.locator("main .tag")).to_contain_text("已撤回")
    page.context.close()
