"""Time banks: members, exchanges of minutes in one bank and between allied ones, disputes, leaving, clearing."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from django.db import IntegrityError, connection, transaction

from commonweal.kernel import clock
from commonweal.kernel.errors import Conflict, Invalid, NotAllowed, NotFound, Refusal
from commonweal.kernel.ledger import KeyReused, Overdrawn, audit
from commonweal.kernel.parties import people
from commonweal.kernel.parties.erasure import forget
from commonweal.kernel.parties.models import Party
from commonweal.kernel.text import Text
from commonweal.services.giving.actions import alliances, banks, clearings, exchanges, members
from commonweal.services.giving.clearing import statement
from commonweal.services.giving.queries import banks as queries
from commonweal.services.giving.queries import clearings as clearing_queries
from commonweal.services.giving.queries import exchanges as exchange_queries
from commonweal.services.giving.rules.banks import Asking, Outcome, Part, Side, Standing, Terms
from commonweal.services.giving.tests.conftest import DAY, NOW, somebody

FLOOR, BEARS, LIMIT = 120, 100, 90


@pytest.fixture(autouse=True)
def today() -> Iterator[None]:
    with clock.stopped(NOW):
        yield


@dataclass
class There:
    """A bank with its officer and its members, numbered from 1."""

    id: uuid.UUID
    officer: Party
    people: list[Party]


def found(name: str, *, size: int = 3) -> There:
    """A bank with members who can exchange."""
    officer = somebody(f"officer-{name}@test.example")
    organisation = people.register_organisation(Text(f"{name} street", f"{name} 街道"), f"TEST-{name.upper()}-0001")
    people.grant_role(officer, people.OFFICER, organisation)
    bank = banks.found(officer, organisation, Text(f"{name} time bank", f"{name}时间银行"), Terms(FLOOR, BEARS))
    listed = [somebody(f"{name}-{n}@test.example") for n in range(1, size + 1)]
    for person in listed:
        members.admit(officer, bank, members.join(person, bank, f"{name} neighbour"))
    return There(bank, officer, listed)


def ally(one: There, other: There, most: int = LIMIT) -> uuid.UUID:
    """Both agree."""
    alliance = alliances.propose(one.officer, one.id, other.id, most)
    alliances.accept(other.officer, other.id, alliance)
    return alliance


@pytest.fixture
def north(db: None) -> There:
    return found("north")


@pytest.fixture
def south(db: None) -> There:
    return found("south")


@pytest.fixture
def steward(db: None) -> Party:
    steward = somebody("bank-steward@test.example")
    people.grant_role(steward, people.STEWARD)
    return steward


def asking(there: There, *numbers: int, minutes: int = 60, side: Side = Side.GIVES, category: str = "care") -> Asking:
    return Asking(side, category, tuple(Part(there.id, number, minutes) for number in numbers))


def ask(there: There, n: int, wish: Asking, key: str = "k") -> list[exchange_queries.Exchange]:
    """The wish of the n-th member."""
    return exchange_queries.asked(there.id, exchanges.ask(there.people[n - 1], there.id, wish, key))


def exchange(there: There, payer: int, other: There, payee: int, minutes: int = 60) -> exchange_queries.Exchange:
    """Asked for by who was helped, confirmed by who helped."""
    (asked,) = ask(there, payer, asking(other, payee, minutes=minutes), str(uuid.uuid4()))
    exchanges.confirm(other.people[payee - 1], asked.book, asked.id)
    return exchange_queries.exchange(asked.book, asked.id)


def balances(there: There) -> list[int]:
    bank = queries.bank(there.id)
    found = [queries.member_of(there.id, person.id) for person in there.people]
    listed = queries.member_balances(bank, [each for each in found if each])
    return [listed[each.id][0] if each else 0 for each in found]


def check_books() -> None:
    """Every balance is its postings, every position its mirror, every bank's minutes sum to nothing."""
    with connection.cursor() as cursor:
        assert audit(cursor) == []
        cursor.execute("""
            SELECT b.book FROM ledger_balance b JOIN giving_bank g ON g.id = b.book
            GROUP BY b.book HAVING sum(b.posted) <> 0""")
        assert cursor.fetchall() == []
    assert clearing_queries.uneven() == []


