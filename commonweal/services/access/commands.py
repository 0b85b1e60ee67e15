"""The doors of a city: `commonweal access import|feed|works`; those of the engine are in `graph/commands.py`."""

from __future__ import annotations

import argparse
from pathlib import Path

from commonweal.kernel.errors import NotFound
from commonweal.kernel.text import Text
from commonweal.services.access.graph import commands as engine
from commonweal.services.access.graph.commands import say, say_built, show_progress


def add_commands(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands of this service."""
    engine.add_commands(subparsers)
    bring = subparsers.add_parser("import", help="build a city's graph into the data directory")
    bring.add_argument("extract", type=Path)
    bring.add_argument("--dem", type=Path, metavar="FILE")
    bring.add_argument("--data", help="data directory (COMMONWEAL_DATA_DIR, else .data)")
    bring.add_argument("--json", action="store_true")
    bring.set_defaults(run=run_import)

    tiles = subparsers.add_parser("tiles", help="make the vector tiles of a city that has been imported")
    tiles.add_argument("extract", type=Path)
    tiles.add_argument("--data", help="data directory (COMMONWEAL_DATA_DIR, else .data)")
    tiles.add_argument("--json", action="store_true")
    tiles.set_defaults(run=run_tiles)

    pack = subparsers.add_parser("pack", help="write what a city needs without a network, with the barriers of now")
    pack.add_argument("region", metavar="NAME")
    pack.add_argument("--data", help="data directory (COMMONWEAL_DATA_DIR, else .data)")
    pack.add_argument("--json", action="store_true")
    pack.set_defaults(run=run_pack)

    feed = subparsers.add_parser("feed", help="name an authority that says which lifts are out, or where works are")
    feed.add_argument("name", help="small letters and hyphens")
    feed.add_argument("--title", required=True, help="shown as the source")
    feed.add_argument("--region", required=True, metavar="NAME")
    feed.add_argument("--form", choices=("gtfs-rt", "fasta", "a11y", "works"), required=True)
    feed.add_argument("--url", default="", help="where it is read once a minute; without it, it is sent")
    feed.add_argument(
        "--stops", type=Path, metavar="stops.txt", help="the places of the stops that a gtfs-rt feed names"
    )
    feed.add_argument("--email", default="", help="of the sign-in that may send it")
    feed.add_argument("--data", help="data directory (COMMONWEAL_DATA_DIR, else .data)")
    feed.set_defaults(run=run_feed)

    works = subparsers.add_parser("works", help="take over a feed's present state from a file (GeoJSON, WZDx, GTFS-RT)")
    works.add_argument("file", type=Path)
    works.add_argument("--feed", required=True, metavar="NAME")
    works.add_argument("--data", help="data directory (COMMONWEAL_DATA_DIR, else .data)")
    works.add_argument("--json", action="store_true")
    works.set_defaults(run=run_works)


def run_import(arguments: argparse.Namespace) -> int:
    """Build a graph where the service looks for it, with its places and tiles."""
    from commonweal.services.access.graph.regions import bring

    say_built(
        arguments, *bring(arguments.extract, arguments.home() / "access", dem=arguments.dem, progress=show_progress)
    )
    return 0


def run_tiles(arguments: argparse.Namespace) -> int:
    """Make tiles into the region that is named after the extract."""
    from commonweal.services.access.graph import regions, tiles

    folder = arguments.home() / "access" / regions.name_of(arguments.extract)
    if not (folder / "meta.json").exists():
        raise NotFound("region.unknown", Text("There is no map of this name here.", "没有这个名称的地图。"))
    made = tiles.make(arguments.extract, folder / tiles.FILE, show_progress)
    size = made.stat().st_size
    say({"tiles": str(made), "bytes": size}, arguments.json, [f"{made}: {size:,} bytes"])
    return 0


def run_pack(arguments: argparse.Namespace) -> int:
    """Write the pack of a region."""
    with arguments.database():
        from commonweal.services.access import packs, queries

        made = packs.make(queries.region(arguments.region))
    size = made.stat().st_size
    say({"pack": str(made), "bytes": size}, arguments.json, [f"{made}: {size:,} bytes"])
    return 0


def run_feed(arguments: argparse.Namespace) -> int:
    """Make a feed."""
    from commonweal.services.access.feeds import read_stops

    stops = read_stops(_read(arguments.stops).decode("utf-8-sig", "replace")) if arguments.stops else {}
    with arguments.database():
        from commonweal.kernel.parties.models import Login
        from commonweal.services.access import actions
        from commonweal.services.access.models import Feed

        login = Login.objects.filter(email=arguments.email).first() if arguments.email else None
        if arguments.email and login is None:
            raise NotFound("feed.sender", Text("Nobody signs in with this address.", "没有使用该邮箱的账户。"))
        made = actions.open_feed(
            Feed(
                name=arguments.name, title=arguments.title, region=arguments.region, form=arguments.form,
                url=arguments.url, stops=stops, party=login.party if login else None,
            )
        )  # fmt: skip
        print(f"{made.name}: {made.title}, {made.form}, {len(stops):,} stops")
    return 0


def run_works(arguments: argparse.Namespace) -> int:
    """Take over the state of a feed."""
    data = _read(arguments.file)
    with arguments.database():
        from commonweal.services.access import actions

        taken = actions.take(arguments.feed, data)
    line = f"{taken.closed} closed, {taken.elsewhere} elsewhere, {taken.reopened} open again"
    say({"closed": taken.closed, "elsewhere": taken.elsewhere, "reopened": taken.reopened}, arguments.json, [line])
    return 0


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise NotFound(
            "file.unreadable",
            Text("The file cannot be read: {why}.", "无法读取文件：{why}。").format(why=error.strerror),
        ) from error
