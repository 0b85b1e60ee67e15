"""Doors for other programs: `verify receipt`, `proof export`, `proof fsck`, `proof consistency`.

`verify` and `fsck` need no database, no network and nothing of the platform that made the files.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from commonweal.kernel.errors import Invalid
from commonweal.kernel.proof.note import BadNote, VerifierKey
from commonweal.kernel.proof.verify import Receipt, verify_receipt
from commonweal.kernel.text import Text

LARGEST = 1_000_000
"""Bytes of a receipt file; a longer file is not one."""

YES = Text("yes: every part of this receipt holds", "成立：凭证的每一部分都成立")
NO = Text("no: {reason}", "不成立：内容有改动，或者不是所要求的文件。（{reason}）")


def add_commands(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `verify` and `proof`."""
    verify = subparsers.add_parser("verify", help="check a receipt without network or database")
    things = verify.add_subparsers(required=True, metavar="THING")
    receipt = things.add_parser("receipt", help="exit 0 if every byte holds, 1 if not")
    receipt.add_argument("file", metavar="FILE", help="the receipt; - reads standard input")
    receipt.add_argument("--key", metavar="VKEY", help="the log's public key, from where you trust; or a file with it")
    receipt.add_argument("--json", action="store_true", help="answer as JSON")
    receipt.set_defaults(run=_verify_receipt)

    proof = subparsers.add_parser("proof", help="the public log: export it, check it")
    doors = proof.add_subparsers(required=True, metavar="COMMAND")
    data = argparse.ArgumentParser(add_help=False)
    data.add_argument("--data", help="data directory (COMMONWEAL_DATA_DIR, else .data)")
    export = doors.add_parser("export", parents=[data], help="write the log as static files (C2SP tlog-tiles)")
    export.add_argument("directory", type=Path, metavar="DIR")
    export.add_argument("--json", action="store_true", help="answer as JSON")
    export.set_defaults(run=_export)
    fsck = doors.add_parser("fsck", help="rebuild exported files from their entries and compare everything")
    fsck.add_argument("directory", type=Path, metavar="DIR")
    fsck.add_argument("--key", metavar="VKEY", help="the log's public key; without it the one beside the files")
    fsck.add_argument("--json", action="store_true", help="answer as JSON")
    fsck.set_defaults(run=_fsck)
    consistency = doors.add_parser(
        "consistency", parents=[data], help="prove that the log of OLD leaves is a beginning of that of NEW"
    )
    consistency.add_argument("old", type=int, metavar="OLD")
    consistency.add_argument("new", type=int, metavar="NEW")
    consistency.add_argument("--json", action="store_true", help="answer as JSON")
    consistency.set_defaults(run=_consistency)


def _verify_receipt(arguments: argparse.Namespace) -> int:
    key = _key(arguments.key)
    try:
        receipt = verify_receipt(_read(arguments.file), key)
    except BadNote as reason:
        return _no(arguments, str(reason))
    answer = {
        "ok": True,
        "index": receipt.index,
        "log": receipt.key.name,
        "key": str(receipt.key),
        "fact": receipt.fact,
    }
    if receipt.opening:
        answer["opened"] = receipt.opening[1]
    if arguments.json:
        print(json.dumps(answer, ensure_ascii=False, sort_keys=True))
    else:
        print("\n".join(_told(receipt, trusted=key is not None)))
    return 0


def _told(receipt: Receipt, *, trusted: bool) -> list[str]:
    fact, opened = receipt.fact, receipt.opening[1] if receipt.opening else {}
    at = datetime.fromtimestamp(fact["at"] / 1000, UTC).isoformat() if isinstance(fact.get("at"), int) else ""
    lines = [YES.en, YES.zh, "", f"  log      {receipt.key.name}", f"  leaf     {receipt.index}", f"  at       {at}"]
    lines += [f"  {name:<8} {value}" for name, value in fact.items() if name not in ("at", "seal")]
    lines += [
        f"  {name:<8} {value}  (sealed; known to the holder / 密封，仅持有人可见)" for name, value in opened.items()
    ]
    if not trusted:
        lines += [
            "",
            f"Compare the key with the one that the platform publishes / 请与平台公布的公钥核对：\n  {receipt.key}",
        ]
    return lines


