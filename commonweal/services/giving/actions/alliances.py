"""Alliances of time banks: proposed by one, accepted by the other, ended by either."""

from __future__ import annotations

import uuid

from django.db import connection, transaction

from commonweal.kernel import clock
from commonweal.kernel.errors import Conflict, Invalid, NotAllowed
from commonweal.kernel.ids import uuid7
from commonweal.kernel.ledger import Leg, Transfer, open_accounts, post, request_hash
from commonweal.kernel.parties import people
from commonweal.kernel.parties.models import Party
from commonweal.kernel.proof import Fact, append
from commonweal.kernel.proof.log import Cursor
from commonweal.kernel.text import Text
from commonweal.services.giving.actions.banks import officer_of
from commonweal.services.giving.queries import banks as queries
from commonweal.services.giving.rules import banks as rules


def lock_positions(cursor: Cursor, *, alone: bool = False) -> None:
    """Whoever moves what banks owe one another waits while a clearing (`alone`) looks at all of it, and it for them."""
    shared = "" if alone else "_shared"
    cursor.execute(f"SELECT pg_advisory_xact_lock{shared}(hashtextextended('giving:positions', 0))")


@transaction.atomic
def propose(officer: Party, bank: uuid.UUID, other: uuid.UUID, most: int) -> uuid.UUID:
    """Propose to another bank that members of both exchange, and that neither ever owes more than `most` minutes.

    Raises `NotAllowed`, `NotFound` (`bank.unknown`) and `Invalid` (`alliance.self`, `amount.*`).
    """
    officer_of(officer, bank)
    if queries.bank(other).id == bank:
        raise Invalid("alliance.self", Text("Choose another bank.", "请选择另一家时间银行。"), field="other")
    rules.check_limit(most)
    id, now = uuid7(), clock.now()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO giving_alliance (id, one, other, most, proposed_by, proposed_at) VALUES (%s,%s,%s,%s,%s,%s)",
            [id, bank, other, most, officer.id, now],
        )
        _tell(cursor, id, bank, other, "proposed", most)
    return id


@transaction.atomic
def accept(officer: Party, bank: uuid.UUID, id: uuid.UUID) -> None:
    """The other bank accepts, once. What is owed under an alliance that this one replaces is carried over.

    Raises `NotFound` (`alliance.unknown`), `NotAllowed` for the proposing bank and for whoever acts for both
    (`alliance.own`), `Conflict` (`alliance.over`), and `Overdrawn` if more is owed than the new limit allows.
    """
    officer_of(officer, bank)
    now = clock.now()
    with connection.cursor() as cursor:
        found = _locked(cursor, bank, id)
        acts = people.OFFICER in people.roles(officer, Party(id=queries.bank(found.other).organisation))
        if found.proposed_by_me or acts:
            raise NotAllowed("alliance.own", Text("The other bank has to accept this.", "须由对方时间银行同意。"))
        if found.ended_at or found.accepted_at:
            raise over()
        lock_positions(cursor)
        pair = sorted((bank, found.other))
        cursor.execute("SELECT FROM giving_bank WHERE id = ANY(%s) ORDER BY id FOR UPDATE", [pair])
        earlier = queries.allied(bank, found.other)
        if earlier:
            cursor.execute("UPDATE giving_alliance SET ended_at = %s WHERE id = %s", [now, earlier.id])
        cursor.execute(
            "UPDATE giving_alliance SET accepted_at = %s, accepted_by = %s WHERE id = %s", [now, officer.id, id]
        )
        open_accounts(cursor, [queries.ally_account(each, id, found.most) for each in pair])
        if earlier and earlier.owed:
            _carry(cursor, earlier, found)
        _tell(cursor, id, found.other, bank, "accepted", found.most)


@transaction.atomic
def end(officer: Party, bank: uuid.UUID, id: uuid.UUID) -> None:
    """End or decline an alliance, at once: nothing new is exchanged under it; what is owed stays until it is cleared.

    Raises `NotAllowed`, `NotFound` (`alliance.unknown`) and `Conflict` (`alliance.over`).
    """
    officer_of(officer, bank)
    with connection.cursor() as cursor:
        found = _locked(cursor, bank, id)
        if found.ended_at:
            raise over()
        cursor.execute("UPDATE giving_alliance SET ended_at = %s WHERE id = %s", [clock.now(), id])
        _tell(cursor, id, bank, found.other, "ended", found.most)


def over() -> Conflict:
    """It has been answered."""
    return Conflict("alliance.over", Text("This alliance is answered or ended already.", "该结盟已处理或已终止。"))


def _locked(cursor: Cursor, bank: uuid.UUID, id: uuid.UUID) -> queries.Alliance:
    cursor.execute("SELECT FROM giving_alliance WHERE id = %s FOR UPDATE", [id])
    return queries.alliance(bank, id)


def _carry(cursor: Cursor, earlier: queries.Alliance, later: queries.Alliance) -> None:
    transfers = []
    for book, owed in ((earlier.mine, earlier.owed), (earlier.other, -earlier.owed)):
        old = queries.ally_account(book, earlier.id, earlier.most)
        new = queries.ally_account(book, later.id, later.most)
        legs = (Leg(new.id, owed), Leg(old.id, -owed))
        request = request_hash("carry", str(later.id))
        transfers.append(Transfer(book, f"carry {later.id}", request, "giving.carry", legs, clock.now()))
    post(cursor, transfers)


def _tell(cursor: Cursor, id: uuid.UUID, bank: uuid.UUID, other: uuid.UUID, word: str, most: int) -> None:
    fields = {"alliance": str(id), "bank": str(bank), "other": str(other), "word": word, "most": most}
    append(cursor, Fact("giving.alliance", clock.now(), fields))
