"""People and organisations: registering them, what is known of them, what they may do."""

from __future__ import annotations

import hashlib
import re
import secrets
import unicodedata
import uuid
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import Count, F, Q, QuerySet

from commonweal.kernel import clock
from commonweal.kernel.arrays import octets
from commonweal.kernel.errors import Conflict, Invalid, NotAllowed, Unauthenticated
from commonweal.kernel.parties import cipher
from commonweal.kernel.parties.models import (
    ApiToken,
    Attestation,
    Consent,
    Credential,
    Grant,
    Guardianship,
    Login,
    Party,
    PartyKey,
)
from commonweal.kernel.proof import Fact, append
from commonweal.kernel.sql import prepared
from commonweal.kernel.text import Text

STEWARD = "steward"
"""Watches over the platform: checks credentials, approves payments, answers complaints."""
OFFICER = "officer"
"""Acts for an organisation."""

ATTESTATIONS = 2
"""How many different stewards make a credential count."""

_UNWANTED = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def check_name(name: str, *, field: str = "name", longest: int = 200) -> str:
    """A name in NFC without outer blanks. Control, bidirectional, unassigned characters and line ends are refused.

    Raises `Invalid` with code `name.empty`, `name.too-long` or `name.characters`.
    """
    name = unicodedata.normalize("NFC", name).strip()
    if not name:
        raise Invalid("name.empty", Text("Enter a name.", "请填写名称。"), field=field)
    if len(name) > longest:
        raise Invalid(
            "name.too-long",
            Text("Use at most {longest} characters.", "最多 {longest} 个字符。").format(longest=longest),
            field=field,
        )
    if any(unicodedata.category(character) in _UNWANTED for character in name):
        raise Invalid(
            "name.characters",
            Text("Use letters, digits and punctuation only.", "只能使用文字、数字和标点。"),
            field=field,
        )
    return name


def check_registration(code: str) -> str:
    """A registration code as registers write it: 4 to 64 letters, digits, `-`, `/` or `.`, in capitals.

    Countries differ (China's unified social credit code has 18 places, IATI writes `GB-CHC-1234`), so that no more is
    asked here; whether it is right is what the stewards attest. Raises `Invalid` with code `registration.form`.
    """
    code = unicodedata.normalize("NFKC", code).strip().upper()
    if not re.fullmatch(r"[0-9A-Z][0-9A-Z./-]{3,63}", code):
        raise Invalid(
            "registration.form",
            Text("Write the registration code in letters and digits.", "登记代码只含字母和数字，请核对后填写。"),
            field="registration",
        )
    return code


@transaction.atomic
def register_person(**personal: str) -> Party:
    """A new person, with whatever is already known of them (`name`, `phone`...), sealed."""
    party = Party(kind=Party.Kind.PERSON)
    party.save(force_insert=True)
    cipher.make_key(party.id).save(force_insert=True)
    if personal:
        write_personal(party, personal)
    return party


def register_organisation(name: Text, registration: str | None = None) -> Party:
    """A new organisation under its public name. Raises `Conflict` if its registration code is known already."""
    return register_organisations([(name, registration)])[0]


@transaction.atomic
def register_organisations(wanted: Sequence[tuple[Text, str | None]]) -> list[Party]:
    """Many of them at once, all or none, in the order given."""
    parties = [
        Party(
            kind=Party.Kind.ORGANISATION,
            name_en=check_name(name.en, field="name_en"),
            name_zh=check_name(name.zh, field="name_zh"),
            registration=None if registration is None else check_registration(registration),
        )
        for name, registration in wanted
    ]
    try:
        with transaction.atomic():
            Party.objects.bulk_create(parties)
    except IntegrityError as error:
        raise Conflict(
            "organisation.registered",
            Text("This registration code is already in use here.", "该登记代码已在本平台使用。"),
            field="registration",
        ) from error
    PartyKey.objects.bulk_create(cipher.make_key(party.id) for party in parties)
    return parties


def write_personal(party: Party, personal: dict[str, str]) -> None:
    """Replace what is known of a party."""
    party.sealed = cipher.seal_for(party.id, personal)
    party.save(update_fields=["sealed"])


def own_personal(party: Party) -> dict[str, str]:
    """What is known of a party, for that party itself. Raises `Forgotten`."""
    return dict(cipher.open_for(party.id, bytes(party.sealed))) if party.sealed else {}


@transaction.atomic
def read_personal(reader: Party, subject: Party, purpose: str) -> dict[str, str]:
    """What is known of `subject`, for a steward: the reading itself becomes a fact in the public log.

    `purpose` is a documented word (`payment`, `complaint`...), never free text. Raises `NotAllowed`.
    """
    log_reading(reader, subject, purpose)
    return own_personal(subject)


