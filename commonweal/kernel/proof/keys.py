"""The log's key pair: made at the first start, kept in the data directory, never in the database."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from commonweal.kernel.proof.note import SignerKey, VerifierKey, decode, encode


def load_signer(home: Path, name: str) -> SignerKey:
    """The log's private key in `home/keys/log.key`; it is made, with `name`, if there is none yet."""
    path = home / "keys" / "log.key"
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = path.with_suffix(f".{os.getpid()}")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(f"{name}\n{encode(secrets.token_bytes(32))}\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(fresh, path)  # the first of several starters wins
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    name, private = path.read_text().split()
    signer = SignerKey(name, decode(private))
    public = home / "keys" / "log.vkey"
    if not public.exists():
        public.write_text(f"{signer.verifier}\n")
    return signer


def load_verifier(home: Path) -> VerifierKey | None:
    """The log's public key in `home/keys/log.vkey`, if this is a data directory."""
    try:
        return VerifierKey.parse((home / "keys" / "log.vkey").read_text())
    except FileNotFoundError:
        return None
