"""From the field: plantings and photographs of trees, and what is refused."""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from PIL import Image

from commonweal.kernel import clock
from commonweal.kernel.errors import Conflict, Invalid, NotAllowed, Refusal, TooLarge
from commonweal.services.forest.actions import captures, certificates, plantings
from commonweal.services.forest.planting import Place, lay_out
from commonweal.services.forest.plots import read_outline
from commonweal.services.forest.queries import captures as queries
from commonweal.services.forest.queries import certificates as trees
from commonweal.services.forest.queries import numbers
from commonweal.services.forest.rules import field as rules
from commonweal.services.forest.rules.field import Shot, Standing, nearest, read_fixes
from commonweal.services.forest.rules.trees import State
from commonweal.services.forest.seed.snapshot import snapshot
from commonweal.services.forest.tests.grove import DAY, NOW, Grove, give_energy, square
from commonweal.services.forest.tests.test_ground import raw_refused
from commonweal.services.forest.tests.test_tree_doors import token

TODAY = NOW.date()
METRE = 1 / 111_195


def refused(code: str) -> AbstractContextManager[Any]:
    return pytest.raises(Refusal, match=f"^{code}:".replace(".", r"\."))


def places() -> list[Place]:
    return lay_out(read_outline(square(103.0, 38.0, 0.001_37, 0.001)), 5.0, 3.0)


def shot(seq: int = 7, picture: int | bytes = 1, wobble: float = 0.3, north: float = 0.0, **changes: Any) -> Shot:
    """A photograph at a position; the fixes wobble by so many metres around a point so many metres to the north."""
    place = places()[seq - 1]
    fixes = tuple(
        (place.latitude + (north + wobble * math.sin(n)) * METRE, place.longitude + wobble * math.cos(n) * METRE)
        for n in range(5)
    )
    given: dict[str, Any] = {
        "plot": "CF1",
        "species": "saxaul",
        "fixes": fixes,
        "taken_at": NOW - timedelta(hours=1),
        "photo": snapshot(picture) if isinstance(picture, int) else picture,
    }
    return Shot(**(given | changes))


@pytest.fixture
def planted(grove: Grove) -> Grove:
    grove.contract()
    grove.fund(positions=200)
    plantings.plant(grove.officer, "CF1", 1, 150, TODAY)
    return grove


def test_what_is_planted_was_paid_for_and_is_planted_once(planted: Grove) -> None:
    plant = plantings.plant
    with refused("planting.known"):
        plant(planted.officer, "CF1", 150, 160, TODAY)
    with refused("planting.unpaid"):
        plant(planted.officer, "CF1", 151, 201, TODAY)
    with refused("planting.range"):
        plant(planted.officer, "CF1", 160, 151, TODAY)
    with refused("planting.future"):
        plant(planted.officer, "CF1", 151, 160, TODAY + DAY)
    with refused("planting.before"):
        plant(planted.officer, "CF1", 151, 160, TODAY - DAY)
    with pytest.raises(NotAllowed):
        plant(planted.steward, "CF1", 151, 160, TODAY)
    with refused("planting.no-duty"):
        plantings.replant(planted.officer, "CF1", 1, 2, TODAY)
    plant(planted.officer, "CF1", 151, 200, TODAY)
    assert numbers.of_plot(1).planted == 200


@pytest.mark.parametrize(
    "statement",
    [
        *(
            f"INSERT INTO forest_planting SELECT gen_random_uuid(), plot, '{span}', day, NULL, by, at"
            " FROM forest_planting"
            for span in ("[140,170]", "[190,201]", "[0,0]", "empty")
        ),
        "UPDATE forest_planting SET span = '[1,200]'",
        "DELETE FROM forest_planting",
    ],
)
def test_the_database_keeps_plantings(planted: Grove, statement: str) -> None:
    raw_refused(statement)


def test_a_certificates_tree_is_planted_then_photographed(planted: Grove) -> None:
    give_energy(planted.person.id, 17_900)
    made = certificates.ask(planted.person, planted.season, "a")
    assert made.state is State.PLANTED and made.planted == TODAY
    captures.capture(planted.officer, shot(made.seq))
    assert trees.by_number(str(made.number)).state is State.VERIFIED
    assert numbers.of_plot(1).verified == 1 and numbers.of_plot(1).alive == 0


