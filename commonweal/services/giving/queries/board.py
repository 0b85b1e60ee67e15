"""The boards of time banks: what stands on them, and what is written about it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography.exceptions import InvalidTag

from commonweal.kernel import clock
from commonweal.kernel.errors import NotFound
from commonweal.kernel.parties import cipher
from commonweal.kernel.sql import rows
from commonweal.kernel.text import Text
from commonweal.services.giving.queries import banks
from commonweal.services.giving.rules import board as rules
from commonweal.services.giving.rules.banks import CATEGORIES

MOST = 1_000
"""What is looked through at most, the newest first."""

LISTING = """
    SELECT l.id, l.bank, l.member, l.kind, l.category, l.district, l.sealed, l.at, l.expires_at, m.person, m.number,
           b.name_en, b.name_zh, giving_listing_open(l.id, %(now)s) AS open
    FROM giving_listing l
    JOIN giving_bank_member m ON m.id = l.member
    JOIN giving_bank b ON b.id = l.bank"""


@dataclass(frozen=True, slots=True)
class Listing:
    """An offer or a need of a member. Whose it is, only those whom they exchange with learn."""

    id: uuid.UUID
    bank: uuid.UUID
    bank_name: Text
    member: uuid.UUID
    person: uuid.UUID
    number: int
    kind: rules.Kind
    category: str
    what: Text
    district: str
    at: datetime
    expires_at: datetime
    open: bool

    @property
    def wish(self) -> rules.Wish:
        """What its member had asked for."""
        return rules.Wish(self.kind, self.category, self.what, self.district, (self.expires_at - self.at).days)

    @property
    def kind_title(self) -> Text:
        """Offer or need, in words."""
        return rules.TITLES[self.kind]

    @property
    def category_title(self) -> Text:
        """What the help is about, in words."""
        return CATEGORIES[self.category]


def around(bank: uuid.UUID) -> list[uuid.UUID]:
    """A bank and those that it is allied with: whose members can exchange."""
    return [bank, *(each.other for each in banks.alliances(bank) if each.open)]


def listings(
    of: Collection[uuid.UUID], *, kind: rules.Kind | None = None, category: str = "", words: str = ""
) -> list[Listing]:
    """What stands on the boards of some banks, the newest first; `words` all stand in what is told of it."""
    query = f"""{LISTING} WHERE l.bank = ANY(%(banks)s::uuid[]) AND l.expires_at > %(now)s
        AND giving_listing_open(l.id, %(now)s) AND (%(kind)s = '' OR l.kind = %(kind)s)
        AND (%(category)s = '' OR l.category = %(category)s) ORDER BY l.at DESC, l.id LIMIT %(most)s"""
    values = {"banks": list(of), "kind": kind.value if kind else "", "category": category, "most": MOST}
    return [each for each in _listings(rows(query, values | {"now": clock.now()})) if _fits(each, words)]


def _fits(each: Listing, words: str) -> bool:
    about = each.category_title
    return rules.fits(words, each.what.en, each.what.zh, each.district, about.en, about.zh)


def of_member(member: uuid.UUID) -> list[Listing]:
    """What a member has on the board, the newest first."""
    query = f"{LISTING} WHERE l.member = %(member)s AND giving_listing_open(l.id, %(now)s) ORDER BY l.at DESC, l.id"
    return _listings(rows(query, {"member": member, "now": clock.now()}))


def one(bank: uuid.UUID, id: uuid.UUID) -> Listing:
    """One listing, also one that is over, as seen from a bank: its own or one allied with it.

    Raises `NotFound` (`bank.unknown`, `listing.unknown`).
    """
    banks.bank(bank)
    found = _listings(rows(f"{LISTING} WHERE l.id = %(id)s", {"id": id, "now": clock.now()}))
    if not found or found[0].bank not in around(bank):
        raise unknown()
    return found[0]


def unknown() -> NotFound:
    """No such listing, or its member has been forgotten."""
    return NotFound("listing.unknown", Text("There is no such offer or need.", "没有这条信息。"))


@dataclass(frozen=True, slots=True)
class Word:
    """What one of two has written about a listing: its member, or `other`."""

    other: uuid.UUID
    other_number: int
    other_bank: uuid.UUID
    other_bank_name: Text
    by_author: bool
    text: str
    at: datetime

    @property
    def other_title(self) -> Text:
        """Number and bank of the other, in words."""
        return Text("No. {n}, {bank}", "{n} 号，{bank}").format(n=self.other_number, bank=self.other_bank_name)


def words(listing: uuid.UUID, other: uuid.UUID | None = None) -> list[Word]:
    """What was written about a listing, by conversation, in order; with `other` only between its member and them."""
    query = """
        SELECT w.member, m.person, m.number, m.bank, b.name_en, b.name_zh, w.by_author, w.sealed, w.at
        FROM giving_listing_word w
        JOIN giving_bank_member m ON m.id = w.member JOIN giving_bank b ON b.id = m.bank
        WHERE w.listing = %(listing)s AND (%(other)s::uuid IS NULL OR w.member = %(other)s)
        ORDER BY w.member, w.at, w.id LIMIT 500"""
    found = rows(query, {"listing": listing, "other": other})
    keys = cipher.keys_of({each["person"] for each in found})
    opened = ((each, _opened(keys, each)) for each in found)
    return [
        Word(each["member"], each["number"], each["bank"], Text(each["name_en"], each["name_zh"]), each["by_author"],
             text, each["at"])
        for each, text in opened
        if text is not None
    ]  # fmt: skip


def read_by(person: uuid.UUID, bank: uuid.UUID, found: Listing) -> list[Word]:
    """What somebody may read of what was written about a listing: its member all, a member of `bank` their own."""
    if person == found.person:
        return words(found.id)
    member = banks.member_of(bank, person)
    return words(found.id, member.id) if member else []


@dataclass(frozen=True, slots=True)
class Told:
    """Whom a word is for: by it, a listing's member or the other is told."""

    receiver: uuid.UUID
    bank: uuid.UUID
    listing: uuid.UUID
    category: Text


