"""Agreements with payers: made and taken back at their provider, paused, resumed, changed and ended by their giver."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.db import transaction

from commonweal.kernel import clock
from commonweal.kernel.ids import uuid7
from commonweal.kernel.jobs import enqueue
from commonweal.kernel.parties.models import Party
from commonweal.kernel.proof import Fact, append
from commonweal.kernel.proof.log import Cursor
from commonweal.kernel.proof.verify import seal
from commonweal.kernel.sql import prepared
from commonweal.services.giving.actions import callbacks
from commonweal.services.giving.actions.openings import opening
from commonweal.services.giving.payment import Agreeing, Callback, recurring
from commonweal.services.giving.queries import recurring as queries
from commonweal.services.giving.queries.campaigns import taking
from commonweal.services.giving.rules import campaigns as campaign_rules
from commonweal.services.giving.rules import gifts as gift_rules
from commonweal.services.giving.rules import recurring as rules
from commonweal.services.giving.rules.gifts import Give, Outcome
from commonweal.services.giving.rules.recurring import Cause, Said, Standing, Word


def where_to_agree(found: queries.Recurring) -> str:
    """Where its giver agrees with the provider."""
    agreeing = Agreeing(found.campaign, found.id, found.amount, found.asset.code, found.every, found.title)
    return recurring(found.channel).agree(agreeing)


def take_in(callback: Callback) -> Outcome:
    """Take in that a payer has agreed, or has taken it back; once."""
    now = clock.now()
    with transaction.atomic(), prepared() as cursor:
        found = locked(cursor, callback.book, callback.gift)
        outcome = _judge(found, callback)
        if not callbacks.keep(cursor, callback, outcome, now):
            return Outcome.KNOWN
        if found and outcome is Outcome.AGREED:
            write(cursor, found, Said(Word.AGREED, Cause.GIVER, now, reference=callback.reference))
            enqueue("giving.renew_one", campaign=str(found.campaign), recurring=str(found.id))
        elif found and outcome is Outcome.REVOKED:
            write(cursor, found, Said(Word.ENDED, Cause.REVOKED, now))
    return outcome


def _judge(found: queries.Recurring | None, callback: Callback) -> Outcome:
    if found is None or found.channel != callback.provider:
        return Outcome.UNKNOWN
    if not callback.succeeded:
        return Outcome.KNOWN if found.standing is Standing.ENDED else Outcome.REVOKED
    if found.standing is Standing.ENDED or (found.standing is Standing.ACTIVE
                                            and found.rule.agreement == callback.reference):  # fmt: skip
        return Outcome.KNOWN
    return Outcome.AGREED


def say(giver: Party, campaign: uuid.UUID, id: uuid.UUID, word: Word, amount: int | None = None) -> Standing:
    """Its giver pauses, resumes, changes the amount or ends; returns where it stands then.

    Raises `NotFound` (`recurring.unknown`), what `rules.recurring.check_word` raises, and for an amount what
    `rules.gifts.check` raises.
    """
    queries.recurring_of(giver.id, campaign, id)
    now = clock.now()
    with transaction.atomic(), prepared() as cursor:
        found = locked(cursor, campaign, id)
        if found is None:
            raise queries.unknown()
        rules.check_word(found.rule, word)
        if word is Word.CHANGED:
            there = taking([campaign], now)[campaign]
            give = Give(campaign, giver.id, amount or 0, there.asset.code, found.channel, "")
            gift_rules.check(give, there.standing, there.asset, there.cap, now)
        write(cursor, found, Said(word, Cause.GIVER, now, amount if word is Word.CHANGED else None))
        if word is Word.RESUMED:
            enqueue("giving.renew_one", campaign=str(campaign), recurring=str(id))
    return queries.recurring_of(giver.id, campaign, id).standing


def give_back(campaign: uuid.UUID, id: uuid.UUID) -> None:
    """Give the agreement of what has ended back to the provider."""
    found = queries.find(campaign, id)
    if found and found.standing is Standing.ENDED and found.rule.agreement:
        recurring(found.channel).cancel(found.rule.agreement)


def erase(party: uuid.UUID) -> None:
    """End what is running of a person who is being forgotten: nobody is charged who is no longer here."""
    now = clock.now()
    with transaction.atomic(), prepared() as cursor:
        for each in queries.of(party):
            found = locked(cursor, each.campaign, each.id)
            if found and found.standing is not Standing.ENDED:
                write(cursor, found, Said(Word.ENDED, Cause.FORGOTTEN, now))


def locked(cursor: Cursor, campaign: uuid.UUID, id: uuid.UUID) -> queries.Recurring | None:
    """Where it stands, locked until the end; read after the lock, so that the last word is seen."""
    cursor.execute("SELECT FROM giving_recurring WHERE book = %s AND id = %s FOR UPDATE", [campaign, id])
    return queries.find(campaign, id) if cursor.fetchone() is not None else None


def halted(cursor: Cursor, found: queries.Recurring, state: campaign_rules.State, now: datetime) -> bool:
    """Whether its campaign takes no gifts; the gift is paused or ended then."""
    word = rules.halt(state)
    if word is not None:
        write(cursor, found, Said(word, Cause.CAMPAIGN, now))
    return word is not None


def write(cursor: Cursor, found: queries.Recurring, said: Said) -> None:
    """Write a word down and make it a fact; whoever has not said it is told."""
    id = uuid7()
    fields = {"campaign": str(found.campaign), "recurring": str(found.id), "word": said.word.value}
    fact = Fact("giving.recurring", said.at, fields, seal(*opening(found.giver, id)), id)
    cursor.execute(
        """
        INSERT INTO giving_recurring_word (book, id, nth, word, cause, amount, reference, fact, at)
        SELECT %(book)s, %(id)s, count(*), %(word)s, %(cause)s, %(amount)s, %(reference)s, %(fact)s, %(at)s
        FROM giving_recurring_word WHERE book = %(book)s AND id = %(id)s
        """,
        {"book": found.campaign, "id": found.id, "word": said.word, "cause": said.cause, "amount": said.amount,
         "reference": said.reference, "fact": fact.id, "at": said.at},
    )  # fmt: skip
    append(cursor, fact)
    if said.word is Word.ENDED:
        enqueue("giving.give_back", campaign=str(found.campaign), recurring=str(found.id))
    if said.cause is not Cause.GIVER:
        enqueue("giving.tell_recurring", campaign=str(found.campaign), recurring=str(found.id))
