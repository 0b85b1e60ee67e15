"""Publishing the methods and their factors: each version once, with a fact in the log that commits to the document."""

from __future__ import annotations

import hashlib
import json
from datetime import date
from typing import Any

from django.db import connection, transaction

from commonweal.kernel import clock
from commonweal.kernel.proof import Fact, append
from commonweal.kernel.proof.log import Cursor
from commonweal.services.forest import factors
from commonweal.services.forest.factors import Factor, FactorTable, Method

GRADES = "ABCD"


@transaction.atomic
def publish(table: FactorTable | None = None) -> bool:
    """Bring what the packaged methods say with these factors (default: the packaged ones) into force.

    Returns whether there was anything new. A row that is known is never changed: another rate needs another version.
    """
    table = table or factors.published()
    now = clock.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('forest_factors'))")
        told = [_bring(cursor, method, table, now.year) for _, method in sorted(factors.methods().items())]
        document = json.dumps(
            {"formula": factors.FORMULA, "methods": told}, ensure_ascii=False, sort_keys=True, indent=1
        )
        digest = hashlib.sha256(document.encode()).digest()
        cursor.execute("SELECT FROM forest_factors WHERE digest = %s", [digest])
        if cursor.fetchone() is not None:
            return False
        fact = Fact("forest.factors", now, {"sha256": digest.hex(), "methods": len(told)})
        cursor.execute("INSERT INTO forest_factors VALUES (%s, %s, %s, %s)", [digest, document, fact.id, now])
        append(cursor, fact)
    return True


def _bring(cursor: Cursor, method: Method, table: FactorTable, year: int) -> dict[str, Any]:
    baseline, project = table.find(method.baseline, year), table.find(method.project, year)
    rate = method.rate(baseline, project)
    told = {
        "title": {"en": method.title.en, "zh": method.title.zh},
        "unit": method.quantity,
        "share": str(method.share),
        "note": method.note,
        "baseline": _tell(baseline),
        "project": _tell(project),
    }
    first = max(method.valid_from, baseline.valid_from or 0, project.valid_from or 0)
    ends = [year for year in (method.valid_to, baseline.valid_to, project.valid_to) if year is not None]
    last = date(min(ends) + 1, 1, 1) if ends else None
    for grade in GRADES[: GRADES.index(method.grade_least) + 1]:
        cursor.execute(
            """
            INSERT INTO forest_kind (id, key, behaviour, grade)
            SELECT coalesce(max(id), 0) + 1, %(key)s, %(behaviour)s, %(grade)s FROM forest_kind
            ON CONFLICT (key) DO NOTHING
            """,
            {"key": f"{method.key}.{grade}", "behaviour": method.key, "grade": grade},
        )
        cursor.execute(
            """
            INSERT INTO forest_method (id, kind, version, valid, numerator, denominator, day_cap, told)
            SELECT (SELECT coalesce(max(id), 0) + 1 FROM forest_method), k.id, %(version)s,
                   daterange(%(first)s, %(last)s), %(numerator)s, %(denominator)s, %(cap)s, %(told)s::jsonb
            FROM forest_kind k WHERE k.key = %(key)s
            ON CONFLICT (kind, version) DO NOTHING
            """,
            {
                "key": f"{method.key}.{grade}",
                "version": method.version,
                "first": date(first, 1, 1),
                "last": last,
                "numerator": rate.numerator,
                "denominator": rate.denominator,
                "cap": method.day_cap,
                "told": json.dumps(told, ensure_ascii=False),
            },
        )
    return told | {
        "method": method.key,
        "version": method.version,
        "grams_per_unit": str(rate),
        "day_cap_g": method.day_cap,
        "grade_least": method.grade_least,
    }


def _tell(factor: Factor) -> dict[str, Any]:
    return {
        "key": factor.key,
        "version": factor.version,
        "written": factor.written,
        "unit": factor.unit,
        "per": factor.quantity,
        "source": factor.source,
        "licence": factor.licence,
    }
