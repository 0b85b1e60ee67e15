"""What happens by itself with trees; and who may open the leaf of a certificate."""

from __future__ import annotations

import uuid

from commonweal.kernel.parties.cipher import Forgotten
from commonweal.kernel.parties.openings import Opening, opener
from commonweal.services.forest.actions import certificates


@opener("forest.certificate")
def open_certificate(party: uuid.UUID, fact: uuid.UUID) -> Opening | None:
    """A certificate's leaf opens to whoever asked for it."""
    try:
        return certificates.opening_for(party, fact)
    except Forgotten:
        return None
