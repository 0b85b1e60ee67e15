"""`commonweal giving clearing`: a published clearing, computed again without database or network."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from commonweal.kernel.errors import Invalid
from commonweal.kernel.text import Text
from commonweal.services.giving.clearing.statement import LARGEST, parse, wrong


def add_commands(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `clearing`."""
    text = "recompute a published clearing of time banks, to the minute"
    command = subparsers.add_parser("clearing", help=text, description=text)
    command.add_argument("statement", metavar="STATEMENT.json", help="the published file; - reads standard input")
    command.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    path = arguments.statement
    try:
        data = sys.stdin.buffer.read(LARGEST + 1) if path == "-" else Path(path).read_bytes()
    except OSError as error:
        raise Invalid(
            "clearing.unreadable",
            Text("{path} cannot be read: {why}", "无法读取 {path}：{why}").format(path=path, why=error.strerror),
        ) from error
    statement = parse(data)
    differences = wrong(statement)
    verdict = {
        "digest": statement.digest,
        "equal": not differences,
        "banks": len(statement.banks),
        "owed": statement.owed,
        "struck": sum(statement.struck),
        "left": statement.owed - sum(statement.struck),
        "differences": [statement.positions[n].agreement for n in differences],
    }
    print(json.dumps(verdict, indent=1))
    return 1 if differences else 0
