"""The log's key pair: made at the first start, kept in the data directory, never in the database."""

from __future__ import annotations

import os
import secrets
import tempfile
from pathlib import Path

from commonweal.kernel.proof.note import SignerKey, VerifierKey, decode, encode


def load_signer(home: Path, name: str) -> SignerKey:
    """The log's private key in `home/keys/log.key`; it is made, with `name`, if there is none yet.

    Raises `BadNote` for a name that no key can have.
    """
    path, public = home / "keys" / "log.key", home / "keys" / "log.vkey"
    if not path.exists():
        fresh = SignerKey(name, secrets.token_bytes(32))
        _keep(path, f"{fresh.verifier.name}\n{encode(fresh.private)}\n")
    name, private = path.read_text().split()
    signer = SignerKey(name, decode(private))
    if not public.exists():
        _keep(public, f"{signer.verifier}\n", mode=0o644)
    return signer


def load_verifier(home: Path) -> VerifierKey | None:
    """The log's public key in `home/keys/log.vkey`, if this is a data directory."""
    try:
        return VerifierKey.parse((home / "keys" / "log.vkey").read_text())
    except FileNotFoundError:
        return None


def _keep(path: Path, text: str, mode: int = 0o600) -> None:
    """Write a file whole and durably, unless another starter was first: then its file stays."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=path.parent) as file:
        file.write(text)
        file.flush()
        os.fchmod(file.fileno(), mode)
        os.fsync(file.fileno())
        try:
            os.link(file.name, path)
        except FileExistsError:
            return
    directory = os.open(path.parent, os.O_RDONLY)
    os.fsync(directory)
    os.close(directory)
