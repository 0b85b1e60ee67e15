"""Gift cards in use: giving what one holds, and what happens at its end."""

from __future__ import annotations

import uuid

from django.db import connection, transaction

from commonweal.kernel import clock
from commonweal.kernel.errors import Conflict, Invalid, Refusal, TooMany
from commonweal.kernel.ids import derived
from commonweal.kernel.ledger import Leg, Transfer, post, request_hash
from commonweal.kernel.ledger.books import check_key
from commonweal.kernel.parties.models import Party
from commonweal.kernel.proof.log import Cursor
from commonweal.kernel.text import Text
from commonweal.services.giving.actions import books, gifts, line
from commonweal.services.giving.actions.cards import there_for
from commonweal.services.giving.queries import cards as queries
from commonweal.services.giving.rules import cards as rules
from commonweal.services.giving.rules.gifts import COLLECTED, Give


def look_up(party: Party, code: str) -> queries.Card:
    """The card of a code, for somebody who is signed in.

    Raises `NotFound` (`card.unknown`), and `TooMany` (`card.too-often`) after ten wrong ones within an hour.
    """
    now = clock.now()
    if queries.misses(party.id, now - rules.WITHIN) >= rules.MOST_WRONG:
        raise TooMany(
            "card.too-often",
            Text("These were many wrong codes. Come back in an hour.", "错误次数过多，请一小时后再试。"),
            retry_after=int(rules.WITHIN.total_seconds()),
        )
    try:
        found = queries.of_code(rules.digest(code))
        if found is None:
            raise rules.unknown()
    except Refusal:
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO giving_card_miss (party, at) VALUES (%s, %s)", [party.id, now])
        raise
    return found


def redeem(party: Party, code: str, target: uuid.UUID, amount: int | None, key: str) -> uuid.UUID:
    """Give what a card holds, or part of it, to a campaign; returns the gift. The same key again is the same gift.

    Raises what `look_up`, `rules.cards.check_use`, `check_custody` and `rules.gifts.check` raise.
    """
    card = look_up(party, code)
    return _give(card, target, party.id, amount, check_key(key))


def expire() -> int:
    """Give what expired cards still hold to the campaign that was named when they were bought; returns how many."""
    over = 0
    for card in queries.expired(clock.now()):
        try:
            _give(card, card.campaign, None, None, f"expiry-{len(queries.uses(card))}", over=True)
        except Refusal:  # the campaign was stopped: its host decides, the money stays in the cards
            continue
        over += 1
    return over


def _give(
    card: queries.Card, target: uuid.UUID, giver: uuid.UUID | None, amount: int | None, key: str, *, over: bool = False
) -> uuid.UUID:
    now, to = clock.now(), there_for(target)
    rules.check_custody(to.custody)
    if to.asset != card.asset:
        raise Invalid("asset.other", Text("This campaign takes another currency.", "币种不符。"), field="target")
    with transaction.atomic(), connection.cursor() as cursor:
        line.lock(cursor, card.campaign)
        cursor.execute(
            "SELECT target, gift, amount FROM giving_card_use WHERE book = %s AND card = %s AND key = %s",
            [card.campaign, card.id, key],
        )
        if known := cursor.fetchone():
            if known[0] != target or amount not in (None, known[2]):
                raise Conflict(
                    "key.reused",
                    Text("This key was used for another gift.", "这个幂等键已用于另一笔捐款。"),
                    field="key",
                )
            return uuid.UUID(str(known[1]))
        current = queries.find(card.campaign, card.id)
        left = current.left if current else 0
        given = left if amount is None else amount
        rules.check_use(given, left, card.expires if not over else now + rules.WITHIN, now)
        asset = card.asset.code
        legs = (Leg(books.cards(card.campaign, asset).id, given), *books.out(cursor, card.campaign, asset, given))
        use = f"card use {derived(card.id, key)}"
        post(cursor, [Transfer(card.campaign, use, request_hash("use", given), "giving.card-use", legs, now)])
        gift = _into(cursor, Give(target, giver, given, asset, COLLECTED, f"card-{derived(card.id, key)}"))
        cursor.execute(
            "INSERT INTO giving_card_use (book, card, key, target, gift, amount, at) VALUES (%s,%s,%s,%s,%s,%s,%s)",
            [card.campaign, card.id, key, target, gift, given, now],
        )
    return gift


def _into(cursor: Cursor, wish: Give) -> uuid.UUID:
    (taken,) = gifts.take(cursor, [wish], clock.now())
    if isinstance(taken, Refusal):
        raise taken
    return taken.id
