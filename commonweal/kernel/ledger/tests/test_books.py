import threading
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from django.db import IntegrityError, connection, transaction

from commonweal.kernel import ledger
from commonweal.kernel.errors import Invalid
from commonweal.kernel.ledger import Account, Difference, KeyReused, Leg, Overdrawn, Transfer, request_hash
from commonweal.kernel.quantity import CNY, Asset
from commonweal.kernel.text import Text
from tests.cluster import unguarded

AT = datetime(2026, 1, 1, tzinfo=UTC)
BOOK, OTHER_BOOK = uuid.UUID(int=1), uuid.UUID(int=2)
MINUTE = Asset("MINUTE", 0, "time", Text("minutes", "分钟"))
CLEARING = Account(BOOK, "clearing", "CNY", 1)
FUND = Account(BOOK, "fund", "CNY", -1, floor=0)
FEES = Account(BOOK, "fees", "CNY", -1)
TIME = Account(BOOK, "time", "MINUTE", -1)
ELSEWHERE = Account(OTHER_BOOK, "fund", "CNY", -1)
ALL = [CLEARING, FUND, FEES, TIME, ELSEWHERE]


def transfer(key: str, *legs: tuple[Account, int], **more: Any) -> Transfer:
    parts = tuple(Leg(account.id, amount) for account, amount in legs)
    return Transfer(BOOK, key, request_hash(key), "toy.given", parts, AT, **more)


def gift(key: str, amount: int, **more: Any) -> Transfer:
    """Money comes in: the clearing account is debited, the fund credited."""
    return transfer(key, (CLEARING, amount), (FUND, -amount), **more)


def open_books(cursor: Any) -> None:
    ledger.open_assets(cursor, [CNY, MINUTE])
    ledger.open_accounts(cursor, ALL)


@pytest.fixture
def cursor(db: None) -> Iterator[Any]:
    with connection.cursor() as cursor:
        open_books(cursor)
        yield cursor


def posted(cursor: Any, *transfers: Transfer) -> list[ledger.Posted]:
    with transaction.atomic():
        return ledger.post(cursor, transfers)


# Opening


def test_opening_twice_is_opening_once(cursor: Any) -> None:
    open_books(cursor)
    cursor.execute("SELECT count(*) FROM ledger_account")
    assert cursor.fetchone() == (len(ALL),)
    ledger.open_accounts(cursor, [])


def test_an_account_is_known_from_book_and_name() -> None:
    assert FUND.id == uuid.uuid5(BOOK, "fund") == Account(BOOK, "fund", "MINUTE", 1).id
    assert FUND.id != ELSEWHERE.id


def test_a_known_asset_keeps_its_exponent(cursor: Any) -> None:
    with pytest.raises(ValueError, match="CNY is in the books with another exponent"):
        ledger.open_assets(cursor, [Asset("CNY", 3, "money", Text("x", "x"))])


@pytest.mark.parametrize("change", [{"asset": "MINUTE"}, {"side": 1}, {"floor": None}, {"floor": -1}])
def test_an_open_account_keeps_its_asset_side_and_floor(cursor: Any, change: dict[str, Any]) -> None:
    asked: dict[str, Any] = {"asset": "CNY", "side": -1, "floor": 0} | change
    with pytest.raises(ValueError, match="the account fund is open with another asset, side or floor"):
        ledger.open_accounts(cursor, [CLEARING, Account(BOOK, "fund", **asked)])


# Posting


def test_a_transfer_moves_both_balances_on_their_normal_sides(cursor: Any) -> None:
    (answer,) = posted(cursor, gift("one", 500))
    assert not answer.existed
    assert (ledger.balance(cursor, CLEARING), ledger.balance(cursor, FUND), ledger.balance(cursor, FEES)) == (
        500,
        500,
        0,
    )
    cursor.execute("SELECT posted FROM ledger_balance WHERE account = %s", [FUND.id])
    assert cursor.fetchone() == (-500,)


