"""People and organisations: names, roles, credentials, consent, tokens."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.db import IntegrityError, connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from commonweal.kernel import clock
from commonweal.kernel.errors import Conflict, Invalid, Refusal, Unauthenticated
from commonweal.kernel.ids import uuid7
from commonweal.kernel.parties import people
from commonweal.kernel.parties.models import Consent, Credential, Guardianship, Login, Party
from commonweal.kernel.text import Text

DAY = date(2026, 3, 1)
NAME = Text("Spring Bud", "春蕾")


def facts(kind: str) -> list[dict[str, Any]]:
    """What has been appended to the log, of one kind."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT entry FROM proof_staged ORDER BY id")
        found = [json.loads(bytes(entry)) for (entry,) in cursor.fetchall()]
    return [fact for fact in found if fact["kind"] == kind]


def refused(code: str, call: Callable[..., object], *arguments: Any, **named: Any) -> Refusal:
    with pytest.raises(Refusal) as info:
        call(*arguments, **named)
    assert info.value.code == code
    return info.value


@pytest.fixture
def stewards(db: None) -> list[Party]:
    found = [people.register_person() for _ in range(3)]
    for steward in found:
        people.grant_role(steward, people.STEWARD)
    return found


@pytest.fixture
def charity(db: None) -> Party:
    return people.register_organisation(NAME, "53100000500021676X")


def credential(**fields: Any) -> Credential:
    values: dict[str, Any] = {
        "kind": "registration", "number": "53100000500021676X", "issuer": "民政部", "evidence": "0" * 64,
        "valid_from": DAY, "valid_until": DAY + timedelta(days=365),
    }  # fmt: skip
    return Credential(**values | fields)


@given(st.text(max_size=40))
def test_a_name_is_kept_or_refused_and_never_changed_twice(text: str) -> None:
    try:
        name = people.check_name(text)
    except Invalid as refusal:
        assert refusal.code.startswith("name.")
    else:
        assert people.check_name(name) == name
        assert name == name.strip() != ""
        assert "\n" not in name


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("", "name.empty"),
        (" \u3000\t", "name.empty"),
        ("a" * 201, "name.too-long"),
        ("a\0b", "name.characters"),
        ("a\u202eb", "name.characters"),
        ("a\u2066b", "name.characters"),
        ("line\u2028end", "name.characters"),
        ("half \ud83d", "name.characters"),
        ("\ue000", "name.characters"),
    ],
)
def test_hostile_names(name: str, code: str) -> None:
    assert refused(code, people.check_name, name, field="title").field == "title"


def test_names_are_written_in_one_way() -> None:
    assert people.check_name("  Jose\u0301 ") == "José"
    assert people.check_name("阿依古丽·买买提") == "阿依古丽·买买提"


def test_what_is_known_of_a_person_is_sealed(db: None) -> None:
    party = people.register_person(name="欧阳小雨", phone="+8613812345678")
    assert people.own_personal(party) == {"name": "欧阳小雨", "phone": "+8613812345678"}
    assert party.sealed is not None
    assert "欧阳小雨".encode() not in bytes(party.sealed)
    people.write_personal(party, {"name": "雨"})
    assert people.own_personal(Party.objects.get(pk=party.pk)) == {"name": "雨"}
    assert people.own_personal(people.register_person()) == {}


def test_the_database_itself_refuses_a_name_in_the_open(db: None) -> None:
    party = people.register_person()
    party.name_en = "Somebody"
    with pytest.raises(IntegrityError), transaction.atomic():
        party.save()
    with pytest.raises(IntegrityError), transaction.atomic():
        Party.objects.create(kind=Party.Kind.ORGANISATION, name_en="Only English")


def test_an_organisation_is_public_and_registered_once(charity: Party) -> None:
    assert charity.name == NAME
    again = refused("organisation.registered", people.register_organisation, NAME, " 53100000500021676x ")
    assert isinstance(again, Conflict)
    assert people.register_organisation(NAME).registration is None
    assert people.register_organisation(NAME).registration is None


def test_an_organisations_names_are_checked(db: None) -> None:
    assert refused("name.characters", people.register_organisation, Text("a\0", "中")).field == "name_en"
    assert refused("name.characters", people.register_organisation, Text("a", "中\u202e")).field == "name_zh"


