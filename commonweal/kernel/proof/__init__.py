"""The public log: facts are appended in the caller's transaction, numbered and signed within a second, then provable.

`append` stages facts; `sequence` (one at a time, by the clerk) gives them their places, builds the tiles and signs a
checkpoint; `receipt_of` makes the small file with which a stranger checks one fact. Format: C2SP tlog-tiles.
"""

from commonweal.kernel.proof.keys import load_signer, load_verifier
from commonweal.kernel.proof.log import (
    MAX_ENTRY,
    Fact,
    Placed,
    append,
    consistency,
    head,
    inclusion,
    placed,
    receipt_of,
    sequence,
    stage,
)
from commonweal.kernel.proof.note import BadNote, Checkpoint, SignerKey, VerifierKey
from commonweal.kernel.proof.verify import Receipt, verify_receipt

__all__ = [
    "MAX_ENTRY",
    "BadNote",
    "Checkpoint",
    "Fact",
    "Placed",
    "Receipt",
    "SignerKey",
    "VerifierKey",
    "append",
    "consistency",
    "head",
    "inclusion",
    "load_signer",
    "load_verifier",
    "placed",
    "receipt_of",
    "sequence",
    "stage",
    "verify_receipt",
]
