"""A charity states the figures of a year; a correction is stated beside what it corrects."""

from __future__ import annotations

import uuid

from django.db import connection, transaction

from commonweal.kernel import clock
from commonweal.kernel.errors import Invalid
from commonweal.kernel.files import store
from commonweal.kernel.parties import people
from commonweal.kernel.parties.models import Party
from commonweal.kernel.proof import Fact, append
from commonweal.kernel.text import Text
from commonweal.services.giving.rules import spending as rules


@transaction.atomic
def state(officer: Party, organisation: uuid.UUID, year: int, figures: rules.Year, accounts: bytes) -> None:
    """State a year that is over, with its accounts as a file.

    Raises `NotAllowed` unless an officer of the charity asks, `Invalid` with `year.not-over`, `year.sums` or for the
    file.
    """
    people.require_role(officer, people.OFFICER, Party(id=organisation))
    now = clock.now()
    if not 2000 <= year < now.year:
        raise Invalid("year.not-over", Text("State a year that is over.", "请填写已结束的年度。"), field="year")
    rules.check(figures)
    digest = store.take_document(accounts, field="accounts").digest
    amounts = [figures.income, figures.spending, figures.programme, figures.management]
    names = ("income", "spending", "programme", "management")
    fields = {"charity": str(organisation), "year": year, "form": figures.form.value, "accounts": digest}
    fact = Fact("giving.year", now, fields | dict(zip(names, amounts, strict=True)))
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM giving_organisation WHERE party_id = %s FOR NO KEY UPDATE", [organisation])
        cursor.execute(
            """
            INSERT INTO giving_year (organisation, year, nth, form, income, spending, programme, management, accounts,
                                     stated_by, fact, at)
            SELECT %s, %s, 1 + count(*), %s, %s, %s, %s, %s, %s, %s, %s, %s FROM giving_year
            WHERE organisation = %s AND year = %s
            """,
            [organisation, year, figures.form, *amounts, digest, officer.id, fact.id, now, organisation, year],
        )
        append(cursor, fact)
