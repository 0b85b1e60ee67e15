"""Access on a real database and over HTTP: reports change routes everywhere, limits stay private."""

from __future__ import annotations

import io
import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from commonweal.kernel import clock
from commonweal.kernel.errors import Conflict, NotFound
from commonweal.kernel.parties import people
from commonweal.kernel.parties.models import Login
from commonweal.services.access import actions, checker, jobs, queries
from commonweal.services.access.actions import Sighting
from commonweal.services.access.graph.answer import route
from commonweal.services.access.graph.router import Router
from commonweal.services.access.models import OwnProfile, Report
from commonweal.services.access.rules import PROFILES
from commonweal.services.access.seed import DISTRICT
from commonweal.services.access.tests.world import (
    BRIDGE,
    LIBRARY,
    MANUAL,
    NOW,
    SCHOOL,
    somebody,
)


def walked(answer: dict[str, Any]) -> list[int]:
    return [node for segment in answer["segments"] for node in segment["nodes"]]


def middle_of(answer: dict[str, Any]) -> tuple[float, float]:
    line = answer["geometry"]["coordinates"]
    (one, two) = line[len(line) // 2 - 1 : len(line) // 2 + 1]
    return (one[1] + two[1]) / 2, (one[0] + two[0]) / 2


def test_the_district_shows_what_the_service_can_do(home: Path) -> None:
    router = Router.open(home / "access" / "district")
    raw = checker.Raw(DISTRICT)
    lengths = {}
    for name, (profile, _) in PROFILES.items():
        answer = route(router, profile, SCHOOL, LIBRARY)
        assert answer["status"] == "ok", (name, answer["text"])
        assert checker.check(json.loads(json.dumps(answer["certificate"])), raw) == []
        lengths[name] = answer["length_m"]
    assert lengths["cane"] < lengths["manual"]


def test_a_trusted_report_changes_routes_in_every_process_and_after_a_restart(world: None) -> None:
    steward = somebody("steward@x.example")
    people.grant_role(steward, people.STEWARD)
    region = queries.region_of(SCHOOL, LIBRARY)
    before = route(queries.router(region), MANUAL, SCHOOL, LIBRARY)
    place = middle_of(before)
    other = Router.open(region.folder)  # another process
    queries._catch_up(region.name, other)
    made = actions.report(steward, Sighting("works", *place, "k1"))
    assert queries.report(made).standing == "confirmed"
    queries._catch_up(region.name, other)
    for router in (queries.router(region), other):
        assert route(router, MANUAL, SCHOOL, LIBRARY).get("segments") != before["segments"]
    queries._routers().clear()  # a restart
    assert route(queries.router(region), MANUAL, SCHOOL, LIBRARY).get("segments") != before["segments"]


def test_one_report_is_a_caution_two_people_take_it_away(world: None) -> None:
    one, two, three = (somebody(f"{name}@x.example") for name in ("one", "two", "three"))
    region = queries.region_of(SCHOOL)
    before = route(queries.router(region), MANUAL, SCHOOL, LIBRARY)
    made = actions.report(one, Sighting("works", *middle_of(before), "k1"))
    assert queries.report(made).standing == "doubted"
    assert route(queries.router(region), MANUAL, SCHOOL, LIBRARY).get("segments") != before["segments"]
    assert actions.say(two, made, present=False) != "cleared"
    assert actions.say(one, made, present=False) != "cleared" or queries.report(made).votes == 2
    assert actions.say(three, made, present=False) == "cleared"
    assert route(queries.router(region), MANUAL, SCHOOL, LIBRARY)["segments"] == before["segments"]


def test_the_same_key_is_the_same_report_and_there_is_a_limit(world: None) -> None:
    party = somebody("one@x.example")
    first = actions.report(party, Sighting("parked", *BRIDGE, "k1"))
    assert actions.report(party, Sighting("parked", *BRIDGE, "k1")) == first
    for number in range(actions.MOST_REPORTS_A_DAY - 1):
        actions.report(party, Sighting("parked", *BRIDGE, f"more-{number}"))
    with pytest.raises(Conflict, match=r"report\.too-many"):
        actions.report(party, Sighting("parked", *BRIDGE, "too-many"))


def test_reports_fade_with_their_half_life(world: None) -> None:
    party = somebody("one@x.example")
    made = actions.report(party, Sighting("parked", *BRIDGE, "k1"))
    with clock.stopped(NOW + timedelta(hours=5)):
        assert actions.fade(made) == "doubted"
    with clock.stopped(NOW + timedelta(hours=11)):
        assert actions.fade(made) == "cleared"


def test_the_clerk_finds_what_has_faded_and_nothing_else(world: None) -> None:
    party = somebody("one@x.example")
    parked, works = (actions.report(party, Sighting(kind, *BRIDGE, kind)) for kind in ("parked", "works"))
    assert queries.faded() == []
    with clock.stopped(NOW + timedelta(hours=11)):
        assert queries.faded() == [parked]
        jobs.settle.do(str(parked))
        assert queries.faded() == [] and queries.report(parked).standing == "cleared"
        assert queries.report(works).standing == "doubted"


def test_limits_are_kept_sealed_and_are_gone_with_the_person(world: None) -> None:
    party = somebody("one@x.example")
    made = actions.keep_profile(party, PROFILES["scooter"][0])
    assert queries.own_profile(party, made).width == 100
    assert b"scooter" not in bytes(OwnProfile.objects.get(pk=made).sealed)
    with pytest.raises(NotFound):
        queries.own_profile(somebody("two@x.example"), made)
    actions.forget(party.id)
    assert not OwnProfile.objects.exists()


def test_the_page_answers_in_both_languages_and_keeps_the_question_out_of_the_address(
    world: None, client: Client
) -> None:
    for language, word in (("zh", "分钟"), ("en", "minutes")):
        assert client.get(f"/{language}/access/").status_code == 200
        form = {"from": "29.600674,123.400775", "to": "同心图书馆", "profile": "manual", "unknown": "cautious"}
        response = client.post(f"/{language}/access/", form)
        page = response.content.decode()
        assert response.status_code == 200 and word in page and 'class="way"' in page


def test_a_refusal_is_never_drawn_as_a_route(world: None, client: Client) -> None:
    form = {"from": "29.600674,123.400775", "to": "29.604452,123.405373", "profile": "manual", "unknown": "strict"}
    page = client.post("/zh/access/", form).content.decode()
    assert "没有适合您的路线" in page and 'class="way"' not in page


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"from": "nan,nan", "to": "1,1"}, 422),
        ({"from": "91,0", "to": "1,1"}, 422),
        ({"from": "59.91,10.78", "to": "59.92,10.79"}, 404),
        ({"from": "29.6006,123.4007", "to": "29.6006,123.4007", "profile": "rollerskates"}, 422),
        ({}, 422),
    ],
)
def test_bad_questions_are_refused_on_the_form(world: None, client: Client, form: dict[str, str], status: int) -> None:
    response = client.post("/zh/access/", form)
    assert response.status_code == status
    assert 'role="alert"' in response.content.decode() or "error" in response.content.decode()


