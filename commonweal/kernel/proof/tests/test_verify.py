import hmac
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commonweal.kernel.proof import tree
from commonweal.kernel.proof.note import BadNote, SignerKey, VerifierKey, encode
from commonweal.kernel.proof.tests.making import PRIVATE, SALT, SIGNER, entry, receipt, sealed_receipt
from commonweal.kernel.proof.verify import (
    DEPTH,
    HEADER,
    canonical,
    parse_canonical,
    parse_receipt,
    seal,
    verify_receipt,
)

SEALED = sealed_receipt()
DATA = str(SEALED).encode()

plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)


# Canonical JSON


def test_the_one_form_of_json() -> None:
    assert canonical({"b": [1, None, True], "a": "元"}) == '{"a":"元","b":[1,null,true]}'.encode()
    assert canonical((1, 2)) == b"[1,2]"
    assert canonical(2**53 - 1) == b"9007199254740991"


@given(plain)
def test_canonical_json_is_read_as_it_is_written(value: object) -> None:
    try:
        data = canonical(value)
    except UnicodeEncodeError:  # half a surrogate pair has no UTF-8
        return
    assert parse_canonical(data) == value
    assert json.loads(data) == value


@pytest.mark.parametrize(
    "value", [1.5, 2**53, -(2**53), float("nan"), b"x", {1: 2}, [1.0], {"a": {"b": 1.0}}, {1}, object(), "\ud800"]
)
def test_values_without_canonical_form(value: object) -> None:
    with pytest.raises(ValueError, match=r"canonical form|surrogates"):
        canonical(value)


def nested(depth: int, kind: str) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value] if kind == "list" else {"a": value}
    return value


@pytest.mark.parametrize("kind", ["list", "object"])
def test_depth_has_a_limit(kind: str) -> None:
    assert parse_canonical(canonical(nested(DEPTH, kind))) == nested(DEPTH, kind)
    with pytest.raises(ValueError, match="canonical form"):
        canonical(nested(DEPTH + 1, kind))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "expected form"),
        (b"{", "expected form"),
        (b"[" * 100_000, "expected form"),
        (b"[" * 100_000 + b"]" * 100_000, "expected form"),
        (b"1.0", "expected form"),
        (b"1e3", "expected form"),
        (b"NaN", "expected form"),
        (b"9" * 5000, "expected form"),
        (b'"\\ud800"', "expected form"),
        (b"\xff", "expected form"),
        (b"{} ", "canonical JSON"),
        (b'{"b":1,"a":2}', "canonical JSON"),
        (b'{"a":1,"a":1}', "canonical JSON"),
        (b'"\\u0041"', "canonical JSON"),
        ('"元"'.encode("utf-16"), "canonical JSON"),
        (b"-0", "canonical JSON"),
    ],
)
def test_other_spellings_are_refused(data: bytes, reason: str) -> None:
    with pytest.raises(BadNote, match=reason):
        parse_canonical(data)


def test_a_seal_is_an_hmac_over_the_canonical_form() -> None:
    assert seal(b"salt", {"b": 1, "a": 2}) == hmac.digest(b"salt", b'{"a":2,"b":1}', "sha256")


# Receipts that hold


def test_a_receipt_holds_and_says_what_happened() -> None:
    held = verify_receipt(DATA)
    assert held == SEALED
    assert held.fact["kind"] == "toy.given"
    assert held.opening == (SALT, PRIVATE)
    assert verify_receipt(DATA, SIGNER.verifier) == held


def test_its_form_is_that_of_tlog_proof() -> None:
    lines = DATA.decode().split("\n")
    assert lines[0] == "c2sp.org/tlog-proof@v1" == HEADER
    assert lines[1].startswith("extra ")
    assert lines[2] == "index 3"
    assert lines[3:6] == [encode(hash) for hash in SEALED.proof]
    assert "\n".join(lines[7:]) == SEALED.checkpoint
    assert (len(SEALED.proof), lines[6]) == (3, "")


