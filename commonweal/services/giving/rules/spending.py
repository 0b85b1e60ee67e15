"""What a charity states of a year, and whether its spending keeps the limits of the law."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from commonweal.kernel.errors import Invalid
from commonweal.kernel.text import Text


class Form(StrEnum):
    """What kind of body a charity is: the limits differ."""

    FOUNDATION = "foundation"
    ASSOCIATION = "association"
    SERVICE = "service"


TITLES: dict[Form, Text] = {
    Form.FOUNDATION: Text("Foundation", "基金会"),
    Form.ASSOCIATION: Text("Association", "社会团体"),
    Form.SERVICE: Text("Social service body", "社会服务机构"),
}
PROGRAMME_LEAST = 70
"""Per cent of last year's income, or of the mean of the last three, that is spent on programmes (art. 7, 10)."""
MANAGEMENT_MOST = {Form.FOUNDATION: 10, Form.ASSOCIATION: 13, Form.SERVICE: 13}
"""Per cent of the year's spending (art. 7)."""
SMALL = 200_000_00
"""Below this management cost, in fen, its limit does not apply (art. 11)."""

SOURCE = Text(
    "Provisions on the Annual Expenditure and Management Costs of Charitable Organisations Carrying out Charitable "
    "Activities (Ministry of Civil Affairs, Ministry of Finance, State Taxation Administration, 2016), art. 7, 10, 11: "
    "bodies with the qualification for public fundraising",
    "《关于慈善组织开展慈善活动年度支出和管理费用的规定》（民政部、财政部、国家税务总局，2016）第七、十、十一条：适用于"
    "具有公开募捐资格的慈善组织",
)


@dataclass(frozen=True, slots=True)
class Year:
    """Amounts of one year in fen. `spending` is all of it; `programme` and `management` are parts of it."""

    form: Form
    income: int
    spending: int
    programme: int
    management: int


@dataclass(frozen=True, slots=True)
class Ratio:
    """A share in per cent, rounded down, beside its limit. `kept` is None where the limit does not apply."""

    percent: int
    limit: int
    kept: bool | None = None


def check(year: Year) -> None:
    """Raises `Invalid` (`year.sums`) if the parts are more than the whole, or anything is negative."""
    parts = (year.income, year.spending, year.programme, year.management)
    if min(parts) < 0 or year.programme + year.management > year.spending:
        raise Invalid(
            "year.sums",
            Text("Programmes and management are parts of all spending.", "项目支出与管理费用之和不能超过总支出。"),
            field="spending",
        )


def programme(years: Mapping[int, Year], year: int) -> Ratio | None:
    """Programme spending against last year's income; None if that is not stated or was nothing.

    The limit is kept by last year's income or by the mean of the last three.
    """
    this, last = years[year], years.get(year - 1)
    if last is None or not last.income:
        return None
    before = [years[each].income for each in range(year - 3, year) if each in years]
    kept = this.programme * 100 >= PROGRAMME_LEAST * last.income or (
        len(before) == 3 and this.programme * 300 >= PROGRAMME_LEAST * sum(before)
    )
    return Ratio(this.programme * 100 // last.income, PROGRAMME_LEAST, kept)


def management(year: Year) -> Ratio | None:
    """Management cost against all spending of the year; None if nothing was spent."""
    if not year.spending:
        return None
    limit = MANAGEMENT_MOST[year.form]
    kept = year.management * 100 <= limit * year.spending
    return Ratio(year.management * 100 // year.spending, limit, kept if year.management >= SMALL else None)
