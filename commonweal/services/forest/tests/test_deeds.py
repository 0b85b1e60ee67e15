from __future__ import annotations

import hashlib
import json
import threading
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, connection, transaction
from django.test import Client

from commonweal.kernel import clock
from commonweal.kernel.errors import Conflict, Invalid, NotAllowed, NotFound, Refusal
from commonweal.kernel.parties import erasure
from commonweal.kernel.proof import tree
from commonweal.kernel.proof.verify import seal
from commonweal.services.forest import energy
from commonweal.services.forest.actions import days, deeds, factors, sources, tracks
from commonweal.services.forest.actions.deeds import Report
from commonweal.services.forest.queries import deeds as queries
from commonweal.services.forest.queries import methods
from commonweal.services.forest.rules.bubbles import day_of
from commonweal.services.forest.tests.conftest import DAY, NOW, Forest, Partner, make_forest, signed_in


def outcomes(answer: Any) -> list[tuple[str, str | None]]:
    return [(each["outcome"], each["code"]) for each in answer["answers"]]


def conserved() -> energy.Conserved:
    with connection.cursor() as cursor:
        found = energy.reconcile(cursor)
    assert found.holds, found
    return found


def test_a_batch_is_answered_deed_by_deed(forest_at_noon: Forest) -> None:
    f = forest_at_noon
    good, again = f.ride("e-1", f.li), f.ride("e-1", f.li, at=NOW - DAY)
    stranger = {**f.ride("e-2", f.li), "person": "00000000-0000-4000-8000-000000000000"}
    answer = f.partner.send(
        [
            good,
            again,
            f.ride("e-3", f.wang, kind="walking"),
            f.ride("e-4", f.wang, metres=0),
            f.ride("e-5", f.wang, at=NOW + timedelta(hours=1)),
            f.ride("e-6", f.wang, at=NOW - 91 * DAY),
            {**f.ride("e-7", f.wang), "happened": "2026-11-25T11:00:00"},
            {**f.ride("e-8", f.wang), "kind": "flying"},
            {**f.ride("e-9", f.wang), "colour": "green"},
            stranger,
            "no deed",
        ],
        NOW,
    )
    assert outcomes(answer) == [
        ("credited", None),
        ("repeated", None),
        ("credited", None),
        ("refused", "deed.quantity"),
        ("refused", "deed.future"),
        ("refused", "deed.old"),
        ("refused", "deed.time-zone"),
        ("refused", "deed.kind"),
        ("refused", "deed.form"),
        ("refused", "deed.person"),
        ("refused", "deed.form"),
    ]
    # 12 km x (0.16725 - 0.0278) kg x 1/4 = 418.35 g; 12 km x 0.16725 kg x 1/10 = 200.7 g
    assert [answer["answers"][n]["grams"] for n in (0, 2)] == [418, 200]
    assert answer["grown"] == 618 == conserved().grams.minted


@pytest.mark.parametrize("shift", [timedelta(0), DAY])
def test_a_replayed_day_credits_nothing(forest_at_noon: Forest, shift: timedelta) -> None:
    f = forest_at_noon
    rides = [f.ride(f"e-{n}", (f.li, f.wang)[n % 2]) for n in range(5)]
    first = f.partner.send(rides, NOW)
    again = f.partner.send([{**ride, "happened": (NOW + shift).isoformat()} for ride in rides], NOW + shift)
    assert first["credited"] == len(rides) and again["grown"] == 0
    assert (again["credited"], again["repeated"], again["refused"]) == (0, len(rides), 0)


