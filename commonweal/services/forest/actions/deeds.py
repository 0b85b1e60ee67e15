"""Taking deeds in: a partner's signed batch, a track, a day's steps. Each event once, each refusal with its reason."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from django.db import connection, transaction

from commonweal.kernel import clock
from commonweal.kernel.errors import Conflict, Invalid, Refusal
from commonweal.kernel.ids import uuid7
from commonweal.kernel.parties.models import Party
from commonweal.kernel.proof.log import Cursor
from commonweal.kernel.text import Text
from commonweal.services.forest import energy
from commonweal.services.forest.energy.intake import Row, event_id, lock, take_rows
from commonweal.services.forest.queries import sources as source_queries
from commonweal.services.forest.queries.methods import Method, Methods
from commonweal.services.forest.queries.sources import Source
from commonweal.services.forest.rules import evidence
from commonweal.services.forest.rules import sources as rules
from commonweal.services.forest.rules.bubbles import day_of
from commonweal.services.forest.rules.evidence import Claim, Steps

STEPS = "steps"


@dataclass(frozen=True, slots=True)
class Report:
    """A deed as a source reports it. `person` is the source's name for somebody, `steps` is for the kind `steps`.

    `refusal` is what the door could not read: it is answered in its place.
    """

    event: str
    person: uuid.UUID | None = None
    kind: str = ""
    quantity: int = 0
    happened: datetime | None = None
    steps: Steps | None = None
    refusal: Refusal | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one deed; `grams` by its method, before the caps of the day."""

    event: str
    outcome: Literal["credited", "repeated", "refused"]
    grams: int = 0
    refusal: Refusal | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """What became of a batch: an answer for each deed in its order, and the grams that bubbles have grown by."""

    id: uuid.UUID
    answers: Sequence[Answer]
    grown: int


@transaction.atomic
def take(source: Source, reports: Sequence[Report]) -> Batch:
    """Take a partner's batch: what is right is credited, the rest is refused by name. Raises `Invalid` `batch.long`."""
    if len(reports) > rules.LARGEST_BATCH:
        raise Invalid(
            "batch.long",
            Text("A batch has at most {n} deeds.", "一批最多 {n} 条行为。").format(n=f"{rules.LARGEST_BATCH:,}"),
            field="deeds",
        )
    owners = source_queries.owners(source.id, {report.person for report in reports if report.person})
    with connection.cursor() as cursor:
        # The locks before the clock: a batch that waited over midnight is of the new day, never of the closed one.
        lock(cursor, {energy.shard_of(owner) for owner in owners.values()})
        answers, grown = _take(cursor, source, reports, owners, clock.now())
        id = uuid7()
        refused = [(nth, answer) for nth, answer in enumerate(answers) if answer.refusal]
        cursor.execute(
            "INSERT INTO forest_batch VALUES (%s, %s, %s, %s, %s, %s, %s)",
            [id, source.id, clock.now(), _count(answers, "credited"), _count(answers, "repeated"), len(refused), grown],
        )
        kept = refused[: rules.REFUSALS_KEPT]
        cursor.execute(
            "INSERT INTO forest_refused SELECT %s, * FROM unnest(%s::integer[], %s::text[], %s::text[])",
            [
                id,
                [nth for nth, _ in kept],
                [answer.event[:100] for _, answer in kept],
                [answer.refusal.code for _, answer in kept if answer.refusal],
            ],
        )
    return Batch(id, answers, grown)


def _count(answers: Sequence[Answer], outcome: str) -> int:
    return sum(answer.outcome == outcome for answer in answers)


def take_own(cursor: Cursor, source: Source, owner: Party, report: Report) -> Answer:
    """Take one deed of somebody's own in the caller's transaction. Raises its refusal; `Conflict` if it is known."""
    person = uuid.uuid4()
    lock(cursor, [energy.shard_of(owner.id)])
    named = Report(report.event, person, report.kind, report.quantity, report.happened, report.steps)
    (answer,), _ = _take(cursor, source, [named], {person: owner.id}, clock.now())
    if answer.refusal:
        raise answer.refusal
    if answer.outcome == "repeated":
        raise Conflict("deed.repeated", Text("This has been credited before.", "这件事已经计入过了。"))
    return answer


def _take(
    cursor: Cursor, source: Source, reports: Sequence[Report], owners: dict[uuid.UUID, uuid.UUID], now: datetime
) -> tuple[list[Answer], int]:
    methods = Methods()
    found: list[tuple[uuid.UUID, uuid.UUID, int, Method] | Refusal] = []  # event, owner, quantity, method
    shards: dict[int, list[Row]] = {}
    first: set[uuid.UUID] = set()
    for report in reports:
        try:
            claim = _claim(source, report, now)
            owner = owners.get(report.person) if report.person else None
            if owner is None:
                raise Invalid(
                    "deed.person",
                    Text("Nobody has connected under this name.", "没有人以此编号建立关联。"),
                    field="person",
                )
            method = methods.find(claim.kind, source.grade, day_of(claim.happened))
        except Refusal as refusal:
            found.append(refusal)
            continue
        event = event_id(claim.event)
        found.append((event, owner, claim.quantity, method))
        if event not in first:
            first.add(event)
            row = (owner, source.id, event, method.id, claim.quantity, claim.happened)
            shards.setdefault(energy.shard_of(owner), []).append(row)
    new: set[uuid.UUID] = set()
    grown = 0
    for shard in sorted(shards):
        taken = take_rows(cursor, shard, shards[shard], now, named=True)  # type: ignore[arg-type]
        new |= taken.events
        grown += taken.grams
    answers = []
    for report, what in zip(reports, found, strict=True):
        if isinstance(what, Refusal):
            answers.append(Answer(report.event, "refused", refusal=what))
        elif what[0] in new:
            new.discard(what[0])  # the same event once more in this batch is a repetition
            answers.append(Answer(report.event, "credited", what[3].grams(what[2])))
        else:
            answers.append(Answer(report.event, "repeated"))
    return answers, grown


def _claim(source: Source, report: Report, now: datetime) -> Claim:
    if report.refusal:
        raise report.refusal
    if report.happened is None:
        raise Invalid("deed.time-zone", Text("Give the time with its zone.", "时间须带时区。"), field="happened")
    quantity = report.quantity
    if report.kind == STEPS:
        quantity = evidence.settled_steps(report.steps or Steps(()))
    return evidence.check(Claim(source.key, report.event, report.kind, quantity, report.happened, source.grade), now)
