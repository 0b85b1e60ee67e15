import base64
import json
from collections.abc import Callable
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commonweal.kernel.proof import tree
from commonweal.kernel.proof.tests import reference
from tests.published import published

SOURCE = "transparency-dev/merkle testdata (Apache-2.0), RFC 6962 section 2.1 and C2SP tlog-tiles"


def vectors(kind: str) -> list[dict[str, object]]:
    path = published("stewardship/rfc6962_proof_vectors.json", SOURCE)
    return list(json.loads(path.read_text())[kind])


def hashes(values: object) -> list[bytes]:
    return [base64.b64decode(value or "") for value in values or []]  # type: ignore[attr-defined]


def entries(count: int) -> list[bytes]:
    return [f"entry {i}".encode() for i in range(count)]


def grown(size: int, *, batch: int = 1000) -> dict[tuple[int, int], bytes]:
    """All tiles of `size` numbered entries, grown in batches."""
    tiles: dict[tuple[int, int], bytes] = {}
    leaves = [tree.leaf_hash(entry) for entry in entries(size)]
    for start in range(0, size, batch):
        tiles.update(tree.grow(start, leaves[start : start + batch], lambda level, n: tiles.get((level, n), b"")))
    return tiles


def reader(tiles: dict[tuple[int, int], bytes]) -> tree.Tiles:
    return tree.Tiles(lambda level, n: tiles.get((level, n), b""))


TILES = grown(1500)
ENTRIES = entries(1500)


# The published vectors


def test_the_published_inclusion_cases() -> None:
    cases = vectors("inclusion")
    for case in cases:
        index, size = int(case["leafIdx"]), int(case["treeSize"])  # type: ignore[call-overload]
        leaf, root = hashes([case["leafHash"], case["root"]])
        held = tree.verify_inclusion(index, size, leaf, hashes(case["proof"]), root)
        assert held is not case["wantErr"], case["name"]
    assert len(cases) == 98


def test_the_published_consistency_cases() -> None:
    cases = vectors("consistency")
    for case in cases:
        old, new = int(case["size1"]), int(case["size2"])  # type: ignore[call-overload]
        old_root, new_root = hashes([case["root1"], case["root2"]])
        held = tree.verify_consistency(old, new, hashes(case["proof"]), old_root, new_root)
        assert held is not case["wantErr"], case["name"]
    assert len(cases) == 98


def test_the_published_roots() -> None:
    facts = json.loads(published("stewardship/facts.json", SOURCE).read_text())["rfc6962_roots"]
    leaves = [tree.leaf_hash(bytes.fromhex(leaf)) for leaf in facts["leaves_hex"]]
    assert tree.EMPTY_ROOT.hex() == facts["empty"]
    for size, root in enumerate(facts["roots"], 1):
        assert tree.root(size, reader(tree.grow(0, leaves[:size], lambda level, n: b""))).hex() == root


def test_the_published_tile_facts() -> None:
    facts = json.loads(published("stewardship/facts.json", SOURCE).read_text())["tlog_tiles"]
    assert tree.tile_path(0, 1234067) == f"tile/0/{facts['path_of_index_1234067']}"
    level0, level1 = facts["size_70000"]["level0"], facts["size_70000"]["level1"]
    assert list(tree.tiles_of(70000)) == [
        *[(0, n, 256) for n in range(level0["full"])],
        (0, level0["full"], level0["partial_width"]),
        *[(1, n, 256) for n in range(level1["full"])],
        (1, level1["full"], level1["partial_width"]),
        (2, 0, facts["size_70000"]["level2"]["partial_width"]),
    ]
    assert list(tree.tiles_of(256)) == [(0, 0, 256), (1, 0, 1)]
    assert facts["full_tile_bytes"] == tree.TILE_WIDTH * tree.HASH_SIZE


# Against the reference


