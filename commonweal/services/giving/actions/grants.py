"""Taking over grants that funders have published: a whole file or nothing of it."""

from __future__ import annotations

import base64
import hashlib
import json
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from django.db import connection, transaction

from commonweal.kernel import clock
from commonweal.kernel.errors import Conflict, Invalid
from commonweal.kernel.ids import derived, uuid7
from commonweal.kernel.ledger import Transfer, open_accounts, open_assets, post
from commonweal.kernel.parties import people
from commonweal.kernel.parties.models import Party
from commonweal.kernel.proof import Fact, append
from commonweal.kernel.proof.log import Cursor
from commonweal.kernel.proof.note import encode
from commonweal.kernel.text import Text
from commonweal.services.giving.actions import books
from commonweal.services.giving.models import Campaign, Organisation
from commonweal.services.giving.queries import grants as queries
from commonweal.services.giving.rules.campaigns import Custody, Kind
from commonweal.services.giving.rules.terms import sort_key, terms
from commonweal.services.giving.threesixty import Award, RefusedRow, Remark, read
from commonweal.services.giving.threesixty import Organisation as Named

PUBLISHED = uuid.UUID("5a1cf4f6-6d53-4f2c-8f0b-4ee5f0f0360b")
"""The name space of the books of funders' programmes: the same programme has the same book everywhere."""
BATCH = 1000
"""Grants that one statement takes."""
IMPORTER = 0x33363047
"""The advisory lock of the one importer."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import came to: every row of the file is added, known, or refused with its reason."""

    rows: int
    added: int
    known: int
    totals: dict[str, int]
    """What was added, in smallest units by currency."""
    refused: list[RefusedRow]
    remarks: list[Remark]


@transaction.atomic
def take_over(data: bytes) -> Imported:
    """Import a 360Giving file (JSON or CSV). Importing it again adds nothing.

    Each grant becomes a transfer in the book of its funder's programme (one programme, one currency), from the funder
    to the recipient, dated as awarded, and a fact. A grant that is here already with other content is refused: what a
    funder has corrected is not overwritten silently. Raises `Invalid` with code `file.*` for a file as a whole.
    """
    now = clock.now()
    reading = read(data, now.date())
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [IMPORTER])
        digests = {award.id: _digest(award) for award in reading.awards}
        known = queries.known(list(digests))
        changed = [award for award in reading.awards if known.get(award.id, digests[award.id]) != digests[award.id]]
        new = [award for award in reading.awards if award.id not in known]
        parties = _organisations(new)
        _programmes(cursor, new, parties)
        for start in range(0, len(new), BATCH):
            _grants(cursor, new[start : start + BATCH], parties, digests, now)
    totals: dict[str, int] = {}
    for award in new:
        totals[award.asset.code] = totals.get(award.asset.code, 0) + award.amount
    return Imported(
        rows=len(reading.awards) + len(reading.refused),
        added=len(new),
        known=len(reading.awards) - len(new) - len(changed),
        totals=totals,
        refused=sorted(reading.refused + [_changed(award) for award in changed], key=lambda row: row.row),
        remarks=reading.remarks,
    )


def _changed(award: Award) -> RefusedRow:
    text = Text(
        "This grant is here already with other content; it is left as it is.", "该资助已存在且内容不同，保持原样。"
    )
    return RefusedRow(award.row, award.id, Conflict("grant.changed", text))


def _digest(award: Award) -> bytes:
    """What a row said, as 32 bytes: a second import is recognised by it."""
    said = [award.id, award.title, award.description, award.amount, award.asset.code, award.awarded.isoformat()]
    return hashlib.sha256(json.dumps([*said, award.record], sort_keys=True).encode()).digest()


def _identifier(named: Named, publisher: Named) -> str:
    """By what an organisation is recognised: its identifier, or its name within the publisher's files."""
    if not named.identified:
        return f"{publisher.identifier}/{named.name}"
    return _registration(named) or named.identifier


def _organisations(awards: Sequence[Award]) -> dict[str, uuid.UUID]:
    """The parties of everybody who gave or got; who is not here yet is registered under the first name given."""
    wanted: dict[str, Named] = {}
    for award in awards:
        wanted.setdefault(_identifier(award.funder, award.funder), award.funder)
        wanted.setdefault(_identifier(award.recipient, award.funder), award.recipient)
    parties = queries.organisations(list(wanted))
    _register({identifier: named for identifier, named in wanted.items() if identifier not in parties}, parties)
    return parties


