"""A model of a campaign's money that keeps every single unit by itself, and knows nothing of ledgers and SQL.

Each method says what an event comes to; `test_machine` does the same to the platform and compares.
"""

from __future__ import annotations

import math
import uuid
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction

HOST_PERCENT = 5
MATCH_CAP = 20
"""The pool matches half of a gift, at most so much."""
COLLECTED, PROVIDER, MATCHING = "collected", "simulator", "matching"


@dataclass
class Unit:
    """One fen in the fund's line, and what has become of it."""

    gift: uuid.UUID
    fate: str = "free"


@dataclass
class Back:
    """A refund: of a gift, or of a card (`shares` is then empty)."""

    amount: int
    shares: dict[str, int]
    standing: str


@dataclass
class Dispute:
    """A chargeback."""

    amount: int
    shares: dict[str, int]
    fund: int
    at: datetime
    won: bool = False
    fee: int = 0

    @property
    def host(self) -> int:
        return self.shares["host"] + self.shares["tip"]


@dataclass
class Card:
    """A gift card: what of it can be given or refunded, and its refunds."""

    code: str
    left: int
    refunds: dict[uuid.UUID, Back] = field(default_factory=dict)


@dataclass
class Gift:
    """A gift. `host` and `processor` are what those have kept of it."""

    amount: int
    channel: str
    at: datetime
    held: int = 0
    paid: bool = False
    in_time: bool = True
    counted: int = 0
    tip: int = 0
    host: int = 0
    processor: int = 0
    told: bool = False
    paid_at: datetime | None = None
    settled: bool = False
    match: uuid.UUID | None = None
    matched_again: int = 0
    """What of a match that was taken back a won chargeback has dealt with: matched again, or not for want of money."""
    card: uuid.UUID | None = None
    refunds: dict[uuid.UUID, Back] = field(default_factory=dict)
    disputes: dict[str, Dispute] = field(default_factory=dict)

    @property
    def whole(self) -> int:
        return self.amount + self.tip

    @property
    def charged(self) -> int:
        return sum(each.amount for each in self.disputes.values())

    def refunded(self, *standings: str) -> int:
        return sum(each.amount for each in self.refunds.values() if each.standing in standings)

    def gone(self, *, won: bool = True) -> int:
        """What of the gift, without its tip, is gone for a match; with what of it was `won` again, or without."""
        back = [each for each in self.refunds.values() if each.standing in ("done", "bounced")]
        every: list[Back | Dispute] = [*back, *(each for each in self.disputes.values() if won or not each.won)]
        return min(self.amount, sum(each.amount - each.shares["tip"] for each in every))

    def divide(self, amount: int, gone: Iterable[Mapping[str, int]]) -> dict[str, int]:
        """What each party returns of `amount`: in proportion to what is left of its part, by largest remainders."""
        left = {
            "campaign": self.amount - self.host - self.processor, "host": self.host, "processor": self.processor,
            "tip": self.tip,
        }  # fmt: skip
        for shares in gone:
            left = {party: part - shares[party] for party, part in left.items()}
        exact = {party: Fraction(part * amount, sum(left.values())) for party, part in left.items()}
        shares = {party: math.floor(part) for party, part in exact.items()}
        missing = amount - sum(shares.values())
        for party in sorted(exact, key=lambda party: (shares[party] - exact[party], party))[:missing]:
            shares[party] += 1
        return shares


