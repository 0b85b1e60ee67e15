"""People who walk the pages by keyboard alone, in a browser without JavaScript, in either language."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.fixtures import Site

LONGEST = 300
"""Presses of the Tab key after which a page is given up: more than any page has places to stop at."""
PATIENCE = 60.0
"""Seconds that something may take which the platform does by itself: a busy machine is slow."""
SKIP = "#main"
FOCUS = """() => {
    const e = document.activeElement
    if (!e || e === document.body) return null
    const own = e.tagName === 'INPUT' ? e.value
        : [...e.childNodes].filter(n => !n.classList?.contains('unseen')).map(n => n.textContent).join('')
    const around = []
    for (let p = e.parentElement; p && p.id !== 'main'; p = p.parentElement)
        if (/^(LI|TR|FORM|FIELDSET|DETAILS|SECTION|P)$/.test(p.tagName)) around.push(p.textContent)
    return {says: own.replace(/\\s+/g, ' ').trim(), tag: e.tagName, name: e.getAttribute('name') || '', value: e.value,
        type: e.type || '', skip: e.getAttribute('href') === '#main', around: around.join('\\n')}
}"""
Focus = dict[str, str]


class Walker:
    """Somebody with a keyboard and without a mouse, whose browser runs no JavaScript.

    Every step goes with the Tab key from where the focus is; past the end of a page it goes on from its beginning.
    What is done in two languages is said in both, as the templates do.
    """

    def __init__(self, site: Site, page: Page, language: str) -> None:
        self.site, self.page, self.language = site, page, language
        self.actions = 0
        page.set_default_timeout(PATIENCE * 1000)

    @property
    def address(self) -> str:
        """Where the walker is."""
        return self.page.url.partition("#")[0]

    def say(self, en: str, zh: str) -> str:
        """The words of the walker's language."""
        return zh if self.language == "zh" else en

    def opens(self, name: str, *arguments: object, query: str = "") -> None:
        """Type the address of a page, by its URL name."""
        self.page.goto(self.site.address(name, *arguments, language=self.language, query=query))

    def goes(self, address: str) -> None:
        """Type an address."""
        self.page.goto(address)

    def _to(self, wanted: str, fits: Callable[[Focus], bool]) -> Focus:
        """Press Tab until something fits; on a fresh page the first stop skips to the content, as people do."""
        seen = []
        for _ in range(LONGEST):
            self.page.keyboard.press("Tab")
            focus: Focus | None = self.page.evaluate(FOCUS)
            if focus is None:
                continue
            if focus["skip"] and wanted != SKIP:
                self.page.keyboard.press("Enter")
                continue
            if fits(focus):
                return focus
            seen.append(focus["says"][:40] or focus["name"])
        raise AssertionError(f"Tab never comes to {wanted} at {self.page.url}: it comes to {list(dict.fromkeys(seen))}")

    def _says(self, en: str, zh: str, near: str) -> Callable[[Focus], bool]:
        words = self.say(en, zh)
        return lambda focus: focus["tag"] in ("A", "BUTTON") and focus["says"] == words and near in focus["around"]

    def press(self, en: str, zh: str, *, near: str = "") -> None:
        """Walk to the link or button that says just this, `near` other words if there are several, and press Enter."""
        self._to(self.say(en, zh), self._says(en, zh, near))
        self._enter()

    def press_what_has(self, words: str, *, near: str = "") -> None:
        """Walk to the link or button in which these words stand, `near` others, and press Enter."""
        self._to(
            words,
            lambda focus: focus["tag"] in ("A", "BUTTON") and words in focus["says"] and near in focus["around"],
        )
        self._enter()

    def press_near(self, words: str) -> None:
        """Walk to the first link or button beside which these words stand, and press Enter."""
        self._to(words, lambda focus: focus["tag"] in ("A", "BUTTON") and words in focus["around"])
        self._enter()

    def choose_by_name(self, field: str, en: str, zh: str) -> None:
        """Walk to a list and write the beginning of what is to be chosen, as lists let one do."""
        words = self.say(en, zh)
        self._to(field, lambda focus: focus["name"] == field)
        self.page.keyboard.press("Home")
        for _ in range(60):
            if words in self.page.locator(":focus >> option:checked").inner_text():
                return
            self.page.keyboard.press("ArrowDown")
        raise AssertionError(f"{field} does not offer {words}")

    def _enter(self) -> None:
        self.actions += 1
        with self.page.expect_navigation():
            self.page.keyboard.press("Enter")

    def unfold(self, en: str, zh: str, *, near: str = "") -> None:
        """Walk to what can be unfolded, `near` other words if there are several, and unfold it."""
        words = self.say(en, zh)
        self._to(words, lambda focus: focus["tag"] == "SUMMARY" and focus["says"] == words and near in focus["around"])
        self.page.keyboard.press("Enter")

    def write(self, field: str, words: str, *, near: str = "") -> None:
        """Walk to a field by its name and write into it, in place of what was there."""
        focus = self._to(field, lambda focus: focus["name"] == field and near in focus["around"])
        if focus["value"] and focus["type"] not in ("date", "datetime-local"):
            self.page.keyboard.press("Control+a")
        self.page.keyboard.type(words)

    def write_day(self, field: str, day: date) -> None:
        """Walk to a field for a day and write it, as a browser in English takes it."""
        self.write(field, f"{day:%m%d%Y}")

    def write_moment(self, field: str, moment: datetime) -> None:
        """Walk to a field for a local day and time and write it, as a browser in English takes it."""
        local = moment.astimezone(ZoneInfo("Asia/Shanghai"))
        self.write(field, f"{local:%m%d%Y}")
        self.page.keyboard.press("ArrowRight")
        self.page.keyboard.type(f"{local:%I%M%p}")

    def choose(self, field: str, value: object) -> None:
        """Walk to a list or to one of several buttons, and go down in it until this is chosen."""
        self._to(field, lambda focus: focus["name"] == field)
        if self.page.evaluate(FOCUS)["tag"] == "SELECT":
            self.page.keyboard.press("Home")
        else:
            self.page.keyboard.press("Space")
        for _ in range(60):
            if self.page.evaluate(FOCUS)["value"] == str(value):
                return
            self.page.keyboard.press("ArrowDown")
        raise AssertionError(f"{field} does not offer {value}")

    def tick(self, field: str) -> None:
        """Walk to a box and tick it."""
        self._to(field, lambda focus: focus["name"] == field)
        self.page.keyboard.press("Space")

    def attach(self, field: str, *files: Path) -> None:
        """Walk to a field for files; their choosing is the browser's own window."""
        self._to(field, lambda focus: focus["name"] == field)
        self.page.locator(":focus").set_input_files(list(files))

    def download(self, en: str, zh: str, *, near: str = "") -> bytes:
        """Walk to the link of a file and take it."""
        self._to(self.say(en, zh), self._says(en, zh, near))
        with self.page.expect_download() as download:
            self.page.keyboard.press("Enter")
        return Path(download.value.path()).read_bytes()

    def reads(self, en: str, zh: str | None = None) -> None:
        """The page says this (without `zh` in both languages alike)."""
        expect(self.page.locator("main")).to_contain_text(self.say(en, en if zh is None else zh))

    def misses(self, en: str, zh: str | None = None) -> None:
        """The page does not say this."""
        expect(self.page.locator("main")).not_to_contain_text(self.say(en, en if zh is None else zh))

    def is_refused(self, en: str, zh: str) -> None:
        """The form is shown again, and says why at its head."""
        expect(self.page.get_by_role("alert")).to_contain_text(self.say(en, zh))

    def is_at(self, en: str, zh: str | None = None) -> None:
        """The page has this heading."""
        expect(self.page.get_by_role("heading", level=1)).to_contain_text(self.say(en, en if zh is None else zh))

    def waits_for(self, en: str, zh: str | None = None) -> None:
        """Load the page again, as somebody without JavaScript does, until it says this."""
        words, deadline = self.say(en, en if zh is None else zh), time.monotonic() + PATIENCE
        while words not in self.page.inner_text("main") and time.monotonic() < deadline:
            self.page.reload()
        self.reads(words)


Enter = Callable[[str], Walker]


@pytest.fixture(params=["zh", "en"])
def language(request: pytest.FixtureRequest) -> str:
    """The language in which a journey is walked: each is walked in both."""
    return str(request.param)


@pytest.fixture
def enter(site: Site, browser: Browser, language: str) -> Iterator[Enter]:
    """Let somebody in: `enter("giver")` with a sign-in of the demonstration, `enter("")` as a stranger."""
    contexts = []

    def somebody(name: str) -> Walker:
        context = browser.new_context(java_script_enabled=False, viewport={"width": 390, "height": 800}, locale="en-US")
        contexts.append(context)
        if name:
            context.add_cookies(site.cookies(f"{name}@demo.example"))  # type: ignore[arg-type]
        return Walker(site, context.new_page(), language)

    yield somebody
    for context in contexts:
        context.close()
