"""Who is here: nobody, a guest, a person, a program."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest
from django.test import RequestFactory

from commonweal.kernel.errors import Unauthenticated
from commonweal.kernel.parties import session
from commonweal.kernel.parties.models import Login, Party
from commonweal.kernel.parties.people import register_person

pytestmark = pytest.mark.django_db


@pytest.fixture
def request_() -> HttpRequest:
    request = RequestFactory().get("/")
    request.session = SessionStore()
    request.user = AnonymousUser()
    return request


def test_nobody_is_nobody_and_leaves_no_trace(request_: HttpRequest) -> None:
    assert session.visitor(request_) is None
    assert not request_.session.modified
    assert Party.objects.count() == 0
    with pytest.raises(Unauthenticated) as refused:
        session.signed_in(request_)
    assert refused.value.code == "sign-in.needed"


def test_guest_is_made_once_and_remembered(request_: HttpRequest) -> None:
    guest = session.giver(request_)
    assert session.giver(request_) == session.visitor(request_) == guest
    assert Party.objects.count() == 1
    with pytest.raises(Unauthenticated):
        session.signed_in(request_)


@pytest.mark.parametrize("remembered", ["", "x", None, "0199f1b2-0000-7000-8000-000000000000", 5])
def test_forged_or_forgotten_guest_is_nobody(request_: HttpRequest, remembered: object) -> None:
    request_.session[session.GUEST] = remembered
    assert session.visitor(request_) is None


def test_guest_who_signed_up_is_no_guest_any_more(request_: HttpRequest) -> None:
    guest = session.giver(request_)
    Login.objects.create(party=guest, email="lin@demo.example")
    assert session.visitor(request_) is None  # signed out: the account is not open to whoever uses this browser


def test_sign_up_takes_the_guest_along(request_: HttpRequest) -> None:
    guest = session.giver(request_)
    assert session.take_guest(request_) == guest
    assert session.take_guest(request_) is None


def test_person_stands_before_the_guest(request_: HttpRequest) -> None:
    session.giver(request_)
    login = Login.objects.create(party=register_person(), email="lin@demo.example")
    request_.user = login
    assert session.visitor(request_) == session.giver(request_) == session.signed_in(request_) == login.party


def test_program_acts_for_its_party(request_: HttpRequest) -> None:
    party = register_person()
    request_.auth = party  # type: ignore[attr-defined]
    assert session.visitor(request_) == session.signed_in(request_) == party