def refused(code: str, kind: type[Refusal] = Refusal) -> pytest.RaisesExc[Refusal]:
    return pytest.raises(kind, match=code.replace(".", r"\."))


# Named failures of TimeOverflow, the commonest free time bank


def test_timeoverflow_469_one_gives_to_many_and_many_give_to_one_in_one_action(north: There, south: There) -> None:
    """coopdevs/timeoverflow #469: a group lesson was entered transfer by transfer."""
    ally(north, south)
    lesson = Asking(Side.ASKS, "lessons", (Part(north.id, 2, 30), Part(north.id, 3, 45), Part(south.id, 1, 60)))
    asked = ask(north, 1, lesson)
    assert [each.minutes for each in asked] == [30, 45, 60]
    assert balances(north) == [0, 0, 0]
    for each, person in zip(asked, [*north.people[1:], south.people[0]], strict=True):
        exchanges.confirm(person, each.book, each.id)
    assert (balances(north), balances(south)) == ([135, -30, -45], [-60, 0, 0])
    party = asking(north, 2, 3, minutes=40, category="culture")
    for each in ask(north, 1, party, "party"):
        exchanges.confirm(north.people[each.payee.number - 1], each.book, each.id)
    assert balances(north) == [55, 10, -5]
    with refused("balance.too-low", Overdrawn):  # all of them or none
        ask(north, 3, asking(north, 1, 2, minutes=60), "too-much")
    assert exchange_queries.waiting(queries.by_number(north.id, [3])[3].id) == []
    check_books()


def test_timeoverflow_702_every_exchange_has_a_category_and_reports_tell_them(north: There, south: There) -> None:
    """coopdevs/timeoverflow #702: transfers without a category made reports worthless."""
    ally(north, south)
    for wrong in ("", "everything", "Care"):
        with refused("exchange.category", Invalid):
            ask(north, 1, asking(north, 2, category=wrong))
    exchange(north, 1, north, 2, 30)
    exchange(north, 3, north, 2, 20)
    exchange(north, 1, south, 1, 40)
    (asked,) = ask(north, 3, asking(north, 1, minutes=10, category="home"), "home")
    exchanges.confirm(north.people[0], asked.book, asked.id)
    told = {
        line.category: (line.exchanges, line.people, line.minutes, line.with_allies)
        for line in queries.report(north.id)
    }
    # Of two people no sum is told, nor of the two who alone have exchanged with an ally.
    assert told == {"care": (3, 4, 90, None), "home": (1, 2, None, None)}
    assert [(line.category, line.exchanges) for line in queries.report(south.id)] == [("care", 1)]
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("""
            INSERT INTO giving_exchange SELECT book, gen_random_uuid(), asking, payer, payee, payee_bank, alliance,
                minutes, '', NULL, at, expires_at FROM giving_exchange LIMIT 1""")


def test_timeoverflow_789_members_of_allied_banks_exchange(north: There, south: There) -> None:
    """coopdevs/timeoverflow #789: transfers between banks, with both banks' consent and a limit on either side."""
    with refused("exchange.not-allied", Conflict):
        ask(north, 1, asking(south, 1))
    alliance = alliances.propose(north.officer, north.id, south.id, LIMIT)
    with refused("exchange.not-allied", Conflict):
        ask(north, 1, asking(south, 1))
    with refused("alliance.own", NotAllowed):
        alliances.accept(north.officer, north.id, alliance)
    alliances.accept(south.officer, south.id, alliance)
    exchange(north, 1, south, 1, 60)
    assert (balances(north), balances(south)) == ([-60, 0, 0], [60, 0, 0])
    assert (queries.allied(north.id, south.id).owed, queries.allied(south.id, north.id).owed) == (-60, 60)  # type: ignore[union-attr]
    with refused("balance.too-low", Overdrawn):
        ask(north, 2, asking(south, 1, minutes=LIMIT - 60 + 1))
    exchange(north, 2, south, 1, LIMIT - 60)
    exchange(south, 2, north, 2, 100)  # back beyond nothing, up to the limit on the other side
    assert queries.allied(north.id, south.id).owed == 10  # type: ignore[union-attr]
    check_books()


