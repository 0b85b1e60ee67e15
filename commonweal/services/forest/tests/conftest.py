"""A small forest: its books and methods, a partner with a key, two people."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.test import Client

from commonweal.kernel import clock
from commonweal.kernel.parties import people
from commonweal.kernel.parties.models import Login, Party
from commonweal.kernel.text import Text
from commonweal.services.forest.actions import days, sources
from commonweal.services.forest.queries.sources import Source
from commonweal.services.forest.rules.sources import signed_bytes
from commonweal.services.forest.tests.grove import grove, stopped  # noqa: F401 (fixtures)

NOW = datetime(2026, 11, 25, 4, tzinfo=UTC)
DAY = timedelta(days=1)


def somebody(email: str) -> Party:
    """A person who can sign in."""
    login = Login(email=email)
    login.set_unusable_password()
    login.save()
    return login.party


def signed_in(party: Party) -> Client:
    """A browser in which somebody is signed in."""
    client = Client()
    client.force_login(Login.objects.get(party=party))
    return client


@dataclass(frozen=True)
class Partner:
    """A partner that signs."""

    source: Source
    officer: Party
    key: uuid.UUID
    secret: Ed25519PrivateKey

    def headers(self, body: bytes, at: datetime) -> dict[str, str]:
        """The signature's headers."""
        time = str(int(at.timestamp()))
        signature = base64.b64encode(self.secret.sign(signed_bytes(time, body))).decode()
        return {"Deeds-Key": str(self.key), "Deeds-Time": time, "Deeds-Signature": signature}

    def send(self, deeds: list[Any], at: datetime | None = None, client: Client | None = None) -> Any:
        """Send a batch; the answer as JSON."""
        body = json.dumps({"deeds": deeds}).encode()
        with clock.stopped(at or clock.now()):
            answer = (client or Client()).post(
                "/api/v1/forest/deeds", body, "application/json", headers=self.headers(body, at or clock.now())
            )
        return answer.json()


@dataclass(frozen=True)
class Forest:
    """Who is there; `li` and `wang` as the partner knows them."""

    partner: Partner
    steward: Party
    li: Party
    wang: Party
    names: dict[uuid.UUID, uuid.UUID]

    def ride(self, event: str, who: Party, metres: int = 12_000, at: datetime = NOW, **more: Any) -> dict[str, Any]:
        """A metro ride as the partner sends it."""
        said = {"event": event, "person": str(self.names[who.id]), "kind": "metro", "quantity": metres}
        return {**said, "happened": at.isoformat(), **more}


def make_forest() -> Forest:
    """The forest at `NOW`."""
    days.open_forest()
    steward, officer = somebody("steward@forest.example"), somebody("officer@forest.example")
    people.grant_role(steward, people.STEWARD)
    operator = people.register_organisation(Text("Metro of Test", "测试地铁"))
    people.grant_role(officer, people.OFFICER, operator)
    source = sources.admit(steward, operator, "test-metro", "A", Text("Metro of Test", "测试地铁"))
    secret = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    public = base64.b64encode(secret.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()
    partner = Partner(source, officer, sources.add_key(officer, source, public), secret)
    li, wang = somebody("li@forest.example"), somebody("wang@forest.example")
    names = {who.id: sources.connect(who, source) for who in (li, wang)}
    return Forest(partner, steward, li, wang, names)


@pytest.fixture
def forest_at_noon(db: None) -> Iterator[Forest]:
    """The forest, at noon of a day in Shanghai, in a transaction that is rolled back."""
    with clock.stopped(NOW):
        yield make_forest()
