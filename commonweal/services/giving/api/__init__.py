"""Giving for programs, one module a noun, each with its own router.

All operations on one path stand in one module: the first router with a path answers for it.
"""

from __future__ import annotations

from ninja import Router

from commonweal.services.giving.api import (
    appeals,
    bank_reports,
    banks,
    board,
    campaigns,
    cards,
    cases,
    charities,
    companies,
    deeds,
    endings,
    exchanges,
    gifts,
    givers,
    incomes,
    invoices,
    orders,
    payouts,
    pools,
    recurring,
    sponsorships,
    teams,
    threads,
    webhooks,
)

router = Router()
for noun in (
    appeals,
    bank_reports,
    banks,
    board,
    campaigns,
    cards,
    cases,
    charities,
    companies,
    deeds,
    endings,
    exchanges,
    gifts,
    givers,
    incomes,
    invoices,
    orders,
    payouts,
    pools,
    recurring,
    sponsorships,
    teams,
    threads,
    webhooks,
):
    router.add_router("", noun.router)
