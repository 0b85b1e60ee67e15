"""Company gifts by bank transfer: asking for an invoice, cancelling it, and taking in the charity's bank statement."""

from __future__ import annotations

import uuid
from collections import Counter
from datetime import date, datetime

from django.db import connection, transaction

from commonweal.kernel import clock
from commonweal.kernel.errors import Conflict, Refusal
from commonweal.kernel.ids import uuid7
from commonweal.kernel.jobs import enqueue
from commonweal.kernel.ledger.books import check_key
from commonweal.kernel.parties import people
from commonweal.kernel.parties.models import Party
from commonweal.kernel.proof import Fact, append
from commonweal.kernel.proof.log import Cursor
from commonweal.kernel.proof.verify import seal
from commonweal.kernel.quantity import CNY
from commonweal.kernel.text import Text
from commonweal.services.giving.actions import gifts
from commonweal.services.giving.actions.openings import opening
from commonweal.services.giving.queries import invoices as queries
from commonweal.services.giving.queries.campaigns import taking, unknown
from commonweal.services.giving.rules import gifts as gift_rules
from commonweal.services.giving.rules import invoices as rules
from commonweal.services.giving.rules import texts
from commonweal.services.giving.rules.gifts import COLLECTED, Give
from commonweal.services.giving.rules.invoices import Account, BankLine, Outcome


def name_account(officer: Party, charity: Party, account: Account) -> int:
    """A charity says where it wants to be paid; a public fact, since whoever changes it could lead money away.

    Returns which one it is. Raises `NotAllowed`, and `Invalid` for the words or the number.
    """
    people.require_role(officer, people.OFFICER, charity)
    holder, bank = texts.check(account.holder, "holder", 200), texts.check(account.bank, "bank", 200)
    number, now = rules.check_number(account.number), clock.now()
    with transaction.atomic(), connection.cursor() as cursor:
        _lock(cursor, charity.id)
        known = queries.account(charity.id)
        if known and known[1] == Account(holder, bank, number):
            return known[0]
        nth = known[0] + 1 if known else 1
        fields = {"charity": str(charity.id), "holder": holder, "bank": bank, "number": number}
        fact = Fact("giving.account", now, fields)
        cursor.execute(
            """
            INSERT INTO giving_account (charity, nth, holder, bank, number, by_party, fact, at)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
            """,
            [charity.id, nth, holder, bank, number, officer.id, fact.id, now],
        )
        append(cursor, fact)
    return nth


def ask(
    officer: Party, company: Party, campaign: uuid.UUID, amount: int, key: str, due: date | None = None
) -> queries.Invoice:
    """A company promises a gift and gets the next number of the charity's year; the same key is the same invoice.

    Raises `NotFound` (`campaign.unknown`), `NotAllowed` unless an officer of the company asks, what
    `rules.gifts.check` raises, `Invalid` (`invoice.due`, `invoice.account`) and `Conflict` (`key.reused`).
    """
    people.require_role(officer, people.OFFICER, company)
    now = clock.now()
    there = taking([campaign], now).get(campaign)
    if there is None:
        raise unknown()
    give = Give(campaign, company.id, amount, there.asset.code, COLLECTED, check_key(key))
    gift_rules.check(give, there.standing, there.asset, there.cap, now)
    day = rules.due(queries.today(), due)
    with transaction.atomic(), connection.cursor() as cursor:
        _lock(cursor, there.organisation)
        known = queries.of_key(company.id, key)
        if known is None:
            account = queries.account(there.organisation)
            if account is None:
                raise rules.unaccounted()
            known = _write(cursor, officer, company, there.organisation, campaign, amount, day, account[0], key, now)
    if (known.campaign, known.amount) != (campaign, amount):
        raise Conflict(
            "key.reused",
            Text("This key was used for another invoice.", "这个幂等键已用于另一张通知单。"),
            field="key",
        )
    return known


