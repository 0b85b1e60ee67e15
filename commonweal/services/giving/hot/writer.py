"""A writer: one thread, one database session, one stripe of the balances that nobody else uses."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from django.db import InterfaceError, OperationalError, connection, transaction

from commonweal.kernel import clock
from commonweal.kernel.errors import Refusal
from commonweal.kernel.ledger import stripe
from commonweal.kernel.parties import people
from commonweal.kernel.proof.log import Cursor
from commonweal.kernel.sql import discard_plans, keep_plans, prepared
from commonweal.services.giving.actions import gifts
from commonweal.services.giving.hot.batcher import Unreachable
from commonweal.services.giving.hot.shards import Shards
from commonweal.services.giving.queries.campaigns import acting
from commonweal.services.giving.rules.gifts import Give

PLANS_KEPT = 5.0
"""Seconds: in a rush tables are soon no longer what they were when a plan was made, and their statistics lag behind."""

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Wish:
    """A wish to give, and the digest of the token in whose party's name it comes."""

    give: Give
    token: bytes

    @property
    def book(self) -> uuid.UUID:
        """Where it is written."""
        return self.give.campaign


class Writer(Generic[Asked, Answer]):
    """Carries batches, each in one transaction, through the same action that carries a single one."""

    def __init__(
        self,
        carry: Callable[[Cursor, list[Asked], datetime], Sequence[Answer]],
        book: Callable[[Asked], uuid.UUID],
        shards: Shards,
    ) -> None:
        self._carry, self._book, self._shards = carry, book, shards
        self._thread = ThreadPoolExecutor(1, carry.__name__)
        self._leased = False
        self._planned = 0.0

    def open(self) -> None:
        """Connect and lease a stripe now rather than with the first batch; what fails is tried again then."""
        self._thread.submit(self._lease)

    async def write(self, batch: list[Asked]) -> Sequence[Answer]:
        """The answers after the commit. Raises `Unreachable` if the session is lost."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._write, batch)

    def close(self) -> None:
        """End the thread, and give its session and stripe back."""
        self._thread.submit(self._end)
        self._thread.shutdown()

    def _end(self) -> None:
        """End the session: its lease and its plans are not for whomever the pool would give it to."""
        self._leased = False
        with suppress(OperationalError, InterfaceError):
            if connection.connection is not None:
                connection.connection.close()
        connection.close()

    def _lease(self) -> None:
        if not self._leased:
            keep_plans()
            with connection.cursor() as cursor:
                stripe.lease(cursor)
                self._shards.look(cursor)
            self._leased = True

    def _write(self, batch: list[Asked]) -> Sequence[Answer]:
        try:
            self._lease()
            with transaction.atomic(), prepared() as cursor:
                if time.monotonic() > self._planned + PLANS_KEPT:
                    discard_plans(cursor)
                    self._planned = time.monotonic()
                self._shards.learn(cursor, map(self._book, batch))
                return self._carry(cursor, batch, clock.now())
        except (OperationalError, InterfaceError) as error:
            self._end()
            raise Unreachable from error


def carry_gifts(cursor: Cursor, batch: list[Wish], now: datetime) -> list[gifts.Taken | Refusal | None]:
    """Take gifts; None for who may not."""
    parties = people.parties_of_tokens({asked.token for asked in batch}, now)
    wishes = _allowed(batch, parties)
    taken = iter(gifts.take(cursor, [wish for wish in wishes if wish], now))
    return [next(taken) if wish else None for wish in wishes]


def _allowed(batch: list[Wish], parties: Mapping[bytes, uuid.UUID]) -> list[Give | None]:
    """Each wish, if its token holds: in its giver's name, or entered by an officer of the campaign's charity."""
    entered = {
        (parties[asked.token], asked.give.campaign)
        for asked in batch
        if asked.give.collected and asked.token in parties
    }
    officers = acting(entered) if entered else set()
    wishes: list[Give | None] = []
    for asked in batch:
        party = parties.get(asked.token)
        if party is None or (asked.give.collected and (party, asked.give.campaign) not in officers):
            wishes.append(None)
        else:
            wishes.append(asked.give if asked.give.collected else asked.give.by(party))
    return wishes
