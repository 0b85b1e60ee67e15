"""A writer of gifts: one thread, one database session, one stripe of the balances that nobody else uses."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from django.db import InterfaceError, OperationalError, connection, transaction

from commonweal.kernel import clock
from commonweal.kernel.errors import Refusal
from commonweal.kernel.ledger import stripe
from commonweal.kernel.parties import people
from commonweal.kernel.sql import prepared
from commonweal.services.giving.actions import gifts
from commonweal.services.giving.hot.batcher import Unreachable
from commonweal.services.giving.queries.campaigns import acting
from commonweal.services.giving.rules.gifts import Give


@dataclass(frozen=True, slots=True)
class Asked:
    """A wish to give, and the digest of the token in whose party's name it comes."""

    wish: Give
    token: bytes


class Writer:
    """Writes batches, each in one transaction, through the same action that takes a single gift."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "gifts")
        self._leased = False

    def open(self) -> None:
        """Connect and lease a stripe now rather than with the first batch; what fails is tried again then."""
        self._thread.submit(self._lease)

    async def write(self, batch: list[Asked]) -> Sequence[gifts.Taken | Refusal | None]:
        """The answers after the commit; None for who may not. Raises `Unreachable` if the session is lost."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._write, batch)

    def close(self) -> None:
        """End the thread, and give its session and stripe back."""
        self._thread.submit(self._end)
        self._thread.shutdown()

    def _end(self) -> None:
        if self._leased:
            with connection.cursor() as cursor:
                stripe.release(cursor)
        connection.close()

    def _lease(self) -> None:
        if not self._leased:
            with connection.cursor() as cursor:
                stripe.lease(cursor)
            self._leased = True

    def _write(self, batch: list[Asked]) -> Sequence[gifts.Taken | Refusal | None]:
        try:
            self._lease()
            with transaction.atomic(), prepared() as cursor:
                now = clock.now()
                parties = people.parties_of_tokens({asked.token for asked in batch}, now)
                wishes = _allowed(batch, parties)
                taken = iter(gifts.take(cursor, [wish for wish in wishes if wish], now))
                answers = [next(taken) if wish else None for wish in wishes]
        except (OperationalError, InterfaceError) as error:
            self._leased = False
            connection.close()
            raise Unreachable from error
        return answers


def _allowed(batch: list[Asked], parties: Mapping[bytes, uuid.UUID]) -> list[Give | None]:
    """Each wish, if its token holds: in its giver's name, or entered by an officer of the campaign's charity."""
    entered = {
        (parties[asked.token], asked.wish.campaign)
        for asked in batch
        if asked.wish.collected and asked.token in parties
    }
    officers = acting(entered) if entered else set()
    wishes: list[Give | None] = []
    for asked in batch:
        party = parties.get(asked.token)
        if party is None or (asked.wish.collected and (party, asked.wish.campaign) not in officers):
            wishes.append(None)
        else:
            wishes.append(asked.wish if asked.wish.collected else asked.wish.by(party))
    return wishes
