"""The methods in force, each with what explains it, and the published table."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from commonweal.kernel.errors import Invalid, NotFound
from commonweal.kernel.sql import row, rows
from commonweal.kernel.text import Text
from commonweal.services.forest.rules.evidence import Grade


@dataclass(frozen=True, slots=True)
class Method:
    """A version of a method for one grade of evidence; `told` explains it (see `actions.factors`)."""

    id: int
    kind: int
    behaviour: str
    grade: Grade
    version: str
    first: date
    last: date | None
    numerator: int
    denominator: int
    day_cap: int
    told: Mapping[str, Any]

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Method:
        """The method of a row, whose `told` is JSON."""
        return cls(**{**row, "told": json.loads(row["told"])})

    def grams(self, quantity: int) -> int:
        """Whole grams, rounded down, before any cap of a day."""
        return quantity * self.numerator // self.denominator

    @property
    def title(self) -> Text:
        """What is done, in words."""
        return Text(self.told["title"]["en"], self.told["title"]["zh"])

    def explain(self, quantity: int) -> Text:
        """How that quantity comes to its grams, with version and sources."""
        baseline, project = self.told["baseline"], self.told["project"]
        values = {
            "quantity": f"{quantity:,}",
            "unit": self.told["unit"],
            "baseline": baseline["written"],
            "project": project["written"],
            "per": baseline["per"],
            "share": self.told["share"],
            "grams": f"{self.grams(quantity):,}",
            "version": self.version,
            "source": baseline["source"],
        }
        return Text(
            "{quantity} {unit} × ({baseline} − {project}) kg CO₂e per {per} × {share} = {grams} g, rounded down "
            "(method {version}; {source})",
            "{quantity} {unit} ×（{baseline} − {project}）kg CO₂e/{per} × {share} = {grams} 克，向下取整"
            "（方法 {version}；{source}）",
        ).format(**values)


ALL = """
SELECT m.id, m.kind, k.behaviour, k.grade, m.version, lower(m.valid) AS first, upper(m.valid) - 1 AS last,
       m.numerator, m.denominator, m.day_cap, m.told::text
FROM forest_method m JOIN forest_kind k ON k.id = m.kind WHERE m.told <> '{}' ORDER BY k.behaviour, k.grade, m.id
"""


def methods() -> list[Method]:
    """Every version of every method, by behaviour and grade, oldest first."""
    return [Method.of(found) for found in rows(ALL)]


class Methods:
    """All versions, to find the one in force: the newest that holds on the day."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], list[Method]] = {}
        for method in methods():
            self._known.setdefault((method.behaviour, method.grade), []).append(method)

    def find(self, behaviour: str, grade: Grade, on: date) -> Method:
        """The method of what was done on a day. Raises `Invalid` (`deed.kind`)."""
        for method in reversed(self._known.get((behaviour, grade), [])):
            if method.first <= on and (method.last is None or on <= method.last):
                return method
        raise Invalid(
            "deed.kind",
            Text(
                "Deeds of the kind “{kind}” are not credited on evidence of grade {grade}.",
                "“{kind}”类行为不按 {grade} 级证据计入。",
            ).format(kind=behaviour[:60], grade=grade),
            field="kind",
        )


@dataclass(frozen=True, slots=True)
class Published:
    """A version of the table of factors as published, and its fact in the log."""

    digest: bytes
    document: str
    fact: uuid.UUID
    at: datetime


def published() -> Published:
    """The newest version of the table. Raises `NotFound` (`factor.unpublished`)."""
    found = row("SELECT digest, document, fact, at FROM forest_factors ORDER BY at DESC LIMIT 1")
    if found is None:
        raise NotFound("factor.unpublished", Text("No factors are published yet.", "尚未公布排放因子。"))
    return Published(bytes(found["digest"]), found["document"], found["fact"], found["at"])
