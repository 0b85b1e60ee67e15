"""Files for a charity's own books."""

from __future__ import annotations

import csv
import uuid
from collections.abc import Iterable, Iterator, Sequence

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.views.decorators.http import require_safe

from commonweal.kernel.quantity import format_amount
from commonweal.services.giving.pages.charity import officer_of
from commonweal.services.giving.queries import exports
from commonweal.services.giving.queries import payouts as payout_queries


class _Line:
    """Gives back what is written to it: the writer of CSV then makes line after line."""

    def write(self, line: str) -> str:
        return line


def _cell(value: object) -> object:
    """A text that a spreadsheet would take for a formula is marked as a text."""
    return f"'{value}" if isinstance(value, str) and value[:1] in {"=", "+", "-", "@", "\t"} else value


def file(name: str, head: Sequence[str], lines: Iterable[Sequence[object]]) -> StreamingHttpResponse:
    """A table as a file, written out line after line."""

    def written() -> Iterator[str]:
        writer = csv.writer(_Line())
        yield "\ufeff" + str(writer.writerow(head))  # a mark by which spreadsheets know UTF-8
        for line in lines:
            yield str(writer.writerow([_cell(value) for value in line]))

    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "private, no-store"}
    return StreamingHttpResponse(written(), content_type="text/csv; charset=utf-8", headers=headers)


@require_safe
def gifts(request: HttpRequest, campaign: uuid.UUID) -> HttpResponse | StreamingHttpResponse:
    """The gifts of a campaign, for its charity. Without their givers: they stay anonymous here, too."""
    _, card = officer_of(request, campaign)
    lines = (
        (each.nth, each.gift, each.at.isoformat(), *(
            format_amount(amount, card.asset, grouped=False) for amount in (each.amount, each.returned)
         ), card.asset.code, each.channel, each.reference, each.fact)
        for each in exports.payments(campaign)
    )  # fmt: skip
    head = ("number", "gift", "received", "amount", "gone_back", "asset", "channel", "reference", "fact")
    return file(f"gifts-{campaign}.csv", head, lines)


@require_safe
def payouts(request: HttpRequest, campaign: uuid.UUID) -> HttpResponse | StreamingHttpResponse:
    """The payouts of a campaign, for its charity."""
    officer_of(request, campaign)
    lines = [
        (each.id, each.asked_at.isoformat(), format_amount(each.amount, each.asset, grouped=False), each.asset.code,
         each.what.zh, each.what.en, each.state.value, each.paid_at.isoformat() if each.paid_at else "",
         each.paid_fact or "")
        for each in payout_queries.payouts_of(campaign)
    ]  # fmt: skip
    head = ("payout", "asked", "amount", "asset", "what_zh", "what_en", "state", "paid", "fact")
    return file(f"payouts-{campaign}.csv", head, lines)
