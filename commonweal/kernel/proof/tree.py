"""The Merkle tree of RFC 6962 section 2.1 (RFC 9162 section 2.1): hashes, roots, proofs, and their verification.

Pure: hashes come from a reader `read(level, index)`, the root of the complete subtree of 2**level leaves that starts
at leaf `index * 2**level`. Tiles (C2SP tlog-tiles) are the way in which those hashes are kept: tile `n` of tile level
`t` holds up to 256 hashes of tree level `8 * t`, from index `256 * n` on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence

HASH_SIZE = 32
TILE_HEIGHT = 8
TILE_WIDTH = 1 << TILE_HEIGHT

EMPTY_ROOT = hashlib.sha256(b"").digest()

Reader = Callable[[int, int], bytes]
"""`(level, index) -> hash` of a complete subtree."""


def leaf_hash(entry: bytes) -> bytes:
    """SHA-256 of 0x00 and the entry."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256 of 0x01 and the two children."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def fold(hashes: Sequence[bytes]) -> bytes:
    """The root over a complete subtree's hashes (a power of two of them, one level at a time)."""
    level = list(hashes)
    while len(level) > 1:
        level = [node_hash(level[i], level[i + 1]) for i in range(0, len(level), 2)]
    return level[0]


def _split(width: int) -> int:
    """The largest power of two below `width` (`width >= 2`)."""
    return 1 << (width - 1).bit_length() - 1


def subtree(low: int, high: int, read: Reader) -> bytes:
    """The root over the leaves `low <= i < high`, where `low` is a multiple of a power of two not below the width."""
    width = high - low
    if width & (width - 1) == 0:
        level = width.bit_length() - 1
        return read(level, low >> level)
    middle = low + _split(width)
    return node_hash(subtree(low, middle, read), subtree(middle, high, read))


def root(size: int, read: Reader) -> bytes:
    """The root of the first `size` leaves."""
    return subtree(0, size, read) if size else EMPTY_ROOT


def root_of(entries: Iterable[bytes]) -> tuple[int, bytes]:
    """The number of entries and the root over them, from nothing but themselves."""
    size, peaks = 0, list[tuple[int, bytes]]()
    for entry in entries:
        level, running = 0, leaf_hash(entry)
        while peaks and peaks[-1][0] == level:
            level, running = level + 1, node_hash(peaks.pop()[1], running)
        peaks.append((level, running))
        size += 1
    if not peaks:
        return 0, EMPTY_ROOT
    running = peaks.pop()[1]
    while peaks:
        running = node_hash(peaks.pop()[1], running)
    return size, running


def inclusion_proof(index: int, size: int, read: Reader) -> list[bytes]:
    """The hashes from the leaf up that lead from leaf `index` to the root of `size` leaves."""
    if not 0 <= index < size:
        raise ValueError(f"leaf {index} is not among the first {size}")
    low, high, path = 0, size, []
    while high - low > 1:
        middle = low + _split(high - low)
        if index < middle:
            path.append(subtree(middle, high, read))
            high = middle
        else:
            path.append(subtree(low, middle, read))
            low = middle
    return path[::-1]


def consistency_proof(old: int, new: int, read: Reader) -> list[bytes]:
    """The hashes that show that the tree of `old` leaves is the beginning of the tree of `new` leaves."""
    if not 0 < old <= new:
        raise ValueError(f"no consistency proof leads from {old} to {new}")
    low, high, path = 0, new, []
    while high != old:
        middle = low + _split(high - low)
        if old <= middle:
            path.append(subtree(middle, high, read))
            high = middle
        else:
            path.append(subtree(low, middle, read))
            low = middle
    if low:
        path.append(subtree(low, high, read))
    return path[::-1]


