"""Pools and sponsors' contracts through their doors: entered, seen by everybody, and nobody named."""

from __future__ import annotations

import hashlib
import hmac
import json
import uuid
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import pytest
from django.test import Client

from commonweal.kernel import clock
from commonweal.kernel.parties import people
from commonweal.kernel.parties.models import Party
from commonweal.kernel.text import Text
from commonweal.services.giving import jobs, matching
from commonweal.services.giving.actions import deeds, gifts, matches, payouts, returns, settlements, teams
from commonweal.services.giving.matching import Caps, Slice
from commonweal.services.giving.matching.examples import examples
from commonweal.services.giving.queries import campaigns, pools
from commonweal.services.giving.queries import deeds as deed_queries
from commonweal.services.giving.rules.gifts import COLLECTED, Give
from commonweal.services.giving.rules.matches import Promise, even_slices, left_by_slice, proportional
from commonweal.services.giving.tests.conftest import DAY, NOW, World, somebody
from commonweal.services.giving.tests.test_doors import JSON, token
from commonweal.services.giving.tests.test_payouts import put_in

POOL = {
    "amount": "100",
    "scheme": "proportional",
    "rate": "0.5",
    "gift_cap": "20",
    "opens_at": "2026-11-26T08:00",
    "closes_at": "2026-12-01T08:00",
}


@pytest.fixture(autouse=True)
def now() -> Iterator[None]:
    with clock.stopped(NOW):
        yield


@pytest.fixture
def company(world: World) -> Party:
    made = people.register_organisation(Text("Dianchi Tea", "滇池茶业"), "TEA-0001")
    people.grant_role(world.stewards[1], people.OFFICER, made)
    return made


def test_a_charity_enters_a_pool_and_everybody_sees_its_matches(world: World, client: Client, company: Party) -> None:
    address = f"/zh/giving/{world.campaign.id}/pools/"
    assert client.get(address).status_code == 200
    client.force_login(world.giver.login)
    form = POOL | {"registration": company.registration, "key": "k"}
    assert client.post(address, form).status_code == 404
    client.force_login(world.officer.login)
    for wrong in ({"registration": "NOBODY"}, {"rate": "11"}, {"rate": "-1"}, {"amount": "x"}, {"gift_cap": "0"},
                  {"closes_at": "2026-11-01T08:00"}, {"opens_at": ""}, {"campaigns": "x"}):  # fmt: skip
        assert client.post(address, form | wrong).status_code == 422, wrong
    answer = client.post(address, form)
    assert answer.status_code == 303
    assert client.post(address, form)["Location"] == answer["Location"]
    assert client.post(address, form | {"amount": "101"}).status_code == 409
    with clock.stopped(NOW + 2 * DAY):
        first, _ = put_in(world, 3_000, 10_000)
    (pool,) = pools.of(world.campaign.id)
    assert (pool.put_in, pool.matched, pool.free, pool.reserved, pool.rate) == (10_000, 0, 6_500, 3_500, "0.5")
    with clock.stopped(NOW + 14 * DAY):
        jobs.settle_pools()
        page = client.get(answer["Location"]).content.decode()
        assert 'name="word"' not in page, "the officer of the charity does not agree to it"
        digest = pools.one(world.campaign.id, pool.id).digest or b""
        word = {"digest": digest.hex(), "word": "approve"}
        assert client.post(f"{answer['Location']}judge/", word).status_code == 403
        another = somebody("steward3@test.example")
        people.grant_role(another, people.STEWARD)
        for steward, status in ((world.stewards[0], 303), (world.stewards[1], 403), (another, 303)):
            client.force_login(steward.login)
            assert "Dianchi Tea" in client.get("/en/giving/settlements/").content.decode()
            assert 'name="word"' in client.get(answer["Location"]).content.decode()
            assert client.post(f"{answer['Location']}judge/", word).status_code == status, "not of one's own company"
        settlements.pay(world.campaign.id, pool.id)
        payouts.lay(world.campaign.id)
        returns.refund(world.officer, world.campaign.id, first, 3_000, "twice", "r")
    (pool,) = pools.of(world.campaign.id)
    assert (pool.put_in, pool.matched, pool.taken_back, pool.free) == (10_000, 3_500, 1_500, 8_000)
    client.logout()
    written = client.get(f"{answer['Location']}file.json")
    assert written.json()["format"] == "commonweal-pool/1" and str(world.giver.id) not in written.content.decode()
    page = client.get(answer["Location"]).content.decode()
    assert "滇池茶业" in page and "15.00" in page and "20.00" in page and str(world.giver.id) not in page
    api = f"/api/v1/giving/campaigns/{world.campaign.id}/pools"
    (told,) = client.get(api).json()
    assert told["free"] == {"amount": "80.00", "asset": "CNY"}
    matches = client.get(f"{api}/{told['id']}/matches").json()
    assert sorted(each["match"]["amount"] for each in matches) == ["15.00", "20.00"]
    assert client.get(f"{api}/{told['id']}/file").content == written.content
    assert client.get(f"{api}/{told['id']}/seed").json()["code"] == "seed.none"
    body = {"amount": "1", "asset": "CNY", "registration": "TEA-0001"} | {
        field: "2026-11-26T08:00+08:00" if field == "opens_at" else "2026-12-01T08:00+08:00"
        for field in ("opens_at", "closes_at")
    }
    headers = token(world.officer) | {"Idempotency-Key": "p2"}
    assert client.post(api, json.dumps(body), content_type=JSON, headers=headers).status_code == 201
    headers = token(world.giver) | {"Idempotency-Key": "p3"}
    assert client.post(api, json.dumps(body), content_type=JSON, headers=headers).status_code == 403


