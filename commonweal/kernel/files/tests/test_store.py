"""Files: what is taken in, what is refused, and what does not survive."""

from __future__ import annotations

import hashlib
import io
import secrets
import threading
import tracemalloc
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from PIL import Image
from pytest_django import Settings

from commonweal.kernel.errors import Invalid, NotFound, TooLarge
from commonweal.kernel.files import store
from commonweal.kernel.files.models import StoredFile
from commonweal.kernel.files.pdf import carries_program
from commonweal.kernel.files.tests.pictures import bomb, document, picture
from commonweal.kernel.jobs import run_due


@pytest.fixture(autouse=True)
def home(settings: Settings, tmp_path: Path) -> Iterator[Path]:
    settings.HOME = tmp_path
    yield tmp_path


def opened(stored: StoredFile) -> Image.Image:
    return Image.open(io.BytesIO(store.read(stored.digest)))


@pytest.mark.parametrize(
    ("kind", "mode"),
    [("PNG", "RGB"), ("PNG", "RGBA"), ("PNG", "P"), ("PNG", "1"), ("PNG", "LA"), ("JPEG", "RGB"), ("JPEG", "CMYK"),
     ("JPEG", "L"), ("WEBP", "RGBA"), ("GIF", "P"), ("AVIF", "RGB")],
)  # fmt: skip
def test_every_usual_picture_is_drawn_anew_as_webp(db: None, kind: str, mode: str) -> None:
    stored = store.take_picture(picture(kind, mode))
    drawn = opened(stored)
    assert (drawn.format, drawn.size) == ("WEBP", (40, 30))
    assert (stored.media_type, stored.width, stored.height, stored.public) == ("image/webp", 40, 30, True)
    assert stored.size == len(store.read(stored.digest))


def test_what_is_hidden_in_a_picture_does_not_survive(db: None) -> None:
    exif = Image.Exif()
    exif[0x010E] = "secret description"
    exif[0x0112] = 6  # to be turned by a quarter
    exif.get_ifd(0x8825)[2] = (31.0, 13.0, 49.0)  # GPSLatitude
    original = picture("JPEG", exif=exif, comment=b"secret comment") + b"<script>secret tail</script>"
    assert b"secret description" in original
    stored = store.take_picture(original)
    kept = store.read(stored.digest)
    drawn = opened(stored)
    assert b"secret" not in kept
    assert b"<script" not in kept
    assert dict(drawn.getexif()) == {}
    assert "exif" not in drawn.info
    assert drawn.size == (30, 40)  # it stands upright


def test_a_large_picture_is_made_smaller(db: None) -> None:
    stored = store.take_picture(picture(size=(3200, 800)))
    assert opened(stored).size == (1600, 400)


def test_transparency_is_kept(db: None) -> None:
    assert opened(store.take_picture(picture("PNG", "RGBA"))).mode == "RGBA"
    assert opened(store.take_picture(picture("GIF", "P", transparency=0))).mode == "RGBA"


@pytest.mark.parametrize(("width", "height"), [(6400, 6251), (12_000, 12_000), (50_000, 50_000)])
def test_a_decompression_bomb_is_refused_before_it_goes_off(db: None, width: int, height: int) -> None:
    data = bomb(width, height)
    assert len(data) < 200
    tracemalloc.start()
    with pytest.raises(Invalid) as refused:
        store.take_picture(data, field="cover")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (refused.value.code, refused.value.field) == ("picture.pixels", "cover")
    assert peak < 5_000_000


@pytest.mark.parametrize(
    "data",
    [b"", b"GIF89a", b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", b"\x89PNG\r\n\x1a\n",
     b"BM" + b"\0" * 99, b"%!PS-Adobe\n", picture("BMP"), picture("TIFF"), picture("JPEG")[:200], picture("PNG")[:60],
     picture("WEBP")[:50],
     bomb(100, 100)],
)  # fmt: skip
def test_what_is_no_usual_picture_is_refused(db: None, data: bytes) -> None:
    with pytest.raises(Invalid) as refused:
        store.take_picture(data)
    assert refused.value.code == "picture.form"
    assert not StoredFile.objects.exists()


@hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    kind=st.sampled_from(["PNG", "JPEG", "WEBP", "GIF"]),
    changes=st.lists(st.tuples(st.integers(0, 500), st.integers(1, 255)), min_size=1, max_size=8),
)
def test_a_damaged_picture_is_taken_or_refused_and_nothing_else(
    db: None, kind: str, changes: list[tuple[int, int]]
) -> None:
    exif = Image.Exif()
    exif[0x0112] = 3
    data = bytearray(picture(kind, "P") if kind == "GIF" else picture(kind, exif=exif))
    for position, mask in changes:
        data[position % len(data)] ^= mask
    try:
        store.take_picture(bytes(data))
    except Invalid as refusal:
        assert refusal.code in ("picture.form", "picture.pixels")


def test_ten_megabytes_are_the_limit(db: None) -> None:
    for take in (store.take_picture, store.take_document):
        with pytest.raises(TooLarge) as refused:
            take(b"\0" * (store.MAX_BYTES + 1))
        assert refused.value.code == "file.too-large"
    full = document("x" * (store.MAX_BYTES - len(document(""))))
    assert len(full) == store.MAX_BYTES
    assert store.take_document(full).size == store.MAX_BYTES