def test_no_transfers_are_no_answers(cursor: Any) -> None:
    assert ledger.post(cursor, []) == []


def test_answers_are_in_the_order_asked(cursor: Any) -> None:
    first = gift("b", 1)
    posted(cursor, first)
    asked = [gift("c", 1), gift("b", 1), gift("a", 1), gift("c", 1)]
    answers = posted(cursor, *asked)
    assert [answer.existed for answer in answers] == [False, True, False, True]
    assert [answer.id for answer in answers] == [asked[0].id, first.id, asked[2].id, asked[0].id]
    assert ledger.balance(cursor, FUND) == 3


def test_the_same_key_in_another_book_is_another_transfer(cursor: Any) -> None:
    ledger.open_accounts(cursor, [Account(OTHER_BOOK, "clearing", "CNY", 1)])
    legs = (Leg(Account(OTHER_BOOK, "clearing", "CNY", 1).id, 5), Leg(ELSEWHERE.id, -5))
    other = Transfer(OTHER_BOOK, "one", request_hash("x"), "toy.given", legs, AT)
    assert [answer.existed for answer in posted(cursor, gift("one", 5), other)] == [False, False]
    assert (ledger.balance(cursor, FUND), ledger.balance(cursor, ELSEWHERE)) == (5, 5)


def test_a_key_for_another_request_is_refused_with_all_that_came_with_it(cursor: Any) -> None:
    posted(cursor, gift("one", 5))
    other = Transfer(BOOK, "one", request_hash("other"), "toy.given", gift("", 6).legs, AT)
    with pytest.raises(KeyReused) as refused:
        posted(cursor, gift("two", 7), other)
    assert (refused.value.key, refused.value.code, refused.value.status) == ("one", "key.reused", 409)
    assert refused.value.field == "key"
    assert ledger.balance(cursor, FUND) == 5
    with pytest.raises(KeyReused):
        ledger.find(cursor, BOOK, "one", request_hash("other"))


def test_what_a_request_has_made_is_found_again(cursor: Any) -> None:
    (answer,) = posted(cursor, gift("one", 5))
    assert ledger.find(cursor, BOOK, "one", request_hash("one")) == answer.id
    assert ledger.find(cursor, BOOK, "two", request_hash("two")) is None
    assert ledger.find(cursor, OTHER_BOOK, "one", request_hash("one")) is None


def test_a_request_hash_is_of_all_parts_in_order() -> None:
    assert (
        len({request_hash(), request_hash("a"), request_hash("a", "b"), request_hash("b", "a"), request_hash("ab")})
        == 5
    )
    assert request_hash("a", 1) == request_hash("a", 1)
    with pytest.raises(ValueError, match="canonical form"):
        request_hash(1.5)


@pytest.mark.parametrize("key", ["a", "!~", "2026-01-01T09:00:00Z/7", "x" * 64])
def test_keys_that_clients_can_have(key: str) -> None:
    assert ledger.check_key(key) == key


@pytest.mark.parametrize(
    "key", ["", "x" * 65, "two words", "tab\t", "ключ", "钥匙", "a\n", "\x7f", "a\0", None, 5, b"key"]
)
def test_keys_that_clients_cannot_have(key: object) -> None:
    with pytest.raises(Invalid) as refused:
        ledger.check_key(key)
    assert (refused.value.code, refused.value.field) == ("key.form", "key")


# Floors


def test_an_account_does_not_fall_below_its_floor(cursor: Any) -> None:
    posted(cursor, gift("in", 100))
    with pytest.raises(Overdrawn) as refused:
        posted(cursor, gift("fine", 1), transfer("out", (FUND, 102), (CLEARING, -102)))
    assert (refused.value.code, refused.value.status, refused.value.field) == ("balance.too-low", 409, "amount")
    assert ledger.balance(cursor, FUND) == 100
    posted(cursor, transfer("out", (FUND, 100), (CLEARING, -100)))
    assert ledger.balance(cursor, FUND) == 0
    assert ledger.balance(cursor, CLEARING) == 0