@transaction.atomic
def log_reading(reader: Party, subject: Party, purpose: str) -> uuid.UUID:
    """Make a steward's look at what concerns `subject` a fact in the public log; done before anything is shown.

    Returns the fact.
    Raises `NotAllowed`, and `Invalid` with code `purpose.form`.
    """
    require_role(reader, STEWARD)
    if not re.fullmatch(r"[a-z][a-z.-]{2,40}", purpose):
        raise Invalid("purpose.form", Text("State the purpose.", "请说明用途。"), field="purpose")
    with connection.cursor() as cursor:
        fields = {"reader": str(reader.id), "subject": str(subject.id), "purpose": purpose}
        fact = Fact("parties.read", clock.now(), fields)
        append(cursor, fact)
    return fact.id


def mail_address(party: Party) -> str | None:
    """Where mail for a party goes: its address, once it has been shown to be theirs."""
    return _verified([party.id]).values_list("email", flat=True).first()


def with_mail(parties: Iterable[uuid.UUID]) -> set[uuid.UUID]:
    """Those of these parties that have a `mail_address`."""
    return set(_verified(parties).values_list("party_id", flat=True))


def _verified(parties: Iterable[uuid.UUID]) -> QuerySet[Login]:
    return Login.objects.filter(party__in=list(parties), emailaddress__verified=True, emailaddress__email=F("email"))


def roles(party: Party, within: Party | None = None) -> frozenset[str]:
    """The roles that a party holds on the platform, or within an organisation."""
    grants = Grant.objects.filter(party=party, within=within, revoked_at=None)
    return frozenset(grants.values_list("role", flat=True))


def organisations_of(party: Party) -> QuerySet[Party]:
    """The organisations that a party acts for."""
    return Party.objects.filter(members__party=party, members__role=OFFICER, members__revoked_at=None).order_by(
        "name_en"
    )


def officers_of(organisations: Iterable[uuid.UUID]) -> dict[uuid.UUID, list[uuid.UUID]]:
    """Who acts for each of some organisations, in the order of their naming; those without any are left out."""
    found: dict[uuid.UUID, list[uuid.UUID]] = {}
    grants = Grant.objects.filter(within__in=list(organisations), role=OFFICER, revoked_at=None).order_by("granted_at")
    for organisation, officer in grants.values_list("within_id", "party_id"):
        found.setdefault(organisation, []).append(officer)
    return found


def stewards() -> list[uuid.UUID]:
    """Who watches over the platform now."""
    held = Grant.objects.filter(role=STEWARD, within=None, revoked_at=None)
    return list(held.order_by("party_id").values_list("party_id", flat=True).distinct())


def require_role(party: Party, role: str, within: Party | None = None) -> None:
    """Raises `NotAllowed` unless the party holds the role."""
    if role not in roles(party, within):
        raise NotAllowed("role.missing", Text("You need another role for this.", "您没有进行此操作的权限。"))


def grant_role(party: Party, role: str, within: Party | None = None) -> None:
    """Give a role; giving it twice is giving it once."""
    Grant.objects.get_or_create(party=party, role=role, within=within, revoked_at=None)


def revoke_role(party: Party, role: str, within: Party | None = None) -> None:
    """Take a role away."""
    Grant.objects.filter(party=party, role=role, within=within, revoked_at=None).update(revoked_at=clock.now())


@transaction.atomic
def file_credential(holder: Party, by: Party, credential: Credential) -> Credential:
    """File a credential with its evidence, to be attested. `by` is the holder or an officer of it.

    Raises `NotAllowed`, and `Invalid` with code `credential.period` if it ends before it begins.
    """
    if by != holder:
        require_role(by, OFFICER, within=holder)
    credential.holder = holder
    credential.number = check_name(credential.number, field="number", longest=100)
    credential.issuer = check_name(credential.issuer, field="issuer")
    if credential.valid_until is not None and credential.valid_until < credential.valid_from:
        raise Invalid(
            "credential.period",
            Text("It cannot end before it begins.", "截止日期不能早于起始日期。"),
            field="valid_until",
        )
    credential.save(force_insert=True)
    return credential


@transaction.atomic
def attest(credential: Credential, steward: Party) -> bool:
    """A steward's word for a credential; returns whether it counts now. The second one makes it a public fact.

    Raises `NotAllowed` for whoever is or acts for its holder, and `Conflict` if it has been revoked.
    """
    require_role(steward, STEWARD)
    locked = Credential.objects.select_for_update().get(pk=credential.pk)
    if steward.id == locked.holder_id or OFFICER in roles(steward, within=locked.holder):
        raise NotAllowed(
            "credential.own", Text("Somebody else has to attest this.", "不能核验自己或自己所代表机构的资质。")
        )
    if locked.revoked_at is not None:
        raise Conflict("credential.revoked", Text("This credential has been revoked.", "该资质已被撤销。"))
    _, new = Attestation.objects.get_or_create(credential=locked, steward=steward)
    count = locked.attestations.count()
    if new and count == ATTESTATIONS:
        with connection.cursor() as cursor:
            append(cursor, Fact("parties.credential", clock.now(), _credential_fields(locked, "verified")))
    return count >= ATTESTATIONS