def test_a_contract_is_offered_accepted_closed_and_stated(world: World, client: Client, company: Party) -> None:
    address = f"/en/giving/{world.campaign.id}/sponsors/"
    terms = {"company": str(company.id), "asset": "STEPS", "per": "5000", "pays": "1", "most": "5",
             "closes_at": "2026-12-05T17:00"}  # fmt: skip
    client.force_login(world.giver.login)
    assert client.post(address, terms).status_code == 403
    client.force_login(world.stewards[1].login)
    assert "Offer a contract" in client.get(address).content.decode()
    for wrong in ({"asset": "CNY"}, {"per": "0"}, {"company": "x"}, {"closes_at": "2027-12-05T17:00"}, {"most": "0.5"}):
        assert client.post(address, terms | wrong).status_code == 422, wrong
    contract = client.post(address, terms)["Location"]
    assert client.post(contract, {"word": "accept"}).status_code == 403
    deeds.act(world.giver, world.campaign.id, "STEPS", 12_000, "a")
    client.force_login(world.officer.login)
    assert "Accept for the charity" in client.get(contract).content.decode()
    assert client.post(contract, {"word": "received"}).status_code == 409
    assert client.post(contract, {"word": "accept"}).status_code == 303
    assert client.post(contract, {"word": "accept"}).status_code == 409
    assert "12,000" in client.get(contract).content.decode()
    with clock.stopped(NOW + 11 * DAY):
        jobs.settle()
        client.force_login(world.officer.login)
        assert "The money has come" in client.get(contract).content.decode()
        assert client.post(contract, {"word": "received"}).status_code == 303
        assert campaigns.card(world.campaign.id).raised == 200
        (told,) = client.get(f"/api/v1/giving/campaigns/{world.campaign.id}/sponsorships").json()
    assert (told["given"], told["comes_to"]["amount"], told["settled"], told["state"]["en"]) == (
        *(12_000, "2.00"),
        *(True, "Closed"),
    )
    assert client.get(f"/en/giving/{company.id}/sponsors/{told['id']}/").status_code == 404