def test_only_fresh_bytes_signed_by_a_living_key_are_taken(forest_at_noon: Forest) -> None:
    f = forest_at_noon
    body = json.dumps({"deeds": [f.ride("e", f.li)]}).encode()

    def post(sent: bytes, headers: dict[str, str]) -> tuple[int, str]:
        answer = Client().post("/api/v1/forest/deeds", sent, "application/json", headers=headers)
        return answer.status_code, answer.json().get("code")

    right = f.partner.headers(body, NOW)
    assert post(body + b" ", right) == (401, "signature.wrong")
    assert post(body, f.partner.headers(body, NOW - timedelta(seconds=301))) == (401, "signature.time")
    assert post(body, {**right, "Deeds-Time": str(int(NOW.timestamp()) + 1)}) == (401, "signature.wrong")
    assert post(body, {**right, "Deeds-Key": "no"}) == (401, "signature.wrong")
    assert post(body, {**right, "Deeds-Signature": "%%"}) == (401, "signature.wrong")
    for wrong in (b"[]", b"{}", b'{"deeds": [NaN]}', b'{"deeds": {}}', b"\xff", b"[" * 5000):
        assert post(wrong, f.partner.headers(wrong, NOW)) == (422, "batch.form")
    assert post(body, right)[0] == 200
    sources.revoke_key(f.partner.officer, f.partner.source, f.partner.key)
    assert post(body, right) == (401, "signature.wrong")


def test_too_much_at_once(forest_at_noon: Forest) -> None:
    with pytest.raises(Invalid) as refusal:
        deeds.take(forest_at_noon.partner.source, [Report("e")] * 5_001)
    assert refusal.value.code == "batch.long"


def test_a_partner_cannot_name_a_person_that_another_partner_knows(forest_at_noon: Forest) -> None:
    f = forest_at_noon
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO forest_source VALUES (99, 'other', 'A', %s, 'Other', '别家')", [f.li.id])
    taken = deeds.take(queries_source("other"), [Report("x", f.names[f.li.id], "metro", 1000, NOW)])
    assert taken.answers[0].refusal and taken.answers[0].refusal.code == "deed.person"
    sources.disconnect(f.li, f.partner.source)
    assert outcomes(f.partner.send([f.ride("e", f.li)], NOW)) == [("refused", "deed.person")]
    assert sources.connect(f.li, f.partner.source) != f.names[f.li.id]


def queries_source(key: str) -> Any:
    from commonweal.services.forest.queries import sources as source_queries

    return source_queries.source(key)


def test_who_may_make_sources_and_keys(forest_at_noon: Forest) -> None:
    f = forest_at_noon
    with pytest.raises(NotAllowed):
        sources.add_key(f.li, f.partner.source, "")
    with pytest.raises(NotAllowed):
        sources.revoke_key(f.li, f.partner.source, f.partner.key)
    for public in ("", "AAAA", "é"):
        with pytest.raises(Invalid, match="public key"):
            sources.add_key(f.partner.officer, f.partner.source, public)
    with pytest.raises(Conflict) as known:
        sources.add_key(f.partner.officer, f.partner.source, "A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=")
    assert known.value.code == "key.known"
    with pytest.raises(NotAllowed):
        sources.admit(f.li, f.li, "mine", "A", f.partner.source.title)
    with pytest.raises(Invalid):
        sources.admit(f.steward, f.li, "mine", "C", f.partner.source.title)


def readings(counts: list[int], minutes: int = 10) -> list[dict[str, Any]]:
    start = NOW - timedelta(hours=4)
    return [
        {"at": (start + timedelta(minutes=minutes * n)).isoformat(), "steps": steps} for n, steps in enumerate(counts)
    ]


@pytest.mark.parametrize(
    ("counts", "typed", "answer"),
    [
        ([0, 900, 2100, 2900, 4100, 5000, 6300], False, ("credited", None)),
        ([0, 900, 2100, 2900, 4100, 5000, 6300], True, ("refused", "steps.none")),
        ([], False, ("refused", "steps.none")),
        ([0, 900, 800], False, ("refused", "steps.backwards")),
        ([0, 60_000, 100_001], False, ("refused", "steps.many")),
        ([0, 1000, 2000, 3000, 4000, 5000, 6000], False, ("refused", "steps.steady")),
    ],
)
def test_steps(forest_at_noon: Forest, counts: list[int], typed: bool, answer: tuple[str, str | None]) -> None:
    f = forest_at_noon
    sent = f.ride("s", f.li, metres=99_999, kind="steps", readings=readings(counts), typed_in=typed)
    found = f.partner.send([sent], NOW)
    assert outcomes(found) == [answer]
    assert found["grown"] == (73 if answer[0] == "credited" else 0)  # 6,300 x 0.7 m x 0.16725 g x 1/10


