"""All photographs seen so far, and the question whether a new one is one of them.

Shortlist: parts of the descriptors of a photo's strongest points are keys of a few hash tables; photos that share many
keys with the new one come first. It holds where whole-image hashes fail (a 3 % crop defeats PDQ). Proof: points are
matched one to one, a homography must explain enough of them, and under it the two pictures must agree grain by grain:
a second photo of the same place fits in its rocks, not in its leaves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from commonweal.services.forest.photos.picture import Picture

KEYED = 128
"""Points of a photo that are keyed, strongest first."""
TABLES, BITS = 8, 18
"""Hash tables, and bits of a key."""
SHORTLIST = 12
NEAR = 56
"""Bits of 256 in which the descriptors of one point may differ."""
INLIERS = 20
"""Matched points that one homography must explain."""
AGREEMENT = 0.70
"""Correlation of small blocks of the two pictures, one laid over the other, that three blocks in four reach."""

_CHOSEN = np.stack([np.random.default_rng(table).choice(256, BITS, replace=False) for table in range(TABLES)])
"""Which bits of a descriptor make the key of each table: fixed, so that an index can be stored."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a photo is refused as one seen before: which, and by how many points and how much agreement."""

    refused: bool
    match: str | None
    inliers: int
    agreement: float


def keys(descriptors: NDArray[np.uint8]) -> NDArray[np.int32]:
    """Keys of descriptors (n, 32) in each table: (TABLES, n)."""
    bits = np.unpackbits(descriptors, axis=1)
    weights = 1 << np.arange(BITS, dtype=np.int32)
    return np.stack([bits[:, chosen].astype(np.int32) @ weights for chosen in _CHOSEN])


