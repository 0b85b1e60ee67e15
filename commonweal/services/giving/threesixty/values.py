"""Single values as publishers write them: amounts, days, moments, addresses. Each is understood or refused."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

from commonweal.kernel.errors import Invalid
from commonweal.kernel.quantity import MAX_AMOUNT, Asset
from commonweal.kernel.text import Text
from commonweal.services.giving.threesixty.currencies import SYMBOLS

Order = Literal["day-first", "month-first", "unknown", "mixed"]
"""How the days of one file are written, as far as its unmistakable days show it."""

FIRST_DAY = date(1900, 1, 1)

_GROUPED = re.compile(r"(?P<whole>[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.(?P<part>[0-9]*))?")
_ISO = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?", re.ASCII)
_SLASHED = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})(?: \d{1,2}:\d{2}(?::\d{2})?)?", re.ASCII)
_ADDRESS = re.compile(r"https?://[^\s<>\"\\]+", re.IGNORECASE)
_HOST = re.compile(r"(?:[a-z0-9-]+\.)+[a-z]{2,}(?:/[^\s<>\"\\]*)?", re.IGNORECASE)
_MONTHS = re.compile(r"([0-9]{1,4})(?: months?)?", re.IGNORECASE)

_INVISIBLE = dict.fromkeys((0x00AD, 0x200B, 0xFEFF))
"""Soft hyphen, zero-width space and byte order mark come from copying and mean nothing: they are left out."""
_REGISTER = re.compile(r"(?:[A-Z]{2}|XI|XM|XR|ZA)-[A-Z0-9]+-.+|360G-.+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Organisation:
    """A funder or a recipient as one row names it."""

    identifier: str
    name: str

    @property
    def identified(self) -> bool:
        """Whether the identifier stands for one organisation everywhere.

        So do codes of a register (`GB-CHC-326568`, see org-id.guide) and of a 360Giving publisher (`360G-...`); what
        else is written there (`DUMMY01`) names nobody, and its organisations are told apart by name.
        """
        return _REGISTER.fullmatch(self.identifier) is not None


def line(value: Any, field: str, longest: int) -> str:
    """One line of text, NFC, blanks made single. Raises `Invalid` with `text.missing`, `.too-long` or `.characters`."""
    if not isinstance(value, str) or not value.split():
        raise Invalid("text.missing", Text("{field} is missing.", "缺少 {field}。").format(field=field), field=field)
    text = " ".join(unicodedata.normalize("NFC", value).translate(_INVISIBLE).split())
    if len(text) > longest:
        raise Invalid(
            "text.too-long",
            Text("{field} has more than {longest} characters.", "{field} 超过 {longest} 个字符。").format(
                field=field, longest=longest
            ),
            field=field,
        )
    if any(unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Cn"} for character in text):
        raise Invalid(
            "text.characters",
            Text("{field} holds characters that cannot be shown.", "{field} 含有无法显示的字符。").format(field=field),
            field=field,
        )
    return text


def paragraphs(value: Any, field: str, longest: int) -> str:
    """Text of one or more lines; each as in `line`, empty ones left out."""
    lines = value.splitlines() if isinstance(value, str) else []
    text = "\n".join(line(each, field, longest) for each in lines if each.split())
    return text if 0 < len(text) <= longest else line(value, field, longest)


def amount(value: Any, asset: Asset, field: str) -> int:
    """An amount in smallest units: a JSON number, or text such as `1,234.50` or `£500`; zero is an amount.

    Raises `Invalid` with `amount.missing`, `.form`, `.precision`, `.negative` or `.too-large`.
    """
    if value is None or value == "":
        raise Invalid("amount.missing", Text("The amount is missing.", "缺少金额。"), field=field)
    exact = decimal(value, asset.code)
    if exact is None or not exact.is_finite():
        raise Invalid("amount.form", Text("This amount cannot be understood.", "无法识别该金额。"), field=field)
    if exact < 0:
        raise Invalid("amount.negative", Text("An award cannot be negative.", "资助金额不能为负数。"), field=field)
    if exact > MAX_AMOUNT:  # compared before it is scaled: an exponent of a million is not worked out
        raise Invalid("amount.too-large", Text("This amount is too large.", "金额过大。"), field=field)
    units = exact.scaleb(asset.exponent)
    if units != units.to_integral_value():
        raise Invalid(
            "amount.precision",
            Text("This amount has more decimal places than its currency.", "金额的小数位超过该货币的最小单位。"),
            field=field,
        )
    if units > MAX_AMOUNT:
        raise Invalid("amount.too-large", Text("This amount is too large.", "金额过大。"), field=field)
    return int(units)


def decimal(value: Any, code: str = "") -> Decimal | None:
    """A number as it stands in a file, with or without the sign of currency `code`; None if it is none."""
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return Decimal(value)
    if not isinstance(value, str):
        return None
    text = value.strip().removeprefix(SYMBOLS.get(code, "")).removeprefix(code).strip()
    sign = "-" if text.startswith("-") else ""
    match = _GROUPED.fullmatch(text.removeprefix("-"))
    return Decimal(f"{sign}{match['whole'].replace(',', '')}.{match['part'] or '0'}") if match else None


def order_of_days(values: list[Any]) -> Order:
    """Whether a file writes `27/09/2013` or `09/27/2013`, judged by its days that can be read in one way only."""
    pairs = [(int(m[1]), int(m[2])) for m in (_SLASHED.fullmatch(v.strip()) for v in values if isinstance(v, str)) if m]
    day_first = any(first > 12 >= second for first, second in pairs)
    month_first = any(second > 12 >= first for first, second in pairs)
    if day_first and month_first:
        return "mixed"
    if not pairs:
        return "day-first"
    return "day-first" if day_first else "month-first" if month_first else "unknown"


def day(value: Any, order: Order, field: str) -> date:
    """A day: `2014-03-17`, a moment in ISO 8601 (its day as written), or `17/03/2014` with or without a time.

    The order of the file (`order_of_days`) decides what `05/06/2014` means; a file in which nothing shows it is read
    with the day first, as the standard's British publishers write. Raises `Invalid` with `date.missing`, `date.form`
    or `date.ambiguous`.
    """
    if value is None or value == "":
        raise Invalid("date.missing", Text("The date is missing.", "缺少日期。"), field=field)
    text = value.strip() if isinstance(value, str) else ""
    if match := _ISO.fullmatch(text):
        year, month, number = (int(part) for part in match.groups())
    elif match := _SLASHED.fullmatch(text):
        number, month, year = (int(part) for part in match.groups())
        if order == "mixed" and number <= 12 and month <= 12 and number != month:
            raise Invalid(
                "date.ambiguous",
                Text(
                    "This file writes days in two orders, and this one can be either.",
                    "该文件混用两种日期顺序，此日期无法确定。",
                ),
                field=field,
            )
        if month > 12 or (order == "month-first" and number <= 12):
            number, month = month, number
    else:
        raise Invalid("date.form", Text("This date cannot be understood.", "无法识别该日期。"), field=field)
    try:
        return date(year, month, number)
    except ValueError as error:
        raise Invalid("date.form", Text("There is no such day.", "不存在这一天。"), field=field) from error


def at_midnight(when: date) -> str:
    """A day as a date-time of RFC 3339. The standard's schema wants exactly one of "date-time" and "date" to fit;
    to a validator that does not look at formats a bare date fits both, so that only the long form is valid to all."""
    return f"{when.isoformat()}T00:00:00+00:00"


def moment(value: Any, order: Order, field: str) -> str:
    """A date-time of RFC 3339: as it is written if it has a zone, else the day at midnight UTC."""
    text = value.strip().replace(" ", "T", 1) if isinstance(value, str) else ""
    if _ISO.fullmatch(text) and "T" in text:
        try:
            parsed = datetime.fromisoformat(text)
        except ValueError:
            pass
        else:
            if parsed.tzinfo is not None:
                return parsed.isoformat()
    return at_midnight(day(value, order, field))


def address(value: Any, field: str) -> str:
    """A web address; one without `http://` gets it."""
    text = value.strip() if isinstance(value, str) else ""
    if _HOST.fullmatch(text):
        text = f"http://{text}"
    if not _ADDRESS.fullmatch(text):
        raise Invalid("address.form", Text("This is not a web address.", "这不是网址。"), field=field)
    return text


def months(value: Any, field: str) -> int:
    """A duration in months: `12` or `12 months`."""
    match = _MONTHS.fullmatch(str(value).strip()) if isinstance(value, int | str) and value is not True else None
    if match is None:
        raise Invalid("months.form", Text("This duration cannot be understood.", "无法识别该期限。"), field=field)
    return int(match[1])