def test_every_credit_explains_itself(forest_at_noon: Forest) -> None:
    f = forest_at_noon
    f.partner.send([f.ride("e", f.li)], NOW)
    (deed,) = queries.deeds(f.li.id)
    assert deed.grams == 418
    assert deed.explained.en.startswith("12,000 m × (0.16725 − 0.0278) kg CO₂e per km × 1/4 = 418 g")
    assert "2025.1" in deed.explained.zh and "DESNZ" in deed.explained.zh
    assert queries.deeds(f.wang.id) == []


def test_factors_are_published_once_and_never_changed(forest_at_noon: Forest) -> None:
    found = methods.published()
    assert not factors.publish()
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM proof_staged WHERE id = %s", [found.fact])
        assert cursor.fetchone()[0] == 1
        with pytest.raises(Exception, match="append"), transaction.atomic():
            cursor.execute("UPDATE forest_method SET numerator = 1")
    document = json.loads(found.document)
    assert {"beijing-metro", "metro", "walking"} <= {each["method"] for each in document["methods"]}
    answer = Client().get("/api/v1/forest/factors").json()
    assert answer["sha256"] == found.digest.hex()


def test_a_days_close_commits_to_what_each_person_can_open(forest_at_noon: Forest) -> None:
    f = forest_at_noon
    f.partner.send([f.ride("a", f.li), f.ride("b", f.wang), f.ride("c", f.li, at=NOW - 2 * DAY)], NOW)
    assert days.close_days() == 0
    with clock.stopped(NOW + DAY):
        assert (days.close_days(), days.close_days()) == (1, 0)
        (closed,) = queries.closed()
        assert (closed.deeds, closed.people, closed.late, closed.grams) == (3, 2, 1, 3 * 418)
        assert queries.reduction() == 3 * 418  # quantified, as its own asset; the day's caps are for points alone
        for who, count in ((f.li, 2), (f.wang, 1)):
            proof = queries.proof(who.id, "test-metro", closed.day)
            assert len(proof["opened"]["deeds"]) == count
            leaf = tree.leaf_hash(seal(bytes.fromhex(proof["salt"]), proof["opened"]))
            path = [bytes.fromhex(each) for each in proof["path"]]
            assert tree.verify_inclusion(proof["place"], proof["people"], leaf, path, closed.root)
        with pytest.raises(NotFound):
            queries.proof(f.steward.id, "test-metro", closed.day)
        # A late deed is a deed of the later day; the closed one stands as it is.
        late = f.partner.send([f.ride("late", f.li, at=NOW)], NOW + DAY)
        assert late["credited"] == 1 and queries.closed() == [closed]
        with connection.cursor() as cursor, pytest.raises(IntegrityError), transaction.atomic():
            cursor.execute("UPDATE forest_deed SET grams = 9 WHERE day = %s", [closed.day])
    with clock.stopped(NOW + 2 * DAY):
        assert days.close_days() == 1
        assert [each.late for each in queries.closed()] == [1, 1]


def test_a_forgotten_person_leaves_no_deed_and_an_unopenable_leaf(forest_at_noon: Forest) -> None:
    f = forest_at_noon
    f.partner.send([f.ride("a", f.li), f.ride("b", f.wang)], NOW)
    with clock.stopped(NOW + DAY):
        days.close_days()
        (closed,) = queries.closed()
        erasure.forget(f.li.id)
        with pytest.raises(NotFound):
            queries.proof(f.li.id, "test-metro", closed.day)
        assert queries.deeds(f.li.id) == []
        assert queries.proof(f.wang.id, "test-metro", closed.day)["root"] == closed.root.hex()


