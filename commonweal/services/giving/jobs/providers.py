"""What providers have settled, and what differs."""

from __future__ import annotations

from datetime import timedelta

from commonweal.kernel import clock
from commonweal.kernel.jobs import every, task
from commonweal.services.giving.actions import deeds as deed_actions
from commonweal.services.giving.actions import reconciliation
from commonweal.services.giving.payment import providers
from commonweal.services.giving.queries import (
    deeds,
)


@task("giving.reconcile")
def reconcile() -> None:
    """Compare the last three days' statements of all providers with the books: what came late is found again."""
    for source in providers().values():
        today = clock.now().astimezone(source.zone).date()
        for back in (3, 2, 1):
            reconciliation.reconcile(source, today - timedelta(days=back))


@task("giving.settle")
def settle() -> None:
    """Fix what sponsors' contracts that are over come to."""
    for contract in deeds.to_settle(clock.now()):
        deed_actions.settle(contract)


every(timedelta(days=1), reconcile)
every(timedelta(minutes=1), settle)