def told(word: uuid.UUID) -> Told | None:
    """For whom a word is, and from which bank they read it."""
    query = """
        SELECT CASE WHEN w.by_author THEN m.person ELSE a.person END AS receiver,
               CASE WHEN w.by_author THEN m.bank ELSE a.bank END AS bank, l.id AS listing, l.category
        FROM giving_listing_word w JOIN giving_listing l ON l.id = w.listing
        JOIN giving_bank_member a ON a.id = l.member JOIN giving_bank_member m ON m.id = w.member
        WHERE w.id = %(word)s"""
    found = next(iter(rows(query, {"word": word})), None)
    return Told(**found | {"category": CATEGORIES[found["category"]]}) if found else None


def _listings(found: Iterable[dict[str, Any]]) -> list[Listing]:
    read = list(found)
    keys = cipher.keys_of({each["person"] for each in read})
    return [each for each in (_listing(keys, row) for row in read) if each]


def _listing(keys: Mapping[uuid.UUID, bytes], found: dict[str, Any]) -> Listing | None:
    said = _opened(keys, found)
    if said is None:
        return None
    name, kind = Text(found["name_en"], found["name_zh"]), rules.Kind(found["kind"])
    plain = ("id", "bank", "member", "person", "number", "category", "district", "at", "expires_at", "open")
    return Listing(bank_name=name, kind=kind, what=Text(*said), **{field: found[field] for field in plain})


def _opened(keys: Mapping[uuid.UUID, bytes], found: dict[str, Any]) -> Any:
    """What is sealed under a person's key; None once they are forgotten."""
    if key := keys.get(found["person"]):
        with suppress(InvalidTag):
            return json.loads(cipher.decrypt(key, bytes(found["sealed"]), found["person"].bytes))
    return None
