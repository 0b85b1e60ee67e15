"""A person's appeal: apart from fundraising, capped, checked, adopted by a charity, gone when they are forgotten."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client

from commonweal.kernel import clock
from commonweal.kernel.errors import Conflict, Invalid, NotAllowed, NotFound
from commonweal.kernel.notices.inbox import inbox
from commonweal.kernel.parties import people
from commonweal.kernel.parties.erasure import forget
from commonweal.kernel.text import Text
from commonweal.services.giving import jobs
from commonweal.services.giving.actions import appeals
from commonweal.services.giving.queries import appeals as queries
from commonweal.services.giving.rules.appeals import CAP, WARNING, Appeal, State
from commonweal.services.giving.tests.conftest import NOW, World, picture


@pytest.fixture(autouse=True)
def now() -> Iterator[None]:
    with clock.stopped(NOW):
        yield


def wish(amount: int = 50_000_00, evidence: tuple[bytes, ...] | None = None, topic: str = "health") -> Appeal:
    papers = (picture(),) if evidence is None else evidence
    return Appeal(Text("A new hip", "换髋关节"), Text("I fell in spring.", "春天摔了一跤。"), topic, amount, papers)


def ask(world: World) -> uuid.UUID:
    return appeals.ask(world.giver, wish())


def test_asked_checked_shown_and_adopted(world: World) -> None:
    id = ask(world)
    assert queries.public() == []
    assert [each.id for each in queries.waiting()] == [id]
    with pytest.raises(Conflict, match=r"appeal\.not-shown"):
        appeals.adopt(world.officer, id, world.campaign.id)
    appeals.judge(world.stewards[0], id, shows=True)
    assert [each.id for each in queries.public()] == [id]
    with pytest.raises(Conflict, match=r"appeal\.judged"):
        appeals.judge(world.stewards[1], id, shows=False, note="Too late")
    appeals.adopt(world.officer, id, world.campaign.id)
    found = queries.appeal(id)
    assert (found.state, found.campaign) == (State.ADOPTED, world.campaign.id)
    assert [each.id for each in queries.adopted_by(world.campaign.id)] == [id]
    with pytest.raises(Conflict, match=r"appeal\.not-shown"):
        appeals.adopt(world.officer, id, world.campaign.id)
    jobs.tell_appeal(appeal=str(id))
    assert inbox(world.giver)[0].title.en == "Your appeal: Adopted by a charity"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"amount": CAP + 1}, "amount.too-large"),
        ({"amount": 0}, "amount.too-small"),
        ({"evidence": ()}, "evidence.number"),
        ({"evidence": (b"<script>",)}, "picture.form"),
        ({"topic": "yachts"}, "plan.topic"),
    ],
)
def test_what_cannot_be_asked(world: World, changes: dict[str, object], code: str) -> None:
    with pytest.raises(Invalid) as refused:
        appeals.ask(world.giver, wish(**changes))  # type: ignore[arg-type]
    assert refused.value.code == code
    assert queries.of(world.giver.id) == []


def test_the_cap_and_the_check_hold_against_sql(world: World) -> None:
    id = ask(world)
    with connection.cursor() as cursor:
        with pytest.raises(IntegrityError), transaction.atomic():
            cursor.execute("UPDATE giving_appeal SET amount = %s WHERE id = %s", [CAP + 1, id])
        with pytest.raises(IntegrityError, match="has not been checked"), transaction.atomic():
            cursor.execute(
                "INSERT INTO giving_adoption (appeal, campaign, officer, fact, at) VALUES (%s, %s, %s, %s, %s)",
                [id, world.campaign.id, world.officer.id, id, NOW],
            )
        with pytest.raises(IntegrityError, match="not judged by whom it is from"), transaction.atomic():
            cursor.execute(
                "INSERT INTO giving_appeal_word (appeal, steward, shows, note, fact, at)"
                " VALUES (%s, %s, true, '', %s, %s)",
                [id, world.giver.id, id, NOW],
            )


def test_one_at_a_time_and_nobody_judges_or_withdraws_for_another(world: World) -> None:
    id = ask(world)
    with pytest.raises(Conflict, match=r"appeal\.one"):
        ask(world)
    with pytest.raises(NotAllowed):
        appeals.judge(world.officer, id, shows=True)
    people.grant_role(world.giver, people.STEWARD)
    with pytest.raises(NotAllowed, match=r"appeal\.own"):
        appeals.judge(world.giver, id, shows=True)
    with pytest.raises(NotFound):
        appeals.withdraw(world.officer, id)
    appeals.withdraw(world.giver, id)
    assert queries.appeal(id).state is State.WITHDRAWN
    assert ask(world) != id


def test_whoever_is_forgotten_takes_the_words_along(world: World) -> None:
    id = ask(world)
    appeals.judge(world.stewards[0], id, shows=True)
    forget(world.giver.id)
    assert queries.public() == []
    with pytest.raises(NotFound, match=r"appeal\.unknown"):
        queries.appeal(id)


def test_the_page_warns_and_takes_no_money(client: Client, world: World) -> None:
    id = ask(world)
    assert client.get(f"/en/giving/appeals/{id}/").status_code == 404, "not before it is checked"
    client.force_login(world.stewards[0].login)
    assert client.get(f"/en/giving/appeals/{id}/papers/0/").status_code == 200
    assert client.post(f"/en/giving/appeals/{id}/judge/", {"word": "decline", "note": ""}).status_code == 422
    assert client.post(f"/en/giving/appeals/{id}/judge/", {"word": "show"}).status_code == 303
    client.logout()
    for language in ("en", "zh"):
        page = client.get(f"/{language}/giving/appeals/{id}/").content.decode()
        assert WARNING.say(language) in page
        assert "/give/" not in page
        assert WARNING.say(language) in client.get(f"/{language}/giving/appeals/").content.decode()
    assert client.get(f"/en/giving/appeals/{id}/papers/0/").status_code == 404
    client.force_login(world.officer.login)
    assert "Adopt" in client.get(f"/en/giving/appeals/{id}/").content.decode()
    answer = client.post(f"/en/giving/appeals/{id}/adopt/", {"campaign": str(world.campaign.id)})
    assert answer.status_code == 303
    assert str(world.campaign.id) in client.get(f"/en/giving/appeals/{id}/").content.decode()


def test_asking_through_the_form(client: Client, world: World) -> None:
    client.force_login(world.giver.login)
    form = {"title_zh": "换髋关节", "story_zh": "春天摔了一跤。<script>", "topic": "health", "amount": "300000.01"}
    assert client.get("/zh/giving/appeals/ask/").status_code == 200
    refused = client.post("/zh/giving/appeals/ask/", form)
    assert refused.status_code == 422
    assert "300,000.00" in refused.content.decode()
