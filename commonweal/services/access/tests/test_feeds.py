"""Lifts out of service and works, from the mouth of an authority: every form, every effect on a route."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from google.transit import gtfs_realtime_pb2

from commonweal.kernel import clock
from commonweal.kernel.errors import Invalid, NotAllowed, NotFound, TooLarge
from commonweal.kernel.parties import people
from commonweal.kernel.text import Text
from commonweal.services.access import actions, feeds, jobs, queries
from commonweal.services.access.graph.answer import route
from commonweal.services.access.graph.easing import change
from commonweal.services.access.models import Feed
from commonweal.services.access.tests.world import LIBRARY, MANUAL, NORTH_LIFT, NOW, SCHOOL, SOUTH_LIFT, somebody

STOPS = {"bridge": [*NORTH_LIFT]}
OVER, UNDER = (29.60303, 123.4036), (29.60236, 123.4036)
"""On both pavements of the avenue beside the footbridge with its two lifts."""


def alert(*stops: str, effect: int = 11, start: int = 0, end: int = 0) -> bytes:
    message = gtfs_realtime_pb2.FeedMessage()
    message.header.gtfs_realtime_version = "2.0"
    entity = message.entity.add(id="a1")
    entity.alert.effect = effect
    entity.alert.header_text.translation.add(text="北侧电梯停运", language="zh")
    for stop in stops:
        entity.alert.informed_entity.add(stop_id=stop)
    if start or end:
        entity.alert.active_period.add(start=start, end=end)
    return bytes(message.SerializeToString())


def fasta(state: str, place: tuple[float, float] = NORTH_LIFT) -> bytes:
    lat, lon = place
    return json.dumps(
        [{"equipmentnumber": 7, "type": "ELEVATOR", "state": state, "geocoordX": lon, "geocoordY": lat}]
    ).encode()


def works(*lines: list[list[float]], **properties: Any) -> bytes:
    features = [
        {
            "type": "Feature",
            "id": f"w{k}",
            "geometry": {"type": "LineString", "coordinates": line},
            "properties": properties,
        }
        for k, line in enumerate(lines)
    ]
    return json.dumps({"type": "FeatureCollection", "features": features}).encode()


def a_feed(form: str, **more: Any) -> Feed:
    return actions.open_feed(Feed(name="city", title="市交通局", region="district", form=form, **more))


def ask(profile: Any = MANUAL, start: Any = SCHOOL, goal: Any = LIBRARY) -> dict[str, Any]:
    return route(queries.router(queries.region("district")), profile, start, goal)


def closed_lifts() -> set[int]:
    """The nodes of lifts that are closed to one who takes lifts and any doubt."""
    router = queries.router(queries.region("district"))
    flags = router.compiled(change(MANUAL, "unknown", "permissive")).flags
    a = router.arrays
    return {
        int(a.v_node[v])
        for v in range(len(a.v_node))
        if int(a.v_node[v]) in (63, 66) and not (flags[a.a_arc[a.a_first[v] : a.a_first[v + 1]]] & 2).all()
    }


def test_a_lift_out_of_service_closes_at_once_fades_and_opens_again(world: None) -> None:
    a_feed("fasta")
    assert actions.take("city", fasta("INACTIVE")) == actions.Taken(1, 0, 0)
    assert closed_lifts() == {63}
    assert actions.take("city", fasta("ACTIVE")) == actions.Taken(0, 0, 1)
    assert closed_lifts() == set()
    actions.take("city", fasta("INACTIVE"))
    for hours, standing in ((12, "confirmed"), (24, "doubted"), (48, "cleared")):
        with clock.stopped(NOW + timedelta(hours=hours)):
            jobs.fade.do()
            live = queries.standing_near("district", NORTH_LIFT, 10)
            assert [one.standing for one in live] == ([standing] if standing != "cleared" else [])


def test_a_closed_lift_refuses_with_its_source(world: None, tmp_path: Path) -> None:
    from commonweal.services.access.graph.live import place
    from commonweal.services.access.tests.town import Town

    foot = "highway=footway surface=asphalt smoothness=good width=2 incline=0%"
    town = Town(tmp_path, "A..B..C", {"ABC": foot}, {"B": "highway=elevator"})
    lift = place(town.router, "x", "lift", "confirmed", [town.at["B"]], source="市交通局", since="2026-11-25")
    town.router.overlay.apply([(1, lift)])
    answer = route(town.router, MANUAL, town.at["A"], town.at["C"])
    (reason,) = answer["reasons"]
    assert answer["code"] == "route.closed" and "geometry" not in answer
    assert (reason["attribute"], reason["source"], reason["date"]) == ("lift", "市交通局", "2026-11-25")
    assert "电梯：停运（市交通局，2026-11-25）" in answer["text"]["zh"]
    assert "lift: out of service (市交通局, 2026-11-25)" in answer["text"]["en"]


def test_an_alert_about_a_stop_with_two_lifts_is_a_doubt_about_both(world: None) -> None:
    a_feed("gtfs-rt", stops=STOPS)
    assert actions.take("city", alert("bridge", "elsewhere")) == actions.Taken(1, 0, 0)
    assert closed_lifts() == set()
    cautious = queries.router(queries.region("district")).compiled(MANUAL).flags
    a = queries.router(queries.region("district")).arrays
    for node in (63, 66):
        vertex = int((a.v_node == node).nonzero()[0][0])
        assert not (cautious[a.a_arc[a.a_first[vertex] : a.a_first[vertex + 1]]] & 2).any()
    assert actions.take("city", alert("bridge", effect=1)).reopened == 1


def test_periods_are_kept(world: None) -> None:
    a_feed("works")
    line = [[123.4015, 29.6031], [123.4015, 29.6029]]
    data = works(line, start_date="2026-11-26T00:00:00Z", end_date="2026-11-28T00:00:00Z")
    actions.take("city", data)
    for hours, expected in ((0, 0), (16, 1), (80, 0)):
        with clock.stopped(NOW + timedelta(hours=hours)):
            jobs.fade.do()
            assert len(queries.standing_near("district", (29.603, 123.4015), 30)) == expected


def test_works_lead_routes_around(world: None) -> None:
    a_feed("works")
    before = ask()
    (lon, lat), (lon2, lat2) = before["geometry"]["coordinates"][-3:-1]
    actions.take("city", works([[lon, lat], [lon2, lat2]]))
    assert ask().get("segments") != before["segments"]
    actions.take("city", works())
    assert ask()["segments"] == before["segments"]


@pytest.mark.parametrize(
    ("properties", "sure"),
    [
        ({}, True),
        ({"closed": False}, False),
        ({"core_details": {"description": "x"}, "lanes": [{"type": "general", "status": "closed"}]}, False),
        ({"core_details": {"description": "x"}, "lanes": [{"type": "sidewalk", "status": "closed"}]}, True),
        ({"core_details": {"description": "x"}, "lanes": [{"type": "sidewalk", "status": "open"}]}, False),
    ],
)
def test_a_work_zone_closes_only_what_it_says_is_closed(properties: dict[str, Any], sure: bool) -> None:
    (item,) = feeds.read("works", works([[1.0, 2.0], [1.0, 2.1]], **properties), {})
    assert item.sure is sure and item.points == ((2.0, 1.0), (2.1, 1.0))


def test_every_form_is_read() -> None:
    (item,) = feeds.read("gtfs-rt", alert("s", start=1_700_000_000, end=1_700_003_600), {"s": (1.0, 2.0)})
    assert (item.title, item.exact) == ("北侧电梯停运", False)
    assert item.ends is not None and item.starts is not None and item.ends - item.starts == timedelta(hours=1)
    equipment = {
        "features": [
            {"geometry": {"coordinates": [2.0, 1.0]}, "properties": {"category": "elevator", "isWorking": works}}
            for works in (False, True, None)
        ]
    }
    assert len(feeds.read("a11y", json.dumps(equipment).encode(), {})) == 1
    assert [item.sure for item in feeds.read("fasta", fasta("UNKNOWN"), {})] == [False]
    polygon = {"type": "Polygon", "coordinates": [[[0, 0], [0, 1], [1, 1], [0, 0]]]}
    (area,) = feeds.read("works", json.dumps({"features": [{"geometry": polygon}]}).encode(), {})
    assert area.area and len(area.points) == 3
    stops = feeds.read_stops("\ufeffstop_id,stop_lat,stop_lon,parent_station\nA,1,2,\nB,,,A\nC,,,\n")
    assert stops == {"A": (1.0, 2.0), "B": (1.0, 2.0)}


@pytest.mark.parametrize("form", sorted(feeds.FORMS))
@pytest.mark.parametrize(
    "data", [b"", b"{}", b"[1]", b"\xff\xfe", b'{"features":[{"geometry":{"type":"Blob","coordinates":1}}]}']
)
def test_what_is_no_feed_is_refused_and_changes_nothing(form: str, data: bytes) -> None:
    try:
        assert feeds.read(form, data, {}) == []
    except Invalid as refusal:
        assert refusal.code == "feed.form" and refusal.text.zh


def test_limits(world: None) -> None:
    a_feed("works")
    with pytest.raises(TooLarge, match=r"barrier\.points"):
        actions.take("city", works([[123.4, 29.6 + k / 1e9] for k in range(5000)]))
    with pytest.raises(TooLarge, match=r"feed\.items"):
        feeds.read("works", works(*[[[1.0, 2.0]]] * 5_001), {})
    with pytest.raises(Invalid, match=r"feed\.unknown-form"):
        a_feed("carrier-pigeon")
    with pytest.raises(Invalid, match=r"feed\.address"):
        a_feed("works", url="file:///etc/passwd")
    with pytest.raises(NotFound, match=r"region\.unknown"):
        actions.open_feed(Feed(name="x", title="x", region="atlantis", form="works"))
    assert actions.take("city", works([[10.0, 59.9], [10.0, 59.91]])).elsewhere == 1


def test_the_database_keeps_a_change_of_one_thing_only(world: None) -> None:
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("INSERT INTO access_change (standing, at) VALUES ('doubted', now())")


def test_a_city_sends_its_works_with_a_token(world: None, client: Client) -> None:
    office = people.register_organisation(Text("City works", "市政工程处"))
    officer, other = somebody("officer@x.example"), somebody("other@x.example")
    people.grant_role(officer, people.OFFICER, within=office)
    a_feed("works", party=office)
    body = works([[123.4015, 29.6031], [123.4015, 29.6029]])

    def put(party: Any, name: str = "city", data: bytes = body) -> Any:
        header = f"Bearer {people.make_token(party, 'works')}"
        return client.put(
            f"/api/v1/access/feeds/{name}", data, content_type="application/json", HTTP_AUTHORIZATION=header
        )

    answer = put(officer)
    assert (answer.status_code, answer.json()) == (200, {"closed": 1, "elsewhere": 0, "reopened": 0})
    assert put(other).status_code == 403
    assert put(officer, "atlantis").status_code == 404
    assert put(officer, data=b'{"type":"FeatureCollection","features":[{"geometry":7}]}').json()["code"] == "feed.form"
    assert client.put("/api/v1/access/feeds/city", body, content_type="application/json").status_code == 401
    with pytest.raises(NotAllowed):
        actions.send(other, "city", body)


@pytest.fixture
def authority() -> Iterator[tuple[str, list[bytes]]]:
    said: list[bytes] = []

    class Says(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if said else 503)
            self.end_headers()
            self.wfile.write(said[0] if said else b"")

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Says)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/", said
    server.shutdown()


def test_a_feed_is_read_by_the_clerk_and_its_failures_are_kept(world: None, authority: tuple[str, list[bytes]]) -> None:
    address, said = authority
    a_feed("gtfs-rt", url=address, stops=STOPS)
    jobs.read_feed.do("city")
    assert "503" in Feed.objects.get(pk="city").failed
    said[:] = [b"not a feed"]
    jobs.read_feed.do("city")
    assert "feed.form" in Feed.objects.get(pk="city").failed
    said[:] = [alert("bridge")]
    jobs.read_feed.do("city")
    told = Feed.objects.get(pk="city")
    assert (told.failed, told.read_at) == ("", NOW) and len(queries.standing_near("district", SOUTH_LIFT, 60)) == 1
