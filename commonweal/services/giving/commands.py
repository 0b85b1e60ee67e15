"""The commands of giving."""

from __future__ import annotations

import argparse

from commonweal.services.giving.matching import commands as matching
from commonweal.services.giving.signals import commands as signals


def add_commands(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands of each engine."""
    matching.add_commands(subparsers)
    signals.add_commands(subparsers)
