"""The live streams, from outside."""

from __future__ import annotations

import json
import urllib.request

import pytest

from tests.browser.fixtures import Site

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def test_the_newest_checkpoint_is_told_at_once(site: Site) -> None:
    with urllib.request.urlopen(f"{site.url}/live/checkpoints", timeout=60) as stream:
        assert stream.headers["Content-Type"] == "text/event-stream; charset=utf-8"
        for line in stream:
            if line.startswith(b"data: "):
                told = json.loads(line.removeprefix(b"data: "))
                break
    with urllib.request.urlopen(f"{site.url}/checkpoint") as answer:
        assert told["size"] <= int(answer.read().split(b"\n")[1])