def test_a_floor_is_asked_of_the_outcome_of_a_batch(cursor: Any) -> None:
    posted(cursor, transfer("out", (FUND, 10), (CLEARING, -10)), gift("in", 10))
    assert ledger.balance(cursor, FUND) == 0


def test_what_is_promised_away_counts_as_gone_and_what_is_promised_does_not_count(cursor: Any) -> None:
    posted(cursor, gift("in", 100), gift("promised", 50, phase="pending"))
    with pytest.raises(Overdrawn):
        posted(cursor, transfer("out", (FUND, 101), (FEES, -101)))
    posted(cursor, transfer("reserve", (FUND, 80), (FEES, -80), phase="pending"))
    assert ledger.balance(cursor, FUND) == 100
    with pytest.raises(Overdrawn):
        posted(cursor, transfer("out", (FUND, 21), (FEES, -21)))
    posted(cursor, transfer("out", (FUND, 20), (FEES, -20)))


def test_a_reservation_of_all_that_is_there_can_be_posted(cursor: Any) -> None:
    posted(cursor, gift("in", 100))
    (reserved,) = posted(cursor, transfer("reserve", (FUND, 100), (FEES, -100), phase="pending"))
    ledger.resolve(cursor, BOOK, reserved.id, "post", AT)
    assert (ledger.balance(cursor, FUND), ledger.balance(cursor, FEES)) == (0, 100)


def test_a_floor_on_a_debit_account(cursor: Any) -> None:
    cash = Account(BOOK, "cash", "CNY", 1, floor=-5)
    ledger.open_accounts(cursor, [cash])
    posted(cursor, transfer("out", (FEES, 5), (cash, -5)))
    with pytest.raises(Overdrawn):
        posted(cursor, transfer("more", (FEES, 1), (cash, -1), phase="pending"))
    assert ledger.balance(cursor, cash) == -5


# Pending, post, void, expiry


def test_a_pending_transfer_moves_nothing_until_it_is_posted(cursor: Any) -> None:
    (pending,) = posted(cursor, gift("one", 500, phase="pending"))
    assert ledger.balance(cursor, FUND) == 0
    first = ledger.resolve(cursor, BOOK, pending.id, "post", AT)
    again = ledger.resolve(cursor, BOOK, pending.id, "post", AT)
    assert (first.existed, again.existed, first.id) == (False, True, again.id)
    assert ledger.balance(cursor, FUND) == 500
    with pytest.raises(KeyReused):
        ledger.resolve(cursor, BOOK, pending.id, "void", AT)


def test_a_void_releases_what_was_promised(cursor: Any) -> None:
    (pending,) = posted(cursor, gift("one", 500, phase="pending"))
    assert not ledger.resolve(cursor, BOOK, pending.id, "void", AT).existed
    assert ledger.resolve(cursor, BOOK, pending.id, "void", AT).existed
    with pytest.raises(KeyReused):
        ledger.resolve(cursor, BOOK, pending.id, "post", AT)
    cursor.execute("SELECT sum(posted), sum(pending_debit), sum(pending_credit) FROM ledger_balance")
    assert cursor.fetchone() == (0, 0, 0)


def test_what_has_expired_can_be_voided_and_not_posted(cursor: Any) -> None:
    hour = timedelta(hours=1)
    early, late, never = posted(
        cursor,
        gift("early", 1, phase="pending", expires=AT + hour),
        gift("late", 2, phase="pending", expires=AT + 2 * hour),
        gift("never", 4, phase="pending"),
    )
    assert ledger.expired(cursor, AT + hour - timedelta(microseconds=1)) == []
    assert ledger.expired(cursor, AT + hour) == [(BOOK, early.id)]
    assert ledger.expired(cursor, AT + 9 * hour) == [(BOOK, early.id), (BOOK, late.id)]
    assert ledger.expired(cursor, AT + 9 * hour, limit=1) == [(BOOK, early.id)]
    with pytest.raises(IntegrityError, match="resolves one that has expired"), transaction.atomic():
        ledger.resolve(cursor, BOOK, early.id, "post", AT + hour)
    ledger.resolve(cursor, BOOK, early.id, "void", AT + hour)
    ledger.resolve(cursor, BOOK, late.id, "post", AT + 2 * hour - timedelta(microseconds=1))
    ledger.resolve(cursor, BOOK, never.id, "post", AT + 1000 * hour)
    assert ledger.expired(cursor, AT + 9 * hour) == []
    assert ledger.balance(cursor, FUND) == 6


