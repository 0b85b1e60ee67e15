"""From awards to a file that is valid against the standard's schema."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

from commonweal.kernel.quantity import Asset
from commonweal.services.giving.threesixty.values import at_midnight


def grant(
    *, id: str, title: str, description: str, amount: int, asset: Asset, awarded: date, record: dict[str, Any]
) -> dict[str, Any]:
    """One grant as JSON. A number of JSON is exact up to 15 digits, which is what `quantity.MAX_AMOUNT` keeps to."""
    whole, part = divmod(amount, 10**asset.exponent)
    return {
        "id": id,
        "title": title,
        "description": description,
        "currency": asset.code,
        "amountAwarded": float(f"{whole}.{part:0{asset.exponent}d}") if part else whole,
        "awardDate": at_midnight(awarded),
        **record,
    }


def write(grants: Iterable[dict[str, Any]]) -> Iterator[str]:
    """The text of the file, piece by piece, one grant a line."""
    yield '{"grants":[\n'
    separator = ""
    for each in grants:
        yield separator + json.dumps(each, ensure_ascii=False, separators=(",", ":"))
        separator = ",\n"
    yield "\n]}\n"
