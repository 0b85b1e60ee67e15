"""The page that checks a receipt offline (web/static/verify/index.html), in Chromium from a file."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from commonweal.kernel.proof import SignerKey, VerifierKey, tree
from commonweal.kernel.proof.note import encode
from commonweal.kernel.proof.tests.making import PRIVATE, SALT, SIGNER, entry, receipt, sealed_receipt
from commonweal.kernel.proof.verify import canonical, seal
from tests.database import ROOT

PAGE = ROOT / "commonweal" / "web" / "static" / "verify" / "index.html"
DATA = str(sealed_receipt()).encode()

pytestmark = pytest.mark.browser

Verdict = Callable[..., str]


def integrity(source: str, tag: str) -> str:
    (inside,) = re.findall(f"<{tag}>(.*?)</{tag}>", source, re.DOTALL)
    return "sha256-" + base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()


def test_its_policy_names_its_one_script_and_its_one_style() -> None:
    source = PAGE.read_text()
    for tag in ("script", "style"):
        assert f"{tag}-src '{integrity(source, tag)}'" in source
    assert "default-src 'none'" in source


def test_it_is_small_and_whole() -> None:
    source = PAGE.read_text()
    assert len(source.encode()) <= 10_000
    assert not re.search(r'(src|href)="(?!data:,)', source)
    assert "http://" not in source
    assert "https://" not in source


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    """The page, opened from its file by a browser that is offline."""
    context = browser.new_context(offline=True)
    page = context.new_page()
    page.goto(PAGE.as_uri())
    yield page
    context.close()


@pytest.fixture
def verdict(page: Page) -> Iterator[Verdict]:
    """Choose a file; the heading of the result. Nothing is ever requested, and no error is thrown."""
    asked: list[str] = []
    broken: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: broken.append(str(error)))
    page.on("console", lambda message: broken.append(message.text))

    def choose(data: bytes | str, key: str = "") -> str:
        page.evaluate("document.getElementById('result').replaceChildren()")
        page.fill("#key", key) if key or page.input_value("#key") else None
        content = data.encode() if isinstance(data, str) else data
        page.set_input_files("#file", {"name": "receipt", "mimeType": "text/plain", "buffer": content})
        page.wait_for_selector("#result h2")
        return page.inner_text("#result").replace("\n", " ")

    page.click("summary") if not page.is_visible("#key") else None
    yield choose
    assert asked == []
    assert broken == []


def test_a_receipt_holds_and_everything_is_shown(page: Page, verdict: Verdict) -> None:
    said = verdict(DATA)
    assert said.startswith("✓ 成立 Yes, it holds")
    for word in (
        "toy.given",
        "王小明",
        "500",
        "log.example/one",
        "3 / 7",
        "2023-11-14T22:13:20.003Z",
        str(SIGNER.verifier),
    ):
        assert word in said
    assert "Compare the key" in said
    assert page.get_attribute("#result", "class") == "yes"


def test_with_the_key_that_one_trusts(verdict: Verdict) -> None:
    said = verdict(DATA, str(SIGNER.verifier))
    assert "Yes" in said
    assert "Compare the key" not in said
    assert "another log" in verdict(DATA, str(SignerKey(SIGNER.name, bytes(32)).verifier))


def test_it_takes_less_than_20_milliseconds(page: Page, verdict: Verdict) -> None:
    many = [entry(number) for number in range(1000)]
    took = []
    for index in range(5, 15):
        assert "Yes" in verdict(str(receipt(many, index)))
        took.append(float(page.get_attribute("#result", "data-milliseconds") or "inf"))
    assert sorted(took)[len(took) // 2] <= 20, took


def test_pasted_text_counts_too(page: Page, verdict: Verdict) -> None:
    verdict(b"")
    page.fill("#text", DATA.decode())
    page.wait_for_selector("#result.yes h2")
    page.fill("#text", "")


def test_a_dropped_file_counts_too(page: Page, verdict: Verdict) -> None:
    verdict(b"")
    page.evaluate(
        """text => {
            const data = new DataTransfer()
            data.items.add(new File([text], "receipt"))
            for (const type of ["dragover", "drop"])
                document.body.dispatchEvent(new DragEvent(type, { dataTransfer: data, bubbles: true }))
        }""",
        DATA.decode(),
    )
    page.wait_for_selector("#result.yes h2")


@pytest.mark.parametrize("size", [1, 2, 3, 255, 256, 257])
def test_receipts_of_logs_of_many_sizes_hold(verdict: Verdict, size: int) -> None:
    entries = [entry(number) for number in range(size)]
    for index in {0, size // 2, size - 1}:
        assert "Yes" in verdict(str(receipt(entries, index)))


def test_odd_but_canonical_content_holds(verdict: Verdict) -> None:
    odd: dict[str, Any] = {
        "\U0001f600": 1,
        "\uffee": 2,
        "a\u2028\x7f\x01": [None, True, {"é": '"\\\n'}],
        "10": 1,
        "9": 2,
    }
    fact = canonical({"at": 1, "seal": encode(seal(SALT, odd)), **odd, "__proto__": "x", "deep": {"b": [], "a": {}}})
    made = receipt([fact, entry(0)], 0, (SALT, odd))
    assert "Yes" in verdict(str(made))


SEALED = sealed_receipt()
HEAD, EXTRA, REST = str(SEALED).split("\n", 2)


def with_extra(extra: object) -> str:
    data = extra if isinstance(extra, bytes) else canonical(extra)
    return f"{HEAD}\nextra {encode(data)}\n{REST}"


def resigned(name: str) -> str:
    return SignerKey(name, SIGNER.private).sign(
        SEALED.checkpoint.partition("\n\n")[0].replace(SIGNER.name, name) + "\n"
    )


GOOD = {"entry": SEALED.entry.decode(), "key": encode(SIGNER.verifier.public)}


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "not a receipt"),
        (b"\xff\xfe", "not a receipt"),
        (b"\xef\xbb\xbf" + DATA, "not a receipt"),
        (DATA[:-1], "not a receipt"),
        (DATA + b"\n", "not a receipt"),
        (DATA + b" \n", "not a receipt"),
        (DATA.replace(b"\n", b"\r\n"), "not a receipt"),
        (DATA.replace(b"@v1", b"@v2"), "not a receipt"),
        (DATA.replace(b"index 3", b"index 03"), "not a receipt"),
        (DATA.replace(b"index 3", b"index -3"), "not a receipt"),
        (b"x" * 1_000_001, "not a receipt"),
        (with_extra(b"{"), "not a receipt"),
        (with_extra(b'{"key": "x"}'), "not a receipt"),
        (with_extra([]), "not a receipt"),
        (with_extra({}), "not a receipt"),
        (with_extra({**GOOD, "more": 1}), "not a receipt"),
        (with_extra({**GOOD, "key": encode(bytes(31))}), "not a receipt"),
        (with_extra({**GOOD, "open": {}}), "not a receipt"),
        (with_extra({**GOOD, "open": [1]}), "not a receipt"),
        (with_extra(b"[" * 100_000 + b"]" * 100_000), "not a receipt"),
        (str(receipt([b'{"at":1.5}'] * 2, 0)), "not a receipt"),
        (str(receipt([b'{"at":9007199254740993}'] * 2, 0)), "not a receipt"),
        (str(receipt([b'{"b":1,"a":2}'] * 2, 0)), "not a receipt"),
        (str(receipt([b"[1]"] * 2, 0)), "not a receipt"),
        (str(replace(SEALED, proof=[*SEALED.proof, bytes(31)])), "not a receipt"),
        (str(replace(SEALED, checkpoint=SEALED.checkpoint.replace("\n7\n", "\n8\n"))), "signature"),
        (str(replace(SEALED, key=VerifierKey(SIGNER.name, bytes(32)))), "signature"),
        (str(replace(SEALED, checkpoint=SEALED.checkpoint + SEALED.checkpoint.partition("\n\n")[2])), "not a receipt"),
        (str(replace(SEALED, entry=entry(2))), "not in the log"),
        (str(replace(SEALED, index=2)), "not in the log"),
        (str(replace(SEALED, index=7)), "not in the log"),
        (str(replace(SEALED, proof=SEALED.proof[::-1])), "not in the log"),
        (str(replace(SEALED, proof=SEALED.proof[:-1])), "not in the log"),
        (str(replace(SEALED, proof=[*SEALED.proof, tree.EMPTY_ROOT])), "not in the log"),
        (str(replace(SEALED, opening=(SALT, {**PRIVATE, "amount": 501}))), "sealed content"),
        (str(replace(SEALED, opening=(bytes(16), PRIVATE))), "sealed content"),
        (str(replace(SEALED, opening=(SALT + b"\0", PRIVATE))), "not a receipt"),
    ],
)
def test_each_kind_of_tampering_is_refused(page: Page, verdict: Verdict, data: bytes | str, reason: str) -> None:
    said = verdict(data)
    assert said.startswith("✗ 不成立 No, it does not hold")
    assert reason in said
    assert page.get_attribute("#result", "class") == "no"


def test_every_changed_byte_is_refused(page: Page, verdict: Verdict) -> None:
    verdict(DATA)
    flips = [(position, 1 << position % 8) for position in range(len(DATA))]
    passed = page.evaluate(
        """async ([data, flips]) => {
            const passed = []
            for (const [position, flip] of flips) {
                const bytes = Uint8Array.from(atob(data), c => c.charCodeAt())
                bytes[position] ^= flip
                await verify(bytes, "").then(() => passed.push(position), () => 0)
            }
            return passed
        }""",
        [base64.b64encode(DATA).decode(), flips],
    )
    assert passed == []


def test_nobody_is_left_out(page: Page, verdict: Verdict) -> None:
    """axe finds nothing (WCAG 2.2 AA) in both themes, on a phone, with each outcome; all is reached by keyboard."""
    page.set_viewport_size({"width": 320, "height": 700})
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        for data in (DATA, b"no receipt"):
            verdict(data)
            found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]})
            assert found.response["violations"] == [], json.dumps(found.response["violations"], indent=1)
            assert page.evaluate("document.documentElement.scrollWidth") <= 320
    page.focus("#file")
    reached = []
    for _ in range(3):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.id || document.activeElement.tagName"))
    assert reached == ["text", "SUMMARY", "key"]
    page.set_viewport_size({"width": 1280, "height": 720})


def test_without_javascript_it_says_so(browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False, offline=True)
    page = context.new_page()
    page.goto(PAGE.as_uri())
    assert "commonweal verify receipt FILE" in page.inner_text("main")
    context.close()
