"""Pools of matching: what a company promised, what became of it, and the file from which anybody computes it again."""

from __future__ import annotations

import hmac
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from commonweal.kernel import clock
from commonweal.kernel.errors import NotFound
from commonweal.kernel.quantity import Asset
from commonweal.kernel.sql import row, rows
from commonweal.kernel.text import Text
from commonweal.services.giving import matching
from commonweal.services.giving.matching import pool_file
from commonweal.services.giving.matching.lots import Draw, RandomBoost
from commonweal.services.giving.queries.campaigns import asset_of
from commonweal.services.giving.rules import matches as match_rules
from commonweal.services.giving.rules.deeds import FLOWERS

POOL = """
    SELECT p.book, p.id, p.company, p.campaigns, p.rules, p.secret, p.fact, c.asset, c.organisation_id,
           c.title_en, c.title_zh, o.name_en, o.name_zh, s.digest, s.fact AS settlement_fact, s.matched AS computed,
           s.at AS computed_at, d.at AS settled_at,
           coalesce((SELECT -sum(b.posted + b.pending_debit) FROM ledger_account a
                     JOIN ledger_balance b ON b.book = a.book AND b.account = a.id
                     WHERE a.book = p.book AND a.name = 'pool:' || p.id), 0)::bigint AS free,
           coalesce((SELECT -sum(b.posted) FROM ledger_account a
                     JOIN ledger_balance b ON b.book = a.book AND b.account = a.id
                     WHERE a.book = p.book AND a.name = 'pool:' || p.id), 0)::bigint AS here,
           coalesce((SELECT sum(m.amount) FROM giving_match m
                     WHERE m.pool_book = p.book AND m.pool = p.id), 0)::bigint AS matched,
           coalesce((SELECT sum(r.amount) FROM giving_match m
                     JOIN giving_return r ON r.book = m.book AND r.gift = m.matching
                     WHERE m.pool_book = p.book AND m.pool = p.id), 0)::bigint AS taken_back,
           coalesce((SELECT sum(a.amount) FROM giving_match m
                     JOIN giving_match_again a ON a.book = m.book AND a.matching = m.matching
                     WHERE m.pool_book = p.book AND m.pool = p.id), 0)::bigint AS again,
           coalesce((SELECT sum(a.short) FROM giving_match m
                     JOIN giving_match_again a ON a.book = m.book AND a.matching = m.matching
                     WHERE m.pool_book = p.book AND m.pool = p.id), 0)::bigint AS short
    FROM giving_pool p
    JOIN giving_campaign c ON c.id = p.book
    JOIN parties_party o ON o.id = p.company
    LEFT JOIN giving_pool_settled d ON d.book = p.book AND d.pool = p.id
    LEFT JOIN LATERAL (SELECT * FROM giving_pool_settlement s WHERE s.book = p.book AND s.pool = p.id
                       ORDER BY s.at DESC, s.digest LIMIT 1) s ON true"""


@dataclass(frozen=True, slots=True)
class Pool:
    """A pool. Of what was `put_in`, `matched` has gone to gifts (less `taken_back`), `reserved` is held by gifts until
    the settlement, and `free` is nobody's yet. Of `matched`, `again` was paid anew because a chargeback was won; for
    `short` of that there was no money left."""

    campaign: uuid.UUID
    id: uuid.UUID
    title: Text
    organisation_id: uuid.UUID
    company_id: uuid.UUID
    company: Text
    campaigns: tuple[uuid.UUID, ...]
    asset: Asset
    rules: matching.Pool
    secret: bytes
    matched: int
    taken_back: int
    again: int
    short: int
    free: int
    reserved: int
    fact: uuid.UUID
    digest: bytes | None
    settlement_fact: uuid.UUID | None
    computed: int | None
    computed_at: datetime | None
    settled_at: datetime | None

    @property
    def put_in(self) -> int:
        """All the money of the pool, in smallest units."""
        return self.rules.amount

    @property
    def rate(self) -> str:
        """How much it adds to one unit, as a decimal; "" where the scheme has no rate."""
        rate = getattr(self.rules.scheme, "rate", None)
        return "" if rate is None else f"{float(rate):g}"

    @property
    def state(self) -> match_rules.State:
        """How far it has come."""
        settled = self.settled_at is not None
        return match_rules.state(self.rules, clock.now(), proposed=self.digest is not None, settled=settled)

    @property
    def state_title(self) -> Text:
        """The same, in words."""
        return match_rules.TITLES[self.state]

    @property
    def is_open(self) -> bool:
        """Whether gifts are matched now, while it lasts."""
        return self.state is match_rules.State.OPEN

    @property
    def commitment(self) -> str:
        """The fingerprint of the seed, published before the start; "" where no lots are drawn."""
        return self.rules.commitment.hex() if self.rules.commitment else ""

    @property
    def seed(self) -> str:
        """The seed once the pool has closed; "" before, and where no lots are drawn."""
        early = self.rules.commitment is None or clock.now() < self.rules.closes
        return "" if early else seed_of(self.secret).hex()


