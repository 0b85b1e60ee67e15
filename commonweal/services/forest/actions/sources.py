"""Partners: admitting them, their keys, and how they know people."""

from __future__ import annotations

import base64
import binascii
import uuid

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.db import IntegrityError, connection, transaction

from commonweal.kernel import clock
from commonweal.kernel.errors import Conflict, Invalid, NotFound, Unauthenticated
from commonweal.kernel.ids import uuid7
from commonweal.kernel.parties import people
from commonweal.kernel.parties.models import Party
from commonweal.kernel.proof.log import Cursor
from commonweal.kernel.text import Text
from commonweal.services.forest.queries import sources as queries
from commonweal.services.forest.queries.sources import Source
from commonweal.services.forest.rules import sources as rules
from commonweal.services.forest.rules.evidence import Grade

KEYS = 5
"""Keys of one source at a time."""
OWN: tuple[tuple[str, Grade, Text], ...] = (
    ("track", "C", Text("a track of one's own", "自己的轨迹")),
    ("steps", "C", Text("a day's step series of one's own", "自己一天的计步数据")),
)
"""Our own doors."""


@transaction.atomic
def open_own() -> None:
    """Let our own doors be sources; doing it twice is doing it once."""
    with connection.cursor() as cursor:
        for key, grade, title in OWN:
            _insert(cursor, key, grade, title, None)


@transaction.atomic
def admit(steward: Party, organisation: Party, key: str, grade: Grade, title: Text) -> Source:
    """A steward lets an organisation report deeds. The same key again changes nothing.

    Raises `NotAllowed`, `Invalid` (`source.grade`, `source.key`) and `Conflict` (`source.taken`).
    """
    people.require_role(steward, people.STEWARD)
    if grade not in rules.PARTNER_GRADES:
        raise Invalid(
            "source.grade",
            Text("A partner's evidence is of grade A or B.", "合作方的证据为 A 级或 B 级。"),
            field="grade",
        )
    if not (key.isascii() and key.replace("-", "").isalnum() and 3 <= len(key) <= 40):
        raise Invalid(
            "source.key",
            Text("Name it with 3 to 40 letters, digits and -.", "请用 3 至 40 个字母、数字和 - 命名。"),
            field="key",
        )
    with connection.cursor() as cursor:
        _insert(cursor, key, grade, title, organisation.id)
    found = queries.source(key)
    if found.party != organisation.id:
        raise Conflict("source.taken", Text("Another source has this name.", "该名称已被使用。"), field="key")
    return found


def _insert(cursor: Cursor, key: str, grade: Grade, title: Text, party: uuid.UUID | None) -> None:
    cursor.execute("SELECT pg_advisory_xact_lock(hashtext('forest_source'))")
    cursor.execute(
        """
        INSERT INTO forest_source (id, key, grade, title_en, title_zh, party, since)
        SELECT coalesce(max(id), 0) + 1, %s, %s, %s, %s, %s, %s FROM forest_source ON CONFLICT (key) DO NOTHING
        """,
        [key, grade, title.en, title.zh, party, clock.now()],
    )


@transaction.atomic
def add_key(officer: Party, source: Source, public: str) -> uuid.UUID:
    """A partner's officer adds the public half of an Ed25519 key (base64 of 32 bytes); returns the key's id.

    Raises `NotAllowed`, `Invalid` (`key.public`) and `Conflict` (`key.known`, `key.many`).
    """
    people.require_role(officer, people.OFFICER, Party(id=source.party))
    try:
        raw = base64.b64decode(public.strip(), validate=True)
        Ed25519PublicKey.from_public_bytes(raw)
    except (binascii.Error, ValueError) as error:
        raise Invalid(
            "key.public",
            Text("Give the public key: 32 bytes in base64.", "请填写公钥：32 字节的 base64。"),
            field="public",
        ) from error
    id = uuid7()
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM forest_source WHERE id = %s FOR UPDATE", [source.id])
        cursor.execute("SELECT count(*) FROM forest_source_key WHERE source = %s AND revoked_at IS NULL", [source.id])
        if cursor.fetchone()[0] >= KEYS:
            raise Conflict("key.many", Text("End another key first.", "请先停用一把旧密钥。"))
        try:
            with transaction.atomic():
                cursor.execute(
                    "INSERT INTO forest_source_key VALUES (%s, %s, %s, %s)", [id, source.id, raw, clock.now()]
                )
        except IntegrityError as error:
            raise Conflict("key.known", Text("This key is or was in use.", "该密钥已在用或曾经用过。")) from error
    return id


@transaction.atomic
def revoke_key(officer: Party, source: Source, key: uuid.UUID) -> None:
    """End a key, at once. Raises `NotAllowed` and `NotFound` (`key.unknown`)."""
    people.require_role(officer, people.OFFICER, Party(id=source.party))
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE forest_source_key SET revoked_at = coalesce(revoked_at, %s) "
            "WHERE id = %s AND source = %s RETURNING id",
            [clock.now(), key, source.id],
        )
        if cursor.fetchone() is None:
            raise NotFound("key.unknown", Text("There is no such key.", "没有这把密钥。"))


def check_signature(key: str, at: str, signature: str, body: bytes) -> Source:
    """The source that has signed these bytes now. Raises `Unauthenticated` (`signature.time`, `signature.wrong`)."""
    rules.check_fresh(at, clock.now())
    wrong = Unauthenticated("signature.wrong", Text("The signature does not fit.", "签名不符。"))
    try:
        found = queries.signer(uuid.UUID(key))
        if found is None:
            raise wrong
        source, public = found
        signed = rules.signed_bytes(at, body)
        Ed25519PublicKey.from_public_bytes(public).verify(base64.b64decode(signature, validate=True), signed)
    except (InvalidSignature, ValueError) as error:  # binascii's error is a ValueError
        raise wrong from error
    return source


@transaction.atomic
def connect(person: Party, source: Source) -> uuid.UUID:
    """The name under which a partner may report for somebody: given once, the same until it is taken back."""
    if source.party is None:
        raise queries.unknown()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO forest_link VALUES (%s, %s, %s, %s) ON CONFLICT (source, owner) DO NOTHING",
            [source.id, person.id, uuid.uuid4(), clock.now()],
        )
        cursor.execute("SELECT subject FROM forest_link WHERE source = %s AND owner = %s", [source.id, person.id])
        return uuid.UUID(str(cursor.fetchone()[0]))


@transaction.atomic
def disconnect(person: Party, source: Source) -> None:
    """A partner no longer knows somebody."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM forest_link WHERE source = %s AND owner = %s", [source.id, person.id])