@pytest.mark.parametrize("code", ["", "abc", "1" * 65, "530 123", "-530", "５３１\0", "中文代码", "a/b\n"])
def test_registration_codes_out_of_form(code: str) -> None:
    assert refused("registration.form", people.check_registration, code).field == "registration"


def test_registration_codes() -> None:
    assert people.check_registration("gb-chc-1234") == "GB-CHC-1234"
    assert people.check_registration("５３１０００００５０００２１６７６Ｘ") == "53100000500021676X"


def test_two_registrations_at_once_make_one_organisation(fresh_database: str) -> None:
    start, answers = threading.Barrier(4), []

    def register() -> None:
        start.wait()
        try:
            people.register_organisation(NAME, "53100000500021676X")
            answers.append("made")
        except Conflict as refusal:
            answers.append(refusal.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=register) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == ["made", *["organisation.registered"] * 3]
    assert Party.objects.count() == 1


def test_roles_are_given_once_and_taken_away(charity: Party) -> None:
    officer = people.register_person()
    refused("role.missing", people.require_role, officer, people.OFFICER, within=charity)
    for _ in range(2):
        people.grant_role(officer, people.OFFICER, within=charity)
    people.require_role(officer, people.OFFICER, within=charity)
    assert people.roles(officer) == frozenset()
    assert list(people.organisations_of(officer)) == [charity]
    assert officer.grants.count() == 1
    people.revoke_role(officer, people.OFFICER, within=charity)
    assert people.roles(officer, within=charity) == frozenset()
    assert list(people.organisations_of(officer)) == []
    people.grant_role(officer, people.OFFICER, within=charity)
    assert officer.grants.count() == 2


def test_a_stewards_reading_is_a_public_fact(stewards: list[Party]) -> None:
    subject = people.register_person(name="何小满")
    assert people.read_personal(stewards[0], subject, "payment") == {"name": "何小满"}
    (fact,) = facts("parties.read")
    assert (fact["reader"], fact["subject"], fact["purpose"]) == (str(stewards[0].id), str(subject.id), "payment")
    assert "何小满" not in json.dumps(fact, ensure_ascii=False)


def test_nobody_else_reads_and_no_reading_is_without_a_purpose(stewards: list[Party]) -> None:
    subject = people.register_person(name="何小满")
    refused("role.missing", people.read_personal, people.register_person(), subject, "payment")
    for purpose in ("", "Because I want to", "a", "x" * 50):
        refused("purpose.form", people.read_personal, stewards[0], subject, purpose)
    assert facts("parties.read") == []


def test_a_credential_counts_from_the_second_steward_on(charity: Party, stewards: list[Party]) -> None:
    officer = people.register_person()
    refused("role.missing", people.file_credential, charity, officer, credential())
    people.grant_role(officer, people.OFFICER, within=charity)
    filed = people.file_credential(charity, officer, credential())

    def counts(on: date = DAY, kind: str | None = None) -> bool:
        return people.valid_credentials(charity, on, kind).exists()

    refused("role.missing", people.attest, filed, officer)
    assert not people.attest(filed, stewards[0])
    assert not people.attest(filed, stewards[0])  # the same word twice is one word
    assert not counts()
    assert facts("parties.credential") == []
    assert people.attest(filed, stewards[1])
    assert people.attest(filed, stewards[2])
    assert counts()
    assert counts(kind="registration")
    assert not counts(kind="teaching")
    assert not counts(DAY - timedelta(days=1))
    assert counts(DAY + timedelta(days=365))
    assert not counts(DAY + timedelta(days=366))
    (fact,) = facts("parties.credential")
    assert (fact["state"], fact["until"]) == ("verified", "2027-03-01")


def test_a_credential_can_be_for_ever_and_ends_when_it_is_revoked(charity: Party, stewards: list[Party]) -> None:
    filed = people.file_credential(charity, charity, credential(valid_until=None))
    for steward in stewards[:2]:
        people.attest(filed, steward)
    assert people.valid_credentials(charity, date(2126, 1, 1)).exists()
    refused("role.missing", people.revoke, filed, people.register_person(), "no")
    refused("name.empty", people.revoke, filed, stewards[0], " ")
    people.revoke(filed, stewards[2], "登记已注销")
    assert not people.valid_credentials(charity, DAY).exists()
    refused("credential.revoked", people.revoke, filed, stewards[0], "again")
    refused("credential.revoked", people.attest, filed, stewards[2])
    states = [fact["state"] for fact in facts("parties.credential")]
    assert states == ["verified", "revoked"]
    assert "登记已注销" not in json.dumps(facts("parties.credential"), ensure_ascii=False)