@transaction.atomic
def revoke(credential: Credential, steward: Party, reason: str) -> None:
    """End a credential, at once and in public (the reason stays inside). Raises `Conflict` for the second time."""
    require_role(steward, STEWARD)
    locked = Credential.objects.select_for_update().get(pk=credential.pk)
    if locked.revoked_at is not None:
        raise Conflict("credential.revoked", Text("This credential has been revoked.", "该资质已被撤销。"))
    locked.revoked_at = clock.now()
    locked.revoked_for = check_name(reason, field="reason", longest=400)
    locked.save(update_fields=["revoked_at", "revoked_for"])
    with connection.cursor() as cursor:
        append(cursor, Fact("parties.credential", locked.revoked_at, _credential_fields(locked, "revoked")))


def _credential_fields(credential: Credential, state: str) -> dict[str, Any]:
    return {
        "credential": str(credential.id),
        "holder": str(credential.holder_id),
        "what": credential.kind,
        "state": state,
        "until": credential.valid_until.isoformat() if credential.valid_until else "",
    }


def valid_credentials(holder: Party, on: date, kind: str | None = None) -> QuerySet[Credential]:
    """The credentials of a party that count on a (local) day."""
    found = Credential.objects.filter(
        Q(valid_until=None) | Q(valid_until__gte=on), holder=holder, valid_from__lte=on, revoked_at=None
    )
    found = found.filter(kind=kind) if kind else found
    return found.annotate(words=Count("attestations")).filter(words__gte=ATTESTATIONS)


def credentials_to_attest() -> QuerySet[Credential]:
    """The credentials that wait for a steward's word, oldest first."""
    found = Credential.objects.filter(revoked_at=None).annotate(words=Count("attestations"))
    return found.filter(words__lt=ATTESTATIONS).order_by("filed_at")


def is_guardian(guardian: Party, ward: Party) -> bool:
    """Whether one decides for the other now."""
    return Guardianship.objects.filter(guardian=guardian, ward=ward, ended_at=None).exists()


def consented(party: Party, purpose: str, version: str) -> bool:
    """Whether the party agrees, now, to this wording of a purpose."""
    return Consent.objects.filter(party=party, purpose=purpose, version=version, withdrawn_at=None).exists()


def give_consent(party: Party, purpose: str, version: str, *, by: Party | None = None) -> None:
    """Agree to a purpose, for oneself or as the guardian. Raises `NotAllowed` for anybody else."""
    giver = by or party
    if giver != party and not is_guardian(giver, party):
        raise NotAllowed(
            "consent.not-yours", Text("Only a guardian can agree for another.", "只有监护人可以代为同意。")
        )
    if not consented(party, purpose, version):
        Consent.objects.create(party=party, by=giver, purpose=purpose, version=version)


def withdraw_consent(party: Party, purpose: str) -> None:
    """Take back every agreement to a purpose."""
    Consent.objects.filter(party=party, purpose=purpose, withdrawn_at=None).update(withdrawn_at=clock.now())


def make_token(party: Party, title: str, *, lasts: timedelta = timedelta(days=365)) -> str:
    """A new token for programs, shown this once: `cw_` and 43 characters."""
    secret = f"cw_{secrets.token_urlsafe(32)}"
    digest = hashlib.sha256(secret.encode()).digest()
    title = check_name(title, field="title", longest=100)
    ApiToken.objects.create(party=party, title=title, digest=digest, expires_at=clock.now() + lasts)
    return secret


HOLDER = """
SELECT p.* FROM parties_apitoken t JOIN parties_party p ON p.id = t.party_id
WHERE t.digest = %s AND t.revoked_at IS NULL AND t.expires_at > %s AND p.erased_at IS NULL
"""

HOLDERS = """
SELECT t.digest, t.party_id FROM parties_apitoken t JOIN parties_party p ON p.id = t.party_id
WHERE t.digest = ANY(%s::bytea[]) AND t.revoked_at IS NULL AND t.expires_at > %s AND p.erased_at IS NULL
"""


def party_of_token(secret: str, at: datetime) -> Party:
    """The party for which a token acts. Raises `Unauthenticated`."""
    digest = hashlib.sha256(secret.encode()).digest()
    # In SQL: every request of a program begins here, and composing this query anew took a third of its time.
    for found in Party.objects.raw(HOLDER, [digest, at]):
        return found
    raise Unauthenticated(
        "token.unknown", Text("This token is unknown, revoked or over.", "令牌无效、已撤销或已过期。")
    )


def parties_of_tokens(digests: Iterable[bytes], at: datetime) -> dict[bytes, uuid.UUID]:
    """The parties for which tokens act, by the SHA-256 of each token. Those that do not hold are left out."""
    with prepared() as cursor:
        cursor.execute(HOLDERS, [octets(digests), at])
        return dict(cursor.fetchall())


def named(id: uuid.UUID) -> Party | None:
    """The party with this id, if there is one."""
    return Party.objects.filter(pk=id).first()
