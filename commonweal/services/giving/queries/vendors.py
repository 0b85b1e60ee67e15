"""Vendors, and what they offer at which price."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from commonweal.kernel.errors import NotFound
from commonweal.kernel.sql import rows
from commonweal.kernel.text import Text


@dataclass(frozen=True, slots=True)
class Vendor:
    """A vendor. Its `id` is that of the organisation."""

    id: uuid.UUID
    name: Text
    about: Text
    contact: str
    items: int
    fact: uuid.UUID


@dataclass(frozen=True, slots=True)
class Item:
    """A thing at its list price, in fen."""

    id: uuid.UUID
    vendor: uuid.UUID
    what: Text
    unit: Text
    price: int


VENDOR = """
    SELECT v.party, o.name_en, o.name_zh, v.about_en, v.about_zh, v.contact, v.fact,
           (SELECT count(*) FROM giving_item i WHERE i.vendor = v.party AND i.ended_at IS NULL) AS items
    FROM giving_vendor v JOIN parties_party o ON o.id = v.party"""


def vendors() -> list[Vendor]:
    """All of them, by name."""
    return [_vendor(found) for found in rows(f"{VENDOR} ORDER BY o.name_en, v.party", {})]


def vendor(id: uuid.UUID) -> Vendor:
    """One vendor. Raises `NotFound` (`vendor.unknown`)."""
    found = rows(f"{VENDOR} WHERE v.party = %(id)s", {"id": id})
    if not found:
        raise NotFound("vendor.unknown", Text("There is no such vendor.", "没有这家供应商。"))
    return _vendor(found[0])


def _vendor(found: dict[str, Any]) -> Vendor:
    return Vendor(
        id=found["party"],
        name=Text(found["name_en"], found["name_zh"]),
        about=Text(found["about_en"], found["about_zh"]),
        contact=found["contact"],
        items=found["items"],
        fact=found["fact"],
    )


def items(vendor: uuid.UUID) -> list[Item]:
    """What a vendor offers now, in the order in which it came."""
    query = "SELECT * FROM giving_item WHERE vendor = %(vendor)s AND ended_at IS NULL ORDER BY at, id"
    return [_item(found) for found in rows(query, {"vendor": vendor})]


def offered(ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, Item]:
    """Those of these items that are on offer."""
    query = "SELECT * FROM giving_item WHERE id = ANY(%(ids)s) AND ended_at IS NULL"
    return {found["id"]: _item(found) for found in rows(query, {"ids": list(ids)})}


def _item(found: dict[str, Any]) -> Item:
    return Item(
        id=found["id"],
        vendor=found["vendor"],
        what=Text(found["what_en"], found["what_zh"]),
        unit=Text(found["unit_en"], found["unit_zh"]),
        price=found["price"],
    )
