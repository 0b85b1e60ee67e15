"""How each address of the platform is opened by the tests: with which arguments, and by whom.

A service keeps its samples in `tests/samples.py` of its folder, the house in `web/tests/samples.py`: `SAMPLES` maps a
URL name (`giving:campaign`) to one sample or a list of them. An address without arguments that is open to everybody,
to a giver or to a steward needs none, nor does one that takes POST only; every other one without a sample fails.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver
from playwright.sync_api import Page

from commonweal.kernel.registry import services


@dataclass(frozen=True)
class Sample:
    """One way to open an address.

    `arguments` are the arguments themselves, or SQL that finds them in the seeded database as one row. `visitor` is
    the e-mail address of a sign-in of the demonstration; without it nobody, a giver and a steward try in turn.
    `prepare` leads the tab of the visitor to where the page can be opened; `not_a_page` says why it never can.
    """

    arguments: tuple[object, ...] | str = ()
    visitor: str = ""
    query: str = ""
    not_a_page: str = ""
    prepare: Callable[[Page, Any], object] | None = None


@dataclass(frozen=True)
class Address:
    """A named URL pattern, and whether it is spoken (has a language)."""

    name: str
    takes_arguments: bool
    spoken: bool


def addresses() -> list[Address]:
    """Every URL pattern of the pages; the API is tested through its own document."""
    from commonweal.web import urls

    return [*_walk(urls.spoken(), True), *_walk(urls.without_language(), False)]


def _walk(
    patterns: Sequence[URLPattern | URLResolver], spoken: bool, space: str = "", under: int = 0
) -> Iterator[Address]:
    for pattern in patterns:
        taken = (
            under
            + len(pattern.pattern.converters)
            + getattr(pattern.pattern.regex, "groups", 0) * (not pattern.pattern.converters)
        )
        if isinstance(pattern, URLResolver):
            if pattern.namespace != "api":
                inner = f"{space}{pattern.namespace}:" if pattern.namespace else space
                yield from _walk(pattern.url_patterns, spoken, inner, taken)
        else:
            assert pattern.name, f"a URL pattern without a name: {space}{pattern.pattern}"
            yield Address(f"{space}{pattern.name}", bool(taken), spoken)


def samples() -> dict[str, list[Sample]]:
    """All samples that the house and the services give."""
    found: dict[str, list[Sample]] = {}
    modules = ["commonweal.web", *(f"commonweal.services.{service.name}" for service in services())]
    for module in modules:
        name = f"{module}.tests.samples"
        if importlib.util.find_spec(f"{module}.tests") and importlib.util.find_spec(name):
            for address, given in importlib.import_module(name).SAMPLES.items():
                found[address] = given if isinstance(given, list) else [given]
    return found


def visits() -> list[tuple[Address, Sample]]:
    """What the crawler opens; an address that cannot be opened yet comes with a sample that says so."""
    given = samples()
    known = {address.name for address in addresses()}
    assert not (unknown := set(given) - known), f"samples of addresses that do not exist: {sorted(unknown)}"
    plan = []
    for address in dict.fromkeys(addresses()):
        for sample in given.get(address.name, [Sample()]):
            plan.append((address, sample))
    return plan
