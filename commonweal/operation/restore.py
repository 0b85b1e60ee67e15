"""`commonweal restore`: a backup becomes a new data directory, or nothing happens at all.

Everything is made in a directory beside the new one, which gets its name as the last step. Whoever was forgotten after
the backup was made is forgotten again before that.
"""

from __future__ import annotations

import os
import shutil
import sys
import uuid
from pathlib import Path
from typing import Any

import psycopg

import commonweal
from commonweal.kernel.errors import Conflict
from commonweal.kernel.text import Text
from commonweal.operation import inventory
from commonweal.operation.archive import Archive, Broken
from commonweal.operation.backup import DUMP, FORGOTTEN, PARTY_KEYS
from commonweal.operation.database import client, conninfo, embedded, open_database, reach, setup
from commonweal.operation.forget import forget, read_forgotten

PARTIAL = ".partial"


class Unlike(Conflict):
    """A restored database that is not what was backed up."""

    def __init__(self, differences: list[str]) -> None:
        super().__init__(
            "restore.unlike",
            Text(
                "What was restored is not what was backed up ({differences}). Nothing was kept: take another copy.",
                "恢复的内容与备份时不一致（{differences}）。未保留任何内容，请换用另一份副本。",
            ).format(differences="; ".join(differences)),
        )


def restore(file: Path, home: Path, *, keys: Path | None = None, verify: bool = False) -> dict[str, Any]:
    """Make the new data directory `home` (and the database in DATABASE_URL, if that is set) from a backup.

    `keys` is a file with the people's keys: needed if `file` was made without them, useful if it is newer. With
    `verify` the log's root is computed from its leaves, all totals from their postings, and both are compared.
    Returns the figures. Raises `Conflict` with what to do if the backup, the directory or the database does not fit.
    """
    home = home.absolute()
    if home.exists() and (not home.is_dir() or any(home.iterdir())):
        raise Conflict(
            "restore.not-empty",
            Text(
                "{home} is not empty. A backup is restored into a new data directory: name one with --data.",
                "{home} 不是空目录。备份只能恢复到新的数据目录，请用 --data 指定。",
            ).format(home=home),
        )
    partial = home.with_name(home.name + PARTIAL)
    with Archive(file) as data, Archive(keys or file) as keyring:
        _check_kinds(data, keyring)
        forgotten = _forgotten_here(home)
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(mode=0o700, parents=True)
        try:
            for source, folder in ((keyring, "keys/"), (data, "files/"), (data, DUMP)):
                for name in source.names(folder):
                    source.extract(name, partial / name)
            forgotten |= read_forgotten(partial / FORGOTTEN)
            figures = _restore_into(partial, data.about, forgotten, verify=verify)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise
    if home.exists():
        home.rmdir()
    partial.rename(home)
    return figures


def _check_kinds(data: Archive, keyring: Archive) -> None:
    if data.about["kind"] == "keys":
        raise Broken("it holds the keys alone; name the backup itself, and this one with --keys")
    if keyring.about["kind"] == "data":
        raise Conflict(
            "restore.keys",
            Text(
                "This backup was made without the people's keys: name the file with the keys with --keys.",
                "此备份不含用户密钥，请用 --keys 指定密钥文件。",
            ),
        )


def _forgotten_here(home: Path) -> set[str]:
    """Who has been forgotten in the data directory that is in use now, if there is one."""
    present = Path(os.environ.get("COMMONWEAL_DATA_DIR", ".data")).absolute()
    return read_forgotten(present / FORGOTTEN) if present != home else set()


def _restore_into(home: Path, about: dict[str, Any], forgotten: set[str], *, verify: bool) -> dict[str, Any]:
    os.environ["COMMONWEAL_DATA_DIR"] = str(home)  # the settings are loaded only now
    setup()
    _check_migrations(about)
    server = embedded()
    if server is not None:
        server.initialise()
    with reach():
        with psycopg.connect(conninfo(), autocommit=True) as connection:
            _check_server(connection, about)
        print("Restoring the database…", file=sys.stderr)  # noqa: T201
        # A server of one's own may be left half-filled, since its directory is then removed; another may not.
        whole = ["--single-transaction"] if server is None else [f"--jobs={min(os.cpu_count() or 1, 8)}"]
        client("pg_restore", "--no-owner", "--no-acl", "--exit-on-error", *whole, str(home / DUMP))
        (home / DUMP).unlink()
        with psycopg.connect(conninfo()) as connection:
            _restore_keys(connection, home / PARTY_KEYS)
        (home / PARTY_KEYS).unlink()
        with psycopg.connect(conninfo()) as connection:
            print("Comparing…" if verify else "Counting…", file=sys.stderr)  # noqa: T201
            expected = inventory.Inventory(**about["inventory"])
            found = inventory.take(connection, from_leaves=verify)
            if wrong := expected.differences(found) + (_audited(connection, home) if verify else []):
                raise Unlike(wrong)
    again = _forget_again(forgotten)
    return {**about["inventory"], "verified": verify, "forgotten_again": again}


