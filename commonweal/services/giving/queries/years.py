"""What charities have stated of their years."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from commonweal.kernel.sql import rows
from commonweal.services.giving.rules import spending as rules
from commonweal.services.giving.rules.spending import Form, Ratio


@dataclass(frozen=True, slots=True)
class Stated:
    """A year as it was stated last; `corrections` is how often it had been stated before."""

    year: int
    figures: rules.Year
    programme: Ratio | None
    management: Ratio | None
    corrections: int
    fact: uuid.UUID
    at: datetime


def of(organisation: uuid.UUID) -> list[Stated]:
    """The years of a charity, newest first."""
    query = """
        SELECT DISTINCT ON (year) year, nth, form, income, spending, programme, management, fact, at
        FROM giving_year WHERE organisation = %(organisation)s ORDER BY year, nth DESC"""
    found = rows(query, {"organisation": organisation})
    years = {
        each["year"]: rules.Year(
            Form(each["form"]), each["income"], each["spending"], each["programme"], each["management"]
        )
        for each in found
    }
    return [
        Stated(
            year=each["year"],
            figures=years[each["year"]],
            programme=rules.programme(years, each["year"]),
            management=rules.management(years[each["year"]]),
            corrections=each["nth"] - 1,
            fact=each["fact"],
            at=each["at"],
        )
        for each in reversed(found)
    ]
