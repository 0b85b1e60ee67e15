"""Taking files in: pictures are drawn anew (so nothing hidden survives), documents are looked at, both limited."""

from __future__ import annotations

import hashlib
import io
import os
import tempfile
import uuid
import warnings
from pathlib import Path

from django.conf import settings
from django.db.models import Q
from PIL import Image, ImageOps, UnidentifiedImageError

from commonweal.kernel.errors import Invalid, NotFound, TooLarge
from commonweal.kernel.files import faces
from commonweal.kernel.files.models import StoredFile
from commonweal.kernel.files.pdf import carries_program
from commonweal.kernel.jobs import task
from commonweal.kernel.parties.erasure import eraser
from commonweal.kernel.parties.models import Credential, Guardianship
from commonweal.kernel.text import Text

MAX_BYTES = 10_000_000
MAX_PIXELS = 40_000_000
LONGEST_SIDE = 1600
"""Pixels to which a picture is made smaller."""

WIDTHS = (320, 800)
"""Pixels of the smaller forms of a picture: in a grid, and by itself on a page."""

PICTURES = ("JPEG", "PNG", "WEBP", "GIF", "AVIF")


def take_picture(data: bytes, *, public: bool = True, field: str = "picture", hide_faces: bool = False) -> StoredFile:
    """Keep a picture: upright, at most 1600 pixels long, as WebP, without EXIF, comments or position.

    With `hide_faces`, faces are blurred before anything is kept; where no detector is installed it is refused.

    Raises `TooLarge` beyond 10 MB, `Invalid` with `picture.form`, `picture.faces` (no detector) or `picture.pixels`
    (more than 40 million, known from the header before anything is decoded).
    """
    _check_size(data)
    if hide_faces and not faces.can_find():
        raise Invalid(
            "picture.faces",
            Text(
                "No photograph is kept here, as what blurs faces is not installed. Send it without one.",
                "本站未安装人脸模糊组件，暂不保存照片。请不带照片提交。",
            ),
            field=field,
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=PICTURES) as opened:
                if opened.width * opened.height > MAX_PIXELS:
                    raise _too_many_pixels(field)
                upright = ImageOps.exif_transpose(opened)
                upright.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
                drawn = upright.convert(
                    "RGBA" if "A" in upright.getbands() or "transparency" in upright.info else "RGB"
                )
    except Invalid:
        raise
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise _too_many_pixels(field) from error
    except Exception as error:  # decoders fail in many ways when a picture is made to break them
        raise Invalid(
            "picture.form",
            Text(
                "This is not a picture that can be read. Send JPEG, PNG, WebP or GIF.",
                "无法读取此图片，请上传 JPEG、PNG、WebP 或 GIF 格式。",
            ),
            field=field,
        ) from error
    if hide_faces:
        drawn = faces.hide(drawn)
    out = io.BytesIO()
    Image.frombytes(drawn.mode, drawn.size, drawn.tobytes()).save(out, "WEBP", quality=80, method=4)
    return _keep(out.getvalue(), "image/webp", public=public, width=drawn.width, height=drawn.height)


def take_document(data: bytes, *, field: str = "document") -> StoredFile:
    """Keep a piece of evidence, never public by itself: a PDF as it is, or a picture drawn anew.

    Raises `TooLarge` beyond 10 MB, `Invalid` with `document.form` for anything else or a PDF that carries a program.
    """
    _check_size(data)
    if not data.startswith(b"%PDF-"):
        return take_picture(data, public=False, field=field)
    if b"%%EOF" not in data[-2048:] or carries_program(data):
        raise Invalid(
            "document.form",
            Text("This PDF is broken or carries a program.", "此 PDF 已损坏或含有程序。"),
            field=field,
        )
    return _keep(data, "application/pdf", public=False)


def read(digest: str) -> bytes:
    """The bytes of a file. Raises `NotFound`; also if they no longer are what their digest says."""
    try:
        data = _path(digest).read_bytes()
    except OSError:
        data = b""
    if hashlib.sha256(data).hexdigest() != digest:
        raise NotFound("file.unknown", Text("There is no such file.", "没有这个文件。"))
    return data


def read_smaller(digest: str, width: int) -> bytes:
    """A picture, at most `width` pixels wide: made when it is first asked for, never backed up.

    Raises `NotFound`, also for a width that is not among `WIDTHS` and for what is no picture.
    """
    unknown = NotFound("file.unknown", Text("There is no such file.", "没有这个文件。"))
    if width not in WIDTHS:
        raise unknown
    path = _smaller(digest, width)
    if not path.exists():
        out = io.BytesIO()
        try:
            with Image.open(io.BytesIO(read(digest)), formats=("WEBP",)) as opened:
                opened.thumbnail((width, opened.height))
                opened.save(out, "WEBP", quality=70, method=4)
        except UnidentifiedImageError as error:
            raise unknown from error
        _write(path, out.getvalue())
        if not _path(digest).exists():  # it was deleted meanwhile
            path.unlink(missing_ok=True)
        return out.getvalue()
    return path.read_bytes()


def remove(digest: str) -> None:
    """Delete a file for good, once the caller's transaction commits: when the person whom it shows is forgotten."""
    if StoredFile.objects.filter(pk=digest).delete()[0]:
        delete.enqueue(digest=digest)


@task("files.delete")
def delete(digest: str) -> None:
    """Delete the bytes of a file that nobody keeps any more."""
    if not StoredFile.objects.filter(pk=digest).exists():
        _path(digest).unlink(missing_ok=True)
        for width in WIDTHS:
            _smaller(digest, width).unlink(missing_ok=True)


@eraser
def erase(party: uuid.UUID) -> None:
    """Remove the evidence that belongs to a person alone."""
    guarded = Q(guardian=party) | Q(ward=party)
    digests = {*Credential.objects.filter(holder=party).values_list("evidence", flat=True)}
    digests |= {*Guardianship.objects.filter(guarded).values_list("evidence", flat=True)}
    shared = {*Credential.objects.exclude(holder=party).filter(evidence__in=digests).values_list("evidence", flat=True)}
    shared |= {*Guardianship.objects.exclude(guarded).filter(evidence__in=digests).values_list("evidence", flat=True)}
    for digest in sorted(digests - shared):
        remove(digest)


def _check_size(data: bytes) -> None:
    if len(data) > MAX_BYTES:
        raise TooLarge("file.too-large", Text("A file may have 10 MB at most.", "文件不能超过 10 MB。"))


def _too_many_pixels(field: str) -> Invalid:
    return Invalid(
        "picture.pixels",
        Text("A picture may have 40 million pixels at most.", "图片不能超过 4000 万像素。"),
        field=field,
    )


def _path(digest: str) -> Path:
    return Path(settings.HOME) / "files" / digest[:2] / digest


def _smaller(digest: str, width: int) -> Path:
    return _path(digest).with_suffix(f".{width}")


def _write(path: Path, data: bytes) -> None:
    """Write a file whole and durably."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".new", delete=False) as fresh:
        fresh.write(data)
        fresh.flush()
        os.fsync(fresh.fileno())
    Path(fresh.name).rename(path)


def _keep(
    data: bytes, media_type: str, *, public: bool, width: int | None = None, height: int | None = None
) -> StoredFile:
    digest = hashlib.sha256(data).hexdigest()
    path = _path(digest)
    if not path.exists():
        _write(path, data)
    stored, _ = StoredFile.objects.get_or_create(
        digest=digest,
        defaults={"media_type": media_type, "size": len(data), "width": width, "height": height, "public": public},
    )
    if public and not stored.public:
        stored.public = True
        stored.save(update_fields=["public"])
    return stored
