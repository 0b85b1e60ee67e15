"""Invoices: for the company that pays, and the charity that is paid."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings

from commonweal.kernel import clock
from commonweal.kernel.errors import NotFound
from commonweal.kernel.parties.people import OFFICER
from commonweal.kernel.quantity import Asset
from commonweal.kernel.sql import row, rows
from commonweal.kernel.text import Text
from commonweal.services.giving.queries.campaigns import asset_of
from commonweal.services.giving.rules import invoices as rules
from commonweal.services.giving.rules.invoices import Account, Outcome, State

INVOICE = """
    SELECT i.charity, i.year, i.number, i.campaign, i.company, i.amount, i.due, i.by_party, i.fact, i.at,
           c.asset, c.title_en, c.title_zh,
           o.name_en, o.name_zh, o.registration, p.name_en AS company_en, p.name_zh AS company_zh,
           p.registration AS company_registration, f.number AS filing, d.contact,
           a.holder, a.bank, a.number AS account, e.number IS NOT NULL AS ended, e.gift, e.at AS ended_at,
           g.fact AS paid
    FROM giving_pledge i
    JOIN giving_campaign c ON c.id = i.campaign
    JOIN parties_party o ON o.id = i.charity
    JOIN parties_party p ON p.id = i.company
    JOIN giving_account a ON a.charity = i.charity AND a.nth = i.account
    LEFT JOIN giving_organisation d ON d.party_id = i.charity
    LEFT JOIN giving_filing f ON f.campaign_id = i.campaign
    LEFT JOIN giving_pledge_end e ON e.charity = i.charity AND e.year = i.year AND e.number = i.number
    LEFT JOIN giving_payment g ON g.book = i.campaign AND g.gift = e.gift"""


@dataclass(frozen=True, slots=True)
class Party:
    """An organisation as an invoice names it."""

    id: uuid.UUID
    name: Text
    registration: str


@dataclass(frozen=True, slots=True)
class Invoice:
    """An invoice. `gift` and `paid` (its leaf in the log) are there once it is paid."""

    charity: Party
    company: Party
    year: int
    number: int
    campaign: uuid.UUID
    title: Text
    filing: str
    contact: str
    amount: int
    asset: Asset
    due: date
    account: Account
    asked_by: uuid.UUID
    fact: uuid.UUID
    at: datetime
    gift: uuid.UUID | None
    paid: uuid.UUID | None
    ended: bool
    ended_at: datetime | None

    @property
    def reference(self) -> str:
        """What is written beside the transfer."""
        return rules.reference(self.year, self.number)

    @property
    def state(self) -> State:
        """Where it stands."""
        return rules.state(self.due, today(), paid=self.gift is not None, cancelled=self.ended)

    @property
    def state_title(self) -> Text:
        """The same, in words."""
        return rules.TITLES[self.state]


def today() -> date:
    """The day of the local calendar."""
    return clock.now().astimezone(ZoneInfo(settings.LOCAL_ZONE)).date()


def _invoice(found: dict[str, Any]) -> Invoice:
    return Invoice(
        charity=Party(found["charity"], Text(found["name_en"], found["name_zh"]), found["registration"] or ""),
        company=Party(
            found["company"], Text(found["company_en"], found["company_zh"]), found["company_registration"] or ""
        ),
        year=found["year"],
        number=found["number"],
        campaign=found["campaign"],
        title=Text(found["title_en"], found["title_zh"]),
        filing=found["filing"] or "",
        contact=found["contact"] or "",
        amount=found["amount"],
        asset=asset_of(found["asset"]),
        due=found["due"],
        account=Account(found["holder"], found["bank"], found["account"]),
        asked_by=found["by_party"],
        fact=found["fact"],
        at=found["at"],
        gift=found["gift"],
        paid=found["paid"],
        ended=found["ended"],
        ended_at=found["ended_at"],
    )


def unknown() -> NotFound:
    """There is no such invoice, or the asker acts for neither side."""
    return NotFound("invoice.unknown", Text("There is no such invoice.", "没有这张通知单。"))


def find(charity: uuid.UUID, year: int, number: int) -> Invoice | None:
    """One invoice, if there is such."""
    query = f"{INVOICE} WHERE i.charity = %(charity)s AND i.year = %(year)s AND i.number = %(number)s"
    found = row(query, {"charity": charity, "year": year, "number": number})
    return _invoice(found) if found else None


def one(officer: uuid.UUID, charity: uuid.UUID, year: int, number: int) -> Invoice:
    """One, for whoever acts for its company or its charity. Raises `NotFound` (`invoice.unknown`)."""
    found = find(charity, year, number)
    if found is None or not ({found.charity.id, found.company.id} & acts_for(officer)):
        raise unknown()
    return found


def acts_for(officer: uuid.UUID) -> set[uuid.UUID]:
    """The organisations for which somebody acts."""
    query = "SELECT within_id FROM parties_grant WHERE party_id = %(party)s AND role = %(role)s AND revoked_at IS NULL"
    return {found["within_id"] for found in rows(query, {"party": officer, "role": OFFICER})}


def of_key(company: uuid.UUID, key: str) -> Invoice | None:
    """The invoice that a company has asked for under a key."""
    found = row(f"{INVOICE} WHERE i.company = %(company)s AND i.key = %(key)s", {"company": company, "key": key})
    return _invoice(found) if found else None


def of_company(company: uuid.UUID, limit: int = 200) -> list[Invoice]:
    """The newest of a company."""
    query = f"{INVOICE} WHERE i.company = %(company)s ORDER BY i.at DESC, i.number DESC LIMIT %(limit)s"
    return [_invoice(found) for found in rows(query, {"company": company, "limit": limit})]


def of_charity(charity: uuid.UUID, limit: int = 500) -> list[Invoice]:
    """The newest of a charity."""
    query = f"{INVOICE} WHERE i.charity = %(charity)s ORDER BY i.year DESC, i.number DESC LIMIT %(limit)s"
    return [_invoice(found) for found in rows(query, {"charity": charity, "limit": limit})]


def account(charity: uuid.UUID) -> tuple[int, Account] | None:
    """Where a charity wants to be paid, and the number of that wish."""
    query = "SELECT nth, holder, bank, number FROM giving_account WHERE charity = %(charity)s ORDER BY nth DESC LIMIT 1"
    found = row(query, {"charity": charity})
    return (found["nth"], Account(found["holder"], found["bank"], found["number"])) if found else None


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a bank statement that names an invoice and did not pay it."""

    id: str
    day: date
    amount: int
    year: int
    number: int
    outcome: Outcome

    @property
    def reference(self) -> str:
        """What it named."""
        return rules.reference(self.year, self.number)

    @property
    def outcome_title(self) -> Text:
        """What it came to, in words."""
        return rules.OUTCOMES[self.outcome]


def frozen(charity: uuid.UUID, limit: int = 200) -> list[Line]:
    """The newest lines that moved nothing: for people to look at."""
    query = """
        SELECT id, day, amount, year, number, outcome FROM giving_bank_line
        WHERE charity = %(charity)s AND outcome <> 'paid' ORDER BY at DESC, id LIMIT %(limit)s"""
    found = rows(query, {"charity": charity, "limit": limit})
    return [Line(**each | {"outcome": Outcome(each["outcome"])}) for each in found]
