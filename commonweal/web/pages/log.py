"""The public log: its page for people, its files for other programs (C2SP tlog-tiles), its API."""

from __future__ import annotations

import json
import re
import uuid
from typing import Any

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path, re_path
from django.views.decorators.http import require_safe
from ninja import Router, Schema

from commonweal.kernel import proof
from commonweal.kernel.errors import Invalid, NotFound
from commonweal.kernel.ledger.totals import Total
from commonweal.kernel.parties.models import Party
from commonweal.kernel.parties.openings import open_fact
from commonweal.kernel.parties.session import visitor
from commonweal.kernel.proof import tree
from commonweal.kernel.proof.note import encode
from commonweal.kernel.registry import Link, assets
from commonweal.kernel.text import Text
from commonweal.web import facts

links = (Link("transparency", Text("The public log", "公开日志"), order=20),)

FOREVER = "public, max-age=31536000, immutable"
_HEX = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@require_safe
def transparency(request: HttpRequest) -> HttpResponse:
    """What is in the log, what the books amount to, and how to check both."""
    with connection.cursor() as cursor:
        stated = facts.stated_totals(cursor)
        checkpoints = facts.latest_checkpoints(cursor)
        waiting = facts.waiting(cursor)
    context = {
        "checkpoints": checkpoints,
        "waiting": waiting,
        "stated": stated,
        "sums": _sums(stated.fields["totals"]) if stated else [],
        "kinds": facts.kinds(),
    }
    return render(request, "log/transparency.html", context)


def _sums(stated: dict[str, dict[str, str]]) -> list[dict[str, Any]]:
    """The stated sums as tables: an asset and its rows."""
    found = []
    for code, amounts in stated.items():
        asset = assets().get(code)
        rows = [
            {"kind": kind, "title": facts.title_of(Total(code, kind, 0, 0)) or kind, "amount": amount}
            for kind, amount in amounts.items()
        ]
        found.append({"code": code, "title": asset.title if asset else code, "rows": rows})
    return found


@require_safe
def check(request: HttpRequest) -> HttpResponse:
    """How a stranger checks a receipt and the whole log."""
    return render(request, "log/check.html", {"key": str(facts.verifier())})


@require_safe
def fact(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """What a leaf says, and where it stands."""
    asker = visitor(request)
    with connection.cursor() as cursor:
        shown = facts.find(cursor, id)
        head = proof.head(cursor)
        path_to_root = proof.inclusion(cursor, shown.index, head.size) if shown.index is not None and head else []
    opening = open_fact(shown.fields, asker)
    kind = next((kind for kind in facts.kinds() if kind.name == shown.kind), None)
    context = {
        "fact": shown,
        "title": kind.title if kind else Text(shown.kind, shown.kind),
        "fields": _fields(shown),
        "hash": encode(shown.leaf),
        "head": head,
        "proof": [encode(node) for node in path_to_root],
        "opening": opening[1] if opening else None,
    }
    response = render(request, "log/fact.html", context)
    if shown.index is None:
        response.headers["Refresh"] = "2"  # it has its place by then; no script is needed
    return response


def _fields(shown: facts.Shown) -> list[tuple[str, object, Text | None]]:
    """The public fields in their order, with the name of an organisation where one is meant."""
    hidden = ("kind", "at", "id", "seal")
    fields = {name: value for name, value in shown.fields.items() if name not in hidden}
    ids = [value for value in fields.values() if isinstance(value, str) and _HEX.fullmatch(value)]
    named = {str(party.id): party.name for party in Party.objects.filter(pk__in=ids, kind=Party.Kind.ORGANISATION)}
    return [
        (name, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False), named.get(str(value)))
        for name, value in fields.items()
    ]


@require_safe
def receipt(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """The receipt as a file (C2SP tlog-proof)."""
    with connection.cursor() as cursor:
        made = facts.receipt(cursor, facts.find(cursor, id), visitor(request))
    return HttpResponse(
        str(made),
        content_type="text/plain; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="commonweal-{id}.tlog-proof"',
            "Cache-Control": "private, no-store",
        },
    )


@require_safe
def checkpoint(request: HttpRequest) -> HttpResponse:
    """The newest checkpoint, a signed note."""
    with connection.cursor() as cursor:
        note = facts.newest(cursor).note
    return _text(note, "no-cache")


@require_safe
def key(request: HttpRequest) -> HttpResponse:
    """The log's public key (signed-note's vkey)."""
    return _text(f"{facts.verifier()}\n", "public, max-age=3600")


@require_safe
def tile(request: HttpRequest, level: str, n: str, width: str | None = None) -> HttpResponse:
    """One tile of hashes, or with level `entries` a bundle of entries."""
    number = int(n.replace("x", "").replace("/", ""))
    wanted = int(width) if width else tree.TILE_WIDTH
    canonical = tree.entries_path if level == "entries" else lambda n, w: tree.tile_path(int(level), n, w)
    if number >= 2**53 or canonical(number, wanted) != request.path_info[1:]:
        raise _no_tile()
    with connection.cursor() as cursor:
        data = _entries(cursor, number, wanted) if level == "entries" else _hashes(cursor, int(level), number, wanted)
    if data is None:
        raise _no_tile()
    return HttpResponse(data, content_type="application/octet-stream", headers={"Cache-Control": FOREVER})


