"""Exchanges of minutes: asked for by one side, confirmed by the other, disputed, given back."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction

from commonweal.kernel import clock
from commonweal.kernel.errors import Conflict, Invalid
from commonweal.kernel.ids import derived, uuid7
from commonweal.kernel.jobs import enqueue
from commonweal.kernel.ledger import KeyReused, Leg, Transfer, check_key, post, request_hash, resolve
from commonweal.kernel.parties import people
from commonweal.kernel.parties.models import Party
from commonweal.kernel.proof import Fact, append
from commonweal.kernel.proof.log import Cursor
from commonweal.kernel.proof.verify import seal
from commonweal.kernel.text import Text
from commonweal.services.giving.actions.alliances import lock_positions
from commonweal.services.giving.actions.openings import opening
from commonweal.services.giving.queries import banks
from commonweal.services.giving.queries import exchanges as queries
from commonweal.services.giving.queries.exchanges import Exchange
from commonweal.services.giving.rules import banks as rules
from commonweal.services.giving.rules.banks import Outcome, Standing


@transaction.atomic
def ask(person: Party, bank: uuid.UUID, asking: rules.Asking, key: str) -> uuid.UUID:
    """Ask for exchanges with one or many others, all or none of them; returns the asking. Same key, same asking.

    Whoever gives minutes has them held until the others confirm; whoever asks for minutes holds nobody's. Raises what
    `rules.banks.check_asking` and `check_other` raise, `Invalid` (`exchange.member`), `Conflict`
    (`exchange.not-member`, `exchange.not-allied`), `Overdrawn` below the member's floor or beyond an alliance's limit,
    and `KeyReused`.
    """
    rules.check_asking(asking)
    now, id = clock.now(), uuid7()
    mine = banks.member_of(bank, person.id)
    if mine is None or not mine.active:
        raise not_member()
    with connection.cursor() as cursor:
        if earlier := _known(cursor, mine, id, asking, check_key(key), now):
            return earlier
        if any(part.bank != bank for part in asking.parts):
            lock_positions(cursor)
        named = sorted(uuid7() for _ in asking.parts)  # so that they are read in the order asked
        wanted = [_wanted(cursor, mine, part, asking, each) for part, each in zip(asking.parts, named, strict=True)]
        post(cursor, [each.hold(now) for each in wanted if each.gives])  # at once, so in one order for everybody
        for each in wanted:
            _write(cursor, each, id, asking.category, now)
    return id


@dataclass(frozen=True, slots=True)
class _Wanted:
    """An exchange before it is written. The payer `gives` if it is they who ask."""

    id: uuid.UUID
    payer: banks.Member
    payee: banks.Member
    alliance: uuid.UUID | None
    minutes: int
    gives: bool

    @property
    def held(self) -> uuid.UUID | None:
        """What holds the minutes."""
        return derived(self.id, "hold") if self.gives else None

    def hold(self, now: datetime) -> Transfer:
        """The minutes leave the payer and are nobody's until the other side has answered."""
        legs = _moved(self.payer.bank, self.payer.id, self.payee.bank, self.payee.id, self.minutes, self.alliance)
        request = request_hash("hold", str(self.id))
        return Transfer(
            self.payer.bank, f"hold {self.id}", request, "giving.exchange", legs[self.payer.bank], now,
            phase="pending", id=derived(self.id, "hold"),
        )  # fmt: skip


def _known(
    cursor: Cursor, mine: banks.Member, id: uuid.UUID, asking: rules.Asking, key: str, now: datetime
) -> uuid.UUID | None:
    """The asking that this key has made before; None if it is made now."""
    parts = [(str(part.bank), part.number, part.minutes) for part in asking.parts]
    request = request_hash("exchange", asking.side.value, asking.category, parts)
    cursor.execute(
        """
        INSERT INTO giving_asking (book, id, member, key, request, at) VALUES (%s, %s, %s, %s, %s, %s)
        ON CONFLICT (book, member, key) DO NOTHING RETURNING id
        """,
        [mine.bank, id, mine.id, key, request, now],
    )
    if cursor.fetchone():
        return None
    cursor.execute(
        "SELECT id, request FROM giving_asking WHERE book = %s AND member = %s AND key = %s", [mine.bank, mine.id, key]
    )
    earlier, said = cursor.fetchone()
    if bytes(said) != request:
        raise KeyReused(key)
    return uuid.UUID(str(earlier))


