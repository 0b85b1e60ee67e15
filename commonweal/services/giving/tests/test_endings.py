"""Stopped campaigns, and the lawful use of what is left over."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from commonweal.kernel import clock
from commonweal.kernel.errors import Conflict, Invalid, NotAllowed, NotFound, Refusal
from commonweal.kernel.parties.models import Party
from commonweal.kernel.text import Text
from commonweal.services.giving.actions import campaigns, endings, gifts, payouts, returns
from commonweal.services.giving.models import Campaign
from commonweal.services.giving.queries import campaigns as campaign_queries
from commonweal.services.giving.queries import gifts as gift_queries
from commonweal.services.giving.queries import payouts as payout_queries
from commonweal.services.giving.rules import leftovers as rules
from commonweal.services.giving.rules.campaigns import State
from commonweal.services.giving.rules.gifts import COLLECTED, Give
from commonweal.services.giving.rules.plans import Asking
from commonweal.services.giving.tests.conftest import DAY, NOW, World, picture, plan
from commonweal.services.giving.tests.test_doors import token
from commonweal.services.giving.tests.test_payouts import WHAT, approve, pay_out, put_in

WHY = Text("Its invoices are forged.", "发票系伪造。")


@pytest.fixture(autouse=True)
def now() -> Iterator[None]:
    with clock.stopped(NOW):
        yield


def another(world: World, **changes: object) -> Campaign:
    with clock.stopped(NOW - 40 * DAY):
        return campaigns.publish(world.officer, plan(world.charity, filing_number="53329000A26002", **changes))


def asking(amount: int) -> Asking:
    return Asking(amount, WHAT, (picture(),))


def test_a_stopped_campaign_takes_no_gift_and_gives_back_what_is_left(world: World) -> None:
    first, second = put_in(world, 1_000, 2_000)
    pay_out(world, 1_500, "a")
    with pytest.raises(NotAllowed):
        endings.stop(world.officer, world.campaign.id, WHY)
    with pytest.raises(NotFound, match=r"campaign\.unknown"):
        endings.stop(world.stewards[0], uuid.uuid4(), WHY)
    endings.stop(world.stewards[0], world.campaign.id, WHY)
    with pytest.raises(Conflict, match=r"campaign\.stopped"):
        endings.stop(world.stewards[1], world.campaign.id, WHY)
    with pytest.raises(Conflict, match=r"campaign\.stopped"):
        gifts.give(Give(world.campaign.id, world.giver.id, 500, "CNY", COLLECTED, "k"))
    with pytest.raises(Conflict, match=r"refund\.spent"):
        returns.refund(world.stewards[0], world.campaign.id, first, 1_000, "stopped", "k")
    returns.refund(world.stewards[0], world.campaign.id, second, 1_500, "stopped", "k")
    assert campaign_queries.page(world.campaign.id).available == 0


def test_what_is_left_goes_to_the_same_purpose_in_one_transaction_and_the_trace_follows(world: World) -> None:
    (gift,) = put_in(world, 3_000)
    target = another(world)
    with pytest.raises(Conflict, match=r"leftover\.not-ended"):
        endings.pass_on(world.officer, world.campaign.id, target.id, asking(3_000), "k")
    endings.stop(world.stewards[0], world.campaign.id, WHY)
    request = endings.pass_on(world.officer, world.campaign.id, target.id, asking(3_000), "k")
    assert endings.pass_on(world.officer, world.campaign.id, target.id, asking(3_000), "k") == request
    assert campaign_queries.card(target.id).raised == 0
    approve(world, request)
    payouts.pay(world.campaign.id, request)
    payouts.pay(world.campaign.id, request)
    assert campaign_queries.card(target.id).raised == 3_000
    assert campaign_queries.page(world.campaign.id).available == 0
    assert [part.amount for part in gift_queries.trace(world.campaign.id, gift)] == [3_000]


def test_if_the_target_has_closed_meanwhile_nothing_leaves(world: World) -> None:
    put_in(world, 3_000)
    target = another(world)
    endings.stop(world.stewards[0], world.campaign.id, WHY)
    request = endings.pass_on(world.officer, world.campaign.id, target.id, asking(3_000), "k")
    approve(world, request)
    endings.stop(world.stewards[0], target.id, WHY)
    with pytest.raises(Conflict, match=r"campaign\.stopped"):
        payouts.pay(world.campaign.id, request)
    assert campaign_queries.page(world.campaign.id).available == 3_000


def test_another_purpose_is_refused(world: World) -> None:
    put_in(world, 3_000)
    endings.stop(world.stewards[0], world.campaign.id, WHY)
    with pytest.raises(Invalid, match=r"leftover\.purpose"):
        endings.pass_on(world.officer, world.campaign.id, another(world, topic="health").id, asking(1), "k")
    with pytest.raises(Invalid, match=r"leftover\.target"):
        endings.pass_on(world.officer, world.campaign.id, world.campaign.id, asking(1), "k")


@given(st.sampled_from(State), st.sampled_from(State), st.booleans(), st.booleans(), st.booleans())
def test_the_rule_allows_exactly_the_lawful_use(
    ended: State, target: State, same: bool, topic: bool, asset: bool
) -> None:
    one = uuid.UUID(int=1)
    two = rules.End(one if same else uuid.UUID(int=2), target, "a" if topic else "b", "CNY" if asset else "USD")
    lawful = ended in (State.CLOSED, State.STOPPED) and target is State.OPEN and not same and topic and asset
    try:
        rules.check(rules.End(one, ended, "a", "CNY"), two)
    except Refusal:
        assert not lawful
    else:
        assert lawful


def test_the_end_of_a_campaign_through_its_doors(world: World, client: Client) -> None:
    put_in(world, 3_000)
    target = another(world)
    base = f"/en/giving/{world.campaign.id}/"
    client.force_login(world.officer.login)
    assert client.get(f"{base}stop/").status_code == 403
    assert client.post(f"{base}leftover/", leftover(target)).status_code == 409
    client.force_login(world.stewards[0].login)
    assert "Stop this campaign" in client.get(base).content.decode()
    assert client.get(f"{base}leftover/").status_code == 404
    assert client.post(f"{base}stop/", {"why_zh": ""}).status_code == 422
    assert client.post(f"{base}stop/", {"why_zh": "发票系伪造。"}).status_code == 303
    assert client.post(f"{base}stop/", {"why_zh": "发票系伪造。"}).status_code == 409
    assert "发票系伪造" in client.get(base).content.decode()
    client.force_login(world.officer.login)
    assert target.title_en in client.get(f"{base}leftover/").content.decode()
    for wrong, status in (({"target": "x"}, 422), ({"amount": "31"}, 409), ({"evidence": ()}, 422)):
        assert client.post(f"{base}leftover/", leftover(target) | wrong).status_code == status, wrong
    proposed = client.post(f"{base}leftover/", leftover(target))["Location"]
    assert "Left over, passed on to" in client.get(proposed).content.decode()
    for steward in world.stewards:
        client.force_login(steward.login)
        assert client.post(f"{proposed}judge/", {"word": "approve"}).status_code == 303
    payouts.pay(world.campaign.id, uuid.UUID(proposed.split("/")[-2]))
    assert campaign_queries.card(target.id).raised == 3_000


def leftover(target: Campaign) -> dict[str, Any]:
    evidence = SimpleUploadedFile("decision.png", picture(), "image/png")
    return {"target": str(target.id), "amount": "30", "what_zh": "转给同类项目", "key": "k", "evidence": evidence}


def test_programs_end_a_campaign(world: World, client: Client) -> None:
    (gift,) = put_in(world, 3_000)
    target = another(world)
    base = f"/api/v1/giving/campaigns/{world.campaign.id}/"

    def post(path: str, body: dict[str, Any], by: Party) -> int:
        headers = token(by) | {"Idempotency-Key": path}
        return client.post(base + path, json.dumps(body), content_type="application/json", headers=headers).status_code

    refund = {"amount": "10.00", "asset": "CNY", "reason": "Given twice"}
    assert [post(f"gifts/{gift}/refunds", refund, by) for by in (world.giver, world.officer)] == [403, 201]
    why = {"why": {"en": "Forged."}}
    assert [post("stop", why, by) for by in (world.officer, world.stewards[0], world.stewards[0])] == [403, 204, 409]
    evidence = [base64.b64encode(picture()).decode()]
    passed = {"amount": "20.00", "asset": "CNY", "target": str(target.id), "what": {"en": "On"}, "evidence": evidence}
    assert [post("leftovers", passed, by) for by in (world.giver, world.officer)] == [403, 201]
    (request,) = payout_queries.payouts_of(world.campaign.id)
    word = {"approves": True}
    words = [post(f"payouts/{request.id}/words", word, by) for by in (world.officer, *world.stewards)]
    assert words == [403, 200, 200]
    assert post("repayments", {"amount": "1.00", "asset": "CNY"}, world.officer) == 409
