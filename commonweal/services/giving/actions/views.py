"""A steward looks at what is sealed, personal or a note about somebody: on record before anything is shown."""

from __future__ import annotations

import uuid

from django.db import connection, transaction

from commonweal.kernel import clock
from commonweal.kernel.ids import uuid7
from commonweal.kernel.parties import people
from commonweal.kernel.parties.models import Party
from commonweal.services.giving.rules.views import What


@transaction.atomic
def look(steward: Party, what: What, thing: uuid.UUID, subject: uuid.UUID) -> None:
    """Put a look at `thing`, which concerns `subject`, on the stewards' page and in the public log.

    Raises `NotAllowed`.
    """
    fact = people.log_reading(steward, Party(id=subject), what.value)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO giving_view (id, steward, what, thing, subject, fact, at) VALUES (%s, %s, %s, %s, %s, %s, %s)",
            [uuid7(), steward.id, what, thing, subject, fact, clock.now()],
        )