# Asking and answering


def test_the_other_side_confirms_and_nobody_else(north: There) -> None:
    (asked,) = ask(north, 1, asking(north, 2))
    payer, payee, third = north.people
    assert exchange_queries.exchange(asked.book, asked.id).standing is Standing.ASKED
    for person in (payer, third):
        with refused("exchange.side", NotAllowed):
            exchanges.confirm(person, asked.book, asked.id)
    with refused("exchange.side", NotAllowed):
        exchanges.turn_down(payee, asked.book, asked.id, Outcome.WITHDRAWN)
    assert balances(north) == [0, 0, 0]
    exchanges.confirm(payee, asked.book, asked.id)
    with refused("exchange.over", Conflict):
        exchanges.confirm(payee, asked.book, asked.id)
    with refused("exchange.over", Conflict):
        exchanges.turn_down(payee, asked.book, asked.id, Outcome.DECLINED)
    assert balances(north) == [-60, 60, 0]
    with refused("exchange.unknown", NotFound):
        exchanges.confirm(payee, north.id, uuid.uuid4())
    check_books()


@pytest.mark.parametrize("outcome", [Outcome.DECLINED, Outcome.WITHDRAWN, Outcome.EXPIRED])
def test_what_is_not_confirmed_is_free_again(north: There, outcome: Outcome) -> None:
    (asked,) = ask(north, 1, asking(north, 2, minutes=FLOOR))
    with refused("balance.too-low", Overdrawn):
        ask(north, 1, asking(north, 3, minutes=1), "held")
    if outcome is Outcome.EXPIRED:
        with clock.stopped(NOW + 14 * DAY):
            with refused("exchange.over", Conflict):
                exchanges.confirm(north.people[1], asked.book, asked.id)
            assert (exchanges.expire(), exchanges.expire()) == (1, 0)
    else:
        exchanges.turn_down(north.people[outcome is Outcome.DECLINED], asked.book, asked.id, outcome)
    assert exchange_queries.exchange(asked.book, asked.id).standing.value == outcome.value
    assert balances(north) == [0, 0, 0]
    exchange(north, 1, north, 3, FLOOR)
    check_books()


def test_the_same_key_is_the_same_wish(north: There) -> None:
    first = exchanges.ask(north.people[0], north.id, asking(north, 2), "k")
    assert exchanges.ask(north.people[0], north.id, asking(north, 2), "k") == first
    assert len(exchange_queries.of_member(queries.by_number(north.id, [1])[1].id)) == 1
    with pytest.raises(KeyReused):
        exchanges.ask(north.people[0], north.id, asking(north, 2, minutes=61), "k")
    assert exchanges.ask(north.people[1], north.id, asking(north, 1), "k") != first  # another member's key
    with refused("key.form", Invalid):
        exchanges.ask(north.people[0], north.id, asking(north, 2), "")


@pytest.mark.parametrize(
    ("numbers", "minutes", "code"),
    [
        ((2,), 0, "amount.too-small"),
        ((2,), -60, "amount.too-small"),
        ((2,), 1_441, "amount.too-large"),
        ((2,), 2**63, "amount.too-large"),
        ((1,), 60, "exchange.self"),
        ((99,), 60, "exchange.member"),
        ((), 60, "exchange.parts"),
        ((2, 2), 60, "exchange.parts"),
        (tuple(range(2, 53)), 1, "exchange.parts"),
    ],
)
def test_what_cannot_be_asked(north: There, numbers: tuple[int, ...], minutes: int, code: str) -> None:
    with refused(code, Invalid):
        ask(north, 1, asking(north, *numbers, minutes=minutes))
    check_books()


