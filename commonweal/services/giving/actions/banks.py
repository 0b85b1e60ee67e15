"""Founding a time bank, and who acts for it."""

from __future__ import annotations

import uuid

from django.db import IntegrityError, connection, transaction

from commonweal.kernel import clock
from commonweal.kernel.errors import Conflict
from commonweal.kernel.ids import uuid7
from commonweal.kernel.ledger import open_accounts, open_assets
from commonweal.kernel.parties import people
from commonweal.kernel.parties.models import Party
from commonweal.kernel.proof import Fact, append
from commonweal.kernel.text import Text
from commonweal.services.giving.queries import banks as queries
from commonweal.services.giving.rules import banks as rules
from commonweal.services.giving.rules import texts
from commonweal.services.giving.rules.deeds import MINUTES


@transaction.atomic
def found(officer: Party, organisation: Party, name: Text, terms: rules.Terms) -> uuid.UUID:
    """Found an organisation's time bank, with its terms for good; returns its id.

    Raises `NotAllowed`, `Invalid` (`text.*`, `amount.*`) and `Conflict` (`bank.known`).
    """
    people.require_role(officer, people.OFFICER, organisation)
    said = texts.both(name.en, name.zh, "name", rules.LONGEST_NAME)
    rules.check_terms(terms)
    now, id = clock.now(), uuid7()
    numbers = {"may_owe": terms.may_owe, "may_bear": terms.may_bear}
    fact = Fact("giving.bank", now, {"bank": str(id), "organisation": str(organisation.id)} | numbers)
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                """
                INSERT INTO giving_bank (id, organisation, name_en, name_zh, may_owe, may_bear, fact, at)
                VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
                """,
                [id, organisation.id, said.en, said.zh, terms.may_owe, terms.may_bear, fact.id, now],
            )
            open_assets(cursor, [MINUTES])
            open_accounts(cursor, [queries.common_account(id, terms.may_bear)])
            append(cursor, fact)
    except IntegrityError as error:
        raise Conflict(
            "bank.known", Text("This organisation has a time bank already.", "该机构已经有时间银行。")
        ) from error
    return id


def officer_of(officer: Party, bank: uuid.UUID) -> queries.Bank:
    """The bank, if somebody acts for it. Raises `NotFound` (`bank.unknown`) and `NotAllowed`."""
    found = queries.bank(bank)
    people.require_role(officer, people.OFFICER, Party(id=found.organisation))
    return found
