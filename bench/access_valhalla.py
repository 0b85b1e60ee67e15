"""Valhalla's own answers, for comparison: run by the Python of an environment that has `pyvalhalla-weekly`.

usage: python access_valhalla.py EXTRACT FOLDER < pairs.json > answers.json
`pairs.json` is a list of [lat, lon, lat, lon]; each answer is {"ms": …, "line": [[lat, lon], …] or null}.
"""

import json
import subprocess
import sys
import time
from pathlib import Path

import valhalla


def decode(text: str) -> list[tuple[float, float]]:
    """A polyline of six decimals."""
    line, place, values = [], 0, [0, 0]
    while place < len(text):
        for k in (0, 1):
            shift = number = 0
            while True:
                byte = ord(text[place]) - 63
                place += 1
                number |= (byte & 0x1F) << shift
                shift += 5
                if byte < 0x20:
                    break
            values[k] += ~(number >> 1) if number & 1 else number >> 1
        line.append((values[0] / 1e6, values[1] / 1e6))
    return line


def main() -> None:
    extract, folder = sys.argv[1], Path(sys.argv[2])
    tiles = folder / "tiles"
    built = tiles.exists()
    tiles.mkdir(parents=True, exist_ok=True)
    archive = folder / "tiles.tar"
    archive.touch()
    config = valhalla.get_config(tile_extract=str(archive), tile_dir=str(tiles), verbose=False)
    archive.unlink()
    (folder / "config.json").write_text(json.dumps(config))
    if not built:
        program = Path(valhalla.__file__).parent / "bin" / "valhalla_build_tiles"
        subprocess.run([program, "-c", folder / "config.json", "-j", "1", extract], check=True, capture_output=True)
    actor = valhalla.Actor(str(folder / "config.json"))
    pairs, answers = json.load(sys.stdin), []
    for warm in (True, False):
        for a, b, c, d in pairs[: 20 if warm else None]:
            query = {
                "locations": [{"lat": a, "lon": b}, {"lat": c, "lon": d}],
                "costing": "pedestrian",
                "costing_options": {"pedestrian": {"type": "wheelchair"}},
            }
            begun = time.perf_counter()
            try:
                answer = json.loads(actor.route(json.dumps(query)))
            except RuntimeError:
                answer = None
            ms = 1000 * (time.perf_counter() - begun)
            if not warm:
                line = answer and decode(answer["trip"]["legs"][0]["shape"])
                answers.append({"ms": ms, "line": line})
    json.dump(answers, sys.stdout)


main()