def test_the_examples_of_the_rfc_without_any_file() -> None:
    assert tree.root(0, lambda level, index: b"") == sha256(b"").digest() == tree.EMPTY_ROOT
    assert tree.leaf_hash(b"x") == sha256(b"\x00x").digest()
    assert tree.node_hash(b"l", b"r") == sha256(b"\x01lr").digest()


@pytest.mark.parametrize("size", [*range(1, 20), 255, 256, 257, 511, 512, 513, 1025])
def test_every_root_is_that_of_the_reference(size: int) -> None:
    assert tree.root(size, reader(TILES)) == reference.mth(ENTRIES[:size])


@pytest.mark.parametrize("size", [*range(20), 255, 256, 257, 1025])
def test_a_root_from_the_entries_alone_is_that_of_the_reference(size: int) -> None:
    assert tree.root_of(iter(ENTRIES[:size])) == (size, reference.mth(ENTRIES[:size]))


@settings(max_examples=150)
@given(st.integers(1, 600), st.data())
def test_inclusion_proofs_are_those_of_the_reference_and_hold(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    proof = tree.inclusion_proof(index, size, reader(TILES))
    assert proof == reference.path(index, ENTRIES[:size])
    leaf, root = tree.leaf_hash(ENTRIES[index]), reference.mth(ENTRIES[:size])
    assert tree.verify_inclusion(index, size, leaf, proof, root)


@settings(max_examples=150)
@given(st.integers(1, 600), st.data())
def test_consistency_proofs_are_those_of_the_reference_and_hold(new: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(1, new))
    proof = tree.consistency_proof(old, new, reader(TILES))
    assert proof == reference.proof(old, ENTRIES[:new])
    roots = reference.mth(ENTRIES[:old]), reference.mth(ENTRIES[:new])
    assert tree.verify_consistency(old, new, proof, *roots)


def test_every_proof_of_every_small_tree() -> None:
    for size in range(1, 18):
        root = reference.mth(ENTRIES[:size])
        for index in range(size):
            proof = tree.inclusion_proof(index, size, reader(TILES))
            leaf = tree.leaf_hash(ENTRIES[index])
            assert tree.verify_inclusion(index, size, leaf, proof, root)
            for wrong in (i for i in range(size) if i != index):
                assert not tree.verify_inclusion(wrong, size, leaf, proof, root)
            assert not tree.verify_inclusion(index, size, leaf, [*proof, leaf], root)
            assert not tree.verify_inclusion(index, size, leaf, [leaf, *proof], root)
            assert not tree.verify_inclusion(index, size, root, proof, leaf) or size == 1
            for gone in range(len(proof)):
                assert not tree.verify_inclusion(index, size, leaf, proof[:gone] + proof[gone + 1 :], root)
        for old in range(1, size + 1):
            proof, old_root = tree.consistency_proof(old, size, reader(TILES)), reference.mth(ENTRIES[:old])
            assert tree.verify_consistency(old, size, proof, old_root, root)
            assert not tree.verify_consistency(old, size, [*proof, root], old_root, root)
            assert not tree.verify_consistency(old, size, proof, old_root, tree.EMPTY_ROOT)
            assert not tree.verify_consistency(old, size, proof, tree.EMPTY_ROOT, root)
            for gone in range(len(proof)):
                assert not tree.verify_consistency(old, size, proof[:gone] + proof[gone + 1 :], old_root, root)


@settings(max_examples=200)
@given(st.integers(2, 600), st.data())
def test_no_flipped_bit_passes(size: int, data: st.DataObject) -> None:
    def flip(values: list[bytes]) -> list[bytes]:
        which = data.draw(st.integers(0, len(values) - 1))
        bit = data.draw(st.integers(0, 255))
        changed = (int.from_bytes(values[which], "big") ^ 1 << bit).to_bytes(32, "big")
        return [*values[:which], changed, *values[which + 1 :]]

    index, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size - 1))
    root, old_root = tree.root(size, reader(TILES)), tree.root(old, reader(TILES))
    included = [tree.leaf_hash(ENTRIES[index]), root, *tree.inclusion_proof(index, size, reader(TILES))]
    leaf, end, *proof = flip(included)
    assert not tree.verify_inclusion(index, size, leaf, proof, end)
    consistent = [old_root, root, *tree.consistency_proof(old, size, reader(TILES))]
    begin, end, *proof = flip(consistent)
    assert not tree.verify_consistency(old, size, proof, begin, end)


