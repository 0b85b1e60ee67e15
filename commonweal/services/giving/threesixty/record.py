"""The rest of a grant: every property of the standard brought into its form, every other one kept as it was published.

A value that cannot be brought into the standard's form is not lost either: it moves to an own key beside it
(`"plannedDates/duration (as published)"`), because the standard allows own keys anywhere and forbids wrong types.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from commonweal.kernel.errors import Invalid
from commonweal.kernel.quantity import MAX_AMOUNT
from commonweal.services.giving.threesixty import values
from commonweal.services.giving.threesixty.values import Order

_ALPHA_2 = """
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA
    CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB
    GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG
    KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV
    MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB
    SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US
    UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW
"""
COUNTRIES = frozenset(_ALPHA_2.split())
"""ISO 3166-1 alpha-2."""

PERSONAL = frozenset({"contactName", "email", "telephone"})
"""Of an organisation: what may lead to a single person is not taken."""

LONGEST = 10_000
"""Characters of a text that is kept."""

Shape = Callable[[Any, Order, str], Any]


def _text(value: Any, order: Order, field: str) -> str:
    return values.paragraphs(str(value) if isinstance(value, int) else value, field, LONGEST)


def _degrees(value: Any, order: Order, field: str) -> Any:
    number = values.decimal(value)
    if number is None or not abs(number) <= 180:
        raise ValueError("not a coordinate")
    return number


def _money(value: Any, order: Order, field: str) -> Any:
    number = values.decimal(value)
    if number is None or not abs(number) <= MAX_AMOUNT:
        raise ValueError("not an amount")
    return number


def _country(value: Any, order: Order, field: str) -> str:
    code = {"UK": "GB"}.get(str(value).strip().upper(), str(value).strip().upper())
    if code not in COUNTRIES:
        raise ValueError("not a country")
    return code


def _yes_or_no(value: Any, order: Order, field: str) -> str:
    return {"yes": "Yes", "no": "No"}[str(value).strip().lower()]


def _day(value: Any, order: Order, field: str) -> str:
    return values.at_midnight(values.day(value, order, field))


def _address(value: Any, order: Order, field: str) -> str:
    return values.address(value, field)


def _months(value: Any, order: Order, field: str) -> int:
    return values.months(value, field)


_DESCRIBED: dict[str, Shape] = {"title": _text, "description": _text, "dateModified": values.moment}
_EVENT: dict[str, Shape] = {**_DESCRIBED, "startDate": _day, "endDate": _day, "duration": _months}
_PLACE: dict[str, Shape] = {
    "id": _text, "name": _text, "countryCode": _country, "latitude": _degrees, "longitude": _degrees,
    "description": _text, "geoCode": _text, "geoCodeType": _text, "dateModified": values.moment,
}  # fmt: skip
_CLASSIFICATION: dict[str, Shape] = {**_DESCRIBED, "vocabulary": _text, "code": _text, "url": _address}
_ORGANISATION_TEXTS = (
    "id", "name", "department", "charityNumber", "companyNumber", "streetAddress", "addressLocality", "addressRegion",
    "addressCountry", "postalCode", "alternateName", "description", "organisationType",
)  # fmt: skip
ORGANISATION: dict[str, Shape] = {
    **dict.fromkeys(_ORGANISATION_TEXTS, _text),
    "url": _address,
    "dateModified": values.moment,
}
LISTS: dict[str, dict[str, Shape]] = {
    "fundingOrganization": ORGANISATION,
    "recipientOrganization": ORGANISATION,
    "plannedDates": _EVENT,
    "actualDates": _EVENT,
    "beneficiaryLocation": _PLACE,
    "grantProgramme": {**_DESCRIBED, "code": _text, "url": _address},
    "fundingType": _CLASSIFICATION,
    "classifications": _CLASSIFICATION,
    "relatedDocument": {**_DESCRIBED, "id": _text, "url": _address, "documentType": _text},
}
SINGLES: dict[str, Shape] = {
    "amountAppliedFor": _money, "amountDisbursed": _money, "url": _address, "fromOpenCall": _yes_or_no,
    "dateModified": values.moment, "dataSource": _address, "regrantType": _text, "locationScope": _text,
}  # fmt: skip
UNREAD = (
    "applicationTransaction", "commitmentTransaction", "disbursementTransaction", "toIndividualsDetails", "location",
)  # fmt: skip
"""Properties of the standard whose form is not checked here: kept under another name."""

Note = Callable[[str], None]


def record_of(row: dict[str, Any], order: Order, note: Note) -> dict[str, Any]:
    """What of a row is kept beside its core; `note` is told the path of every value that was set aside."""
    kept: dict[str, Any] = {}
    for name, value in row.items():
        if name in LISTS:
            kept.update(_list(name, value, order, note))
        elif name in SINGLES:
            kept.update(_value(name, value, SINGLES[name], order, partial(note, name)))
        elif name == "relatedActivity" and isinstance(value, list) and all(isinstance(each, str) for each in value):
            kept[name] = value
        else:
            kept[_own(name) if name in (*UNREAD, "relatedActivity") else name] = value
    return kept


def _own(name: str) -> str:
    return f"{name} (as published)"


def _list(name: str, value: Any, order: Order, note: Note) -> dict[str, Any]:
    things = value if isinstance(value, list) else [value]
    if not all(isinstance(thing, dict) for thing in things):
        note(name)
        return {_own(name): value}
    return {name: [_thing(name, thing, order, note) for thing in things]}


def _thing(path: str, thing: dict[str, Any], order: Order, note: Note) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for name, value in thing.items():
        if name in LISTS[path]:
            kept.update(_value(name, value, LISTS[path][name], order, partial(note, f"{path}/{name}")))
        elif LISTS[path] is ORGANISATION and name in PERSONAL:
            note(f"{path}/{name}")
        else:
            kept[_own(name) if name in UNREAD else name] = value
    return kept


def _value(name: str, value: Any, shape: Shape, order: Order, set_aside: Callable[[], None]) -> dict[str, Any]:
    if value is None or value == "":
        return {}
    try:
        return {name: shape(value, order, name)}
    except (Invalid, ValueError, TypeError, KeyError):
        set_aside()
        return {_own(name): value}
