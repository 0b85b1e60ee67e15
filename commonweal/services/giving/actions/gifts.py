"""Giving, and the payment that makes it true."""

from __future__ import annotations

import base64
import hashlib
import logging
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction

from commonweal.kernel import clock
from commonweal.kernel.arrays import array, ids, octets, texts
from commonweal.kernel.errors import NotAllowed, Refusal, Unauthenticated
from commonweal.kernel.ledger import (
    KeyReused,
    Transfer,
    expired,
    find,
    post_each,
    request_hash,
    resolve_each,
)
from commonweal.kernel.ledger.books import check_key
from commonweal.kernel.parties.models import Party
from commonweal.kernel.proof import Fact
from commonweal.kernel.proof.log import STAGED, Cursor
from commonweal.kernel.sql import prepared
from commonweal.kernel.text import Text
from commonweal.services.giving.actions import (
    agreements,
    books,
    cards,
    marks,
    matches,
    payments,
    reports,
    teams,
)
from commonweal.services.giving.payment import Callback, Ignored, Kind, provider
from commonweal.services.giving.queries.campaigns import acts_for, taking, unknown
from commonweal.services.giving.queries.gifts import Gift, laid_after
from commonweal.services.giving.rules import fees
from commonweal.services.giving.rules import gifts as rules
from commonweal.services.giving.rules.gifts import Give, Outcome

log = logging.getLogger(__name__)

not_believed: Counter[str] = Counter()
"""How many callbacks of each provider this process has refused for signature or time. What they say is not kept."""

EXPIRE_AT_ONCE = 500
"""Promises that are voided in one transaction."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A gift that is in the books. `fact` is its leaf in the log if the money is there already."""

    campaign: uuid.UUID
    id: uuid.UUID
    title: Text
    at: datetime
    fact: uuid.UUID | None
    existed: bool


def give(wish: Give) -> Taken:
    """Take one gift: a batch of one. With a provider it waits for its payment; what was collected is there at once.

    Raises `NotFound` for an unknown campaign, what `rules.gifts.check` raises, `Invalid` with `channel.unknown`,
    and `KeyReused`. The same key and wish again give the first answer.
    """
    if not wish.collected:
        provider(wish.channel)
    with transaction.atomic(), prepared() as cursor:
        (answer,) = take(cursor, [wish], clock.now())
    if isinstance(answer, Refusal):
        raise answer
    return answer


def collect(officer: Party, wish: Give) -> Taken:
    """Enter a gift that the charity has received itself.

    Raises `NotAllowed` (`gift.not-yours-to-enter`) unless the officer acts for it, and what `give` raises.
    """
    if not acts_for(officer.id, wish.campaign):
        raise NotAllowed(
            "gift.not-yours-to-enter",
            Text("Only the charity itself enters gifts that it has received.", "只有该机构才能登记自行收到的捐款。"),
            field="channel",
        )
    return give(wish)


