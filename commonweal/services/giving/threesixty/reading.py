"""From the bytes of a file to awards: what cannot be understood is named with its reason, and nothing is guessed."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from commonweal.kernel.errors import Invalid, Refusal
from commonweal.kernel.quantity import Asset
from commonweal.kernel.text import Text
from commonweal.services.giving.threesixty import tables, values
from commonweal.services.giving.threesixty.currencies import currency
from commonweal.services.giving.threesixty.record import PERSONAL, record_of
from commonweal.services.giving.threesixty.values import Order, Organisation

LONGEST_NAME = 200
LONGEST_TITLE = 500
CORE = frozenset({"id", "title", "description", "currency", "amountAwarded", "awardDate"})


@dataclass(frozen=True, slots=True)
class Award:
    """One grant that was understood. `amount` is in smallest units of `asset` and may be zero.

    `record` is everything else that the row said, in the standard's form (`record.record_of`).
    """

    row: int
    id: str
    title: str
    description: str
    amount: int
    asset: Asset
    awarded: date
    funder: Organisation
    recipient: Organisation
    programme: str
    record: dict[str, Any]


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A row that is not taken: its number in the file (from 1), its identifier if it has one, and the reason."""

    row: int
    id: str
    reason: Refusal


@dataclass(frozen=True, slots=True)
class Remark:
    """Something that was taken otherwise than it was written, and in how many rows."""

    text: Text
    rows: int


@dataclass(frozen=True)
class Reading:
    """All that a file says. Every row is in `awards` or in `refused`."""

    awards: list[Award] = field(default_factory=list)
    refused: list[RefusedRow] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)


def read(data: bytes, today: date) -> Reading:
    """Read a 360Giving file, JSON or CSV. An award dated after `today` is refused.

    Raises `Invalid` for the file as a whole: `file.empty`, `file.encoding`, `file.form`, or `file.truncated`.
    """
    rows = list(_rows(data))
    order = values.order_of_days([row.get("awardDate") for row in rows if isinstance(row, dict)])
    reading, notes, seen = Reading(), Counter[str](), dict[str, int]()
    for number, row in enumerate(rows, 1):
        here = Counter[str]()
        try:
            award = _award(number, row, order, today, here)
            if award.id in seen:
                raise Invalid(
                    "grant.twice",
                    Text("Row {row} has the same identifier.", "与第 {row} 行的标识符相同。").format(
                        row=seen[award.id]
                    ),
                    field="id",
                )
        except Refusal as reason:
            id = row.get("id") if isinstance(row, dict) else None
            reading.refused.append(RefusedRow(number, id if isinstance(id, str) else "", reason))
            continue
        seen[award.id] = number
        reading.awards.append(award)
        notes.update(here)
    reading.remarks.extend(_remarks(notes, order, reading.awards))
    return reading


def _twice(row: int) -> Invalid:
    text = Text("Row {row} has the same identifier.", "与第 {row} 行的标识符相同。")
    return Invalid("grant.twice", text.format(row=row), field="id")


def _rows(data: bytes) -> Iterator[Any]:
    text = _decoded(data)
    first = text.lstrip()[:1]
    if not first:
        raise Invalid("file.empty", Text("The file is empty.", "文件是空的。"))
    if first not in "{[":
        yield from tables.rows(text)
        return
    try:
        document = json.loads(text, parse_float=Decimal, parse_constant=str)
    except (ValueError, RecursionError) as error:
        raise Invalid(
            "file.truncated",
            Text("The file breaks off or is not JSON.", "文件不完整或不是 JSON。"),
        ) from error
    rows = document.get("grants") if isinstance(document, dict) else document
    if not isinstance(rows, list):
        raise Invalid("file.form", Text('The file has no list "grants".', "文件中没有 “grants” 列表。"))
    yield from rows


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Invalid("file.encoding", Text("Save the file as UTF-8.", "请将文件保存为 UTF-8 编码。")) from error