def _wanted(cursor: Cursor, mine: banks.Member, part: rules.Part, asking: rules.Asking, id: uuid.UUID) -> _Wanted:
    alliance = _alliance(cursor, mine.bank, part.bank)
    other = banks.by_number(part.bank, [part.number]).get(part.number)
    if other is None:
        raise Invalid(
            "exchange.member",
            Text("There is no member with the number {n}.", "没有编号为 {n} 的成员。").format(n=part.number),
            field="numbers",
        )
    rules.check_other(mine.person, other.person)
    gives = asking.side is rules.Side.GIVES
    payer, payee = (mine, other) if gives else (other, mine)
    return _Wanted(id, payer, payee, alliance, part.minutes, gives)


def _write(cursor: Cursor, wanted: _Wanted, asked: uuid.UUID, category: str, now: datetime) -> None:
    cursor.execute(
        """
        INSERT INTO giving_exchange (book, id, asking, payer, payee, payee_bank, alliance, minutes, category, held, at,
                                     expires_at)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        """,
        [wanted.payer.bank, wanted.id, asked, wanted.payer.id, wanted.payee.id, wanted.payee.bank, wanted.alliance,
         wanted.minutes, category, wanted.held, now, now + rules.ANSWER_WITHIN],
    )  # fmt: skip
    enqueue("giving.tell_exchange", book=str(wanted.payer.bank), id=str(wanted.id))


@transaction.atomic
def confirm(person: Party, book: uuid.UUID, id: uuid.UUID) -> None:
    """The other side confirms: the minutes move, in one bank or in both. Raises `NotFound` (`exchange.unknown`),
    `NotAllowed` (`exchange.side`), `Conflict` (`exchange.over`, `exchange.not-member`, `exchange.not-allied`) and
    `Overdrawn`.
    """
    now = clock.now()
    with connection.cursor() as cursor:
        found = _locked(cursor, book, id)
        rules.check_answer(found.rule, person.id, Outcome.CONFIRMED, now)
        if found.payer.left or found.payee.left:
            raise not_member()
        if found.alliance:
            lock_positions(cursor)
            if _alliance(cursor, book, found.payee.bank) != found.alliance:
                raise not_allied()
        moved = _moved(book, found.payer.member, found.payee.bank, found.payee.member, found.minutes, found.alliance)
        transfers = [
            Transfer(at, f"exchange {id}", request_hash("exchange", str(id)), "giving.exchange", legs, now)
            for at, legs in moved.items()
        ]
        if found.held:
            request = request_hash("post", str(found.held))
            transfers[0] = Transfer(
                book, f"resolve {found.held}", request, "post", moved[book], now, phase="post", resolves=found.held
            )
        posted = post(cursor, transfers)
        fields = {"bank": str(book), "exchange": str(id), "minutes": found.minutes, "category": found.category}
        between = {"other": str(found.payee.bank)} if found.alliance else {}
        fact_id = uuid7()
        fact = Fact("giving.exchange", now, fields | between, seal(*opening(found.payee.person, fact_id)), fact_id)
        cursor.execute(
            "INSERT INTO giving_exchange_end (book, id, outcome, moved, fact, at) VALUES (%s, %s, %s, %s, %s, %s)",
            [book, id, Outcome.CONFIRMED.value, posted[0].id, fact.id, now],
        )
        append(cursor, fact)
        enqueue("giving.tell_exchange", book=str(book), id=str(id))


