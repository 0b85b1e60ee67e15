"""Donated things stand unused: asked after, answered with pictures, overdue in public, passed on."""

from __future__ import annotations

import base64
import json
import re
import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, connection, transaction
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from commonweal.kernel import clock
from commonweal.kernel.errors import Conflict, Invalid, NotAllowed, NotFound
from commonweal.kernel.notices.inbox import inbox
from commonweal.kernel.parties.models import Party
from commonweal.kernel.text import Text
from commonweal.services.giving import jobs
from commonweal.services.giving.actions import endings, uses
from commonweal.services.giving.queries import deadlines
from commonweal.services.giving.queries import uses as queries
from commonweal.services.giving.rules import uses as rules
from commonweal.services.giving.rules.uses import Answer, Standing
from commonweal.services.giving.tests.conftest import DAY, NOW, World, picture, somebody
from commonweal.services.giving.tests.test_doors import JSON, token
from commonweal.services.giving.tests.test_endings import another
from commonweal.services.giving.tests.test_payouts import ask, pay_out, put_in

WHY = Text("Nobody has unpacked it.", "一直没有拆封。")
IN_USE = Answer(Standing.IN_USE, Text("Every week.", "每周都在弹。"), (picture(),))


@pytest.fixture(autouse=True)
def now() -> Iterator[None]:
    with clock.stopped(NOW):
        yield


def bought(world: World, days: int = 0) -> uuid.UUID:
    put_in(world, 5_000)
    request = pay_out(world, 5_000, "a")
    if days:
        with clock.stopped(NOW + days * DAY):
            jobs.disclosure()
    return request


def test_use_is_asked_for_after_30_90_and_365_days(world: World) -> None:
    request = bought(world)
    with pytest.raises(Conflict, match=r"use\.not-asked"):
        uses.answer(world.officer, world.campaign.id, request, 30, IN_USE)
    for days, asked in ((29, 0), (30, 1), (90, 2), (365, 3)):
        with clock.stopped(NOW + timedelta(days=days)):
            jobs.disclosure()
            jobs.disclosure()
        assert len(queries.of_payout(world.campaign.id, request)) == asked
        assert [message.kind for message in inbox(world.officer)].count("giving.use") == asked


def test_the_receiving_side_answers_once_with_pictures_and_the_givers_are_told(world: World) -> None:
    request = bought(world, 30)
    with pytest.raises(NotAllowed):
        uses.answer(world.giver, world.campaign.id, request, 30, IN_USE)
    with pytest.raises(Invalid, match=r"use\.picture"):
        uses.answer(world.officer, world.campaign.id, request, 30, Answer(Standing.PARTLY, IN_USE.said, ()))
    with pytest.raises(Invalid, match=r"picture"):
        uses.answer(world.officer, world.campaign.id, request, 30, Answer(Standing.PARTLY, IN_USE.said, (b"MZ",)))
    teacher, link = somebody("school@test.example"), uses.link(world.officer, world.campaign.id, request)
    with pytest.raises(Invalid, match=r"link\.form"):
        uses.answer(teacher, world.campaign.id, request, 30, IN_USE, link[:-3])
    uses.answer(teacher, world.campaign.id, request, 30, IN_USE, link)
    with pytest.raises(Conflict, match=r"use\.not-asked"):
        uses.answer(world.officer, world.campaign.id, request, 30, IN_USE)
    (use,) = queries.of_payout(world.campaign.id, request)
    assert (use.standing, use.said, len(use.pictures), use.overdue) == (Standing.IN_USE, IN_USE.said, 1, False)
    jobs.tell_use(campaign=str(world.campaign.id), request=str(request), after=30)
    assert [each.kind for each in inbox(world.giver)] == ["giving.use"]
    for change in ("UPDATE giving_use SET said_en = 'x'", "DELETE FROM giving_use"):
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(change)


@given(st.timedeltas(timedelta(0), timedelta(days=90)), st.booleans())
def test_a_question_is_overdue_after_thirty_days(passed: timedelta, answered: bool) -> None:
    assert rules.overdue(NOW, answered, NOW + passed) == (passed >= timedelta(days=30) and not answered)


def test_overdue_is_shown_to_everybody_and_stands_among_the_deadlines(world: World, client: Client) -> None:
    request = bought(world, 30)
    campaign, payout = f"/zh/giving/{world.campaign.id}/", f"/zh/giving/{world.campaign.id}/payouts/{request}/"
    with clock.stopped(NOW + 59 * DAY):
        assert "逾期" not in client.get(payout).content.decode()
        assert [each.late for each in deadlines.of_organisations([world.charity.id])] == [False, False]
    with clock.stopped(NOW + 60 * DAY):
        assert "逾期未答" in client.get(payout).content.decode()
        assert "使用情况逾期未说明" in client.get(campaign).content.decode()
        assert [each.request for each in queries.to_look_at()] == [request]
        (told,) = client.get(f"/api/v1/giving/campaigns/{world.campaign.id}/payouts/{request}/uses").json()
        assert (told["overdue"], told["standing"]) == (True, None)


