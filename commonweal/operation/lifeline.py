"""A process that must not outlive its parent: it looks whether the parent is still there, and ends with it."""

from __future__ import annotations

import os
import signal
import threading

LOOK = 0.5
"""Seconds between two looks."""
GRACE = 10.0
"""Seconds for an orderly end."""
SUPERVISOR = "COMMONWEAL_SUPERVISOR"
"""The variable in which the supervisor tells its children its process id."""


def supervisor() -> int | None:
    """The process id of the supervisor that started this process, if one did."""
    return int(os.environ[SUPERVISOR]) if SUPERVISOR in os.environ else None


def hold(parent: int | None) -> None:
    """End this process once `parent` is gone, however that one died: in order, or else by force.

    The parent is named by whoever knows it from before: it may be gone by the time of the first look.
    """

    def watch() -> None:
        pause = threading.Event()
        while os.getppid() == parent:
            pause.wait(LOOK)
        os.kill(os.getpid(), signal.SIGTERM)
        pause.wait(GRACE)
        os.kill(os.getpid(), signal.SIGKILL)

    if parent is not None:
        threading.Thread(target=watch, name="lifeline", daemon=True).start()
