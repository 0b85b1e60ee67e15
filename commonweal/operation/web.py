"""The web process: granian with `commonweal.front` behind it."""

from __future__ import annotations

import argparse

from granian import Granian
from granian.constants import Interfaces, Loops
from granian.http import HTTP1Settings
from granian.log import LogLevels

from commonweal.operation import lifeline


def main() -> None:
    """Serve until SIGTERM or until the supervisor is gone."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--host", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--workers", type=int, required=True)
    arguments = parser.parse_args()
    lifeline.hold(lifeline.supervisor())
    Granian(
        "commonweal.front:application",
        address=arguments.host,
        port=arguments.port,
        interface=Interfaces.ASGINL,
        workers=arguments.workers,
        loop=Loops.auto,
        backlog=2048,
        http1_settings=HTTP1Settings(header_read_timeout=10_000),
        log_access=False,
        log_level=LogLevels.warning,
        respawn_failed_workers=True,
        workers_kill_timeout=10,
    ).serve()


if __name__ == "__main__":
    main()
