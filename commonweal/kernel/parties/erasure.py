"""Forgetting a person: their key is destroyed, what was sealed under it is noise, and every proof still holds."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q

from commonweal.kernel import clock
from commonweal.kernel.errors import Conflict
from commonweal.kernel.parties.models import (
    ApiToken,
    Attestation,
    Credential,
    Grant,
    Guardianship,
    Login,
    Party,
    PartyKey,
    Session,
)
from commonweal.kernel.proof import Fact, append
from commonweal.kernel.text import Text

Eraser = Callable[[uuid.UUID], None]
_erasers: list[Eraser] = []


def eraser(erase: Eraser) -> Eraser:
    """Register a function that removes what an app keeps of a person outside the sealed fields; runs in `forget`."""
    _erasers.append(erase)
    return erase


@transaction.atomic
def forget(party_id: uuid.UUID) -> bool:
    """Erase a person; returns False if that has been done before.

    Raises `Party.DoesNotExist`, and `Conflict` for an organisation, whose name and deeds are public.

    In one transaction: every app's eraser, the sealed fields, the login with its addresses, passkeys and sessions, the
    tokens, credentials and roles, the key; and a tombstone fact in the log that names the pseudonym alone (GDPR art.
    17, PIPL art. 47).
    """
    party = Party.objects.select_for_update().get(pk=party_id)
    if party.kind == Party.Kind.ORGANISATION:
        raise Conflict(
            "party.organisation", Text("An organisation cannot be forgotten.", "机构信息是公开的，不能清除。")
        )
    if party.erased_at is not None:
        return False
    now = clock.now()
    for erase in _erasers:
        erase(party_id)
    Session.objects.filter(login__in=Login.objects.filter(party=party).values("pk")).delete()
    Login.objects.filter(party=party).delete()
    Attestation.objects.filter(credential__holder=party).delete()
    Credential.objects.filter(holder=party).delete()
    guardianships = Guardianship.objects.filter(Q(guardian=party) | Q(ward=party))
    guardianships.filter(ended_at=None).update(ended_at=now)
    guardianships.update(evidence="")
    ApiToken.objects.filter(party=party).delete()
    Grant.objects.filter(party=party, revoked_at=None).update(revoked_at=now)
    PartyKey.objects.filter(party=party).delete()
    party.sealed, party.erased_at = None, now
    party.save(update_fields=["sealed", "erased_at"])
    with connection.cursor() as cursor:
        append(cursor, Fact("parties.forgotten", now, {"party": str(party_id)}))
    transaction.on_commit(lambda: _remember(party_id))
    return True


def _remember(party_id: uuid.UUID) -> None:
    """Note the pseudonym in `home/keys/forgotten`: restoring an older backup forgets the person again."""
    path = Path(settings.HOME) / "keys" / "forgotten"
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with path.open("a") as file:
        file.write(f"{party_id}\n")
        file.flush()
        os.fsync(file.fileno())
