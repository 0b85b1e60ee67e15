"""Gift cards: buying, paying, and showing the code once."""

from __future__ import annotations

import secrets
import uuid

from django.db import connection, transaction

from commonweal.kernel import clock
from commonweal.kernel.errors import Conflict
from commonweal.kernel.ids import derived, uuid7
from commonweal.kernel.ledger import Transfer, open_accounts, post, request_hash, resolve
from commonweal.kernel.ledger.books import check_key
from commonweal.kernel.parties.models import Party
from commonweal.kernel.proof import Fact, append
from commonweal.kernel.proof.verify import seal
from commonweal.kernel.text import Text
from commonweal.services.giving.actions import books, callbacks, twice
from commonweal.services.giving.actions.openings import opening
from commonweal.services.giving.payment import Callback, provider
from commonweal.services.giving.queries import cards as queries
from commonweal.services.giving.queries.campaigns import Taking, taking, unknown
from commonweal.services.giving.rules import cards as rules
from commonweal.services.giving.rules import gifts as gift_rules
from commonweal.services.giving.rules.gifts import PAY_WITHIN, Give, Outcome, Report


def buy(buyer: Party, campaign: uuid.UUID, amount: int, channel: str, key: str) -> queries.Card:
    """Buy a card; it waits for its payment. What is left of it at its end goes to `campaign`. Same key, same card.

    Raises `NotFound` (`campaign.unknown`), what `rules.gifts.check` and `rules.cards.check_custody` and `expires`
    raise, `Invalid` (`channel.unknown`) and `KeyReused`.
    """
    now, there = clock.now(), provider(channel)
    found = there_for(campaign)
    rules.check_custody(found.custody)
    give = Give(campaign, buyer.id, amount, found.asset.code, there.name, check_key(key))
    gift_rules.check(give, found.standing, found.asset, found.cap, now)
    expires = rules.expires(now, found.standing.closes_at)
    asset = found.asset.code
    with transaction.atomic(), connection.cursor() as cursor:
        hands, cards = books.provider(campaign, asset, channel), books.cards(campaign, asset)
        open_accounts(cursor, [hands, cards])
        transfer = Transfer(
            campaign, f"card {derived(buyer.id, key)}", request_hash("card", amount, channel), "giving.card",
            books.move(hands, cards, amount), now, "pending", now + PAY_WITHIN,
        )  # fmt: skip
        (posted,) = post(cursor, [transfer])
        if not posted.existed:
            cursor.execute(
                "INSERT INTO giving_card (book, id, buyer, amount, channel, expires, at) VALUES (%s,%s,%s,%s,%s,%s,%s)",
                [campaign, posted.id, buyer.id, amount, channel, expires, now],
            )
    return queries.of_buyer(buyer.id, campaign, posted.id)


def take_in(callback: Callback) -> Outcome:
    """Take in the payment of a card, once; another amount or currency moves nothing."""
    now = clock.now()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT FROM giving_card WHERE book = %s AND id = %s FOR UPDATE", [callback.book, callback.gift])
        card = queries.find(callback.book, callback.gift)
        if card is None:
            return Outcome.UNKNOWN
        wish = Give(card.campaign, card.buyer, card.amount, card.asset.code, card.channel, "")
        report = Report(callback.provider, callback.amount, callback.asset, callback.reference)
        outcome = gift_rules.judge(wish, report, paid=card.reference)
        if not callbacks.keep(cursor, callback, outcome, now):
            return Outcome.KNOWN
        if outcome is Outcome.TWICE:
            twice.owe(cursor, callback, now)
        if outcome is not Outcome.PAID:
            return outcome
        asset = card.asset.code
        if now < card.at + PAY_WITHIN:
            transfer = resolve(cursor, card.campaign, card.id, "post", now).id
        else:
            resolve(cursor, card.campaign, card.id, "void", now)
            legs = books.move(
                books.provider(card.campaign, asset, card.channel), books.cards(card.campaign, asset), card.amount
            )
            late = Transfer(card.campaign, f"late card {card.id}", request_hash("late"), "giving.card", legs, now)
            transfer = post(cursor, [late])[0].id
        id = uuid7()
        fields = {"campaign": str(card.campaign), "card": str(card.id), "amount": card.amount, "asset": asset}
        fact = Fact("giving.card", now, fields, seal(*opening(card.buyer, id)), id)
        cursor.execute(
            """
            INSERT INTO giving_card_payment (book, card, transfer, reference, fact, at)
            VALUES (%s, %s, %s, %s, %s, %s)
            """,
            [card.campaign, card.id, transfer, callback.reference, fact.id, now],
        )
        append(cursor, fact)
    return outcome


def show_code(buyer: Party, campaign: uuid.UUID, id: uuid.UUID) -> str:
    """Make the code of a paid card and show it: once, for only its hash is kept.

    Raises `NotFound` (`card.not-yours`), `Conflict` (`card.unpaid`, `card.shown`).
    """
    card = queries.of_buyer(buyer.id, campaign, id)
    if not card.paid:
        raise Conflict("card.unpaid", Text("The card is not paid yet.", "礼品卡尚未付款。"))
    code = rules.code(secrets.choice)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO giving_card_code (book, card, digest, at) VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING",
            [campaign, id, rules.digest(code), clock.now()],
        )
        if not cursor.rowcount:
            raise Conflict(
                "card.shown",
                Text("The code has been shown; only its hash is kept.", "卡号已显示过，系统只保存其哈希值。"),
            )
    return code


def there_for(campaign: uuid.UUID) -> Taking:
    """What a decision needs of a campaign. Raises `NotFound` (`campaign.unknown`)."""
    found = taking([campaign], clock.now()).get(campaign)
    if found is None:
        raise unknown()
    return found


def erase(party: uuid.UUID) -> None:
    """Remove the wrong codes of a person who is being forgotten."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM giving_card_miss WHERE party = %s", [party])