def gpx(metres_a_second: float, count: int = 120, shift: float = 0.0, start: Any = NOW - timedelta(hours=2)) -> bytes:
    points = "".join(
        f'<trkpt lat="{30.25 + shift + n * 10 * metres_a_second / 111_195:.6f}" lon="{120.1 + 0.00002 * (n % 3):.6f}">'
        f"<time>{(start + timedelta(seconds=10 * n)).isoformat()}</time></trkpt>"
        for n in range(count)
    )
    return f'<gpx xmlns="http://www.topografix.com/GPX/1/1"><trk><trkseg>{points}</trkseg></trk></gpx>'.encode()


def test_a_track_counts_once_whoever_brings_it(forest_at_noon: Forest) -> None:
    f = forest_at_noon
    brought = tracks.bring_track(f.li, gpx(1.4), "gpx", "walking")
    assert 1650 <= brought.quantity <= 1700
    assert brought.grams == brought.quantity * 16725 // 1_000_000
    for data, code in (
        (gpx(1.4), "track.replay"),
        (gpx(1.4, count=110), "track.replay"),
        (gpx(1.4, start=NOW - 5 * timedelta(hours=10)), "track.replay"),
        (gpx(1.4, shift=0.4), "track.overlap"),
        (gpx(4.0, start=NOW - DAY), "track.fast"),
        (gpx(0.1, start=NOW - DAY), "track.still"),
        (gpx(90, start=NOW - DAY), "track.teleport"),
        (gpx(1.4).replace(b'lat="30.25', b'lat="nan'), "track.form"),
        (gpx(1.4).replace(b"30.250000", b"nan"), "track.coordinate"),
        (gpx(1.4, start=NOW), "track.future"),
        (b"<gpx", "track.form"),
    ):
        with pytest.raises(Refusal) as refusal:
            tracks.bring_track(f.li, data, "gpx", "walking")
        assert refusal.value.code == code
    with pytest.raises(Conflict) as copied:
        tracks.bring_track(f.wang, gpx(1.4), "gpx", "walking")
    assert copied.value.code == "track.replay"
    ride = tracks.bring_track(
        f.wang, gpx(4.0, shift=0.2, count=1800, start=NOW - 6 * timedelta(hours=1)), "gpx", "cycling"
    )
    assert ride.quantity > 71_000
    assert conserved().grams.minted == brought.grams + 150  # what grade C earns in a day at most


def test_the_database_itself_keeps_two_tracks_of_one_time_apart(forest_at_noon: Forest) -> None:
    tracks.bring_track(forest_at_noon.li, gpx(1.4), "gpx", "walking")
    with connection.cursor() as cursor, pytest.raises(IntegrityError), transaction.atomic():
        cursor.execute("INSERT INTO forest_track SELECT gen_random_uuid(), owner, span, 1, at FROM forest_track")


def steps_csv(counts: list[int], start: Any = NOW - DAY) -> bytes:
    lines = [f"{(start + timedelta(minutes=12 * n)).isoformat()},{steps}" for n, steps in enumerate(counts)]
    return "\n".join(["time,steps", *lines]).encode()


def test_a_day_of_steps_counts_once(forest_at_noon: Forest) -> None:
    f = forest_at_noon
    walked = [0, 900, 2100, 2900, 4100, 5000, 6300]
    assert tracks.bring_steps(f.li, steps_csv(walked)).grams == 73
    for data, code in (
        (steps_csv([0, 500, 7000]), "deed.repeated"),
        (steps_csv(walked, NOW - timedelta(hours=3)), "steps.day-open"),
        (steps_csv([0, 5, 10] * 50, NOW - 3 * DAY), "steps.day"),
        (b"time,steps\nnow,3", "steps.form"),
        (b"a,b\n", "steps.form"),
        (b"\xff\xfe", "steps.form"),
        (steps_csv([0, 100_001], NOW - 2 * DAY), "steps.many"),
    ):
        with pytest.raises(Refusal) as refusal:
            tracks.bring_steps(f.li, data)
        assert refusal.value.code == code


def test_a_partners_headers_are_made_of_what_the_readme_says(forest_at_noon: Forest) -> None:
    partner: Partner = forest_at_noon.partner
    headers = partner.headers(b"{}", NOW)
    assert (
        sources.check_signature(headers["Deeds-Key"], headers["Deeds-Time"], headers["Deeds-Signature"], b"{}").key
        == "test-metro"
    )


