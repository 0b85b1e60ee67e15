import threading
import time
import uuid
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import psycopg
import pytest
from django.db import connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from commonweal.kernel import proof
from commonweal.kernel.proof import Checkpoint, Fact, log, tree
from commonweal.kernel.proof.note import encode, open_checkpoint
from commonweal.kernel.proof.tests import reference
from commonweal.kernel.proof.tests.making import PRIVATE, SALT, SIGNER
from commonweal.kernel.proof.verify import parse_canonical, seal, verify_receipt

AT = datetime(2026, 1, 1, tzinfo=UTC)
Session = psycopg.Connection


def facts(count: int, start: int = 0) -> list[Fact]:
    return [Fact("toy.given", AT, {"n": n}, id=uuid.UUID(int=n + 1)) for n in range(start, start + count)]


def add(session: Session, *some: Fact) -> None:
    with session.transaction(), session.cursor() as cursor:
        log.append(cursor, *some)


def sequenced(session: Session) -> Checkpoint:
    checkpoint = log.sequence(session, SIGNER, AT)
    assert checkpoint is not None
    return checkpoint


# Facts


def test_an_entry_says_what_when_and_which() -> None:
    id = uuid.UUID(int=7)
    fact = Fact("toy.given", AT + timedelta(milliseconds=5, microseconds=999), {"n": 1}, seal=b"\1" * 32, id=id)
    assert parse_canonical(fact.entry) == {
        "at": 1767225600005,
        "id": str(id),
        "kind": "toy.given",
        "n": 1,
        "seal": encode(b"\1" * 32),
    }
    assert "seal" not in parse_canonical(Fact("toy.given", AT).entry)