def test_what_is_open_is_kept_by_the_books_alone(cursor: Any) -> None:
    first, second = posted(
        cursor, gift("one", 1, phase="pending", expires=AT), gift("two", 2, phase="pending"), gift("three", 4)
    )[:2]
    cursor.execute("SELECT id FROM ledger_open ORDER BY expires")
    assert [id for (id,) in cursor.fetchall()] == [first.id, second.id]
    ledger.resolve(cursor, BOOK, first.id, "void", AT)
    cursor.execute("SELECT id FROM ledger_open")
    assert [id for (id,) in cursor.fetchall()] == [second.id]
    for words in ("DELETE FROM ledger_open", "UPDATE ledger_open SET expires = now()", "TRUNCATE ledger_open"):
        with pytest.raises(IntegrityError), transaction.atomic():
            cursor.execute(words)


def test_no_client_can_take_the_key_of_a_resolution(cursor: Any) -> None:
    (pending,) = posted(cursor, gift("one", 500, phase="pending"))
    ledger.resolve(cursor, BOOK, pending.id, "post", AT)
    cursor.execute("SELECT key FROM ledger_transfer WHERE resolves = %s", [pending.id])
    with pytest.raises(Invalid):
        ledger.check_key(cursor.fetchone()[0])


def test_one_writer_resolves_what_another_has_promised(cursor: Any) -> None:
    cursor.execute("SET LOCAL commonweal.stripe = 1")
    (pending,) = posted(cursor, transfer("one", (CLEARING, 5), (FEES, -5), phase="pending"))
    cursor.execute("SET LOCAL commonweal.stripe = 2")
    ledger.resolve(cursor, BOOK, pending.id, "post", AT)
    assert ledger.balance(cursor, FEES) == 5
    cursor.execute("SELECT count(*), sum(pending_credit) FROM ledger_balance WHERE account = %s", [FEES.id])
    assert cursor.fetchone() == (2, 0)
    assert ledger.audit(cursor) == []


# What the database refuses


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (transfer("k", (CLEARING, 5), (FUND, -4)), "does not balance in CNY"),
        (transfer("k", (CLEARING, 5), (TIME, -5)), "does not balance in"),
        (transfer("k", (CLEARING, 5), (ELSEWHERE, -5)), "an account is unknown"),
        (transfer("k", (CLEARING, 5), (Account(BOOK, "nobody", "CNY", 1), -5)), "an account is unknown"),
        (transfer("k", (CLEARING, 5)), "ledger_transfer_legs_check|violates check"),
        (transfer("k"), "violates check"),
        (transfer("k", (CLEARING, 0), (FUND, 0)), "violates check"),
        (transfer("k", (CLEARING, 10**15 + 1), (FUND, -(10**15) - 1)), "violates check"),
        (gift("", 5), "violates check"),
        (gift("x" * 65, 5), "violates check"),
        (gift("钥匙", 5), "violates check"),
        (gift("k", 5, phase="lost"), "violates check"),
        (gift("k", 5, expires=AT), "violates check"),
        (gift("k", 5, resolves=uuid.UUID(int=9)), "violates check"),
        (gift("k", 5, phase="post", resolves=uuid.UUID(int=9)), "resolves no pending transfer"),
        (transfer("k", phase="void", resolves=uuid.UUID(int=9)), "resolves no pending transfer"),
        (gift("k", 5, phase="void", resolves=uuid.UUID(int=9)), "violates check"),
        (Transfer(BOOK, "k", b"short", "toy.given", gift("k", 5).legs, AT), "violates check"),
    ],
)
def test_wrong_transfers(cursor: Any, wrong: Transfer, reason: str) -> None:
    with pytest.raises(IntegrityError, match=reason):
        posted(cursor, gift("fine", 5), wrong)
    assert ledger.balance(cursor, FUND) == 0


