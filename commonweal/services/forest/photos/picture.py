"""What is kept of a photograph to recognise it again: points with their descriptors, and a small grey copy.

Needs the extra `forest` (numpy, OpenCV). ORB: Rublee et al. 2011, ICCV, "ORB: an efficient alternative to
SIFT or SURF".
"""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from commonweal.kernel.errors import Invalid, TooLarge
from commonweal.kernel.text import Text

MOST_PIXELS = 50_000_000
"""A photograph may have so many pixels; its header is asked before anything is unpacked."""
MOST_BYTES = 25_000_000
SIDE = 800
"""Pixels of the longer side at which points are looked for."""
SMALL = 320
"""Pixels of the longer side of the grey copy."""
POINTS = 500
LEAST_POINTS = 40
"""A picture with fewer points shows nothing that could be recognised, so it cannot serve as evidence."""


@dataclass(frozen=True, slots=True)
class Picture:
    """`points` is (n, 2) in pixels of the copy whose longer side is `SIDE`, strongest first; `descriptors` (n, 32)."""

    points: NDArray[np.float32]
    descriptors: NDArray[np.uint8]
    small: bytes
    scale: float

    def grey(self) -> NDArray[np.uint8]:
        """The small grey copy."""
        return np.asarray(cv2.imdecode(np.frombuffer(self.small, np.uint8), cv2.IMREAD_GRAYSCALE), np.uint8)


def read_picture(source: Path | bytes) -> tuple[Picture, Picture]:
    """A photograph and its mirror image, as they are recognised.

    Raises `TooLarge` (`photo.pixels`, `photo.bytes`) or `Invalid` (`photo.form`, `photo.featureless`).
    """
    picture = describe(grey_of(source))
    if len(picture[0].points) < LEAST_POINTS:
        raise Invalid(
            "photo.featureless",
            Text(
                "Nothing can be recognised in this photo. Take it again in better light.",
                "照片中无法辨认内容，请在光线较好时重拍。",
            ),
            field="photo",
        )
    return picture


def grey_of(source: Path | bytes) -> NDArray[np.uint8]:
    """The photograph upright and grey, its longer side `SIDE` pixels. Raises as `read_picture`."""
    size = source.stat().st_size if isinstance(source, Path) else len(source)
    if size > MOST_BYTES:
        raise TooLarge("photo.bytes", Text("The photo is larger than 25 MB.", "照片超过 25 MB。"), field="photo")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image: Image.Image = Image.open(source if isinstance(source, Path) else io.BytesIO(source))
            if image.width * image.height > MOST_PIXELS:
                raise Image.DecompressionBombError
            image.draft("L", (SIDE * 2, SIDE * 2))
            image = ImageOps.exif_transpose(image).convert("L")
            factor = SIDE / max(image.size)
            size_now = max(1, round(image.width * factor)), max(1, round(image.height * factor))
            image = image.resize(size_now, Image.Resampling.BOX if factor < 1 else Image.Resampling.BICUBIC)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise TooLarge(
            "photo.pixels", Text("The photo has more than 50 million pixels.", "照片超过 5000 万像素。"), field="photo"
        ) from error
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise Invalid(
            "photo.form", Text("This is not a photo that can be read.", "无法读取这张照片。"), field="photo"
        ) from error
    return np.asarray(image, np.uint8)


def describe(grey: NDArray[np.uint8]) -> tuple[Picture, Picture]:
    """The picture of a grey image (at most `SIDE` pixels a side) and that of its mirror image."""
    detector = cv2.ORB.create(nfeatures=POINTS, scaleFactor=1.2, nlevels=8, fastThreshold=8)
    ratio = min(1.0, SMALL / max(grey.shape))
    size = max(1, round(grey.shape[1] * ratio)), max(1, round(grey.shape[0] * ratio))
    small = np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), np.uint8)
    return _describe(detector, grey, small, ratio), _describe(
        detector, np.ascontiguousarray(grey[:, ::-1]), np.ascontiguousarray(small[:, ::-1]), ratio
    )


def _describe(detector: Any, grey: NDArray[np.uint8], small: NDArray[np.uint8], ratio: float) -> Picture:
    found, descriptors = detector.detectAndCompute(grey, None)
    coded = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 85])[1].tobytes()
    if descriptors is None:
        return Picture(np.zeros((0, 2), np.float32), np.zeros((0, 32), np.uint8), coded, ratio)
    order = np.argsort([-point.response for point in found], kind="stable")
    points = np.asarray([found[i].pt for i in order], np.float32)
    return Picture(points, np.asarray(descriptors, np.uint8)[order], coded, ratio)