class Gallery:
    """Photos by name. Adding is cheap; the index is built at the first question after it."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self._pictures: dict[int, Picture] = {}
        self._keys: list[NDArray[np.int32]] = []
        self._tables: list[tuple[NDArray[np.int64], NDArray[np.int32]]] | None = None

    def __len__(self) -> int:
        return len(self.names)

    def add(self, name: str, picture: Picture) -> None:
        """Add a photo."""
        self._pictures[len(self.names)] = picture
        self.add_keys(name, keys(picture.descriptors[:KEYED]))

    def add_keys(self, name: str, photo_keys: NDArray[np.int32]) -> None:
        """Add a photo whose keys are known and whose picture is kept elsewhere: it can only be shortlisted."""
        self.names.append(name)
        self._keys.append(photo_keys)
        self._tables = None

    def take_over(self, other: Gallery) -> None:
        """Add the keys of all photos of another gallery."""
        self.names += other.names
        self._keys += other._keys
        self._tables = None

    def shortlist(self, probe: Sequence[Picture]) -> list[int]:
        """Numbers of the photos that share most keys with any of the given pictures."""
        if self._tables is None:
            self._tables = self._build()
        votes = np.zeros(len(self.names))
        for picture in probe:
            for (starts, photos), wanted in zip(self._tables, keys(picture.descriptors), strict=True):
                # One key counts once, so that a picket fence does not outvote a face; and the less, the more photos
                # have it: what all plots of a make share (a horizon, a stone) tells nothing.
                asked = np.unique(wanted)
                sizes = starts[asked + 1] - starts[asked]
                telling = (sizes > 0) & (sizes <= max(20, len(votes) // 50))
                asked, sizes = asked[telling], sizes[telling]
                if len(asked):
                    spans = np.concatenate([photos[starts[key] : starts[key + 1]] for key in asked])
                    rarity = np.repeat(np.log1p(len(votes) / sizes), sizes)
                    votes += np.bincount(spans, rarity, len(votes))
        count = min(SHORTLIST, len(self.names))
        best = np.argpartition(-votes, count - 1)[:count] if count else np.zeros(0, np.int64)
        return [int(i) for i in best[np.argsort(-votes[best])] if votes[i] > 0]

    def check(self, probe: tuple[Picture, Picture]) -> Verdict:
        """Whether the photo, given with its mirror image, is one of the gallery."""
        best = Verdict(False, None, 0, 0.0)
        for number in self.shortlist(probe):
            if number not in self._pictures:
                continue
            for picture in probe:
                inliers, agreement = compare(picture, self._pictures[number])
                refused = inliers >= INLIERS and agreement >= AGREEMENT
                if (refused, inliers) > (best.refused, best.inliers):
                    best = Verdict(refused, self.names[number] if refused else None, inliers, round(agreement, 3))
            if best.refused:
                break
        return best

    def _build(self) -> list[tuple[NDArray[np.int64], NDArray[np.int32]]]:
        photos = np.repeat(np.arange(len(self._keys), dtype=np.int32), [k.shape[1] for k in self._keys])
        tables = []
        for table in range(TABLES):
            flat = np.concatenate([k[table] for k in self._keys]) if self._keys else np.zeros(0, np.int32)
            pairs = np.sort(flat.astype(np.int64) << 32 | photos)
            pairs = pairs[np.diff(pairs, prepend=-1) > 0]  # a photo stands once under a key
            starts = np.searchsorted(pairs >> 32, np.arange(2**BITS + 1))
            tables.append((starts, (pairs & 0xFFFFFFFF).astype(np.int32)))
        return tables


def compare(probe: Picture, known: Picture) -> tuple[int, float]:
    """How many matched points one homography explains, and how well the pictures agree under it (-1 to 1)."""
    if min(len(probe.points), len(known.points)) < INLIERS:
        return 0, 0.0
    matches = cv2.BFMatcher(cv2.NORM_HAMMING, crossCheck=True).match(probe.descriptors, known.descriptors)
    near = [match for match in matches if match.distance <= NEAR]
    if len(near) < INLIERS:
        return 0, 0.0
    here = probe.points[[match.queryIdx for match in near]]
    there = known.points[[match.trainIdx for match in near]]
    cv2.setRNGSeed(1)
    homography, mask = _homography(here, there)
    if homography is None:
        return 0, 0.0
    inliers = int(mask.sum())
    if inliers < INLIERS:
        return inliers, 0.0
    # A copy is turned, cut and scaled, and four numbers say so more exactly than the eight of a homography.
    similar = _similarity(here[mask.ravel() > 0], there[mask.ravel() > 0])
    maps = [homography, *([np.vstack([similar, (0, 0, 1)])] if similar is not None else [])]
    return inliers, max(_agreement(probe, known, each) for each in maps)


def _homography(here: NDArray[np.float32], there: NDArray[np.float32]) -> tuple[Any, Any]:
    """The homography of most points and which they are; None for both if there is none (OpenCV's types deny it)."""
    return cv2.findHomography(here, there, cv2.RANSAC, 4.0, maxIters=500)


def _similarity(here: NDArray[np.float32], there: NDArray[np.float32]) -> Any:
    """The turn, scale and shift of most points as (2, 3); None if there is none."""
    return cv2.estimateAffinePartial2D(here, there, ransacReprojThreshold=2.0)[0]


def _agreement(probe: Picture, known: Picture, homography: NDArray[np.float64]) -> float:
    """The lower quartile of the correlation of 16 x 16 blocks where the pictures overlap; 0 if they hardly do."""
    one, two = probe.grey(), known.grey()
    shrink, grow = np.diag([known.scale, known.scale, 1.0]), np.diag([1 / probe.scale, 1 / probe.scale, 1.0])
    size = (two.shape[1], two.shape[0])
    map_ = shrink @ homography @ grow
    laid = cv2.warpPerspective(one, map_, size)
    covered = cv2.warpPerspective(np.full_like(one, 255), map_, size)
    # Both are blurred alike: a copy of a copy has lost its finest grain.
    a = cv2.GaussianBlur(laid, (0, 0), 1.5).astype(np.float32)
    b = cv2.GaussianBlur(two, (0, 0), 1.5).astype(np.float32)
    block = 16
    rows, columns = a.shape[0] // block, a.shape[1] // block
    if not rows or not columns:
        return 0.0

    def blocks(image: NDArray[np.float32]) -> NDArray[np.float32]:
        cut = image[: rows * block, : columns * block].reshape(rows, block, columns, block)
        return cut.transpose(0, 2, 1, 3).reshape(-1, block * block)

    whole = blocks(covered.astype(np.float32)).min(axis=1) > 250
    p, q = blocks(a)[whole], blocks(b)[whole]
    p, q = p - p.mean(axis=1, keepdims=True), q - q.mean(axis=1, keepdims=True)
    energy = np.sqrt((p * p).sum(axis=1) * (q * q).sum(axis=1))
    told = (q * q).mean(axis=1) > 9  # flat sky tells nothing
    if told.sum() < 4:
        return 0.0
    return float(np.percentile((p * q).sum(axis=1)[told] / np.maximum(energy[told], 1e-3), 25))