@given(st.datetimes(min_value=datetime(1970, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_its_time_is_exact_to_the_millisecond(at: datetime) -> None:
    milliseconds = parse_canonical(Fact("toy.given", at).entry)["at"]
    assert timedelta() <= at - log.EPOCH - timedelta(milliseconds=milliseconds) < timedelta(milliseconds=1)


def test_zones_are_one_moment_and_a_moment_without_zone_is_none() -> None:
    local = AT.astimezone(timezone(timedelta(hours=8)))
    id = uuid.UUID(int=1)
    assert Fact("toy.given", local, id=id).entry == Fact("toy.given", AT, id=id).entry
    with pytest.raises(TypeError, match="naive"):
        Fact("toy.given", datetime(2026, 1, 1)).entry  # noqa: B018, DTZ001


@pytest.mark.parametrize("name", ["at", "id", "kind", "seal"])
def test_reserved_names_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="reserved"):
        Fact("toy.given", AT, {name: "x"})


def test_an_entry_has_a_limit_and_no_floats() -> None:
    room = log.MAX_ENTRY - len(Fact("toy.given", AT, {"x": ""}).entry)
    assert len(Fact("toy.given", AT, {"x": "x" * room}).entry) == log.MAX_ENTRY == 65_535
    with pytest.raises(ValueError, match="65536 bytes is too long for the log"):
        Fact("toy.given", AT, {"x": "x" * (room + 1)}).entry  # noqa: B018
    with pytest.raises(ValueError, match="canonical form"):
        Fact("toy.given", AT, {"x": 1.5}).entry  # noqa: B018


def test_two_facts_are_never_the_same() -> None:
    assert Fact("toy.given", AT) != Fact("toy.given", AT)


# Appending and sequencing


def test_a_fact_is_logged_if_and_only_if_its_transaction_commits(session: Session) -> None:
    kept, lost = facts(2)
    with pytest.raises(ZeroDivisionError), session.transaction(), session.cursor() as cursor:
        log.append(cursor, lost)
        raise ZeroDivisionError
    add(session, kept)
    assert sequenced(session).size == 1
    with session.cursor() as cursor:
        assert log.placed(cursor, kept.id) == log.Placed(kept.entry, 0)
        assert log.placed(cursor, lost.id) is None


def test_nothing_to_append_is_nothing_done(session: Session) -> None:
    add(session)
    assert log.sequence(session, SIGNER, AT) is None
    with session.cursor() as cursor:
        assert log.head(cursor) is None
        assert log.head(cursor, 1) is None


def test_places_follow_the_ids_and_the_checkpoint_is_the_reference_root(session: Session) -> None:
    some = facts(600)
    add(session, *reversed(some))
    checkpoint = sequenced(session)
    assert checkpoint == Checkpoint(SIGNER.name, 600, reference.mth([fact.entry for fact in some]))
    with session.cursor() as cursor:
        assert [log.placed(cursor, fact.id).index for fact in some] == list(range(600))  # type: ignore[union-attr]
        head = log.head(cursor)
        assert (head.size, head.root, head.at) == (600, checkpoint.root, AT)
        assert open_checkpoint(head.note, SIGNER.verifier) == checkpoint
        tiles = {(level, n): bytes(hashes) for level, n, hashes in cursor.execute("SELECT * FROM proof_tile")}
    assert tiles == tree.grow(0, [tree.leaf_hash(fact.entry) for fact in some], lambda level, n: b"")


def test_checkpoints_follow_one_another_consistently(session: Session) -> None:
    sizes, start = [], 0
    for count in (1, 1, 253, 1, 1, 300, 7):
        add(session, *facts(count, start))
        start += count
        sizes.append(sequenced(session))
    entries = [fact.entry for fact in facts(start)]
    with session.cursor() as cursor:
        for old in sizes:
            assert old.root == reference.mth(entries[: old.size]) == log.root_at(cursor, old.size)
            assert log.head(cursor, old.size).size == old.size
            for new in (new for new in sizes if new.size >= old.size):
                path = log.consistency(cursor, old.size, new.size)
                assert tree.verify_consistency(old.size, new.size, path, old.root, new.root)
        assert log.head(cursor, 3).size == 255
        assert log.head(cursor, start + 1) is None


def test_one_checkpoint_takes_a_batch_at_most(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "BATCH", 300)
    add(session, *facts(650))
    sizes = []
    while checkpoint := log.sequence(session, SIGNER, AT):
        sizes.append(checkpoint.size)
    assert sizes == [300, 600, 650]
    assert checkpoint is None


def test_another_sequencer_at_work_is_left_alone(session: Session, fresh_database: str) -> None:
    add(session, *facts(1))
    with psycopg.connect(fresh_database) as other:
        other.execute("SELECT pg_advisory_xact_lock(%s)", [log.SEQUENCER])
        assert log.sequence(session, SIGNER, AT) is None
    assert sequenced(session).size == 1


def test_many_writers_and_two_clerks_lose_and_double_nothing(fresh_database: str) -> None:
    writing = threading.Event()
    writing.set()
    published: list[Checkpoint] = []

    def write(first: int) -> None:
        with psycopg.connect(fresh_database) as session:
            for n in range(first, first + 40):
                add(session, *facts(3, n * 3))
                session.commit()

    def clerk() -> None:
        with psycopg.connect(fresh_database, autocommit=True) as session:
            while True:
                last = not writing.is_set()
                checkpoint = log.sequence(session, SIGNER, AT)
                if checkpoint:
                    published.append(checkpoint)
                elif last:
                    return

    writers = [threading.Thread(target=write, args=[first]) for first in (0, 40, 80)]
    clerks = [threading.Thread(target=clerk) for _ in range(2)]
    for thread in [*writers, *clerks]:
        thread.start()
    for thread in writers:
        thread.join()
    writing.clear()
    for thread in clerks:
        thread.join()
    with psycopg.connect(fresh_database) as session, session.cursor() as cursor:
        rows = cursor.execute("SELECT seq, id, entry FROM proof_leaf ORDER BY seq").fetchall()
        assert [seq for seq, _, _ in rows] == list(range(360))
        assert {id for _, id, _ in rows} == {fact.id for fact in facts(360)}
        assert cursor.execute("SELECT count(*) FROM proof_staged").fetchone() == (0,)
        for checkpoint in published:
            assert checkpoint.root == reference.mth([bytes(entry) for _, _, entry in rows[: checkpoint.size]])
    assert max(checkpoint.size for checkpoint in published) == 360


def test_the_same_fact_twice_is_an_error(session: Session) -> None:
    (fact,) = facts(1)
    add(session, fact)
    with pytest.raises(psycopg.errors.UniqueViolation):
        add(session, fact)
    sequenced(session)
    add(session, fact)
    with pytest.raises(psycopg.errors.UniqueViolation):  # logged already: the log does not take it again
        log.sequence(session, SIGNER, AT)


@pytest.mark.django_db
def test_it_works_through_django_too() -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        proof.append(cursor, *facts(2))
        placed = proof.placed(cursor, facts(2)[1].id)
        assert placed is not None
        assert (placed.entry, placed.index) == (facts(2)[1].entry, None)
        assert proof.receipt_of(cursor, facts(2)[0].id, SIGNER.verifier) is None
    connection.ensure_connection()
    assert proof.sequence(connection.connection, SIGNER, AT) == Checkpoint(
        SIGNER.name, 2, reference.mth([fact.entry for fact in facts(2)])
    )
    with connection.cursor() as cursor:
        assert proof.head(cursor).size == 2
        receipt = proof.receipt_of(cursor, facts(2)[0].id, SIGNER.verifier)
        assert receipt is not None
        assert verify_receipt(str(receipt).encode(), SIGNER.verifier) == receipt


# Receipts


def test_a_receipt_comes_with_the_next_checkpoint(session: Session) -> None:
    sealed = Fact("toy.given", AT, {"n": 999}, seal=seal(SALT, PRIVATE), id=uuid.UUID(int=999))
    add(session, *facts(300), sealed)
    with session.cursor() as cursor:
        assert log.receipt_of(cursor, sealed.id, SIGNER.verifier) is None  # no checkpoint yet
    sequenced(session)
    add(session, *facts(1, 2000))
    with session.cursor() as cursor:
        assert log.receipt_of(cursor, facts(1, 2000)[0].id, SIGNER.verifier) is None  # not placed yet
        assert log.receipt_of(cursor, uuid.UUID(int=0), SIGNER.verifier) is None
        receipt = log.receipt_of(cursor, sealed.id, SIGNER.verifier, (SALT, PRIVATE))
    assert receipt is not None
    held = verify_receipt(str(receipt).encode(), SIGNER.verifier)
    assert held.opening == (SALT, PRIVATE)
    assert held.fact["n"] == 999
    assert len(str(receipt)) <= 1500


def test_a_proof_reads_five_tiles_at_most_from_the_database(session: Session) -> None:
    add(session, *facts(2000))
    sequenced(session)
    reads: list[object] = []

    class Counting:
        def __init__(self, cursor: psycopg.Cursor) -> None:
            self.cursor, self.fetchone, self.fetchall = cursor, cursor.fetchone, cursor.fetchall

        def execute(self, query: Any, params: Any = None, /) -> Any:
            reads.append(query)
            return self.cursor.execute(query, params)

    with session.cursor() as cursor:
        for index in (0, 255, 256, 1023, 1999):
            reads.clear()
            path = log.inclusion(Counting(cursor), index, 2000)
            assert path == tree.inclusion_proof(index, 2000, tree.Tiles(log._tiles_in(cursor)))
            assert len(reads) <= 5


# What the database itself refuses


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE proof_leaf SET entry = 'x' WHERE seq = 0",
        "UPDATE proof_leaf SET entry = entry",
        "DELETE FROM proof_leaf WHERE seq = 1",
        "DELETE FROM proof_leaf",
        "TRUNCATE proof_leaf",
        "UPDATE proof_head SET note = 'x'",
        "DELETE FROM proof_head",
        "TRUNCATE proof_head",
        "DELETE FROM proof_tile",
        "TRUNCATE proof_tile",
        "UPDATE proof_tile SET hashes = set_byte(hashes, 0, get_byte(hashes, 0) # 1)",
        "UPDATE proof_tile SET hashes = substring(hashes FOR 32)",
        "UPDATE proof_tile SET n = n + 1",
        "UPDATE proof_tile SET level = level + 1",
        "INSERT INTO proof_tile VALUES (0, 0, decode(repeat('00', 64), 'hex'))"
        " ON CONFLICT (level, n) DO UPDATE SET hashes = excluded.hashes",
        "INSERT INTO proof_tile VALUES (0, 9, 'not 32 bytes')",
        "INSERT INTO proof_leaf VALUES (0, gen_random_uuid(), 'x')",
        "INSERT INTO proof_leaf VALUES (-1, gen_random_uuid(), 'x')",
        "INSERT INTO proof_leaf SELECT 9, id, entry FROM proof_leaf WHERE seq = 0",
        "INSERT INTO proof_head VALUES (0, decode(repeat('00', 32), 'hex'), '', now())",
        "INSERT INTO proof_head VALUES (2, decode(repeat('00', 32), 'hex'), '', now())",
        "INSERT INTO proof_head VALUES (9, 'short', '', now())",
        "INSERT INTO proof_staged VALUES (gen_random_uuid(), '')",
        "INSERT INTO proof_staged VALUES (gen_random_uuid(), decode(repeat('00', 65536), 'hex'))",
    ],
)
@pytest.mark.django_db
def test_what_is_logged_cannot_be_changed(statement: str) -> None:
    with connection.cursor() as cursor:
        proof.append(cursor, *facts(2))
        proof.sequence(connection.connection, SIGNER, AT)
        before = cursor.execute("SELECT * FROM proof_leaf ORDER BY seq").fetchall()
        with pytest.raises(psycopg.errors.IntegrityError), connection.connection.transaction():
            connection.connection.execute(statement)
        assert cursor.execute("SELECT * FROM proof_leaf ORDER BY seq").fetchall() == before


@pytest.mark.parametrize("looked_at_while_empty", [False, True])
def test_sequencing_a_full_batch_stays_below_a_second(session: Session, looked_at_while_empty: bool) -> None:
    """Also when PostgreSQL plans for the empty table that it has seen last, as it does before a rush."""
    if looked_at_while_empty:
        add(session, *facts(log.BATCH, start=log.BATCH))
        sequenced(session)
        session.execute("VACUUM (TRUNCATE false, ANALYZE) proof_staged")
    before = log.head(session.cursor())
    add(session, *facts(log.BATCH))
    begin = time.monotonic()
    assert sequenced(session).size == log.BATCH + (before.size if before else 0)
    assert time.monotonic() - begin < 5  # a loaded machine; bench/proof.py has the true figure
