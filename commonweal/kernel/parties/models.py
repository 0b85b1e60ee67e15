"""Tables of the parties. What is personal is encrypted under a key of its party; erasing a party destroys that key."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.db.models import F, Q

from commonweal.kernel import clock
from commonweal.kernel.ids import uuid7
from commonweal.kernel.text import Text


class Party(models.Model):
    """Somebody who can promise: a person or an organisation. The id is a pseudonym: it may stand in the public log.

    Organisations have a public name and registration code. Everything about a person is in `sealed`.
    """

    class Kind(models.TextChoices):
        PERSON = "person"
        ORGANISATION = "organisation"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(max_length=12, choices=Kind.choices)
    name_en = models.CharField(max_length=200, blank=True)
    name_zh = models.CharField(max_length=200, blank=True)
    registration = models.CharField(max_length=64, null=True, unique=True)
    sealed = models.BinaryField(null=True)
    created_at = models.DateTimeField(default=clock.now)
    erased_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="parties_person_is_sealed",
                condition=~Q(kind="person") | Q(name_en="", name_zh="", registration__isnull=True),
            ),
            models.CheckConstraint(
                name="parties_organisation_has_names",
                condition=~Q(kind="organisation") | (~Q(name_en="") & ~Q(name_zh="")),
            ),
        ]

    @property
    def name(self) -> Text:
        """The public name. Of an organisation only; people are named by themselves alone."""
        return Text(self.name_en, self.name_zh)


class PartyKey(models.Model):
    """The key of one party, itself encrypted under the key in the data directory. Its deletion is the erasure."""

    party = models.OneToOneField(Party, models.PROTECT, primary_key=True, related_name="key")
    wrapped = models.BinaryField()


class LoginManager(BaseUserManager["Login"]):
    """Makes logins; needed by allauth."""

    def create_user(self, email: str, password: str | None = None) -> Login:
        """A person with a login."""
        login = self.model(email=self.normalize_email(email))
        login.set_password(password)
        login.save()
        return login


class Login(AbstractBaseUser):
    """How a person signs in. Deleted, with its address and keys, when the person is forgotten."""

    party = models.OneToOneField(Party, models.PROTECT, related_name="login")
    email = models.EmailField(unique=True, null=True)
    phone = models.CharField(max_length=20, unique=True, null=True)
    phone_verified = models.BooleanField(default=False)
    wechat = models.CharField(max_length=64, unique=True, null=True, help_text="keyed hash of the identifier")
    language = models.CharField(max_length=2, choices=[("zh", "中文"), ("en", "English")], default="zh")
    is_active = models.BooleanField(default=True)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    objects: ClassVar[LoginManager] = LoginManager()

    def save(self, *args: object, **kwargs: object) -> None:
        """A login of its own belongs to a new person."""
        if not hasattr(self, "party"):
            from commonweal.kernel.parties.people import register_person

            self.party = register_person()
        super().save(*args, **kwargs)  # type: ignore[arg-type]


class Session(AbstractBaseSession):
    """A browser that came back. It knows whose it is, so that it goes when its person is forgotten."""

    login = models.BigIntegerField(null=True, db_index=True)

    @classmethod
    def get_session_store_class(cls) -> type[SessionBase]:
        """The engine that keeps its rows here."""
        from commonweal.kernel.parties.session_store import SessionStore

        return SessionStore


class Grant(models.Model):
    """A role that a party holds: on the platform, or within an organisation."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    party = models.ForeignKey(Party, models.PROTECT, related_name="grants")
    role = models.CharField(max_length=40)
    within = models.ForeignKey(Party, models.PROTECT, null=True, related_name="members")
    granted_at = models.DateTimeField(default=clock.now)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="parties_role_once",
                fields=["party", "role", "within"],
                condition=Q(revoked_at__isnull=True),
                nulls_distinct=False,
            )
        ]


class Credential(models.Model):
    """A statement about a party by an issuer, with evidence: a registration, a qualification, a teaching licence.

    It counts once two different stewards have attested it, from `valid_from` until `valid_until`, unless revoked.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    holder = models.ForeignKey(Party, models.PROTECT, related_name="credentials")
    kind = models.CharField(max_length=60)
    number = models.CharField(max_length=100)
    issuer = models.CharField(max_length=200)
    evidence = models.CharField(max_length=64, help_text="digest of the file")
    valid_from = models.DateField()
    valid_until = models.DateField(null=True)
    filed_at = models.DateTimeField(default=clock.now)
    revoked_at = models.DateTimeField(null=True)
    revoked_for = models.CharField(max_length=400, blank=True)

    class Meta:
        indexes = [models.Index(fields=["holder", "kind"])]
        constraints = [
            models.CheckConstraint(
                name="parties_credential_period",
                condition=Q(valid_until__isnull=True) | Q(valid_until__gte=F("valid_from")),
            ),
            # The permission to raise funds in public is `public-fundraising`; two names for it counted as two things.
            models.CheckConstraint(name="parties_credential_kind", condition=~Q(kind="fundraising")),
        ]


class Attestation(models.Model):
    """A steward's word that a credential is what its evidence says."""

    credential = models.ForeignKey(Credential, models.PROTECT, related_name="attestations")
    steward = models.ForeignKey(Party, models.PROTECT)
    at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(name="parties_attests_once", fields=["credential", "steward"])]


class Guardianship(models.Model):
    """A grown-up who decides for a ward, on the strength of some evidence."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    guardian = models.ForeignKey(Party, models.PROTECT, related_name="wards")
    ward = models.ForeignKey(Party, models.PROTECT, related_name="guardians")
    evidence = models.CharField(max_length=64, help_text="digest of the file")
    since = models.DateTimeField(default=clock.now)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(name="parties_guards_another", condition=~Q(guardian=F("ward"))),
            models.UniqueConstraint(
                name="parties_guards_once", fields=["guardian", "ward"], condition=Q(ended_at__isnull=True)
            ),
        ]


class Consent(models.Model):
    """That a party (or its guardian) has agreed to one purpose, in one version of its wording."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    party = models.ForeignKey(Party, models.PROTECT, related_name="consents")
    by = models.ForeignKey(Party, models.PROTECT, related_name="+")
    purpose = models.CharField(max_length=60)
    version = models.CharField(max_length=20)
    given_at = models.DateTimeField(default=clock.now)
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["party", "purpose"])]


class ApiToken(models.Model):
    """A secret with which a program acts for a party. Only its SHA-256 is kept."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    party = models.ForeignKey(Party, models.PROTECT, related_name="tokens")
    title = models.CharField(max_length=100)
    digest = models.BinaryField(max_length=32, unique=True)
    created_at = models.DateTimeField(default=clock.now)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
