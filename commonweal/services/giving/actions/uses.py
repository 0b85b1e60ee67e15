"""How what was bought is used: the receiving side answers; a steward marks what stands idle and passes it on."""

from __future__ import annotations

import uuid

from django.db import connection, transaction

from commonweal.kernel import clock
from commonweal.kernel.errors import Conflict, NotAllowed
from commonweal.kernel.files import store
from commonweal.kernel.jobs import enqueue
from commonweal.kernel.parties import people
from commonweal.kernel.parties.models import Party
from commonweal.kernel.proof import Fact, append
from commonweal.kernel.text import Text
from commonweal.services.giving.actions import links
from commonweal.services.giving.queries import payouts
from commonweal.services.giving.queries import uses as queries
from commonweal.services.giving.queries.campaigns import taking, unknown
from commonweal.services.giving.rules import campaigns, texts
from commonweal.services.giving.rules import uses as rules


def link(officer: Party, campaign: uuid.UUID, request: uuid.UUID) -> str:
    """What the charity sends to whoever has the things: a signed link to answer with. Raises `NotAllowed`."""
    people.require_role(officer, people.OFFICER, Party(id=payouts.payout(campaign, request).organisation_id))
    return links.USE.sign(str(campaign), str(request))


def payout_of(written: str) -> payouts.Payout:
    """The payout that a link is for. Raises `Invalid` (`link.form`) and `Gone` (`link.over`)."""
    campaign, request = links.USE.read(written)
    return payouts.payout(uuid.UUID(campaign), uuid.UUID(request))


@transaction.atomic
def answer(by: Party, campaign: uuid.UUID, request: uuid.UUID, after: int, given: rules.Answer, link: str = "") -> None:
    """The charity, or whoever has its link, tells and shows how what was bought is used, once for each question.

    Raises `NotFound` (`payout.unknown`), `NotAllowed`, `Gone` (`link.over`), `Invalid` (`text.*`, `use.picture`, the
    pictures) and `Conflict` (`use.not-asked`).
    """
    paid = payouts.payout(campaign, request)
    if not link:
        people.require_role(by, people.OFFICER, Party(id=paid.organisation_id))
    elif payout_of(link).id != request:
        raise NotAllowed("role.missing", Text("You need another role for this.", "您没有进行此操作的权限。"))
    said = texts.both(given.said.en, given.said.zh, "said", 2_000, lines=True)
    rules.check(given)
    pictures = [store.take_picture(each, field="pictures").digest for each in given.pictures]
    now = clock.now()
    fields = {"campaign": str(campaign), "request": str(request), "after": after, "standing": given.standing.value}
    fact = Fact("giving.use", now, fields | {"pictures": pictures})
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE giving_use SET answered_at = %s, answered_by = %s, standing = %s, said_en = %s, said_zh = %s,
                                  pictures = %s, fact = %s
            WHERE book = %s AND request = %s AND after = %s AND answered_at IS NULL RETURNING true
            """,
            [now, by.id, given.standing, said.en, said.zh, pictures, fact.id, campaign, request, after],
        )
        if cursor.fetchone() is None:
            raise Conflict("use.not-asked", Text("This was not asked, or is answered.", "尚未询问或已经答复。"))
        append(cursor, fact)
        enqueue("giving.tell_use", campaign=str(campaign), request=str(request), after=after)


@transaction.atomic
def mark_idle(steward: Party, campaign: uuid.UUID, request: uuid.UUID, note: Text) -> None:
    """A steward finds that what a payout bought stands unused, in public.

    Raises `NotAllowed`, `NotFound` (`payout.unknown`), `Invalid` and `Conflict` (`use.not-paid`, `use.idle`).
    """
    people.require_role(steward, people.STEWARD)
    if payouts.payout(campaign, request).paid_at is None:
        raise Conflict("use.not-paid", Text("Nothing has been bought yet.", "尚未拨付，没有物资可标记。"))
    said, now = texts.both(note.en, note.zh, "note", 400), clock.now()
    fact = Fact("giving.idle", now, {"campaign": str(campaign), "request": str(request), "word": "idle"})
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO giving_idle (book, request, steward, note_en, note_zh, fact, at)
            VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING RETURNING true
            """,
            [campaign, request, steward.id, said.en, said.zh, fact.id, now],
        )
        if cursor.fetchone() is None:
            raise Conflict("use.idle", Text("It is marked as idle already.", "该物资已标记为闲置。"))
        append(cursor, fact)


@transaction.atomic
def move(steward: Party, campaign: uuid.UUID, request: uuid.UUID, target: uuid.UUID, note: Text) -> None:
    """A steward passes what stands idle on to another campaign that is open.

    Raises `NotAllowed`, `NotFound` (`campaign.unknown`), what `rules.uses.check_move` raises and `Conflict`
    (`campaign.<state>`).
    """
    people.require_role(steward, people.STEWARD)
    said, now = texts.both(note.en, note.zh, "note", 400), clock.now()
    found = taking([target], now).get(target)
    if found is None or target == campaign:
        raise unknown()
    campaigns.check_open(found.standing, now)
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM giving_idle WHERE book = %s AND request = %s FOR UPDATE", [campaign, request])
        thing = queries.idle(campaign, request)
        rules.check_move(idle=thing is not None, moved=thing is not None and thing.target is not None)
        fields = {"campaign": str(campaign), "request": str(request), "target": str(target), "word": "moved"}
        fact = Fact("giving.idle", now, fields)
        cursor.execute(
            """
            INSERT INTO giving_move (book, request, target, steward, note_en, note_zh, fact, at)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
            """,
            [campaign, request, target, steward.id, said.en, said.zh, fact.id, now],
        )
        append(cursor, fact)