def _hashes(cursor: Any, level: int, n: int, width: int) -> bytes | None:
    size = width * tree.HASH_SIZE
    cursor.execute(
        "SELECT substring(hashes FOR %s) FROM proof_tile WHERE level = %s AND n = %s AND octet_length(hashes) >= %s",
        [size, level, n, size],
    )
    row = cursor.fetchone()
    return bytes(row[0]) if row else None


def _entries(cursor: Any, n: int, width: int) -> bytes | None:
    first = n * tree.TILE_WIDTH
    cursor.execute("SELECT entry FROM proof_leaf WHERE seq >= %s AND seq < %s ORDER BY seq", [first, first + width])
    entries = [bytes(row[0]) for row in cursor.fetchall()]
    return tree.bundle(entries) if len(entries) == width else None


def _no_tile() -> NotFound:
    return NotFound("tile.unknown", Text("There is no such tile.", "没有这个数据块。"))


@require_safe
def consistency(request: HttpRequest) -> HttpResponse:
    """The proof that the log of `from` leaves is a beginning of that of `to`: one hash in base64 a line."""
    proved = _consistency(_size(request, "from"), _size(request, "to"))
    return _text("".join(f"{node}\n" for node in proved), FOREVER)


def _size(request: HttpRequest, name: str) -> int:
    given = request.GET.get(name, "")
    if not re.fullmatch(r"[1-9][0-9]{0,15}", given):
        raise Invalid("log.size", Text("Give two sizes of the log.", "请给出日志的两个长度。"), field=name)
    return int(given)


def _consistency(old: int, new: int) -> list[str]:
    with connection.cursor() as cursor:
        head = proof.head(cursor)
        if not 0 < old <= new <= (head.size if head else 0):
            raise Invalid(
                "log.size",
                Text("The log has not been that long.", "日志没有达到这个长度。"),
                field="from" if old > new else "to",
            )
        return [encode(node) for node in proof.consistency(cursor, old, new)]


def _text(content: str, caching: str) -> HttpResponse:
    return HttpResponse(content, content_type="text/plain; charset=utf-8", headers={"Cache-Control": caching})


urlpatterns = [
    path("transparency/", transparency, name="transparency"),
    path("transparency/check/", check, name="check"),
    path("fact/<uuid:id>/", fact, name="fact"),
    path("fact/<uuid:id>/receipt", receipt, name="receipt"),
]
without_language = [
    path("checkpoint", checkpoint, name="checkpoint"),
    path("log.vkey", key, name="log_key"),
    path("consistency", consistency, name="consistency"),
    re_path(
        r"^tile/(?P<level>entries|0|[1-9][0-9]?)/(?P<n>(?:x[0-9]{3}/){0,5}[0-9]{3})(?:\.p/(?P<width>[1-9][0-9]{0,2}))?$",
        tile,
        name="tile",
    ),
]

router = Router(tags=["Log"])


class CheckpointOut(Schema):
    """A signed statement of what the log holds. `root` is base64, `note` the signed note that others verify."""

    origin: str
    size: int
    root: str
    note: str
    key: str


class FactOut(Schema):
    """A leaf of the log. `index` is null while it waits for its place; `entry` is the text that is hashed."""

    id: uuid.UUID
    kind: str
    index: int | None
    leaf_hash: str
    entry: str


class ProofOut(Schema):
    """The path from a leaf to a signed root (base64, leaf side first), and all of it as one C2SP tlog-proof file."""

    index: int
    size: int
    hashes: list[str]
    checkpoint: str
    receipt: str


class ConsistencyOut(Schema):
    """The hashes (base64) which show that the older log is the beginning of the newer one (RFC 9162, 2.1.4)."""

    hashes: list[str]


@router.get("/checkpoint", response=CheckpointOut, auth=None, summary="The newest checkpoint")
def api_checkpoint(request: HttpRequest) -> CheckpointOut:
    """What the log holds now, signed. 503 while the log is empty."""
    key = facts.verifier()
    with connection.cursor() as cursor:
        head = facts.newest(cursor)
    return CheckpointOut(origin=key.name, size=head.size, root=encode(head.root), note=head.note, key=str(key))


@router.get("/facts/{id}", response=FactOut, auth=None, summary="A fact")
def api_fact(request: HttpRequest, id: uuid.UUID) -> FactOut:
    """One leaf: what happened, without anything personal."""
    with connection.cursor() as cursor:
        shown = facts.find(cursor, id)
    return FactOut(id=id, kind=shown.kind, index=shown.index, leaf_hash=encode(shown.leaf), entry=shown.entry.decode())


@router.get("/facts/{id}/proof", response=ProofOut, auth=None, summary="The proof of a fact")
def api_proof(request: HttpRequest, id: uuid.UUID) -> ProofOut:
    """The proof that a fact is in the log under the newest checkpoint. 503 while it waits for its place (a second)."""
    with connection.cursor() as cursor:
        made = facts.receipt(cursor, facts.find(cursor, id), None)
    size = int(made.checkpoint.split("\n")[1])
    return ProofOut(
        index=made.index,
        size=size,
        hashes=[encode(node) for node in made.proof],
        checkpoint=made.checkpoint,
        receipt=str(made),
    )


@router.get("/consistency", response=ConsistencyOut, auth=None, summary="That an older log is part of a newer one")
def api_consistency(request: HttpRequest, old: int, new: int) -> ConsistencyOut:
    """The consistency proof between two sizes, `0 < old <= new <= size` of the newest checkpoint."""
    return ConsistencyOut(hashes=_consistency(old, new))
