"""`commonweal giving import`, `export` and `trace`; the engines bring their own: `match`, `recompute`, `signals`."""

from __future__ import annotations

import argparse
import json
import os
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from commonweal.kernel.errors import NotFound
from commonweal.kernel.quantity import format_amount
from commonweal.kernel.text import Text
from commonweal.services.giving.clearing import commands as clearing
from commonweal.services.giving.matching import commands as matching
from commonweal.services.giving.signals import commands as signals

if TYPE_CHECKING:
    from commonweal.services.giving.actions.grants import Imported


def add_commands(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands of giving."""
    importing = subparsers.add_parser("import", help="take over grants that a funder has published (360Giving)")
    importing.add_argument("file", type=Path, help="a 360Giving file, JSON or CSV")
    importing.set_defaults(run=_import)
    exporting = subparsers.add_parser("export", help="write all grants as 360Giving JSON")
    exporting.add_argument("file", type=Path, help="where to write; - for standard output")
    exporting.set_defaults(run=_export)
    tracing = subparsers.add_parser("trace", help="follow a gift to the payouts that it paid for, to the fen, and back")
    tracing.add_argument("id", metavar="GIFT", type=uuid.UUID, help="the id of a gift; with --payout that of a payout")
    tracing.add_argument("--payout", action="store_true", help="from a payout back to its gifts")
    tracing.set_defaults(run=_trace)
    for parser in (importing, exporting, tracing):
        parser.add_argument("--data", help="data directory (COMMONWEAL_DATA_DIR, else .data)")
        parser.add_argument("--json", action="store_true", help="answer as one JSON object")
    matching.add_commands(subparsers)
    clearing.add_commands(subparsers)
    signals.add_commands(subparsers)


def _import(arguments: argparse.Namespace) -> int:
    try:
        data = arguments.file.read_bytes()
    except OSError as error:
        raise NotFound(
            "file.unreadable",
            Text("The file cannot be read: {why}.", "无法读取文件：{why}。").format(why=error.strerror),
        ) from error
    with arguments.database():
        from commonweal.services.giving.actions.grants import take_over

        imported = take_over(data)
        answer = _answer(imported)
    if arguments.json:
        print(json.dumps(answer, ensure_ascii=False))
        return 0
    print(f"{imported.rows} rows: {imported.added} added, {imported.known} known, {len(imported.refused)} refused")
    for asset, total in answer["totals"].items():
        print(f"added in {asset}: {total}")
    for remark in imported.remarks:
        print(f"note ({remark.rows}): {remark.text}")
    for row in imported.refused:
        print(f"row {row.row} {row.id}: {row.reason.code}: {row.reason.text}")
    return 0


def _answer(imported: Imported) -> dict[str, Any]:
    from commonweal.services.giving.queries.campaigns import asset_of

    return {
        "rows": imported.rows,
        "added": imported.added,
        "known": imported.known,
        "totals": {
            code: format_amount(total, asset_of(code), grouped=False) for code, total in sorted(imported.totals.items())
        },
        "refused": [
            {
                "row": row.row,
                "id": row.id,
                "code": row.reason.code,
                "field": row.reason.field,
                "en": row.reason.text.en,
                "zh": row.reason.text.zh,
            }
            for row in imported.refused
        ],
        "remarks": [{"rows": each.rows, "en": each.text.en, "zh": each.text.zh} for each in imported.remarks],
    }


def _export(arguments: argparse.Namespace) -> int:
    with arguments.database():
        from commonweal.services.giving.queries.grants import exported
        from commonweal.services.giving.threesixty import write

        if str(arguments.file) == "-":
            sys.stdout.writelines(write(exported()))
            return 0
        written = arguments.file.with_name(f"{arguments.file.name}.{os.getpid()}")
        number = -2  # the opening and the closing are pieces, too
        with written.open("w", encoding="utf-8") as file:
            for piece in write(exported()):
                number += 1
                file.write(piece)
        written.rename(arguments.file)
    if arguments.json:
        print(json.dumps({"file": str(arguments.file), "grants": number}))
    else:
        print(f"{number} grants written to {arguments.file}", file=sys.stderr)
    return 0


def _trace(arguments: argparse.Namespace) -> int:
    with arguments.database():
        from commonweal.services.giving.queries import traces

        found = traces.payout(arguments.id) if arguments.payout else traces.gift(arguments.id)
    print(json.dumps(found, ensure_ascii=False, indent=1) if arguments.json else "\n".join(trace_lines(found)))
    return 0


def trace_lines(found: dict[str, Any]) -> Iterator[str]:
    """What `trace` found, for people: one line a payout, a return or a gift."""
    asset = found["asset"]
    if "payout" in found:
        yield f"payout {found['payout']}: {asset} {found['amount']}, {found['state']}: {found['what']['en']}"
        yield from (f"  evidence /files/{digest}" for digest in found["evidence"])
        if order := found["order"]:
            yield f"  paid to {order['vendor']['en']}"
            yield from (f"    {line['amount']}: {line['what']['en']}, {line['paid_for']} of {line['ordered']}"
                        for line in order["lines"])  # fmt: skip
            yield from (f"    evidence /files/{digest}" for each in order["arrivals"] for digest in each["evidence"])
        yield from (f"  gift {each['number']} ({each['gift']}): {each['amount']}" for each in found["gifts"])
        yield f"  sum {found['sum']} of {found['amount']} from {len(found['gifts'])} gifts"
        return
    named = f"gift {found['number']} ({found['gift']})"
    yield f"{named}: {asset} {found['amount']}, {found['state']}: {found['title']['en']}"
    for part in found["payouts"]:
        yield f"  {part['amount']} of {part['of']} on {part['paid_at']}: {part['what']['en']} (payout {part['payout']})"
        yield from (f"    evidence /files/{digest}" for digest in part["evidence"])
        yield from (f"    {line['amount']} of it: {line['what']['en']}" for line in part["lines"])
    yield from (f"  kept by {fee['to']} {fee['amount']}" for fee in found["fees"])
    yield from (f"  {each['what']} {each['amount']}, {each['standing']}" for each in found["returns"])
    kept = f", kept {found['kept']}" if found["fees"] else ""
    yield f"  spent {found['spent']}{kept}, returned {found['returned']}, left {found['left']}"
