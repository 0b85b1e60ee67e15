"""Deeds for programs: a partner's signed batches, one's own deeds, the published methods."""

from __future__ import annotations

import json
import uuid
from collections import Counter
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal

import ninja
from django.http import HttpRequest, HttpResponse, JsonResponse
from ninja import Schema
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from commonweal.kernel.errors import Invalid, TooLarge
from commonweal.kernel.parties import session
from commonweal.kernel.text import Text
from commonweal.services.forest.actions import deeds as actions
from commonweal.services.forest.actions import sources
from commonweal.services.forest.actions.deeds import Report
from commonweal.services.forest.queries import deeds, methods
from commonweal.services.forest.rules.evidence import Steps
from commonweal.services.forest.rules.sources import LARGEST_BATCH, LARGEST_BODY

router = ninja.Router(tags=["forest"])


class Plain(BaseModel):
    """What is read by the thousand: pydantic's own model, a third of the time of the API's."""

    model_config = ConfigDict(extra="forbid")


class Reading(Plain):
    """What the step counter showed."""

    at: Annotated[datetime, Field(description="with its zone")]
    steps: Annotated[int, Field(ge=0, le=10_000_000)]


class ReportedDeed(Plain):
    """A deed as a partner reports it."""

    event: Annotated[str, Field(max_length=100, description="the partner's own id of the event; counted once, ever")]
    person: Annotated[uuid.UUID, Field(description="the name under which the person has connected with this partner")]
    kind: Annotated[str, Field(max_length=60, description="a method: metro, bus, cycling, steps, paperless ...")]
    quantity: Annotated[int, Field(description="in the method's unit; of steps the readings count")] = 0
    happened: Annotated[datetime, Field(description="with its zone")]
    readings: Annotated[list[Reading] | None, Field(max_length=2000, description="for the kind steps")] = None
    typed_in: Annotated[bool, Field(description="the health service says that a hand has typed the steps in")] = False


class ReportedBatch(Plain):
    """A batch of deeds."""

    deeds: Annotated[list[ReportedDeed], Field(max_length=LARGEST_BATCH)]


class Answer(Schema):
    """What became of one deed. `grams` by its method, before the caps of the day; `code` says why one is refused."""

    event: str
    outcome: Literal["credited", "repeated", "refused"]
    grams: int
    code: str | None = None
    en: str | None = None
    zh: str | None = None


class Batch(Schema):
    """What became of a batch, in its order. `grown` is what the bubbles have grown by, within the caps of the day."""

    id: uuid.UUID
    credited: int
    repeated: int
    refused: int
    grown: int
    answers: list[Answer]


SIGNED_BODY: dict[str, Any] = {
    "requestBody": {"required": True, "content": {"application/json": {"schema": ReportedBatch.model_json_schema()}}}
}
"""For the document only: what is signed are the raw bytes, so that no parser stands before the signature."""


@router.post("/deeds", response=Batch, auth=None, openapi_extra=SIGNED_BODY, summary="A partner's signed batch")
def report(
    request: HttpRequest,
    key: Annotated[str, ninja.Header(alias="Deeds-Key", max_length=36, description="the id of the partner's key")],
    at: Annotated[
        str, ninja.Header(alias="Deeds-Time", max_length=12, description="Unix seconds, at most 5 minutes off")
    ],
    signature: Annotated[str, ninja.Header(alias="Deeds-Signature", max_length=100, description="Ed25519, base64")],
) -> HttpResponse:
    """Signed is `commonweal-forest-deeds`, a line end, the time, a line end, and the raw bytes of the body.

    The body is `{"deeds": [{event, person, kind, quantity, happened, readings, typed_in}, ...]}`, at most 5,000 deeds
    and 1 MB. Every deed gets its own answer: what is wrong with one does not touch the others. An event counts once,
    on whatever day it is sent again.
    """
    if int(request.META.get("CONTENT_LENGTH") or 0) > LARGEST_BODY:
        raise TooLarge("batch.bytes", Text("A batch has at most 1 MB.", "一批最大 1 MB。"))
    source = sources.check_signature(key, at, signature, request.body)
    taken = actions.take(source, [_read(deed) for deed in _deeds(request.body)])
    counts = Counter(answer.outcome for answer in taken.answers)
    said = {name: counts[name] for name in ("credited", "repeated", "refused")}
    answers = [_answer(answer) for answer in taken.answers]
    return JsonResponse({"id": str(taken.id), **said, "grown": taken.grown, "answers": answers})


