"""Gifts as signals see them, and their reading from CSV."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from commonweal.kernel.errors import Invalid
from commonweal.kernel.quantity import CNY, MAX_AMOUNT, Asset
from commonweal.kernel.text import Text
from commonweal.services.giving.threesixty.currencies import currency

MAX_ROWS = 5_000_000
FORMAT = "commonweal-gifts/1"
"""The form of the file that is read here: docs/reference/gifts-file.md."""

Unit = Literal["yuan", "fen"]


@dataclass(frozen=True, slots=True)
class Row:
    """One gift. `at` and `refunded_at` are Unix seconds, `amount` is in smallest units of `asset`; an unknown device,
    account or payment is empty and links to nothing."""

    id: str
    at: float
    campaign: str
    amount: int
    device: str = ""
    account: str = ""
    payment: str = ""
    refunded_at: float | None = None
    message: str = ""
    asset: Asset = CNY


def of_many_aims(rows: Iterable[Row]) -> set[str]:
    """Accounts that give to more than one campaign: people with a life of their own; a ring's accounts have one aim."""
    aims = Counter(account for account, _ in {(row.account, row.campaign) for row in rows if row.account})
    return {account for account, campaigns in aims.items() if campaigns > 1}


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
    "asset": "asset currency currency_code 币种 货币",
    "message": "message note comment memo remark 留言 备注",
}
_FIELD = {spelling: field for field, spellings in _SPELLINGS.items() for spelling in spellings.split()}
_FEN = {"amount_fen", "fen", "amount_minor", "cents"}
_YUAN = {"amount_yuan", "yuan", "amount_cny"}
_REQUIRED = ("id", "at", "campaign", "amount")
_DECIMAL = re.compile(r"([0-9]+)(?:\.([0-9]+?)0*)?")
_NEVER = {"", "none", "null", "nan", "na", "n/a", "-", "false", "0"}


def read_csv(lines: Iterable[str], unit: Unit | None = None) -> list[Row]:
    """Read gifts, one a row under a row of names, spelled in many ways; other columns are ignored.

    Amounts are yuan (`8.80`; of another `asset` in its own unit) or, if the column says so or `unit` does, fen (the
    smallest unit). Whole numbers throughout whose median is 300 or more are taken for fen. Nothing is left out: raises
    `Invalid` with the line that cannot be read (`signals.row`), or for the whole (`signals.empty`, `signals.columns`,
    `signals.too-many`).
    """
    try:
        return _read(csv.reader(lines), unit)
    except csv.Error as error:
        raise Invalid("signals.csv", Text("This is not CSV: {why}.", "不是 CSV：{why}。").format(why=error)) from None


def _read(reader: Iterator[list[str]], unit: Unit | None) -> list[Row]:
    header = next((record for record in reader if any(cell.strip("\ufeff \t") for cell in record)), None)
    if header is None:
        raise Invalid(
            "signals.empty",
            Text(
                "The file is empty. Its first line names the columns, at least {names}.",
                "文件为空。首行应为列名，至少包括：{names}。",
            ).format(names=", ".join(_REQUIRED)),
        )
    names = [re.sub(r"[\s\-.]+", "_", name.strip().lstrip("\ufeff").lower()) for name in header]
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
    unit = unit or _unit(names[columns["amount"]], amounts)
    seen: set[str] = set()
    rows = []
    for (number, record), amount in zip(records, amounts, strict=True):
        id, campaign = _cell(record, columns, "id"), _cell(record, columns, "campaign")
        if not id or not campaign:
            raise _unreadable(number, "campaign" if id else "id", "it has no id or campaign", "缺少编号或项目")
        if id in seen:
            raise _unreadable(number, "id", f"the id {id!r} is there twice", f"编号 {id!r} 重复")
        seen.add(id)
        asset = _asset(_cell(record, columns, "asset"), number)
        refunded = _cell(record, columns, "refunded_at")
        rows.append(
            Row(
                id,
                _moment(_cell(record, columns, "at"), number, "at"),
                campaign,
                _units(amount, unit, asset, number),
                _cell(record, columns, "device"),
                _cell(record, columns, "account"),
                _cell(record, columns, "payment"),
                None if refunded.lower() in _NEVER else _moment(refunded, number, "refunded_at"),
                _cell(record, columns, "message"),
                asset,
            )
        )
    return rows


def _cell(record: list[str], columns: dict[str, int], field: str) -> str:
    n = columns.get(field)
    return record[n].strip() if n is not None and n < len(record) else ""


def _asset(code: str, number: int) -> Asset:
    found = currency(code.upper()) if code else CNY
    if found is None:
        raise _unreadable(number, "asset", f"{code!r} is no currency", f"{code!r} 不是货币")
    return found


def _amount(text: str, number: int) -> tuple[str, str]:
    found = _DECIMAL.fullmatch(text.lstrip("¥￥").replace(",", ""))
    if found is None:
        raise _unreadable(number, "amount", f"{text!r} is not an amount", f"{text!r} 不是金额")
    return found[1].lstrip("0")[:20] or "0", found[2] or ""


def _units(amount: tuple[str, str], unit: Unit, asset: Asset, number: int) -> int:
    whole, part = amount[0], amount[1].rstrip("0")
    places = 0 if unit == "fen" else asset.exponent
    if len(part) > places:
        text = f"{whole}.{part}"
        raise _unreadable(number, "amount", f"{text} has too many decimal places", f"{text} 小数位过多")
    found = int(whole + part.ljust(places, "0"))
    if found > MAX_AMOUNT:
        raise _unreadable(number, "amount", "the amount is too large", "金额过大")
    return found


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
    except (ValueError, OverflowError):
        raise _unreadable(number, field, f"{text!r} is not a time", f"{text!r} 不是时间") from None


def _unreadable(number: int, field: str, en: str, zh: str) -> Invalid:
    return Invalid("signals.row", Text(f"Line {number}: {en}.", f"第 {number} 行：{zh}。"), field=field)
