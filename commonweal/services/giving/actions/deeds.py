"""Giving by doing: actions, sponsors' contracts, shifts and the hours at them."""

from __future__ import annotations

import hashlib
import uuid
from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import IntegrityError, connection, transaction

from commonweal.kernel import clock
from commonweal.kernel.errors import Conflict, NotAllowed
from commonweal.kernel.ids import uuid7
from commonweal.kernel.ledger import Account, Transfer, check_key, open_accounts, open_assets, post, request_hash
from commonweal.kernel.parties import people
from commonweal.kernel.parties.models import Party
from commonweal.kernel.proof import Fact, append
from commonweal.kernel.proof.log import Cursor
from commonweal.kernel.proof.verify import seal
from commonweal.kernel.quantity import Asset
from commonweal.kernel.text import Text
from commonweal.services.giving.actions import books, gifts
from commonweal.services.giving.actions.openings import opening
from commonweal.services.giving.queries import deeds as queries
from commonweal.services.giving.queries.campaigns import Taking, taking, unknown
from commonweal.services.giving.rules import deeds as rules
from commonweal.services.giving.rules import texts
from commonweal.services.giving.rules.campaigns import check_open
from commonweal.services.giving.rules.gifts import COLLECTED, Give


def _accounts(book: uuid.UUID, asset: Asset) -> tuple[Account, Account]:
    """What people have done (debit), and what the campaign has got of it (credit)."""
    done = Account(book, f"done:{asset.code}", asset.code, books.DEBIT)
    return done, Account(book, f"got:{asset.code}", asset.code, books.CREDIT)


def _open(cursor: Cursor, book: uuid.UUID, asset: Asset) -> tuple[Account, Account]:
    accounts = _accounts(book, asset)
    open_assets(cursor, [asset])
    open_accounts(cursor, accounts)
    return accounts


def _found(campaign: uuid.UUID, now: datetime) -> Taking:
    found = taking([campaign], now).get(campaign)
    if found is None:
        raise unknown()
    return found


@transaction.atomic
def act(person: Party, campaign: uuid.UUID, code: str, amount: int, key: str, device: str = "") -> uuid.UUID:
    """Give steps, flowers or books; the same key again is the same gift.

    Raises `NotFound` (`campaign.unknown`), `Conflict` (`campaign.<state>`), `Invalid` (`deed.asset`, `deed.limit`)
    and `KeyReused`. `device` is whatever the door knows of where it came from; only its hash is kept.
    """
    now = clock.now()
    asset = rules.action(code)
    check_open(_found(campaign, now).standing, now)
    day = now.astimezone(ZoneInfo(settings.LOCAL_ZONE)).date()
    signal = hashlib.sha256(f"{day}\n{device}".encode()).digest() if device else None
    key = f"act:{hashlib.sha256(f'{person.id} {check_key(key)}'.encode()).hexdigest()[:48]}"
    request = request_hash("act", str(person.id), amount, code)
    with connection.cursor() as cursor:
        for lock in sorted({f"giving:act:{person.id}", f"giving:device:{signal.hex() if signal else person.id}"}):
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [lock])
        cursor.execute("SELECT id FROM ledger_transfer WHERE book = %s AND key = %s", [campaign, key])
        if (known := cursor.fetchone()) is None:
            rules.check_act(asset, amount, *queries.given_on(day, code, person.id, signal))
        legs = books.move(*_open(cursor, campaign, asset), amount)
        (posted,) = post(cursor, [Transfer(campaign, key, request, "giving.act", legs, now)])
        if known is None:
            cursor.execute(
                """
                INSERT INTO giving_act (book, id, person, asset, amount, day, device, at)
                VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
                """,
                [campaign, posted.id, person.id, code, amount, day, signal, now],
            )
    return posted.id