def take(cursor: Cursor, gives: Sequence[Give], now: datetime) -> list[Taken | Refusal]:
    """Take a batch of gifts in the caller's transaction; the answers are in the order asked.

    A gift that cannot be taken, or whose key stands for another wish, gets its refusal as the answer and hinders no
    other.
    """
    campaigns = taking({wish.campaign for wish in gives}, now)
    joined = teams.there(cursor, {(wish.campaign, wish.team) for wish in gives if wish.team})
    answers: dict[int, Taken | Refusal] = {}
    placed: dict[int, Transfer] = {}
    for place, wish in enumerate(gives):
        campaign = campaigns.get(wish.campaign)
        try:
            if campaign is None:
                raise unknown()
            rules.check(wish, campaign.standing, campaign.asset, campaign.cap, now)
            fees.check_tip(wish.tip, campaign.custody, campaign.asset)
            if wish.team:
                teams.check(joined, wish.campaign, wish.team, now)
        except Refusal as refusal:
            answers[place] = (campaign and _answered_before(cursor, wish, campaign.title)) or refusal
        else:
            placed[place] = _transfer(wish, now)
    new_here = {books.provider(gives[place].campaign, gives[place].asset, gives[place].channel) for place in placed}
    new_here |= {books.host(gives[place].campaign, gives[place].asset) for place in placed if gives[place].tip}
    books.ensure(cursor, new_here)
    there = {place: transfer for place, transfer in placed.items() if gives[place].collected}
    facts = {place: payments.fact_of(gives[place], transfer.id, now) for place, transfer in there.items()}
    posted = post_each(cursor, list(placed.values()), KEEP, _kept(gives, placed, facts, now))
    new = []
    for (place, transfer), answer in zip(placed.items(), posted, strict=True):
        wish, title = gives[place], campaigns[gives[place].campaign].title
        if isinstance(answer, KeyReused):
            answers[place] = answer
        elif answer.existed:
            answers[place] = _stored(cursor, wish.campaign, answer.id, title)
        else:
            fact = facts.get(place)
            answers[place] = Taken(wish.campaign, transfer.id, title, now, fact.id if fact else None, existed=False)
            new.append((wish, transfer.id))
    _keep_tips(cursor, new)
    _join(cursor, new)
    marks.keep(cursor, "device", [(wish.campaign, gift, wish.device) for wish, gift in new if wish.device], now)
    matches.reserve(cursor, new, now)
    return [answers[place] for place in range(len(gives))]


def confirm(channel: str, body: bytes, headers: Mapping[str, str]) -> Outcome:
    """Take in what a provider calls back: verified on its raw bytes, kept once, and if it fits, the gift is paid.

    Raises `Invalid` (`channel.unknown`) and what `Provider.read_callback` raises.
    """
    now = clock.now()
    try:
        callback = provider(channel).read_callback(body, headers, now)
    except Ignored:
        return Outcome.IGNORED
    except Unauthenticated as refused:
        not_believed[channel] += 1
        log.warning("callback of %s not believed (%s): %d by now", channel, refused.code, not_believed[channel])
        raise
    if callback.kind is Kind.AGREEMENT:
        return agreements.take_in(callback)
    if callback.kind is Kind.PAYMENT:
        return take_in(callback)
    return reports.take_in(callback)


def take_in(callback: Callback) -> Outcome:
    """Take in a payment that a provider reports, called back or asked for: of a gift, or of a gift card."""
    with transaction.atomic(), prepared() as cursor:
        (outcome,) = payments.take_in(cursor, [callback], clock.now())
    return cards.take_in(callback) if outcome is None else outcome


def expire() -> int:
    """Void the promises whose payment did not come in time, some hundreds at once; returns how many."""
    now, number = clock.now(), 0
    while True:
        with transaction.atomic(), prepared() as cursor:
            over = expired(cursor, now, EXPIRE_AT_ONCE)
            answers = resolve_each(cursor, over, "void", now)  # not of what was paid in this moment
            voided = [each for each, answer in zip(over, answers, strict=True) if not isinstance(answer, KeyReused)]
            matches.release(cursor, voided, now)
        number += len(over)
        if len(over) < EXPIRE_AT_ONCE:
            return number


def thank(campaign: uuid.UUID, limit: int = 200) -> list[Gift]:
    """The next gifts of the fund's line whose givers have not been thanked, taken in the caller's transaction."""
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO giving_thanked (book, nth) VALUES (%s, 0) ON CONFLICT DO NOTHING", [campaign])
        cursor.execute("SELECT nth FROM giving_thanked WHERE book = %s FOR UPDATE", [campaign])
        (after,) = cursor.fetchone()
        found = laid_after(campaign, after, limit)
        if found:
            cursor.execute("UPDATE giving_thanked SET nth = %s WHERE book = %s", [found[-1].nth, campaign])
    return found


def _keep_tips(cursor: Cursor, given: Sequence[tuple[Give, uuid.UUID]]) -> None:
    tips = [(wish.campaign, gift, wish.tip) for wish, gift in given if wish.tip]
    if tips:
        cursor.execute(
            """
            INSERT INTO giving_tip (book, gift, amount)
            SELECT * FROM unnest(%s::uuid[], %s::uuid[], %s::bigint[])
            """,
            list(map(list, zip(*tips, strict=True))),
        )


