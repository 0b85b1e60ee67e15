"""Packs for use without a network: what a region's page, places and live barriers come to, written beside its graph."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings

from commonweal.kernel import clock
from commonweal.services.access import queries
from commonweal.services.access.gazetteer import kind, summary
from commonweal.services.access.queries import Region

_ABOUT = """{name}

Open index.html in a browser: it finds step-free ways without a network. Made {made} from a map of {dated} ({licence}).
用浏览器打开 index.html，离线查找无障碍路线。生成于 {made}，地图数据 {dated}（{licence}）。

map.pmtiles: vector tiles (PMTiles 3). places.json: places (A11yJSON).
"""


def packed(found: Region) -> bytes:
    """The data of a region's page now."""
    from commonweal.services.access.graph import pack  # it takes numba a second to load

    places: list[dict[str, Any]] = []
    for place in queries.gazetteer(found).search("", 20_000):
        lon, lat = place["geometry"]["coordinates"]
        called, access = kind(place), summary(place)
        places.append(
            {
                "name": str(place["properties"].get("name", "")), "kind": [called.en, called.zh],
                "access": [access.en, access.zh], "lat": lat, "lon": lon,
            }
        )  # fmt: skip
    barriers = [
        {
            "said": [
                f"{one.kind.en}: {one.said.en} ({one.source.en})",
                f"{one.kind.zh}：{one.said.zh}（{one.source.zh}）",
            ],
            "date": one.at.date().isoformat(), "lat": one.point[0], "lon": one.point[1],
        }
        for one in queries.standing_in(found.name)
    ]  # fmt: skip
    router = queries.router(found)
    return pack.data(router, places, barriers, clock.now(), settings.MAP_APPROVAL, found.name)


def make(found: Region) -> Path:
    """Write the pack of a region."""
    from commonweal.services.access.graph import pack  # it takes numba a second to load

    meta = found.meta
    made = f"{clock.now():%Y-%m-%d %H:%M} UTC"
    about = _ABOUT.format(name=found.name, made=made, dated=str(meta["dated"])[:10] or "-", licence=meta["licence"])
    return pack.write(found.folder, packed(found), found.name, about)
