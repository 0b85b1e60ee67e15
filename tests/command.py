"""The command line, for the tests of the services: these stand below it, and may not import it themselves."""

from __future__ import annotations

from commonweal.cli import main

__all__ = ["main"]
