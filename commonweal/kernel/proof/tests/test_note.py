import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonweal.kernel.proof.note import (
    BadNote,
    Checkpoint,
    SignerKey,
    VerifierKey,
    decode,
    encode,
    open_checkpoint,
    open_note,
)
from tests.published import published

VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
"""The example of C2SP signed-note."""
NOTE = (
    "This is an example message.\n\n— example.com/foo "
    "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)
SIGNER = SignerKey("log.example/one", bytes(range(32)))
OTHER = SignerKey("log.example/two", bytes(range(32)))
KEY = SIGNER.verifier
CHECKPOINT = Checkpoint("log.example/one", 7, bytes(32))


def test_the_example_of_the_specification() -> None:
    assert open_note(NOTE, VerifierKey.parse(VKEY)) == "This is an example message.\n"
    assert str(VerifierKey.parse(f"{VKEY}\n")) == VKEY


def test_it_is_the_published_example() -> None:
    facts = json.loads(published("stewardship/facts.json", "C2SP signed-note").read_text())["signed_note"]
    assert (facts["vkey"], facts["note"]) == (VKEY, NOTE)


def test_no_changed_byte_of_the_example_passes() -> None:
    for position in range(len(NOTE.encode())):
        data = bytearray(NOTE.encode())
        data[position] ^= 1
        with pytest.raises(BadNote):
            open_note(data.decode(errors="replace"), VerifierKey.parse(VKEY))


@given(st.binary(max_size=100))
def test_base64_has_one_form(data: bytes) -> None:
    assert decode(encode(data)) == data
    assert encode(data) == base64.b64encode(data).decode()


@pytest.mark.parametrize(
    "text", ["=", "A", "AB=", "QQ", "QR==", "QQ==\n", " QQ==", "Q Q=", "QUJ=", "-_-_", "é", "QQ==QQ=="]
)
def test_other_base64_is_refused(text: str) -> None:
    with pytest.raises(BadNote, match=r"this is not (canonical )?base64"):
        decode(text)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\nb", "a\u2003b", "\t"])
def test_a_name_has_neither_blanks_nor_plus(name: str) -> None:
    with pytest.raises(BadNote, match="neither blanks nor"):
        VerifierKey(name, bytes(32))


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_key_has_32_bytes(size: int) -> None:
    with pytest.raises(BadNote, match="an Ed25519 key has 32 bytes"):
        VerifierKey("log.example/one", bytes(size))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is written name"),
        ("log.example", "is written name"),
        ("log.example+00", "is written name"),
        (str(KEY).replace("+", "+0", 1), "id does not fit"),
        (str(KEY).replace("one", "two"), "id does not fit"),
        (str(KEY).replace(KEY.id.hex(), KEY.id.hex().upper()), "id does not fit"),
        (f"log.example/one+{KEY.id.hex()}+{encode(bytes([2]) + KEY.public)}", "not Ed25519"),
        (f"log.example/one+{KEY.id.hex()}+{encode(KEY.public)}", "32 bytes"),
        (f"log.example/one+{KEY.id.hex()}+!", "not base64"),
    ],
)
def test_verifier_keys_that_are_refused(text: str, reason: str) -> None:
    with pytest.raises(BadNote, match=reason):
        VerifierKey.parse(text)


@given(st.binary(min_size=32, max_size=32), st.text(min_size=1, max_size=50))
def test_what_is_signed_is_opened(private: bytes, text: str) -> None:
    signer = SignerKey("log.example/one", private)
    text = text.encode(errors="replace").decode() + "\n"
    assert open_note(signer.sign(text), signer.verifier) == text
    assert VerifierKey.parse(str(signer.verifier)) == signer.verifier


def test_a_text_ends_in_a_newline() -> None:
    with pytest.raises(BadNote, match="a note's text ends in a newline"):
        SIGNER.sign("no end")