def test_one_tree_sent_171_times_is_one_tree(planted: Grove) -> None:
    answers = [captures.capture(planted.officer, shot()) for _ in range(171)]
    assert len({each.id for each in answers}) == 1 and [each.existed for each in answers] == [False] + [True] * 170
    found = queries.capture(answers[0].id)
    assert (found.plot, found.seq, found.settled, found.held) == ("CF1", 7, True, False)
    assert found.away < 1_000 and found.exif == "silent" and numbers.of_plot(1).verified == 1


def test_a_wide_position_is_kept_and_marked(planted: Grove) -> None:
    found = queries.capture(captures.capture(planted.officer, shot(wobble=3.0)).id)
    assert not found.settled and found.spread > rules.WIDE


def turned(photo: bytes) -> bytes:
    return _saved(Image.open(io.BytesIO(photo)).rotate(90, expand=True))


def mirrored(photo: bytes) -> bytes:
    return _saved(Image.open(io.BytesIO(photo)).transpose(Image.Transpose.FLIP_LEFT_RIGHT))


def cut(photo: bytes) -> bytes:
    image = Image.open(io.BytesIO(photo))
    return _saved(image.crop((20, 15, image.width - 12, image.height - 9)))


def _saved(image: Image.Image, exif: Image.Exif | None = None) -> bytes:
    out = io.BytesIO()
    image.convert("RGB").save(out, "JPEG", quality=70, exif=Image.Exif() if exif is None else exif)
    return out.getvalue()


@pytest.mark.parametrize("change", [bytes, turned, mirrored, cut])
def test_a_photograph_is_evidence_of_one_tree_only(planted: Grove, change: Callable[[bytes], bytes]) -> None:
    captures.capture(planted.officer, shot(7, 1))
    captures.capture(planted.officer, shot(60, 2))
    with refused("photo.reused"):
        captures.capture(planted.officer, shot(30, change(snapshot(1))))
    assert numbers.of_plot(1).verified == 2


def test_without_the_extra_equal_files_are_known_and_it_says_so(
    planted: Grove, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("commonweal.services.forest.queries.photos.COMPARES", False)
    found = queries.capture(captures.capture(planted.officer, shot(7, 1)).id)
    assert not found.compared
    with refused("photo.reused"):
        captures.capture(planted.officer, shot(30, 1))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"species": "pine"}, "capture.species"),
        ({"plot": "CF9"}, "plot.unknown"),
        ({"north": -60.0}, "capture.outside"),
        ({"seq": 240}, "capture.not-planted"),
        ({"taken_at": NOW + timedelta(minutes=6)}, "capture.future"),
        ({"taken_at": NOW - 91 * DAY}, "capture.old"),
        ({"taken_at": NOW.replace(tzinfo=None)}, "capture.time-zone"),
        ({"fixes": ((38.0, 103.0),) * 4}, "track.short"),
        ({"fixes": ((math.nan, 103.0),) * 5}, "track.coordinate"),
        ({"fixes": ((95.0, 103.0),) * 5}, "track.coordinate"),
        ({"photo": b"no photograph"}, "photo.form"),
        ({"photo": _saved(Image.new("RGB", (600, 400), (200, 180, 150)))}, "photo.featureless"),
    ],
)
def test_what_cannot_be_is_refused_whole(planted: Grove, changes: dict[str, Any], code: str) -> None:
    with refused(code):
        captures.capture(planted.officer, shot(**changes))
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM forest_capture")
        assert cursor.fetchone() == (0,)


def test_nobody_else_speaks_for_a_planter(planted: Grove) -> None:
    for other in (planted.steward, planted.person):
        with pytest.raises(NotAllowed):
            captures.capture(other, shot())
    with pytest.raises(TooLarge):
        captures.capture(planted.officer, shot(picture=b"x" * 25_000_001))


def test_a_photograph_that_contradicts_its_telephone_waits_for_a_steward(planted: Grove) -> None:
    exif = Image.new("RGB", (1, 1)).getexif()
    exif.get_ifd(0x8769)[0x9003] = "2020:01:01 10:00:00"
    held = [
        captures.capture(planted.officer, shot(seq, _saved(Image.open(io.BytesIO(snapshot(seq))), exif))).id
        for seq in (7, 60)
    ]
    assert numbers.of_plot(1).verified == 0 and [each.id for each in queries.held()] == held
    with pytest.raises(NotAllowed):
        captures.judge(planted.officer, held[0], counts=True)
    captures.judge(planted.steward, held[0], counts=True)
    captures.judge(planted.steward, held[1], counts=False)
    with refused("capture.not-held"):
        captures.judge(planted.steward, held[1], counts=True)
    assert numbers.of_plot(1).verified == 1 and not queries.held()


