"""The board of a time bank: what its members offer and what they need, for a while, without telling who they are."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from commonweal.kernel.errors import Conflict, Invalid
from commonweal.kernel.text import Text
from commonweal.services.giving.rules import texts
from commonweal.services.giving.rules.banks import CATEGORIES, Side

LONGEST = 300
LONGEST_PLACE = 30
LONGEST_WORD = 1_000
LASTS = (7, 30, 90)
"""For how many days something can stand on the board."""
MOST_OPEN = 20
"""What one member has on the board at most."""


class Kind(StrEnum):
    """What a member says: I can help, or I need help."""

    OFFER = "offer"
    ASK = "ask"

    @property
    def side(self) -> Side:
        """What whoever answers does: of an offer they are helped and give minutes, else they help and ask for them."""
        return Side.GIVES if self is Kind.OFFER else Side.ASKS


TITLES = {Kind.OFFER: Text("Can help", "我能帮"), Kind.ASK: Text("Needs help", "我需要")}

CONTACT = re.compile(r"@|https?:|www\.|微信|vx[:：]|wechat|qq[:：\d]|(?:\d[\s-]*){6,}", re.IGNORECASE)
"""Addresses, and numbers of six and more digits: what would lead past the bank to a person."""
HOUSE = re.compile(r"\d|[号弄室栋幢]|单元")
"""What in a place is nearer than a district."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a member puts on the board: in words, in a district, for some days."""

    kind: Kind
    category: str
    what: Text
    district: str
    days: int


def check(wish: Wish, open_ones: int) -> Wish:
    """The wish, cleaned; `open_ones` of its member stand there already.

    Raises `Invalid` (`text.*`, `listing.category`, `listing.days`, `listing.contact`, `listing.place`) and `Conflict`
    (`listing.many`).
    """
    if wish.category not in CATEGORIES:
        raise Invalid("listing.category", Text("Say what the help is about.", "请选择互助类别。"), field="category")
    if wish.days not in LASTS:
        raise Invalid("listing.days", Text("Choose how long it stands here.", "请选择展示天数。"), field="days")
    what = texts.both(wish.what.en, wish.what.zh, "what", LONGEST)
    for language, written in (("zh", what.zh), ("en", what.en)):
        if CONTACT.search(written):
            raise Invalid(
                "listing.contact",
                Text(
                    "Leave out telephone numbers and addresses: people write to you through the bank.",
                    "请不要填写电话、微信等联系方式，对方会通过时间银行联系您。",
                ),
                field=f"what_{language}",
            )
    district = texts.check(wish.district, "district", LONGEST_PLACE)
    if HOUSE.search(district):
        raise Invalid(
            "listing.place",
            Text("Name the district alone, not the street or the house.", "只填写所在区县，不要写到街号楼栋。"),
            field="district",
        )
    if open_ones >= MOST_OPEN:
        raise Conflict(
            "listing.many",
            Text("You have {n} of them on the board. Take one off first.", "您已有 {n} 条，请先撤下一条。").format(
                n=open_ones
            ),
        )
    return Wish(wish.kind, wish.category, what, district, wish.days)


def until(now: datetime, days: int) -> datetime:
    """When something that is put up now is taken off by itself."""
    return now + timedelta(days=days)


def check_open(*, open: bool) -> None:
    """Raises `Conflict` (`listing.over`) for what does not stand on the board any more."""
    if not open:
        raise Conflict("listing.over", Text("This is not on the board any more.", "这条信息已撤下或到期。"))


def check_other(*, own: bool) -> None:
    """Raises `Conflict` (`listing.own`) for whoever answers themselves."""
    if own:
        raise Conflict("listing.own", Text("This is your own.", "这是您自己发布的。"))


def fits(words: str, *told: str) -> bool:
    """Whether each of the words stands somewhere in what is told."""
    whole = "\n".join(told).casefold()
    return all(word in whole for word in words.casefold().split())