def test_every_page_answers(world: None, client: Client) -> None:
    party = somebody("one@x.example")
    made = actions.report(party, Sighting("works", *BRIDGE, "k1"))
    paths = [
        "",
        "places/?q=图书馆",
        "reports/",
        f"reports/{made}/",
        "cities/",
        "cities/district/",
        "cities/district/?profile=power",
    ]
    for path in paths:
        for language in ("zh", "en"):
            response = client.get(f"/{language}/access/{path}")
            assert response.status_code == 200, path
            assert len(response.content) < 200_000
    assert client.get("/zh/access/cities/atlantis/").status_code == 404
    client.force_login(Login.objects.get(email="one@x.example"))
    assert client.get("/zh/access/reports/new/").status_code == 200
    response = client.post("/zh/access/profiles/", {"name": "我的轮椅", "base": "power"})
    assert response.status_code == 303
    page = client.get(response["Location"])
    assert page.status_code == 200 and "我的轮椅" in page.content.decode()
    fields = dict(re.findall(r'name="(\w+)"[^>]*value="([^"]*)"', page.content.decode()))
    fields.pop("drop")
    kept = {**fields, "width": "1e308", "surface": "smooth", "smoothness": "good", "unknown": "strict"}
    assert client.post(response["Location"], kept).status_code == 422
    assert client.post(response["Location"], kept | {"width": "70"}).status_code == 303
    assert (
        client.post(
            "/zh/access/",
            {"from": "29.600674,123.400775", "to": "同心图书馆", "profile": response["Location"].split("/")[-2]},
        ).status_code
        == 200
    )


def test_the_api_answers_with_a_certificate_and_refuses_what_is_no_question(world: None, client: Client) -> None:
    ends = {"start": {"lat": SCHOOL[0], "lon": SCHOOL[1]}, "goal": {"lat": LIBRARY[0], "lon": LIBRARY[1]}}

    def ask(**more: Any) -> Any:
        return client.post("/api/v1/access/route", json.dumps(ends | more), content_type="application/json")

    answer = ask().json()
    assert answer["status"] == "ok" and checker.check(answer["certificate"], checker.Raw(DISTRICT)) == []
    assert ask(profile={"base": "manual", "width": 60}).json()["length_m"] <= answer["length_m"]
    assert ask(profile={"width": -1}).status_code == 422
    assert ask(profile={"width": "NaN"}).status_code == 422
    assert ask(start={"lat": 123.4, "lon": 29.6}).status_code == 422
    assert ask(start={"lat": 59.9, "lon": 10.7}).status_code == 404
    around = client.post(
        "/api/v1/access/reach", json.dumps({"start": ends["start"], "minutes": 5}), content_type="application/json"
    )
    assert around.json()["metres"] > 100
    assert client.get("/api/v1/access/regions").json()[0]["name"] == "district"
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM access_report")
        assert cursor.fetchone()[0] == 0


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_report_with_a_photograph_keeps_it_blurred_or_is_refused(
    world: None, client: Client, monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    from django.core.files.uploadedfile import SimpleUploadedFile

    from commonweal.kernel.files import faces
    from commonweal.kernel.files.tests.test_faces import street

    somebody("one@x.example")
    client.force_login(Login.objects.get(email="one@x.example"))
    sent = io.BytesIO()
    street((100, 100, 200)).save(sent, "JPEG")

    def tell(key: str) -> Any:
        photo = SimpleUploadedFile("p.jpg", sent.getvalue(), "image/jpeg")
        form = {"kind": "works", "place": f"{BRIDGE[0]},{BRIDGE[1]}", "key": key, "picture": photo}
        return client.post(f"/{language}/access/reports/new/", form)

    monkeypatch.setattr(faces, "can_find", lambda: False)
    refused = tell("k1")
    assert refused.status_code == 422 and {"zh": "人脸", "en": "blurs faces"}[language] in refused.content.decode()
    assert not Report.objects.exists()
    monkeypatch.undo()
    page = client.get(tell("k2")["Location"]).content.decode()
    assert re.search(r'<img src="/files/[0-9a-f]{64}/800"', page)
