"""Heights from an elevation model: SRTM tiles (`.hgt`, plain or zipped) or a single-band GeoTIFF in degrees.

Cells of 30 to 90 m blur bridges, cuttings and stairs: what comes from here is a caution in a text, never a verdict.
"""

from __future__ import annotations

import re
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from commonweal.kernel.errors import Invalid
from commonweal.kernel.text import Text

_NAME = re.compile(r"([NS])(\d{2})([EW])(\d{3})", re.IGNORECASE)


@dataclass(frozen=True)
class Model:
    """A grid of heights in metres, NaN for no data; row 0 is the northernmost. `step` is degrees per cell."""

    grid: NDArray[np.float32]
    north: float
    west: float
    step: tuple[float, float]

    @classmethod
    def open(cls, path: Path) -> Model:
        """Read a model. Raises `Invalid` (`dem.form`)."""
        path = Path(path)
        try:
            if path.suffix.lower() in (".tif", ".tiff"):
                return cls._geotiff(path)
            return cls._hgt(path)
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
            raise Invalid(
                "dem.form",
                Text(
                    "{name} is no elevation model that can be read: give a .hgt, .hgt.zip or .tif in degrees.",
                    "{name} 不是可读取的高程模型，请提供 .hgt、.hgt.zip 或经纬度坐标的 .tif 文件。",
                ).format(name=path.name),
                field="dem",
            ) from error

    @classmethod
    def _hgt(cls, path: Path) -> Model:
        name, data = path.name, b""
        if path.suffix.lower() == ".zip":
            with zipfile.ZipFile(path) as archive:
                name = next(entry for entry in archive.namelist() if entry.lower().endswith(".hgt"))
                data = archive.read(name)
        else:
            data = path.read_bytes()
        match = _NAME.search(name) or _NAME.search(path.name)
        size = round((len(data) / 2) ** 0.5)
        if match is None or size * size * 2 != len(data) or size < 2:
            raise ValueError("not an SRTM tile")
        south = float(match[2]) * (-1 if match[1].upper() == "S" else 1)
        west = float(match[4]) * (-1 if match[3].upper() == "W" else 1)
        grid = np.frombuffer(data, ">i2").reshape(size, size).astype(np.float32)
        grid[grid < -1000] = np.nan
        return cls(grid, south + 1, west, (1 / (size - 1), 1 / (size - 1)))

    @classmethod
    def _geotiff(cls, path: Path) -> Model:
        Image.MAX_IMAGE_PIXELS = 400_000_000
        with Image.open(path) as image:
            scale, tie = image.tag_v2[33550], image.tag_v2[33922]  # type: ignore[attr-defined]
            grid = np.asarray(image, np.float32).copy()
        if grid.ndim != 2 or scale[0] > 1 or abs(tie[4]) > 90:
            raise ValueError("one band in degrees is needed")
        grid[(grid < -1000) | (grid > 9000)] = np.nan
        return cls(grid, tie[4] - scale[1] / 2, tie[3] + scale[0] / 2, (scale[1], scale[0]))

    def heights(self, lat: Any, lon: Any) -> NDArray[np.float32]:
        """Heights at points (bilinear), NaN outside."""
        y = (self.north - np.asarray(lat)) / self.step[0]
        x = (np.asarray(lon) - self.west) / self.step[1]
        rows, columns = self.grid.shape
        inside = (y >= 0) & (x >= 0) & (y <= rows - 1) & (x <= columns - 1)
        y0 = np.clip(np.floor(y), 0, rows - 2).astype(int)
        x0 = np.clip(np.floor(x), 0, columns - 2).astype(int)
        fy, fx = y - y0, x - x0
        g = self.grid
        value = (g[y0, x0] * (1 - fx) + g[y0, x0 + 1] * fx) * (1 - fy) + (
            g[y0 + 1, x0] * (1 - fx) + g[y0 + 1, x0 + 1] * fx
        ) * fy
        return np.where(inside, value, np.nan).astype(np.float32)
