"""All photographs of trees as they are recognised again; without the extra `forest` only equal bytes are known."""

from __future__ import annotations

import importlib.util
import uuid
from typing import TYPE_CHECKING, Any

from commonweal.kernel.sql import row, rows

if TYPE_CHECKING:
    from commonweal.services.forest.photos import Picture

COMPARES = all(importlib.util.find_spec(name) for name in ("cv2", "numpy"))
"""Whether near-copies (cut, turned, mirrored, saved again) are found here."""


FRESH = 1_000
"""Photographs after which the large index is built anew; until then they have a small one of their own."""


class Known:
    """The photographs that were taken so far: their keys in memory (4 kB each), the pictures in the database until they
    are asked for. It grows by what was added since the last question."""

    def __init__(self) -> None:
        from commonweal.services.forest.photos import Gallery

        self.old, self.fresh = Gallery(), Gallery()
        self.last = 0

    def refresh(self) -> None:
        """Learn the photographs that came since."""
        import numpy as np

        from commonweal.services.forest.photos import Gallery
        from commonweal.services.forest.photos.gallery import TABLES

        query = "SELECT nth, keys FROM forest_picture WHERE nth > %(last)s ORDER BY nth"
        for found in rows(query, {"last": self.last}):
            keys = np.frombuffer(bytes(found["keys"]), np.int32).reshape(TABLES, -1)
            self.fresh.add_keys(str(found["nth"]), keys)
            self.last = found["nth"]
        if len(self.fresh) >= FRESH:
            self.old.take_over(self.fresh)
            self.fresh = Gallery()

    def seen_before(self, probe: tuple[Picture, Picture]) -> uuid.UUID | None:
        """The capture whose photograph this is (the probe comes with its mirror image), or None."""
        from commonweal.services.forest.photos.gallery import AGREEMENT, INLIERS, compare

        self.refresh()
        for gallery in (self.fresh, self.old):
            for number in gallery.shortlist(probe) if len(gallery) else ():
                known = _picture(int(gallery.names[number]))
                if known is None:
                    continue
                for picture in probe:
                    inliers, agreement = compare(picture, known[1])
                    if inliers >= INLIERS and agreement >= AGREEMENT:
                        return known[0]
        return None


def _picture(nth: int) -> tuple[uuid.UUID, Picture] | None:
    import numpy as np

    from commonweal.services.forest.photos import Picture

    query = "SELECT capture, points, descriptors, small, scale FROM forest_picture WHERE nth = %(nth)s"
    found = row(query, {"nth": nth})
    if found is None:
        return None
    points = np.frombuffer(bytes(found["points"]), np.float32).reshape(-1, 2)
    descriptors = np.frombuffer(bytes(found["descriptors"]), np.uint8).reshape(-1, 32)
    return found["capture"], Picture(points, descriptors, bytes(found["small"]), found["scale"])


def as_row(picture: Picture) -> dict[str, Any]:
    """What is kept of a photograph."""
    from commonweal.services.forest.photos.gallery import KEYED, keys

    return {
        "keys": keys(picture.descriptors[:KEYED]).tobytes(),
        "points": picture.points.tobytes(),
        "descriptors": picture.descriptors.tobytes(),
        "small": picture.small,
        "scale": picture.scale,
    }