@transaction.atomic
def sponsor(officer: Party, company: Party, campaign: uuid.UUID, terms: rules.Sponsorship) -> uuid.UUID:
    """A company offers money for actions; the charity then accepts.

    Raises `NotAllowed`, and what `rules.deeds.check_sponsorship` raises.
    """
    people.require_role(officer, people.OFFICER, company)
    now = clock.now()
    found = _found(campaign, now)
    check_open(found.standing, now)
    rules.check_sponsorship(terms, found.standing.closes_at)
    id = uuid7()
    fields = {"campaign": str(campaign), "sponsorship": str(id), "sponsor": str(company.id), "word": "offered"}
    numbers = {"asset": terms.asset, "per": terms.per, "pays": terms.pays, "most": terms.most}
    fact = Fact("giving.sponsorship", now, fields | numbers)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO giving_sponsorship (id, campaign, sponsor, asset, per, pays, most, opens_at, closes_at, fact)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
            """,
            [id, campaign, company.id, terms.asset, terms.per, terms.pays, terms.most, terms.opens_at,
             terms.closes_at, fact.id],
        )  # fmt: skip
        append(cursor, fact)
    return id


@transaction.atomic
def accept(officer: Party, id: uuid.UUID) -> None:
    """The charity accepts a sponsor's offer, once: from now on it counts, also for what its time has seen already.

    Raises `NotFound` (`sponsorship.unknown`), `NotAllowed` and what `rules.deeds.check_accept` raises.
    """
    now = clock.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM giving_sponsorship WHERE id = %s FOR UPDATE", [id])
        found = queries.sponsorship(id)
        people.require_role(officer, people.OFFICER, Party(id=_found(found.campaign, now).organisation))
        acts = people.OFFICER in people.roles(officer, Party(id=found.sponsor))
        rules.check_accept(found.terms, now, accepted=found.accepted_at is not None, acts_for_sponsor=acts)
        cursor.execute(
            "UPDATE giving_sponsorship SET accepted_at = %s, accepted_by = %s WHERE id = %s", [now, officer.id, id]
        )
        fields = {"campaign": str(found.campaign), "sponsorship": str(id), "word": "accepted"}
        append(cursor, Fact("giving.sponsorship", now, fields))


@transaction.atomic
def settle(id: uuid.UUID) -> int:
    """Fix what a contract that is over comes to, once; returns it in fen. The charity then collects it.

    Raises `Conflict` with `sponsorship.not-accepted` or `sponsorship.open`.
    """
    now = clock.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT due FROM giving_sponsorship WHERE id = %s FOR UPDATE", [id])
        found = queries.sponsorship(id)
        if found.due is not None:
            return found.due
        if found.accepted_at is None:
            raise Conflict(
                "sponsorship.not-accepted", Text("The charity has not accepted this.", "机构尚未接受该赞助约定。")
            )
        if now < found.terms.closes_at:
            raise Conflict("sponsorship.open", Text("This contract is not over yet.", "赞助约定尚未到期。"))
        due = found.by_now
        cursor.execute("UPDATE giving_sponsorship SET settled_at = %s, due = %s WHERE id = %s", [now, due, id])
        fields = {"campaign": str(found.campaign), "sponsorship": str(id), "word": "settled"}
        append(cursor, Fact("giving.sponsorship", now, fields | {"given": found.given, "due": due}))
    return due


@transaction.atomic
def receive(officer: Party, id: uuid.UUID) -> uuid.UUID:
    """The charity has received a sponsor's money: it becomes the sponsor's gift, once; returns the gift.

    Raises `NotAllowed`, `Conflict` (`sponsorship.not-due`) and what `gifts.collect` raises.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM giving_sponsorship WHERE id = %s FOR UPDATE", [id])
        found = queries.sponsorship(id)
        if not found.due:
            raise Conflict("sponsorship.not-due", Text("Nothing is due from it.", "没有应付的赞助款。"))
        taken = gifts.collect(
            officer, Give(found.campaign, found.sponsor, found.due, "CNY", COLLECTED, f"sponsorship-{id}")
        )
        cursor.execute("UPDATE giving_sponsorship SET gift = %s WHERE id = %s", [taken.id, id])
    return taken.id