@settings(max_examples=60)
@given(st.integers(1, 300), st.data(), st.booleans())
def test_receipts_of_logs_of_any_size_hold(size: int, data: st.DataObject, opened: bool) -> None:
    index = data.draw(st.integers(0, size - 1))
    made = receipt([entry(n) for n in range(size)], index, (SALT, PRIVATE) if opened and index == 3 else None)
    assert verify_receipt(str(made).encode(), SIGNER.verifier) == made
    assert len(str(made)) <= 1500


def test_without_its_opening_a_sealed_fact_holds_too() -> None:
    assert verify_receipt(str(replace(SEALED, opening=None)).encode()).opening is None


def test_an_empty_opening_is_an_opening() -> None:
    made = receipt([entry(0, seal=encode(seal(SALT, {})))], 0, (SALT, {}))
    assert verify_receipt(str(made).encode()).opening == (SALT, {})


# Receipts that do not


@pytest.mark.parametrize("more", [b"A", b"\n", b" ", b" \n", b"\n\n", DATA, "— ".encode()])
def test_nothing_can_be_added(more: bytes) -> None:
    for data in (more + DATA, DATA + more):
        with pytest.raises(BadNote):
            verify_receipt(data)


def holds(data: bytes) -> bool:
    try:
        verify_receipt(data)
    except BadNote:
        return False
    return True


def test_every_changed_byte_is_found() -> None:
    assert holds(DATA)
    for position, byte in enumerate(DATA):
        before, after = DATA[:position], DATA[position + 1 :]
        flips = {byte ^ 1 << bit for bit in range(8)} | {0, 10, 32, 61, 65} - {byte}
        changed = [before + bytes([flip]) + after for flip in flips]
        changed += [before, before + after]  # cut off, left out
        changed += [before + more + DATA[position:] for more in (b"A", b"\n", b" \n")]
        assert not any(map(holds, changed)), f"a change at byte {position} was not found"


def refused(data: str | bytes, trusted: VerifierKey | None = None) -> str:
    with pytest.raises(BadNote) as error:
        verify_receipt(data.encode() if isinstance(data, str) else data, trusted)
    return str(error.value)


def test_a_receipt_of_another_log_than_the_trusted_one() -> None:
    for other in (SignerKey(SIGNER.name, bytes(32)), SignerKey("log.example/two", SIGNER.private)):
        assert refused(DATA, other.verifier) == "the receipt is of another log than the one you trust"


def test_a_key_that_has_signed_nothing_here() -> None:
    stranger = SignerKey(SIGNER.name, bytes(32)).verifier
    assert "not signed by" in refused(str(replace(SEALED, key=stranger)))


def test_a_second_signature_is_not_part_of_it() -> None:
    other = SignerKey("witness.example", bytes(32)).sign(SEALED.checkpoint.partition("\n\n")[0] + "\n")
    more = replace(SEALED, checkpoint=SEALED.checkpoint + other.partition("\n\n")[2])
    assert refused(str(more)) == "the checkpoint has more than one signature"


def test_an_entry_that_is_not_in_the_log() -> None:
    assert refused(str(replace(SEALED, entry=entry(2)))) == "the entry is not in the log"
    assert refused(str(replace(SEALED, index=2))) == "the entry is not in the log"
    assert refused(str(replace(SEALED, index=7))) == "the entry is not in the log"
    assert refused(str(replace(SEALED, proof=SEALED.proof[::-1]))) == "the entry is not in the log"
    assert refused(str(replace(SEALED, proof=[]))) == "the entry is not in the log"
    assert refused(str(replace(SEALED, proof=[*SEALED.proof, bytes(31)]))) == "the entry is not in the log"


@pytest.mark.parametrize(
    ("opening", "why"),
    [
        ((SALT, {**PRIVATE, "amount": 501}), "an amount that is not the one"),
        ((SALT, {}), "nothing"),
        ((bytes(16), PRIVATE), "another salt"),
        ((SALT[:15], PRIVATE), "a short salt"),
        ((SALT + b"\0", PRIVATE), "a long salt: HMAC pads with zeros, so that it would fit"),
    ],
)
def test_an_opening_that_the_entry_does_not_commit_to(opening: tuple[bytes, dict[str, Any]], why: str) -> None:
    assert refused(str(replace(SEALED, opening=opening))) == "the opening is not what the entry commits to", why