def test_the_database_keeps_captures(planted: Grove) -> None:
    captures.capture(planted.officer, shot())
    copy = "INSERT INTO forest_capture SELECT gen_random_uuid(), {}, plot, {}, latitude, longitude, spread, away, exif,"
    copy += " compared, by, taken_at, at FROM forest_capture"
    for columns, seq in (("content, sha256('a'), 'new'", "seq"), ("sha256('b'), original, 'new'", "seq")):
        raw_refused(copy.format(columns, seq))
    raw_refused(copy.format("sha256('c'), sha256('d'), 'new'", "151"))
    raw_refused("UPDATE forest_capture SET seq = 8")


def test_the_nearest_planted_position_is_meant() -> None:
    assert nearest([Standing(1, 4.0), Standing(2, 1.5)]).seq == 2
    for none in ([], [Standing(1, 10.5)]):
        with pytest.raises(Invalid, match=r"capture\.not-planted"):
            nearest(none)
    assert read_fixes("38.5, 103\n\n38.6,103.1; 1,2") == ((38.5, 103.0), (38.6, 103.1), (1.0, 2.0))
    for wrong in ("a,b", "1", "1,2,3", "1,2\n" * 101):
        with pytest.raises(Invalid, match=r"capture\.fixes"):
            read_fixes(wrong)


def form(given: Shot) -> dict[str, Any]:
    fixes = "\n".join(f"{latitude}, {longitude}" for latitude, longitude in given.fixes)
    said = {"plot": given.plot, "species": given.species, "fixes": fixes, "taken_at": given.taken_at.isoformat()}
    return said | {"photo": SimpleUploadedFile("tree.jpg", given.photo, "image/jpeg")}


def test_a_program_sends_photographs(client: Client, planted: Grove) -> None:
    def send(given: Shot, by: Any = planted.officer, **changes: Any) -> Any:
        return client.post("/api/v1/forest/captures", form(given) | changes, headers=token(by))

    made = send(shot())
    assert made.status_code == 201 and send(shot()).status_code == 200 and send(shot()).json() == made.json()
    assert client.get(f"/api/v1/forest/captures/{made.json()['fact']}").json() == made.json()
    copy = send(shot(30, 1))
    assert (copy.status_code, copy.json()["code"]) == (409, "photo.reused")
    assert send(shot(picture=3), planted.person).status_code == 403
    for wrong in ({"fixes": "nowhere"}, {"taken_at": "soon"}, {"photo": ""}, {"species": "oak"}):
        assert send(shot(picture=3), **wrong).status_code == 422


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_field_page_is_an_ordinary_form(client: Client, planted: Grove, language: str) -> None:
    page = f"/{language}/forest/field/"
    client.force_login(planted.person.login)
    assert client.get(page).status_code == 403
    client.force_login(planted.officer.login)
    assert client.get(page).content.decode().count("<h1") == 1
    assert client.post(page, form(shot()) | {"word": "capture"}).status_code == 303
    assert client.post(page, form(shot(30, 1)) | {"word": "capture"}).status_code == 409
    assert client.post(page, {"word": "capture", "plot": "CF1"}).status_code == 422
    more = {"word": "plant", "plot": "CF1", "first": "151", "last": "160", "day": TODAY.isoformat()}
    assert [client.post(page, more).status_code for _ in range(2)] == [303, 409]
    assert client.post(page, more | {"first": "x"}).status_code == 422
    assert client.post(page, more | {"day": "x"}).status_code == 422
    assert client.get(f"{page}worker.js")["Content-Type"] == "text/javascript"
    shown = client.get(f"/{language}/forest/plots/CF1/").content.decode()
    assert "/files/" in shown and shown.count("<h1") == 1


def test_clocks_of_telephones_may_be_ahead_a_little(planted: Grove) -> None:
    with clock.stopped(NOW - timedelta(minutes=4)):
        assert not captures.capture(planted.officer, shot(taken_at=NOW)).existed


def test_a_conflict_leaves_nothing_behind(planted: Grove) -> None:
    captures.capture(planted.officer, shot(7, 1))
    before = len(queries.of_plot(1))
    with pytest.raises(Conflict):
        captures.capture(planted.officer, shot(8, 1))
    assert len(queries.of_plot(1)) == before
