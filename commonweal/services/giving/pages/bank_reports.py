"""What a time bank tells of its months, as a page and as a table."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from commonweal.services.giving.pages import exports
from commonweal.services.giving.queries import bank_reports as queries
from commonweal.services.giving.queries import banks


@require_safe
def reports(request: HttpRequest, bank: uuid.UUID) -> HttpResponse:
    """The months that are over."""
    there = banks.bank(bank)
    return render(request, "giving/bank_reports.html", {"bank": there, "months": queries.months(there)})


@require_safe
def report(request: HttpRequest, bank: uuid.UUID, year: int, month: int) -> HttpResponse:
    """One month."""
    found = queries.report(bank, queries.Month(year, month))
    bars = [(line.title, line.minutes) for line in found.lines if line.minutes is not None]
    return render(request, "giving/bank_report.html", {"bank": found.bank, "report": found, "bars": bars})


@require_safe
def table(request: HttpRequest, bank: uuid.UUID, year: int, month: int) -> StreamingHttpResponse:
    """The same as a table; what is not told is empty."""
    found = queries.report(bank, queries.Month(year, month))
    head = (
        "month",
        "line",
        "name_zh",
        "name_en",
        "people",
        "exchanges",
        "minutes",
        "given_back",
        "with_allies",
        "owed",
    )
    return exports.file(f"time-bank-{bank}-{found.month}.csv", head, _lines(found))


def _lines(found: queries.Report) -> Iterator[Sequence[object]]:
    for line, people in (("members", found.members), ("joined", found.joined), ("left", found.left)):
        yield found.month, line, "", "", people, "", "", "", "", ""
    for kind, each in (*(("category", line) for line in found.lines), ("total", found.total)):
        yield (found.month, kind, each.title.zh, each.title.en, each.people, each.exchanges, each.minutes,
               each.given_back, each.with_allies, "")  # fmt: skip
    for ally in found.allies:
        yield found.month, "ally", ally.name.zh, ally.name.en, "", "", "", "", "", ally.owed
