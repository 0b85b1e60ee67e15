"""From campaigns to a file of IATI 2.03, piece by piece: the elements in the order that the schema demands."""

from __future__ import annotations

import functools
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal
from xml.sax.saxutils import quoteattr

from commonweal.kernel.quantity import Asset, format_amount, share_out
from commonweal.kernel.text import Text

LANG = "{http://www.w3.org/XML/1998/namespace}lang"
NATIONAL_NGO = "22"
"""Of the code list OrganisationType."""
LONGEST_BUDGET = timedelta(days=365)
"""A budget may cover one year at most."""

SECTORS = {
    "education": "11220",
    "health": "12220",
    "children": "16010",
    "elderly": "16010",
    "disability": "16010",
    "disaster": "72010",
    "environment": "41010",
    "culture": "16061",
    "community": "43040",
}
"""What a campaign is about, in the five-digit purpose codes of the OECD (code list Sector, vocabulary 1)."""

Kind = Literal["1", "4"]
"""Of the code list TransactionType: incoming funds, expenditure."""


@dataclass(frozen=True, slots=True)
class Organisation:
    """An organisation and its identifier."""

    ref: str
    name: Text


@dataclass(frozen=True, slots=True)
class Movement:
    """Money that came in or went out, in smallest units."""

    ref: str
    kind: Kind
    day: date
    amount: int
    what: Text


@dataclass(frozen=True, slots=True)
class Activity:
    """A campaign. `ended` is when it closed or was stopped, None while it runs; `goal` in smallest units of `asset`."""

    id: str
    organisation: Organisation
    title: Text
    description: Text
    topic: str
    asset: Asset
    goal: int
    opens: date
    closes: date
    ended: date | None
    updated: datetime
    movements: Iterable[Movement]


def write(activities: Iterable[Activity], now: datetime) -> Iterator[str]:
    """The text of the file. Nothing in it lies in the future of `now`, except for what is planned."""
    yield '<?xml version="1.0" encoding="UTF-8"?>\n'
    yield f'<iati-activities version="2.03" generated-datetime="{_moment(now)}">\n'
    for activity in activities:
        yield from _activity(activity, now)
    yield "</iati-activities>\n"


def _moment(moment: datetime) -> str:
    return moment.replace(microsecond=0).isoformat()


def _activity(activity: Activity, now: datetime) -> Iterator[str]:
    updated = quoteattr(_moment(min(activity.updated, now)))
    yield f'<iati-activity last-updated-datetime={updated} default-currency="{activity.asset.code}" xml:lang="en">\n'
    for element in _head(activity, now):
        yield ET.tostring(element, encoding="unicode") + "\n"
    for movement in activity.movements:
        yield _transaction(movement, activity.asset)
    yield "</iati-activity>\n"


def _head(activity: Activity, now: datetime) -> Iterator[ET.Element]:
    identifier = ET.Element("iati-identifier")
    identifier.text = f"{activity.organisation.ref}-{activity.id}"
    yield identifier
    yield _named("reporting-org", activity.organisation.name, ref=activity.organisation.ref, type=NATIONAL_NGO)
    yield _named("title", activity.title)
    yield _named("description", activity.description, type="1")
    implementing = {"ref": activity.organisation.ref, "type": NATIONAL_NGO, "role": "4"}
    yield _named("participating-org", activity.organisation.name, **implementing)
    today = now.date()
    begun, ended = activity.opens <= today, activity.ended is not None
    yield ET.Element("activity-status", code="4" if ended else "2" if begun else "1")
    yield _date("1", activity.opens)
    if begun:
        yield _date("2", activity.opens)
    yield _date("3", activity.closes)
    if activity.ended is not None:
        yield _date("4", max(activity.ended, activity.opens))
    yield ET.Element("recipient-country", code="CN", percentage="100")
    yield ET.Element("sector", vocabulary="1", code=SECTORS[activity.topic])
    yield from _budgets(activity)


def _named(tag: str, name: Text, **attributes: str) -> ET.Element:
    element = ET.Element(tag, attributes)
    ET.SubElement(element, "narrative").text = name.en
    if name.zh != name.en:
        ET.SubElement(element, "narrative", {LANG: "zh"}).text = name.zh
    return element


def _date(kind: str, day: date) -> ET.Element:
    return ET.Element("activity-date", {"type": kind, "iso-date": day.isoformat()})


def _value(amount: int, asset: Asset, day: date) -> ET.Element:
    element = ET.Element("value", {"value-date": day.isoformat(), "currency": asset.code})
    element.text = format_amount(amount, asset, grouped=False)
    return element


def _budgets(activity: Activity) -> Iterator[ET.Element]:
    """The goal, shared out over periods of at most a year in proportion to their days."""
    starts = [activity.opens]
    while activity.closes - starts[-1] > LONGEST_BUDGET:
        starts.append(starts[-1] + LONGEST_BUDGET)
    ends = [*starts[1:], max(activity.closes, activity.opens)]
    days = [max(1, (end - start).days) for start, end in zip(starts, ends, strict=True)]
    for start, end, amount in zip(starts, ends, share_out(activity.goal, days), strict=True):
        budget = ET.Element("budget", type="1", status="2")
        ET.SubElement(budget, "period-start", {"iso-date": start.isoformat()})
        ET.SubElement(budget, "period-end", {"iso-date": end.isoformat()})
        budget.append(_value(amount, activity.asset, start))
        yield budget


def _transaction(movement: Movement, asset: Asset) -> str:
    """Written by hand: there are as many as gifts, and the library takes ten times as long for each."""
    day = movement.day.isoformat()
    return (
        f"<transaction ref={quoteattr(movement.ref)}>"
        f'<transaction-type code="{movement.kind}" /><transaction-date iso-date="{day}" />'
        f'<value value-date="{day}" currency="{asset.code}">{format_amount(movement.amount, asset, grouped=False)}'
        f"</value>{_description(movement.what)}</transaction>\n"
    )


@functools.lru_cache(maxsize=256)
def _description(what: Text) -> str:
    return ET.tostring(_named("description", what), encoding="unicode")
