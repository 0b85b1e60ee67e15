"""Django's sessions in the database, each with the login that it belongs to (the setting SESSION_ENGINE)."""

from __future__ import annotations

from typing import Any

from allauth.account.utils import url_str_to_user_pk
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore

from commonweal.kernel.parties.models import Session


class SessionStore(DatabaseStore):
    """Sessions whose rows name their login; also while a sign-in is still under way."""

    @classmethod
    def get_model_class(cls) -> type[Session]:
        """The table."""
        return Session

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        """The row for a session's content."""
        session: Session = super().create_model_instance(data)  # type: ignore[assignment]
        under_way = (data.get("account_login") or {}).get("user_pk")
        session.login = data.get(SESSION_KEY) or (url_str_to_user_pk(under_way) if under_way else None)
        return session
