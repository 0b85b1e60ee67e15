"""`commonweal giving signals`: the signals of a file of gifts, with reasons, without database or network."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from commonweal.kernel.errors import Invalid
from commonweal.kernel.text import Text
from commonweal.services.giving.signals import KINDS, Signal, find, read_csv

FORMAT = "commonweal-signals/1"


def add_commands(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `signals`."""
    text = "print the signals of fraud in a CSV of gifts, with their reasons"
    command = subparsers.add_parser("signals", help=text, description=text)
    command.add_argument(
        "gifts",
        metavar="GIFTS.csv",
        help="columns id, at, campaign, amount; if known device, account, payment, refunded_at, message; - is stdin",
    )
    command.add_argument("--json", action="store_true", help="as JSON, for programs")
    command.add_argument("--amounts", choices=["yuan", "fen"], help="the unit of the amounts, if it is not evident")
    command.set_defaults(run=_signals)


def answer(gifts: int, signals: Sequence[Signal]) -> dict[str, Any]:
    """What `--json` prints. `delayed` are the gifts of all signals, each once."""
    return {
        "format": FORMAT,
        "gifts": gifts,
        "signals": [
            {
                "kind": signal.kind,
                "title": {"en": KINDS[signal.kind].en, "zh": KINDS[signal.kind].zh},
                "score": signal.score,
                "campaign": signal.campaign,
                "gifts": list(signal.gifts),
                "reasons": [{"en": reason.en, "zh": reason.zh} for reason in signal.reasons],
            }
            for signal in signals
        ],
        "delayed": sorted({gift for signal in signals for gift in signal.gifts}),
    }


def _signals(arguments: argparse.Namespace) -> int:
    try:
        if arguments.gifts == "-":
            rows = read_csv(sys.stdin, arguments.amounts)
        else:
            with Path(arguments.gifts).open(encoding="utf-8-sig", newline="") as lines:
                rows = read_csv(lines, arguments.amounts)
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "UTF-8"
        text = Text("{path} cannot be read: {why}", "无法读取 {path}：{why}").format(path=arguments.gifts, why=why)
        raise Invalid("signals.unreadable", text) from error
    signals = find(rows)
    if arguments.json:
        print(json.dumps(answer(len(rows), signals), ensure_ascii=False))
        return 0
    for signal in signals:
        print(f"{signal.score:3}  {KINDS[signal.kind]}  ({signal.campaign}: {len(signal.gifts)})")
        for reason in signal.reasons:
            print(f"     {reason.en}\n     {reason.zh}")
    return 0
