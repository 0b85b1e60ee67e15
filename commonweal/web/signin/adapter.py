"""How allauth works here: whose party a sign-up keeps, how codes are sent, how secrets are kept."""

from __future__ import annotations

import base64
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.functional import lazy

from commonweal.kernel.parties import cipher, session
from commonweal.kernel.parties.models import Login
from commonweal.kernel.text import Text
from commonweal.web import languages
from commonweal.web.languages import said
from commonweal.web.signin import letters, words

LONGEST_ADDRESS = 254
_BOUND = b"authenticator"


_said_later = lazy(said, str)
_ERRORS = {code: _said_later(text) for code, text in words.ERRORS.items()}


class Adapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Sign-up by e-mail; the guest of the session becomes the person."""

    error_messages = DefaultAccountAdapter.error_messages | _ERRORS

    def save_user(self, request: HttpRequest, user: Login, form: Any, commit: bool = True) -> Login:
        """Give the new login its party and its language."""
        adopt_guest(request, user)
        saved: Login = super().save_user(request, user, form, commit)
        return saved

    def clean_email(self, email: str) -> str:
        """Refuse an address that is longer than any that works (RFC 5321, 4.5.3.1.3): it would be cut off."""
        if len(email) > LONGEST_ADDRESS:
            raise ValidationError("too long", code="invalid")
        return email

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Write one of our letters, in both languages: who it goes to may have no language set."""
        found = words.LETTERS[template_prefix.rpartition("/")[2]]
        body = found.body.format(code=context.get("code", ""))
        letters.send("mail", email, said(found.subject), both(body))

    def add_message(
        self,
        request: HttpRequest,
        level: int,
        message_template: str | None = None,
        message_context: dict[str, Any] | None = None,
        extra_tags: str = "",
        message: str | None = None,
    ) -> None:
        """Say what was done, in our words; allauth's other remarks are left out."""
        name = (message_template or "").rpartition("/")[2].removesuffix(".txt")
        known = words.MESSAGES.get(name)
        if text := message or (said(known) if known else None):
            messages.add_message(request, level, text, extra_tags=extra_tags)


class MfaAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """The secrets of authenticator apps and recovery codes are kept under the platform's key."""

    error_messages = DefaultMFAAdapter.error_messages | _ERRORS

    def encrypt(self, text: str) -> str:
        """Seal a secret for the database."""
        sealed = cipher.encrypt(cipher.platform_key(settings.HOME), text.encode(), _BOUND)
        return base64.b64encode(sealed).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Open a secret from the database."""
        plain = cipher.decrypt(cipher.platform_key(settings.HOME), base64.b64decode(encrypted_text), _BOUND)
        return plain.decode()


def adopt_guest(request: HttpRequest, login: Login) -> None:
    """Let a new login be the guest of this session, if there is one, in the language of the page."""
    guest = session.take_guest(request)
    if guest is not None:
        login.party = guest
    login.language = languages.current()


def both(text: Text) -> str:
    """A text in the language of the page, then in the other."""
    first = languages.current()
    second = "en" if first == "zh" else "zh"
    return f"{text.say(first)}\n\n———\n\n{text.say(second)}\n"


def display(login: Login) -> str:
    """What a login is called on its own pages: its address, or the end of its number."""
    return login.email or (f"…{login.phone[-4:]}" if login.phone else "WeChat")