@transaction.atomic
def turn_down(person: Party, book: uuid.UUID, id: uuid.UUID, outcome: Outcome) -> None:
    """The other side declines, or the asking side withdraws; nothing moves. Raises what `check_answer` raises."""
    with connection.cursor() as cursor:
        found = _locked(cursor, book, id)
        rules.check_answer(found.rule, person.id, outcome, clock.now())
        _end(cursor, found, outcome)


def expire() -> int:
    """End what nobody has answered in time; returns how many."""
    number = 0
    for each in queries.over(clock.now()):
        with transaction.atomic(), connection.cursor() as cursor:
            found = _alone(cursor, each.book, each.id)
            if found.standing is Standing.ASKED:
                _end(cursor, found, Outcome.EXPIRED)
                number += 1
    return number


def end_waiting(cursor: Cursor, member: uuid.UUID) -> None:
    """End what somebody who leaves has asked for or has not answered."""
    for each in queries.waiting(member):
        found = _alone(cursor, each.book, each.id)
        if found.standing is Standing.ASKED:
            _end(cursor, found, Outcome.WITHDRAWN if found.asker.member == member else Outcome.DECLINED)


@transaction.atomic
def dispute(person: Party, book: uuid.UUID, id: uuid.UUID, minutes: int) -> None:
    """Either side says, within 14 days, that it was only so long. Raises what `check_dispute` raises."""
    now = clock.now()
    with connection.cursor() as cursor:
        found = _locked(cursor, book, id)
        rules.check_dispute(found.rule, person.id, minutes, now)
        member = found.payer.member if person.id == found.payer.person else found.payee.member
        cursor.execute(
            "INSERT INTO giving_exchange_dispute (book, id, member, minutes, at) VALUES (%s, %s, %s, %s, %s)",
            [book, id, member, minutes, now],
        )
        enqueue("giving.tell_exchange", book=str(book), id=str(id))


@transaction.atomic
def decide(steward: Party, book: uuid.UUID, id: uuid.UUID, minutes: int) -> None:
    """A steward ends a dispute: it was `minutes`; what is more goes back, for good.

    Raises `NotAllowed` (also of one's own exchange: `exchange.own`), `Conflict` (`exchange.not-open`), `Invalid` and
    `Overdrawn` when an alliance's limit or what a bank bears would be passed: it can be decided after a clearing.
    """
    people.require_role(steward, people.STEWARD)
    with connection.cursor() as cursor:
        found = _locked(cursor, book, id)
        rules.check_decision(found.rule, steward.id, minutes)
        _give_back(cursor, found, steward, found.minutes - minutes)


@transaction.atomic
def give_back(person: Party, book: uuid.UUID, id: uuid.UUID) -> None:
    """Whoever got the minutes gives all of them back. Raises what `check_give_back` raises, and `Overdrawn`."""
    with connection.cursor() as cursor:
        found = _locked(cursor, book, id)
        rules.check_give_back(found.rule, person.id)
        _give_back(cursor, found, person, found.minutes)


def not_member() -> Conflict:
    """Whoever is not let in yet, or has left, cannot exchange."""
    return Conflict(
        "exchange.not-member",
        Text("Both have to be members of their time banks.", "双方都须是时间银行的正式成员。"),
    )


def not_allied() -> Conflict:
    """Two banks without an alliance."""
    return Conflict(
        "exchange.not-allied",
        Text("The two time banks are not allied (any more).", "两家时间银行尚未结盟，或已终止结盟。"),
        field="bank",
    )


def _alliance(cursor: Cursor, bank: uuid.UUID, other: uuid.UUID) -> uuid.UUID | None:
    """The alliance of two banks, kept as it is until the end of the transaction; None within one bank.

    Raises `Conflict` (`exchange.not-allied`).
    """
    if bank == other:
        return None
    cursor.execute(
        """
        SELECT id FROM giving_alliance
        WHERE (one, other) IN ((%(a)s, %(b)s), (%(b)s, %(a)s)) AND accepted_at IS NOT NULL AND ended_at IS NULL
        FOR SHARE
        """,
        {"a": bank, "b": other},
    )
    found = cursor.fetchone()
    if found is None:
        raise not_allied()
    return uuid.UUID(str(found[0]))


