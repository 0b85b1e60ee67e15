"""`commonweal giving import` and `export`; the engines bring their own: `match`, `recompute`, `signals`."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from commonweal.kernel.errors import NotFound
from commonweal.kernel.quantity import format_amount
from commonweal.kernel.text import Text
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
    for parser in (importing, exporting):
        parser.add_argument("--data", help="data directory (COMMONWEAL_DATA_DIR, else .data)")
        parser.add_argument("--json", action="store_true", help="answer as one JSON object")
    matching.add_commands(subparsers)
    signals.add_commands(subparsers)


def _use(arguments: argparse.Namespace) -> None:
    if arguments.data:
        os.environ["COMMONWEAL_DATA_DIR"] = arguments.data


def _import(arguments: argparse.Namespace) -> int:
    try:
        data = arguments.file.read_bytes()
    except OSError as error:
        raise NotFound(
            "file.unreadable",
            Text("The file cannot be read: {why}.", "无法读取文件：{why}。").format(why=error.strerror),
        ) from error
    _use(arguments)
    from commonweal.operation.database import open_database

    with open_database():
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
    _use(arguments)
    from commonweal.operation.database import open_database

    with open_database():
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