def test_the_same_bytes_are_the_same_file(db: None, home: Path) -> None:
    evidence = store.take_picture(picture(), public=False)
    assert not evidence.public
    again = store.take_picture(picture())
    assert again.digest == evidence.digest
    assert StoredFile.objects.get().public
    assert len([path for path in home.rglob("*") if path.is_file()]) == 1


def test_many_at_once_keep_it_once(fresh_database: str, home: Path) -> None:
    start, digests = threading.Barrier(6), []

    def take() -> None:
        start.wait()
        try:
            digests.append(store.take_picture(picture()).digest)
        finally:
            connection.close()

    threads = [threading.Thread(target=take) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(digests) == 6
    assert len({*digests}) == 1
    assert [path.name for path in home.rglob("*") if path.is_file()] == digests[:1]


def test_evidence_is_a_document_or_a_picture_and_never_public(db: None) -> None:
    paper = store.take_document(document())
    assert (paper.media_type, paper.public, paper.width) == ("application/pdf", False, None)
    assert store.read(paper.digest) == document()
    scan = store.take_document(picture("JPEG"))
    assert (scan.media_type, scan.public) == ("image/webp", False)
    with pytest.raises(Invalid) as refused:
        store.take_document(b"MZ an executable", field="evidence")
    assert (refused.value.code, refused.value.field) == ("picture.form", "evidence")


def packed(objects: bytes, head: bytes = b"/Type /ObjStm /Filter /FlateDecode") -> bytes:
    body = zlib.compress(objects)
    return b"9 0 obj << " + head + b" /Length %d >>\nstream\n" % len(body) + body + b"\nendstream endobj"


@pytest.mark.parametrize(
    "objects",
    [b"<< /S /JavaScript /JS (app.alert(1)) >>", b"<< /S /J#61vaScript >>", b"<< /#4aS (x) >>", b"<< /Launch >>",
     b"<< /Names << /EmbeddedFiles 4 0 R >> >>", b"<< /EF << /F 5 0 R >> /Type /EmbeddedFile >>", b"<< /XFA 6 0 R >>",
     packed(b"1 0 << /S /JavaScript >>"), packed(b" " * 25_000_000), packed(b"") + packed(b"<< /Launch 1 >>"),
     b"9 0 obj << /Type /ObjStm /Filter /LZWDecode >>\nstream\nnot deflated\nendstream"],
)  # fmt: skip
def test_a_document_that_carries_a_program_is_refused(db: None, objects: bytes) -> None:
    with pytest.raises(Invalid) as refused:
        store.take_document(document(objects=objects))
    assert refused.value.code == "document.form"


def test_a_document_that_is_cut_off_is_refused(db: None) -> None:
    with pytest.raises(Invalid) as refused:
        store.take_document(document() + b"\0" * 3000)
    assert refused.value.code == "document.form"


def test_an_innocent_document_is_not_suspected() -> None:
    assert not carries_program(document(objects=packed(b"1 0 << /Type /Page /JSON 3 >>") + b"<< /F#20ont /Launcher >>"))


def test_what_is_not_there_or_was_changed_is_not_given_out(db: None, home: Path) -> None:
    stored = store.take_picture(picture())
    path = home / "files" / stored.digest[:2] / stored.digest
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    for digest in (stored.digest, hashlib.sha256(b"never").hexdigest(), "../../keys/parties.key"):
        with pytest.raises(NotFound) as refused:
            store.read(digest)
        assert refused.value.code == "file.unknown"


def test_a_file_goes_when_the_transaction_that_removes_it_commits(db: None) -> None:
    stored = store.take_picture(picture())
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        store.remove(stored.digest)
        1 / 0  # noqa: B018
    assert run_due() == 0
    assert store.read(stored.digest)
    store.remove(stored.digest)
    store.remove(stored.digest)
    assert run_due() == 1
    with pytest.raises(NotFound):
        store.read(stored.digest)


def test_a_file_that_came_back_is_not_deleted(db: None) -> None:
    stored = store.take_picture(picture())
    store.remove(stored.digest)
    store.take_picture(picture())
    assert run_due() == 1
    assert store.read(stored.digest)


def test_random_bytes_are_no_picture(db: None) -> None:
    with pytest.raises(Invalid):
        store.take_picture(secrets.token_bytes(5000))


def test_a_picture_comes_smaller_and_the_smaller_go_with_it(db: None, home: Path) -> None:
    stored = store.take_picture(picture("JPEG", "RGB", (1200, 900)))
    for width in store.WIDTHS:
        small = Image.open(io.BytesIO(store.read_smaller(stored.digest, width)))
        assert (small.format, small.size) == ("WEBP", (width, width * 3 // 4))
        assert store.read_smaller(stored.digest, width) == store.read_smaller(stored.digest, width)
    assert len(list(home.glob("files/??/*"))) == 1 + len(store.WIDTHS)
    for digest, width in ((stored.digest, 321), ("0" * 64, 320), (store.take_document(document()).digest, 320)):
        with pytest.raises(NotFound):
            store.read_smaller(digest, width)
    store.remove(stored.digest)
    run_due()
    assert not list(home.glob(f"files/??/{stored.digest}*"))


def test_a_small_picture_is_not_made_larger(db: None) -> None:
    stored = store.take_picture(picture("PNG", "RGB"))
    assert Image.open(io.BytesIO(store.read_smaller(stored.digest, 320))).size == (40, 30)
