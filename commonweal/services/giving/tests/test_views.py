"""Whatever a steward sees of what is sealed, personal or a note about somebody leaves an entry that stays."""

from __future__ import annotations

import hashlib
import itertools
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import URLPattern, reverse

from commonweal.kernel import clock
from commonweal.kernel.errors import Invalid, NotAllowed, NotFound
from commonweal.kernel.files.models import StoredFile
from commonweal.kernel.parties import people
from commonweal.kernel.parties.models import Party
from commonweal.kernel.text import Text
from commonweal.services.giving import pages
from commonweal.services.giving.actions import appeals, cases, givers, risk_notes, threads, vendors
from commonweal.services.giving.actions.threads import Opening
from commonweal.services.giving.queries import payouts as payout_queries
from commonweal.services.giving.queries import risk_notes as note_queries
from commonweal.services.giving.queries import risks
from commonweal.services.giving.queries.views import Views
from commonweal.services.giving.rules import receipts
from commonweal.services.giving.rules.appeals import Appeal
from commonweal.services.giving.rules.views import What
from commonweal.services.giving.tests.conftest import NOW, World, picture
from commonweal.services.giving.tests.test_orders import arrive, offer, order
from commonweal.services.giving.tests.test_payouts import approve, ask, put_in

CANARY = "Kanarienvogel"


@pytest.fixture(autouse=True)
def now() -> Iterator[None]:
    with clock.stopped(NOW):
        yield


@pytest.fixture
def values(world: World) -> dict[str, list[Any]]:
    """A world in which everything sealed sings, and what may stand in an address, by its name there."""
    (gift,) = put_in(world, 40_000)
    canary = Text(CANARY, CANARY)
    appeal = appeals.ask(world.giver, Appeal(canary, canary, "health", 100_00, (picture(11),)))
    thread = threads.begin(world.giver, world.campaign.id, Opening(CANARY, name=CANARY), "k")
    threads.call(world.giver, world.campaign.id, thread, CANARY)
    risk_notes.add(world.stewards[0], world.charity.id, world.campaign.id, CANARY, CANARY)
    givers.name_on_receipts(world.giver, receipts.taxpayer(CANARY, "530102199001010011"))
    people.write_personal(world.giver, {"name": CANARY})
    vendor = people.register_organisation(Text("Erhai Music", "洱海乐器"), "MUSIC-0001")
    people.grant_role(world.giver, people.OFFICER, vendor)
    vendors.admit(world.stewards[0], vendor.id, Text("Sheet music", "乐谱"), "a@b.example")
    ordered = order(world, vendor, (1, offer(world, vendor, 1_500), 4))
    approve(world, ordered)
    arrive(world, ordered, {1: 4})
    asked = ask(world, 9_000)
    objected = objection(world, gift)
    known: dict[str, list[Any]] = {
        "campaign": [world.campaign.id],
        "gift": [gift],
        "appeal": [appeal],
        "thread": [thread],
        "organisation": [world.charity.id],
        "charity": [world.charity.id],
        "company": [vendor.id],
        "vendor": [vendor.id],
        "request_id": [asked, ordered],
        "id": [ordered, asked, objected],
        "year": [2026],
        "month": [11],
        "after": [30],
        "number": [0, 1],
        "link": ["x"],
        "token": ["x"],
    }
    return known | {
        name: [uuid.uuid4()]
        for name in ("programme", "grant", "pool", "team", "shift", "bank", "book", "greeting", "case")
    }


def objection(world: World, gift: uuid.UUID) -> uuid.UUID:
    """The case of a giver who sings why their gift is to be matched, though two stewards say no."""
    with connection.cursor() as cursor:
        case = cases._open(cursor, world.campaign.id, "bot", None, 1, NOW)
        cases._name(cursor, case, [(world.campaign.id, gift)], NOW)
    for steward in world.stewards:
        cases.judge(steward, case, withholds=True, note="x")
    return cases.object_to(world.giver, case, world.campaign.id, gift, CANARY)


def addresses(values: dict[str, list[Any]]) -> Iterator[tuple[str, str]]:
    """Every address of the service: its name and a path. What stands in it has to be known above."""
    for pattern in pages.urlpatterns:
        assert isinstance(pattern, URLPattern)
        names = list(pattern.pattern.converters)
        unknown = set(names) - set(values)
        assert not unknown, f"the walk knows no value for {unknown} of {pattern.name}"
        for chosen in itertools.product(*(values[name] for name in names)):
            path = reverse(f"giving:{pattern.name}", kwargs=dict(zip(names, chosen, strict=True)))
            yield str(pattern.name), f"/en/giving/{path.partition('/giving/')[2]}"


