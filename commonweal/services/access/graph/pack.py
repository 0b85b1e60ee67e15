"""A map to carry along: one page that finds ways in the browser, without a network, with the same hard filter.

The page holds the arrays of the graph, every distinct fact with its words, the rules' tables, the places, and the live
barriers as they stood when it was made, each with its date. It opens from a disk; nothing is loaded, nothing is sent.
"""

from __future__ import annotations

import base64
import gzip
import io
import json
import struct
import zipfile
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from commonweal.services.access import rules
from commonweal.services.access.graph import text, tiles
from commonweal.services.access.graph.router import Router
from commonweal.services.access.rules import PROFILES, Fact

FILE = "pack.zip"
OFFLINE = Path(__file__).parent.parent / "offline"
DAY = 86_400


def data(
    router: Router,
    places: Iterable[Mapping[str, Any]],
    barriers: Iterable[Mapping[str, Any]],
    made: datetime,
    approval: str = "",
    name: str = "",
) -> bytes:
    """The packed data of the page: gzip over a length, JSON, and arrays, each at a multiple of eight bytes.

    `places` have `name`, `kind`, `access` (pairs of English and Chinese), `lat`, `lon`; `barriers` have `said` (such a
    pair), `date`, `lat`, `lon`.
    """
    a, graph = router.arrays, router.graph
    facts, first, index = graph.facts
    _, _, edges, vertices = router.overlay.since(0)
    listed = [(fact.attribute, fact.value, fact.doubt) for fact in facts]
    number = {fact: k for k, fact in enumerate(listed)}

    def live(table: Mapping[int, tuple[Fact, ...]]) -> dict[int, list[int]]:
        found: dict[int, list[int]] = {}
        for place, stated in table.items():
            for fact in stated:
                key = (fact.attribute, fact.value, fact.doubt)
                if key not in number:
                    number[key] = len(listed)
                    listed.append(key)
                found.setdefault(place, []).append(number[key])
        return found

    lying = {"edges": live(edges), "vertices": live(vertices)}
    kinds, label = np.unique(np.stack([a.e_row, a.e_side.astype(np.int32)]), axis=1, return_inverse=True)
    labels = [
        [said for against in (False, True) for said in _pair(text.called(graph.rows[row], "", side, against))]
        for row, side in kinds.T.tolist()
    ]
    arrays: dict[str, NDArray[Any]] = {
        "e_u": a.e_u,
        "e_v": a.e_v,
        "e_row": a.e_row,
        "e_name": a.e_name,
        "e_label": label.astype(np.int32).reshape(-1),
        "e_size": np.diff(a.e_shape).astype(np.int32),
        "e_day": (a.e_time // DAY).astype(np.int32),
        "e_oneway": a.e_oneway,
        "s_lat": _steps(a.s_lat),
        "s_lon": _steps(a.s_lon),
        "v_row": a.v_row,
        "v_day": (a.v_time // DAY).astype(np.int32),
        "a_gate": a.a_gate,
    }
    head = {
        "arrays": [[key, array.dtype.str.lstrip("|<"), len(array)] for key, array in arrays.items()],
        "facts": listed,
        "said": [_pair(text.say_fact(Fact(*fact))) for fact in listed],
        "rows": [index[first[k] : first[k + 1]].tolist() for k in range(len(first) - 1)],
        "live": lying,
        "labels": labels,
        "names": graph.names,
        "profiles": {key: {"title": _pair(title)} | profile.to_json() for key, (profile, title) in PROFILES.items()},
        "doors": rules.DOORS,
        "crossings": rules.CROSSINGS,
        "grades": rules.SURFACE_GRADES,
        "surfaces": rules.SURFACES,
        "smoothness": rules.SMOOTHNESS,
        "gap": rules.GAP_TAKES_A_PERSON,
        "longest": rules.MAX_ROUTE_M,
        "clear": text.CLEAR_DEGREES,
        "places": list(places),
        "barriers": list(barriers),
        "map": {
            "name": name,
            "dated": str(graph.meta["dated"])[:10],
            "made": made.isoformat(timespec="minutes"),
            "build": graph.build,
            "licence": graph.meta["licence"],
            "approval": approval,
            "bounds": graph.bounds,
        },
    }
    written = json.dumps(head, ensure_ascii=False, separators=(",", ":")).encode()
    out = io.BytesIO()
    out.write(struct.pack("<I", len(written)) + written)
    for array in arrays.values():
        out.write(b"\0" * (-out.tell() % 8) + np.ascontiguousarray(array).tobytes())
    return gzip.compress(out.getvalue(), 9, mtime=0)


def _pair(said: Any) -> list[str]:
    return [said.en, said.zh]


def _steps(degrees: NDArray[np.float64]) -> NDArray[np.int32]:
    """Ten-millionths of a degree, each from the one before: small numbers, which pack well."""
    return np.diff(np.rint(degrees * 1e7).astype(np.int64), prepend=0).astype(np.int32)


def page(packed: bytes, name: str) -> str:
    """The page with everything inside."""
    parts = {
        "NAME": name.replace("<", ""),
        "ENGINE": (OFFLINE / "engine.js").read_text(encoding="utf-8"),
        "PAGE": (OFFLINE / "page.js").read_text(encoding="utf-8"),
        "DATA": base64.b64encode(packed).decode(),
    }
    html = (OFFLINE / "page.html").read_text(encoding="utf-8")
    for part, inside in parts.items():
        html = html.replace(f"%%{part}%%", inside)
    return html


def write(folder: Path, packed: bytes, name: str, about: str) -> Path:
    """Write `pack.zip` into the folder of a region, whole or not at all: the page, the tiles if there are any, and what
    it is."""
    partial = folder / f"{FILE}.partial"
    with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{name}/index.html", page(packed, name))
        archive.writestr(f"{name}/README.txt", about)
        if (folder / tiles.FILE).exists():
            archive.write(folder / tiles.FILE, f"{name}/{tiles.FILE}", zipfile.ZIP_STORED)
        if (folder / "places.json").exists():
            archive.write(folder / "places.json", f"{name}/places.json")
    return partial.rename(folder / FILE)
