"""Gifts as signals see them, and their reading from CSV."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from commonweal.kernel.errors import Invalid
from commonweal.kernel.text import Text

MAX_ROWS = 5_000_000

Unit = Literal["yuan", "fen"]


@dataclass(frozen=True, slots=True)
class Row:
    """One gift. `at` and `refunded_at` are Unix seconds, `amount` is in fen; an unknown device, account or payment is
    empty and links to nothing."""

    id: str
    at: float
    campaign: str
    amount: int
    device: str = ""
    account: str = ""
    payment: str = ""
    refunded_at: float | None = None
    message: str = ""


_SPELLINGS = {
    "id": "id gift giftid gift_id transaction transaction_id order order_id 编号 捐款编号",
    "at": "at time timestamp date datetime created created_at given_at gift_at paid_at 时间 捐款时间",
    "campaign": "campaign campaign_id project project_id fund fund_id 项目 项目编号",
    "amount": "amount sum value amount_cny amount_yuan yuan amount_fen fen amount_minor cents 金额",
    "device": "device device_id deviceid device_fingerprint device_hash 设备",
    "account": "account account_id accountid user user_id donor donor_id giver giver_id 账号 账户 捐款人",
    "payment": "payment payment_fingerprint paymentfingerprint payment_id payment_method payment_hash card "
    "card_fingerprint payer fingerprint 支付 支付指纹",
    "refunded_at": "refunded_at refundedat refunded refund_at refund refund_time refunded_time 退款时间",
    "message": "message note comment memo remark 留言 备注",
}
_FIELD = {spelling: field for field, spellings in _SPELLINGS.items() for spelling in spellings.split()}
_FEN = {"amount_fen", "fen", "amount_minor", "cents"}
_YUAN = {"amount_yuan", "yuan", "amount_cny"}
_REQUIRED = ("id", "at", "campaign", "amount")
_DECIMAL = re.compile(r"(\d{1,13})(?:\.(\d{1,2})0*)?")
_NEVER = {"", "none", "null", "nan", "na", "n/a", "-", "false", "0"}


def read_csv(lines: Iterable[str], unit: Unit | None = None) -> list[Row]:
    """Read gifts, one a row under a row of names, spelled in many ways; other columns are ignored.

    Amounts are yuan (`8.80`) or, if the column says so or `unit` does, fen. Whole numbers throughout whose median is
    300 or more are taken for fen. Raises `Invalid` with the line that cannot be read.
    """
    reader = csv.reader(lines)
    names = [re.sub(r"[\s\-.]+", "_", name.strip().lstrip("\ufeff").lower()) for name in next(reader, [])]
    columns = {_FIELD[name]: n for n, name in reversed(list(enumerate(names))) if name in _FIELD}
    if missing := [field for field in _REQUIRED if field not in columns]:
        raise Invalid(
            "signals.columns",
            Text("The columns {names} are missing.", "缺少列：{names}。").format(names=", ".join(missing)),
            field=missing[0],
        )
    records = [(number, record) for number, record in enumerate(reader, 2) if record]
    if len(records) > MAX_ROWS:
        raise Invalid("signals.too-many", Text("At most {n} gifts.", "最多 {n} 笔捐款。").format(n=MAX_ROWS))
    amounts = [_amount(_cell(record, columns, "amount"), number) for number, record in records]
    if unit is None:
        unit = _unit(names[columns["amount"]], amounts)
    seen: set[str] = set()
    rows = []
    for (number, record), (whole, part) in zip(records, amounts, strict=True):
        id = _cell(record, columns, "id")
        if not id or id in seen:
            raise _unreadable(number, "id", "an id is missing or there twice", "编号缺失或重复")
        seen.add(id)
        refunded = _cell(record, columns, "refunded_at")
        rows.append(
            Row(
                id,
                _moment(_cell(record, columns, "at"), number, "at"),
                _cell(record, columns, "campaign"),
                int(whole) if unit == "fen" else int(whole) * 100 + int(part.ljust(2, "0") or "0"),
                _cell(record, columns, "device"),
                _cell(record, columns, "account"),
                _cell(record, columns, "payment"),
                None if refunded.lower() in _NEVER else _moment(refunded, number, "refunded_at"),
                _cell(record, columns, "message"),
            )
        )
    return rows


def _cell(record: list[str], columns: dict[str, int], field: str) -> str:
    n = columns.get(field)
    return record[n].strip() if n is not None and n < len(record) else ""


def _amount(text: str, number: int) -> tuple[str, str]:
    found = _DECIMAL.fullmatch(text.lstrip("¥￥").replace(",", ""))
    if found is None:
        raise _unreadable(number, "amount", f"{text!r} is not an amount", f"{text!r} 不是金额")
    return found[1], found[2] or ""


def _unit(name: str, amounts: list[tuple[str, str]]) -> Unit:
    if name in _FEN:
        return "fen"
    if name in _YUAN or not amounts or any(part for _, part in amounts):
        return "yuan"
    return "fen" if sorted(int(whole) for whole, _ in amounts)[len(amounts) // 2] >= 300 else "yuan"


def _moment(text: str, number: int, field: str) -> float:
    """ISO 8601, UTC if it names no zone, or Unix time in seconds or milliseconds."""
    try:
        if re.fullmatch(r"\d{9,13}(\.\d+)?", text):
            seconds = float(text)
            return seconds / 1000 if seconds > 1e11 else seconds
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except ValueError:
        raise _unreadable(number, field, f"{text!r} is not a time", f"{text!r} 不是时间") from None


def _unreadable(number: int, field: str, en: str, zh: str) -> Invalid:
    return Invalid("signals.row", Text(f"Line {number}: {en}.", f"第 {number} 行：{zh}。"), field=field)