def test_the_pages_of_deeds(forest_at_noon: Forest) -> None:
    f = forest_at_noon
    f.partner.send([f.ride("a", f.li)], NOW)
    browser = signed_in(f.li)
    page = browser.get("/en/forest/deeds/").content.decode()
    assert "418 g" in page and str(f.names[f.li.id]) in page and "evidence A" in page
    assert "rounded down" in page and str(f.names[f.wang.id]) not in page
    track = SimpleUploadedFile("walk.gpx", gpx(1.4))
    assert browser.post("/en/forest/deeds/bring/", {"way": "walking", "track": track}).status_code == 303
    again = browser.post("/zh/forest/deeds/bring/", {"way": "walking", "track": SimpleUploadedFile("w.gpx", gpx(1.4))})
    assert again.status_code == 409 and "这条轨迹已有人上传过" in again.content.decode()
    for form in ({}, {"way": "flying", "track": SimpleUploadedFile("w.gpx", gpx(1.4))}):
        assert browser.post("/en/forest/deeds/bring/", form).status_code == 422
    assert browser.post("/en/forest/deeds/connect/test-metro/", {"word": "end"}).status_code == 303
    assert browser.post("/en/forest/deeds/connect/nobody/").status_code == 404
    own = browser.get("/api/v1/forest/deeds").json()
    assert sorted(each["kind"] for each in own) == ["metro", "walking"]
    with clock.stopped(NOW + DAY):
        days.close_days()
        proof = browser.get("/en/forest/deeds/proof/test-metro/2026-11-25.json")
        assert proof.json()["opened"]["owner"] == str(f.li.id)
        assert browser.get("/en/forest/deeds/proof/test-metro/1999-99-99.json").status_code == 404
        assert signed_in(f.wang).get("/en/forest/deeds/proof/test-metro/2026-11-25.json").status_code == 404
        assert "418" in Client().get("/zh/forest/factors/").content.decode()
    document = Client().get("/en/forest/factors.json")
    assert hashlib.sha256(document.content).hexdigest() == methods.published().digest.hex()


def test_the_how_to_signs_as_we_check(forest_at_noon: Forest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The program in the documentation is run as it stands there."""
    page = Path(__file__).parents[4] / "docs" / "how-to" / "report-deeds.md"
    program = page.read_text().partition("```python\n")[2].partition("```")[0]
    known: dict[str, Any] = {}
    exec(compile(program, str(page), "exec"), known)
    monkeypatch.setattr(time, "time", NOW.timestamp)
    partner, body = forest_at_noon.partner, json.dumps({"deeds": []}).encode()
    headers = known["signed"](partner.secret, str(partner.key), body)
    answer = Client().post("/api/v1/forest/deeds", body, "application/json", headers=headers)
    assert (answer.status_code, answer.json()["answers"]) == (200, [])


def test_a_close_waits_for_what_was_taken_in_before_midnight(fresh_database: str) -> None:
    """A batch that is under way when the day is closed belongs to it, or the close would have missed it."""
    with clock.stopped(NOW):
        f = make_forest()
        f.partner.send([f.ride("first", f.li)], NOW)
    day, shard, done = day_of(NOW), energy.shard_of(f.wang.id), threading.Event()

    def close() -> None:
        with clock.stopped(NOW + DAY):  # a thread has a clock of its own
            days.close(day)
        connection.close()
        done.set()

    with psycopg.connect(fresh_database, autocommit=True) as late:
        method = late.execute("SELECT method FROM forest_deed LIMIT 1").fetchone()
        assert method is not None
        with late.transaction(), late.cursor() as cursor:
            deed = energy.Deed(f.wang.id, f.partner.source.id, "second", method[0], 12_000, NOW)
            assert energy.take_in(cursor, shard, [deed], NOW).new == 1
            closing = threading.Thread(target=close)
            closing.start()
            assert not done.wait(0.3)  # it waits for us
        closing.join(30)
    assert done.is_set()
    (closed,) = queries.closed()
    assert (closed.deeds, closed.people) == (2, 2)
