"""The platform's own commands."""

from __future__ import annotations

import argparse
import os


def add_commands(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `run` and `seed`."""
    run = subparsers.add_parser("run", help="open the platform on this machine")
    run.add_argument("--host", default="127.0.0.1", help="address to listen on (127.0.0.1)")
    run.add_argument("--port", type=int, help="port (COMMONWEAL_PORT, else 8000)")
    run.add_argument("--data", help="data directory (COMMONWEAL_DATA_DIR, else .data)")
    run.add_argument("--workers", type=int, default=min(os.cpu_count() or 1, 4), help="web processes")
    run.set_defaults(run=_run)
    seed = subparsers.add_parser("seed", help="make the demonstration world")
    seed.add_argument("--data", help="data directory (COMMONWEAL_DATA_DIR, else .data)")
    seed.set_defaults(run=_seed)


def _use(data: str | None) -> None:
    if data:
        os.environ["COMMONWEAL_DATA_DIR"] = data


def _run(arguments: argparse.Namespace) -> int:
    _use(arguments.data)
    from commonweal import settings
    from commonweal.operation.supervisor import run

    return run(arguments.host, arguments.port or settings.PORT, arguments.workers)


def _seed(arguments: argparse.Namespace) -> int:
    _use(arguments.data)
    from commonweal.operation.database import open_database

    with open_database():
        from commonweal.operation.seed import seed

        seed()
    return 0