def test_the_floor_is_the_banks_and_the_last_minute_above_it_can_be_given(north: There) -> None:
    with refused("balance.too-low", Overdrawn):
        ask(north, 1, asking(north, 2, minutes=FLOOR + 1))
    exchange(north, 1, north, 2, FLOOR)
    with refused("balance.too-low", Overdrawn):
        ask(north, 1, asking(north, 2, minutes=1))
    # Asked for by who helped, nothing is held: the floor is asked of the confirmation.
    (asked,) = ask(north, 2, asking(north, 1, minutes=1, side=Side.ASKS))
    with refused("balance.too-low", Overdrawn):
        exchanges.confirm(north.people[0], asked.book, asked.id)
    check_books()


def test_whoever_is_in_two_banks_gives_themselves_nothing(north: There, south: There) -> None:
    ally(north, south)
    members.admit(south.officer, south.id, members.join(north.people[0], south.id, "the same"))
    with refused("exchange.self", Invalid):
        ask(north, 1, asking(south, 4))


# Disputes and returns


def test_a_dispute_is_decided_by_a_steward_and_the_difference_goes_back(
    north: There, south: There, steward: Party
) -> None:
    ally(north, south)
    made = exchange(north, 1, south, 2, 60)
    payer, payee = north.people[0], south.people[1]
    with refused("amount.too-large", Invalid):
        exchanges.dispute(payer, made.book, made.id, 60)
    with refused("exchange.side", NotAllowed):
        exchanges.dispute(north.people[2], made.book, made.id, 10)
    with clock.stopped(NOW + 15 * DAY), refused("exchange.not-open", Conflict):
        exchanges.dispute(payer, made.book, made.id, 10)
    with refused("exchange.not-open", Conflict):
        exchanges.decide(steward, made.book, made.id, 10)
    exchanges.dispute(payer, made.book, made.id, 10)
    assert [each.id for each in exchange_queries.disputes()] == [made.id]
    with pytest.raises(NotAllowed):
        exchanges.decide(payee, made.book, made.id, 10)
    people.grant_role(payee, people.STEWARD)
    with refused("exchange.own", NotAllowed):
        exchanges.decide(payee, made.book, made.id, 60)
    exchanges.decide(steward, made.book, made.id, 25)
    with refused("exchange.not-open", Conflict):
        exchanges.decide(steward, made.book, made.id, 25)
    assert (balances(north), balances(south)) == ([-25, 0, 0], [0, 25, 0])
    assert queries.allied(south.id, north.id).owed == 25  # type: ignore[union-attr]
    decided = exchange_queries.exchange(made.book, made.id)
    assert (decided.standing, decided.counts, decided.borne) == (Standing.SETTLED, 25, 0)
    assert exchange_queries.disputes() == []
    check_books()


def test_a_decision_that_nothing_goes_back_moves_nothing(north: There, steward: Party) -> None:
    made = exchange(north, 1, north, 2)
    exchanges.dispute(north.people[1], made.book, made.id, 0)
    exchanges.decide(steward, made.book, made.id, 60)
    assert balances(north) == [-60, 60, 0]
    assert exchange_queries.exchange(made.book, made.id).back == 0


def test_who_got_minutes_gives_them_back(north: There, south: There) -> None:
    ally(north, south)
    made = exchange(north, 1, south, 1)
    with refused("exchange.side", NotAllowed):
        exchanges.give_back(north.people[0], made.book, made.id)
    exchanges.give_back(south.people[0], made.book, made.id)
    with refused("exchange.not-open", Conflict):
        exchanges.give_back(south.people[0], made.book, made.id)
    assert (balances(north), balances(south)) == ([0, 0, 0], [0, 0, 0])
    assert queries.allied(north.id, south.id).owed == 0  # type: ignore[union-attr]
    check_books()


def test_what_is_spent_already_is_borne_by_all_and_stated(north: There, steward: Party) -> None:
    made = exchange(north, 1, north, 2, 100)
    exchange(north, 2, north, 3, 60)
    exchange(north, 2, north, 3, FLOOR + 40)  # the second member is at the floor now
    exchanges.dispute(north.people[0], made.book, made.id, 0)
    exchanges.decide(steward, made.book, made.id, 30)
    assert balances(north) == [-30, -FLOOR, 220]
    assert queries.common(queries.bank(north.id)) == -70
    assert exchange_queries.exchange(made.book, made.id).borne == 70
    check_books()