def _write(
    cursor: Cursor, officer: Party, company: Party, charity: uuid.UUID, campaign: uuid.UUID, amount: int, due: date,
    account: int, key: str, now: datetime,
) -> queries.Invoice:  # fmt: skip
    """The next number: under the lock of its charity, so that a number is never skipped and never given twice."""
    year = queries.today().year
    cursor.execute(
        "SELECT coalesce(max(number), 0) + 1 FROM giving_pledge WHERE charity = %s AND year = %s", [charity, year]
    )
    number = int(cursor.fetchone()[0])
    fields = {"charity": str(charity), "year": year, "number": number, "campaign": str(campaign)}
    id = uuid7()  # who has promised is for both sides alone
    sealed = seal(*opening(company.id, id))
    fact = Fact("giving.pledge", now, fields | {"amount": amount, "asset": CNY.code}, sealed, id)
    cursor.execute(
        """
        INSERT INTO giving_pledge (charity, year, number, campaign, company, amount, due, account, key, by_party, fact,
                                   at)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        """,
        [charity, year, number, campaign, company.id, amount, due, account, key, officer.id, fact.id, now],
    )
    append(cursor, fact)
    written = queries.find(charity, year, number)
    if written is None:
        raise LookupError("an invoice that was written is there")
    return written


def cancel(officer: Party, charity: uuid.UUID, year: int, number: int) -> None:
    """Either side cancels an invoice that is not paid; its number stays taken. Twice is once.

    Raises `NotFound` (`invoice.unknown`) and `Conflict` (`invoice.paid`).
    """
    queries.one(officer.id, charity, year, number)
    with transaction.atomic(), connection.cursor() as cursor:
        _lock(cursor, charity)
        found = queries.one(officer.id, charity, year, number)
        if found.gift is not None:
            raise Conflict(
                "invoice.paid", Text("It is paid. Ask for a refund instead.", "该通知单已付款，如需退回请申请退款。")
            )
        if not found.ended:
            _end(cursor, found, None, officer, clock.now())


def take_in(officer: Party, charity: Party, statement: str) -> Counter[Outcome]:
    """Take in a bank statement of a charity: what names an invoice and is its amount pays it, each line once.

    Returns how many new lines came to what. Raises `NotAllowed` and what `rules.invoices.statement` raises; then
    nothing has been taken in.
    """
    people.require_role(officer, people.OFFICER, charity)
    lines = list(rules.statement(statement, CNY))
    outcomes: Counter[Outcome] = Counter()
    for line in lines:
        with transaction.atomic(), connection.cursor() as cursor:
            _lock(cursor, charity.id)
            if outcome := _take_in(cursor, officer, charity.id, line):
                outcomes[outcome] += 1
    return outcomes


def _take_in(cursor: Cursor, officer: Party, charity: uuid.UUID, line: BankLine) -> Outcome | None:
    cursor.execute("SELECT FROM giving_bank_line WHERE charity = %s AND id = %s", [charity, line.id])
    if cursor.fetchone() is not None:
        return None
    found, now = queries.find(charity, *line.invoice), clock.now()
    rule = rules.Invoice(found.amount, found.gift is not None, found.ended) if found else None
    outcome = rules.judge(line, rule)
    if found and outcome is Outcome.PAID:
        key = f"invoice-{found.year}-{found.number}"
        wish = Give(found.campaign, found.company.id, found.amount, found.asset.code, COLLECTED, key)
        (taken,) = gifts.take(cursor, [wish], now)
        if isinstance(taken, Refusal):
            outcome = Outcome.REFUSED
        else:
            _end(cursor, found, taken.id, officer, now)
    year, number = line.invoice
    cursor.execute(
        """
        INSERT INTO giving_bank_line (charity, id, day, amount, year, number, outcome, at)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
        """,
        [charity, line.id, line.day, line.amount, year, number, outcome, now],
    )
    return outcome


def _end(cursor: Cursor, found: queries.Invoice, gift: uuid.UUID | None, by: Party, now: datetime) -> None:
    state = "paid" if gift else "cancelled"
    fields = {"charity": str(found.charity.id), "year": found.year, "number": found.number, "state": state}
    fact = Fact("giving.pledge-end", now, fields | ({"gift": str(gift)} if gift else {}))
    cursor.execute(
        """
        INSERT INTO giving_pledge_end (charity, year, number, gift, by_party, fact, at)
        VALUES (%s, %s, %s, %s, %s, %s, %s)
        """,
        [found.charity.id, found.year, found.number, gift, by.id, fact.id, now],
    )
    append(cursor, fact)
    enqueue("giving.tell_invoice", charity=str(found.charity.id), year=found.year, number=found.number)


def _lock(cursor: Cursor, charity: uuid.UUID) -> None:
    """One at a time numbers and pays the invoices of a charity."""
    cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"giving.pledge:{charity}"])
