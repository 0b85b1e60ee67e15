"""Vendors and what they offer: admitted by a steward, priced by themselves."""

from __future__ import annotations

import uuid

from django.db import connection, transaction

from commonweal.kernel import clock
from commonweal.kernel.errors import Conflict, NotFound
from commonweal.kernel.ids import uuid7
from commonweal.kernel.parties import people
from commonweal.kernel.parties.models import Party
from commonweal.kernel.proof import Fact, append
from commonweal.kernel.quantity import CNY, check_amount
from commonweal.kernel.text import Text
from commonweal.services.giving.queries import vendors as queries
from commonweal.services.giving.queries.grants import unknown_organisation
from commonweal.services.giving.rules import texts


@transaction.atomic
def admit(steward: Party, organisation: uuid.UUID, about: Text, contact: str) -> None:
    """A steward admits an organisation as a vendor, once its papers have been seen.

    Raises `NotAllowed`, `NotFound` (`organisation.unknown`) and `Conflict` (`vendor.known`).
    """
    people.require_role(steward, people.STEWARD)
    if not Party.objects.filter(pk=organisation, kind=Party.Kind.ORGANISATION).exists():
        raise unknown_organisation()
    now = clock.now()
    said = texts.both(about.en, about.zh, "about", 1_000, lines=True)
    contact = texts.check(contact, "contact", 200)
    fact = Fact("giving.vendor", now, {"vendor": str(organisation), "steward": str(steward.id)})
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO giving_vendor (party, about_en, about_zh, contact, admitted_by, fact, at)
            VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING RETURNING true
            """,
            [organisation, said.en, said.zh, contact, steward.id, fact.id, now],
        )
        if cursor.fetchone() is None:
            raise Conflict("vendor.known", Text("This vendor is admitted already.", "该供应商已入库。"))
        append(cursor, fact)


@transaction.atomic
def offer(officer: Party, vendor: uuid.UUID, what: Text, unit: Text, price: int) -> uuid.UUID:
    """A vendor offers a thing at a list price. Raises `NotFound` (`vendor.unknown`), `NotAllowed` and `Invalid`."""
    queries.vendor(vendor)
    people.require_role(officer, people.OFFICER, Party(id=vendor))
    check_amount(price, CNY)
    said, counted = texts.both(what.en, what.zh, "what", 200), texts.both(unit.en, unit.zh, "unit", 40)
    id = uuid7()
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO giving_item (id, vendor, what_en, what_zh, unit_en, unit_zh, price, at)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
            """,
            [id, vendor, said.en, said.zh, counted.en, counted.zh, price, clock.now()],
        )
    return id


@transaction.atomic
def end(officer: Party, item: uuid.UUID) -> None:
    """A vendor offers a thing no longer; what is ordered stays. Raises `NotAllowed`, `NotFound` (`item.unknown`)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT vendor FROM giving_item WHERE id = %s AND ended_at IS NULL FOR UPDATE", [item])
        found = cursor.fetchone()
        if found is None:
            raise NotFound("item.unknown", Text("There is no such thing on offer.", "没有这件在售物品。"))
        people.require_role(officer, people.OFFICER, Party(id=found[0]))
        cursor.execute("UPDATE giving_item SET ended_at = %s WHERE id = %s", [clock.now(), item])
