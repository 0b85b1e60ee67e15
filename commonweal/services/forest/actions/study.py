"""The study: registering it before anybody takes part, taking part, and saying what came of it."""

from __future__ import annotations

import secrets
import uuid
from datetime import timedelta

from django.db import connection, transaction

from commonweal.kernel import clock
from commonweal.kernel.errors import Conflict, Invalid
from commonweal.kernel.parties import people
from commonweal.kernel.parties.models import Party
from commonweal.kernel.proof import Fact, append
from commonweal.kernel.proof.verify import canonical
from commonweal.kernel.text import Text
from commonweal.services.forest import energy
from commonweal.services.forest.queries import study as queries
from commonweal.services.forest.rules import study as rules
from commonweal.services.forest.rules.study import Design


@transaction.atomic
def register(steward: Party, design: Design, *, synthetic: bool = False) -> None:
    """Fix a study before it begins: its design and the hash of its seed become a fact.

    Raises `NotAllowed`, `Invalid` (`study.begun`: it must lie ahead) and `Conflict` (`study.known`).
    """
    people.require_role(steward, people.STEWARD)
    now = clock.now()
    if design.begins < now or design.ends - design.begins < timedelta(days=1):
        raise Invalid("study.begun", Text("Register it before it begins.", "须在开始之前登记。"), field="begins")
    if queries.study(design.key) is not None:
        raise Conflict("study.known", Text("A study has this name.", "已有同名研究。"), field="key")
    seed = secrets.token_bytes(32)
    fields = {
        "study": design.key,
        "word": "registered",
        "seed_sha256": rules.commitment(seed),
        "begins": int(design.begins.timestamp()),
        "ends": int(design.ends.timestamp()),
        "weeks": design.weeks,
        "waiting_per_mille": design.waiting,
        "least": design.least,
        "outcome": "trips a week recorded by operators (grade A: metro, bus, cycling)",
        "synthetic": synthetic,
    }
    fact = Fact("forest.study", now, fields)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO forest_study VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [design.key, design.begins, design.ends, design.weeks, design.waiting, design.least, synthetic, seed,
             fact.id],
        )  # fmt: skip
        append(cursor, fact)


@transaction.atomic
def join(person: Party) -> rules.Arm:
    """Agree to take part in the study that is open; the group one is in. Twice is once.

    Raises `Conflict` (`study.none`).
    """
    found = queries.joinable(clock.now())
    if found is None:
        raise Conflict("study.none", Text("No study is open now.", "目前没有开放的研究。"))
    people.give_consent(person, rules.CONSENT, found.design.key)
    return enrol(found, person.id)


@transaction.atomic
def enrol(study: queries.Study, person: uuid.UUID) -> rules.Arm:
    """Assign somebody by the seed, and note it."""
    group = rules.arm(study.seed, person, study.design.waiting)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO forest_participant VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING",
            [study.design.key, person, clock.now(), group == "waiting"],
        )
    return group


@transaction.atomic
def leave(person: Party) -> None:
    """Take part no longer: one's rows are deleted, a closed meadow is open at once."""
    people.withdraw_consent(person, rules.CONSENT)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM forest_participant WHERE person = %s", [person.id])


def keep_for_waiting() -> int:
    """Gather for those who wait what is ripe at theirs, so that nothing of it expires; how many they were."""
    waiting = queries.waiting(clock.now())
    for person in waiting:
        with transaction.atomic(), connection.cursor() as cursor:
            energy.harvest(cursor, person, clock.now())
    return len(waiting)


@transaction.atomic
def conclude(key: str) -> bool:
    """Say what came of a study, once, after its last window: the effect or 'not enough', with the seed, as a fact.

    Raises `Conflict` (`study.running`).
    """
    found = queries.study(key)
    if found is None or found.result is not None:
        return False
    if clock.now() < found.design.over:
        raise Conflict("study.running", Text("The study is not over.", "研究尚未结束。"))
    trips = queries.trips(key)
    effect = rules.effect(found.design, trips[False], trips[True])
    result = {
        "study": key,
        "word": "concluded",
        "seed": found.seed.hex(),
        "open": len(trips[False]),
        "waiting": len(trips[True]),
        "enough": effect is not None,
        "synthetic": found.synthetic,
    }
    if effect is not None:
        thousandths = {
            "mean_open": effect.open.mean,
            "mean_waiting": effect.waiting.mean,
            "difference": effect.difference,
            "low": effect.low,
            "high": effect.high,
        }
        result |= {f"{name}_per_mille": round(value * 1000) for name, value in thousandths.items()}
    fact = Fact("forest.study", clock.now(), result)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO forest_study_result VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING RETURNING study",
            [key, canonical(result).decode(), fact.id, clock.now()],
        )
        if cursor.fetchone() is None:
            return False
        append(cursor, fact)
    return True