def _award(number: int, row: Any, order: Order, today: date, notes: Counter[str]) -> Award:
    if not isinstance(row, dict):
        raise Invalid("row.form", Text("This row is not a grant.", "该行不是一笔资助。"))
    _check_storable(row)
    if row.get("recipientIndividual"):
        raise Invalid(
            "recipient.individual",
            Text(
                "Grants to single people are personal data and are not taken.", "给个人的资助属于个人信息，不予导入。"
            ),
            field="recipientIndividual",
        )
    code = values.line(row.get("currency"), "currency", 10).upper()
    asset = currency(code)
    if asset is None:
        raise Invalid(
            "currency.unknown",
            Text("{code} is not a currency of ISO 4217.", "{code} 不是 ISO 4217 货币代码。").format(code=code),
            field="currency",
        )
    rest = {name: value for name, value in row.items() if name not in CORE}
    awarded = values.day(row.get("awardDate"), order, "awardDate")
    if not values.FIRST_DAY <= awarded <= today:
        raise Invalid(
            "date.range",
            Text("An award is dated between 1900 and today.", "资助日期须在 1900 年至今之间。"),
            field="awardDate",
        )
    return Award(
        row=number,
        id=values.line(row.get("id"), "id", LONGEST_NAME),
        title=values.line(row.get("title"), "title", LONGEST_TITLE),
        description=values.paragraphs(row.get("description"), "description", 10_000),
        amount=values.amount(row.get("amountAwarded"), asset, "amountAwarded"),
        asset=asset,
        awarded=awarded,
        funder=_organisation(row, "fundingOrganization"),
        recipient=_organisation(row, "recipientOrganization"),
        programme=_programme(row),
        record=_plain(record_of(rest, order, lambda path: _note(notes, path))),
    )


def _check_storable(row: dict[str, Any]) -> None:
    try:
        text = json.dumps(row, ensure_ascii=False, default=str)
        text.encode()
    except (UnicodeEncodeError, RecursionError) as error:
        raise Invalid("row.form", Text("This row cannot be stored.", "该行无法存储。")) from error
    if r"\u0000" in text:
        raise Invalid("text.characters", Text("This row holds NUL characters.", "该行含有 NUL 字符。"))


def _organisation(row: dict[str, Any], name: str) -> Organisation:
    named = row.get(name)
    if not isinstance(named, list) or not named or not isinstance(named[0], dict):
        raise Invalid("organisation.missing", Text("{name} is missing.", "缺少 {name}。").format(name=name), field=name)
    if len(named) > 1:
        raise Invalid(
            "organisation.several",
            Text(
                "{name} names several organisations and the amount is not divided among them.",
                "{name} 列出多个机构，但未说明金额如何分配。",
            ).format(name=name),
            field=name,
        )
    identifier = named[0].get("id")
    return Organisation(
        values.line(str(identifier) if isinstance(identifier, int) else identifier, f"{name}/id", LONGEST_NAME),
        values.line(named[0].get("name"), f"{name}/name", LONGEST_NAME),
    )


def _programme(row: dict[str, Any]) -> str:
    programmes = row.get("grantProgramme")
    first = programmes[0] if isinstance(programmes, list) and programmes else None
    title = first.get("title") if isinstance(first, dict) else None
    return values.line(title, "grantProgramme/title", LONGEST_NAME) if title else ""


def _note(notes: Counter[str], path: str) -> None:
    notes[path] = 1


def _plain(value: Any) -> Any:
    """The value with exact numbers as JSON's own: whole ones as integers, others as the nearest double."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() and abs(value) < 2**53 else float(value)
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list) else value


def _remarks(notes: Counter[str], order: Order, awards: list[Award]) -> Iterator[Remark]:
    for path, rows in sorted(notes.items()):
        if path.rpartition("/")[2] in PERSONAL:
            yield Remark(
                Text("{path} may lead to a person and is left out.", "{path} 可能涉及个人信息，未保留。").format(
                    path=path
                ),
                rows,
            )
        else:
            yield Remark(
                Text(
                    "{path} is not in the standard's form and is kept as it was published.",
                    "{path} 不符合标准格式，按原样保留。",
                ).format(path=path),
                rows,
            )
    if zero := sum(not award.amount for award in awards):
        yield Remark(
            Text("Awards of zero are kept as records; no money moves.", "金额为零的资助只作记录，没有资金流动。"), zero
        )
    names: dict[str, set[str]] = {}
    for award in awards:
        if award.recipient.identified:
            names.setdefault(award.recipient.identifier, set()).add(award.recipient.name)
    if several := sum(len(each) > 1 for each in names.values()):
        yield Remark(
            Text(
                "Organisations with several names are one by their identifier; the first name is shown.",
                "同一标识符的机构有多个名称，按同一机构处理，显示首个名称。",
            ),
            several,
        )
    if unnamed := sum(not award.recipient.identified for award in awards):
        yield Remark(
            Text(
                "The recipient's identifier is not of any register; it is told apart by its name.",
                "受助方的标识符不属于任何登记体系，按名称区分。",
            ),
            unnamed,
        )
    if order == "unknown" and awards:
        yield Remark(
            Text(
                "No day shows whether days or months come first; 05/06/2014 is read as 5 June.",
                "文件中没有日期能表明日月顺序，05/06/2014 读作 6 月 5 日。",
            ),
            len(awards),
        )
