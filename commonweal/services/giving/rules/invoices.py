"""Invoices for company gifts: their reference, where they stand, and which line of a bank statement pays one.

An invoice here asks for a gift that a company has promised. It is no tax document: the receipt that a charity owes its
givers follows the payment.
"""

from __future__ import annotations

import csv
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from commonweal.kernel.errors import Invalid
from commonweal.kernel.quantity import Asset, parse_amount
from commonweal.kernel.text import Text

DUE_WITHIN = timedelta(days=30)
"""How long a company has to pay, if it does not say otherwise."""
LONGEST = timedelta(days=90)
MOST_LINES = 20_000
"""Lines of one bank statement."""
LARGEST_STATEMENT = 2_000_000
"""Characters of one."""


class Outcome(StrEnum):
    """What a line that names an invoice comes to."""

    PAID = "paid"
    DIFFERS = "differs"
    """Another amount: nothing moves until people have looked."""
    UNKNOWN = "unknown"
    REFUSED = "refused"
    """It is cancelled or paid already, or its campaign takes no gifts any more."""


OUTCOMES: dict[Outcome, Text] = {
    Outcome.PAID: Text("paid", "已付"),
    Outcome.DIFFERS: Text("another amount: nothing was booked", "金额不符，未入账"),
    Outcome.UNKNOWN: Text("no such invoice: nothing was booked", "没有这张通知单，未入账"),
    Outcome.REFUSED: Text("cannot be taken any more: send it back", "已不能接受，请退回"),
}


class State(StrEnum):
    """Where an invoice stands."""

    OPEN = "open"
    OVERDUE = "overdue"
    PAID = "paid"
    CANCELLED = "cancelled"


TITLES: dict[State, Text] = {
    State.OPEN: Text("Waiting for the transfer", "等待转账"),
    State.OVERDUE: Text("Past its day; it can still be paid", "已过期限，仍可付款"),
    State.PAID: Text("Paid", "已付款"),
    State.CANCELLED: Text("Cancelled; its number stays taken", "已作废，编号保留"),
}


def state(due: date, today: date, *, paid: bool, cancelled: bool) -> State:
    """Where an invoice stands."""
    if paid:
        return State.PAID
    if cancelled:
        return State.CANCELLED
    return State.OVERDUE if due < today else State.OPEN


def due(today: date, asked: date | None) -> date:
    """The day by which it is to be paid. Raises `Invalid` (`invoice.due`) outside today and `LONGEST`."""
    found = asked or today + DUE_WITHIN
    if not today <= found <= today + LONGEST:
        raise Invalid(
            "invoice.due",
            Text("Choose a day within the next {days} days.", "请选择今后 {days} 天内的日期。").format(
                days=LONGEST.days
            ),
            field="due",
        )
    return found


# The reference


def reference(year: int, number: int) -> str:
    """What the company writes beside its transfer: a creditor reference (ISO 11649), `RF`, two check digits, then the
    year and the number. The check is MOD 97-10 of ISO 7064, so that a slip of the pen names no other invoice."""
    body = f"{year}{number:09d}"
    return f"RF{98 - _remainder(body + 'RF00'):02d}{body}"


def _remainder(text: str) -> int:
    return int("".join(str(int(sign, 36)) for sign in text)) % 97


def named(text: str) -> tuple[int, int] | None:
    """Year and number of the invoice that a bank's text names; None if it names none or is miswritten."""
    for found in re.finditer(r"RF\d{2}(\d{4})(\d{9})", re.sub(r"[\s-]", "", text.upper())):
        year, number = int(found[1]), int(found[2])
        if found[0] == reference(year, number):
            return year, number
    return None


# The statement


@dataclass(frozen=True, slots=True)
class BankLine:
    """Money that has come in: the bank's own id of it, the day, and the invoice that its text names."""

    id: str
    day: date
    amount: int
    invoice: tuple[int, int]