# What is refused


@pytest.mark.parametrize(("index", "size"), [(-1, 1), (0, 0), (1, 1), (5, 5), (7, 5)])
def test_there_is_no_proof_for_a_leaf_that_is_not_there(index: int, size: int) -> None:
    with pytest.raises(ValueError, match=f"leaf {index} is not among the first {size}"):
        tree.inclusion_proof(index, size, reader(TILES))
    assert not tree.verify_inclusion(index, size, bytes(32), [], bytes(32))


@pytest.mark.parametrize(("old", "new"), [(0, 1), (0, 0), (2, 1), (-1, 1)])
def test_no_proof_leads_from_a_larger_tree_or_an_empty_one(old: int, new: int) -> None:
    with pytest.raises(ValueError, match=f"no consistency proof leads from {old} to {new}"):
        tree.consistency_proof(old, new, reader(TILES))
    assert not tree.verify_consistency(old, new, [], bytes(32), bytes(32))


@pytest.mark.parametrize("wrong", [b"", bytes(31), bytes(33)])
def test_only_hashes_of_32_bytes_count(wrong: bytes) -> None:
    good = bytes(32)
    assert not tree.verify_inclusion(0, 1, wrong, [], wrong)
    assert not tree.verify_inclusion(0, 2, good, [wrong], tree.node_hash(good, wrong))
    assert not tree.verify_consistency(1, 2, [wrong], good, tree.node_hash(good, wrong))


def test_equal_sizes_need_equal_roots_and_no_proof() -> None:
    root = bytes(32)
    assert tree.verify_consistency(4, 4, [], root, root)
    assert not tree.verify_consistency(4, 4, [], root, tree.EMPTY_ROOT)
    assert not tree.verify_consistency(4, 4, [root], root, root)


@pytest.mark.parametrize("old", [1, 2, 3, 4])
def test_unequal_sizes_need_a_proof(old: int) -> None:
    root = tree.root(old, reader(TILES))
    assert not tree.verify_consistency(old, 5, [], root, tree.root(5, reader(TILES)))
    assert not tree.verify_consistency(old, 5, [], root, root)


# Tiles


@settings(max_examples=60)
@given(st.lists(st.integers(1, 400), min_size=1, max_size=8))
def test_tiles_are_the_same_however_they_grow(batches: list[int]) -> None:
    tiles: dict[tuple[int, int], bytes] = {}
    size, leaves = 0, [tree.leaf_hash(entry) for entry in entries(sum(batches))]
    for batch in batches:
        changed = tree.grow(size, leaves[size : size + batch], lambda level, n: tiles.get((level, n), b""))
        assert all(changed[at].startswith(tiles.get(at, b"")) and changed[at] != tiles.get(at) for at in changed)
        tiles.update(changed)
        size += batch
    assert tiles == tree.grow(0, leaves, lambda level, n: b"")
    assert {(level, n): width * 32 for level, n, width in tree.tiles_of(size)} == {
        at: len(t) for at, t in tiles.items()
    }
    for level, n, width in tree.tiles_of(size):
        span = 256**level
        first = entries(size)[n * 256 * span :][:span]
        assert tiles[level, n][:32] == reference.mth(first)
        assert width <= 256


def test_nothing_grows_from_nothing() -> None:
    assert tree.grow(7, [], lambda level, n: b"") == {}


def test_a_tile_that_has_grown_further_than_the_tree_is_cut() -> None:
    """What is stored may be newer than the size that one grows from: only its beginning counts."""
    leaves = [tree.leaf_hash(entry) for entry in ENTRIES[:10]]
    longer = b"".join(leaves)
    assert tree.grow(4, leaves[4:6], lambda level, n: longer) == {(0, 0): b"".join(leaves[:6])}