@transaction.atomic
def call(officer: Party, campaign: uuid.UUID, what: Text, shift: rules.Shift) -> uuid.UUID:
    """A charity calls for help at a time. Raises `NotAllowed` and `Invalid` (`shift.form`)."""
    now = clock.now()
    people.require_role(officer, people.OFFICER, Party(id=_found(campaign, now).organisation))
    rules.check_shift(shift, now)
    id = uuid7()
    said = texts.both(what.en, what.zh, "what", 200)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO giving_shift (id, campaign, what_en, what_zh, span, seats, at)
            VALUES (%s, %s, %s, %s, tstzrange(%s, %s), %s, %s)
            """,
            [id, campaign, said.en, said.zh, shift.starts_at, shift.ends_at, shift.seats, now],
        )
    return id


@transaction.atomic
def sign_up(person: Party, id: uuid.UUID) -> None:
    """Take a place. Raises `NotFound`, `Conflict` with `shift.over`, `shift.full` or `hours.overlap`."""
    now = clock.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM giving_shift WHERE id = %s FOR NO KEY UPDATE", [id])
        found = queries.shift(id, person.id)
        if found.mine:
            return
        if found.ends_at <= now:
            raise Conflict("shift.over", Text("This shift is over.", "该班次已结束。"))
        if found.taken >= found.seats:
            raise Conflict("shift.full", Text("Every place of this shift is taken.", "该班次名额已满。"))
        try:
            with transaction.atomic():
                cursor.execute(
                    "INSERT INTO giving_signup (shift, person, span, at) VALUES (%s, %s, tstzrange(%s, %s), %s)",
                    [id, person.id, found.starts_at, found.ends_at, now],
                )
        except IntegrityError as error:
            raise Conflict(
                "hours.overlap",
                Text("You have signed up for another shift at that time.", "该时段您已报名其他班次。"),
            ) from error


@transaction.atomic
def check_in(person: Party, id: uuid.UUID) -> None:
    """Be there. Raises `Conflict` with `shift.not-yours` or `shift.not-now`."""
    now = clock.now()
    found = queries.shift(id, person.id)
    if not found.mine:
        raise Conflict("shift.not-yours", Text("Sign up first.", "请先报名。"))
    rules.check_in(found.rule, now)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE giving_signup SET checked_in_at = %s WHERE shift = %s AND person = %s AND checked_in_at IS NULL",
            [now, id, person.id],
        )


@transaction.atomic
def confirm(officer: Party, id: uuid.UUID, person: uuid.UUID, minutes: int) -> None:
    """The receiving side says how long somebody was there, once; the minutes enter the books.

    Raises `NotAllowed` (also for oneself: `hours.own`), `Conflict` (`hours.not-there`, `hours.known`) and `Invalid`
    (`hours.range`).
    """
    found = queries.shift(id, person)
    people.require_role(officer, people.OFFICER, Party(id=_found(found.campaign, clock.now()).organisation))
    if not found.here:
        raise Conflict("hours.not-there", Text("They have not checked in.", "该志愿者没有签到。"))
    if found.minutes is not None:
        raise Conflict("hours.known", Text("These hours are confirmed already.", "这段时长已经确认。"))
    _say(officer, found, person, minutes, nth=1, before=0)


@transaction.atomic
def dispute(person: Party, id: uuid.UUID, minutes: int) -> None:
    """A volunteer says that it was another time, within 14 days. Raises `Conflict` (`hours.not-open`)."""
    now = clock.now()
    found = queries.shift(id, person.id)
    rules.check_minutes(found.rule, minutes)
    if found.minutes is None or now > found.ends_at + rules.DISPUTE_WITHIN:
        raise Conflict("hours.not-open", Text("There is nothing to dispute (any more).", "目前没有可申诉的时长。"))
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO giving_dispute (shift, person, minutes, at) VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING",
            [id, person.id, minutes, now],
        )


@transaction.atomic
def decide(steward: Party, id: uuid.UUID, person: uuid.UUID, minutes: int) -> None:
    """A steward ends a dispute, for good; the difference enters the books. Raises `Conflict` (`hours.not-open`)."""
    people.require_role(steward, people.STEWARD)
    found = queries.shift(id, person)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT FROM giving_dispute d WHERE d.shift = %s AND d.person = %s AND NOT EXISTS (
                SELECT FROM giving_hours h WHERE h.shift = d.shift AND h.person = d.person AND h.nth = 2)
            """,
            [id, person],
        )
        if cursor.fetchone() is None or found.minutes is None:
            raise Conflict("hours.not-open", Text("There is nothing to dispute (any more).", "目前没有可申诉的时长。"))
    _say(steward, found, person, minutes, nth=2, before=found.minutes)


def _say(by: Party, shift: queries.Shift, person: uuid.UUID, minutes: int, *, nth: int, before: int) -> None:
    if by.id == person:
        raise NotAllowed("hours.own", Text("Somebody else has to confirm your hours.", "不能确认自己的时长。"))
    rules.check_minutes(shift.rule, minutes)
    now, id = clock.now(), uuid7()
    fields = {"campaign": str(shift.campaign), "shift": str(shift.id), "minutes": minutes}
    fact = Fact("giving.hours", now, fields, seal(*opening(person, id)), id)
    with connection.cursor() as cursor:
        accounts = _open(cursor, shift.campaign, rules.MINUTES)
        if minutes != before:
            transfer = Transfer(
                book=shift.campaign,
                key=f"hours {fact.id}",
                request=request_hash("hours", str(fact.id)),
                kind="giving.hours",
                legs=books.move(*accounts, minutes - before),
                at=now,
            )
            post(cursor, [transfer])
        cursor.execute(
            "INSERT INTO giving_hours (shift, person, nth, minutes, by, fact, at) VALUES (%s, %s, %s, %s, %s, %s, %s)",
            [shift.id, person, nth, minutes, by.id, fact.id, now],
        )
        append(cursor, fact)
