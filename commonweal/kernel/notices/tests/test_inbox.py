"""Notices: sealed in the inbox, sent to addresses that are verified, gone with their person."""

from __future__ import annotations

from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core import mail

from commonweal.kernel.errors import NotFound
from commonweal.kernel.ids import uuid7
from commonweal.kernel.jobs import run_due
from commonweal.kernel.notices import inbox
from commonweal.kernel.notices.models import Notice
from commonweal.kernel.parties import people
from commonweal.kernel.parties.erasure import forget
from commonweal.kernel.parties.models import Login, Party
from commonweal.kernel.text import Text

TITLE, BODY = Text("Your five yuan", "您的五元钱"), Text("became two books.", "变成了两本书。")


@pytest.fixture
def reader(db: None) -> Party:
    login = Login.objects.create_user("reader@example.org", "a long password")
    EmailAddress.objects.create(user=login, email=login.email, primary=True, verified=True)
    return login.party


def test_a_notice_is_read_by_its_receiver_alone(reader: Party) -> None:
    inbox.notify(reader.id, "giving.thanks", TITLE, BODY, "/giving/")
    (message,) = inbox.inbox(reader)
    assert (message.title, message.body, message.link, message.read) == (TITLE, BODY, "/giving/", False)
    assert inbox.unread(reader) == 1
    stored = Notice.objects.get()
    assert "两本书".encode() not in bytes(stored.sealed)
    for party, id in ((people.register_person(), message.id), (reader, uuid7())):
        with pytest.raises(NotFound) as refused:
            inbox.mark_read(party, id)
        assert refused.value.code == "notice.unknown"
    assert inbox.mark_read(reader, message.id).body == BODY
    first = Notice.objects.get().read_at
    assert inbox.mark_read(reader, message.id).read
    assert Notice.objects.get().read_at == first
    assert inbox.unread(reader) == 0


def test_the_newest_come_first(reader: Party) -> None:
    for number in range(4):
        inbox.notify(reader.id, "test.many", Text(f"{number}", f"{number}"), BODY)
    assert [message.title.en for message in inbox.inbox(reader, limit=3)] == ["3", "2", "1"]


@pytest.mark.parametrize(
    ("language", "subject", "line"), [("zh", "您的五元钱", "两本书"), ("en", "Your five", "two books")]
)
def test_mail_is_in_the_readers_language(reader: Party, language: str, subject: str, line: str) -> None:
    Login.objects.filter(party=reader).update(language=language)
    inbox.notify(reader.id, "giving.thanks", TITLE, BODY, "/giving/gifts/1/")
    assert mail.outbox == []  # only after the commit
    assert run_due() == 1
    (letter,) = mail.outbox
    assert letter.to == ["reader@example.org"]
    assert subject in letter.subject
    assert line in letter.body
    assert f"/{language}/giving/gifts/1/\n" in letter.body


def test_without_a_link_there_is_none(reader: Party) -> None:
    inbox.notify(reader.id, "giving.thanks", TITLE, BODY)
    run_due()
    assert "http" not in mail.outbox[0].body


def test_no_mail_to_an_address_that_may_be_somebody_elses(reader: Party) -> None:
    EmailAddress.objects.update(verified=False)
    inbox.notify(reader.id, "giving.thanks", TITLE, BODY)
    inbox.notify(people.register_person().id, "giving.thanks", TITLE, BODY)
    assert run_due() == 0
    assert inbox.unread(reader) == 1


def test_mail_that_has_nobody_to_go_to_any_more_is_dropped(reader: Party) -> None:
    inbox.notify(reader.id, "giving.thanks", TITLE, BODY)
    EmailAddress.objects.all().delete()
    assert run_due() == 1
    inbox.mail(notice=str(uuid7()))
    assert mail.outbox == []


def test_the_forgotten_get_nothing_and_leave_nothing(reader: Party) -> None:
    inbox.notify(reader.id, "giving.thanks", TITLE, BODY)
    forget(reader.id)
    assert not Notice.objects.exists()
    inbox.notify(reader.id, "giving.thanks", TITLE, BODY)
    assert not Notice.objects.exists()
    assert run_due() == 1
    assert mail.outbox == []


def test_many_letters_are_each_read_by_their_receiver(
    reader: Party, django_assert_max_num_queries: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = [people.register_person() for _ in range(5)]
    forget(others[0].id)
    letters = [
        inbox.Letter(party.id, Text(f"{n} for you", f"第{n}封"), BODY, f"/{n}/")
        for n, party in enumerate([*others, reader, others[1]])
    ]
    with django_assert_max_num_queries(5):
        inbox.notify_each("test.many", letters)
    found = {party.id: [message.link for message in inbox.inbox(party)] for party in [*others[2:], reader]}
    assert found == {others[2].id: ["/2/"], others[3].id: ["/3/"], others[4].id: ["/4/"], reader.id: ["/5/"]}
    assert {message.title.zh for message in inbox.inbox(others[1])} == {"第1封", "第6封"}
    assert not Notice.objects.filter(party=others[0]).exists(), "the forgotten are passed over"
    assert run_due() == 1
    assert [letter.subject for letter in mail.outbox] == ["第5封"], "mail goes to a verified address alone"
    monkeypatch.setattr(inbox, "AT_ONCE", 2)
    inbox.notify_each("test.many", letters)
    assert Notice.objects.count() == 12
