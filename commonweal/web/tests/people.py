"""People who are signed in, for the tests of pages."""

from __future__ import annotations

import re
import secrets
from typing import Any

import psycopg
from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import connection
from django.http import HttpResponse
from django.test import Client

from commonweal.kernel import clock
from commonweal.kernel.jobs import run_due
from commonweal.kernel.parties import people
from commonweal.kernel.parties.models import Login
from commonweal.kernel.proof import load_signer, sequence

PASSWORD = "four words make sense"


def person(name: str = "giver", *, role: str | None = None) -> Login:
    """Somebody with a confirmed address and the password above."""
    login = Login.objects.create(email=f"{name}{secrets.token_hex(3)}@example.org", password=make_password(PASSWORD))
    EmailAddress.objects.create(user=login, email=login.email, primary=True, verified=True)
    if role:
        people.grant_role(login.party, role)
    return login


def browser(login: Login | None = None, *, csrf: bool = False) -> Client:
    """A browser, signed in as somebody if one is given."""
    client = Client(enforce_csrf_checks=csrf, raise_request_exception=True)
    if login:
        client.force_login(login)
    return client


def text_of(response: HttpResponse | Any) -> str:
    """A page without what differs from one request to the next."""
    return re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", response.content.decode())


def code_in(letter: str) -> str:
    """The code in a letter or a text message."""
    found = re.search(r"\b([B-Z]{4}-[B-Z]{4}|[0-9]{6})\b", letter)
    assert found, letter
    return found[1]


def deliver() -> None:
    """Do the jobs that are due."""
    while run_due():
        pass


def give_places() -> None:
    """Let the sequencer run once over what the open transaction of the test has staged."""
    raw = connection.connection
    assert isinstance(raw, psycopg.Connection)
    sequence(raw, load_signer(settings.HOME, settings.LOG_NAME), clock.now())
