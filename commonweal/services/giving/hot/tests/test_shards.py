"""Books by their shard, asked of functions that answer as Citus does."""

from __future__ import annotations

import uuid

import psycopg
import pytest

from commonweal.services.giving.hot.shards import Shards
from tests import cluster

pytestmark = pytest.mark.skipif(cluster.named() is not None, reason="the cluster has these functions itself")

BOOKS = [uuid.UUID(int=n) for n in range(4)]

CITUS = """
CREATE TABLE pg_dist_partition (logicalrelid regclass);
CREATE FUNCTION get_shard_id_for_distribution_column(of regclass, book uuid) RETURNS bigint LANGUAGE sql
    RETURN 102008 + right(book::text, 1)::bigint % 2;
"""


def test_on_one_machine_all_are_together(session: psycopg.Connection) -> None:
    shards = Shards()
    with session.cursor() as cursor:
        shards.look(cursor)
        shards.learn(cursor, BOOKS)
    assert {shards.group(book) for book in BOOKS} == {None}


@pytest.mark.parametrize("spread", [True, False])
def test_where_the_books_are_spread(session: psycopg.Connection, spread: bool) -> None:
    session.execute(CITUS)
    if spread:
        session.execute("INSERT INTO pg_dist_partition VALUES ('ledger_account')")
    shards = Shards()
    with session.cursor() as cursor:
        shards.look(cursor)
        assert [shards.group(book) for book in BOOKS] == (BOOKS if spread else [None] * 4)
        shards.learn(cursor, BOOKS[:3])
    assert [shards.group(book) for book in BOOKS] == ([102008, 102009, 102008, BOOKS[3]] if spread else [None] * 4)
