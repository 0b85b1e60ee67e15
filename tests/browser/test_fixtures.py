"""What the browser leaves to the tests that come after it in the same process."""

from __future__ import annotations

import asyncio

import pytest
from playwright.sync_api import Page

from tests.browser.fixtures import Looker


@pytest.fixture(scope="module")
def seen_by_the_folder() -> asyncio.AbstractEventLoop | None:
    """What a fixture sees that outlives one test."""
    return asyncio._get_running_loop()


@pytest.mark.browser
def test_a_browser_runs_on_its_loop(page: Page, tab: Looker) -> None:
    """The tab outlives the test: it is closed at the end of the session, by the teardown of whatever comes last."""
    assert asyncio._get_running_loop() is not None
    for each in (page, tab.page):
        each.set_content("<p>there</p>")
        assert each.inner_text("p") == "there"


def test_no_other_test_sees_its_loop(seen_by_the_folder: asyncio.AbstractEventLoop | None) -> None:
    assert seen_by_the_folder is None
    assert asyncio._get_running_loop() is None