# Members who come and go


def test_members_are_let_in_by_another_officer(north: There) -> None:
    stranger = somebody("stranger@test.example")
    member = members.join(stranger, north.id, "Old Wang")
    assert members.join(stranger, north.id, "Old Wang") == member
    with refused("exchange.not-member", Conflict):
        exchanges.ask(stranger, north.id, asking(north, 1), "k")
    with refused("exchange.member", Invalid):
        ask(north, 1, asking(north, 4))
    with pytest.raises(NotAllowed):
        members.admit(stranger, north.id, member)
    with refused("member.unknown", NotFound):
        members.admit(north.officer, north.id, uuid.uuid4())
    with refused("member.own", NotAllowed):
        members.admit(north.officer, north.id, members.join(north.officer, north.id, "Me"))
    assert [each.number for each in queries.members(north.id, waiting=True)] == [4, 5]
    members.admit(north.officer, north.id, member)
    assert [each.name for each in queries.members(north.id)][-1] == "Old Wang"
    with refused("bank.unknown", NotFound):
        members.join(stranger, uuid.uuid4(), "Old Wang")


def test_who_leaves_leaves_what_is_left_to_all(north: There) -> None:
    exchange(north, 1, north, 2, 50)
    (asked,) = ask(north, 2, asking(north, 3, minutes=20))
    (wanted,) = ask(north, 3, asking(north, 2, minutes=5), "wanted")
    with refused("member.owes", Conflict):
        members.leave(north.people[0], north.id)
    members.leave(north.people[1], north.id)
    assert [exchange_queries.exchange(each.book, each.id).standing.value for each in (asked, wanted)] == [
        "withdrawn",
        "declined",
    ]
    assert queries.common(queries.bank(north.id)) == 50
    with refused("member.unknown", NotFound):
        members.leave(north.people[1], north.id)
    again = members.join(north.people[1], north.id, "Back again")
    assert queries.member(again).number == 4  # a new membership, from nothing
    with refused("member.own", NotAllowed):
        members.release(north.officer, north.id, members.join(north.officer, north.id, "Me"))
    members.release(north.officer, north.id, queries.by_number(north.id, [1])[1].id)
    assert queries.common(queries.bank(north.id)) == 0
    check_books()


def test_a_bank_bears_no_more_than_it_has_stated(north: There) -> None:
    exchange(north, 1, north, 2, FLOOR)
    owing = queries.by_number(north.id, [1])[1].id
    with refused("balance.too-low", Overdrawn):
        members.release(north.officer, north.id, owing)
    assert balances(north)[0] == -FLOOR


def test_nobody_leaves_out_of_a_dispute(north: There, steward: Party) -> None:
    made = exchange(north, 1, north, 2, 50)
    exchanges.dispute(north.people[0], made.book, made.id, 20)
    for person in north.people[:2]:
        with refused("member.disputed", Conflict):
            members.leave(person, north.id)
    exchanges.decide(steward, made.book, made.id, 50)
    members.leave(north.people[1], north.id)


def test_after_somebody_is_forgotten_the_sums_still_hold(north: There) -> None:
    exchange(north, 1, north, 2, 110)
    ask(north, 2, asking(north, 3, minutes=20))
    forget(north.people[0].id)  # owed 110, of which all bear what they can
    forget(north.people[1].id)
    assert queries.common(queries.bank(north.id)) == -BEARS + 110
    assert [each.number for each in queries.members(north.id)] == [3]
    check_books()


# Alliances and clearing


