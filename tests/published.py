"""Published test material that is not ours to copy: read from a folder beside the checkout."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.database import ROOT

FOLDER = Path(os.environ.get("COMMONWEAL_DATA", ROOT.parent / "shared" / "data"))


def published(name: str, source: str) -> Path:
    """The file `name` in the folder of test material; without it the test is skipped, loudly, naming its `source`."""
    path = FOLDER / name
    if not path.exists():
        pytest.skip(f"NOT TESTED: {name} is missing; set COMMONWEAL_DATA to a folder that has it. Source: {source}")
    return path
