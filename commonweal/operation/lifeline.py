"""A process that must not outlive its parent: it looks whether the parent is still there, and ends with it."""

from __future__ import annotations

import os
import signal
import threading

LOOK = 0.5
"""Seconds between two looks."""
GRACE = 10.0
"""Seconds for an orderly end."""


def hold() -> None:
    """End this process once the one that started it is gone, however that one died: in order, or else by force."""
    parent = os.getppid()

    def watch() -> None:
        pause = threading.Event()
        while os.getppid() == parent:
            pause.wait(LOOK)
        os.kill(os.getpid(), signal.SIGTERM)
        pause.wait(GRACE)
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=watch, name="lifeline", daemon=True).start()
