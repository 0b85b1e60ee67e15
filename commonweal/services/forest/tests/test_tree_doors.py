"""The HTTP edge of seasons, plots and trees: pages in both languages, and the API."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from commonweal.kernel.errors import Conflict, NotAllowed
from commonweal.kernel.parties import people
from commonweal.kernel.parties.models import Party
from commonweal.services.forest import queries
from commonweal.services.forest.actions import certificates, groves
from commonweal.services.forest.queries import numbers, seasons
from commonweal.services.forest.queries.holdings import held
from commonweal.services.forest.tests.grove import Grove, give_energy, square

JSON = "application/json"


def token(party: Party) -> dict[str, str]:
    return {"Authorization": f"Bearer {people.make_token(party, 'test')}"}


def ask(client: Client, grove: Grove, body: Any, key: str = "k1") -> Any:
    headers = token(grove.person) | {"Idempotency-Key": key}
    return client.post("/api/v1/forest/trees", json.dumps(body), content_type=JSON, headers=headers)


def test_a_program_asks_for_a_tree_once(client: Client, grove: Grove) -> None:
    grove.contract()
    grove.fund()
    give_energy(grove.person.id, 17_900)
    made = ask(client, grove, {"season": grove.season})
    assert made.status_code == 201 and ask(client, grove, {"season": grove.season}).json() == made.json()
    assert made.json() | {"state": "promised", "seq": 1, "plot": "CF1"} == made.json()
    shown = client.get(f"/api/v1/forest/trees/{made.json()['number']}")
    assert shown.json() == made.json() and str(grove.person.id) not in shown.content.decode()
    short = ask(client, grove, {"season": grove.season}, "k2")
    assert (short.status_code, short.json()["code"]) == (409, "energy.short")
    for body, status in (
        ({"season": "2099S-oak"}, 404),
        ({"season": 7}, 422),
        ({"season": "x", "more": 1}, 422),
        ([], 422),
    ):
        assert ask(client, grove, body, "k3").status_code == status
    assert client.get("/api/v1/forest/trees/CF1-2027S-000001-!").status_code == 422


def test_the_five_numbers_are_open_to_everybody(client: Client, grove: Grove) -> None:
    grove.contract()
    grove.fund(positions=120)
    found = client.get("/api/v1/forest/plots").json()
    assert found["numbers"] == {"pledged": 300, "funded": 120, "planted": 0, "verified": 0, "alive": 0}
    assert found["plots"] == [client.get("/api/v1/forest/plots/CF1").json()]
    assert client.get("/api/v1/forest/plots/CF9").status_code == 404
    (season, *_) = client.get("/api/v1/forest/seasons").json()
    assert season | {"season": "2027S-saxaul", "open": True, "free": 120, "grams": 17_900} == season


@pytest.mark.parametrize("language", ["en", "zh"])
def test_from_energy_to_a_certificate_by_forms(client: Client, grove: Grove, language: str) -> None:
    grove.contract()
    grove.fund(positions=120)
    give_energy(grove.person.id, 20_000)
    assert client.get(f"/{language}/forest/trees/").status_code == 303
    client.force_login(grove.person.login)
    page = client.get(f"/{language}/forest/trees/").content.decode()
    assert "2027S-saxaul" in page and "120" in page
    made = client.post(f"/{language}/forest/trees/", {"season": grove.season, "key": "k"})
    assert made.status_code == 303
    tree = client.get(made["Location"])
    assert "CF1-2027S-000001" in tree.content.decode() and tree.content.decode().count("<h1") == 1
    again = client.post(f"/{language}/forest/trees/", {"season": grove.season, "key": "k2"})
    assert again.status_code == 409 and 'role="alert"' in again.content.decode()
    client.logout()
    for path in (f"/{language}/forest/plots/", f"/{language}/forest/plots/CF1/", made["Location"]):
        assert client.get(path).status_code == 200
    assert client.get(f"/{language}/forest/plots/NONE/").status_code == 404


def test_the_console_is_the_stewards(client: Client, grove: Grove) -> None:
    client.force_login(grove.person.login)
    assert client.get("/en/forest/console/").status_code == 403
    client.force_login(grove.steward.login)

    def send(**form: str) -> int:
        return client.post("/en/forest/console/", form).status_code

    assert send(word="open", half="2028a", species="pine", opens_at="2026-11-01", closes_at="2027-03-01") == 303
    assert send(word="open", half="2028a", species="pine", opens_at="2026-11-01", closes_at="soon") == 422
    assert send(word="site", partner=str(grove.partner.id), name_zh="宝塔", place_zh="延安") == 303
    outline = square(103.0, 38.0, 0.001_37, 0.001)
    there = {"word": "contract", "site": str(grove.site), "season": "2028A-pine", "code": "ya1", "outline": outline}
    assert send(**there, capacity="300") == 303
    assert send(**there, capacity="300") == 409
    assert send(**(there | {"outline": "{}", "code": "YA2"}), capacity="300") == 422
    paid = {"word": "fund", "plot": "YA1", "funder": str(grove.funder.id), "reference": "R-1"}
    assert send(**paid, positions="200", paid="1100.00") == 303
    assert send(**paid, positions="200", paid="1100.00") == 409
    assert send(**(paid | {"funder": "nobody"}), positions="1", paid="1") == 422
    assert numbers.of_all().funded == 200
    assert send(word="close", season="2028A-pine") == 303
    assert send(word="close", season="2099S-x") == 404
    assert send(word="else") == 422
    assert seasons.season("2028A-pine").closes_at < seasons.season(grove.season).closes_at
    page = client.get("/zh/forest/console/").content.decode()
    assert "YA1" in page and page.count("<h1") == 1


def test_the_house_finds_trees_plots_and_open_seasons(client: Client, grove: Grove) -> None:
    grove.contract()
    grove.fund(positions=120)
    give_energy(grove.person.id, 17_900)
    made = certificates.ask(grove.person, grove.season, "a")
    assert [hit.title.en for hit in queries.search(str(made.number).lower(), 5)] == [str(made.number)]
    assert (
        [hit.title.en for hit in queries.search("minqin", 5)]
        == ["Plot CF1: saxaul"]
        == [hit.title.en for hit in queries.search("民勤", 5)]
    )
    assert not queries.search("nowhere", 5) and not queries.search(" ", 5) and not queries.headline()
    (card,) = queries.needed_now()
    assert (card.value, card.goal) == (1, 120)
    assert len(queries.public_pages()) == 2


def test_a_grove_plants_a_tree_of_all_its_members(client: Client, grove: Grove) -> None:
    """The founder asks, the grove's energy pays, and the certificate is the grove's."""
    grove.contract()
    grove.fund()
    together = groves.found(grove.person, "林")
    groves.join(grove.officer, groves.invite(grove.person, together))
    for who, grams in ((grove.person, 10_000), (grove.officer, 8_000)):
        give_energy(who.id, grams)
        groves.put_in(who, together, grams, f"k-{grams}")
    with pytest.raises(NotAllowed):
        groves.plant(grove.officer, together, grove.season, "t1")
    made = groves.plant(grove.person, together, grove.season, "t1")
    assert groves.plant(grove.person, together, grove.season, "t1").number == made.number
    assert (made.owner, held(together)) == (together, 100)
    with pytest.raises(Conflict, match=r"energy\.short"):
        groves.plant(grove.person, together, grove.season, "t2")
    assert sum(groves.end(grove.person, together).values()) == 100