def test_programs_offer_and_accept(world: World, client: Client, company: Party) -> None:
    def post(path: str, body: dict[str, Any], by: Party) -> int:
        return client.post(f"/api/v1/giving/{path}", json.dumps(body), content_type=JSON, headers=token(by)).status_code

    offer = {"company": str(company.id), "asset": "FLOWERS", "per": 3, "pays": "1", "most": "9",
             "closes_at": "2026-12-05T17:00Z"}  # fmt: skip
    path = f"campaigns/{world.campaign.id}/sponsorships"
    assert [post(path, offer, world.giver), post(path, offer, world.stewards[1])] == [403, 201]
    (contract,) = deed_queries.sponsorships(world.campaign.id)
    path = f"sponsorships/{contract.id}"
    assert post(f"{path}/accept", {}, world.stewards[1]) == 403
    assert post(f"{path}/accept", {}, world.officer) == 204
    assert post(f"{path}/receive", {}, world.officer) == 409
    shift = {
        "what": {"en": "Read"},
        "starts_at": "2026-11-26T09:00+08:00",
        "ends_at": "2026-11-26T11:00+08:00",
        "seats": 2,
    }
    path = f"campaigns/{world.campaign.id}/shifts"
    assert [post(path, shift, world.giver), post(path, shift, world.officer)] == [403, 201]
    (called,) = deed_queries.shifts(world.campaign.id)
    assert post(f"shifts/{called.id}/signup", {}, world.giver) == 204
    assert post(f"shifts/{called.id}/check-in", {}, world.giver) == 409
    with clock.stopped(called.starts_at):
        assert post(f"shifts/{called.id}/check-in", {}, world.giver) == 204
        said = {"person": str(world.giver.id), "minutes": 60}
        assert [post(f"shifts/{called.id}/hours", said, by) for by in (world.giver, world.officer)] == [403, 204]
        assert post(f"shifts/{called.id}/dispute", {"minutes": 121}, world.giver) == 422
        assert post(f"shifts/{called.id}/dispute", {"minutes": 120}, world.giver) == 204
        said["minutes"] = 100
        assert [post(f"shifts/{called.id}/decision", said, by) for by in (world.officer, world.stewards[0])] == [
            403,
            204,
        ]
    assert deed_queries.shift(called.id, world.giver.id).minutes == 100


def test_every_scheme_is_explained_on_its_page(client: Client, db: None) -> None:
    pages = [client.get(f"/{language}/giving/matching/").content.decode() for language in ("en", "zh")]
    for scheme in matching.SCHEMES:
        for page, title in zip(pages, (scheme.title.en, scheme.title.zh), strict=True):
            assert f'id="{scheme.name}"' in page and title in page


def test_whoever_gave_draws_the_lot_again(world: World, client: Client, company: Party) -> None:
    """Committed before, secret while open, then the page, the file and the command say the same."""
    lots = matching.RandomBoost(Fraction(3, 4), Fraction(1), matching.SOURCED_TIERS)
    promise = Promise(company.id, (world.campaign.id,), lots, (Slice(NOW + DAY, NOW + 2 * DAY, 90_000),),
                      Caps(donor_day=99_900))  # fmt: skip
    pool = matches.fund(world.officer, promise, "k")
    book = world.campaign.id
    with clock.stopped(NOW + DAY):
        drawing = put_in(world, 5_000, 6_000, 7_000)
        (late,) = put_in(world, 100)
        client.force_login(world.giver.login)
        open_page = client.get(f"/en/giving/{book}/pools/{pool}/draws/{drawing[0]}/").content.decode()
        found = pools.one(book, pool)
        assert found.commitment in open_page and "drawn when the pool has closed" in open_page
        assert pools.seed_of(found.secret).hex() not in open_page
        own = client.get(f"/en/giving/{book}/gifts/{drawing[0]}/").content.decode()
        assert f"/pools/{pool}/draws/{drawing[0]}/" in own
    with clock.stopped(NOW + 2 * DAY):
        seed = pools.seed_of(found.secret)
        assert hashlib.sha256(seed).hexdigest() == found.commitment
        made = {each.gift: each.amount for each in matching.match(
            pools.file(pools.one(book, pool), clock.now()).pool, pools.gifts(found, clock.now())
        )}  # fmt: skip
        client.logout()
        for gift in (*drawing, late):
            page = client.get(f"/zh/giving/{book}/pools/{pool}/draws/{gift}/").content.decode()
            u = hmac.new(seed, str(gift).encode(), "sha256").hexdigest()
            assert seed.hex() in page and u in page and str(world.giver.id) not in page
            assert (">抽中<" in page) == (made[str(gift)] > 0)
            assert f"{made[str(gift)] / 100:,.2f} 元" in page or not made[str(gift)]
        with clock.stopped(NOW + 10 * DAY):
            assert client.get(f"/en/giving/{book}/pools/{pool}/draws/{uuid.uuid4()}/").status_code == 404
    assert client.get(f"/en/giving/{book}/pools/{uuid.uuid4()}/draws/{late}/").status_code == 404


