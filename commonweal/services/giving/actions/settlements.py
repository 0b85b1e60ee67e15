"""A pool's end: computed from its file when the review is over, agreed to by two stewards, then paid at once."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from datetime import datetime

from django.db import connection, transaction

from commonweal.kernel import clock
from commonweal.kernel.errors import Conflict
from commonweal.kernel.ids import derived, uuid7
from commonweal.kernel.jobs import enqueue
from commonweal.kernel.ledger import Transfer, post, request_hash, resolve_each
from commonweal.kernel.parties import people
from commonweal.kernel.parties.models import Party
from commonweal.kernel.proof import Fact, append
from commonweal.kernel.proof.log import Cursor
from commonweal.kernel.text import Text
from commonweal.services.giving import matching
from commonweal.services.giving.actions import books, line
from commonweal.services.giving.actions.claw_backs import claw_back
from commonweal.services.giving.matching import pool_file
from commonweal.services.giving.queries import cases
from commonweal.services.giving.queries import pools as queries
from commonweal.services.giving.rules import matches as rules
from commonweal.services.giving.rules import texts
from commonweal.services.giving.rules.gifts import COLLECTED

BATCH = 1_000


def propose(campaign: uuid.UUID, id: uuid.UUID) -> str | None:
    """Compute what a pool comes to whose review is over; the digest of the file, None if there is nothing to do.

    A file that has been declined is followed by a new one. While a case of its gifts is open or can be objected to,
    the pool waits.
    """
    now = clock.now()
    with transaction.atomic(), connection.cursor() as cursor:
        _lock(cursor, id)
        pool = queries.one(campaign, id)
        waits = pool.digest is not None and all(word.approves for word in queries.words(pool))
        if pool.settled_at or waits or now < pool.rules.due or cases.hold_up(pool, now):
            return None
        file = queries.file(pool, now)
        written, matched = pool_file.write(file), sum((file.matches or {}).values())
        digest = hashlib.sha256(written).digest()
        fields = {"campaign": str(campaign), "pool": str(id), "file": digest.hex(), "matched": matched}
        fact = Fact("giving.settlement", now, fields | {"asset": pool.asset.code})
        cursor.execute(
            """
            INSERT INTO giving_pool_settlement (book, pool, digest, file, matched, gifts, fact, at)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
            """,
            [campaign, id, digest, written, matched, len(file.gifts), fact.id, now],
        )
        append(cursor, fact)
    return digest.hex()


def judge(
    steward: Party, campaign: uuid.UUID, id: uuid.UUID, digest: str, *, approves: bool, note: str = ""
) -> rules.State:
    """A steward says yes or no to the file with this digest; the second yes, of another person, lets it be paid.

    Raises `NotFound` (`pool.unknown`), `Conflict` with `settlement.other` if there is a newer file by now, what
    `rules.matches.check_word` raises, and `Invalid` for a no without a note.
    """
    people.require_role(steward, people.STEWARD)
    now = clock.now()
    note = texts.check(note, "note", 1000, lines=True) if note or not approves else ""
    with transaction.atomic(), connection.cursor() as cursor:
        _lock(cursor, id)
        pool = queries.one(campaign, id)
        if pool.digest is None or pool.digest.hex() != digest:
            raise Conflict(
                "settlement.other",
                Text("There is a newer computation. Look at that one.", "已有新的计算结果，请重新查看。"),
            )
        said = queries.words(pool)
        rules.check_word(
            [word.steward for word in said if word.approves],
            steward.id,
            declined=any(not word.approves for word in said),
            settled=pool.settled_at is not None,
            involved=any(
                people.OFFICER in people.roles(steward, Party(id=party))
                for party in (pool.organisation_id, pool.company_id)
            ),
        )
        word = "approved" if approves else "declined"
        fields = {"campaign": str(campaign), "pool": str(id), "file": digest, "steward": str(steward.id), "word": word}
        fact = Fact("giving.settlement-word", now, fields)
        cursor.execute(
            """
            INSERT INTO giving_pool_word (book, pool, digest, steward, approves, note, fact, at)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
            """,
            [campaign, id, pool.digest, steward.id, approves, note, fact.id, now],
        )
        append(cursor, fact)
        if approves and len(said) + 1 >= rules.APPROVALS:
            enqueue("giving.pay_pool", campaign=str(campaign), pool=str(id))
    return pool.state


def pay(campaign: uuid.UUID, id: uuid.UUID) -> int:
    """Pay a settlement that two people have agreed to, whole and once; returns how many gifts it matched.

    What gifts held is let go, what the file says is paid, and what has gone back since then is taken back again.
    Raises `Conflict` (`settlement.not-agreed`), and what `rules.matches.check_money` raises.
    """
    now = clock.now()
    with transaction.atomic(), connection.cursor() as cursor:
        _lock(cursor, id)
        pool = queries.one(campaign, id)
        if pool.settled_at:
            return 0
        said = queries.words(pool) if pool.digest else []
        if len(said) < rules.APPROVALS or not all(word.approves for word in said):
            raise Conflict(
                "settlement.not-agreed",
                Text("A settlement needs the yes of two people.", "配捐结算须经两位审核员确认。"),
            )
        file = pool_file.parse(queries.published(pool))
        rules.check_money(sum((file.matches or {}).values()), pool.free + pool.reserved)
        _let_go(cursor, pool, now)
        cursor.execute(
            "INSERT INTO giving_pool_settled (book, pool, digest, at) VALUES (%s, %s, %s, %s)",
            [campaign, id, pool.digest, now],
        )
        counts = {gift.id: gift for gift in file.gifts}
        made = [(counts[gift], amount) for gift, amount in sorted((file.matches or {}).items()) if amount]
        for book in sorted(pool.campaigns):
            theirs = [(gift, amount) for gift, amount in made if gift.project == str(book)]
            if theirs:
                _match(cursor, pool, book, theirs, now)
        _catch_up(cursor, pool, now)
    return len(made)


def _match(
    cursor: Cursor, pool: queries.Pool, book: uuid.UUID, made: Sequence[tuple[matching.Gift, int]], now: datetime
) -> None:
    """The matches of one campaign: each a gift of the company, made at the time of the gift that it matches."""
    asset = pool.asset.code
    source = books.pool(book, asset, pool.id)
    if book != pool.campaign:
        # The charity's own money changes from one book to the other: out of the pool here, collected there.
        whole, collected = sum(amount for _, amount in made), books.provider(pool.campaign, asset, COLLECTED)
        legs = books.move(books.pool(pool.campaign, asset, pool.id), collected, whole)
        request = request_hash("pass", str(pool.id), str(book))
        post(cursor, [Transfer(pool.campaign, f"pass {uuid7()}", request, "giving.pass", legs, now)])
        source = books.provider(book, asset, COLLECTED)
    for first in range(0, len(made), BATCH):
        part, transfers, facts = made[first : first + BATCH], [], []
        for gift, amount in part:
            transfer = Transfer(
                book=book,
                key=f"match {derived(uuid.UUID(gift.id), str(pool.id))}",
                request=request_hash("match", gift.id, str(pool.id)),
                kind="giving.match",
                legs=books.move(source, books.received(book, asset), amount),
                at=now,
            )
            fields = {"campaign": str(book), "gift": str(transfer.id), "amount": amount, "asset": asset}
            transfers.append(transfer)
            facts.append(Fact("giving.match", now, fields))
        post(cursor, transfers)
        cursor.execute(
            KEEP,
            {
                "book": book, "pool_book": pool.campaign, "pool": pool.id, "company": pool.company_id,
                "channel": rules.CHANNEL, "now": now,
                "gift": [uuid.UUID(gift.id) for gift, _ in part], "at": [gift.at for gift, _ in part],
                "counted": [gift.counts for gift, _ in part], "amount": [amount for _, amount in part],
                "matching": [transfer.id for transfer in transfers], "fact": [fact.id for fact in facts],
            },
        )  # fmt: skip
        append(cursor, *facts)


KEEP = """
WITH made AS (
    SELECT * FROM unnest(%(gift)s::uuid[], %(at)s::timestamptz[], %(counted)s::bigint[], %(amount)s::bigint[],
                         %(matching)s::uuid[], %(fact)s::uuid[]) AS made (gift, at, counted, amount, matching, fact)
), gift AS (
    INSERT INTO giving_gift (book, id, giver, amount, channel, at)
    SELECT %(book)s, matching, %(company)s, amount, %(channel)s, at FROM made
), payment AS (
    INSERT INTO giving_payment (book, gift, amount, transfer, fact, reference, at)
    SELECT %(book)s, matching, amount, matching, fact, '', %(now)s FROM made
)
INSERT INTO giving_match (book, gift, matching, pool_book, pool, amount, counted)
SELECT %(book)s, gift, matching, %(pool_book)s, %(pool)s, amount, counted FROM made
"""


def _let_go(cursor: Cursor, pool: queries.Pool, now: datetime) -> None:
    cursor.execute(
        """
        SELECT o.id FROM giving_reservation r JOIN ledger_open o ON o.book = r.book AND o.id = r.transfer
        WHERE r.book = %s AND r.pool = %s
        """,
        [pool.campaign, pool.id],
    )
    held = [(pool.campaign, id) for (id,) in cursor.fetchall()]
    for first in range(0, len(held), BATCH):
        resolve_each(cursor, held[first : first + BATCH], "void", now)


def _catch_up(cursor: Cursor, pool: queries.Pool, now: datetime) -> None:
    """What has gone back of a gift since the file was computed takes its part of the match back with it."""
    cursor.execute(
        """
        SELECT DISTINCT m.book, m.gift FROM giving_match m JOIN giving_return r ON r.book = m.book AND r.gift = m.gift
        WHERE m.pool_book = %s AND m.pool = %s ORDER BY m.book, m.gift
        """,
        [pool.campaign, pool.id],
    )
    for book, gift in cursor.fetchall():
        line.lock(cursor, book)
        claw_back(cursor, book, gift, now)


def _lock(cursor: Cursor, pool: uuid.UUID) -> None:
    cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"giving:pool:{pool}"])
