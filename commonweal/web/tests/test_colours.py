"""Every hue of the wheel, in both themes, computed from the tokens themselves: 4.5 for text, 3 for lines (WCAG 2.2)."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest

from commonweal.kernel.registry import HUES

SHEET = (Path(__file__).parent.parent / "static" / "web" / "commonweal.css").read_text()
TOKENS = SHEET.partition("@layer base {")[0]
Colour = tuple[float, float, float]


def linear_rgb(lightness: float, chroma: float, hue: float) -> Colour:
    """OKLCH to linear sRGB (Ottosson, https://bottosson.github.io/posts/oklab/)."""
    a, b = chroma * math.cos(math.radians(hue)), chroma * math.sin(math.radians(hue))
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    )


def contrast(one: Colour, other: Colour) -> float:
    """The contrast ratio of WCAG 2.2 between two colours, 1 to 21."""
    low, high = sorted(0.2126 * red + 0.7152 * green + 0.0722 * blue for red, green, blue in (one, other))
    return (high + 0.05) / (low + 0.05)


def wheel() -> dict[int, dict[str, float]]:
    found = re.findall(r"\[data-hue='(\d+)'\] \{ --hue: (\d+); --c: ([\d.]+); --c-dark: ([\d.]+) \}", TOKENS)
    assert all(name == hue for name, hue, _, _ in found)
    return {int(name): {"--hue": float(hue), "--c": float(c), "--c-dark": float(dark)} for name, hue, c, dark in found}


def token(name: str, theme: int, values: dict[str, float]) -> Colour:
    """The colour of a token in a theme (0 light, 1 dark) under one hue."""
    match = re.search(rf"--{name}: light-dark\((.+)\);?", TOKENS)
    assert match is not None
    half = re.findall(r"#fff|oklch\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)", match[1])[theme]
    if half == "#fff":
        return (1.0, 1.0, 1.0)
    inner = re.sub(r"var\((--[\w-]+)\)", lambda v: str(values[v[1]]), half.removeprefix("oklch(").removesuffix(")"))
    inner = re.sub(r"calc\(([\d.]+) \* ([\d.]+)\)", lambda c: str(float(c[1]) * float(c[2])), inner)
    lightness, chroma, hue = inner.split()
    colour = linear_rgb(float(lightness.rstrip("%")) / 100, float(chroma), float(hue))
    assert all(-0.001 <= channel <= 1.001 for channel in colour), f"{name} is outside of sRGB: {inner}"
    return tuple(min(1.0, max(0.0, channel)) for channel in colour)  # type: ignore[return-value]


def test_wheel_has_the_hues_that_services_may_take() -> None:
    assert list(wheel()) == list(HUES)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("hue", HUES)
def test_hue_can_be_read(hue: int, theme: int) -> None:
    values = wheel()[hue]

    def of(name: str) -> Colour:
        return token(name, theme, values)

    for ground in ("paper", "sheet", "wash"):
        for text in ("ink", "ink-2", "thread", "deep", "good", "bad"):
            assert contrast(of(text), of(ground)) >= 4.5, f"{text} on {ground}"
    for ground in ("thread", "deep", "bad"):
        assert contrast(of("on-thread"), of(ground)) >= 4.5, f"words on a button of {ground}"
    for ground in ("paper", "sheet"):
        assert contrast(of("line"), of(ground)) >= 3, f"edges of inputs on {ground}"
    assert contrast(of("ink-2"), of("rule")) >= 4.5, "words on a button that is closed"
    assert contrast(of("thread"), of("faint")) >= 3, "what was given against what is missing"
