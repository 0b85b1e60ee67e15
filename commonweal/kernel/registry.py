"""What a service is, and which services there are.

A service is a folder in `commonweal/services` whose package says `SERVICE = Service(...)`. Nothing else names it: its
pages, API, jobs, fact kinds and account kinds are found from here, so a folder can be added or deleted by itself.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import pkgutil
import re
from dataclasses import dataclass, field
from types import ModuleType

from commonweal.kernel.quantity import CNY, Asset
from commonweal.kernel.text import Text


@dataclass(frozen=True)
class FactKind:
    """A kind of leaf in the public log: what it says, for the page that explains the log."""

    name: str
    title: Text


@dataclass(frozen=True)
class Link:
    """A place in the navigation: the name of a URL of the service, and what it is called there; low `order` first."""

    url_name: str
    title: Text
    order: int = 50


@dataclass(frozen=True)
class Figure:
    """A total that a service shows on the first page: smallest units of `asset`, or a plain count.

    A service gives its figures in `queries.headline() -> list[Figure]`. `proof` is the address of the page on which a
    stranger can check the figure: one that cannot be checked is not shown large.
    """

    title: Text
    amount: int
    proof: str
    asset: Asset | None = None


@dataclass(frozen=True)
class Card:
    """Something that is needed now, for the first page: `queries.needed_now() -> list[Card]`, most urgent first.

    `tag` says what or where it is, `status` how far it has come in words; `value` of `goal` is drawn as the thread.
    """

    title: Text
    text: Text
    tag: Text
    url: str
    value: int = 0
    goal: int = 0
    status: Text | None = None


@dataclass(frozen=True)
class Hit:
    """Something that was found: `queries.search(text: str, limit: int) -> list[Hit]`, best first."""

    title: Text
    text: Text
    url: str


HUES = range(0, 360, 15)
"""The wheel of colours: each of these hues is tested for contrast in both themes."""


@dataclass(frozen=True)
class Service:
    """A kind of need, and how it is met. `name` is the folder; `title` and `promise` are shown to everybody.

    `hue` is its colour on the wheel, `drawing` its picture (the gallery shows all). `needs` names modules that only an
    extra of the package brings; without them the service is not opened, its commands say what to install.
    """

    name: str
    title: Text
    promise: Text
    drawing: str = "hands"
    hue: int = 45
    links: tuple[Link, ...] = ()
    console: tuple[Link, ...] = ()
    assets: tuple[Asset, ...] = ()
    account_kinds: dict[str, Text] = field(default_factory=dict)
    fact_kinds: tuple[FactKind, ...] = ()
    order: int = 100
    needs: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9]{1,30}", self.name):
            raise ValueError(f"a service is named in small letters: {self.name!r}")
        if self.hue not in HUES:
            raise ValueError(f"the hue of {self.name} is not on the wheel of every 15 degrees: {self.hue}")
        for kind in self.fact_kinds:
            if not kind.name.startswith(f"{self.name}."):
                raise ValueError(f"a fact kind of {self.name} is named {self.name}.something: {kind.name!r}")

    @property
    def can_open(self) -> bool:
        """Whether all is installed that the service needs."""
        return all(importlib.util.find_spec(module) for module in self.needs)

    def module(self, part: str) -> ModuleType | None:
        """The module of the service's anatomy (`pages`, `api`, `jobs`...), or None if it has none."""
        name = f"commonweal.services.{self.name}.{part}"
        return importlib.import_module(name) if importlib.util.find_spec(name) else None


@functools.cache
def services() -> tuple[Service, ...]:
    """All services that are installed with what they need, in the order in which they are shown."""
    found = []
    folder = importlib.import_module("commonweal.services")  # by name: the kernel knows of no service
    for module in pkgutil.iter_modules(folder.__path__):
        service = getattr(importlib.import_module(f"commonweal.services.{module.name}"), "SERVICE", None)
        if service is not None and service.can_open:
            found.append(service)
    return tuple(sorted(found, key=lambda service: (service.order, service.name)))


@functools.cache
def assets() -> dict[str, Asset]:
    """Everything that is counted here, by its code: yuan, and what the services have declared."""
    return {asset.code: asset for asset in (CNY, *(asset for service in services() for asset in service.assets))}
