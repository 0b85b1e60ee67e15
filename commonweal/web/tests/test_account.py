"""One's own account: seen by oneself alone, carried away, and destroyed at one's wish."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from urllib.parse import unquote

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client

from commonweal.kernel import clock
from commonweal.kernel.errors import NotAllowed
from commonweal.kernel.files.tests.pictures import bomb, document, picture
from commonweal.kernel.notices import inbox
from commonweal.kernel.parties import export, people
from commonweal.kernel.parties.models import ApiToken, Consent, Credential, Guardianship, Login, Party
from commonweal.kernel.text import Text
from commonweal.web.tests.people import PASSWORD, browser, person

CHARITY = {"name_zh": "春蕾图书馆", "name_en": "Spring Bud Libraries", "registration": "53100000500021676X"}


@pytest.fixture
def giver(db: None) -> Login:
    return person()


def page(client: Client, path: str, status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status, path
    return answer.content.decode()


OWN = ["/account/", "/account/tokens/", "/account/forget/", "/account/data/", "/account/organisations/new/", "/inbox/",
       "/account/email/", "/account/keys/"]  # fmt: skip


@pytest.mark.parametrize("path", OWN)
def test_a_stranger_is_led_to_the_sign_in_and_back(db: None, path: str) -> None:
    answer = browser().get(f"/zh{path}")
    assert answer.status_code in (302, 303)
    assert answer["Location"].startswith("/zh/account/login/?next=")
    assert unquote(answer["Location"]).endswith(f"?next=/zh{path}")


@pytest.mark.parametrize("path", OWN)
def test_nothing_of_ones_own_is_kept_by_caches(giver: Login, path: str) -> None:
    assert "no-store" in browser(giver).get(f"/en{path}")["Cache-Control"]


@pytest.mark.parametrize(
    "path",
    ["/account/name/", "/account/language/", "/account/consents/withdraw/", "/account/tokens/",
     f"/account/tokens/{'0' * 8}-0000-0000-0000-{'0' * 12}/revoke/",
     f"/account/guardianships/{'0' * 8}-0000-0000-0000-{'0' * 12}/end/"],
)  # fmt: skip
def test_a_stranger_changes_nothing(db: None, path: str) -> None:
    assert browser().post(f"/en{path}", {"language": "zh"}).status_code == 401


def test_the_account_says_what_is_known(giver: Login) -> None:
    people.write_personal(giver.party, {"name": "田小树"})
    shown = page(browser(giver), "/zh/account/")
    for known in ("田小树", giver.email, str(giver.party_id)):
        assert str(known) in shown
    assert "审核台" not in shown
    assert "Stewards" in page(browser(person(role=people.STEWARD)), "/en/account/")


def test_a_name_is_kept_sealed_and_a_hostile_one_refused(giver: Login) -> None:
    client = browser(giver)
    people.write_personal(giver.party, {"note": "kept"})
    assert client.post("/en/account/name/", {"name": "  何小满 "})["Location"] == "/en/account/"
    giver.party.refresh_from_db()
    assert people.own_personal(giver.party) == {"name": "何小满", "note": "kept"}
    assert "Your name is kept." in page(client, "/en/account/")
    assert "Your name is kept." not in page(client, "/en/account/")
    for name in ("", "a\0", "\u202eevil", "x" * 101, "x" * 900_000):
        answer = client.post("/en/account/name/", {"name": name})
        assert answer.status_code == 422
        assert 'aria-invalid="true"' in answer.content.decode()


def test_markup_in_a_name_stays_text(giver: Login) -> None:
    client = browser(giver)
    client.post("/en/account/name/", {"name": "<script>alert(1)</script>"})
    shown = page(client, "/en/account/")
    assert "<script>alert" not in shown
    assert "&lt;script&gt;" in shown


def test_the_language_of_letters_is_chosen(giver: Login) -> None:
    answer = browser(giver).post("/zh/account/language/", {"language": "en"})
    assert answer["Location"] == "/en/account/"
    giver.refresh_from_db()
    assert giver.language == "en"
    assert browser(giver).post("/zh/account/language/", {"language": "tlh"}).status_code == 422


def test_everything_known_can_be_carried_away(giver: Login) -> None:
    @export.exporter("test")
    def known(party: Any) -> list[str]:
        return [str(party)]

    try:
        with pytest.raises(ValueError, match="test"):
            export.exporter("test")(known)
        people.write_personal(giver.party, {"name": "田小树"})
        people.give_consent(giver.party, "mail", "2026-1")
        people.grant_role(giver.party, people.STEWARD)
        credential = Credential(kind="teaching", number="7", issuer="x", valid_from=clock.now().date())
        people.file_credential(giver.party, giver.party, credential)
        ward = people.register_person()
        Guardianship.objects.create(guardian=giver.party, ward=ward)
        answer = browser(giver).get("/zh/account/data/")
    finally:
        del export._exporters["test"]
    assert "attachment" in answer["Content-Disposition"]
    found = json.loads(answer.content)
    assert found["personal"] == {"name": "田小树"}
    assert found["login"]["email"] == giver.email
    assert found["consents"][0]["purpose"] == "mail"
    assert found["roles"][0]["role"] == "steward"
    assert found["credentials"][0]["number"] == "7"
    assert found["wards"] == [str(ward.id)]
    assert found["test"] == [str(giver.party_id)]
    assert export.known_of(ward)["login"] is None


def test_being_forgotten_takes_a_tick_and_the_password(giver: Login) -> None:
    client = browser(giver)
    for sent, field in (({}, "sure"), ({"sure": "yes"}, "password"), ({"sure": "yes", "password": "x"}, "password")):
        answer = client.post("/en/account/forget/", sent)
        assert answer.status_code == 422
        assert f'href="#{field}"' in answer.content.decode()
    answer = client.post("/zh/account/forget/", {"sure": "yes", "password": PASSWORD})
    assert answer["Location"] == "/zh/account/forgotten/"
    assert "已清除" in page(client, answer["Location"])
    assert not Login.objects.filter(pk=giver.pk).exists()
    assert Party.objects.get(pk=giver.party_id).erased_at is not None
    assert client.get("/zh/account/").status_code == 303


def test_the_password_is_not_guessed_by_asking_to_be_forgotten(giver: Login) -> None:
    client = browser(giver)
    for _ in range(6):
        answer = client.post("/en/account/forget/", {"sure": "yes", "password": "x"})
    assert "Too many attempts" in answer.content.decode()


def test_who_has_no_password_needs_none_to_be_forgotten(db: None) -> None:
    login = Login(phone="+8613812345678", phone_verified=True)
    login.set_unusable_password()
    login.save()
    assert browser(login).post("/en/account/forget/", {"sure": "yes"}).status_code == 303


def test_a_token_is_shown_once_and_ended(giver: Login) -> None:
    client = browser(giver)
    made = client.post("/en/account/tokens/", {"title": "my script"}).content.decode()
    secret = made.split("<code>cw_")[1].split("</code>")[0]
    assert secret not in page(client, "/en/account/tokens/")
    program = {"Authorization": f"Bearer cw_{secret}"}
    assert Client().get("/api/v1/account/me", headers=program).json()["party"] == str(giver.party_id)
    token = ApiToken.objects.get()
    assert browser(person()).post(f"/en/account/tokens/{token.pk}/revoke/").status_code == 404
    assert client.post(f"/en/account/tokens/{token.pk}/revoke/").status_code == 303
    assert client.post(f"/en/account/tokens/{token.pk}/revoke/").status_code == 404
    assert Client().get("/api/v1/account/me", headers=program).status_code == 401
    assert client.post("/en/account/tokens/", {"title": "a\0"}).status_code == 422
    with clock.stopped(clock.now() + timedelta(days=366)):
        assert "my script" not in page(client, "/en/account/tokens/")


def test_agreements_and_guardianships_end_at_ones_wish(giver: Login) -> None:
    people.give_consent(giver.party, "guard.report", "2026-1")
    guardianship = Guardianship.objects.create(guardian=giver.party, ward=people.register_person())
    client = browser(giver)
    assert "guard.report" in page(client, "/en/account/")
    client.post("/en/account/consents/withdraw/", {"purpose": "guard.report"})
    assert Consent.objects.get().withdrawn_at is not None
    path = f"/en/account/guardianships/{guardianship.pk}/end/"
    assert browser(person()).post(path).status_code == 404
    assert client.post(path).status_code == 303
    assert client.post(path).status_code == 404
    assert not people.is_guardian(giver.party, guardianship.ward)


# messages


def test_messages_are_ones_own(giver: Login) -> None:
    client = browser(giver)
    assert "Nothing yet" in page(client, "/en/inbox/")
    inbox.notify(
        giver.party_id,
        "test.thanks",
        Text("Two books", "两本书"),
        Text("One.\n\nTwo.", "一。\n\n二。"),
        "/transparency/",
    )
    (message,) = inbox.inbox(giver.party)
    assert "两本书" in page(client, "/zh/inbox/")
    assert "<mark" in page(client, "/en/inbox/") or "new" in page(client, "/en/inbox/")
    program = {"Authorization": f"Bearer {people.make_token(giver.party, 'x')}"}
    (told,) = Client().get("/api/v1/inbox/", headers=program).json()
    assert (told["title_zh"], told["body_en"], told["read"]) == ("两本书", "One.\n\nTwo.", False)
    opened = page(client, f"/zh/inbox/{message.id}/")
    assert 'href="/zh/transparency/"' in opened
    assert "<p>二。</p>" in opened
    assert inbox.unread(giver.party) == 0
    page(browser(person()), f"/zh/inbox/{message.id}/", 404)


# organisations


def test_an_organisation_is_registered_by_whoever_acts_for_it(giver: Login) -> None:
    client = browser(giver)
    path = client.post("/zh/account/organisations/new/", CHARITY)["Location"]
    assert "春蕾图书馆" in page(client, path)
    assert "春蕾图书馆" in page(client, "/zh/account/")
    page(browser(person()), path, 404)
    again = browser(person()).post("/zh/account/organisations/new/", CHARITY)
    assert again.status_code == 409
    assert "春蕾图书馆" in again.content.decode()  # what was typed is kept
    assert Party.objects.filter(kind="organisation").count() == 1


@pytest.mark.parametrize(
    ("field", "value"), [("name_zh", ""), ("name_en", "a\0"), ("registration", "?"), ("registration", "")]
)
def test_organisations_out_of_form(giver: Login, field: str, value: str) -> None:
    answer = browser(giver).post("/en/account/organisations/new/", CHARITY | {field: value})
    assert answer.status_code == 422
    assert f'href="#{field}"' in answer.content.decode()
    assert not Party.objects.filter(kind="organisation").exists()


def filed(client: Client, path: str, **changes: Any) -> Any:
    evidence = SimpleUploadedFile("certificate.pdf", document())
    fields: dict[str, Any] = {
        "kind": "registration", "number": "53100000500021676X", "issuer": "民政部", "valid_from": "2026-01-01",
        "valid_until": "2099-12-31", "evidence": evidence,
    } | changes  # fmt: skip
    return client.post(path, {name: value for name, value in fields.items() if value is not None})


def test_a_credential_is_filed_checked_and_counts(giver: Login) -> None:
    client = browser(giver)
    path = client.post("/en/account/organisations/new/", CHARITY)["Location"]
    assert filed(client, path).status_code == 303
    credential = Credential.objects.get()
    assert "being checked" in page(client, path)
    for _ in range(2):
        steward = browser(person(role=people.STEWARD))
        assert steward.post(f"/en/console/credentials/{credential.pk}/", {"action": "attest"}).status_code == 303
    assert "counts" in page(client, path)
    Credential.objects.update(valid_from="2090-01-01")
    assert "not yet begun" in page(client, path)
    Credential.objects.update(valid_from="2020-01-01", valid_until="2020-02-01")
    assert "run out" in page(client, path)
    steward.post(f"/en/console/credentials/{credential.pk}/", {"action": "revoke", "reason": "登记已注销"})
    assert "revoked" in page(client, path)


@pytest.mark.parametrize(
    ("changes", "status", "field"),
    [
        ({"kind": "king"}, 422, "kind"),
        ({"number": "a\u202e"}, 422, "number"),
        ({"issuer": ""}, 422, "issuer"),
        ({"valid_from": "1 March"}, 422, "valid_from"),
        ({"valid_from": "2026-02-30"}, 422, "valid_from"),
        ({"valid_until": "2025-01-01"}, 422, "valid_until"),
        ({"valid_until": ""}, 303, ""),
        ({"evidence": None}, 422, "evidence"),
        ({"evidence": SimpleUploadedFile("x.pdf", document(objects=b"<< /JavaScript >>"))}, 422, "evidence"),
        ({"evidence": SimpleUploadedFile("x.png", bomb(50_000, 50_000))}, 422, "evidence"),
        ({"evidence": SimpleUploadedFile("x.png", picture("JPEG")[:100])}, 422, "evidence"),
        ({"evidence": SimpleUploadedFile("x.png", b"")}, 422, "evidence"),
        ({"evidence": SimpleUploadedFile("x.pdf", b"0" * 10_000_001)}, 413, ""),
    ],
)
def test_credentials_with_something_wrong(giver: Login, changes: dict[str, Any], status: int, field: str) -> None:
    client = browser(giver)
    path = client.post("/en/account/organisations/new/", CHARITY)["Location"]
    answer = filed(client, path, **changes)
    assert answer.status_code == status
    if field:
        assert f'href="#{field}"' in answer.content.decode()
    assert Credential.objects.count() == (status == 303)


def test_the_stewards_see_what_is_filed_and_their_looks_are_facts(giver: Login) -> None:
    client = browser(giver)
    filed(client, client.post("/en/account/organisations/new/", CHARITY)["Location"])
    credential = Credential.objects.get()
    watcher = person(role=people.STEWARD)
    steward = browser(watcher)
    assert f"/en/console/credentials/{credential.pk}/" in page(steward, "/en/console/")
    assert readings() == []
    assert "春蕾图书馆" in page(steward, f"/zh/console/credentials/{credential.pk}/")
    evidence = steward.get(f"/zh/console/credentials/{credential.pk}/evidence")
    assert evidence.content == document()
    assert "attachment" in evidence["Content-Disposition"]
    assert "sandbox" in evidence["Content-Security-Policy"]
    assert [(r["reader"], r["subject"], r["purpose"]) for r in readings()] == [
        (str(watcher.party_id), str(credential.holder_id), "credential")
    ] * 2
    twice = [steward.post(f"/en/console/credentials/{credential.pk}/", {"action": "attest"}) for _ in range(2)]
    assert [answer.status_code for answer in twice] == [303, 303]
    assert credential.attestations.count() == 1
    refused = steward.post(f"/en/console/credentials/{credential.pk}/", {"action": "revoke", "reason": ""})
    assert refused.status_code == 422
    assert f"/en/console/credentials/{credential.pk}/" in page(steward, "/en/console/")


def readings() -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT entry FROM proof_staged ORDER BY id")
        found = [json.loads(bytes(row[0])) for row in cursor.fetchall()]
    return [fact for fact in found if fact["kind"] == "parties.read"]


def test_an_officer_who_is_a_steward_does_not_attest_for_their_own(db: None) -> None:
    both = person(role=people.STEWARD)
    client = browser(both)
    filed(client, client.post("/en/account/organisations/new/", CHARITY)["Location"])
    answer = client.post(f"/en/console/credentials/{Credential.objects.get().pk}/", {"action": "attest"})
    assert answer.status_code == 403
    with pytest.raises(NotAllowed):
        people.attest(Credential.objects.get(), both.party)