def _check_migrations(about: dict[str, Any]) -> None:
    from django.db.migrations.loader import MigrationLoader

    known = {f"{app}.{name}" for app, name in MigrationLoader(None).disk_migrations}
    if unknown := sorted(set(about["migrations"]) - known):
        raise Conflict(
            "restore.version",
            Text(
                "This backup was made by commonweal {made}, which this version ({own}) does not know in full "
                "({unknown}). Install that version or a later one, with the same services, and restore it there.",
                "此备份由 commonweal {made} 生成，当前版本（{own}）不能完全识别（{unknown}）。"
                "请安装该版本或更新的版本（并带有相同的服务）后再恢复。",
            ).format(made=about["commonweal"], own=commonweal.__version__, unknown=", ".join(unknown[:3])),
        )


def _check_server(connection: psycopg.Connection[Any], about: dict[str, Any]) -> None:
    version = connection.info.server_version // 10_000
    if version < about["postgresql"]:
        raise Conflict(
            "restore.postgres",
            Text(
                "This backup comes from PostgreSQL {made}, the server is PostgreSQL {own}. Use a server of version "
                "{made} or newer, or leave DATABASE_URL out to use the embedded one.",
                "此备份来自 PostgreSQL {made}，而目标服务器是 PostgreSQL {own}。请使用 {made} 或更新的版本，"
                "或不设置 DATABASE_URL 以使用内置数据库。",
            ).format(made=about["postgresql"], own=version),
        )
    if connection.execute("SELECT 1 FROM pg_tables WHERE schemaname = 'public' LIMIT 1").fetchone():
        raise Conflict(
            "restore.database-not-empty",
            Text(
                "The database in DATABASE_URL has tables. A backup is restored into a new, empty database.",
                "DATABASE_URL 指向的数据库不是空的。备份只能恢复到新的空数据库。",
            ),
        )


def _restore_keys(connection: psycopg.Connection[Any], rows: Path) -> None:
    """The keys of the people who are in this database; a newer file may have keys of others too."""
    connection.execute("CREATE TEMPORARY TABLE kept (party_id uuid, wrapped bytea)")
    query = "COPY kept FROM STDIN (FORMAT binary)"
    with connection.cursor() as cursor, cursor.copy(query) as copy, rows.open("rb") as file:
        while chunk := file.read(1 << 20):
            copy.write(chunk)
    connection.execute("INSERT INTO parties_partykey SELECT kept.* FROM kept JOIN parties_party p ON p.id = party_id")


def _audited(connection: psycopg.Connection[Any], home: Path) -> list[str]:
    """What does not hold within the database: the checkpoint's signature, and each balance against its postings."""
    from commonweal.kernel.ledger import books
    from commonweal.kernel.proof import BadNote, load_verifier, log
    from commonweal.kernel.proof.note import open_checkpoint

    wrong = []
    with connection.cursor() as cursor:
        head, key = log.head(cursor), load_verifier(home)
        if head is not None:
            try:
                if key is None or open_checkpoint(head.note, key).root != head.root:
                    wrong.append("the checkpoint is not of this log")
            except BadNote as error:
                wrong.append(f"the checkpoint: {error}")
        wrong += [f"account {d.account}: {d.kept}, its postings {d.summed}" for d in books.audit(cursor)[:10]]
    return wrong


def _forget_again(forgotten: set[str]) -> list[str]:
    """Forget whoever was forgotten after the backup was made."""
    if not forgotten:
        return []
    from commonweal.kernel.parties.models import Party

    with open_database():
        known = Party.objects.filter(pk__in=forgotten, erased_at=None).values_list("pk", flat=True)
        return [str(party) for party in list(known) if forget(uuid.UUID(str(party)))]
