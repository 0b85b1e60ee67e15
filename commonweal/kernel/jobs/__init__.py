"""Work that happens after the commit: payment providers, mail, surveys. At least once, never beside itself, never lost.

`@task` declares it, `.enqueue()` asks for it in the caller's transaction, `run_due` (in the clerk) does it.
"""

from commonweal.kernel.jobs.table import (
    Dead,
    Health,
    call_back,
    dead_letters,
    enqueue_due_recurrences,
    health,
    retry,
    run_due,
)
from commonweal.kernel.jobs.task import Task, enqueue, every, task

__all__ = [
    "Dead",
    "Health",
    "Task",
    "call_back",
    "dead_letters",
    "enqueue",
    "enqueue_due_recurrences",
    "every",
    "health",
    "retry",
    "run_due",
    "task",
]