def _register(strangers: Mapping[str, Named], parties: dict[str, uuid.UUID]) -> None:
    """Register strangers; one with the code of a public register may be known from another service."""
    codes = {identifier: _registration(named) for identifier, named in strangers.items()}
    known = dict(Party.objects.filter(registration__in=filter(None, codes.values())).values_list("registration", "id"))
    new = [identifier for identifier in strangers if codes[identifier] not in known]
    names = [strangers[identifier].name for identifier in new]
    registered = people.register_organisations(
        [(Text(name, name), codes[identifier]) for name, identifier in zip(names, new, strict=True)]
    )
    parties.update({code: id for code, id in known.items() if code})  # where there is a code, it is the identifier
    parties.update((identifier, party.id) for identifier, party in zip(new, registered, strict=True))
    Organisation.objects.bulk_create(
        Organisation(party_id=parties[identifier], identifier=identifier, sort_key=sort_key(named.name)[:400])
        for identifier, named in strangers.items()
    )


def _registration(named: Named) -> str | None:
    """The code of a public register, if that is what the identifier is."""
    if not named.identified or named.identifier.startswith("360G-"):
        return None
    with suppress(Invalid):
        return people.check_registration(named.identifier)
    return None


def _programme(award: Award) -> uuid.UUID:
    return derived(PUBLISHED, f"{_identifier(award.funder, award.funder)}\n{award.programme}\n{award.asset.code}")


def _programmes(cursor: Cursor, awards: Sequence[Award], parties: Mapping[str, uuid.UUID]) -> None:
    """Open the books of programmes that have none yet."""
    first: dict[uuid.UUID, Award] = {}
    for award in sorted(awards, key=lambda award: award.awarded):
        first.setdefault(_programme(award), award)
    here = queries.programmes(list(first))
    for book, award in first.items():
        if book in here:
            continue
        opens_at = _midnight(award)
        title = (
            Text(award.programme, award.programme)
            if award.programme
            else Text(f"Grants of {award.funder.name}", f"{award.funder.name} 的资助")
        )
        Campaign.objects.create(
            id=book,
            organisation_id=parties[_identifier(award.funder, award.funder)],
            kind=Kind.PROGRAMME,
            custody=Custody.MIRROR,
            asset=award.asset.code,
            topic="community",
            title_en=title.en[:200],
            title_zh=title.zh[:200],
            opens_at=opens_at,
            closes_at=opens_at + timedelta(days=1),
        )
        open_assets(cursor, [award.asset])
        open_accounts(cursor, [books.funder(book, award.asset.code)])


def _midnight(award: Award) -> datetime:
    return datetime.combine(award.awarded, time(), UTC)


def _grants(
    cursor: Cursor,
    awards: Sequence[Award],
    parties: Mapping[str, uuid.UUID],
    digests: Mapping[str, bytes],
    now: datetime,
) -> None:
    facts, transfers, recipients, ids = [], [], {}, []
    for award in awards:
        book, asset = _programme(award), award.asset.code
        funder = parties[_identifier(award.funder, award.funder)]
        recipient = parties[_identifier(award.recipient, award.funder)]
        account = books.recipient(book, asset, recipient)
        recipients[account.id] = account
        id = uuid7()
        ids.append((book, id, recipient))
        facts.append(
            Fact(
                "giving.grant",
                now,
                {
                    "grant": award.id,
                    "funder": str(funder),
                    "recipient": str(recipient),
                    "amount": award.amount,
                    "asset": asset,
                    "awarded": award.awarded.isoformat(),
                    "record": encode(digests[award.id]),
                },
            )
        )
        if award.amount:
            digest = hashlib.sha256(award.id.encode()).digest()
            key = "grant:" + base64.urlsafe_b64encode(digest).decode().rstrip("=")
            legs = books.move(account, books.funder(book, asset), award.amount)
            transfers.append(Transfer(book, key, digests[award.id], "giving.grant", legs, _midnight(award), id=id))
    open_accounts(cursor, list(recipients.values()))
    post(cursor, transfers)
    cursor.execute(
        """
        INSERT INTO giving_grant (book, id, identifier, recipient, title, description, amount, awarded, record, digest,
                                  fact, search, at)
        SELECT book, id, identifier, recipient, title, description, amount, awarded, record, digest, fact,
               array_to_tsvector(string_to_array(search, ' ')), %s
        FROM unnest(%s::uuid[], %s::uuid[], %s::text[], %s::uuid[], %s::text[], %s::text[], %s::bigint[], %s::date[],
                    %s::jsonb[], %s::bytea[], %s::uuid[], %s::text[])
            AS g (book, id, identifier, recipient, title, description, amount, awarded, record, digest, fact, search)
        """,
        [
            now,
            [book for book, _, _ in ids],
            [id for _, id, _ in ids],
            [award.id for award in awards],
            [recipient for _, _, recipient in ids],
            [award.title for award in awards],
            [award.description for award in awards],
            [award.amount for award in awards],
            [award.awarded for award in awards],
            [json.dumps(award.record, ensure_ascii=False) for award in awards],
            [digests[award.id] for award in awards],
            [fact.id for fact in facts],
            [" ".join(_terms(award)) for award in awards],
        ],
    )
    append(cursor, *facts)


def _terms(award: Award) -> list[str]:
    return terms(award.title, award.description, award.programme, award.funder.name, award.recipient.name)
