"""The platform's own commands."""

from __future__ import annotations

import argparse
import json
import os
import secrets
import signal
import sys
import tempfile
import uuid
from pathlib import Path
from typing import Any

from commonweal.kernel.errors import Invalid
from commonweal.kernel.text import Text


def add_commands(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `run`, `seed`, `backup`, `restore`, `forget`, `database` and `torture`."""
    data = argparse.ArgumentParser(add_help=False)
    data.add_argument("--data", help="data directory (COMMONWEAL_DATA_DIR, else .data)")
    answer = argparse.ArgumentParser(add_help=False)
    answer.add_argument("--json", action="store_true", help="answer with one JSON object")

    run = subparsers.add_parser("run", parents=[data], help="open the platform on this machine")
    run.add_argument("--host", default="127.0.0.1", help="address to listen on (127.0.0.1)")
    run.add_argument("--port", type=int, help="port (COMMONWEAL_PORT, else 8000)")
    run.add_argument("--workers", type=int, default=min(os.cpu_count() or 1, 4), help="web processes")
    run.set_defaults(run=_run)

    seed = subparsers.add_parser("seed", parents=[data], help="make the demonstration world")
    seed.set_defaults(run=_seed)

    backup = subparsers.add_parser("backup", parents=[data, answer], help="write everything into one file")
    backup.add_argument("file", type=Path, metavar="FILE")
    backup.add_argument("--keys", type=Path, metavar="KEYS", help="write the people's keys into this file instead")
    backup.set_defaults(run=_backup)

    restore = subparsers.add_parser("restore", parents=[data, answer], help="make a new data directory from a backup")
    restore.add_argument("file", type=Path, metavar="FILE")
    restore.add_argument("--keys", type=Path, metavar="KEYS", help="take the people's keys from this file")
    restore.add_argument("--verify", action="store_true", help="recompute the log's root and the books' totals")
    restore.set_defaults(run=_restore)

    forget = subparsers.add_parser("forget", parents=[data, answer], help="erase a person by destroying their key")
    forget.add_argument("party", metavar="PARTY", help="the person's id")
    forget.set_defaults(run=_forget)

    database = subparsers.add_parser("database", help="the database itself").add_subparsers(
        required=True, metavar="COMMAND"
    )
    distribute = database.add_parser(
        "distribute", parents=[data, answer], help="spread the books over the machines of a Citus cluster"
    )
    distribute.add_argument("--dry-run", action="store_true", help="print the statements and do nothing")
    distribute.set_defaults(run=_distribute)

    torture = subparsers.add_parser(
        "torture", parents=[answer], help="harm a platform of its own under load, and audit it"
    )
    torture.add_argument("--rounds", type=int, default=20, metavar="N", help="how many faults (20)")
    torture.add_argument("--faults", metavar="KINDS", help="of kill,stall,cut,full,clock,power (all)")
    torture.add_argument("--seed", type=int, metavar="S", help="seed of all chance (random, and printed)")
    torture.add_argument("--givers", type=int, default=6, metavar="N", help="how many people give at a time (6)")
    torture.set_defaults(run=_torture)


def _use(data: str | None) -> None:
    if data:
        os.environ["COMMONWEAL_DATA_DIR"] = data


def _answer(arguments: argparse.Namespace, figures: dict[str, Any], words: str) -> int:
    print(json.dumps(figures, ensure_ascii=False) if arguments.json else words)
    return 0


def _run(arguments: argparse.Namespace) -> int:
    _use(arguments.data)
    if arguments.port:
        os.environ["COMMONWEAL_PORT"] = str(arguments.port)  # links in messages name it, in every process of the run
    from commonweal import settings
    from commonweal.operation.supervisor import run

    return run(arguments.host, settings.PORT, arguments.workers)


def _seed(arguments: argparse.Namespace) -> int:
    _use(arguments.data)
    from commonweal.operation.database import open_database

    with open_database():
        from commonweal.operation.seed import seed

        seed()
    return 0


def _backup(arguments: argparse.Namespace) -> int:
    _use(arguments.data)
    from commonweal.operation.backup import back_up

    made = back_up(arguments.file, arguments.keys)
    held = made["inventory"]
    return _answer(
        arguments,
        {"file": str(arguments.file), "bytes": arguments.file.stat().st_size, **held},
        f"{arguments.file}: {held['transfers']} transfers, {held['size']} facts, root {held['root']}",
    )


def _restore(arguments: argparse.Namespace) -> int:
    from commonweal.operation.restore import restore

    home = Path(arguments.data or os.environ.get("COMMONWEAL_DATA_DIR", ".data"))
    found = restore(arguments.file, home, keys=arguments.keys, verify=arguments.verify)
    if found["size"]:
        print(
            f"The log stands at {found['size']} facts. If a later checkpoint of it has been published, give the log a "
            "new name and key before it goes on: docs/how-to/back-up.md.",
            file=sys.stderr,
        )
    word = "verified" if found["verified"] else "restored"
    return _answer(
        arguments,
        {"home": str(home), **found},
        f"{home}: {word}, {found['transfers']} transfers, {found['size']} facts, root {found['root']}",
    )


def _forget(arguments: argparse.Namespace) -> int:
    _use(arguments.data)
    from commonweal.operation.database import open_database
    from commonweal.operation.forget import forget

    try:
        party = uuid.UUID(arguments.party)
    except ValueError:
        text = Text("A party is named by its id, a UUID.", "请填写用户编号（UUID）。")
        raise Invalid("party.form", text, field="party") from None
    with open_database():
        done = forget(party)
    words = "is forgotten" if done["erased"] else "had been forgotten before"
    return _answer(arguments, done, f"{party} {words}")


def _distribute(arguments: argparse.Namespace) -> int:
    _use(arguments.data)
    from commonweal.operation.distribute import distribute

    made = distribute(dry_run=arguments.dry_run)
    if arguments.dry_run and not arguments.json:
        print(";\n".join([*made["statements"], ""]), end="")
        return 0
    words = f"{len(made['distributed'])} tables are distributed by book, {len(made['copied'])} are copied everywhere"
    return _answer(arguments, made, words)


def _torture(arguments: argparse.Namespace) -> int:
    from commonweal.operation.torture.faults import KINDS
    from commonweal.operation.torture.ordeal import FINDINGS, torture

    kinds = arguments.faults.split(",") if arguments.faults else KINDS
    if unknown := set(kinds) - set(KINDS):
        text = Text("There is no fault {unknown}: name some of {kinds}.", "没有 {unknown} 这种故障，可选：{kinds}。")
        names = {"unknown": ", ".join(sorted(unknown)), "kinds": ", ".join(KINDS)}
        raise Invalid("torture.fault", text.format(**names), field="faults")
    seed = arguments.seed if arguments.seed is not None else secrets.randbelow(2**32)
    print(f"Seed {seed}", file=sys.stderr)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what is mounted and started is put away
    with tempfile.TemporaryDirectory(prefix="commonweal-torture-") as directory:
        report = torture(Path(directory), arguments.rounds, seed, arguments.givers, kinds)
    for left_out in report.left_out:
        print(left_out, file=sys.stderr)
    for finding in report.findings[:50]:
        print(f"{finding.kind}: {finding.what}", file=sys.stderr)
    figures = report.as_json()
    counted = ", ".join(f"{figures[kind]} {kind}" for kind in FINDINGS)
    _answer(arguments, figures, f"{sum(report.rounds.values())} faults, {report.gifts} gifts: {counted}")
    return 0 if report.ok else 1
