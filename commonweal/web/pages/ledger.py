"""The books in sum, for programs."""

from __future__ import annotations

from django.db import connection
from django.http import HttpRequest
from ninja import Router, Schema

from commonweal.kernel.ledger.totals import totals, transfers
from commonweal.web import facts

router = Router(tags=["Ledger"])


class TotalOut(Schema):
    """All accounts of one kind in one asset. Over the kinds of an asset the amounts sum to zero."""

    asset: str
    kind: str
    accounts: int
    amount: str


class TotalsOut(Schema):
    """The books in sum, now."""

    transfers: int
    totals: list[TotalOut]


@router.get("/totals", response=TotalsOut, auth=None, summary="The books in sum")
def api_totals(request: HttpRequest) -> TotalsOut:
    """What all accounts amount to, by asset and kind: debits positive, in decimal strings of the asset."""
    with connection.cursor() as cursor:
        found = [
            TotalOut(asset=total.asset, kind=total.kind, accounts=total.accounts, amount=facts.written(total))
            for total in totals(cursor)
        ]
        return TotalsOut(transfers=transfers(cursor), totals=found)