def test_a_pool_without_lots_has_no_draws(world: World, client: Client, company: Party) -> None:
    promise = proportional(company.id, world.campaign.id, Fraction(1), Slice(NOW + DAY, NOW + 2 * DAY, 10_000))
    pool = matches.fund(world.officer, promise, "k")
    with clock.stopped(NOW + DAY):
        (gift,) = put_in(world, 100)
        assert client.get(f"/en/giving/{world.campaign.id}/pools/{pool}/draws/{gift}/").status_code == 404


def test_the_page_shows_what_each_part_of_time_has_left(world: World, client: Client, company: Party) -> None:
    slices = even_slices(NOW + DAY, NOW + 4 * DAY, 9_000, 3)
    pool = matches.fund(
        world.officer, Promise(company.id, (world.campaign.id,), matching.Proportional(), slices), "k"
    )  # fmt: skip
    address = f"/en/giving/{world.campaign.id}/pools/{pool}/"

    def left() -> list[int | None]:
        found = pools.one(world.campaign.id, pool)
        return [each for _, each in left_by_slice(found.rules, found.free, clock.now())]

    assert left() == [3_000, 3_000, 3_000]
    with clock.stopped(NOW + DAY):
        put_in(world, 1_000)
        assert left() == [2_000, 3_000, 3_000]
        assert "20.00" in client.get(address).content.decode()
        put_in(world, 5_000)
        assert left() == [0, 3_000, 3_000]
    with clock.stopped(NOW + 2 * DAY):
        put_in(world, 500)
        assert left() == [None, 2_500, 3_000]
        page = client.get(address).content.decode()
        assert "over" in page and "25.00" in page
    with clock.stopped(NOW + 3 * DAY):
        assert left() == [None, None, 5_500], "what a part has left goes on to the next"


def test_teams_stand_on_the_page_of_a_pool_once_they_may_be_told(world: World, client: Client, company: Party) -> None:
    extra = matching.OnePlusX(Fraction(1, 2), (matching.Extra(Fraction(1, 4), team_of=3),))
    slices = even_slices(NOW + DAY, NOW + 4 * DAY, 9_000, 1)
    pool = matches.fund(world.officer, Promise(company.id, (world.campaign.id,), extra, slices), "k")
    address = f"/en/giving/{world.campaign.id}/pools/{pool}/"
    with clock.stopped(NOW + DAY):
        team = teams.found(world.giver, world.campaign.id, "Class of 2006")
        givers = [somebody(f"g{n}@test.example") for n in range(3)]
        for number, giver in enumerate(givers):
            page = client.get(address).content.decode()
            assert "3 people or more are matched with 0.25 more" in page and "Class of 2006" not in page
            wish = Give(world.campaign.id, giver.id, 1_000 + number, "CNY", COLLECTED, "t", team=team)
            gifts.give(wish)
    with clock.stopped(NOW + DAY + DAY / 12):
        teams.tell()
        page = client.get(address).content.decode()
        assert "Class of 2006" in page and "30.03" in page and "3 people" in page


def test_each_scheme_is_shown_with_an_example_that_is_computed(client: Client, db: None) -> None:
    page = client.get("/en/giving/matching/").content.decode()
    for name, example in examples().items():
        part = page[page.index(f'id="{name}"') :]
        part = part[: part.index("</section>")]
        for row in example.rows:
            assert f"{row.match.amount / 100:,.2f}" in part and row.giver.en in part
        assert example.ending.en in part