COLUMNS = {
    "date": "date", "日期": "date", "交易日期": "date",
    "amount": "amount", "金额": "amount", "收入金额": "amount", "贷方金额": "amount",
    "id": "id", "流水号": "id", "交易流水号": "id",
    "text": "text", "摘要": "text", "附言": "text", "用途": "text",
}  # fmt: skip


def statement(written: str, asset: Asset) -> Iterator[BankLine]:
    """The lines of a bank's statement (CSV) that name an invoice. Everything else is nobody's business here.

    The first line names the columns, in either language (`COLUMNS`). Raises `Invalid` with `statement.columns`,
    `statement.line` or `statement.too-long`.
    """
    if len(written) > LARGEST_STATEMENT:
        raise too_long()
    rows = csv.reader(written.lstrip("\ufeff").splitlines())
    heading = [COLUMNS.get(name.strip().lower(), "") for name in next(rows, [])]
    if missing := {"date", "amount", "id", "text"} - set(heading):
        raise Invalid(
            "statement.columns",
            Text("The first line must name date, amount, id and text; missing: {missing}.",
                 "首行须含日期、金额、流水号、摘要，缺少：{missing}。").format(missing=", ".join(sorted(missing))),
            field="statement",
        )  # fmt: skip
    for number, row in enumerate(rows, 2):
        if number > MOST_LINES:
            raise too_long()
        found: dict[str, str] = {}
        for name, value in zip(heading, row, strict=False):
            found[name] = f"{found.get(name, '')} {value.strip()}".strip()
        invoice = named(found.get("text", ""))
        if invoice is None or found.get("amount", "").startswith("-"):
            continue
        try:
            day = datetime.strptime(found["date"].replace("/", "-")[:10], "%Y-%m-%d").date()  # noqa: DTZ007 (a day)
            amount = parse_amount(found["amount"].replace(",", ""), asset)
            if not 0 < len(found["id"]) <= 64:
                raise ValueError("the bank's id is missing or too long")
        except (KeyError, ValueError, Invalid) as error:
            raise Invalid(
                "statement.line",
                Text(
                    "Line {n} cannot be read: its day, amount or id.", "第 {n} 行的日期、金额或流水号无法识别。"
                ).format(n=number),
                field="statement",
            ) from error
        yield BankLine(found["id"], day, amount, invoice)


def too_long() -> Invalid:
    """More than is read at once."""
    return Invalid(
        "statement.too-long",
        Text("Bring at most {most} lines at once.", "每次最多导入 {most} 行。").format(most=f"{MOST_LINES:,}"),
        field="statement",
    )


@dataclass(frozen=True, slots=True)
class Invoice:
    """What a decision about a line needs of the invoice that it names."""

    amount: int
    paid: bool
    cancelled: bool


def judge(line: BankLine, invoice: Invoice | None) -> Outcome:
    """What a line comes to, before the campaign is asked. The amount is equal, or nothing moves."""
    if invoice is None:
        return Outcome.UNKNOWN
    if invoice.paid or invoice.cancelled:
        return Outcome.REFUSED
    return Outcome.PAID if line.amount == invoice.amount else Outcome.DIFFERS


@dataclass(frozen=True, slots=True)
class Account:
    """Where a charity wants to be paid."""

    holder: str
    bank: str
    number: str


def check_number(number: str) -> str:
    """A bank account's number: 8 to 34 digits and letters. Raises `Invalid` (`account.number`)."""
    plain = re.sub(r"[\s-]", "", number).upper()
    if not re.fullmatch(r"[0-9A-Z]{8,34}", plain):
        raise Invalid(
            "account.number",
            Text("An account number has 8 to 34 digits and letters.", "银行账号为 8 至 34 位数字或字母。"),
            field="number",
        )
    return plain


def unaccounted() -> Invalid:
    """The charity has not said where it wants to be paid."""
    return Invalid(
        "invoice.account",
        Text("This charity has not named its bank account yet. Ask it, or give another way.",
             "该机构尚未公布收款账户，请联系机构或选择其他方式。"),
    )  # fmt: skip


Numbered = tuple[uuid.UUID, int, int]
"""What an invoice is known by: its charity, the year, the number."""