def test_a_steward_marks_what_stands_idle_and_passes_it_on(world: World) -> None:
    request = bought(world, 30)
    target, steward = another(world), world.stewards[0]
    uses.answer(world.officer, world.campaign.id, request, 30, Answer(Standing.IDLE, WHY, ()))
    assert [each.request for each in queries.to_look_at()] == [request]
    with pytest.raises(NotAllowed):
        uses.mark_idle(world.officer, world.campaign.id, request, WHY)
    with pytest.raises(Conflict, match=r"use\.not-idle"):
        uses.move(steward, world.campaign.id, request, target.id, WHY)
    put_in(world, 1_000)
    with pytest.raises(Conflict, match=r"use\.not-paid"):
        uses.mark_idle(steward, world.campaign.id, ask(world, 500, "b"), WHY)
    uses.mark_idle(steward, world.campaign.id, request, WHY)
    with pytest.raises(Conflict, match=r"use\.idle"):
        uses.mark_idle(steward, world.campaign.id, request, WHY)
    assert queries.to_look_at() == [] and [each.request for each in queries.stands_idle()] == [request]
    for nowhere in (world.campaign.id, uuid.uuid4()):
        with pytest.raises(NotFound, match=r"campaign\.unknown"):
            uses.move(steward, world.campaign.id, request, nowhere, WHY)
    uses.move(steward, world.campaign.id, request, target.id, WHY)
    with pytest.raises(Conflict, match=r"use\.moved"):
        uses.move(steward, world.campaign.id, request, target.id, WHY)
    assert queries.stands_idle() == [] and [each.request for each in queries.passed_on_to(target.id)] == [request]


def test_nothing_goes_to_a_campaign_that_is_over(world: World) -> None:
    request, target = bought(world), another(world)
    uses.mark_idle(world.stewards[0], world.campaign.id, request, WHY)
    endings.stop(world.stewards[0], target.id, WHY)
    with pytest.raises(Conflict, match=r"campaign\.stopped"):
        uses.move(world.stewards[0], world.campaign.id, request, target.id, WHY)


def upload() -> SimpleUploadedFile:
    return SimpleUploadedFile("piano.png", picture(), "image/png")


def test_the_pages_of_use(world: World, client: Client) -> None:
    request = bought(world, 90)
    payout = f"/en/giving/{world.campaign.id}/payouts/{request}/"
    client.force_login(world.officer.login)
    page = client.get(f"{payout}use/30/").content.decode()
    link = re.search(r'href="([^"]+/uses/[^"]+/30/)"', page)
    assert link is not None
    form = {"standing": "in-use", "said_zh": "每周都在弹。"}
    for wrong in ({"standing": "lost"}, {"said_zh": ""}, {}):
        sent = form | wrong | ({"pictures": upload()} if wrong else {})
        assert client.post(f"{payout}use/30/", sent).status_code == 422
    assert client.post(f"{payout}use/30/", form | {"pictures": upload()}).status_code == 303
    assert client.post(f"{payout}use/30/", form | {"pictures": upload()}).status_code == 409
    client.force_login(world.giver.login)
    assert client.get(f"{payout}use/90/").status_code == 404
    assert client.get(link[1].replace("/30/", "/90/")).status_code == 200
    idle = {"standing": "idle", "said_zh": "琴盖着布。"}
    assert client.post(link[1].replace("/30/", "/90/"), idle).status_code == 303
    with connection.cursor() as cursor:
        cursor.execute("SELECT gift FROM giving_payment")
        (gift,) = cursor.fetchone()
    receipt = client.get(f"/en/giving/{world.campaign.id}/gifts/{gift}/").content.decode()
    assert "每周都在弹。" in receipt and "琴盖着布。" in receipt and "/files/" in receipt
    assert client.get("/en/giving/uses/").status_code == 403
    client.force_login(world.stewards[0].login)
    assert "Stands idle" in client.get("/en/giving/uses/").content.decode()
    target = another(world)
    assert client.post(f"{payout}idle/", {"note_zh": ""}).status_code == 422
    assert client.post(f"{payout}idle/", {"note_zh": "未拆封", "word": "idle"}).status_code == 303
    assert client.post(f"{payout}idle/", {"note_zh": "转出", "word": "move", "target": "x"}).status_code == 422
    assert target.title_en in client.get(payout).content.decode()
    moved = {"note_zh": "转给需要的学校", "word": "move", "target": str(target.id)}
    assert client.post(f"{payout}idle/", moved).status_code == 303
    assert "转给需要的学校" in client.get(f"/en/giving/{target.id}/").content.decode()
    client.force_login(world.giver.login)
    assert "转给需要的学校" in client.get(f"/en/giving/{world.campaign.id}/gifts/{gift}/").content.decode()


def test_programs_answer_and_mark(world: World, client: Client) -> None:
    request, target = bought(world, 30), another(world)
    base = f"/api/v1/giving/campaigns/{world.campaign.id}/payouts/{request}/"

    def post(path: str, body: dict[str, Any], by: Party) -> int:
        return client.post(base + path, json.dumps(body), content_type=JSON, headers=token(by)).status_code

    paper = base64.b64encode(picture()).decode()
    said = {"standing": "partly", "said": {"en": "At times."}, "pictures": [paper]}
    assert [post("uses/30", said, by) for by in (world.giver, world.officer, world.officer)] == [403, 204, 409]
    note = {"note": {"en": "It is covered."}}
    assert [post("idle", note, by) for by in (world.officer, world.stewards[0])] == [403, 204]
    moved = note | {"target": str(target.id)}
    assert [post("move", moved, by) for by in (world.officer, world.stewards[0], world.stewards[0])] == [403, 204, 409]
    assert client.get(base + "uses").json()[0]["pictures"][0].startswith("/files/")
