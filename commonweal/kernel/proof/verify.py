"""Receipts, and their verification by anybody: no network, no database, no trust in the platform that made them.

A receipt is a C2SP tlog-proof. Its `extra` line carries, as canonical JSON, what is proved:

- `entry`: the leaf of the log, itself JSON: what happened, without personal data;
- `open`: what the leaf commits to, with the salt: known to the holder of the receipt alone;
- `key`: the public key of the log, so that the file can be checked by itself. Who it belongs to is not proved by the
  file: compare it with the one that the platform publishes, or give the one you trust.
"""

from __future__ import annotations

import hmac
import json
from dataclasses import dataclass
from typing import Any

from commonweal.kernel.proof import tree
from commonweal.kernel.proof.note import BadNote, VerifierKey, decode, encode, open_checkpoint

HEADER = "c2sp.org/tlog-proof@v1"
SALT_SIZE = 16
DEPTH = 32
"""How deep lists and objects may lie in one another."""


def canonical(value: object) -> bytes:
    """JSON in one form only: sorted keys, no blanks, UTF-8. Floats are refused (RFC 8785 agrees for what is left)."""

    if not _plain(value, DEPTH):
        raise ValueError("only text, whole numbers below 2**53, and lists and objects of them have a canonical form")
    return _ENCODER.encode(value).encode()


_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def _plain(value: object, room: int) -> bool:
    """Loops rather than generators, and what is commonest first: this is asked several times a gift."""
    if isinstance(value, str):
        return True
    if isinstance(value, int):
        return isinstance(value, bool) or -(2**53) < value < 2**53
    if isinstance(value, dict):
        for name, item in value.items():
            if not isinstance(name, str) or not (isinstance(item, str) or (room > 0 and _plain(item, room - 1))):
                return False
        return room > 0
    if isinstance(value, list | tuple):
        for item in value:
            if not (isinstance(item, str) or (room > 0 and _plain(item, room - 1))):
                return False
        return room > 0
    return value is None


def parse_canonical(data: bytes) -> Any:
    """The value of canonical JSON. Raises `BadNote` for any other spelling of it."""
    try:
        value = json.loads(data)
        if canonical(value) == data:
            return value
    except (ValueError, RecursionError) as error:
        raise BadNote("this is not JSON of the expected form") from error
    raise BadNote("this is not canonical JSON")


def seal(salt: bytes, private: dict[str, Any]) -> bytes:
    """The commitment to `private`: HMAC-SHA256 under a random salt, so that small values cannot be guessed."""
    return hmac.digest(salt, canonical(private), "sha256")


@dataclass(frozen=True)
class Receipt:
    """A fact, its opening if its holder has one, and the path to a signed checkpoint."""

    entry: bytes
    opening: tuple[bytes, dict[str, Any]] | None
    key: VerifierKey
    index: int
    proof: list[bytes]
    checkpoint: str

    def __str__(self) -> str:
        extra: dict[str, Any] = {"entry": self.entry.decode(), "key": encode(self.key.public)}
        if self.opening:
            extra["open"] = {"salt": encode(self.opening[0]), **self.opening[1]}
        lines = [HEADER, f"extra {encode(canonical(extra))}", f"index {self.index}", *map(encode, self.proof)]
        return "\n".join(lines) + "\n\n" + self.checkpoint

    @property
    def fact(self) -> dict[str, Any]:
        """What happened: the public fields of the leaf."""
        return dict(json.loads(self.entry))


def parse_receipt(data: bytes) -> Receipt:
    """Read a receipt in its one canonical form. Raises `BadNote`."""
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise BadNote("a receipt is UTF-8 text") from error
    head, _, checkpoint = text.partition("\n\n")
    lines = head.split("\n")
    if len(lines) < 3 or lines[0] != HEADER or not lines[1].startswith("extra ") or not lines[2].startswith("index "):
        raise BadNote(f"a receipt begins with {HEADER}, an extra and an index")
    extra = parse_canonical(decode(lines[1].removeprefix("extra ")))
    number = lines[2].removeprefix("index ")
    if not isinstance(extra, dict) or not number.isascii() or not number.isdigit() or len(number) > 19:
        raise BadNote("the extra or the index is out of form")
    try:
        opening = dict(extra["open"]) if "open" in extra else None
        salt = decode(opening.pop("salt")) if opening is not None else b""
        name = checkpoint.partition("\n")[0]
        receipt = Receipt(
            entry=extra["entry"].encode(),
            opening=(salt, opening) if opening is not None else None,
            key=VerifierKey(name, decode(extra["key"])),
            index=int(number),
            proof=[decode(line) for line in lines[3:]],
            checkpoint=checkpoint,
        )
    except (KeyError, AttributeError, TypeError, ValueError) as error:
        raise BadNote(f"the receipt's content is out of form: {error}") from error
    if str(receipt).encode() != data:
        raise BadNote("the receipt is not in canonical form")
    return receipt


def verify_receipt(data: bytes, trusted: VerifierKey | None = None) -> Receipt:
    """The receipt, if every byte of it holds; else `BadNote` with the reason.

    Checked are: the form, the log's signature (by `trusted` if given, else by the key that the file carries), the path
    from the entry to the signed root, and that the opening is what the entry commits to.
    """
    receipt = parse_receipt(data)
    if trusted is not None and receipt.key != trusted:
        raise BadNote("the receipt is of another log than the one you trust")
    checkpoint = open_checkpoint(receipt.checkpoint, receipt.key)
    if receipt.checkpoint.count("\n— ") != 1:
        raise BadNote("the checkpoint has more than one signature")
    leaf = tree.leaf_hash(receipt.entry)
    if not tree.verify_inclusion(receipt.index, checkpoint.size, leaf, receipt.proof, checkpoint.root):
        raise BadNote("the entry is not in the log")
    fact = parse_canonical(receipt.entry)
    if not isinstance(fact, dict):
        raise BadNote("the entry is not a fact")
    if receipt.opening is not None:
        salt, private = receipt.opening
        if len(salt) != SALT_SIZE or fact.get("seal") != encode(seal(salt, private)):
            raise BadNote("the opening is not what the entry commits to")
    return receipt