def test_every_address_that_shows_a_steward_what_is_sealed_logs_it(
    client: Client, world: World, values: dict[str, list[Any]]
) -> None:
    (waiting,) = payout_queries.waiting()
    words = [CANARY, *(note.en for note in risks.notes(waiting))]
    assert len(words) > 2
    papers = {each.digest for each in StoredFile.objects.filter(public=False)}
    assert len(papers) == 3, "of an appeal, of an arrival, of payouts"
    client.force_login(world.stewards[0].login)
    shown, walked = set(), 0
    for name, path in addresses(values):
        before = len(Views())
        answer = client.get(path)
        content = b"".join(answer) if answer.streaming else answer.content
        walked += answer.status_code == 200
        text = content.decode(errors="replace")
        if hashlib.sha256(content).hexdigest() in papers or any(word in text for word in words):
            shown.add(name)
            assert len(Views()) > before, f"{name} shows a steward what is sealed and logs nothing"
    assert walked >= 40, "pages that open for a steward"
    assert shown == {"appeal", "appeal_paper", "payout", "evidence", "arrival_evidence", "thread", "risk_notes", "case"}
    assert {view.what for view in Views()[0:100]} == set(What)


def test_the_log_says_who_what_when_and_why_and_stays(
    client: Client, world: World, values: dict[str, list[Any]]
) -> None:
    client.force_login(world.stewards[0].login)
    client.get(f"/en/giving/risks/{world.charity.id}/")
    (view,) = Views()[0:10]
    assert (view.steward, view.what, view.subject, view.at) == (world.stewards[0].id, What.RISK, world.charity.id, NOW)
    client.force_login(world.stewards[1].login)
    for language, words in (
        ("en", ("Stewards&#x27; notes on a charity", "judge a charity", "Dali Mountains")),
        ("zh", ("审核员对机构的风险记录", "评估机构风险", "大理山里")),
    ):
        page = client.get(f"/{language}/giving/views/").content.decode()
        assert all(word in page for word in (*words, str(world.stewards[0].id), f"/fact/{view.fact}/"))
    client.force_login(world.officer.login)
    assert client.get("/en/giving/views/").status_code == 403
    for statement in ("DELETE FROM giving_view", "UPDATE giving_view SET what = ''", "DELETE FROM giving_risk_note"):
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


def test_what_is_public_or_ones_own_is_no_look(client: Client, world: World, values: dict[str, list[Any]]) -> None:
    appeal = values["appeal"][0]
    appeals.judge(world.stewards[0], appeal, shows=True)
    client.force_login(world.stewards[0].login)
    assert client.get(f"/en/giving/appeals/{appeal}/").status_code == 200
    client.force_login(world.officer.login)
    asked = values["request_id"][0]
    assert client.get(f"/en/giving/{world.campaign.id}/payouts/{asked}/evidence/0/").status_code == 200
    assert len(Views()) == 0


def test_notes_on_a_charity(client: Client, world: World) -> None:
    address = f"/en/giving/risks/{world.charity.id}/"
    client.force_login(world.stewards[0].login)
    assert client.post(address, {"note": "", "reason": "x"}).status_code == 422
    assert client.post(address, {"note": "x", "reason": ""}).status_code == 422
    sent = {"note": "<b>Same address as another charity</b>", "reason": "a tip", "campaign": str(world.campaign.id)}
    assert client.post(address, sent).status_code == 303
    assert client.post(address, sent | {"campaign": ""}).status_code == 303
    page = client.get(address).content.decode()
    assert "&lt;b&gt;Same address" in page and "a tip" in page
    assert "2 notes" in client.get("/en/giving/risks/").content.decode()
    assert [each.campaign for each in note_queries.of(world.charity.id)] == [None, world.campaign.id]
    client.force_login(world.officer.login)
    assert client.get(address).status_code == 403
    people.grant_role(world.officer, people.STEWARD)
    assert client.get(address).status_code == 403, "a steward of the charity does not see what others note on it"
    with pytest.raises(NotAllowed, match=r"risk\.own"):
        risk_notes.add(world.officer, world.charity.id, None, "fine", "x")
    with pytest.raises(NotFound, match=r"organisation\.unknown"):
        risk_notes.add(world.stewards[0], world.giver.id, None, "x", "x")
    with pytest.raises(Invalid, match=r"text\.too-long"):
        risk_notes.add(world.stewards[0], world.charity.id, None, "x" * 2_001, "x")
    other = people.register_organisation(Text("Other", "别家"), "OTHER-0001")
    with pytest.raises(NotFound, match=r"campaign\.unknown"):
        risk_notes.add(world.stewards[0], other.id, world.campaign.id, "x", "x")


def test_notes_hold_against_sql(world: World) -> None:
    other = people.register_organisation(Text("Other", "别家"), "OTHER-0001")
    for organisation, campaign, steward, why in (
        (other, world.campaign.id, world.stewards[0], "campaign of another charity"),
        (world.charity, None, world.officer, "not by a steward of others"),
    ):
        with pytest.raises(IntegrityError, match=why), transaction.atomic():
            _insert(organisation, campaign, steward)


def _insert(organisation: Party, campaign: uuid.UUID | None, steward: Party) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO giving_risk_note VALUES (%s, %s, %s, %s, '', now())",
            [uuid.uuid4(), organisation.id, campaign, steward.id],
        )
