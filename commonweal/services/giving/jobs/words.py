"""How a notice writes an amount."""

from __future__ import annotations

from commonweal.kernel.quantity import Asset, format_amount
from commonweal.kernel.text import Text


def money(amount: int, asset: Asset) -> Text:
    """With the sign or the title of its asset, in both languages."""
    written = format_amount(amount, asset)
    return Text(f"{asset.symbol} {written}".strip(), f"{written} {asset.title.zh}")
