"""Signing in and up: what it takes, what it never says, and what it keeps out of the tables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.core import mail
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import translation

from commonweal.kernel import clock
from commonweal.kernel.errors import Invalid
from commonweal.kernel.parties import people, session
from commonweal.kernel.parties.models import Login, Party, Session
from commonweal.web.signin import words
from commonweal.web.signin.phone import LASTS, read_number
from commonweal.web.tests.people import PASSWORD, browser, code_in, deliver, person, text_of

NUMBER = "+8613812345678"
FRESH = "a rather fresh password"


@pytest.fixture(autouse=True)
def texts(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, str]]]:
    """The text messages that went out."""
    sent: list[tuple[str, str]] = []

    class Pocket:
        def send(self, number: str, text: str) -> None:
            sent.append((number, text))

    monkeypatch.setattr("commonweal.web.signin.letters.telephone", Pocket)
    yield sent


def at(name: str, language: str = "en", *arguments: object) -> str:
    with translation.override("zh-hans" if language == "zh" else "en"):
        return reverse(name, args=arguments)


def is_signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def sign_up(client: Client, address: str, password: str = FRESH) -> Any:
    return client.post(at("account_signup"), {"email": address, "password1": password})


def sign_in(client: Client, address: str, password: str = PASSWORD) -> Any:
    return client.post(at("account_login"), {"login": address, "password": password})


# by address and password


def test_joining_in_takes_an_address_a_password_and_the_code_from_the_letter(db: None) -> None:
    client = browser()
    answer = sign_up(client, "New@Example.org")
    assert urlsplit(answer["Location"]).path == at("account_email_verification_sent")
    assert not is_signed_in(client)
    assert mail.outbox == []  # the request itself sends nothing
    deliver()
    (letter,) = mail.outbox
    assert letter.to == ["new@example.org"]
    assert "验证码" in letter.body
    wrong = client.post(answer["Location"], {"code": "BBBB-BBBB"})
    assert words.ERRORS["incorrect_code"].en in wrong.content.decode()
    done = client.post(answer["Location"], {"code": code_in(str(letter.body))})
    assert urlsplit(done["Location"]).path == at("account")
    assert is_signed_in(client)
    assert EmailAddress.objects.get().verified


def test_a_guest_who_joins_in_stays_the_same_party(db: None) -> None:
    client = browser()
    guest = people.register_person()
    kept = client.session
    kept[session.GUEST] = str(guest.id)
    kept.save()
    with translation.override("zh-hans"):
        client.post(at("account_signup", "zh"), {"email": "guest@example.org", "password1": FRESH})
    login = Login.objects.get()
    assert login.party == guest
    assert login.language == "zh"
    assert Party.objects.count() == 1


def test_an_address_that_is_known_is_answered_like_one_that_is_not(db: None) -> None:
    known = person()
    pages = []
    for address in (known.email, "nobody@example.org"):
        client = browser()
        answer = sign_up(client, address or "")
        shown = client.get(answer["Location"])
        pages.append((answer.status_code, answer["Location"], text_of(shown).replace(address or "", "ADDRESS")))
    assert pages[0] == pages[1]
    deliver()
    assert {letter.to[0]: letter.subject for letter in mail.outbox} == {
        known.email: words.LETTERS["account_already_exists"].subject.en,
        "nobody@example.org": words.LETTERS["email_confirmation_signup"].subject.en,
    }
    assert Login.objects.filter(email=known.email).count() == 1


def test_a_wrong_password_and_an_unknown_address_look_alike(db: None) -> None:
    known = person()
    pages = []
    for address, password in ((known.email, "not the password"), ("nobody@example.org", PASSWORD)):
        answer = sign_in(browser(), address or "", password)
        pages.append((answer.status_code, text_of(answer).replace(address or "", "ADDRESS")))
    assert pages[0] == pages[1]
    assert words.ERRORS["email_password_mismatch"].en in pages[0][1]
    assert "aria-invalid" not in pages[0][1]  # it is not said which of the two it is


def test_a_forgotten_password_is_answered_alike_too(db: None) -> None:
    known = person()
    pages, clients = [], []
    for address in (known.email, "nobody@example.org"):
        client = browser()
        answer = client.post(at("account_reset_password"), {"email": address})
        pages.append((answer.status_code, answer["Location"],
                      text_of(client.get(answer["Location"])).replace(address or "", "ADDRESS")))  # fmt: skip
        clients.append((client, answer["Location"]))
    assert pages[0] == pages[1]
    deliver()
    (letter,) = mail.outbox  # strangers are not written to
    client, confirm = clients[0]
    done = client.post(confirm, {"code": code_in(str(letter.body))})
    done = client.post(done["Location"], {"password1": FRESH, "password2": FRESH})
    known.refresh_from_db()
    assert known.check_password(FRESH)
    assert client.get(done["Location"]).status_code == 200


def test_signing_in_and_out(db: None) -> None:
    login, client = person(), browser(csrf=True)
    form = client.get(at("account_login") + "?next=/en/inbox/")
    token = re.search(r'csrfmiddlewaretoken" value="(\w+)"', form.content.decode())
    assert token
    sent = {"login": login.email, "password": PASSWORD, "csrfmiddlewaretoken": token[1], "next": "/en/inbox/"}
    assert client.post(at("account_login"), {**sent, "csrfmiddlewaretoken": "x" * 64}).status_code == 403
    assert client.post(at("account_login"), sent)["Location"] == "/en/inbox/"
    assert is_signed_in(client)
    assert Session.objects.get(session_key=client.session.session_key).login == login.pk
    calm = browser(login)
    assert calm.get(at("account_logout")).status_code == 200
    assert is_signed_in(calm)  # only a POST signs out
    calm.post(at("account_logout"))
    assert not is_signed_in(calm)


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "\\\\evil"])
def test_nobody_is_sent_elsewhere(db: None, elsewhere: str, texts: list[tuple[str, str]]) -> None:
    answer = browser().post(at("account_login"), {"login": person().email, "password": PASSWORD, "next": elsewhere})
    assert urlsplit(answer["Location"]).path == at("account")
    client = browser()
    client.post(at("account_phone"), {"phone": NUMBER})
    deliver()
    answer = client.post(at("account_phone_code"), {"phone": NUMBER, "code": code_in(texts[0][1]), "next": elsewhere})
    assert urlsplit(answer["Location"]).path == at("account")


def test_guessing_passwords_ends_soon_and_for_all_processes(db: None) -> None:
    login = person()
    for _ in range(5):
        assert words.ERRORS["email_password_mismatch"].en in sign_in(browser(), login.email or "", "x").content.decode()
    answer = sign_in(browser(), login.email or "", PASSWORD)  # another browser, and even the right password
    assert words.ERRORS["too_many_login_attempts"].en in answer.content.decode()
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM web_cache WHERE cache_key LIKE '%%login_failed%%'")
        assert cursor.fetchone()[0] >= 1
        cursor.execute("SELECT count(*) FROM web_cache WHERE cache_key LIKE %s", [f"%{login.email}%"])
        assert cursor.fetchone() == (0,)


def test_too_many_requests_get_a_page_of_their_own(db: None) -> None:
    client = browser()
    answers = [client.post(at("account_signup"), {"email": "a", "password1": "b"}) for _ in range(22)]
    assert answers[0].status_code == 200
    assert answers[-1].status_code == 429
    assert "A little slower" in answers[-1].content.decode()


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"email": "", "password1": FRESH}, words.FIELDS["email"].missing),
        ({"email": "x", "password1": FRESH}, words.CODES["invalid"]),
        ({"email": "a@example.org", "password1": ""}, words.FIELDS["password1"].missing),
        ({"email": "a@example.org", "password1": "short"}, words.CODES["password_too_short"]),
        ({"email": "a@example.org", "password1": "1234567890"}, words.CODES["password_too_common"]),
        ({"email": "a\0@example.org", "password1": FRESH}, words.CODES["invalid"]),
        ({"email": "a" * 300 + "@example.org", "password1": FRESH}, words.CODES["invalid"]),
    ],
)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_what_is_wrong_is_said_beside_the_field(db: None, fields: dict[str, str], said: Any, language: str) -> None:
    page = browser().post(at("account_signup", language), fields).content.decode()
    assert said.say(language) in page
    assert 'aria-invalid="true"' in page
    assert ("错误：" if language == "zh" else "Error: ") in page
    assert not Login.objects.exists()
    if "\0" not in fields["email"]:
        assert f'value="{fields["email"]}"' in page or not fields["email"]


# by telephone


def ask(client: Client, number: str = NUMBER) -> Any:
    return client.post(at("account_phone"), {"phone": number})


def test_a_number_and_its_code_make_an_account(db: None, texts: list[tuple[str, str]]) -> None:
    client = browser()
    page = ask(client, "138 1234-5678")
    assert page.status_code == 200
    assert f'name="phone" value="{NUMBER}"' in page.content.decode()
    deliver()
    ((number, text),) = texts
    assert number == NUMBER
    client.post(at("account_phone_code"), {"phone": NUMBER, "code": code_in(text)})
    login = Login.objects.get()
    assert is_signed_in(client)
    assert (login.phone, login.phone_verified, login.email) == (NUMBER, True, None)
    assert not login.has_usable_password()
    assert client.get(at("account")).status_code == 200
    again = browser()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM web_cache")  # a minute later
    ask(again)
    deliver()
    again.post(at("account_phone_code"), {"phone": NUMBER, "code": code_in(texts[1][1])})
    assert is_signed_in(again)
    assert Login.objects.count() == 1


def test_a_known_number_is_answered_like_an_unknown_one(db: None) -> None:
    Login.objects.create(phone=NUMBER, phone_verified=True, password="!")
    pages = [text_of(ask(browser(), number)).replace(number, "N") for number in (NUMBER, "+8613912345678")]
    assert pages[0] == pages[1]


def test_neither_number_nor_code_stands_in_the_tables_before_it_is_used(db: None, texts: list[tuple[str, str]]) -> None:
    client = browser()
    ask(client)
    with connection.cursor() as cursor:
        cursor.execute("SELECT payload::text FROM jobs_job")
        payloads = [row[0] for row in cursor.fetchall()]
        cursor.execute("SELECT cache_key || value FROM web_cache")
        cached = [row[0] for row in cursor.fetchall()]
    deliver()
    code = code_in(texts[0][1])
    kept = repr(dict(client.session.items()))
    for place in (*payloads, *cached, kept):
        assert "13812345678" not in place
        assert code not in place


def test_a_code_is_guessed_five_times_at_most(db: None, texts: list[tuple[str, str]]) -> None:
    client = browser()
    ask(client)
    deliver()
    right = code_in(texts[0][1])
    wrong = f"{(int(right) + 1) % 10**6:06d}"
    for _ in range(5):
        answer = client.post(at("account_phone_code"), {"phone": NUMBER, "code": wrong})
        assert answer.status_code == 422
        assert "not the code that we sent" in answer.content.decode()
    answer = client.post(at("account_phone_code"), {"phone": NUMBER, "code": right})
    assert "has run out" in answer.content.decode()
    assert not is_signed_in(client)


@pytest.mark.parametrize("code", ["", "12345", "１２３４５", "abcdef", "1" * 5000, "\0", "' OR 1=1"])
def test_what_is_no_code(db: None, code: str) -> None:
    client = browser()
    ask(client)
    assert client.post(at("account_phone_code"), {"phone": NUMBER, "code": code}).status_code == 422


def test_a_code_belongs_to_its_number_its_browser_and_its_minutes(db: None, texts: list[tuple[str, str]]) -> None:
    client = browser()
    ask(client)
    deliver()
    code = code_in(texts[0][1])
    for other, number in ((client, "+8613912345678"), (browser(), NUMBER)):
        assert other.post(at("account_phone_code"), {"phone": number, "code": code}).status_code == 422
    with clock.stopped(clock.now() + timedelta(seconds=LASTS + 1)):
        assert client.post(at("account_phone_code"), {"phone": NUMBER, "code": code}).status_code == 422
    assert not Login.objects.exists()


def test_codes_are_not_sent_without_end(db: None, texts: list[tuple[str, str]]) -> None:
    assert ask(browser()).status_code == 200
    answer = ask(browser())
    assert answer.status_code == 429
    assert answer["Retry-After"] == "60"
    deliver()
    assert len(texts) == 1


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("13812345678", NUMBER),
        ("１３８１２３４５６７８", NUMBER),
        ("0086 138 1234 5678", NUMBER),
        ("+86 (138) 1234-5678", NUMBER),
        ("+44 7700 900123", "+447700900123"),
        ("+852 9123 4567", "+85291234567"),
    ],
)
def test_numbers_are_read_as_people_write_them(written: str, number: str) -> None:
    assert read_number(written) == number


@pytest.mark.parametrize("written", ["", "12345", "12812345678", "138123456789", "+", "+0123456789", "+86 010 1234567",
                                     "13812345678\0", "one", "+" + "1" * 40, "+1234567'"])  # fmt: skip
def test_what_is_no_mobile_number(db: None, written: str) -> None:
    with pytest.raises(Invalid) as refused:
        read_number(written)
    assert (refused.value.code, refused.value.field) == ("phone.form", "phone")
    assert ask(browser(), written).status_code == 422


def test_a_number_is_added_to_an_account_or_belongs_to_another(db: None, texts: list[tuple[str, str]]) -> None:
    login, other = person(), person()
    for owner, expected in ((login, 303), (other, 409)):
        client = browser(owner)
        ask(client)
        deliver()
        answer = client.post(at("account_phone_code"), {"phone": NUMBER, "code": code_in(texts[-1][1])})
        assert answer.status_code == expected
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM web_cache")
    login.refresh_from_db()
    assert (login.phone, login.phone_verified) == (NUMBER, True)


# the second step


def totp(secret: str) -> str:
    counter = next(iter(yield_hotp_counters_from_time()))
    code: str = format_hotp_value(hotp_value(secret, counter))
    return code


def reauthenticated(login: Login) -> Client:
    client = browser(login)
    client.post(at("account_reauthenticate"), {"password": PASSWORD})
    return client


def test_an_authenticator_app_and_recovery_codes(db: None, django_capture_on_commit_callbacks: Any) -> None:
    login = person()
    stranger = browser(login)
    assert urlsplit(stranger.get(at("mfa_activate_totp"))["Location"]).path == at("account_reauthenticate")
    client = reauthenticated(login)
    page = client.get(at("mfa_activate_totp")).content.decode()
    secret = re.search(r"<code>([A-Z2-7]{32})</code>", page)
    assert secret
    assert client.post(at("mfa_activate_totp"), {"code": "000000"}).status_code == 200
    secret = re.search(r"<code>([A-Z2-7]{32})</code>", client.get(at("mfa_activate_totp")).content.decode())
    assert secret
    with django_capture_on_commit_callbacks(execute=True):
        assert client.post(at("mfa_activate_totp"), {"code": totp(secret[1])}).status_code == 302
    kept = repr([each.data for each in Authenticator.objects.all()])
    assert secret[1] not in kept  # sealed under the platform's key
    codes = re.findall(
        r"^([0-9]{8})$|<code>([0-9]{8})", client.get(at("mfa_view_recovery_codes")).content.decode(), re.M
    )
    assert len(codes) == 10

    newcomer = browser()
    answer = sign_in(newcomer, login.email or "")
    assert urlsplit(answer["Location"]).path == at("mfa_authenticate")
    assert not is_signed_in(newcomer)
    assert newcomer.get(at("account"))["Location"].startswith(at("account_login"))
    with_recovery = newcomer.post(at("mfa_authenticate"), {"code": "".join(codes[0])})
    assert urlsplit(with_recovery["Location"]).path == at("account")
    assert is_signed_in(newcomer)
    again = browser()
    sign_in(again, login.email or "")
    assert (
        words.ERRORS["incorrect_code"].en
        in again.post(at("mfa_authenticate"), {"code": "".join(codes[0])}).content.decode()
    )
    deliver()
    assert words.LETTERS["totp_activated"].subject.zh in [letter.subject for letter in mail.outbox]


def test_signing_in_by_telephone_does_not_go_around_the_second_step(db: None, texts: list[tuple[str, str]]) -> None:
    login = person()
    Login.objects.filter(pk=login.pk).update(phone=NUMBER, phone_verified=True)
    client = reauthenticated(login)
    secret = re.search(r"<code>([A-Z2-7]{32})</code>", client.get(at("mfa_activate_totp")).content.decode())
    assert secret
    client.post(at("mfa_activate_totp"), {"code": totp(secret[1])})
    newcomer = browser()
    ask(newcomer)
    deliver()
    answer = newcomer.post(at("account_phone_code"), {"phone": NUMBER, "code": code_in(texts[0][1])})
    assert urlsplit(answer["Location"]).path == at("mfa_authenticate")
    assert not is_signed_in(newcomer)


# the pages


OPEN = ["account_login", "account_signup", "account_signup_by_passkey", "account_reset_password", "account_phone",
        "account_inactive", "account_password_reset_completed"]  # fmt: skip
OWN = ["account_email", "account_change_password", "account_logout", "mfa_index", "mfa_activate_totp",
       "mfa_list_webauthn", "mfa_add_webauthn", "account_reauthenticate", "account_phone"]  # fmt: skip


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_page_speaks_the_language_of_its_address(db: None, language: str) -> None:
    for names, client in ((OPEN, browser()), (OWN, reauthenticated(person()))):
        for name in names:
            answer = client.get(at(name, language))
            assert answer.status_code == 200, name
            page = answer.content.decode()
            assert f"<h1>{words.PAGES[name].title.say(language)}</h1>" in page, name
            body = re.sub(r"<(script|noscript).*?</\1>|<[^>]+>", " ", page[page.index("<main") : page.index("</main")],
                          flags=re.DOTALL)  # fmt: skip
            foreign = re.findall(r"[\u4e00-\u9fff]+", body) if language == "en" else re.findall(
                r"\b[a-z]{4,} [a-z]{3,}\b", body)  # fmt: skip
            assert not foreign, (name, foreign)


def test_every_page_of_allauth_has_words_of_ours() -> None:
    from allauth.account import urls as account
    from allauth.mfa import urls as mfa

    def names(patterns: Any) -> Iterator[str]:
        for pattern in patterns:
            if hasattr(pattern, "url_patterns"):
                yield from names(pattern.url_patterns)
            elif pattern.name:
                yield pattern.name

    without_page = {"mfa_login_webauthn", "mfa_download_recovery_codes"}
    assert {*names(account.urlpatterns), *names(mfa.urlpatterns)} - without_page <= {*words.PAGES}