def verify_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes], expected: bytes) -> bool:
    """Whether `proof` leads from the leaf hash at `index` to root `expected` of `size` leaves (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size or not _are_hashes([leaf, expected, *proof]):
        return False
    node, last, running = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if node & 1 or node == last:
            running = node_hash(sibling, running)
            while node and not node & 1:
                node, last = node >> 1, last >> 1
        else:
            running = node_hash(running, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and running == expected


def verify_consistency(old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes) -> bool:
    """Whether `proof` shows that the tree of `old` leaves is a beginning of that of `new` leaves (RFC 9162 2.1.4.2)."""
    if not 0 < old <= new:
        return False
    if old == new:
        return not proof and old_root == new_root
    if not proof or not _are_hashes([old_root, new_root, *proof]):
        return False
    hashes = list(proof) if old & (old - 1) else [old_root, *proof]
    node, last = old - 1, new - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    before = after = hashes[0]
    for sibling in hashes[1:]:
        if last == 0:
            return False
        if node & 1 or node == last:
            before, after = node_hash(sibling, before), node_hash(sibling, after)
            while node and not node & 1:
                node, last = node >> 1, last >> 1
        else:
            after = node_hash(after, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and before == old_root and after == new_root


def _are_hashes(values: Sequence[bytes]) -> bool:
    return all(len(value) == HASH_SIZE for value in values)


class Tiles:
    """Reads hashes out of tiles. `load(level, n)` gives the hashes of one tile, concatenated; each is loaded once."""

    def __init__(self, load: Callable[[int, int], bytes]) -> None:
        self._load = load
        self.loaded: dict[tuple[int, int], bytes] = {}

    def __call__(self, level: int, index: int) -> bytes:
        """The hash of one complete subtree (a `Reader`). Raises `LookupError` if the tile is too short."""
        tile_level, below = divmod(level, TILE_HEIGHT)
        n, first = divmod(index << below, TILE_WIDTH)
        key = (tile_level, n)
        if key not in self.loaded:
            self.loaded[key] = self._load(tile_level, n)
        hashes = self.loaded[key][first * HASH_SIZE : (first + (1 << below)) * HASH_SIZE]
        if len(hashes) != HASH_SIZE << below:
            raise LookupError(f"tile {tile_level}/{n} is too short for hash {index} of level {level}")
        return fold([hashes[i : i + HASH_SIZE] for i in range(0, len(hashes), HASH_SIZE)])


def grow(size: int, leaves: Sequence[bytes], load: Callable[[int, int], bytes]) -> dict[tuple[int, int], bytes]:
    """The tiles that change when leaf hashes are appended to a tree of `size` leaves, whole: `(level, n) -> hashes`.

    `load` gives the tile that is there already (empty bytes if none). A tile is hashed into its parent when it is full.
    """
    changed: dict[tuple[int, int], bytes] = {}
    level, start, hashes = 0, size, list(leaves)
    while hashes:
        n, offset = divmod(start, TILE_WIDTH)
        full: list[bytes] = []
        position = 0
        while position < len(hashes):
            held = load(level, n) if offset else b""
            taken = hashes[position : position + TILE_WIDTH - offset]
            tile = held[: offset * HASH_SIZE] + b"".join(taken)
            changed[level, n] = tile
            if len(tile) == TILE_WIDTH * HASH_SIZE:
                full.append(fold([tile[i : i + HASH_SIZE] for i in range(0, len(tile), HASH_SIZE)]))
            position += len(taken)
            n, offset = n + 1, 0
        level, start, hashes = level + 1, start // TILE_WIDTH, full
    return changed


def tile_path(level: int, n: int, width: int = TILE_WIDTH) -> str:
    """The path of a tile (`tile/0/x001/x234/067`), with `.p/W` behind it if it holds fewer than 256 hashes."""
    return f"tile/{level}/{_index_path(n)}{_partial(width)}"


def entries_path(n: int, width: int = TILE_WIDTH) -> str:
    """The path of the bundle with the entries of level-0 tile `n`."""
    return f"tile/entries/{_index_path(n)}{_partial(width)}"


def _index_path(n: int) -> str:
    parts = [f"{n % 1000:03d}"]
    while n >= 1000:
        n //= 1000
        parts.append(f"x{n % 1000:03d}")
    return "/".join(reversed(parts))


def _partial(width: int) -> str:
    return "" if width == TILE_WIDTH else f".p/{width}"


def tiles_at(level: int, size: int) -> Iterator[tuple[int, int]]:
    """The tiles of one tile level in a tree of `size` leaves, as `(n, width)`."""
    full, rest = divmod(size >> TILE_HEIGHT * level, TILE_WIDTH)
    for n in range(full):
        yield n, TILE_WIDTH
    if rest:
        yield full, rest


def tiles_of(size: int) -> Iterator[tuple[int, int, int]]:
    """All tiles of a tree of `size` leaves, as `(level, n, width)`."""
    level = 0
    while size >> TILE_HEIGHT * level:
        for n, width in tiles_at(level, size):
            yield level, n, width
        level += 1


def bundle(entries: Sequence[bytes]) -> bytes:
    """Entries as tlog-tiles wants them: each behind its length as two big-endian bytes. At most 65,535 bytes each."""
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def unbundle(data: bytes) -> list[bytes]:
    """The entries of a bundle. Raises `ValueError` if it is cut off."""
    entries, position = [], 0
    while position < len(data):
        end = position + 2 + int.from_bytes(data[position : position + 2], "big")
        if position + 2 > len(data) or end > len(data):
            raise ValueError("the bundle is cut off")
        entries.append(data[position + 2 : end])
        position = end
    return entries
