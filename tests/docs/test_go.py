"""The program in docs/how-to/verify-with-go.md says yes to a receipt of ours, and no to any other."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from commonweal.kernel.proof import Fact, SignerKey, append, receipt_of, sequence
from tests.docs.codes import ROOT

NOW = datetime(2026, 5, 1, tzinfo=UTC)


@pytest.mark.skipif(shutil.which("go") is None, reason="apt-get install golang-go golang-golang-x-mod-dev")
def test_the_documented_program_judges_receipts(session: psycopg.Connection, tmp_path: Path) -> None:
    (program,) = re.findall(r"```go\n(.*?)```", (ROOT / "docs/how-to/verify-with-go.md").read_text(), re.DOTALL)
    (tmp_path / "receipt.go").write_text(program)
    go = {"GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOCACHE": str(tmp_path / "cache")}
    build = ["go", "build", "-o", "judge", "receipt.go"]
    subprocess.run(build, cwd=tmp_path, env=os.environ | go, check=True)

    signer = SignerKey("docs.example/log", b"d" * 32)
    facts = [Fact("test.fact", NOW, {"number": number}) for number in range(300)]
    with session.cursor() as cursor:
        append(cursor, *facts)
        sequence(session, signer, NOW)
        receipt = receipt_of(cursor, facts[200].id, signer.verifier)
    assert receipt is not None
    text, index = str(receipt), receipt.index

    def judge(text: str, key: str = str(signer.verifier)) -> subprocess.CompletedProcess[str]:
        (tmp_path / "receipt.txt").write_text(text)
        return subprocess.run(
            [tmp_path / "judge", key, tmp_path / "receipt.txt"], capture_output=True, text=True, check=False
        )

    said = judge(text)
    assert (said.returncode, said.stdout) == (0, facts[200].entry.decode() + "\n")
    assert judge(text.replace(f"index {index}", f"index {index ^ 1}")).returncode == 1
    assert judge(text.replace("\n300\n", "\n301\n")).returncode == 1
    assert judge(text, str(SignerKey("docs.example/log", b"e" * 32).verifier)).returncode == 1