def _join(cursor: Cursor, given: Sequence[tuple[Give, uuid.UUID]]) -> None:
    together = [(wish.campaign, gift, wish.team) for wish, gift in given if wish.team]
    if together:
        cursor.execute(
            "INSERT INTO giving_team_gift (book, gift, team) SELECT * FROM unnest(%s::uuid[], %s::uuid[], %s::uuid[])",
            list(map(list, zip(*together, strict=True))),
        )


def _transfer(wish: Give, now: datetime) -> Transfer:
    return Transfer(
        book=wish.campaign,
        key=_key(wish),
        request=_request(wish),
        kind="giving.gift",
        legs=books.gift(wish),
        at=now,
        phase="posted" if wish.collected else "pending",
        expires=None if wish.collected else now + rules.PAY_WITHIN,
    )


def _key(wish: Give) -> str:
    """The key in the book: two givers who think of the same key do not get into each other's way."""
    digest = hashlib.sha256(f"{wish.giver}\n{check_key(wish.key)}".encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _request(wish: Give) -> bytes:
    more: list[int | str] = [wish.tip] if wish.tip or wish.team else []
    if wish.team:
        more.append(str(wish.team))
    return request_hash("give", str(wish.giver), wish.amount, wish.asset, wish.channel, *more)


def _answered_before(cursor: Cursor, wish: Give, title: Text) -> Taken | None:
    """A repeated wish gets its first answer, also when it would be refused by now."""
    id = find(cursor, wish.campaign, _key(wish), _request(wish))
    return _stored(cursor, wish.campaign, id, title) if id else None


def _stored(cursor: Cursor, campaign: uuid.UUID, id: uuid.UUID, title: Text) -> Taken:
    cursor.execute(
        """
        SELECT g.at, p.fact FROM giving_gift g LEFT JOIN giving_payment p ON p.book = g.book AND p.gift = g.id
        WHERE g.book = %s AND g.id = %s
        """,
        [campaign, id],
    )
    at, fact = cursor.fetchone()
    return Taken(campaign, id, title, at, fact, existed=True)


KEEP = f"""
, given AS (
    SELECT new.book, new.id, giver, amount, channel, fact, entry
    FROM unnest(%(gift)s::uuid[], %(giver)s::uuid[], %(amount)s::bigint[], %(channel)s::text[], %(fact)s::uuid[],
                %(entry)s::bytea[]) AS given (id, giver, amount, channel, fact, entry)
    JOIN new USING (id)
), gift AS (
    INSERT INTO giving_gift (book, id, giver, amount, channel, at)
    SELECT book, id, giver, amount, channel, %(now)s FROM given
), payment AS (
    INSERT INTO giving_payment (book, gift, amount, transfer, fact, reference, at)
    SELECT book, id, amount, id, fact, '', %(now)s FROM given WHERE fact IS NOT NULL
), staged AS (
    {STAGED} SELECT fact, entry FROM given WHERE fact IS NOT NULL
)
"""
"""Written with their transfers, in one statement: gifts, and of those that were collected the payment and the fact."""


def _kept(
    gives: Sequence[Give], placed: Mapping[int, Transfer], facts: Mapping[int, Fact], now: datetime
) -> dict[str, object]:
    """The parameters of `KEEP`."""
    new = [(gives[place], transfer.id, facts.get(place)) for place, transfer in placed.items()]
    return {
        "gift": ids(id for _, id, _ in new),
        "giver": ids(wish.giver for wish, _, _ in new),
        "amount": array(wish.amount for wish, _, _ in new),
        "channel": texts(wish.channel for wish, _, _ in new),
        "fact": ids(fact.id if fact else None for _, _, fact in new),
        "entry": octets(fact.entry if fact else None for _, _, fact in new),
        "now": now,
    }
