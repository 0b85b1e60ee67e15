"""Signed notes and checkpoints (C2SP signed-note and tlog-checkpoint), with Ed25519 keys. Pure."""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

ED25519 = b"\x01"


class BadNote(ValueError):
    """A note, key or checkpoint that does not have the required form, or a signature that does not hold."""


def encode(data: bytes) -> str:
    """Standard base64 with padding."""
    return base64.b64encode(data).decode()


def decode(text: str) -> bytes:
    """Standard base64 in its one canonical form: anything else (blanks, spare bits) is a `BadNote`."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadNote("this is not base64") from error
    if encode(data) != text:
        raise BadNote("this is not canonical base64")
    return data


def _key_id(name: str, public: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + ED25519 + public).digest()[:4]


@dataclass(frozen=True)
class VerifierKey:
    """A public key with the name of who signs with it; written `name+id+key` (signed-note's vkey)."""

    name: str
    public: bytes

    def __post_init__(self) -> None:
        if not self.name or "+" in self.name or any(character.isspace() for character in self.name):
            raise BadNote(f"a key's name has neither blanks nor '+': {self.name!r}")
        if len(self.public) != 32:
            raise BadNote("an Ed25519 key has 32 bytes")

    @classmethod
    def parse(cls, text: str) -> VerifierKey:
        """Read a vkey line. Raises `BadNote`."""
        parts = text.strip().split("+", 2)
        if len(parts) != 3:
            raise BadNote("a verifier key is written name+id+key")
        data = decode(parts[2])
        key = cls(parts[0], data[1:])
        if data[:1] != ED25519 or parts[1] != key.id.hex():
            raise BadNote("the verifier key's id does not fit the key, or it is not Ed25519")
        return key

    @property
    def id(self) -> bytes:
        """The first four bytes of SHA-256 over name, newline, algorithm and key."""
        return _key_id(self.name, self.public)

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{encode(ED25519 + self.public)}"

    def check(self, text: bytes, signature: bytes) -> bool:
        """Whether the signature of `text` is by this key."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True)
class SignerKey:
    """A private key with the name of who signs."""

    name: str
    private: bytes

    @property
    def verifier(self) -> VerifierKey:
        """The public half."""
        public = Ed25519PrivateKey.from_private_bytes(self.private).public_key()
        return VerifierKey(self.name, public.public_bytes_raw())

    def sign(self, text: str) -> str:
        """The note: the text (which must end in a newline), an empty line, and the signature line."""
        if not text.endswith("\n"):
            raise BadNote("a note's text ends in a newline")
        signature = Ed25519PrivateKey.from_private_bytes(self.private).sign(text.encode())
        return f"{text}\n— {self.name} {encode(self.verifier.id + signature)}\n"


def open_note(note: str, key: VerifierKey) -> str:
    """The text of a note that `key` has signed. Signatures of others are passed over. Raises `BadNote`."""
    text, separator, signatures = note.rpartition("\n\n")
    if not separator or not signatures.endswith("\n"):
        raise BadNote("the note has no signatures")
    text += "\n"
    ours = []
    for line in signatures[:-1].split("\n"):
        dash, _, rest = line.partition(" ")
        name, _, signature = rest.partition(" ")
        if dash != "—" or not name or not signature:
            raise BadNote("a signature line is out of form")
        data = decode(signature)
        if name == key.name and data[:4] == key.id:
            ours.append(data[4:])
    if not ours:
        raise BadNote(f"the note is not signed by {key.name}")
    if not all(key.check(text.encode(), signature) for signature in ours):
        raise BadNote("the signature does not hold")
    return text


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What the log promises: at `size` leaves its root is `root`."""

    origin: str
    size: int
    root: bytes

    def __str__(self) -> str:
        return f"{self.origin}\n{self.size}\n{encode(self.root)}\n"

    @classmethod
    def parse(cls, text: str) -> Checkpoint:
        """Read a checkpoint's text in its canonical form. Raises `BadNote`."""
        lines = text.split("\n")
        if len(lines) != 4 or lines[3] or not lines[0] or not lines[1].isascii() or not lines[1].isdigit():
            raise BadNote("a checkpoint is three lines: origin, size, root")
        if len(lines[1]) > 19:
            raise BadNote("the checkpoint's size is out of range")
        checkpoint = cls(lines[0], int(lines[1]), decode(lines[2]))
        if str(checkpoint) != text or len(checkpoint.root) != 32:
            raise BadNote("the checkpoint is not in canonical form")
        return checkpoint


def open_checkpoint(note: str, key: VerifierKey) -> Checkpoint:
    """The checkpoint in a note that `key` has signed; its origin must be the key's name. Raises `BadNote`."""
    checkpoint = Checkpoint.parse(open_note(note, key))
    if checkpoint.origin != key.name:
        raise BadNote("the checkpoint is of another log")
    return checkpoint
