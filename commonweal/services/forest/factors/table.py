"""Factors: a number with its unit, version, validity, source and licence. Exact: values are fractions, never floats."""

from __future__ import annotations

import csv
import io
import itertools
import lzma
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from importlib import resources
from pathlib import Path

from commonweal.kernel.errors import Invalid, NotFound
from commonweal.kernel.text import Text

UK_SOURCE = "UK Government GHG conversion factors for company reporting {year} (DESNZ/Defra)"
UK_LICENCE = "Open Government Licence v3.0"


@dataclass(frozen=True, slots=True)
class Factor:
    """`value` (a fraction) of `unit` for one `quantity`, in the years `valid_from` (None: its source names no year) to
    `valid_to` (None: until another version is loaded).

    `path` is where it stands in its source; `written` the number exactly as the source prints it.
    """

    key: str
    version: str
    valid_from: int | None
    valid_to: int | None
    value: Fraction
    written: str
    unit: str
    quantity: str
    title: Text
    path: tuple[str, ...]
    source: str
    licence: str
    note: str = ""

    def holds_in(self, year: int) -> bool:
        """Whether the factor is valid in that year."""
        return (self.valid_from is None or self.valid_from <= year) and (self.valid_to is None or year <= self.valid_to)


class FactorTable:
    """Factors by key and year; several versions of one key never overlap. The same version twice is there once."""

    def __init__(self, factors: Iterable[Factor]) -> None:
        self._by_key: dict[str, list[Factor]] = {}
        for factor in factors:
            versions = self._by_key.setdefault(factor.key, [])
            if not any(known.version == factor.version and known.value == factor.value for known in versions):
                versions.append(factor)
        for key, versions in self._by_key.items():
            versions.sort(key=lambda factor: factor.valid_from or 0)
            for earlier, later in itertools.pairwise(versions):
                if earlier.valid_to is None or earlier.valid_to >= (later.valid_from or 0):
                    raise ValueError(f"two versions of {key} hold in one year")

    def __len__(self) -> int:
        return len(self._by_key)

    def __iter__(self) -> Iterator[Factor]:
        return (factor for versions in self._by_key.values() for factor in versions)

    def __or__(self, other: FactorTable) -> FactorTable:
        return FactorTable([*self, *other])

    def find(self, key: str, year: int) -> Factor:
        """The factor of that key in that year.

        `uk:<id>` and `<id>` are the same, as are small and capital letters. A key that is no exact one is looked for
        in titles, and taken if exactly one factor has all its words. Raises `NotFound` with code `factor.unknown`,
        `factor.ambiguous` (it lists up to five), or `factor.year`.
        """
        versions = self._by_key.get(key) or self._by_key.get(f"uk:{key}") or self._by_key.get(key.lower())
        if versions is None:
            versions = self._search(key)
        for factor in versions:
            if factor.holds_in(year):
                return factor
        years = ", ".join(f"{f.valid_from or ''}-{f.valid_to or ''}" for f in versions)
        raise NotFound(
            "factor.year",
            Text("{key} is known for {years}, not for {year}.", "{key} 有 {years} 的数据，没有 {year} 年的。").format(
                key=versions[0].key, years=years, year=year
            ),
            field="year",
        )

    def _search(self, words: str) -> list[Factor]:
        wanted = [word for word in re.split(r"[^\w%]+", words.lower()) if word]
        found = [
            versions
            for versions in self._by_key.values()
            if wanted and all(word in " ".join((versions[0].title.en, *versions[0].path)).lower() for word in wanted)
        ]
        if len(found) == 1:
            return found[0]
        some = "; ".join(f"{v[0].key} ({v[0].title.en})" for v in found[:5])
        if found:
            raise NotFound(
                "factor.ambiguous",
                Text("{n} factors fit; say which: {some}", "有 {n} 个因子符合，请指明：{some}").format(
                    n=len(found), some=some
                ),
                field="key",
            )
        raise NotFound(
            "factor.unknown",
            Text("No factor is called {key}.", "没有名为 {key} 的因子。").format(key=words),
            field="key",
        )


def published() -> FactorTable:
    """The factors of published examples that come with this package."""
    text = resources.files(__package__).joinpath("published.csv").read_text(encoding="utf-8")
    factors = []
    for row in csv.DictReader(io.StringIO(text)):
        value = Fraction(row["value"]) / Fraction(row["per"])
        written = row["value"] if row["per"] == "1" else f"{row['value']} per {row['per']}"
        factors.append(
            Factor(
                row["key"],
                row["version"],
                int(row["valid_from"]) if row["valid_from"] else None,
                int(row["valid_to"]) if row["valid_to"] else None,
                value,
                written,
                row["unit"],
                row["quantity"],
                Text(row["title_en"], row["title_zh"]),
                (),
                row["source"],
                row["licence"],
                row["note"],
            )
        )
    return FactorTable(factors)


def uk_government(path: Path) -> FactorTable:
    """The UK Government's conversion factors from a CSV file (plain or .xz), one version a year.

    Columns: `ID`, `Scope`, `Level 1` to `Level 4`, `Column Text`, `UOM`, `GHG/Unit`, `value_2024`, `value` (2025).
    Raises `Invalid` with code `factor.file` if the file is not of this form.
    """
    factors = []
    try:
        data = path.read_bytes()
        text = (lzma.decompress(data) if path.suffix == ".xz" else data).decode("utf-8-sig")
        reader = csv.DictReader(io.StringIO(text))
        if "value_2024" not in (reader.fieldnames or ()):
            raise ValueError("no column value_2024")
        for row in reader:
            factors += [_uk(row, 2024, 2024, row["value_2024"]), _uk(row, 2025, None, row["value"])]
    except (KeyError, InvalidOperation, ValueError, lzma.LZMAError) as error:
        raise Invalid(
            "factor.file",
            Text("{name} is not a table of UK factors: {why}", "{name} 不是英国因子表：{why}").format(
                name=path.name, why=error
            ),
        ) from error
    return FactorTable(factors)


def _uk(row: dict[str, str], year: int, last: int | None, written: str) -> Factor:
    levels = [row[f"Level {n}"] for n in range(1, 5)] + [row["Column Text"]]
    named = [level for level in levels if level and level != "NA"]
    title = ", ".join(named)
    return Factor(
        f"uk:{row['ID']}",
        str(year),
        year,
        last,
        Fraction(Decimal(written)),
        written,
        row["GHG/Unit"],
        row["UOM"],
        Text(title, title),
        (row["Scope"], *named, row["UOM"], row["GHG/Unit"]),
        UK_SOURCE.format(year=year),
        UK_LICENCE,
    )
