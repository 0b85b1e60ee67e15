"""Giving for programs, one module a noun, each with its own router."""

from __future__ import annotations

from ninja import Router

from commonweal.services.giving.api import (
    appeals,
    campaigns,
    deeds,
    gifts,
    givers,
    payouts,
    webhooks,
)

router = Router()
for noun in (
    appeals,
    campaigns,
    deeds,
    gifts,
    givers,
    payouts,
    webhooks,
):
    router.add_router("", noun.router)