def test_the_signature_line_is_dash_name_and_id_with_signature() -> None:
    text, _, line = SIGNER.sign("a\n").partition("\n\n")
    dash, name, signature = line.removesuffix("\n").split(" ")
    assert (text, dash, name) == ("a", "—", "log.example/one")
    assert decode(signature)[:4] == KEY.id
    assert len(decode(signature)) == 68
    assert KEY.check(b"a\n", decode(signature)[4:])
    assert not KEY.check(b"b\n", decode(signature)[4:])
    assert not KEY.check(b"a\n", b"short")


def test_signatures_of_others_are_passed_over() -> None:
    both = SIGNER.sign("a\n") + OTHER.sign("a\n").partition("\n\n")[2]
    assert open_note(both, KEY) == open_note(both, OTHER.verifier) == "a\n"
    same_name = SignerKey("log.example/one", bytes(32))
    assert open_note(same_name.sign("a\n") + SIGNER.sign("a\n").partition("\n\n")[2], KEY) == "a\n"


@pytest.mark.parametrize(
    ("note", "reason"),
    [
        ("", "no signatures"),
        ("a\n", "no signatures"),
        ("a\n\n", "no signatures"),
        (SIGNER.sign("a\n").removesuffix("\n"), "no signatures"),
        (SIGNER.sign("a\n") + "\n", "no signatures"),
        (SIGNER.sign("a\n") + " \n", "out of form"),
        (SIGNER.sign("a\n").replace("—", "-"), "out of form"),
        (SIGNER.sign("a\n").replace("— ", "—"), "out of form"),
        ("a\n\n— log.example/one\n", "out of form"),
        ("a\n\n—  AAAA\n", "out of form"),
        ("a\n\n— log.example/one A\n", "not base64"),
        (SIGNER.sign("a\n").replace("a\n\n", "b\n\n"), "the signature does not hold"),
        (OTHER.sign("a\n"), "not signed by log.example/one"),
        (SignerKey("log.example/one", bytes(32)).sign("a\n"), "not signed by log.example/one"),
        (OTHER.sign("a\n").replace("two", "one"), "not signed by log.example/one"),
    ],
)
def test_notes_that_are_refused(note: str, reason: str) -> None:
    with pytest.raises(BadNote, match=reason):
        open_note(note, KEY)


@given(st.integers(0, 10**19 - 1), st.binary(min_size=32, max_size=32))
def test_checkpoints_are_read_as_they_are_written(size: int, root: bytes) -> None:
    checkpoint = Checkpoint("log.example/one", size, root)
    assert Checkpoint.parse(str(checkpoint)) == checkpoint
    assert str(checkpoint) == f"log.example/one\n{size}\n{encode(root)}\n"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "three lines"),
        ("log.example/one\n7\n", "three lines"),
        (f"{CHECKPOINT}extension\n", "three lines"),
        (str(CHECKPOINT).removesuffix("\n"), "three lines"),
        (f"{CHECKPOINT} ", "three lines"),
        (str(CHECKPOINT).replace("log.example/one", ""), "three lines"),
        (str(CHECKPOINT).replace("7", "-7"), "three lines"),
        (str(CHECKPOINT).replace("7", ""), "three lines"),
        (str(CHECKPOINT).replace("7", "７"), "three lines"),
        (str(CHECKPOINT).replace("7", "²"), "three lines"),
        (str(CHECKPOINT).replace("7", "07"), "canonical"),
        (str(CHECKPOINT).replace("7", "7" * 20), "out of range"),
        (str(CHECKPOINT).replace("7", "7" * 5000), "out of range"),
        (f"log.example/one\n7\n{encode(bytes(31))}\n", "canonical"),
        ("log.example/one\n7\nA\n", "not base64"),
    ],
)
def test_checkpoints_that_are_refused(text: str, reason: str) -> None:
    with pytest.raises(BadNote, match=reason):
        Checkpoint.parse(text)


def test_a_checkpoint_is_of_the_log_that_signs_it() -> None:
    assert open_checkpoint(SIGNER.sign(str(CHECKPOINT)), KEY) == CHECKPOINT
    with pytest.raises(BadNote, match="the checkpoint is of another log"):
        open_checkpoint(OTHER.sign(str(CHECKPOINT)), OTHER.verifier)
