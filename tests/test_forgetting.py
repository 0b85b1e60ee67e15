"""Forgetting a person: canaries in every personal place, a dump in which none sings, and receipts that still hold."""

from __future__ import annotations

import base64
import secrets
from datetime import date
from pathlib import Path

import psycopg
import pytest
from allauth.account.models import EmailAddress
from allauth.account.utils import user_pk_to_url_str
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP
from django.contrib.auth import SESSION_KEY
from django.db import connection
from pytest_django import Settings

from commonweal.kernel import clock
from commonweal.kernel.errors import Conflict
from commonweal.kernel.files import store
from commonweal.kernel.files.tests.pictures import document
from commonweal.kernel.ids import uuid7
from commonweal.kernel.jobs import run_due
from commonweal.kernel.notices import inbox
from commonweal.kernel.parties import cipher, people
from commonweal.kernel.parties.erasure import _erasers, eraser, forget
from commonweal.kernel.parties.models import Credential, Guardianship, Login, Party, Session
from commonweal.kernel.parties.session_store import SessionStore
from commonweal.kernel.postgres import Server, binaries
from commonweal.kernel.proof import BadNote, Fact, SignerKey, append, placed, receipt_of, sequence, verify_receipt
from commonweal.kernel.proof.verify import seal
from commonweal.kernel.text import Text

CANARY = "Kanarienvogel"


def dump(server: Server, database: str) -> bytes:
    name = psycopg.conninfo.conninfo_to_dict(database)["dbname"]
    return binaries.run("pg_dump", "-h", server.socket_directory, "-U", "commonweal", "-d", str(name)).stdout


def sings(haystack: bytes) -> bool:
    """Whether the canary is there: as text, in hexadecimal (how a dump writes bytes), or in base64."""
    word = CANARY.encode()
    spelled = [word, word.hex().encode()]
    spelled += [base64.b64encode(b" " * shift + word)[4:-4] for shift in range(3)]
    return any(spelling.lower() in haystack.lower() for spelling in spelled)


def sequenced(database: str, signer: SignerKey) -> None:
    with psycopg.connect(database, autocommit=True) as session:
        assert sequence(session, signer, clock.now())


def test_after_forgetting_no_dump_knows_the_person_and_every_receipt_holds(
    fresh_database: str, postgres: Server, tmp_path: Path, settings: Settings
) -> None:
    settings.HOME = tmp_path
    signer = SignerKey("test.example/log", secrets.token_bytes(32))
    party = people.register_person(name=CANARY, phone="+8613812345678")
    login = Login(party=party, email=f"{CANARY}@example.org".lower(), phone="+8613812345678")
    login.set_password(CANARY)
    login.save()
    EmailAddress.objects.create(user=login, email=login.email, verified=True, primary=True)
    TOTP.activate(login, CANARY)
    people.make_token(party, CANARY)
    inbox.notify(party.id, "test.thanks", Text(CANARY, CANARY), Text(CANARY, CANARY), f"/giving/{CANARY}/")
    evidence = store.take_document(document(CANARY), field="evidence")
    licence = Credential(kind="teaching", number=CANARY, issuer=CANARY, evidence=evidence.digest)
    licence.valid_from = date(2026, 1, 1)
    people.file_credential(party, party, licence)
    steward = people.register_person()
    people.grant_role(steward, people.STEWARD)
    people.grant_role(party, people.STEWARD)
    people.attest(licence, steward)
    ward = people.register_person(name="ward")
    paper = store.take_document(document(f"{CANARY} guards"), field="evidence")
    Guardianship.objects.create(guardian=party, ward=ward, evidence=paper.digest)
    people.give_consent(party, "mail", "2026-1")
    browser = SessionStore()
    browser[SESSION_KEY] = str(login.pk)
    browser["account_authentication_methods"] = [{"method": "password", "email": login.email}]
    browser.save()
    stranger = SessionStore()
    stranger["guest"] = "somebody"
    stranger.save()

    salt, private = secrets.token_bytes(16), {"giver": CANARY, "amount": "5.00"}
    opening = cipher.seal_for(party.id, {"salt": salt.hex(), **private})
    fact = Fact("test.gift", clock.now(), {"amount": "5.00"}, seal=seal(salt, private))
    with connection.cursor() as cursor:
        append(cursor, fact)
        cursor.execute("CREATE TABLE test_opening (sealed bytea)")
        cursor.execute("INSERT INTO test_opening VALUES (%s)", [opening])
    sequenced(fresh_database, signer)
    with connection.cursor() as cursor:
        receipt = str(receipt_of(cursor, fact.id, signer.verifier, (salt, private))).encode()
    run_due()

    assert sings(dump(postgres, fresh_database))  # the search would find it
    assert SessionStore(browser.session_key).load()
    assert len([*(tmp_path / "files").rglob("*")]) == 4

    assert forget(party.id)
    assert run_due() == 2  # the two files

    assert not sings(dump(postgres, fresh_database))
    assert b"13812345678" not in dump(postgres, fresh_database)
    assert not [path for path in (tmp_path / "files").rglob("*") if path.is_file()]
    assert not Login.objects.filter(party=party).exists()
    assert not EmailAddress.objects.exists()
    assert not Authenticator.objects.exists()
    assert [row.session_key for row in Session.objects.all()] == [stranger.session_key]
    assert Guardianship.objects.get().ended_at is not None
    assert people.roles(party) == frozenset()
    for call in (lambda: cipher.open_for(party.id, opening), lambda: cipher.key_of(party.id)):
        with pytest.raises(cipher.Forgotten):
            call()

    # What was proved before is proved still: by the old receipt, and by one made now, which says less.
    assert verify_receipt(receipt, signer.verifier).opening == (salt, private)
    sequenced(fresh_database, signer)
    with connection.cursor() as cursor:
        again = receipt_of(cursor, fact.id, signer.verifier)
        assert again is not None
        assert verify_receipt(str(again).encode(), signer.verifier).index == 0
        cursor.execute("SELECT convert_from(entry, 'UTF8') FROM proof_leaf WHERE entry LIKE '%%parties.forgotten%%'")
        ((tombstone,),) = cursor.fetchall()
    assert str(party.id) in tombstone
    with pytest.raises(BadNote):
        verify_receipt(receipt.replace(b"extra ", b"extra A", 1))

    assert not forget(party.id)  # doing it twice is doing it once


