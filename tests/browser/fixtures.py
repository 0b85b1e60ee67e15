"""A running platform with its demonstration world, and Chromium to look at it."""

from __future__ import annotations

import asyncio
import http.cookiejar
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import IO, Any

import psycopg
import pytest
from django.urls import reverse
from django.utils import translation
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, expect, sync_playwright

from commonweal.kernel.postgres import Server
from commonweal.operation.seed import PASSWORD
from commonweal.web.languages import DJANGO

ROOT = Path(__file__).parent.parent.parent
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or "/usr/bin/chromium"
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
BESIDE = """
import importlib, json, sys
from commonweal.operation.database import reach
with reach():
    print(json.dumps(importlib.import_module(sys.argv[1]).make()))
"""
PATIENCE = 30_000
"""Milliseconds in which what a page promises must be seen, also on a machine at its limit."""
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


class Site:
    """The platform as it runs for people: `commonweal run` in a process and a data directory of its own."""

    password = PASSWORD

    def __init__(self, home: Path, port: int) -> None:
        self.home = home
        self.url = f"http://127.0.0.1:{port}"
        self._signed_in: dict[str, list[dict[str, Any]]] = {}
        self._printed: list[str] = []
        self._more = threading.Condition()

    def listen(self, printed: IO[bytes]) -> None:
        """Keep what the platform prints, its mail above all; a full pipe would stop it."""
        for line in printed:
            with self._more:
                self._printed.append(line.decode())
                self._more.notify_all()

    def mail(self, address: str, pattern: str, patience: float = 60) -> str:
        """What the first group of a pattern finds in the mail to an address, waited for."""
        found: list[str] = []

        def there() -> bool:
            letters = "".join(self._printed).split(f"\nTo: {address}\n")[1:]
            found[:] = [match[1] for letter in letters if (match := re.search(pattern, letter.split("\n-----")[0]))]
            return bool(found)

        with self._more:
            assert self._more.wait_for(there, patience), f"no mail to {address} has {pattern}"
        return found[0]

    def address(self, name: str, *arguments: object, language: str = "en", query: str = "") -> str:
        """The whole address of a page by its URL name."""
        with translation.override(DJANGO[language]):  # type: ignore[index]
            return f"{self.url}{reverse(name, args=arguments)}{query}"

    def row(self, sql: str) -> tuple[Any, ...]:
        """The first row of a query in the site's database. Raises `LookupError` if there is none."""
        with psycopg.connect(Server(self.home).conninfo()) as connection:
            found = connection.execute(sql).fetchone()
        if found is None:
            raise LookupError(f"the demonstration has no row for: {sql}")
        return found

    def cookies(self, visitor: str) -> list[dict[str, Any]]:
        """The cookies of a sign-in of the demonstration, got over HTTP once and used again."""
        if visitor not in self._signed_in:
            jar = http.cookiejar.CookieJar()
            opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
            form = self.address("account_login")
            with opener.open(form) as answer:
                token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', answer.read().decode())
            assert token is not None
            sent = {"login": visitor, "password": PASSWORD, "csrfmiddlewaretoken": token[1]}
            with opener.open(form, urllib.parse.urlencode(sent).encode()) as answer:
                assert answer.url != form, f"{visitor} cannot sign in"
            self._signed_in[visitor] = [
                {"name": cookie.name, "value": cookie.value, "url": self.url} for cookie in jar if cookie.value
            ]
        return self._signed_in[visitor]

    def beside(self, module: str) -> Any:
        """What `make()` of a module tells, run beside the platform on its data."""
        environment = os.environ | {"COMMONWEAL_DATA_DIR": str(self.home)}
        command = [sys.executable, "-c", BESIDE, module]
        done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, check=True)
        return json.loads(done.stdout)

    def knock(self, url: str, visitor: str = "") -> tuple[int, str]:
        """Status and media type of an address, without following where it leads."""
        cookies = "; ".join(f"{each['name']}={each['value']}" for each in (self.cookies(visitor) if visitor else ()))
        request = urllib.request.Request(url, headers={"Cookie": cookies})
        try:
            with urllib.request.build_opener(_Stay).open(request, timeout=30) as answer:
                return answer.status, answer.headers["Content-Type"]
        except urllib.error.HTTPError as error:
            return error.code, error.headers["Content-Type"] or ""


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        """Not to be followed."""


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    """The running platform, seeded. It is not shared with tests that need a database of their own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    home = Path(tempfile.mkdtemp(prefix="commonweal-site-"))
    ours = {name: value for name, value in os.environ.items() if not name.startswith("COMMONWEAL_")}
    ours.pop("DATABASE_URL", None)
    command = [
        sys.executable,
        "-m",
        "commonweal.cli",
        "run",
        "--data",
        str(home),
        "--port",
        str(port),
        "--workers",
        "1",
    ]
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=ours, stdout=subprocess.PIPE, stderr=log)
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if b"http://" in line:
                break
        else:
            pytest.fail(f"the platform does not start:\n{(home / 'log').read_text()}")
        running = Site(home, port)
        threading.Thread(target=running.listen, args=[process.stdout], daemon=True).start()
        yield running
    finally:
        process.terminate()
        process.wait(60)
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium. Without it the suite fails: what is not looked at is not tested."""
    if not Path(CHROMIUM).exists():
        pytest.fail("Chromium is missing: apt-get install chromium", pytrace=False)
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        loop = asyncio._get_running_loop()
        yield chromium
        asyncio._set_running_loop(loop)  # the last test may be one that does not see it
        chromium.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A fresh visitor."""
    fresh = browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    yield fresh
    fresh.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """A tab of a fresh visitor."""
    return context.new_page()


@pytest.fixture
def page_without_js(browser: Browser) -> Iterator[Page]:
    """A tab in which no JavaScript runs."""
    fresh = browser.new_context(java_script_enabled=False, viewport={"width": 390, "height": 800})
    yield fresh.new_page()
    fresh.close()


class Looker:
    """One tab for a whole run of the crawler, and axe in it."""

    def __init__(self, browser: Browser) -> None:
        self.axe = (resources.files("axe_playwright_python") / "axe.min.js").read_text()
        self.context = browser.new_context(reduced_motion="reduce", viewport={"width": 1280, "height": 900})
        self.page = self.context.new_page()
        self.complaints: list[str] = []
        self.requests: list[Request] = []
        developer = self.context.new_cdp_session(self.page)
        developer.send("Network.enable")
        developer.send("Network.setCacheDisabled", {"cacheDisabled": True})
        self.page.on("console", self._note)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("requestfinished", self._count)

    def _count(self, request: Request) -> None:
        self.requests.append(request)

    def start_anew(self) -> None:
        """Another visitor sits down."""
        self.context.clear_cookies()
        self.complaints.clear()
        self.requests.clear()

    def weight(self) -> tuple[int, int]:
        """The bytes that travelled for the page since then: of the view itself, and of its pictures."""
        view = pictures = 0
        for request in self.requests:
            sizes = request.sizes()
            size = sizes["responseBodySize"] + sizes["responseHeadersSize"]
            if request.resource_type == "image" and not request.url.endswith(".svg"):
                pictures += size
            else:
                view += size
        return view, pictures

    def _note(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.complaints.append(message.text)

    def violations(self, theme: str) -> list[str]:
        """What axe has against the page: in light WCAG 2.2 A and AA and best practice; in dark, of the same document,
        the rules that look at colours.
        """
        self.page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(self.axe)
        only = TAGS if theme == "light" else {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}
        options = json.dumps({"runOnly": only, "resultTypes": ["violations"]})
        found = self.page.evaluate(f"axe.run(document, {options}).then(result => result.violations)")
        return [
            f"{violation['id']}: {node['html'][:160]} {node['failureSummary']}"
            for violation in found
            for node in violation["nodes"]
        ]


@pytest.fixture(scope="session")
def tab(browser: Browser) -> Iterator[Looker]:
    """The crawler's tab."""
    loop = asyncio._get_running_loop()
    made = Looker(browser)
    yield made
    asyncio._set_running_loop(loop)
    made.context.close()


@pytest.fixture
def looker(tab: Looker) -> Iterator[Looker]:
    """The crawler's tab, which is left empty: what moves on a page would take a processor from all tests after it."""
    yield tab
    tab.page.goto("about:blank")
