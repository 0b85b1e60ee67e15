"""Single values of a pool file: each is read strictly and has one canonical spelling."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any, NoReturn

from commonweal.kernel.errors import Invalid
from commonweal.kernel.quantity import Asset, format_amount
from commonweal.kernel.text import Text

ID = re.compile(r"[!-~]{1,64}")
CODE = re.compile(r"[a-z][a-z0-9.-]{0,39}")
HASH = re.compile(r"[0-9a-f]{64}")
ASSET = re.compile(r"[A-Z][A-Z0-9_]{1,15}")
RATE = re.compile(r"(0|[1-9][0-9]{0,3})(\.[0-9]{1,6})?")
MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?Z")
ZONE = re.compile(r"[+-][01][0-9]:[0-5][0-9]")


def refuse(code: str, field: str, en: str, zh: str) -> NoReturn:
    """Raise `Invalid` for the field at fault."""
    raise Invalid(code, Text(f"{field}: {en}", f"{field}：{zh}") if field else Text(en, zh), field=field)


def load(data: bytes) -> Any:
    """The value of JSON without floats, long numbers and names that come twice."""
    try:
        return json.loads(
            data, parse_float=_no_float, parse_constant=_no_float, parse_int=_short, object_pairs_hook=_once
        )
    except (ValueError, RecursionError) as error:
        text = Text("This is not a JSON file: {why}", "这不是 JSON 文件：{why}").format(
            why=str(error).split(": line")[0]
        )
        raise Invalid("pool-file.json", text) from error


def an_object(value: Any, where: str, required: str, optional: str = "") -> dict[str, Any]:
    """An object with all of the required names, and none but these and the optional ones."""
    if not isinstance(value, dict):
        refuse("pool-file.form", where, "An object is expected here.", "此处应为对象。")
    must, may = set(required.split()), set(optional.split())
    if missing := must - value.keys():
        refuse("pool-file.missing", _at(where, min(missing)), "This field is missing.", "缺少此字段。")
    if unknown := value.keys() - must - may:
        refuse("pool-file.unknown", _at(where, min(unknown)), "This field is not known.", "未知字段。")
    return value


def a_list(value: Any, where: str) -> list[Any]:
    """A list of anything."""
    if not isinstance(value, list):
        refuse("pool-file.form", where, "A list is expected here.", "此处应为列表。")
    return value


def matched(pattern: re.Pattern[str], value: Any, where: str) -> str:
    """Text of a pattern."""
    if not isinstance(value, str) or not pattern.fullmatch(value):
        form = pattern.pattern
        refuse("pool-file.form", where, f"Text of the form {form} is expected.", f"格式须为 {form}。")
    return value


def whole(value: Any, where: str) -> int:
    """A whole number that is not negative."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 10**9:
        refuse("pool-file.form", where, "A whole number from 0 to 1000000000 is expected.", "须为 0 至十亿的整数。")
    return value


def rate(value: Any, where: str) -> Fraction:
    """A decimal with six places at most."""
    return Fraction(matched(RATE, value, where))


def written_rate(rate: Fraction) -> str:
    """Without trailing zeros. Raises `ValueError` for one that has more than six places."""
    millionths = rate * 10**6
    if millionths.denominator != 1:
        raise ValueError(f"a rate has six decimal places at most: {rate}")
    whole, part = divmod(int(millionths), 10**6)
    return f"{whole}.{part:06d}".rstrip("0").rstrip(".")


def moment(value: Any, where: str) -> datetime:
    """A moment in UTC."""
    try:
        return datetime.fromisoformat(matched(MOMENT, value, where))
    except ValueError:
        refuse("pool-file.form", where, "There is no such moment.", "没有这个时刻。")


def written(moment: datetime) -> str:
    """UTC with as few decimals as there are: none, three or six."""
    at = moment.astimezone(UTC).replace(tzinfo=None)
    precision = "seconds" if not at.microsecond else "microseconds" if at.microsecond % 1000 else "milliseconds"
    return f"{at.isoformat(timespec=precision)}Z"


def zone(value: Any) -> timedelta:
    """An offset from UTC."""
    text = matched(ZONE, value, "zone")
    minutes = int(text[1:3]) * 60 + int(text[4:6])
    return timedelta(minutes=-minutes if text[0] == "-" else minutes)


def written_zone(zone: timedelta) -> str:
    """An offset as `+08:00`."""
    minutes = int(zone.total_seconds()) // 60
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"


def an_asset(code: Any, exponent: Any) -> Asset:
    """What is given, without a name of its own."""
    places = whole(exponent, "exponent")
    if places > 9:
        refuse("pool-file.form", "exponent", "An exponent lies between 0 and 9.", "小数位数须在 0 至 9 之间。")
    name = matched(ASSET, code, "asset")
    return Asset(name, places, "money", Text(name, name))


def money(amount: int, asset: Asset) -> str:
    """Smallest units as a decimal string."""
    return format_amount(amount, asset, grouped=False)


def _short(digits: str) -> int:
    if len(digits) > 16:
        raise ValueError("a number is too long")
    return int(digits)


def _no_float(digits: str) -> NoReturn:
    raise ValueError(f"numbers with a point or exponent are not used here, write text: {digits[:20]}")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name is there twice in one object")
    return found


def _at(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name
