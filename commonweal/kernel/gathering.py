"""Reading books that are spread over machines.

Citus answers most queries where the rows are, and refuses some: sublinks and laterals that lead from a small table into
the books, for instance. A query that it has refused once is asked of whole tables from then on, which are gathered on
the coordinator first (`books_whole`): slow where there is much, and right. On one machine nothing of this is done.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

import psycopg
from django.db import IntegrityError, InternalError, NotSupportedError
from psycopg import errors as pg
from psycopg.pq import TransactionStatus

T = TypeVar("T")
Connection = psycopg.Connection[Any]

_spread: WeakKeyDictionary[Connection, bool] = WeakKeyDictionary()
_abroad: WeakKeyDictionary[Connection, re.Pattern[str]] = WeakKeyDictionary()
_taken: set[str] = set()
_refused: set[str] = set()

ASKS = re.compile(r"\s*(SELECT|WITH|INSERT|UPDATE|DELETE)\b")
LOCKS = re.compile(r"\bFOR (NO KEY )?(UPDATE|(KEY )?SHARE)\b")
WRITES = re.compile(r"\b(INSERT INTO|UPDATE|DELETE FROM) (?=[a-z])")
REFUSALS = re.compile("cannot execute a distributed query from a query on a shard|a join that requires repartitioning")
"""What Citus refuses as if it were an error of its own."""
GUARDED = re.compile(r"[a-z_]+: |\S+ is append-only: |.* violates [a-z-]+ constraint")
"""What a guard or a constraint says. Where Citus copies rows to a shard (`INSERT ... SELECT`), only words come back."""
MARK = "-- looks into other books"
"""What the body of a guard says that looks into other books (`ledger.abroad`)."""
ABROAD = f"""
SELECT relname FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid JOIN pg_proc f ON f.oid = tgfoid
WHERE NOT tgisinternal AND relnamespace = 'public'::regnamespace AND prosrc LIKE '%{MARK}%'
"""
ANSWER = "SELECT ledger_answer()"
"""Has what the guards of this transaction have asked about other books answered."""

logger = logging.getLogger(__name__)


def spread(connection: Connection) -> bool:
    """Whether the books are spread over machines: asked once a session, since it changes only while nobody works."""
    if connection not in _spread:
        found = connection.execute("SELECT to_regclass('ledger_errand') IS NOT NULL").fetchone()
        _spread[connection] = bool(found and found[0])
    return _spread[connection]


def asks_abroad(connection: Connection, statement: str) -> bool:
    """Whether a statement writes where guards ask about other books."""
    if connection not in _abroad:
        tables = "|".join(name for (name,) in connection.execute(ABROAD).fetchall())
        _abroad[connection] = re.compile(rf"\bINSERT INTO \"?({tables or '^'})\b")
    return bool(_abroad[connection].search(statement))


def asked(connection: Connection, query: Any, ask: Callable[[Any], T]) -> T:
    """What `ask` returns, which executes `query` in this session, or what asks the same of whole tables."""
    if not spread(connection) or not isinstance(query, str) or not ASKS.match(query) or LOCKS.search(query):
        return ask(query)
    try:
        if not asks_abroad(connection, query):
            return _gathered(connection, query, ask)
        _within_transaction(connection)
        with connection.transaction():
            answer = _gathered(connection, query, ask)
            connection.execute(ANSWER)
            return answer
    except (InternalError, pg.InternalError_) as error:
        if not GUARDED.match(str(error)):
            raise
        kind = IntegrityError if isinstance(error, InternalError) else pg.IntegrityConstraintViolation
        raise kind(*error.args) from error


def _gathered(connection: Connection, query: str, ask: Callable[[Any], T]) -> T:
    if query not in _refused:
        try:
            with _nested(connection, query not in _taken):
                answer = ask(query)
        except (NotSupportedError, InternalError, pg.FeatureNotSupported, pg.InternalError_) as error:
            if isinstance(error, (InternalError, pg.InternalError_)) and not REFUSALS.search(str(error)):
                raise
            logger.warning("gathered from now on, since Citus says: %s\n%s", str(error).splitlines()[0], query)
            _refused.add(query)
            if query in _taken:  # with other values it was fine; this transaction is lost
                raise
        else:
            _taken.add(query)
            return answer
    with _whole(connection):
        return ask(WRITES.sub(r"\1 public.", query))


@contextmanager
def _nested(connection: Connection, careful: bool) -> Iterator[None]:
    """If this is within a transaction, and `careful`, an error within the block leaves it as it was before."""
    if careful and _within_transaction(connection):
        with connection.transaction():
            yield
    else:
        yield


@contextmanager
def _whole(connection: Connection) -> Iterator[None]:
    _within_transaction(connection)
    with connection.transaction():
        connection.execute("SET LOCAL search_path TO books_whole, public")
        yield
        connection.execute("SET LOCAL search_path TO DEFAULT")


def _within_transaction(connection: Connection) -> bool:
    """Whether a transaction is open. One that would begin with its first statement is begun now."""
    if not connection.autocommit and connection.info.transaction_status == TransactionStatus.IDLE:
        connection.execute("SELECT")
    return connection.info.transaction_status == TransactionStatus.INTRANS
