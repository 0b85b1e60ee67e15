"""What opens the seals of leaves that concern a giver."""

from __future__ import annotations

import hmac
import uuid

from commonweal.kernel.parties import cipher
from commonweal.kernel.proof.verify import SALT_SIZE


def opening(giver: uuid.UUID, fact: uuid.UUID, key: bytes | None = None) -> tuple[bytes, dict[str, str]]:
    """What opens the seal of a gift's leaf: a salt that follows from the giver's key, so it is gone with that key.

    The key is looked up unless it is at hand. Raises `cipher.Forgotten`.
    """
    return hmac.digest(key or cipher.key_of(giver), fact.bytes, "sha256")[:SALT_SIZE], {"giver": str(giver)}
