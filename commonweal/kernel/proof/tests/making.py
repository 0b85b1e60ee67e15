"""A small log made by the pure parts alone: entries, tiles, checkpoints and receipts without a database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from commonweal.kernel.proof import tree
from commonweal.kernel.proof.note import Checkpoint, SignerKey, encode
from commonweal.kernel.proof.verify import Receipt, canonical, seal

SIGNER = SignerKey("log.example/one", bytes(range(32)))
SALT = bytes(range(16))
PRIVATE = {"giver": "王小明", "amount": 500}


def entry(number: int, **fields: Any) -> bytes:
    """A fact of a gift; number 3 is sealed over `PRIVATE`."""
    sealed = {"seal": encode(seal(SALT, PRIVATE))} if number == 3 else {}
    return canonical({"at": 1_700_000_000_000 + number, "id": f"id-{number}", "kind": "toy.given", **sealed, **fields})


def receipt(entries: Sequence[bytes], index: int, opening: tuple[bytes, dict[str, Any]] | None = None) -> Receipt:
    """The receipt of one of `entries` in a log that holds just them."""
    tiles = tree.grow(0, [tree.leaf_hash(entry) for entry in entries], lambda level, n: b"")
    read = tree.Tiles(lambda level, n: tiles[level, n])
    checkpoint = Checkpoint(SIGNER.name, len(entries), tree.root(len(entries), read))
    proof = tree.inclusion_proof(index, len(entries), read)
    return Receipt(entries[index], opening, SIGNER.verifier, index, proof, SIGNER.sign(str(checkpoint)))


def sealed_receipt() -> Receipt:
    """The receipt of the sealed gift among seven."""
    return receipt([entry(number) for number in range(7)], 3, (SALT, PRIVATE))
