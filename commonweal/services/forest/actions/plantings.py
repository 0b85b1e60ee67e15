"""Trees set in the ground: for the first time, or again because a survey said that too many had died."""

from __future__ import annotations

import uuid
from datetime import date

from django.db import IntegrityError, connection, transaction

from commonweal.kernel import clock
from commonweal.kernel.errors import Conflict
from commonweal.kernel.parties import people
from commonweal.kernel.parties.models import Party
from commonweal.kernel.proof import Fact, append
from commonweal.kernel.text import Text
from commonweal.services.forest.queries import plots as queries
from commonweal.services.forest.rules import field as rules
from commonweal.services.forest.rules.bubbles import day_of


@transaction.atomic
def plant(officer: Party, code: str, first: int, last: int, day: date) -> uuid.UUID:
    """The planting partner says that positions `first` to `last` were planted on a day; the leaf's id.

    Raises `NotFound` (`plot.unknown`), `NotAllowed`, `Invalid` and `Conflict` (`planting.*`).
    """
    return _plant(officer, queries.plot(code), first, last, day, None)


@transaction.atomic
def replant(officer: Party, code: str, first: int, last: int, day: date) -> uuid.UUID:
    """The partner meets its duty to replant, in part or whole, among the positions `first` to `last`.

    Raises as `plant`, and `Conflict` (`planting.no-duty`) if nothing is owed.
    """
    plot = queries.plot(code)
    if not plot.standing.owed:
        raise Conflict("planting.no-duty", Text("Nothing is owed here.", "这里没有补植义务。"))
    return _plant(officer, plot, first, last, day, plot.standing.survey)


def _plant(officer: Party, plot: queries.Plot, first: int, last: int, day: date, duty: uuid.UUID | None) -> uuid.UUID:
    people.require_role(officer, people.OFFICER, Party(id=plot.site.partner))
    now = clock.now()
    rules.check_planting(first, last, plot.numbers.funded, day, day_of(plot.contracted_at), day_of(now))
    fields: dict[str, object] = {"plot": plot.code, "first": first, "last": last, "day": day.isoformat()}
    fact = Fact("forest.planting", now, fields | ({"duty": str(duty)} if duty else {}))
    with connection.cursor() as cursor:
        try:
            with transaction.atomic():
                cursor.execute(
                    "INSERT INTO forest_planting (id, plot, span, day, duty, by, at)"
                    " VALUES (%s, %s, int4range(%s, %s, '[]'), %s, %s, %s, %s)",
                    [fact.id, plot.id, first, last, day, duty, officer.id, now],
                )
        except IntegrityError as error:
            raise Conflict(
                "planting.known",
                Text("Some of these positions are planted already.", "其中有位置已经栽过。")
                if duty is None
                else Text("Only what was planted, and once each, can be replanted.", "只能补植栽过的位置，且各一次。"),
                field="first",
            ) from error
        append(cursor, fact)
    return fact.id
