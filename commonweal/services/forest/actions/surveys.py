"""Surveys of survival: commit to a seed, draw, count, and what follows for planter and certificates."""

from __future__ import annotations

import math
import secrets
import uuid

from django.db import IntegrityError, connection, transaction

from commonweal.kernel import clock
from commonweal.kernel.errors import Busy, Conflict, NotAllowed
from commonweal.kernel.jobs import enqueue
from commonweal.kernel.parties import people
from commonweal.kernel.parties.models import Party
from commonweal.kernel.proof import Fact, append
from commonweal.kernel.proof.log import Cursor, head, placed
from commonweal.kernel.text import Text
from commonweal.services.forest.queries import plots
from commonweal.services.forest.queries import surveys as queries
from commonweal.services.forest.queries.subplots import subplots
from commonweal.services.forest.rules import surveys as rules
from commonweal.services.forest.rules.bubbles import day_of
from commonweal.services.forest.rules.certificates import Duty, duty
from commonweal.services.forest.survey import Count, Estimate, commitment, draw, estimate


@transaction.atomic
def commit(steward: Party, code: str, wanted: int) -> uuid.UUID:
    """Begin a survey of `wanted` sub-plots: the hash of its seed goes into the log before anybody knows where to look.

    Raises `NotAllowed`, `NotFound` (`plot.unknown`), `Invalid` (`survey.wanted`) and `Conflict` (`survey.open`,
    `survey.unplanted`).
    """
    people.require_role(steward, people.STEWARD)
    plot, now, seed = plots.plot(code), clock.now(), secrets.token_bytes(32)
    with connection.cursor() as cursor:
        _lock(cursor, plot.id)
        if queries.surveys(plot.id, only_open=True):
            raise Conflict("survey.open", Text("A survey of this plot is under way.", "这个地块正在调查。"))
        rules.check_wanted(wanted, sum(part.planted > 0 for part in subplots(plot.id)))
        committed = commitment(seed)
        fact = Fact("forest.seed", now, {"plot": code, "commitment": committed.hex(), "wanted": wanted})
        cursor.execute(
            "INSERT INTO forest_survey (id, plot, commitment, seed, wanted, by, at) VALUES (%s,%s,%s,%s,%s,%s,%s)",
            [fact.id, plot.id, committed, seed, wanted, steward.id, now],
        )
        append(cursor, fact)
    return fact.id


def _lock(cursor: Cursor, plot: int) -> None:
    cursor.execute("SELECT pg_advisory_xact_lock(hashtext('forest_survey'), %s)", [plot])


@transaction.atomic
def draw_subplots(steward: Party, id: uuid.UUID) -> None:
    """Draw the sub-plots from the seed and the first checkpoint that holds its commitment; drawing twice is once.

    Raises `NotAllowed`, `NotFound` (`survey.unknown`), `Busy` (`survey.waits`) until the commitment is in the log.
    """
    people.require_role(steward, people.STEWARD)
    found, now = queries.survey(id), clock.now()
    with connection.cursor() as cursor:
        _lock(cursor, found.plot)
        if queries.survey(id).draw:
            return
        leaf = placed(cursor, id)
        first = head(cursor, leaf.index + 1) if leaf and leaf.index is not None else None
        if first is None:
            raise Busy(
                "survey.waits",
                Text("The commitment gets its place in the log within a second.", "承诺将在一秒内写入日志，请稍候。"),
                retry_after=1,
            )
        seed = queries.seed_of(id)
        parts = {str(part.number): part.planted for part in subplots(found.plot) if part.planted}
        wanted = min(found.wanted, len(parts))
        drawn = draw(list(parts), wanted, rules.drawing_seed(seed, first.root))
        chosen, substitutes = ([int(name) for name in names] for names in (drawn.chosen, drawn.substitutes))
        fields = {
            "survey": str(id),
            "plot": found.code,
            "seed": seed.hex(),
            "size": first.size,
            "root": first.root.hex(),
            "planted": sum(parts.values()),
            "population": len(parts),
            "chosen": chosen,
            "substitutes": substitutes,
        }
        fact = Fact("forest.seed", now, fields)
        cursor.execute(
            """
            INSERT INTO forest_draw (survey, size, root, planted, population, chosen, substitutes, fact, at)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
            """,
            [id, first.size, first.root, sum(parts.values()), len(parts), chosen, substitutes, fact.id, now],
        )
        append(cursor, fact)


@transaction.atomic
def count(surveyor: Party, id: uuid.UUID, subplot: int, alive: int, diameters: str = "") -> None:
    """Enter what lives in a sub-plot, once. Whoever planted there does not count.

    Raises `NotAllowed` (also `survey.own`), `NotFound`, `Invalid` (`survey.alive`, `survey.diameters`) and `Conflict`
    (`survey.*`).
    """
    found = _for_counting(surveyor, id)
    drawn = _drawn(found)
    with connection.cursor() as cursor:
        _lock(cursor, found.plot)
        counted = [each.subplot for each in queries.survey(id).counts]
        rules.check_count(subplot, drawn.chosen, drawn.substitutes, counted, found.wanted)
        planted = next(part.planted for part in subplots(found.plot) if part.number == subplot)
        rules.check_alive(alive, planted)
        measured = list(rules.read_diameters(diameters, alive))
        try:
            with transaction.atomic():
                cursor.execute(
                    """
                    INSERT INTO forest_count (survey, subplot, planted, alive, diameters, by, at)
                    VALUES (%s, %s, %s, %s, %s, %s, %s)
                    """,
                    [id, subplot, planted, alive, measured, surveyor.id, clock.now()],
                )
        except IntegrityError as error:
            raise Conflict("survey.over", Text("This survey is over.", "这次调查已结束。")) from error