def test_alliances_are_of_two_banks_and_two_people(north: There, south: There) -> None:
    with refused("alliance.self", Invalid):
        alliances.propose(north.officer, north.id, north.id, 10)
    with refused("bank.unknown", NotFound):
        alliances.propose(north.officer, north.id, uuid.uuid4(), 10)
    for most, code in ((0, "amount.too-small"), (-1, "amount.too-small"), (2**63, "amount.too-large")):
        with refused(code, Invalid):
            alliances.propose(north.officer, north.id, south.id, most)
    with pytest.raises(NotAllowed):
        alliances.propose(south.officer, north.id, south.id, 10)
    proposed = alliances.propose(north.officer, north.id, south.id, 10)
    people.grant_role(south.officer, people.OFFICER, Party(id=queries.bank(north.id).organisation))
    with refused("alliance.own", NotAllowed):
        alliances.accept(south.officer, south.id, proposed)
    people.revoke_role(south.officer, people.OFFICER, Party(id=queries.bank(north.id).organisation))
    alliances.end(south.officer, south.id, proposed)  # declined
    with refused("alliance.over", Conflict):
        alliances.accept(south.officer, south.id, proposed)
    with refused("alliance.over", Conflict):
        alliances.end(south.officer, south.id, proposed)
    with refused("alliance.unknown", NotFound):
        alliances.accept(south.officer, south.id, uuid.uuid4())


def test_a_new_limit_is_a_new_alliance_and_what_is_owed_is_carried_over(north: There, south: There) -> None:
    first = ally(north, south)
    exchange(north, 1, south, 1, 80)
    narrow = alliances.propose(south.officer, south.id, north.id, 79)
    with refused("balance.too-low", Overdrawn):
        alliances.accept(north.officer, north.id, narrow)
    ally(south, north, 200)
    allied = queries.allied(north.id, south.id)
    assert allied and (allied.most, allied.owed, allied.id != first) == (200, -80, True)
    exchange(north, 2, south, 1, 120)
    check_books()


def test_an_ended_alliance_takes_nothing_new_and_what_waits_is_not_confirmed(north: There, south: There) -> None:
    alliance = ally(north, south)
    made = exchange(north, 1, south, 1, 30)
    (asked,) = ask(north, 1, asking(south, 2, minutes=10))
    alliances.end(north.officer, north.id, alliance)
    with refused("exchange.not-allied", Conflict):
        exchanges.confirm(south.people[1], asked.book, asked.id)
    with refused("exchange.not-allied", Conflict):
        ask(north, 1, asking(south, 2), "new")
    exchanges.turn_down(north.people[0], asked.book, asked.id, Outcome.WITHDRAWN)
    exchanges.give_back(south.people[0], made.book, made.id)
    assert queries.alliances(north.id) == []
    check_books()


def test_what_circles_between_three_banks_is_struck_out_and_published(north: There, south: There) -> None:
    west = found("west")
    for one, other in ((north, south), (south, west), (west, north)):
        ally(one, other)
    assert clearings.clear() is None
    exchange(north, 1, south, 1, 90)
    exchange(south, 2, west, 1, 70)
    exchange(west, 2, north, 2, 50)
    with refused("balance.too-low", Overdrawn):
        ask(north, 3, asking(south, 1, minutes=1))
    before = [balances(there) for there in (north, south, west)]
    id = clearings.clear()
    assert id is not None
    told = clearing_queries.clearing(id)
    assert (told.number, told.struck, told.told.owed) == (1, 150, 210)
    assert statement.wrong(told.told) == []
    assert sum(told.told.nets().values()) == 0
    owed = [queries.allied(a.id, b.id).owed for a, b in ((north, south), (south, west), (west, north))]  # type: ignore[union-attr]
    assert owed == [-40, -20, 0]
    assert [balances(there) for there in (north, south, west)] == before  # no member gains or loses by it
    exchange(north, 3, south, 1, 50)  # there is room again
    assert clearings.clear() is None
    check_books()


def test_what_is_promised_away_is_not_struck_out(north: There, south: There) -> None:
    west = found("west")
    for one, other in ((north, south), (south, west), (west, north)):
        ally(one, other)
    exchange(north, 1, south, 1, 90)
    exchange(south, 2, west, 1, 90)
    exchange(west, 2, north, 2, 90)
    ask(north, 3, asking(west, 1, minutes=100))  # possible only because the west owes 90
    id = clearings.clear()
    assert id is not None
    assert clearing_queries.clearing(id).struck == 3 * 80
    check_books()


def test_unknown_clearing(db: None) -> None:
    with refused("clearing.unknown", NotFound):
        clearing_queries.clearing(uuid.uuid4())
