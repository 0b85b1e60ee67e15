"""Personal data at rest: AES-256-GCM under a key of each party, which is itself kept under the platform's key.

Erasing a party deletes its key: what was sealed under it, here or in any backup without the key, is noise from then on.
"""

from __future__ import annotations

import functools
import json
import secrets
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

from commonweal.kernel.arrays import ids
from commonweal.kernel.errors import NotFound
from commonweal.kernel.parties.models import PartyKey
from commonweal.kernel.secret import kept
from commonweal.kernel.sql import prepared
from commonweal.kernel.text import Text

NONCE = 12


class Forgotten(NotFound):
    """The party's key is gone: nothing sealed under it can be read again."""

    def __init__(self) -> None:
        super().__init__("party.forgotten", Text("This person has been forgotten.", "此人的资料已被清除。"))


@functools.cache
def platform_key(home: Path) -> bytes:
    """The key in `home/keys/parties.key`, made at the first use."""
    return kept(home / "keys" / "parties.key", lambda: secrets.token_bytes(32))


def encrypt(key: bytes, plain: bytes, bound_to: bytes) -> bytes:
    """AES-256-GCM with a random nonce in front; decrypts only with the same `bound_to`."""
    nonce = secrets.token_bytes(NONCE)
    return nonce + AESGCM(key).encrypt(nonce, plain, bound_to)


def decrypt(key: bytes, sealed: bytes, bound_to: bytes) -> bytes:
    """The plain bytes. Raises `cryptography.exceptions.InvalidTag` if anything was changed."""
    return AESGCM(key).decrypt(sealed[:NONCE], sealed[NONCE:], bound_to)


def make_key(party: uuid.UUID) -> PartyKey:
    """A new key for a party, not yet saved."""
    wrapped = encrypt(platform_key(settings.HOME), secrets.token_bytes(32), party.bytes)
    return PartyKey(party_id=party, wrapped=wrapped)


def key_of(party: uuid.UUID) -> bytes:
    """The party's key. Raises `Forgotten`."""
    wrapped = PartyKey.objects.filter(party_id=party).values_list("wrapped", flat=True).first()
    if wrapped is None:
        raise Forgotten
    return decrypt(platform_key(settings.HOME), bytes(wrapped), party.bytes)


def keys_of(parties: Iterable[uuid.UUID]) -> dict[uuid.UUID, bytes]:
    """The keys of many parties at once; those that are forgotten are left out."""
    platform = platform_key(settings.HOME)
    with prepared() as cursor:
        cursor.execute(
            "SELECT party_id, wrapped FROM parties_partykey WHERE party_id = ANY(%s::uuid[])", [ids(parties)]
        )
        return {party: decrypt(platform, wrapped, party.bytes) for party, wrapped in cursor.fetchall()}


def seal_for(party: uuid.UUID, value: Any) -> bytes:
    """A JSON value, readable only while the party has its key. Raises `Forgotten`."""
    return seal_with(key_of(party), party, value)


def seal_with(key: bytes, party: uuid.UUID, value: Any) -> bytes:
    """The same under the party's key at hand, one of `keys_of`."""
    return encrypt(key, json.dumps(value, ensure_ascii=False).encode(), party.bytes)


def open_for(party: uuid.UUID, sealed: bytes) -> Any:
    """The JSON value that `seal_for` has sealed. Raises `Forgotten`."""
    return json.loads(decrypt(key_of(party), bytes(sealed), party.bytes))