def seed_of(secret: bytes) -> bytes:
    """The seed of a pool's lots."""
    return hmac.digest(secret, b"seed", "sha256")


def no_lots() -> NotFound:
    """There is no seed."""
    return NotFound("seed.none", Text("This pool draws no lots.", "该配捐不抽签，没有种子。"))


def revealed(pool: Pool) -> bytes:
    """The seed after the close. Raises `Conflict` (`seed.early`) before, `NotFound` (`seed.none`) if there is none."""
    if pool.rules.commitment is None:
        raise no_lots()
    seed = matching.reveal(pool.rules, seed_of(pool.secret), clock.now()).seed
    return seed or b""


def _pool(found: dict[str, Any]) -> Pool:
    written = found["rules"]
    return Pool(
        campaign=found["book"],
        id=found["id"],
        title=Text(found["title_en"], found["title_zh"]),
        organisation_id=found["organisation_id"],
        company_id=found["company"],
        company=Text(found["name_en"], found["name_zh"]),
        campaigns=tuple(found["campaigns"]),
        asset=asset_of(found["asset"]),
        rules=pool_file.read_rules(json.loads(written) if isinstance(written, str) else written),
        secret=bytes(found["secret"]),
        matched=found["matched"],
        taken_back=found["taken_back"],
        again=found["again"],
        short=found["short"],
        free=found["free"],
        reserved=found["here"] - found["free"],
        fact=found["fact"],
        digest=bytes(found["digest"]) if found["digest"] else None,
        settlement_fact=found["settlement_fact"],
        computed=found["computed"],
        computed_at=found["computed_at"],
        settled_at=found["settled_at"],
    )


def of(campaign: uuid.UUID) -> list[Pool]:
    """The pools that match gifts to a campaign, oldest first."""
    query = f"{POOL} WHERE p.campaigns @> ARRAY[%(book)s::uuid] ORDER BY p.at, p.id"
    return [_pool(found) for found in rows(query, {"book": campaign})]


def one(campaign: uuid.UUID, id: uuid.UUID) -> Pool:
    """One pool. Raises `NotFound` (`pool.unknown`)."""
    found = row(f"{POOL} WHERE p.book = %(book)s AND p.id = %(id)s", {"book": campaign, "id": id})
    if found is None:
        raise NotFound("pool.unknown", Text("There is no such pool.", "没有这笔配捐资金。"))
    return _pool(found)


def closed(limit: int = 100) -> list[Pool]:
    """Pools that have closed and are not settled, the first to close first."""
    query = f"{POOL} WHERE p.closes_at <= %(now)s AND d.pool IS NULL ORDER BY p.closes_at, p.id LIMIT %(limit)s"
    return [_pool(found) for found in rows(query, {"now": clock.now(), "limit": limit})]


@dataclass(frozen=True, slots=True)
class Match:
    """A gift, by its number, and what the pool gave to it, or what it holds until the settlement if not `paid`."""

    gift: uuid.UUID
    nth: int | None
    gift_amount: int
    amount: int
    paid: bool
    fact: uuid.UUID | None
    at: datetime


