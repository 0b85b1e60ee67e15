import stat
import threading
from pathlib import Path

import pytest

from commonweal.kernel.proof.keys import load_signer, load_verifier
from commonweal.kernel.proof.note import BadNote, SignerKey, VerifierKey

NAME = "log.example/one"


def test_a_key_pair_is_made_once_and_kept(tmp_path: Path) -> None:
    assert load_verifier(tmp_path) is None
    made = load_signer(tmp_path, NAME)
    assert (made.name, len(made.private)) == (NAME, 32)
    assert load_signer(tmp_path, "log.example/ignored") == made
    assert load_verifier(tmp_path) == made.verifier
    assert (tmp_path / "keys" / "log.vkey").read_text() == f"{made.verifier}\n"


def test_only_the_owner_can_read_the_private_key(tmp_path: Path) -> None:
    load_signer(tmp_path, NAME)
    modes = {
        path.name: stat.S_IMODE(path.stat().st_mode) for path in [tmp_path / "keys", *(tmp_path / "keys").iterdir()]
    }
    assert modes == {"keys": 0o700, "log.key": 0o600, "log.vkey": 0o644}


def test_a_lost_public_key_is_written_again(tmp_path: Path) -> None:
    made = load_signer(tmp_path, NAME)
    (tmp_path / "keys" / "log.vkey").unlink()
    assert load_verifier(tmp_path) is None
    load_signer(tmp_path, NAME)
    assert load_verifier(tmp_path) == made.verifier


def test_the_first_of_several_starters_wins(tmp_path: Path) -> None:
    barrier, loaded = threading.Barrier(8), []

    def start() -> None:
        barrier.wait()
        loaded.append(load_signer(tmp_path, NAME))

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(loaded) == 8
    assert len(set(loaded)) == 1
    assert sorted(path.name for path in (tmp_path / "keys").iterdir()) == ["log.key", "log.vkey"]


def test_two_data_directories_have_different_keys(tmp_path: Path) -> None:
    assert load_signer(tmp_path / "a", NAME) != load_signer(tmp_path / "b", NAME)


@pytest.mark.parametrize("name", ["", "two words", "a+b", "line\nbreak"])
def test_a_name_that_no_key_can_have_is_refused_before_anything_is_kept(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadNote):
        load_signer(tmp_path, name)
    assert not (tmp_path / "keys").exists()


def test_the_files_can_be_carried_to_another_tool(tmp_path: Path) -> None:
    made = load_signer(tmp_path, NAME)
    name, private = (tmp_path / "keys" / "log.key").read_text().split()
    assert SignerKey(name, __import__("base64").b64decode(private)).verifier == made.verifier
    assert VerifierKey.parse((tmp_path / "keys" / "log.vkey").read_text()) == made.verifier
