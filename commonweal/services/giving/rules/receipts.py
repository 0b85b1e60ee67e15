"""What stands on a receipt: the amount in capital numerals, and who is taxed; and what a gift is in things."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from commonweal.kernel.errors import Invalid
from commonweal.kernel.text import Text
from commonweal.services.giving.rules import texts
from commonweal.services.giving.rules.needs import Need

DIGITS = "零壹贰叁肆伍陆柒捌玖"
PLACES = ("", "拾", "佰", "仟")
GROUPS = ("", "万", "亿", "万亿")


def capitals(fen: int) -> str:
    """An amount of yuan in the capital numerals of Chinese receipts: `10_050` is 壹佰元伍角, `500` is 伍元整.

    Raises `ValueError` unless 0 <= fen < 10**18.
    """
    if not 0 <= fen < 10**18:
        raise ValueError(f"not an amount for a receipt: {fen}")
    yuan, (jiao, last) = fen // 100, divmod(fen % 100, 10)
    whole = _whole(yuan)
    said = f"{whole}元" if whole else ""
    if jiao:
        said += f"{DIGITS[jiao]}角"
    elif last and said:
        said += "零"
    if last:
        return said + f"{DIGITS[last]}分"
    return (said or "零元") + ("" if jiao else "整")


def _whole(number: int) -> str:
    said, gap = "", False
    for group in reversed(range(len(GROUPS))):
        part = number // 10_000**group % 10_000
        if part == 0:
            gap = bool(said)
            continue
        if said and (gap or part < 1_000):
            said += "零"
        said, gap = said + _group(part) + GROUPS[group], False
    return said


def _group(part: int) -> str:
    said, gap = "", False
    for place in reversed(range(len(PLACES))):
        digit = part // 10**place % 10
        if digit == 0:
            gap = bool(said)
            continue
        said, gap = said + ("零" if gap else "") + DIGITS[digit] + PLACES[place], False
    return said


@dataclass(frozen=True, slots=True)
class Taxpayer:
    """Who a receipt names: a name, and the number under which they pay taxes."""

    name: str
    number: str


def taxpayer(name: str, number: str) -> Taxpayer:
    """A taxpayer as receipts write it.

    Raises `Invalid` with `text.*`, or `taxpayer.number` for other than 15 to 20 digits and letters.
    """
    number = unicodedata.normalize("NFKC", number).strip().upper()
    if not re.fullmatch(r"[0-9A-Z]{15,20}", number):
        raise Invalid(
            "taxpayer.number",
            Text("A taxpayer's number has 15 to 20 digits and letters.", "纳税人识别号为 15 至 20 位数字或字母。"),
            field="number",
        )
    return Taxpayer(texts.check(name, "name", 100), number)


def impact(needs: Sequence[Need], amount: int) -> Text | None:
    """An amount told in things: whole ones of the first need that it reaches, else a share of the cheapest.

    Rounded down, so that never more is said than was given; None without needs.
    """
    if not needs or amount <= 0:
        return None
    reached = next((need for need in needs if need.price <= amount), None)
    if reached is not None:
        return Text("{number} {unit}: {what}", "{what} {number} {unit}").format(
            number=f"{amount // reached.price:,}", unit=reached.unit, what=reached.what
        )
    cheapest = min(needs, key=lambda need: need.price)
    shares = -(-cheapest.price // amount)
    return Text("one of {shares} shares of {what}", "{what}的 {shares} 分之一").format(
        shares=f"{shares:,}", what=cheapest.what
    )
