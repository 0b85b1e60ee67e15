"""Writing to people, and their inbox."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.conf import settings
from django.core.mail import send_mail

from commonweal.kernel import clock
from commonweal.kernel.errors import NotFound
from commonweal.kernel.jobs import task
from commonweal.kernel.notices.models import Notice
from commonweal.kernel.parties import cipher
from commonweal.kernel.parties.erasure import eraser
from commonweal.kernel.parties.models import Login, Party
from commonweal.kernel.parties.people import mail_address, officers_of, with_mail
from commonweal.kernel.text import Text

AT_ONCE = 1_000
"""Letters that are written together."""


@dataclass(frozen=True, slots=True)
class Message:
    """A notice as its receiver reads it. `link` is a path on this site without the language (`/giving/...`)."""

    id: uuid.UUID
    kind: str
    title: Text
    body: Text
    link: str
    at: datetime
    read: bool


@dataclass(frozen=True, slots=True)
class Letter:
    """What is written to a party. `link` is a path on this site without the language."""

    party: uuid.UUID
    title: Text
    body: Text
    link: str = ""


def notify(party: uuid.UUID, kind: str, title: Text, body: Text, link: str = "") -> None:
    """Write to a party, in the caller's transaction: into the inbox, and by mail to those with a verified address.

    What is written to an organisation is read by those who act for it. A party that has been forgotten is passed over.
    """
    notify_each(kind, [Letter(party, title, body, link)])


def notify_each(kind: str, letters: Sequence[Letter]) -> None:
    """The same for many letters of a kind: a handful of statements for each `AT_ONCE`."""
    for begin in range(0, len(letters), AT_ONCE):
        _write(kind, _to_readers(letters[begin : begin + AT_ONCE]))


def _to_readers(letters: Sequence[Letter]) -> list[Letter]:
    """The letters as they are read: those to an organisation go to each of its officers, the same one once."""
    officers = officers_of({letter.party for letter in letters})
    to_each = (
        replace(letter, party=party) for letter in letters for party in officers.get(letter.party, [letter.party])
    )
    return list(dict.fromkeys(to_each)) if officers else list(letters)


def _write(kind: str, letters: Sequence[Letter]) -> None:
    keys = cipher.keys_of({letter.party for letter in letters})
    notices = [
        Notice(
            party_id=letter.party, kind=kind, sealed=cipher.seal_with(keys[letter.party], letter.party, _said(letter))
        )
        for letter in letters
        if letter.party in keys
    ]
    Notice.objects.bulk_create(notices)
    mailed = with_mail(keys)
    mail.enqueue_each([{"notice": str(notice.id)} for notice in notices if notice.party_id in mailed])


def _said(letter: Letter) -> dict[str, object]:
    title, body = letter.title, letter.body
    return {"title": [title.en, title.zh], "body": [body.en, body.zh], "link": letter.link}


@task("notices.mail")
def mail(notice: str) -> None:
    """Send one notice by mail, in its receiver's language."""
    found = Notice.objects.filter(pk=notice).first()
    address = mail_address(found.party) if found else None
    if found is None or address is None:
        return
    message, language = opened(found), Login.objects.get(party=found.party).language
    link = f"\n{settings.ADDRESS}/{language}{message.link}\n" if message.link else ""
    send_mail(message.title.say(language), f"{message.body.say(language)}\n{link}", None, [address])


def opened(notice: Notice) -> Message:
    """The notice in plain text. Raises `Forgotten`."""
    value = cipher.open_for(notice.party_id, bytes(notice.sealed))
    title, body = Text(*value["title"]), Text(*value["body"])
    return Message(notice.id, notice.kind, title, body, value["link"], notice.created_at, notice.read_at is not None)


def inbox(party: Party, limit: int = 50) -> list[Message]:
    """The newest messages of a party."""
    return [opened(notice) for notice in _recent(party, limit)]


def _recent(party: Party, limit: int) -> Iterable[Notice]:
    return Notice.objects.filter(party=party).order_by("-created_at")[:limit]


def unread(party: Party) -> int:
    """How many messages wait."""
    return Notice.objects.filter(party=party, read_at=None).count()


def mark_read(party: Party, notice: uuid.UUID) -> Message:
    """Open one message. Raises `NotFound` if it is not this party's."""
    found = Notice.objects.filter(party=party, pk=notice).first()
    if found is None:
        raise NotFound("notice.unknown", Text("There is no such message.", "没有这条消息。"))
    Notice.objects.filter(pk=notice, read_at=None).update(read_at=clock.now())
    return opened(found)


@eraser
def erase(party: uuid.UUID) -> None:
    """Remove the inbox of a party that is being forgotten."""
    Notice.objects.filter(party=party).delete()
