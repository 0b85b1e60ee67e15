"""Errands, on one machine that is asked to run them as a machine of a cluster would."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

import psycopg
import pytest

from commonweal.kernel.arrays import ids, octets
from commonweal.kernel.ledger import Account, Leg, Overdrawn, Transfer, audit, balance, open_accounts, open_assets
from commonweal.kernel.ledger.books import post, request_hash
from commonweal.kernel.ledger.neighbours import ERRAND, asking
from commonweal.kernel.proof import Fact
from commonweal.kernel.proof.log import STAGED
from commonweal.kernel.quantity import CNY
from tests import cluster

NOW = datetime(2026, 9, 7, tzinfo=UTC)
BOOKS = [uuid.UUID(int=n) for n in range(1, 5)]
SHARDS = """
CREATE FUNCTION get_shard_id_for_distribution_column(of regclass, book uuid) RETURNS bigint LANGUAGE sql
    RETURN 102008 + right(book::text, 1)::bigint % 2;
CREATE TABLE errands (book uuid, staged integer);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN INSERT INTO errands VALUES (NEW.book, coalesce(cardinality(NEW.staged), 0)); RETURN NULL; END';
"""
STAGING = (
    f", staged AS ({STAGED} SELECT f.id, f.entry FROM unnest(%(of)s::uuid[], %(fact)s::uuid[], %(entry)s::bytea[])"
    " AS f (of, id, entry) JOIN new ON new.id = f.of)"
)


@pytest.fixture
def spread(session: psycopg.Connection) -> psycopg.Connection:
    if cluster.named():
        pytest.skip("the cluster runs errands itself")
    for statement in (
        *ERRAND,
        SHARDS,
        "CREATE TRIGGER note AFTER INSERT ON ledger_errand FOR EACH ROW EXECUTE FUNCTION note()",
    ):
        session.execute(statement)
    return session


def gift(book: uuid.UUID, key: str, amount: int) -> Transfer:
    fund, bank = accounts(book)
    return Transfer(book, key, request_hash(key, amount), "gift", (Leg(bank.id, amount), Leg(fund.id, -amount)), NOW)


def accounts(book: uuid.UUID) -> tuple[Account, Account]:
    return Account(book, "fund", "CNY", -1, floor=0), Account(book, "bank", "CNY", 1)


def opened(cursor: psycopg.Cursor) -> None:
    open_assets(cursor, [CNY])
    open_accounts(cursor, [account for book in BOOKS for account in accounts(book)])


def test_a_batch_is_one_errand_for_each_group_of_neighbours(spread: psycopg.Connection) -> None:
    with spread.cursor() as cursor:
        opened(cursor)
        made = post(cursor, [gift(book, "a", 500) for book in BOOKS])
        again = post(cursor, [gift(BOOKS[0], "a", 500), gift(BOOKS[1], "b", 1)])
        assert [posted.existed for posted in made + again] == [False] * 4 + [True, False]
        assert [balance(cursor, accounts(book)[0]) for book in BOOKS] == [500, 501, 500, 500]
        assert audit(cursor) == []
        assert cursor.execute("SELECT count(*) FROM errands").fetchone() == (4,), "two batches, two groups each"
        assert cursor.execute("SELECT count(*) FROM ledger_errand").fetchone() == (0,)


def test_facts_come_back_with_the_errand_and_are_staged(spread: psycopg.Connection) -> None:
    transfer, fact = gift(BOOKS[0], "a", 500), Fact("giving.gift", NOW)
    values = {"of": ids([transfer.id]), "fact": ids([fact.id]), "entry": octets([fact.entry])}
    with spread.cursor() as cursor:
        opened(cursor)
        post(cursor, [transfer], STAGING, values)
        assert cursor.execute("SELECT id, entry FROM proof_staged").fetchall() == [(fact.id, fact.entry)]
        assert cursor.execute("SELECT staged FROM errands").fetchall() == [(1,)]


def test_a_floor_holds_and_is_known_by_its_words(spread: psycopg.Connection) -> None:
    with spread.cursor() as cursor:
        opened(cursor)
        fund, bank = accounts(BOOKS[0])
        out = Transfer(BOOKS[0], "out", request_hash("out"), "out", (Leg(fund.id, 1), Leg(bank.id, -1)), NOW)
        with pytest.raises(Overdrawn), spread.transaction():
            post(cursor, [out])
        assert balance(cursor, fund) == 0


def test_an_errand_has_the_stripe_of_whoever_sends_it(spread: psycopg.Connection) -> None:
    with spread.cursor() as cursor:
        opened(cursor)
        cursor.execute("SELECT set_config('commonweal.stripe', '7', false)")
        post(cursor, [gift(BOOKS[0], "a", 500)])
        assert cursor.execute("SELECT stripe FROM ledger_balance ORDER BY stripe").fetchall() == [(0,), (7,)]


def test_a_question_about_a_book_is_asked_where_the_book_is(spread: psycopg.Connection) -> None:
    spread.execute("CREATE TABLE t (book uuid, n integer)")
    spread.execute("INSERT INTO t VALUES (%s, 1), (%s, 1)", BOOKS[:2])
    spread.execute(
        "CREATE FUNCTION many(of uuid) RETURNS bigint LANGUAGE sql STABLE AS 'SELECT sum(n) FROM t WHERE book = of;'"
    )
    body, definition = spread.execute(
        "SELECT prosrc, pg_get_functiondef(oid) FROM pg_proc WHERE proname = 'many'"
    ).fetchone() or ("", "")
    spread.execute(asking(definition, body))
    spread.execute("ALTER FUNCTION many SET search_path = public")
    spread.execute("CREATE SCHEMA books_102009")
    spread.execute("CREATE VIEW books_102009.t AS SELECT book, n * 10 AS n FROM public.t")
    assert spread.execute("SELECT many(%s), many(%s)", BOOKS[:2]).fetchone() == (10, 1)
    assert spread.execute("SHOW search_path").fetchone() == ('"$user", public',)
