"""Surveys for other programs: all that is needed to draw again and to reckon again."""

from __future__ import annotations

import uuid
from datetime import date, datetime

from django.http import HttpRequest
from ninja import Router, Schema

from commonweal.services.forest.queries import surveys as queries

router = Router()


class Drawn(Schema):
    """The draw. Sub-plots are sorted by SHA-256 of SHA-256(seed + root), a zero byte and their number in digits."""

    seed: str
    checkpoint_size: int
    checkpoint_root: str
    planted: int
    population: int
    chosen: list[int]
    substitutes: list[int]
    fact: uuid.UUID


class Counted(Schema):
    """What was found in a sub-plot; diameters in millimetres."""

    subplot: int
    planted: int
    alive: int
    diameters: list[int]


class SurveyOutcome(Schema):
    """Shares in parts of a million; the interval is at 95 %, `error` is relative, at 90 %."""

    planted: int
    alive: int
    survival: int
    low: int
    high: int
    error: int
    replant: int
    counted: int
    due: date | None
    fact: uuid.UUID


class SurveyOut(Schema):
    """A survey; `survey` is the leaf of its commitment."""

    survey: uuid.UUID
    plot: str
    commitment: str
    wanted: int
    at: datetime
    draw: Drawn | None
    counts: list[Counted]
    outcome: SurveyOutcome | None


@router.get("/surveys/{uuid:survey}", response=SurveyOut, auth=None, summary="One survey")
def one(request: HttpRequest, survey: uuid.UUID) -> SurveyOut:
    """The seed is shown once it was drawn from."""
    found = queries.survey(survey)
    drawn, outcome = found.draw, found.outcome
    return SurveyOut(
        survey=found.id,
        plot=found.code,
        commitment=found.commitment.hex(),
        wanted=found.wanted,
        at=found.at,
        draw=Drawn(
            seed=drawn.seed.hex(),
            checkpoint_size=drawn.size,
            checkpoint_root=drawn.root.hex(),
            planted=drawn.planted,
            population=drawn.population,
            chosen=drawn.chosen,
            substitutes=drawn.substitutes,
            fact=drawn.fact,
        )
        if drawn
        else None,
        counts=[
            Counted(subplot=each.subplot, planted=each.planted, alive=each.alive, diameters=each.diameters)
            for each in found.counts
        ],
        outcome=SurveyOutcome(
            planted=outcome.planted,
            alive=outcome.alive,
            survival=outcome.survival,
            low=outcome.low,
            high=outcome.high,
            error=outcome.error,
            replant=outcome.replant,
            counted=outcome.counted,
            due=outcome.due,
            fact=outcome.fact,
        )
        if outcome
        else None,
    )
