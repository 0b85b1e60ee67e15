"""Benchmarks of the forest: `commonweal bench forest NAME`. Only what is asked for is loaded."""

from __future__ import annotations

import importlib

from bench.figure import Figure


def _measure(part: str, name: str) -> Figure:
    found: Figure = getattr(importlib.import_module(f"bench.forest.{part}"), name)()
    return found


def modes() -> Figure:
    """How well travel modes are told."""
    return _measure("engines", "modes")


def photos() -> Figure:
    """Re-used photographs against a gallery of 100,000."""
    return _measure("photos", "photos")


def clearings() -> Figure:
    """Clearings injected into real scenes."""
    return _measure("engines", "clearings")


def survey() -> Figure:
    """Coverage of survival intervals, and the planner."""
    return _measure("engines", "survey")


def ingest() -> Figure:
    """Deeds a second."""
    return _measure("energy", "ingest")


def collect() -> Figure:
    """The race of friends."""
    return _measure("energy", "collect")


def expire() -> Figure:
    """Ten million bubbles expire."""
    return _measure("energy", "expire")


def certificates() -> Figure:
    """50,000 askers for 10,000 positions."""
    return _measure("torture", "certificates")


def conserve() -> Figure:
    """A million operations under fire."""
    return _measure("torture", "conserve")


def sizes() -> Figure:
    """Bytes a row, and harvests a second."""
    return _measure("energy", "sizes")


def map() -> Figure:
    """A million trees on a map."""
    return _measure("map", "tiles")


def report() -> Figure:
    """Partners' signed batches through the door."""
    return _measure("door", "report")