def matches(campaign: uuid.UUID, pool: uuid.UUID, limit: int = 200) -> list[Match]:
    """The newest matches of a pool, paid or held. Nobody is named."""
    query = """
        SELECT g.id AS gift, p.nth, g.amount AS gift_amount, m.amount, m.fact IS NOT NULL AS paid, m.fact, g.at
        FROM (
            SELECT m.book, m.gift, m.amount, q.fact FROM giving_match m
            JOIN giving_payment q ON q.book = m.book AND q.gift = m.matching
            WHERE m.pool_book = %(book)s AND m.pool = %(pool)s
            UNION ALL
            SELECT r.book, r.gift, r.amount, NULL FROM giving_reservation r
            JOIN ledger_open o ON o.book = r.book AND o.id = r.transfer
            WHERE r.book = %(book)s AND r.pool = %(pool)s
        ) m
        JOIN giving_gift g ON g.book = m.book AND g.id = m.gift
        LEFT JOIN giving_payment p ON p.book = m.book AND p.gift = m.gift
        ORDER BY g.at DESC, g.id LIMIT %(limit)s"""
    return [Match(**found) for found in rows(query, {"book": campaign, "pool": pool, "limit": limit})]


MATCHED_BEFORE = "matched-before"
"""Why a gift takes no part in a settlement: pools once matched at the gift, and it is not matched twice."""

GIFTS = """
    SELECT g.book, g.id, g.giver, g.at, g.amount, t.team, coalesce(w.kind, '') AS withheld,
           least(g.amount, coalesce((SELECT sum(r.amount - r.tip) FILTER (WHERE EXISTS (
                        SELECT FROM giving_return_end e WHERE e.book = r.book AND e.id = r.id AND e.outcome = 'done'))
                    FROM giving_return r WHERE r.book = g.book AND r.gift = g.id), 0))::bigint AS refunded,
           NOT %(settled)s AND EXISTS (SELECT FROM giving_match m WHERE m.book = g.book AND m.gift = g.id
                AND m.pool_book = %(pool_book)s AND m.pool = %(pool)s) AS matched,
           CASE WHEN %(lots)s THEN coalesce((SELECT sum(d.amount) FROM giving_act d
                WHERE d.book = g.book AND d.person = g.giver AND d.asset = %(flowers)s
                  AND d.at >= %(opens)s AND d.at < %(closes)s), 0) ELSE 0 END::bigint AS flowers
    FROM giving_gift g
    JOIN giving_payment p ON p.book = g.book AND p.gift = g.id
    LEFT JOIN giving_team_gift t ON t.book = g.book AND t.gift = g.id
    LEFT JOIN giving_withheld w ON w.campaign = g.book AND w.gift = g.id
    WHERE g.book = ANY(%(campaigns)s) AND g.at >= %(opens)s AND g.at < %(closes)s AND p.at <= %(now)s
      AND g.giver IS NOT NULL AND g.giver <> %(company)s AND g.channel <> %(channel)s
      {only}
    ORDER BY g.at, g.id"""


def gifts(pool: Pool, now: datetime, only: uuid.UUID | None = None) -> list[matching.Gift]:
    """The gifts of a pool that have arrived, or `only` one of them, in the order in which they were made.

    Donors are its pseudonyms, and so are teams, which are there only where the scheme asks for their size: nobody can
    add up what a team of the site has given from the file.
    """
    key, charity = hmac.digest(pool.secret, b"donors", "sha256"), str(pool.organisation_id)
    by_team = any(extra.team_of for extra in getattr(pool.rules.scheme, "extras", ()))
    values = {
        "campaigns": list(pool.campaigns),
        "opens": pool.rules.opens,
        "closes": pool.rules.closes,
        "now": now,
        "company": pool.company_id,
        "channel": match_rules.CHANNEL,
        "flowers": FLOWERS.code,
        "lots": pool.rules.commitment is not None,
        "settled": pool.settled_at is not None,
        "pool_book": pool.campaign,
        "pool": pool.id,
        "only": only,
    }
    return [
        matching.Gift(
            id=str(found["id"]),
            at=found["at"],
            donor=pool_file.pseudonym(key, str(found["giver"])),
            project=str(found["book"]),
            charity=charity,
            amount=found["amount"],
            refunded=found["refunded"],
            withheld=found["withheld"] or (MATCHED_BEFORE if found["matched"] else ""),
            team=pool_file.pseudonym(key, f"team {found['team']}") if by_team and found["team"] else "",
            flowers=found["flowers"],
        )
        for found in rows(GIFTS.format(only="AND g.id = %(only)s" if only else ""), values)
    ]