def _export(arguments: argparse.Namespace) -> int:
    from commonweal.kernel.proof.static import export

    try:
        with _log(arguments.data) as (key, cursor):
            checkpoint = export(cursor, key, arguments.directory)
    except BadNote as reason:
        return _no(arguments, str(reason))
    if checkpoint is None:
        return _no(arguments, "the log is still empty")
    return _yes(arguments, checkpoint.size, checkpoint.root, f"{arguments.directory}")


def _fsck(arguments: argparse.Namespace) -> int:
    from commonweal.kernel.proof.static import fsck

    try:
        checkpoint = fsck(arguments.directory, _key(arguments.key))
    except BadNote as reason:
        return _no(arguments, str(reason))
    return _yes(arguments, checkpoint.size, checkpoint.root, f"{arguments.directory}")


def _consistency(arguments: argparse.Namespace) -> int:
    from commonweal.kernel.proof import tree
    from commonweal.kernel.proof.log import consistency, head, root_at
    from commonweal.kernel.proof.note import encode

    old, new = arguments.old, arguments.new
    if not 0 < old <= new:
        raise Invalid("size.order", Text("Give two sizes, 0 < OLD <= NEW.", "请给出两个大小，0 < OLD <= NEW。"))
    with _log(arguments.data) as (_, cursor):
        newest = head(cursor)
        if newest is None or newest.size < new:
            return _no(arguments, f"the log has {newest.size if newest else 0} leaves")
        roots = root_at(cursor, old), root_at(cursor, new)
        path = consistency(cursor, old, new)
    if not tree.verify_consistency(old, new, path, *roots):
        return _no(arguments, "the proof does not lead from one root to the other")
    if arguments.json:
        answer = {"ok": True, "old": old, "new": new, "roots": [encode(root) for root in roots]}
        print(json.dumps(answer | {"proof": [encode(hash) for hash in path]}, sort_keys=True))
    else:
        print("\n".join([f"{old} {encode(roots[0])}", f"{new} {encode(roots[1])}", *(encode(hash) for hash in path)]))
    return 0


@contextmanager
def _log(data: str | None) -> Iterator[tuple[VerifierKey, Any]]:
    """The key of the log and a cursor of its database, which is started for the time if it does not run."""
    if data:
        os.environ["COMMONWEAL_DATA_DIR"] = data
    from commonweal.operation.database import reach

    with reach() as home:
        from django.conf import settings
        from django.db import connection

        from commonweal.kernel.proof import load_signer

        with connection.cursor() as cursor:
            yield load_signer(home, settings.LOG_NAME).verifier, cursor


def _read(name: str) -> bytes:
    try:
        if name == "-":
            data = sys.stdin.buffer.read(LARGEST + 1)
        else:
            with Path(name).open("rb") as file:
                data = file.read(LARGEST + 1)
    except OSError as error:
        raise Invalid(
            "file.unreadable",
            Text("{name} cannot be read: {why}", "无法读取 {name}：{why}").format(name=name, why=error.strerror),
        ) from error
    if len(data) > LARGEST:
        raise BadNote("the file is too large for a receipt")
    return data


def _key(given: str | None) -> VerifierKey | None:
    if given is None:
        return None
    try:
        return VerifierKey.parse(Path(given).read_text() if "+" not in given else given)
    except (BadNote, OSError, UnicodeDecodeError) as error:
        raise Invalid(
            "key.unreadable",
            Text("This is no verifier key (name+id+key): {why}", "这不是验证公钥（name+id+key）：{why}").format(
                why=error
            ),
        ) from error


def _yes(arguments: argparse.Namespace, size: int, root: bytes, where: str) -> int:
    from commonweal.kernel.proof.note import encode

    if arguments.json:
        print(json.dumps({"ok": True, "size": size, "root": encode(root), "directory": where}, sort_keys=True))
    else:
        print(f"{where}: {size} {encode(root)}")
    return 0


def _no(arguments: argparse.Namespace, reason: str) -> int:
    said = NO.format(reason=reason)
    if arguments.json:
        print(json.dumps({"ok": False, "reason": reason}, ensure_ascii=False, sort_keys=True))
    else:
        print(f"{said.en}\n{said.zh}")
    return 1
