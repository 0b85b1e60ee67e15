"""What the host has earned and owes in each book, and what of it was asked for."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from commonweal.kernel.errors import NotFound
from commonweal.kernel.quantity import Asset
from commonweal.kernel.sql import row, rows
from commonweal.kernel.text import Text
from commonweal.services.giving.queries.campaigns import asset_of
from commonweal.services.giving.rules import incomes as rules


@dataclass(frozen=True, slots=True)
class Earned:
    """What the host has earned in a campaign's book and owes to it, in smallest units; `promised` is asked for."""

    campaign: uuid.UUID
    title: Text
    asset: Asset
    earned: int
    borne: int
    promised: int

    @property
    def free(self) -> int:
        """What can be asked for."""
        return rules.free(self.earned, self.borne, self.promised)


BALANCE = """
    coalesce((SELECT sum(b.posted) FROM ledger_account a
              JOIN ledger_balance b ON b.book = a.book AND b.account = a.id
              WHERE a.book = {book} AND a.name = '{name}'), 0)::bigint"""


def _earned_in(book: str) -> str:
    return f"""
    SELECT c.id AS campaign, c.title_en, c.title_zh, c.asset, -{BALANCE.format(book=book, name="host")} AS earned,
           {BALANCE.format(book=book, name="borne")} AS borne,
           coalesce((SELECT sum(i.amount) FROM giving_income i WHERE i.book = {book}
               AND NOT EXISTS (SELECT FROM giving_income_paid p WHERE p.book = i.book AND p.id = i.id)
               AND NOT EXISTS (SELECT FROM giving_income_word w
                               WHERE w.book = i.book AND w.id = i.id AND NOT w.approves)), 0)::bigint AS promised
    FROM giving_campaign c"""


def earned(campaign: uuid.UUID) -> Earned | None:
    """What is there in one book; None for an unknown campaign."""
    found = row(f"{_earned_in('%(id)s')} WHERE c.id = %(id)s", {"id": campaign})
    return _earned(found) if found else None


def everywhere() -> list[Earned]:
    """All books in which the host has earned or owes anything, the largest income first."""
    query = f"""SELECT * FROM ({_earned_in("c.id")} WHERE c.custody = 'custodian') e
        WHERE earned <> 0 OR borne <> 0 ORDER BY earned DESC"""
    return [_earned(found) for found in rows(query, {})]


def _earned(found: dict[str, object]) -> Earned:
    title = Text(str(found.pop("title_en")), str(found.pop("title_zh")))
    return Earned(title=title, **found | {"asset": asset_of(str(found["asset"]))})  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Income:
    """A request for the host's own income."""

    campaign: uuid.UUID
    id: uuid.UUID
    amount: int
    asset: Asset
    title: Text
    what: Text
    asked_by: uuid.UUID
    approved_by: tuple[uuid.UUID, ...]
    declined: str | None
    fact: uuid.UUID
    at: datetime
    paid_at: datetime | None

    @property
    def state(self) -> rules.State:
        """How far it has come."""
        declined, paid = self.declined is not None, self.paid_at is not None
        return rules.state(len(self.approved_by), declined=declined, paid=paid)

    @property
    def state_title(self) -> Text:
        """The same, in words."""
        return rules.TITLES[self.state]


INCOME = """
    SELECT i.book, i.id, i.amount, i.what_en, i.what_zh, i.asked_by, i.fact, i.at, c.asset, c.title_en, c.title_zh,
           p.at AS paid_at,
           ARRAY(SELECT w.steward FROM giving_income_word w
                 WHERE w.book = i.book AND w.id = i.id AND w.approves ORDER BY w.at) AS approved_by,
           (SELECT w.note FROM giving_income_word w
            WHERE w.book = i.book AND w.id = i.id AND NOT w.approves LIMIT 1) AS declined
    FROM giving_income i JOIN giving_campaign c ON c.id = i.book
    LEFT JOIN giving_income_paid p ON p.book = i.book AND p.id = i.id"""


def incomes(limit: int = 100) -> list[Income]:
    """The newest requests."""
    return [_income(found) for found in rows(f"{INCOME} ORDER BY i.at DESC, i.id LIMIT %(limit)s", {"limit": limit})]


def find(campaign: uuid.UUID, id: uuid.UUID) -> Income | None:
    """One request, if there is such."""
    found = row(f"{INCOME} WHERE i.book = %(book)s AND i.id = %(id)s", {"book": campaign, "id": id})
    return _income(found) if found else None


def one(campaign: uuid.UUID, id: uuid.UUID) -> Income:
    """One request. Raises `NotFound` (`income.unknown`)."""
    found = find(campaign, id)
    if found is None:
        raise NotFound("income.unknown", Text("There is no such request.", "没有这个申请。"))
    return found


def _income(found: dict[str, object]) -> Income:
    title = Text(str(found.pop("title_en")), str(found.pop("title_zh")))
    what = Text(str(found.pop("what_en")), str(found.pop("what_zh")))
    more = {"asset": asset_of(str(found["asset"])), "campaign": found.pop("book"), "title": title, "what": what}
    return Income(**found | more | {"approved_by": tuple(found["approved_by"])})  # type: ignore[arg-type]
