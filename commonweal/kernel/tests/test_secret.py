"""Several starters at once agree on one secret."""

from __future__ import annotations

import secrets
import threading
from pathlib import Path

from commonweal.kernel.secret import kept


def test_the_first_of_many_starters_wins(tmp_path: Path) -> None:
    path, found = tmp_path / "keys" / "secret", []
    gate = threading.Barrier(20)

    def start() -> None:
        gate.wait()
        found.append(kept(path, lambda: secrets.token_bytes(32)))

    starters = [threading.Thread(target=start) for _ in range(20)]
    for starter in starters:
        starter.start()
    for starter in starters:
        starter.join()
    assert set(found) == {path.read_bytes()}
    assert len(found) == 20
    assert [left.name for left in path.parent.iterdir()] == ["secret"]


def test_only_its_owner_reads_it_unless_it_is_public(tmp_path: Path) -> None:
    kept(tmp_path / "private", lambda: b"1")
    kept(tmp_path / "public", lambda: b"2", mode=0o644)
    assert [(tmp_path / name).stat().st_mode & 0o777 for name in ("private", "public")] == [0o600, 0o644]
    assert kept(tmp_path / "private", lambda: b"another") == b"1"