def test_evidence_that_others_rely_on_stays(db: None) -> None:
    one, other, guardian = (people.register_person() for _ in range(3))
    shared = store.take_document(document("shared"), field="evidence")
    guarded = store.take_document(document("guarded"), field="evidence")
    for holder in (one, other):
        fields = {"kind": "teaching", "number": "1", "issuer": "x", "valid_from": date(2026, 1, 1)}
        people.file_credential(holder, holder, Credential(**fields, evidence=shared.digest))
    people.file_credential(one, one, Credential(**fields, evidence=guarded.digest))
    Guardianship.objects.create(guardian=guardian, ward=other, evidence=guarded.digest)
    forget(one.id)
    run_due()
    assert store.read(shared.digest)
    assert store.read(guarded.digest)
    forget(other.id)
    run_due()
    assert Guardianship.objects.get().evidence == ""


def test_a_failing_eraser_leaves_everything_as_it_was(db: None) -> None:
    party = people.register_person(name="x")

    @eraser
    def fails(id: object) -> None:
        raise OSError

    try:
        with pytest.raises(OSError):
            forget(party.id)
    finally:
        _erasers.remove(fails)
    assert people.own_personal(Party.objects.get(pk=party.pk)) == {"name": "x"}
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM proof_staged")
        assert cursor.fetchone() == (0,)


def test_organisations_and_strangers(db: None) -> None:
    charity = people.register_organisation(Text("Spring Bud", "春蕾"))
    with pytest.raises(Conflict) as refused:
        forget(charity.id)
    assert refused.value.code == "party.organisation"
    with pytest.raises(Party.DoesNotExist):
        forget(uuid7())


def test_a_session_knows_its_login_from_the_first_step_of_signing_in(db: None) -> None:
    login = Login.objects.create_user("a@example.org", "a long password")
    for content, expected in (
        ({"account_login": {"user_pk": user_pk_to_url_str(login)}}, login.pk),
        ({"account_login": {"user_pk": None}}, None),
        ({SESSION_KEY: str(login.pk)}, login.pk),
        ({}, None),
    ):
        store = SessionStore()
        store.update(content)
        store.save()
        assert Session.objects.get(session_key=store.session_key).login == expected
    assert Session.get_session_store_class() is SessionStore


def test_a_fact_of_forgetting_waits_in_the_log(db: None) -> None:
    party = people.register_person()
    forget(party.id)
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM proof_staged")
        ((id,),) = cursor.fetchall()
        found = placed(cursor, id)
    assert found is not None
    assert str(party.id).encode() in found.entry
