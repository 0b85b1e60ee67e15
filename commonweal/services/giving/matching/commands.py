"""`commonweal giving match` and `recompute`: a published pool, computed again without database or network."""

from __future__ import annotations

import argparse
import itertools
import json
import sys
from pathlib import Path
from typing import Any

from commonweal.kernel.errors import Invalid, NotFound
from commonweal.kernel.text import Text
from commonweal.services.giving.matching import pool_file, spelling
from commonweal.services.giving.matching.lots import RandomBoost
from commonweal.services.giving.matching.pool import Match, match

FORMAT = "commonweal-matches/1"
SHOWN = 20
"""Differences that are printed at most."""


def add_commands(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `match` and `recompute`."""
    for name, run, text in (
        ("match", _match, "print the matches of a published pool file"),
        ("recompute", _recompute, "compare the matches that a pool file states with the recomputation, to the fen"),
    ):
        command = subparsers.add_parser(name, help=text, description=text)
        command.add_argument("pool", metavar="POOL.json", help="the published file; - reads standard input")
        command.add_argument("--json", action="store_true", help="errors as JSON as well")
        if name == "match":
            command.add_argument(
                "--gift", metavar="ID", help="only this gift; where lots decide, with its draw step by step"
            )
        command.set_defaults(run=run)


def read(path: str) -> pool_file.PoolFile:
    """The pool file at a path. Raises `Invalid` with `pool-file.unreadable`."""
    try:
        data = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
    except OSError as error:
        text = Text("{path} cannot be read: {why}", "无法读取 {path}：{why}").format(path=path, why=error.strerror)
        raise Invalid("pool-file.unreadable", text) from error
    return pool_file.parse(data)


def answer(file: pool_file.PoolFile, matches: list[Match]) -> dict[str, Any]:
    """What `match` prints."""
    asset = spelling.an_asset(file.pool.asset, file.pool.exponent)
    spent = sum(made.amount for made in matches)
    projects: dict[str, int] = {}
    for made in matches:
        projects[made.project] = projects.get(made.project, 0) + made.amount

    return {
        "format": FORMAT,
        "pool": file.pool.name,
        "scheme": file.pool.scheme.name,
        "asset": file.pool.asset,
        "digest": file.digest,
        "final": file.final,
        "amount": spelling.money(file.pool.amount, asset),
        "matched": spelling.money(spent, asset),
        "left": spelling.money(file.pool.amount - spent, asset),
        "projects": [
            {"project": name, "amount": spelling.money(amount, asset)} for name, amount in sorted(projects.items())
        ],
        "matches": [
            {"gift": made.gift, "project": made.project, "amount": spelling.money(made.amount, asset)}
            | ({"limit": made.limit} if made.limit else {})
            for made in matches
        ],
    }


def _match(arguments: argparse.Namespace) -> int:
    file = read(arguments.pool)
    found = answer(file, match(file.pool, file.gifts))
    if arguments.gift is not None:
        found = _of_gift(file, found, arguments.gift)
    print(json.dumps(found, ensure_ascii=False, indent=1))
    return 0


def _of_gift(file: pool_file.PoolFile, found: dict[str, Any], id: str) -> dict[str, Any]:
    """The match of one gift, and how its lot was drawn. Raises `NotFound` (`pool-file.no-gift`)."""
    gift = next((gift for gift in file.gifts if gift.id == id), None)
    if gift is None:
        text = Text("There is no gift {id} in this file.", "文件中没有捐款 {id}。").format(id=id)
        raise NotFound("pool-file.no-gift", text, field="gifts")
    one: dict[str, Any] = next(made for made in found["matches"] if made["gift"] == id)
    kept = {name: found[name] for name in ("format", "pool", "scheme", "asset", "digest", "final")}
    scheme, seed = file.pool.scheme, file.pool.seed
    if not isinstance(scheme, RandomBoost) or seed is None:
        return kept | {"match": one}
    asset, draw = spelling.an_asset(file.pool.asset, file.pool.exponent), scheme.drawn(seed, gift)
    steps = {
        "counts": spelling.money(gift.counts, asset),
        "u": f"{draw.u:064x}",
        "chance": spelling.written_rate(scheme.chance),
        "won": draw.won,
        "base": spelling.money(draw.base, asset),
        "flowers": gift.flowers,
        "low": spelling.written_rate(draw.tier.low),
        "high": spelling.written_rate(draw.tier.high),
        "v": None if draw.v is None else f"{draw.v:064x}",
        "boost": spelling.money(draw.boost, asset),
        "draw": spelling.money(draw.whole, asset),
    }
    return kept | {"match": one, "lot": steps}


def _recompute(arguments: argparse.Namespace) -> int:
    file = read(arguments.pool)
    if file.matches is None:
        raise Invalid(
            "pool-file.no-matches",
            Text(
                "The file states no matches to compare with; `commonweal giving match` computes them.",
                "文件中没有可比对的配捐结果；可用 commonweal giving match 计算。",
            ),
            field="matches",
        )
    matches = match(file.pool, file.gifts)
    found = list(itertools.islice(pool_file.differences(file, matches), SHOWN))
    asset = spelling.an_asset(file.pool.asset, file.pool.exponent)

    def written(amount: int | None) -> str | None:
        return None if amount is None else spelling.money(amount, asset)

    verdict = {
        "pool": file.pool.name,
        "digest": file.digest,
        "equal": not found,
        "gifts": len(file.gifts),
        "matched": written(sum(made.amount for made in matches)),
        "differences": [
            {"gift": gift, "stated": written(stated), "recomputed": written(recomputed)}
            for gift, stated, recomputed in found
        ],
    }
    print(json.dumps(verdict, ensure_ascii=False, indent=1))
    return 1 if found else 0
