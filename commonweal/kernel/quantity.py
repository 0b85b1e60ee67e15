"""Amounts: integers of the smallest unit of an asset, never floats.

An asset is anything that is counted exactly: yuan (exponent 2, so 1 = one fen), minutes, steps, grams.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from commonweal.kernel.errors import Invalid
from commonweal.kernel.text import Text

MAX_AMOUNT = 10**15
"""The largest amount that is taken anywhere, in smallest units: far below 2**53, so that JSON readers keep it exact."""

AssetKind = Literal["money", "time", "action", "nature", "thing"]

_DECIMAL = re.compile(r"(?P<whole>0|[1-9][0-9]{0,15})(?:\.(?P<part>[0-9]{1,9}))?")


@dataclass(frozen=True, slots=True)
class Asset:
    """Something that can be owned, given and counted. `exponent` is how many decimal places its written form has.

    `title` names it, behind an amount and by itself; `one` is its English word behind a single one.
    """

    code: str
    exponent: int
    kind: AssetKind
    title: Text
    symbol: str = ""
    one: str = ""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Z][A-Z0-9_]{1,15}", self.code):
            raise ValueError(f"an asset code is 2 to 16 of A-Z, 0-9 and _: {self.code!r}")
        if not 0 <= self.exponent <= 9:
            raise ValueError(f"an exponent lies between 0 and 9: {self.exponent}")

    def named(self, amount: int) -> Text:
        """What stands behind an amount: 2 minutes, 1 minute."""
        return Text(self.one, self.title.zh) if self.one and amount == 1 else self.title


CNY = Asset("CNY", 2, "money", Text("yuan", "元"), "¥")


def parse_amount(
    text: object, asset: Asset, *, field: str = "amount", minimum: int = 1, maximum: int = MAX_AMOUNT
) -> int:
    """Read a decimal string (`"8.80"`) into smallest units of `asset` (`880`).

    Only a plain decimal string is understood: no float, sign, exponent, separator, blank or full-width digit, and
    no more places than the asset has. Raises `Invalid` with code `amount.form`, `amount.precision`,
    `amount.too-small` or `amount.too-large`.
    """
    match = _DECIMAL.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise Invalid(
            "amount.form",
            Text("Write the amount in plain digits, for example 5 or 8.80.", "请用普通数字填写金额，例如 5 或 8.80。"),
            field=field,
        )
    part = match["part"] or ""
    if len(part) > asset.exponent:
        raise Invalid(
            "amount.precision",
            Text(
                "This amount has too many decimal places; {places} are possible.",
                "金额的小数位太多，最多 {places} 位。",
            ).format(places=asset.exponent),
            field=field,
        )
    amount = int(match["whole"]) * 10**asset.exponent + int(part.ljust(asset.exponent, "0") or "0")
    return check_amount(amount, asset, field=field, minimum=minimum, maximum=maximum)


def check_amount(
    amount: int, asset: Asset, *, field: str = "amount", minimum: int = 1, maximum: int = MAX_AMOUNT
) -> int:
    """Return `amount` if `minimum <= amount <= maximum`, else raise `amount.too-small` or `amount.too-large`."""
    if amount < minimum:
        raise Invalid(
            "amount.too-small",
            Text("The smallest possible amount is {least}.", "金额最少为 {least}。").format(
                least=format_amount(minimum, asset)
            ),
            field=field,
        )
    if amount > maximum:
        raise Invalid(
            "amount.too-large",
            Text("The largest possible amount is {most}.", "金额最多为 {most}。").format(
                most=format_amount(maximum, asset)
            ),
            field=field,
        )
    return amount


def format_amount(amount: int, asset: Asset, *, grouped: bool = True) -> str:
    """Write smallest units as a decimal string: `880` yuan-fen is `"8.80"`, `-5` is `"-0.05"`."""
    sign, digits = ("-" if amount < 0 else ""), abs(amount)
    whole, part = divmod(digits, 10**asset.exponent)
    written = f"{whole:,}" if grouped else str(whole)
    return f"{sign}{written}.{part:0{asset.exponent}d}" if asset.exponent else f"{sign}{written}"


def share_out(total: int, weights: list[int]) -> list[int]:
    """Divide `total` in proportion to `weights`, exactly: the parts always sum to `total`.

    Largest-remainder rounding (Hamilton): every part is its proportional share rounded down, and the units that are
    left go to the largest remainders, ties to the earlier one. Raises `ValueError` for a negative number or if all
    weights are zero while there is something to divide.
    """
    if total < 0 or any(weight < 0 for weight in weights):
        raise ValueError("neither the total nor a weight can be negative")
    whole = sum(weights)
    if whole == 0:
        if total:
            raise ValueError("nothing to divide by: every weight is zero")
        return [0] * len(weights)
    parts = [total * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: (-(total * weights[i] % whole), i))
    for i in by_remainder[: total - sum(parts)]:
        parts[i] += 1
    return parts
