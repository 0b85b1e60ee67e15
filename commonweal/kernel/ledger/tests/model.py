"""The books as a plain Python list: every balance is computed anew from all that was ever accepted."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from commonweal.kernel.ledger import Account, Leg, Transfer


class Overdrawn(Exception):
    """A floor would be broken."""


class KeyReused(Exception):
    """The key stands for another request."""


class Wrong(Exception):
    """The database itself must refuse this."""


@dataclass
class Books:
    """Accepted transfers by key, in order."""

    accounts: dict[UUID, Account]
    accepted: dict[str, Transfer] = field(default_factory=dict)

    def sums(self, account: UUID) -> tuple[int, int, int]:
        """Posted (debit positive), promised debits, promised credits of an account."""
        resolved = {transfer.resolves for transfer in self.accepted.values()}
        posted = debit = credit = 0
        for transfer in self.accepted.values():
            for leg in (leg for leg in transfer.legs if leg.account == account):
                if transfer.phase in ("posted", "post"):
                    posted += leg.amount
                elif transfer.phase == "pending" and transfer.id not in resolved:
                    debit, credit = debit + max(leg.amount, 0), credit + max(-leg.amount, 0)
        return posted, debit, credit

    def available(self, account: Account) -> int:
        """What is there on the normal side, less what is promised away."""
        posted, debit, credit = self.sums(account.id)
        return posted - credit if account.side == 1 else -posted - debit

    def post(self, transfers: list[Transfer]) -> list[tuple[UUID, bool]]:
        """All or nothing, as `ledger.post` says."""
        after = Books(self.accounts, dict(self.accepted))
        for transfer in transfers:
            if transfer.key not in after.accepted:
                after.accepted[transfer.key] = transfer
        fresh = [t for t in after.accepted.values() if t.key not in self.accepted]
        if any(t.phase == "post" and self._expired(t) for t in fresh):
            raise Wrong
        touched = {leg.account for t in fresh for leg in (t.legs or self.promised(t))}
        for account in (self.accounts[id] for id in touched):
            if account.floor is not None and after.available(account) < account.floor:
                raise Overdrawn
        for transfer in transfers:
            if after.accepted[transfer.key].request != transfer.request:
                raise KeyReused
        answers = [(after.accepted[t.key].id, after.accepted[t.key] is not t) for t in transfers]
        self.accepted = after.accepted
        return answers

    def promised(self, resolution: Transfer) -> tuple[Leg, ...]:
        """The legs of the pending transfer that is resolved."""
        return next((t.legs for t in self.accepted.values() if t.id == resolution.resolves), ())

    def _expired(self, resolution: Transfer) -> bool:
        pending = next(t for t in self.accepted.values() if t.id == resolution.resolves)
        return pending.expires is not None and pending.expires <= resolution.at

    def open_pendings(self) -> list[Transfer]:
        """Pending transfers that nobody has resolved."""
        resolved = {transfer.resolves for transfer in self.accepted.values()}
        return [t for t in self.accepted.values() if t.phase == "pending" and t.id not in resolved]

    def expired(self, at: datetime) -> set[UUID]:
        """Of those, the ones whose time is over."""
        return {t.id for t in self.open_pendings() if t.expires is not None and t.expires <= at}
