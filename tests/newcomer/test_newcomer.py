"""`make run` as somebody meets it who has just cloned: a fresh environment, no data, no cache, no settings.

The network is needed (the package index). On a bare Debian root, `tests/newcomer/bare.sh` does the same by hand.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
import urllib.request
from pathlib import Path

import pytest

from commonweal.operation.outside import free_port, processes

ROOT = Path(__file__).parent.parent.parent
LIMIT = 60


@pytest.mark.slow
@pytest.mark.skipif("COMMONWEAL_NEWCOMER" not in os.environ, reason="set COMMONWEAL_NEWCOMER=1: downloads 100 MB")
def test_one_command_opens_the_platform(tmp_path: Path) -> None:
    house = tmp_path / "commonweal"
    subprocess.run(["git", "clone", "-q", str(ROOT), str(house)], check=True)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("COMMONWEAL_", "VIRTUAL_ENV"))}
    port = free_port()
    environment = kept | {
        "COMMONWEAL_PORT": str(port),
        "HOME": str(tmp_path),
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "PATH": f"{Path(shutil.which('make') or '').parent}:/usr/bin:/bin",
    }
    begun = time.monotonic()
    with (tmp_path / "output").open("wb") as output:
        made = subprocess.Popen(
            ["make", "run"], cwd=house, env=environment, stdout=output, stderr=output, start_new_session=True
        )
    try:
        while not _is_served(port):
            assert made.poll() is None, (tmp_path / "output").read_text()
            assert time.monotonic() - begun < LIMIT, (tmp_path / "output").read_text()
            time.sleep(0.1)
    finally:
        os.killpg(made.pid, signal.SIGINT)
        made.wait(30)
    assert "steward@demo.example" in (tmp_path / "output").read_text()
    assert processes(house / ".data") == {}
    assert subprocess.run(["git", "status", "--short"], cwd=house, capture_output=True, check=True).stdout == b""


def _is_served(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/zh/", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
