"""The log as static files that any web server can serve (C2SP tlog-tiles), and the check of such files from nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from commonweal.kernel.proof import tree
from commonweal.kernel.proof.log import Cursor, head, root_at
from commonweal.kernel.proof.note import BadNote, Checkpoint, VerifierKey, open_checkpoint

CHUNK = 64  # bundles read at once


def export(cursor: Cursor, key: VerifierKey, directory: Path) -> Checkpoint | None:
    """Write the log at its newest checkpoint; what is there already and whole is kept, so this can be repeated.

    Tiles and entries come first, the checkpoint last, each under its final name only when it is complete. Raises
    `BadNote`, and writes nothing, if the directory holds a checkpoint that this log does not continue.
    """
    newest = head(cursor)
    if newest is None:
        return None
    _refuse_another(cursor, key, directory, newest.size)
    for level, n, width in tree.tiles_of(newest.size):
        path = directory / tree.tile_path(level, n, width)
        if width == tree.TILE_WIDTH and path.exists():
            continue
        cursor.execute("SELECT hashes FROM proof_tile WHERE level = %s AND n = %s", [level, n])
        _write(path, bytes(cursor.fetchone()[0])[: width * tree.HASH_SIZE])
    bundles = list(tree.tiles_at(0, newest.size))
    for start in range(0, len(bundles), CHUNK):
        some = [(n, w) for n, w in bundles[start : start + CHUNK] if not _kept(directory, n, w)]
        if not some:
            continue
        low, high = some[0][0] * tree.TILE_WIDTH, some[-1][0] * tree.TILE_WIDTH + some[-1][1]
        cursor.execute("SELECT entry FROM proof_leaf WHERE seq >= %s AND seq < %s ORDER BY seq", [low, high])
        entries = [bytes(row[0]) for row in cursor.fetchall()]
        for n, width in some:
            first = n * tree.TILE_WIDTH - low
            _write(directory / tree.entries_path(n, width), tree.bundle(entries[first : first + width]))
    _write(directory / "log.vkey", f"{key}\n".encode())
    _write(directory / "checkpoint", newest.note.encode())
    return open_checkpoint(newest.note, key)


def fsck(directory: Path, key: VerifierKey | None = None) -> Checkpoint:
    """Check exported files from nothing but their entries: every tile is rebuilt and the signed root recomputed.

    Without `key` the one beside the files is used. Raises `BadNote` naming the first file that does not hold.
    """
    if key is None:
        key = VerifierKey.parse(_text(directory / "log.vkey"))
    checkpoint = open_checkpoint(_text(directory / "checkpoint"), key)
    rebuilt: dict[tuple[int, int], bytes] = {}
    size = 0
    for n, width in tree.tiles_at(0, checkpoint.size):
        path = directory / tree.entries_path(n, width)
        try:
            entries = tree.unbundle(_read(path))
        except ValueError as error:
            raise BadNote(f"{path}: {error}") from error
        if len(entries) != width:
            raise BadNote(f"{path}: {len(entries)} entries instead of {width}")
        leaves = [tree.leaf_hash(entry) for entry in entries]
        rebuilt.update(tree.grow(size, leaves, lambda level, n: rebuilt.get((level, n), b"")))
        size += width
    for level, n, width in tree.tiles_of(checkpoint.size):
        path = directory / tree.tile_path(level, n, width)
        if _read(path) != rebuilt[level, n]:
            raise BadNote(f"{path}: the tile is not what the entries give")
    if tree.root(size, tree.Tiles(lambda level, n: rebuilt[level, n])) != checkpoint.root:
        raise BadNote("checkpoint: the root is not what the entries give")
    return checkpoint


def entries_in(directory: Path) -> Iterator[bytes]:
    """All entries of exported files, in order."""
    size = Checkpoint.parse(_text(directory / "checkpoint").rpartition("\n\n")[0] + "\n").size
    for n, width in tree.tiles_at(0, size):
        yield from tree.unbundle(_read(directory / tree.entries_path(n, width)))


def _refuse_another(cursor: Cursor, key: VerifierKey, directory: Path, size: int) -> None:
    if not (directory / "checkpoint").exists():
        return
    earlier = open_checkpoint(_text(directory / "checkpoint"), key)
    if earlier.size > size or root_at(cursor, earlier.size) != earlier.root:
        raise BadNote(f"{directory} holds {earlier.size} leaves of a log that this one does not continue")


def _kept(directory: Path, n: int, width: int) -> bool:
    return width == tree.TILE_WIDTH and (directory / tree.entries_path(n)).exists()


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadNote(f"{path}: {error.strerror}") from error


def _text(path: Path) -> str:
    return _read(path).decode(errors="replace")


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.new")
    fresh.write_bytes(data)
    os.replace(fresh, path)  # noqa: PTH105
