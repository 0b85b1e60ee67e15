"""The log's key pair: made at the first start, kept in the data directory, never in the database."""

from __future__ import annotations

import secrets
from pathlib import Path

from commonweal.kernel.proof.note import SignerKey, VerifierKey, decode, encode
from commonweal.kernel.secret import kept


def load_signer(home: Path, name: str) -> SignerKey:
    """The log's private key in `home/keys/log.key`; it is made, with `name`, if there is none yet.

    Raises `BadNote` for a name that no key can have.
    """

    def fresh() -> bytes:
        made = SignerKey(name, secrets.token_bytes(32))
        return f"{made.verifier.name}\n{encode(made.private)}\n".encode()

    named, private = kept(home / "keys" / "log.key", fresh).decode().split()
    signer = SignerKey(named, decode(private))
    kept(home / "keys" / "log.vkey", f"{signer.verifier}\n".encode, mode=0o644)
    return signer


def load_verifier(home: Path) -> VerifierKey | None:
    """The log's public key in `home/keys/log.vkey`, if this is a data directory."""
    try:
        return VerifierKey.parse((home / "keys" / "log.vkey").read_text())
    except FileNotFoundError:
        return None