def _for_counting(surveyor: Party, id: uuid.UUID) -> queries.Survey:
    people.require_role(surveyor, people.STEWARD)
    found = queries.survey(id)
    partner = plots.plot_of(found.plot).site.partner
    if any(each.id == partner for each in people.organisations_of(surveyor)):
        raise NotAllowed("survey.own", Text("Whoever planted does not count.", "种植方不能自己清点。"))
    return found


def _drawn(found: queries.Survey) -> queries.Draw:
    if found.draw is None:
        raise Conflict("survey.undrawn", Text("Draw the sub-plots first.", "请先抽取样地。"))
    return found.draw


@transaction.atomic
def finish(surveyor: Party, id: uuid.UUID) -> Duty:
    """End a survey whose sub-plots are all counted: survival with its interval, and what is owed.

    If too many have died, replanting is a duty within a year, and certificates of the plot count in part until it is
    met. Raises `NotAllowed`, `NotFound`, `Conflict` (`survey.undrawn`, `survey.incomplete`, `survey.over`).
    """
    found = _for_counting(surveyor, id)
    drawn, plot, now = _drawn(found), plots.plot_of(found.plot), clock.now()
    with connection.cursor() as cursor:
        _lock(cursor, found.plot)
        found = queries.survey(id)
        if found.outcome:
            raise Conflict("survey.over", Text("This survey is over.", "这次调查已结束。"))
        if not found.complete:
            raise Conflict("survey.incomplete", Text("Count every sub-plot first.", "请先调查完所有样地。"))
        counts = [Count(str(each.subplot), each.planted, each.alive) for each in found.counts]
        result = estimate(counts, population={"": drawn.population})
        promised = plot.season.species.survival / 1000
        owed = duty(drawn.planted, promised, result.low, result.survival, result.relative_error)
        survey, duty_fact = _facts(found, result, owed)
        due = day_of(now + rules.REPLANT_WITHIN) if duty_fact else None
        cursor.execute(
            """
            INSERT INTO forest_outcome (survey, plot, planted, survival, low, high, error, replant, counted, due, fact,
                                        duty, at)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
            """,
            [
                *(id, found.plot, drawn.planted, *_shares(result), owed.replant, owed.counted_per_mille),
                *(due, survey.id, duty_fact.id if duty_fact else None, now),
            ],
        )
        append(cursor, survey, *([duty_fact] if duty_fact else []))
        enqueue("forest.tell_outcome", survey=str(id))
    return owed


def _shares(result: Estimate) -> tuple[int, int, int, int]:
    """Survival, its bounds (the upper one rounded up) and the relative error, in parts of a million."""
    survival, low = rules.millionths(result.survival), rules.millionths(result.low)
    high = min(1_000_000, math.ceil(result.high * 1_000_000))
    return survival, min(low, survival), max(high, survival), rules.millionths(result.relative_error)


def _facts(found: queries.Survey, result: Estimate, owed: Duty) -> tuple[Fact, Fact | None]:
    now = clock.now()
    survival, low, high, error = _shares(result)
    fields = {
        "survey": str(found.id),
        "plot": found.code,
        "counts": [[each.subplot, each.planted, each.alive] for each in found.counts],
        "survival": survival,
        "low": low,
        "high": high,
        "error": error,
    }
    survey = Fact("forest.survey", now, fields)
    if not owed.replant:
        return survey, None
    due = day_of(now + rules.REPLANT_WITHIN).isoformat()
    said = {"survey": str(found.id), "plot": found.code, "trees": owed.replant, "counted": owed.counted_per_mille}
    return survey, Fact("forest.replanting", now, said | {"due": due, "word": "owed"})


@transaction.atomic
def note_overdue() -> list[queries.Overdue]:
    """Put duties that are past their day into the log, each once; they are returned, so that people can be told."""
    now, noted = clock.now(), []
    with connection.cursor() as cursor:
        for each in queries.overdue(day_of(now)):
            fields = {"survey": str(each.survey), "plot": each.plot, "trees": each.owed, "word": "overdue"}
            fact = Fact("forest.replanting", now, fields)
            cursor.execute(
                """
                INSERT INTO forest_overdue (survey, fact, at) VALUES (%s, %s, %s)
                ON CONFLICT DO NOTHING RETURNING survey
                """,
                [each.survey, fact.id, now],
            )
            if cursor.fetchone() is not None:
                append(cursor, fact)
                noted.append(each)
    return noted
