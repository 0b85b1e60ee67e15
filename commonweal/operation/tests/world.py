"""A small platform with people, gifts, facts and a file, made by `python -m commonweal.operation.tests.world`.

Prints what it has made as JSON: the people with their canaries (words that occur nowhere else), and the file.
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta

from commonweal.operation.database import open_database

START = datetime(2026, 1, 1, tzinfo=UTC)


def make(transfers: int) -> dict[str, object]:
    """Make it, with so many transfers."""
    import psycopg
    from django.conf import settings
    from django.db import connection, transaction
    from PIL import Image

    from commonweal.kernel.files import store
    from commonweal.kernel.ids import derived, uuid7
    from commonweal.kernel.ledger import Account, Leg, Transfer, open_accounts, post, request_hash
    from commonweal.kernel.notices import inbox
    from commonweal.kernel.parties import people
    from commonweal.kernel.parties.models import Login
    from commonweal.kernel.proof import Fact, append, load_signer, sequence
    from commonweal.kernel.text import Text
    from commonweal.operation.database import conninfo

    canaries = {}
    with transaction.atomic():
        for number in range(3):
            canary = f"canary-{number}-{uuid7().hex}"
            party = people.register_person(name=canary)
            Login.objects.create(party=party, email=f"{canary}@mail.example", password="!")
            inbox.notify(party.id, "test", Text(canary, canary), Text(canary, canary))
            canaries[str(party.id)] = canary
    book = derived(uuid7(), "book")
    clearing, fund = Account(book, "clearing", "CNY", 1), Account(book, "fund", "CNY", -1, floor=0)
    with transaction.atomic(), connection.cursor() as cursor:
        open_accounts(cursor, [clearing, fund])
        for first in range(0, transfers, 10_000):
            numbers = range(first, min(first + 10_000, transfers))
            moments = [START + timedelta(seconds=n) for n in numbers]
            legs = (Leg(clearing.id, 500), Leg(fund.id, -500))
            post(
                cursor,
                [
                    Transfer(book, f"key-{n}", request_hash(str(n)), "test.gift", legs, at)
                    for n, at in zip(numbers, moments, strict=True)
                ],
            )
            append(cursor, *(Fact("test.gift", at, {"amount": 500}) for at in moments))
    picture = Image.new("RGB", (40, 30), "#8a6")
    import io

    out = io.BytesIO()
    picture.save(out, "PNG")
    stored = store.take_picture(out.getvalue())
    signer = load_signer(settings.HOME, settings.LOG_NAME)
    with psycopg.connect(conninfo(), autocommit=True) as session:
        while sequence(session, signer, START) is not None:
            pass
    return {"people": canaries, "file": stored.digest}


if __name__ == "__main__":
    with open_database():
        print(json.dumps(make(int(sys.argv[1]))))  # noqa: T201