def test_an_opening_of_an_entry_without_seal() -> None:
    made = receipt([entry(0)], 0, (SALT, PRIVATE))
    assert refused(str(made)) == "the opening is not what the entry commits to"


@pytest.mark.parametrize("odd", [b"[1]", b"1", b'"x"', b"null"])
def test_an_entry_that_is_not_a_fact(odd: bytes) -> None:
    assert refused(str(receipt([odd, odd], 0))) == "the entry is not a fact"


@pytest.mark.parametrize("odd", [b"{}x", b'{"b":1,"a":1}', b"not json"])
def test_an_entry_that_is_not_canonical(odd: bytes) -> None:
    assert "JSON" in refused(str(receipt([odd, odd], 0)))


def with_extra(extra: object) -> str:
    head, _, rest = str(SEALED).split("\n", 2)
    data = extra if isinstance(extra, bytes) else canonical(extra)
    return f"{head}\nextra {encode(data)}\n{rest}"


GOOD = {"entry": SEALED.entry.decode(), "key": encode(SIGNER.verifier.public)}


@pytest.mark.parametrize(
    ("extra", "reason"),
    [
        (b"", "expected form"),
        (b"{} ", "canonical JSON"),
        ([], "extra or the index is out of form"),
        ({}, "content is out of form"),
        ({"entry": "x"}, "content is out of form"),
        ({**GOOD, "entry": 5}, "content is out of form"),
        ({**GOOD, "key": 5}, "content is out of form"),
        ({**GOOD, "key": encode(bytes(31))}, "32 bytes"),
        ({**GOOD, "key": "é"}, "not base64"),
        ({**GOOD, "open": {}}, "content is out of form"),
        ({**GOOD, "open": {"salt": 5}}, "content is out of form"),
        ({**GOOD, "open": "salt"}, "content is out of form"),
        ({**GOOD, "open": None}, "content is out of form"),
        ({**GOOD, "open": [["salt", encode(SALT)]]}, "canonical form"),
        ({**GOOD, "more": 1}, "canonical form"),
        (b'{"deep":' + b"[" * DEPTH + b"]" * DEPTH + b"}", "expected form"),
    ],
)
def test_an_extra_that_is_out_of_form(extra: object, reason: str) -> None:
    assert reason in refused(with_extra(extra))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "a receipt begins with"),
        (b"\xff", "UTF-8"),
        (DATA.replace(b"@v1", b"@v2"), "a receipt begins with"),
        (DATA.replace(b"extra ", b"extra"), "a receipt begins with"),
        (DATA.replace(b"index ", b"Index "), "a receipt begins with"),
        (DATA.replace(b"index 3", b"index "), "out of form"),
        (DATA.replace(b"index 3", b"index 03"), "canonical form"),
        (DATA.replace(b"index 3", b"index +3"), "out of form"),
        (DATA.replace(b"index 3", "index ３".encode()), "out of form"),
        (DATA.replace(b"index 3", b"index " + b"3" * 20), "out of form"),
        (DATA.replace(b"index 3\n", b"index 3\n\n"), "name has neither"),
        (DATA.replace(b"\n", b"\r\n"), "a receipt begins with"),
        (b"\xef\xbb\xbf" + DATA, "a receipt begins with"),
        (DATA.partition(b"\n\n")[0], "content is out of form"),
    ],
)
def test_a_file_that_is_out_of_form(data: bytes, reason: str) -> None:
    assert reason in refused(data)


@settings(max_examples=200)
@given(st.binary(max_size=400))
def test_no_rubbish_is_anything_but_refused(data: bytes) -> None:
    for candidate in (data, HEADER.encode() + b"\n" + data, HEADER.encode() + b"\nextra " + data + b"\nindex 0\n\n"):
        with pytest.raises(BadNote):
            parse_receipt(candidate)


def test_the_leaf_of_a_receipt_is_the_hash_of_its_entry() -> None:
    alone = receipt([entry(0)], 0)
    assert alone.proof == []
    assert encode(tree.leaf_hash(alone.entry)) in alone.checkpoint
