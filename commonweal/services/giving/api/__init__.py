"""Giving for programs, one module a noun, each with its own router.

All operations on one path stand in one module: the first router with a path answers for it.
"""

from __future__ import annotations

from ninja import Router

from commonweal.services.giving.api import (
    appeals,
    campaigns,
    cards,
    charities,
    deeds,
    endings,
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
    webhooks,
)

router = Router()
for noun in (
    appeals,
    campaigns,
    cards,
    charities,
    deeds,
    endings,
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
    webhooks,
):
    router.add_router("", noun.router)
