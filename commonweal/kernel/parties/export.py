"""Giving people what is known of them (GDPR art. 15 and 20, PIPL art. 45): one JSON document, made from every app."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from commonweal.kernel.parties import people
from commonweal.kernel.parties.models import Consent, Credential, Grant, Guardianship, Login, Party

Exporter = Callable[[uuid.UUID], Any]
_exporters: dict[str, Exporter] = {}


def exporter(name: str) -> Callable[[Exporter], Exporter]:
    """Register what an app knows of a party under its name in the document; JSON values only."""

    def register(export: Exporter) -> Exporter:
        if name in _exporters:
            raise ValueError(f"there is an export {name} already")
        _exporters[name] = export
        return export

    return register


def known_of(party: Party) -> dict[str, Any]:
    """All that is known of a party, for that party itself. Raises `Forgotten`."""
    login = Login.objects.filter(party=party).first()
    return {
        "party": str(party.id),
        "since": party.created_at.isoformat(),
        "personal": people.own_personal(party),
        "login": login and {"email": login.email, "phone": login.phone, "language": login.language},
        "roles": [
            {"role": grant.role, "within": grant.within_id and str(grant.within_id), "since": _iso(grant.granted_at)}
            for grant in Grant.objects.filter(party=party, revoked_at=None).order_by("granted_at")
        ],
        "credentials": [
            {"kind": each.kind, "number": each.number, "issuer": each.issuer, "until": _iso(each.valid_until)}
            for each in Credential.objects.filter(holder=party).order_by("filed_at")
        ],
        "wards": [
            str(each.ward_id) for each in Guardianship.objects.filter(guardian=party, ended_at=None).order_by("since")
        ],
        "consents": [
            {"purpose": each.purpose, "version": each.version, "given": _iso(each.given_at),
             "withdrawn": _iso(each.withdrawn_at)}
            for each in Consent.objects.filter(party=party).order_by("given_at")
        ],
        **{name: export(party.id) for name, export in sorted(_exporters.items())},
    }  # fmt: skip


def _iso(moment: Any) -> str | None:
    return moment.isoformat() if moment else None