def draw(pool: Pool, gift: uuid.UUID) -> tuple[matching.Gift, Draw | None]:
    """A gift as a pool that draws lots sees it, with its lot once the pool has closed.

    Raises `NotFound`: `seed.none` for a pool that draws none, `gift.unknown` for a gift that takes no part.
    """
    scheme, now = pool.rules.scheme, clock.now()
    if not isinstance(scheme, RandomBoost):
        raise no_lots()
    found = gifts(pool, now, gift)
    if not found:
        raise NotFound("gift.unknown", Text("This gift takes no part in the pool.", "这笔捐款不参与该配捐。"))
    return found[0], scheme.drawn(revealed(pool), found[0]) if pool.seed else None


def drawing(campaign: uuid.UUID, at: datetime) -> list[tuple[uuid.UUID, uuid.UUID, Text]]:
    """The pools in which a gift of that moment draws a lot: book, pool and the name of the company."""
    query = """
        SELECT p.book, p.id, o.name_en, o.name_zh FROM giving_pool p JOIN parties_party o ON o.id = p.company
        WHERE p.campaigns @> ARRAY[%(campaign)s::uuid] AND p.opens_at <= %(at)s AND %(at)s < p.closes_at
          AND p.rules ? 'seed' ORDER BY p.at, p.id"""
    return [
        (found["book"], found["id"], Text(found["name_en"], found["name_zh"]))
        for found in rows(query, {"campaign": campaign, "at": at})
    ]


def file(pool: Pool, now: datetime) -> pool_file.PoolFile:
    """What the pool comes to at a moment: its gifts, and their matches where they can be computed already."""
    given = gifts(pool, now)
    if pool.rules.commitment is None:
        terms = pool.rules
    elif now < pool.rules.closes:
        return pool_file.PoolFile(pool.rules, tuple(given), now)
    else:
        terms = replace(pool.rules, seed=revealed(pool))
    made = {match.gift: match.amount for match in matching.match(terms, given) if match.amount}
    return pool_file.PoolFile(terms, tuple(given), now, made)


def published(pool: Pool) -> bytes:
    """The file to download: the one that was settled or is looked at, else what the pool comes to now."""
    if pool.digest is None:
        return pool_file.write(file(pool, clock.now()))
    query = "SELECT file FROM giving_pool_settlement WHERE book = %(book)s AND pool = %(pool)s AND digest = %(digest)s"
    found = row(query, {"book": pool.campaign, "pool": pool.id, "digest": pool.digest})
    return bytes(found["file"]) if found else b""


@dataclass(frozen=True, slots=True)
class Word:
    """A steward's word on a settlement."""

    steward: uuid.UUID
    approves: bool
    note: str
    fact: uuid.UUID
    at: datetime


def words(pool: Pool) -> list[Word]:
    """The words on the newest file of a pool, oldest first."""
    query = """
        SELECT steward, approves, note, fact, at FROM giving_pool_word
        WHERE book = %(book)s AND pool = %(pool)s AND digest = %(digest)s ORDER BY at, steward"""
    return [Word(**found) for found in rows(query, {"book": pool.campaign, "pool": pool.id, "digest": pool.digest})]


def team_sizes(campaign: uuid.UUID, given: Sequence[uuid.UUID]) -> dict[uuid.UUID, int]:
    """How many people the teams of these gifts have, their own givers included; only for gifts with a team."""
    query = """
        SELECT mine.gift, (SELECT count(DISTINCT g.giver) FROM giving_team_gift t
                           JOIN giving_gift g ON g.book = t.book AND g.id = t.gift
                           LEFT JOIN giving_payment p ON p.book = t.book AND p.gift = t.gift
                           WHERE t.book = mine.book AND t.team = mine.team
                             AND (p.gift IS NOT NULL OR t.gift = mine.gift)) AS people
        FROM giving_team_gift mine WHERE mine.book = %(book)s AND mine.gift = ANY(%(gifts)s)"""
    return {found["gift"]: found["people"] for found in rows(query, {"book": campaign, "gifts": list(given)})}


def due(pool: Pool) -> bool:
    """Whether the days of review are over."""
    return clock.now() >= pool.rules.closes + timedelta(days=pool.rules.review_days)