def test_a_resolution_repeats_the_postings_and_is_of_a_pending_one(cursor: Any) -> None:
    (pending,), (done,) = posted(cursor, gift("p", 5, phase="pending")), posted(cursor, gift("d", 5))
    for wrong in (
        gift("r", 6, phase="post", resolves=pending.id),
        transfer("r", (FUND, -5), (CLEARING, 5), phase="post", resolves=pending.id),
        transfer("r", (CLEARING, 5), (FUND, -5), (TIME, 1), (TIME, -1), phase="post", resolves=pending.id),
        gift("r", 5, phase="post", resolves=done.id),
        transfer("r", phase="void", resolves=done.id),
    ):
        with pytest.raises(IntegrityError, match=r"does not repeat the postings|resolves no pending transfer"):
            posted(cursor, wrong)
    posted(cursor, gift("r", 5, phase="post", resolves=pending.id))
    for again in (gift("s", 5, phase="post", resolves=pending.id), transfer("s", phase="void", resolves=pending.id)):
        with pytest.raises(ValueError, match="or resolves the same"):
            posted(cursor, again)


def test_an_id_is_used_once(cursor: Any) -> None:
    first = gift("one", 5)
    posted(cursor, first)
    with pytest.raises(ValueError, match="another transfer has the id of 'two'"):
        posted(cursor, gift("two", 5, id=first.id))
    same = uuid.UUID(int=77)
    with pytest.raises(IntegrityError):
        posted(cursor, gift("three", 5, id=same), gift("four", 5, id=same))


TABLES = ["ledger_asset", "ledger_account", "ledger_transfer", "ledger_posting", "ledger_balance"]
CHANGES = {
    "ledger_asset": "exponent = 3",
    "ledger_account": "floor = NULL",
    "ledger_transfer": "at = now()",
    "ledger_posting": "amount = -amount",
    "ledger_balance": "posted = 0",
}
INSERTED_BY_HAND = [
    # a posting of a transfer that is there; of none; a balance; a transfer without postings
    "INSERT INTO ledger_posting SELECT book, transfer, 7, account, amount FROM ledger_posting",
    "INSERT INTO ledger_posting SELECT book, gen_random_uuid(), seq, account, amount FROM ledger_posting",
    "INSERT INTO ledger_balance SELECT book, account, 9, 1, 0, 0 FROM ledger_posting LIMIT 1",
    "INSERT INTO ledger_transfer SELECT book, gen_random_uuid(), 'hand', request, kind, phase, NULL, NULL, legs, at"
    " FROM ledger_transfer LIMIT 1",
    # legs that are no row of numbers from 0 on
    """
    WITH t AS (INSERT INTO ledger_transfer
        SELECT book, gen_random_uuid(), 'hand', request, kind, phase, NULL, NULL, 2, at FROM ledger_transfer LIMIT 1
        RETURNING book, id)
    INSERT INTO ledger_posting SELECT t.book, t.id, n, p.account, p.amount
    FROM t, (SELECT account, amount, seq * 2 AS n FROM ledger_posting) AS p
    """,
]


@pytest.mark.parametrize(
    "statement",
    [
        *(f"UPDATE {table} SET {change}" for table, change in CHANGES.items()),
        *(f"DELETE FROM {table}" for table in TABLES),
        *(f"TRUNCATE {table} CASCADE" for table in TABLES),
        *INSERTED_BY_HAND,
    ],
)
def test_nothing_written_can_be_changed_by_hand(cursor: Any, statement: str) -> None:
    posted(cursor, gift("one", 5))

    def all_rows() -> list[Any]:
        rows = []
        for table in TABLES:
            cursor.execute(f"SELECT * FROM {table} ORDER BY 1, 2, 3")
            rows += cursor.fetchall()
        return rows

    before = all_rows()
    with pytest.raises(IntegrityError), transaction.atomic():
        cursor.execute(statement)
    assert all_rows() == before