class Model:
    """All that a campaign with one pool has, by account (`sums`) and by unit (`line`)."""

    def __init__(self, now: datetime, close: datetime, pool: int) -> None:
        self.now, self.close = now, close
        self.left = pool
        """What of the pool is not paid."""
        self.settled = False
        self.line: list[Unit] = []
        self.gifts: dict[uuid.UUID, Gift] = {}
        self.cards: dict[uuid.UUID, Card] = {}
        self.sums: Counter[str] = Counter({"provider:collected": pool})

    # What there is to choose from

    def paid(self, channel: str | None = None) -> list[uuid.UUID]:
        """Gifts of people that have arrived."""
        return [
            id
            for id, gift in self.gifts.items()
            if gift.paid and gift.channel != MATCHING and channel in (None, gift.channel)
        ]

    def unpaid(self) -> list[uuid.UUID]:
        return [id for id, gift in self.gifts.items() if not gift.paid]

    def untold(self) -> list[uuid.UUID]:
        """Gifts of the provider whose fee can be told: none of them has gone back, so that the parts are one story."""
        return [
            id
            for id in self.unsettled(settled=True)
            if not (self.gifts[id].told or self.gifts[id].refunds or self.gifts[id].disputes)
        ]

    def unsettled(self, *, settled: bool = False) -> list[uuid.UUID]:
        """Payments of the provider that it has not settled, or all of them."""
        return [id for id in self.paid(PROVIDER) if self.gifts[id].paid_at and (settled or not self.gifts[id].settled)]

    def disputed(self) -> list[tuple[uuid.UUID, str]]:
        """Chargebacks that are not won."""
        return [
            (id, reference)
            for id, gift in self.gifts.items()
            for reference, dispute in gift.disputes.items()
            if not dispute.won
        ]

    def sent(self) -> list[tuple[uuid.UUID, uuid.UUID]]:
        """Refunds of which the provider can report, with their gifts or cards."""
        gifts = ((id, gift.refunds) for id, gift in self.gifts.items() if gift.channel == PROVIDER)
        cards = ((id, card.refunds) for id, card in self.cards.items())
        return [(id, refund) for refunds in (gifts, cards) for id, each in refunds for refund in each]

    def mine(self, id: uuid.UUID | None, *fates: str) -> list[Unit]:
        return [unit for unit in self.line if unit.gift == id and unit.fate in fates]

    def free(self) -> list[Unit]:
        return [unit for unit in self.line if unit.fate == "free"]

    def held(self) -> int:
        """What the host will return when the refunds under way are done."""
        every = (each for gift in self.gifts.values() for each in gift.refunds.values() if each.standing == "held")
        return sum(each.shares["host"] + each.shares["tip"] for each in every)

    # Giving

    def promise(self, id: uuid.UUID, amount: int, channel: str, tip: int = 0) -> None:
        reserved = sum(gift.held for gift in self.gifts.values())
        held = min(amount // 2, MATCH_CAP, self.left - reserved) if self.now < self.close else 0
        self.gifts[id] = Gift(amount, channel, self.now, held, in_time=self.now < self.close, tip=tip)

    def arrive(self, id: uuid.UUID) -> None:
        gift = self.gifts[id]
        gift.paid, gift.paid_at = True, self.now
        self.sums[f"provider:{gift.channel}"] += gift.whole
        self._lay(id)

    def _lay(self, id: uuid.UUID, *, again: bool = False) -> None:
        """A gift is laid; the host keeps its share of it, unless it had that before (`again`)."""
        gift = self.gifts[id]
        units = [Unit(id) for _ in range(gift.amount)]
        self.line += units
        gift.host = 0 if again else gift.amount * HOST_PERCENT // 100
        for unit in units[: gift.host]:
            unit.fate = "fee"
        self.sums["host"] += gift.host + gift.tip

    def expire(self, late: timedelta) -> None:
        self.now += late
        for gift in self.gifts.values():
            if not gift.paid:
                gift.held = 0

    def pay_twice(self, id: uuid.UUID) -> None:
        """What does not go back is owed."""
        self.sums["provider:simulator"] += self.gifts[id].whole
        self.sums["owed"] += self.gifts[id].whole

    # Gift cards

    def buy_card(self, id: uuid.UUID, code: str, amount: int, fee: int) -> None:
        self.cards[id] = Card(code, amount)
        self.sums["cards"] += amount
        self.sums["provider:simulator"] += amount - fee
        self.sums["borne"] += fee

    def use_card(self, id: uuid.UUID, gift: uuid.UUID, amount: int) -> None:
        self.cards[id].left -= amount
        self.sums["cards"] -= amount
        self._leave(amount)
        self.promise(gift, amount, COLLECTED)
        self.gifts[gift].card = id
        self.arrive(gift)

    def refund_card(self, id: uuid.UUID, refund: uuid.UUID, amount: int) -> None:
        card = self.cards[id]
        card.left -= amount
        card.refunds[refund] = Back(amount, {}, "held")

    def _onto_card(self, id: uuid.UUID, amount: int) -> None:
        """What was given of a card is on it again; what waits to be paid out is paid of it first."""
        waiting = min(amount, self.sums["payable"])
        self.sums["payable"] -= waiting
        self.sums["provider:collected"] += amount - waiting
        self.sums["cards"] += amount
        self.cards[id].left += amount

    # Fees, settlements, matches, payouts

    def tell_fee(self, id: uuid.UUID, fee: int) -> None:
        """The provider's fee: from what is free of its gift, the rest is owed by the charity."""
        gift = self.gifts[id]
        gift.processor, gift.told = fee, True
        self._take_fee(id, fee)

    def tell_fee_of_dispute(self, id: uuid.UUID, reference: str, fee: int) -> None:
        self.gifts[id].disputes[reference].fee = fee
        self._take_fee(id, fee)

    def _take_fee(self, id: uuid.UUID, fee: int) -> None:
        free = self.mine(id, "free")[:fee]
        for unit in free:
            unit.fate = "fee"
        self.sums["receivable"] += fee - len(free)
        self.sums["provider:simulator"] -= fee

    def settle_provider(self, ids: Iterable[uuid.UUID], net: int) -> None:
        for id in ids:
            self.gifts[id].settled = True
        self.sums["provider:simulator"] -= net
        self.sums["bank"] += net
        waiting = min(self.sums["payable"], self.sums["bank"])
        self.sums["payable"] -= waiting
        self.sums["bank"] -= waiting

    def matched(self) -> dict[uuid.UUID, int]:
        """The pool is settled: gifts are matched in the order they were made."""
        made: dict[uuid.UUID, int] = {}
        for id, gift in sorted(self.gifts.items(), key=lambda each: (each[1].at, each[0])):
            gift.held = 0
            counts = gift.amount - gift.gone()
            match = min(counts // 2, MATCH_CAP, self.left) if gift.paid and gift.in_time else 0
            if match:
                made[id], gift.counted = match, counts
                self.left -= match
        self.settled = True
        return made

    def match(self, id: uuid.UUID, gift: uuid.UUID, amount: int) -> None:
        self.gifts[gift].match = id
        self.gifts[id] = Gift(amount, MATCHING, self.now, paid=True)
        self._lay(id)

    def disburse(self, request: uuid.UUID, amount: int) -> None:
        for unit in self.free()[:amount]:
            unit.fate = request.hex
        self._leave(amount)

    def _leave(self, amount: int) -> None:
        """Money leaves: from the bank, from what the charity has collected, the rest when the provider settles."""
        for account in ("bank", "provider:collected"):
            there = min(amount, max(0, self.sums[account]))
            self.sums[account] -= there
            amount -= there
        self.sums["payable"] += amount

    # Money back

    def shares(self, id: uuid.UUID, amount: int) -> dict[str, int] | None:
        """What each party returns of a refund; None if so much cannot go back."""
        gift = self.gifts[id]
        if amount > gift.whole - gift.refunded("held", "done", "bounced"):
            return None
        shares = gift.divide(amount, [each.shares for each in gift.refunds.values() if each.standing != "failed"])
        spent = shares["campaign"] > len(self.mine(id, "free"))
        host = shares["host"] + shares["tip"]
        # All of it may be with the provider: then nothing of ours goes back.
        return None if spent or host > self.sums["host"] - self.held() or shares["processor"] == amount else shares

    def refund(self, id: uuid.UUID, refund: uuid.UUID, amount: int, shares: dict[str, int]) -> None:
        gift, free = self.gifts[id], self.mine(id, "free")
        done = gift.channel == COLLECTED
        gift.refunds[refund] = Back(amount, shares, "done" if done else "held")
        for unit in free[: shares["campaign"]]:
            unit.fate = "back" if done else f"held {refund}"
        if done:
            self.sums["host"] -= shares["host"] + shares["tip"]
            self._leave(amount - shares["processor"])
            self._claw(id)
            if gift.card:
                self._onto_card(gift.card, amount)

    def reported(self, id: uuid.UUID, refund: uuid.UUID, *, succeeded: bool) -> str:
        """A refund is reported to be done or failed: the standing that it had before."""
        card = self.cards.get(id)
        back = card.refunds[refund] if card else self.gifts[id].refunds[refund]
        before, out = back.standing, back.amount - back.shares.get("processor", 0)
        if before == "held":
            back.standing = "done" if succeeded else "failed"
            for unit in self.mine(id, f"held {refund}"):
                unit.fate = "back" if succeeded else "free"
            if succeeded:  # the provider gives its own part back by itself
                self.sums["provider:simulator"] -= out
                self.sums["host"] -= back.shares.get("host", 0) + back.shares.get("tip", 0)
                self.sums["cards"] -= back.amount if card else 0
                self._claw(id)
            elif card:
                card.left += back.amount
        elif before == "done" and not succeeded:
            back.standing = "bounced"
            self.sums["provider:simulator"] += back.amount
            self.sums["owed"] += back.amount
        return before

    def charge_back(self, id: uuid.UUID, reference: str, amount: int) -> None:
        gift = self.gifts[id]
        for refund, under_way in gift.refunds.items():
            if under_way.standing == "held":
                under_way.standing = "failed"
                for unit in self.mine(id, f"held {refund}"):
                    unit.fate = "free"
        shares = gift.divide(amount, [each.shares for each in gift.disputes.values()])
        taken = self.mine(id, "free")[: shares["campaign"]]
        for unit in taken:
            unit.fate = "back"
        dispute = gift.disputes[reference] = Dispute(amount, shares, len(taken), self.now)
        there = min(dispute.host, self.sums["host"])
        self.sums["host"] -= there
        self.sums["borne"] += dispute.host - there
        self.sums["receivable"] += shares["campaign"] - len(taken) + shares["processor"]
        self.sums["provider:simulator"] -= amount
        self._claw(id)

    def win(self, id: uuid.UUID, reference: str, fresh: Mapping[str, uuid.UUID]) -> set[str]:
        """A chargeback is won: what the fund had lost is a `fresh` gift, and what a pool had taken back matches it.

        Returns the channels of the gifts that there have to be.
        """
        gift, dispute = self.gifts[id], self.gifts[id].disputes[reference]
        dispute.won = True
        owed = dispute.amount - dispute.fund - dispute.host
        open_debt, open_borne = min(owed, self.sums["receivable"]), min(dispute.host, self.sums["borne"])
        self.sums["receivable"] -= open_debt
        self.sums["borne"] -= open_borne
        self.sums["host"] += dispute.host - open_borne
        self._leave(owed - open_debt)
        self.sums["provider:simulator"] += dispute.amount
        made = {PROVIDER: dispute.fund} if dispute.fund else {}
        if gift.match and (wish := self._taken(gift.match) - gift.matched_again - self._due(gift, won=False)) > 0:
            gift.matched_again += wish
            if dispute.fund and (there := min(wish, self.left)):
                made[MATCHING] = there
                self.left -= there
        for channel, amount in made.items():
            if channel in fresh:
                self.gifts[fresh[channel]] = Gift(amount, channel, gift.at, paid=True, in_time=gift.in_time)
        if MATCHING in made and set(fresh) == set(made):
            self.gifts[fresh[PROVIDER]].match, self.gifts[fresh[PROVIDER]].counted = fresh[MATCHING], dispute.fund
        for again in fresh.values():
            self._lay(again, again=True)
        return set(made)

    def repay(self, amount: int) -> None:
        self.sums["receivable"] -= amount
        self.sums["provider:collected"] += amount

    def _claw(self, id: uuid.UUID) -> None:
        gift = self.gifts.get(id)
        if gift is None or gift.match is None:
            return
        due = self._due(gift) - self._taken(gift.match)
        for unit in self.mine(gift.match, "free")[: max(0, due)]:
            unit.fate = "back"
            self.left += 1

    def _due(self, gift: Gift, *, won: bool = True) -> int:
        """What of the match of a gift goes back to the pool, for what is gone of the gift."""
        whole = self.gifts[gift.match].amount if gift.match else 0
        gone = max(0, gift.gone(won=won) - (gift.amount - gift.counted))
        return whole - whole * (gift.counted - gone) // gift.counted

    def _taken(self, match: uuid.UUID) -> int:
        return len(self.mine(match, "back"))