def test_each_tile_is_loaded_once() -> None:
    asked: list[tuple[int, int]] = []

    def load(level: int, n: int) -> bytes:
        asked.append((level, n))
        return TILES[level, n]

    read = tree.Tiles(load)
    tree.inclusion_proof(700, 1400, read)
    assert len(asked) == len(set(asked)) == len(read.loaded)


@pytest.mark.parametrize("cut", [0, 1, 31, 32, 32 * 99, 32 * 100 - 1])
def test_a_tile_that_is_too_short_is_an_error(cut: int) -> None:
    read = tree.Tiles(lambda level, n: TILES[level, n][:cut])
    with pytest.raises(LookupError, match="tile 0/0 is too short for hash 99 of level 0"):
        read(0, 99)


def spied(size: int) -> tuple[Callable[[int, int], bytes], list[tuple[int, int]]]:
    asked: list[tuple[int, int]] = []

    def load(level: int, n: int) -> bytes:
        asked.append((level, n))
        return bytes(tree.HASH_SIZE) * min(tree.TILE_WIDTH, (size >> 8 * level) - n * tree.TILE_WIDTH)

    return load, asked


@settings(max_examples=150)
@given(st.integers(1, 2**24), st.data())
def test_a_proof_reads_five_tiles_at_most(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    load, asked = spied(size)
    tree.inclusion_proof(index, size, tree.Tiles(load))
    assert len(asked) <= 5


@pytest.mark.parametrize(
    ("level", "n", "width", "path"),
    [
        (0, 0, 256, "tile/0/000"),
        (0, 999, 256, "tile/0/999"),
        (0, 1000, 256, "tile/0/x001/000"),
        (3, 1_000_000, 256, "tile/3/x001/x000/000"),
        (1, 17, 112, "tile/1/017.p/112"),
        (0, 1234067, 1, "tile/0/x001/x234/067.p/1"),
    ],
)
def test_paths_of_tiles(level: int, n: int, width: int, path: str) -> None:
    assert tree.tile_path(level, n, width) == path
    if width == 256:
        assert tree.tile_path(level, n) == path


def test_paths_of_entries() -> None:
    assert tree.entries_path(1234067) == "tile/entries/x001/x234/067"
    assert tree.entries_path(5, 255) == "tile/entries/005.p/255"


def test_an_empty_tree_has_no_tiles() -> None:
    assert list(tree.tiles_of(0)) == []
    assert list(tree.tiles_at(0, 0)) == []


def test_tiles_of_an_absurd_size_are_not_all_made_at_once() -> None:
    assert next(iter(tree.tiles_of(2**63))) == (0, 0, 256)


# Bundles of entries


@given(st.lists(st.binary(max_size=300), max_size=20))
def test_bundles_come_apart_again(parts: list[bytes]) -> None:
    assert tree.unbundle(tree.bundle(parts)) == parts


def test_a_bundle_is_length_and_entry() -> None:
    assert tree.bundle([b"", b"abc", bytes(65535)]) == b"\x00\x00" + b"\x00\x03abc" + b"\xff\xff" + bytes(65535)
    with pytest.raises(OverflowError):
        tree.bundle([bytes(65536)])


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=5), st.data())
def test_a_bundle_that_is_cut_off_is_refused(parts: list[bytes], data: st.DataObject) -> None:
    whole = tree.bundle(parts)
    cut = data.draw(st.integers(0, len(whole)))
    kept = whole[:cut]
    boundaries = {len(tree.bundle(parts[:i])) for i in range(len(parts) + 1)}
    if cut in boundaries:
        assert tree.bundle(tree.unbundle(kept)) == kept
    else:
        with pytest.raises(ValueError, match="the bundle is cut off"):
            tree.unbundle(kept)