def _locked(cursor: Cursor, book: uuid.UUID, id: uuid.UUID) -> Exchange:
    """An exchange for a change: first its two memberships, then itself. Raises `NotFound` (`exchange.unknown`)."""
    found = queries.exchange(book, id)
    both = [found.payer.member, found.payee.member]
    cursor.execute("SELECT FROM giving_bank_member WHERE id = ANY(%s) ORDER BY id FOR SHARE", [both])
    return _alone(cursor, book, id)


def _alone(cursor: Cursor, book: uuid.UUID, id: uuid.UUID) -> Exchange:
    cursor.execute("SELECT FROM giving_exchange WHERE book = %s AND id = %s FOR UPDATE", [book, id])
    return queries.exchange(book, id)


def _moved(
    book: uuid.UUID, payer: uuid.UUID, other: uuid.UUID, payee: uuid.UUID, minutes: int, alliance: uuid.UUID | None
) -> dict[uuid.UUID, tuple[Leg, ...]]:
    return _balanced([(book, f"member:{payer}", minutes), (other, f"member:{payee}", -minutes)], alliance)


def _balanced(
    entries: Iterable[tuple[uuid.UUID, str, int]], alliance: uuid.UUID | None
) -> dict[uuid.UUID, tuple[Leg, ...]]:
    """The legs of each book, the first named first: between two books, what one is short the other owes it."""
    legs: dict[uuid.UUID, list[Leg]] = {}
    for book, name, amount in entries:
        if amount:
            legs.setdefault(book, []).append(Leg(derived(book, name), amount))
    if alliance:
        for book, there in legs.items():
            there.append(Leg(derived(book, f"ally:{alliance}"), -sum(leg.amount for leg in there)))
    return {book: tuple(there) for book, there in legs.items()}


def _end(cursor: Cursor, found: Exchange, outcome: Outcome) -> None:
    now = clock.now()
    if found.held:
        resolve(cursor, found.book, found.held, "void", now)
    cursor.execute(
        "INSERT INTO giving_exchange_end (book, id, outcome, at) VALUES (%s, %s, %s, %s)",
        [found.book, found.id, outcome.value, now],
    )
    enqueue("giving.tell_exchange", book=str(found.book), id=str(found.id))


def _give_back(cursor: Cursor, found: Exchange, by: Party, back: int) -> None:
    now, alliance, moved, borne = clock.now(), found.alliance, None, 0
    if back:
        if alliance:
            lock_positions(cursor)
            later = banks.allied(found.book, found.payee.bank)
            alliance = later.id if later else alliance
        borne = back if found.payee.left else rules.borne(back, _free(found.payee))
        payer = "common" if found.payer.left else f"member:{found.payer.member}"
        entries = [
            (found.book, payer, -back),
            (found.payee.bank, f"member:{found.payee.member}", back - borne),
            (found.payee.bank, "common", borne),
        ]
        request = request_hash("back", str(found.id))
        transfers = [
            Transfer(book, f"back {found.id}", request, "giving.exchange-back", legs, now)
            for book, legs in _balanced(entries, alliance).items()
        ]
        moved = post(cursor, transfers)[0].id
    fields = {"bank": str(found.book), "exchange": str(found.id), "minutes": back, "borne": borne}
    fact = Fact("giving.exchange-back", now, fields)
    cursor.execute(
        """
        INSERT INTO giving_exchange_back (book, id, minutes, borne, by, moved, fact, at)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
        """,
        [found.book, found.id, back, borne, by.id, moved, fact.id, now],
    )
    append(cursor, fact)
    enqueue("giving.tell_exchange", book=str(found.book), id=str(found.id))


def _free(side: queries.Party) -> int:
    bank = banks.bank(side.bank)
    account = banks.member_account(bank.id, side.member, bank.may_owe)
    return banks.balances([account])[account.name][1]