def test_nobody_attests_for_themselves(charity: Party, stewards: list[Party]) -> None:
    own = people.file_credential(stewards[0], stewards[0], credential(kind="teaching"))
    refused("credential.own", people.attest, own, stewards[0])
    people.grant_role(stewards[1], people.OFFICER, within=charity)
    theirs = people.file_credential(charity, stewards[1], credential())
    refused("credential.own", people.attest, theirs, stewards[1])


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"valid_until": DAY - timedelta(days=1)}, "credential.period"),
        ({"number": ""}, "name.empty"),
        ({"issuer": "a\0"}, "name.characters"),
    ],
)
def test_credentials_out_of_form(charity: Party, fields: dict[str, Any], code: str) -> None:
    refused(code, people.file_credential, charity, charity, credential(**fields))
    assert not Credential.objects.exists()


def test_consent_is_ones_own_or_the_guardians(db: None) -> None:
    guardian, ward, other = (people.register_person() for _ in range(3))
    Guardianship.objects.create(guardian=guardian, ward=ward, evidence="0" * 64)
    for _ in range(2):
        people.give_consent(ward, "guard.report", "2026-1", by=guardian)
    people.give_consent(other, "guard.report", "2026-1")
    refused("consent.not-yours", people.give_consent, ward, "guard.report", "2026-1", by=other)
    assert people.consented(ward, "guard.report", "2026-1")
    assert not people.consented(ward, "guard.report", "2026-2")
    assert Consent.objects.filter(party=ward).count() == 1
    people.withdraw_consent(ward, "guard.report")
    assert not people.consented(ward, "guard.report", "2026-1")
    assert people.consented(other, "guard.report", "2026-1")
    Guardianship.objects.update(ended_at=clock.now())
    assert not people.is_guardian(guardian, ward)
    refused("consent.not-yours", people.give_consent, ward, "guard.report", "2026-1", by=guardian)


def test_a_token_acts_for_its_party_until_it_ends(db: None) -> None:
    party = people.register_person()
    now = datetime(2026, 3, 1, tzinfo=UTC)
    with clock.stopped(now):
        secret = people.make_token(party, "my script", lasts=timedelta(days=2))
    assert secret.startswith("cw_")
    assert len(secret) == 46
    assert people.party_of_token(secret, now) == party
    refusal = refused("token.unknown", people.party_of_token, secret, now + timedelta(days=2))
    assert isinstance(refusal, Unauthenticated)
    token = party.tokens.get()
    assert secret.encode() not in bytes(token.digest)
    refused("token.unknown", people.party_of_token, "cw_" + "a" * 43, now)
    token.revoked_at = now
    token.save()
    refused("token.unknown", people.party_of_token, secret, now)
    refused("name.characters", people.make_token, party, "a\0")


def test_mail_goes_to_an_address_that_has_been_shown_to_be_theirs(db: None) -> None:
    login = Login.objects.create_user("giver@example.org", "a long password")
    address = EmailAddress.objects.create(user=login, email="giver@example.org", primary=True)
    assert people.mail_address(login.party) is None
    address.set_verified(commit=True)
    assert people.mail_address(login.party) == "giver@example.org"
    assert people.mail_address(people.register_person()) is None


def test_a_login_makes_its_person_or_keeps_the_one_given(db: None) -> None:
    guest = people.register_person()
    login = Login(party=guest, phone="+8613812345678")
    login.set_unusable_password()
    login.save()
    assert login.party == guest
    fresh = Login.objects.create_user("b@Example.ORG", "a long password")
    assert fresh.party.kind == Party.Kind.PERSON
    assert fresh.email == "b@example.org"
    assert Party.objects.count() == 2


def test_parties_by_id(charity: Party) -> None:
    assert people.named(charity.id) == charity
    assert people.named(uuid7()) is None