# Audit


def test_an_audit_finds_a_planted_difference(session: psycopg.Connection) -> None:
    with session.cursor() as cursor:
        open_books(cursor)
        ledger.post(cursor, [gift("one", 5), gift("two", 7, phase="pending")])
        assert ledger.audit(cursor) == []
        with session.transaction(), unguarded(cursor):
            cursor.execute("UPDATE ledger_balance SET posted = posted + 1 WHERE account = %s", [CLEARING.id])
        assert ledger.audit(cursor) == [Difference(BOOK, CLEARING.id, (6, 7, 0), (5, 7, 0))]
        with session.transaction(), unguarded(cursor):
            cursor.execute("DELETE FROM ledger_balance WHERE account = %s", [CLEARING.id])
        assert ledger.audit(cursor) == [Difference(BOOK, CLEARING.id, (0, 0, 0), (5, 7, 0))]
        with session.transaction(), unguarded(cursor):
            cursor.execute("INSERT INTO ledger_balance VALUES (%s, %s, 0, 5, 7, 0)", [BOOK, CLEARING.id])
            cursor.execute("INSERT INTO ledger_balance VALUES (%s, %s, 3, 9, 0, 0)", [BOOK, FEES.id])
        assert ledger.audit(cursor) == [Difference(BOOK, FEES.id, (9, 0, 0), (0, 0, 0))]


# Many at once