def _answer(answer: actions.Answer) -> dict[str, Any]:
    said = {"event": answer.event[:100], "outcome": answer.outcome, "grams": answer.grams}
    if answer.refusal is None:
        return {**said, "code": None, "en": None, "zh": None}
    return {**said, "code": answer.refusal.code, "en": answer.refusal.text.en, "zh": answer.refusal.text.zh}


def _deeds(body: bytes) -> list[Any]:
    try:
        said = json.loads(body, parse_constant=_refuse)
        if isinstance(said, dict) and list(said) == ["deeds"] and isinstance(said["deeds"], list):
            return said["deeds"]
    except (ValueError, RecursionError):
        pass
    raise Invalid(
        "batch.form",
        Text("Send one JSON object with a list `deeds`.", "请发送含 deeds 列表的 JSON 对象。"),
        field="deeds",
    )


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _read(said: Any) -> Report:
    """A deed as sent, or why it cannot be read: the others of its batch are taken all the same."""
    event = said.get("event") if isinstance(said, dict) else None
    named = event[:100] if isinstance(event, str) else ""
    try:
        deed = ReportedDeed.model_validate_json(json.dumps(said))
    except (ValidationError, ValueError) as error:
        where = ".".join(str(part) for part in error.errors()[0]["loc"]) if isinstance(error, ValidationError) else ""
        refusal = Invalid(
            "deed.form",
            Text("This deed cannot be read: {field}.", "无法读取这条行为：{field}。").format(field=where or "JSON"),
            field=where or None,
        )
        return Report(named, refusal=refusal)
    readings = tuple((reading.at, reading.steps) for reading in deed.readings or ())
    if any(at.tzinfo is None for at, _ in readings):
        return Report(named, refusal=Invalid("deed.time-zone", Text("Give the time with its zone.", "时间须带时区。")))
    steps = Steps(readings, deed.typed_in) if deed.kind == actions.STEPS else None
    return Report(deed.event, deed.person, deed.kind, deed.quantity, deed.happened, steps)


class Deed(Schema):
    """A credited deed, and what explains its grams. `fact` is the close of its day in the public log."""

    day: date
    source: str
    kind: str
    grade: str
    quantity: int
    grams: int
    happened: datetime
    recorded: datetime
    version: str
    explained_en: str
    explained_zh: str
    fact: uuid.UUID | None


@router.get("/deeds", response=list[Deed], summary="One's own deeds")
def own(request: HttpRequest, limit: Annotated[int, ninja.Query(ge=1, le=500)] = 50) -> list[Deed]:
    """The newest deeds of one's own, each with method, version, formula and source."""
    return [
        Deed(
            day=each.day,
            source=each.source_key,
            kind=each.method.behaviour,
            grade=each.method.grade,
            quantity=each.quantity,
            grams=each.grams,
            happened=each.happened.astimezone(UTC),
            recorded=each.recorded.astimezone(UTC),
            version=each.method.version,
            explained_en=each.explained.en,
            explained_zh=each.explained.zh,
            fact=each.fact,
        )
        for each in deeds.deeds(session.signed_in(request).id, limit)
    ]


class Factors(Schema):
    """The published table: `document` is JSON, `sha256` is what the fact in the log says of its bytes."""

    sha256: str
    fact: uuid.UUID
    document: str


@router.get("/factors", response=Factors, auth=None, summary="The methods and factors in force")
def factors(request: HttpRequest) -> Factors:
    """The whole table as published, with its fact in the public log."""
    found = methods.published()
    return Factors(sha256=found.digest.hex(), fact=found.fact, document=found.document)
