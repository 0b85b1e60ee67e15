"""What the API answers about things that are there is what its description says; random ids find nothing of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import schemathesis
from django.core.wsgi import get_wsgi_application
from schemathesis.core.result import Ok

from commonweal.kernel import clock
from commonweal.kernel.parties import people
from commonweal.services.giving.actions import deeds, gifts, orders, teams, vendors
from commonweal.services.giving.rules.deeds import Shift
from commonweal.services.giving.rules.gifts import Give
from commonweal.services.giving.tests import conftest as giving
from commonweal.services.giving.tests.conftest import DAY, NOW
from commonweal.services.giving.tests.test_orders import WHAT, offer, order
from commonweal.services.giving.tests.test_payouts import pay_out, put_in
from commonweal.services.giving.tests.test_returns import refund
from commonweal.services.giving.tests.test_views import objection

HOUR = timedelta(hours=1)


def test_what_is_there_is_described(fresh_database: str) -> None:
    with clock.stopped(NOW):
        world = giving.make_world()
        gift = gifts.give(Give(world.campaign.id, world.giver.id, 500, "CNY", "simulator", "k")).id
        (collected, _) = put_in(world, 50_000, 7_000)
        vendor = people.register_organisation(WHAT, "MUSIC-0001")
        people.grant_role(world.giver, people.OFFICER, vendor)
        vendors.admit(world.stewards[0], vendor.id, WHAT, "a@b.example")
        known: dict[str, Any] = {
            "campaign": world.campaign.id, "gift": gift, "charity": world.charity.id, "organisation": world.charity.id,
            "payout": pay_out(world, 100, "a"), "team": teams.found(world.giver, world.campaign.id, "Walkers"),
            "order": order(world, vendor, (1, offer(world, vendor, 1_500), 2)), "vendor": vendor.id, "year": 2026,
            "case": objection(world, collected),
            "shift": deeds.call(world.officer, world.campaign.id, WHAT, Shift(NOW + DAY, NOW + DAY + HOUR, 2)),
        }  # fmt: skip
        refund(world, collected, 1_000)
        deeds.act(world.giver, world.campaign.id, "STEPS", 5_000, "s")
        assert orders.receiver_link(world.officer, world.campaign.id, known["order"])
        callers = (world.giver, world.officer, world.stewards[0])
        headers = [
            {"Accept-Encoding": "identity", "Authorization": f"Bearer {people.make_token(one, 'contract')}"}
            for one in callers
        ]
        schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", get_wsgi_application())
        found = set()
        for operation in (each.ok() for each in schema.get_all_operations() if isinstance(each, Ok)):
            named = {parameter.name for parameter in operation.path_parameters}
            if operation.method != "get" or "/giving/" not in operation.path or not named <= set(known):
                continue
            case = operation.Case(path_parameters={name: str(known[name]) for name in named})
            for one in headers:
                response = case.call(headers=one)
                assert response.status_code < 500, operation.label
                case.validate_response(response, headers=one)
                if response.status_code == 200:
                    found.add(operation.label)
        assert len(found) >= 20, sorted(found)