def at_once(database: str, jobs: list[Callable[[Any], object]]) -> list[object]:
    """Run each job in a thread and a session of its own; their results or exceptions, in order."""
    barrier, results = threading.Barrier(len(jobs)), [None] * len(jobs)

    def run(number: int) -> None:
        with psycopg.connect(database, autocommit=True) as session, session.cursor() as cursor:
            barrier.wait()
            try:
                results[number] = jobs[number](cursor)  # type: ignore[call-overload]
            except Exception as error:
                results[number] = error  # type: ignore[call-overload]

    threads = [threading.Thread(target=run, args=[number]) for number in range(len(jobs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results  # type: ignore[return-value]


@pytest.fixture
def books(session: psycopg.Connection) -> psycopg.Connection:
    with session.cursor() as cursor:
        open_books(cursor)
    return session


def test_one_key_from_many_threads_is_one_transfer(books: psycopg.Connection, fresh_database: str) -> None:
    answers = at_once(fresh_database, [lambda cursor: ledger.post(cursor, [gift("one", 5)])[0]] * 8)
    assert sorted(answer.existed for answer in answers) == [False] + [True] * 7  # type: ignore[attr-defined]
    assert len({answer.id for answer in answers}) == 1  # type: ignore[attr-defined]
    with books.cursor() as cursor:
        assert ledger.balance(cursor, FUND) == 5


def test_one_key_for_different_requests_is_one_transfer_and_refusals(
    books: psycopg.Connection, fresh_database: str
) -> None:
    def job(amount: int) -> Callable[[Any], object]:
        legs = gift("one", amount).legs
        return lambda cursor: ledger.post(cursor, [Transfer(BOOK, "one", request_hash(amount), "toy.given", legs, AT)])

    answers = at_once(fresh_database, [job(amount) for amount in range(1, 7)])
    assert sum(isinstance(answer, KeyReused) for answer in answers) == 5
    (kept,) = [amount for amount, answer in enumerate(answers, 1) if not isinstance(answer, KeyReused)]
    with books.cursor() as cursor:
        assert ledger.balance(cursor, FUND) == kept


def test_a_pending_transfer_is_resolved_once_by_many(books: psycopg.Connection, fresh_database: str) -> None:
    with books.cursor() as cursor:
        (pending,) = ledger.post(cursor, [gift("one", 5, phase="pending")])
    post: list[Callable[[Any], object]] = [lambda cursor: ledger.resolve(cursor, BOOK, pending.id, "post", AT)] * 4
    void: list[Callable[[Any], object]] = [lambda cursor: ledger.resolve(cursor, BOOK, pending.id, "void", AT)] * 4
    answers = at_once(fresh_database, post + void)
    assert sum(isinstance(answer, ledger.Posted) and not answer.existed for answer in answers) == 1
    assert sum(isinstance(answer, KeyReused) for answer in answers) == 4
    with books.cursor() as cursor:
        assert ledger.balance(cursor, FUND) in (0, 5)
        assert ledger.audit(cursor) == []


def test_a_floor_holds_among_many(books: psycopg.Connection, fresh_database: str) -> None:
    with books.cursor() as cursor:
        ledger.post(cursor, [gift("in", 10)])

    def spend(number: int) -> Callable[[Any], object]:
        return lambda cursor: ledger.post(cursor, [transfer(f"out {number}", (FUND, 3), (CLEARING, -3))])

    answers = at_once(fresh_database, [spend(number) for number in range(8)])
    assert sum(isinstance(answer, Overdrawn) for answer in answers) == 5
    with books.cursor() as cursor:
        assert ledger.balance(cursor, FUND) == 1


def test_writers_with_stripes_do_not_wait_for_one_another(books: psycopg.Connection, fresh_database: str) -> None:
    """The first writer's transaction stays open on a busy account while the second commits."""
    with psycopg.connect(fresh_database) as first, psycopg.connect(fresh_database) as second:
        first.execute("SET commonweal.stripe = 1")
        second.execute("SET commonweal.stripe = 2")
        second.execute("SET lock_timeout = '5s'")
        ledger.post(first.cursor(), [transfer("one", (CLEARING, 1), (FEES, -1))])
        ledger.post(second.cursor(), [transfer("two", (CLEARING, 2), (FEES, -2))])
        second.commit()
        first.commit()
    with books.cursor() as cursor:
        assert ledger.balance(cursor, FEES) == 3
        cursor.execute("SELECT stripe, posted FROM ledger_balance WHERE account = %s ORDER BY stripe", [FEES.id])
        assert cursor.fetchall() == [(1, -1), (2, -2)]


def test_batches_over_many_accounts_never_deadlock(books: psycopg.Connection, fresh_database: str) -> None:
    """Six writers on one stripe post, resolve and repeat keys over the same accounts in different orders."""
    many = [Account(BOOK, f"fund {n}", "CNY", -1, floor=None if n % 2 else -(10**6)) for n in range(12)]
    with books.cursor() as cursor:
        ledger.open_accounts(cursor, many)
        pendings = ledger.post(
            cursor,
            [transfer(f"p {n}", (many[n % 12], 1), (many[(n + 5) % 12], -1), phase="pending") for n in range(120)],
        )

    def write(writer: int) -> Callable[[Any], object]:
        def job(cursor: Any) -> int:
            cursor.execute("SET deadlock_timeout = '20ms'")
            for turn in range(12):
                batch = [
                    transfer(f"{turn} {n}", (many[(n * 7 + turn) % 12], n + 1), (many[(n + turn + 1) % 12], -n - 1))
                    for n in range(10)
                    if (n * 7 + turn) % 12 != (n + turn + 1) % 12
                ]
                batch += [
                    transfer(f"v {pending.id}", phase="void", resolves=pending.id)
                    for pending in pendings[turn * 10 : turn * 10 + 10]
                ]
                ledger.post(cursor, batch if writer % 2 else batch[::-1])
            return 1

        return job

    assert at_once(fresh_database, [write(writer) for writer in range(6)]) == [1] * 6
    with books.cursor() as cursor:
        assert ledger.audit(cursor) == []
        cursor.execute("SELECT sum(posted), sum(pending_debit), sum(pending_credit) FROM ledger_balance")
        assert cursor.fetchone() == (0, 0, 0)
