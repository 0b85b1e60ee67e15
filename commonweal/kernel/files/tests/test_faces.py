"""Faces are gone from what is kept. The faces here are drawn: no person's photograph is needed for a test."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageStat

from commonweal.kernel.errors import Invalid
from commonweal.kernel.files import faces, store


def face(size: int = 480) -> Image.Image:
    """A head and shoulders."""
    picture = Image.new("RGB", (480, 480), (120, 160, 200))
    draw = ImageDraw.Draw(picture)
    draw.rectangle((160, 340, 320, 480), fill=(60, 60, 120))
    draw.ellipse((120, 50, 360, 300), fill=(50, 35, 25))
    draw.ellipse((150, 90, 330, 350), fill=(226, 180, 150))
    for x in (205, 275):
        draw.ellipse((x - 20, 190, x + 20, 212), fill=(250, 250, 250))
        draw.ellipse((x - 9, 191, x + 9, 211), fill=(40, 25, 20))
        draw.line((x - 24, 172, x + 24, 170), fill=(50, 35, 25), width=7)
    draw.polygon([(240, 205), (226, 255), (254, 255)], fill=(205, 155, 128))
    draw.ellipse((228, 246, 252, 262), fill=(200, 145, 120))
    draw.ellipse((208, 282, 272, 306), fill=(180, 80, 80))
    draw.line((208, 294, 272, 294), fill=(110, 40, 40), width=3)
    return picture.filter(ImageFilter.GaussianBlur(2)).resize((size, size))


def street(*people: tuple[int, int, int], size: tuple[int, int] = (900, 600)) -> Image.Image:
    """A wall with faces: left, top, size."""
    wall = Image.effect_noise(size, 12).convert("RGB")
    for left, top, wide in people:
        wall.paste(face(wide), (left, top))
    return wall


def detail(picture: Image.Image, box: faces.Box) -> float:
    """How much there is to see: how far neighbouring pixels differ."""
    part = picture.crop(box).convert("L")
    moved = ImageChops.difference(part, ImageChops.offset(part, 1, 0))
    return float(ImageStat.Stat(moved.crop((1, 0, *part.size))).rms[0])


@pytest.mark.parametrize(("left", "top", "wide"), [(100, 50, 500), (500, 200, 300), (60, 400, 120), (800, 20, 60)])
def test_a_face_is_found_near_and_far_and_gone_afterwards(left: int, top: int, wide: int) -> None:
    picture = street((left, top, wide))
    middle = left + wide // 2, top + round(wide * 0.46)
    eyes = (left + round(wide * 0.37), top + round(wide * 0.34), left + round(wide * 0.63), top + round(wide * 0.46))
    assert any(x1 <= middle[0] <= x2 and y1 <= middle[1] <= y2 for x1, y1, x2, y2 in faces.find(picture))
    assert detail(faces.hide(picture), eyes) < detail(picture, eyes) / 3


def test_what_is_no_face_stays() -> None:
    picture = street((700, 400, 300), size=(1600, 1200))
    hidden = faces.hide(picture)
    left, top, right, bottom = ImageChops.difference(picture, hidden).getbbox() or (0, 0, 0, 0)
    assert left > 600 and top > 300 and right < 1100 and bottom < 800


def test_a_photograph_is_kept_without_its_faces_and_without_where_it_was_taken(
    db: None, settings: object, tmp_path: Path
) -> None:
    settings.HOME = tmp_path  # type: ignore[attr-defined]
    exif = Image.Exif()
    exif[0x9286] = "somebody's name"
    exif.get_ifd(0x8825).update({1: "N", 2: (31.0, 13.0, 49.0)})
    sent = io.BytesIO()
    street((300, 50, 500)).save(sent, "JPEG", exif=exif)
    kept = Image.open(io.BytesIO(store.read(store.take_picture(sent.getvalue(), hide_faces=True).digest)))
    assert not kept.getexif() and "exif" not in kept.info
    assert detail(kept, (485, 220, 615, 280)) < detail(street((300, 50, 500)), (485, 220, 615, 280)) / 3


def test_without_a_detector_nothing_is_kept(
    db: None, settings: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.HOME = tmp_path  # type: ignore[attr-defined]
    monkeypatch.setattr(faces, "can_find", lambda: False)
    sent = io.BytesIO()
    street((300, 50, 500)).save(sent, "PNG")
    with pytest.raises(Invalid, match=r"picture\.faces") as refused:
        store.take_picture(sent.getvalue(), hide_faces=True)
    assert refused.value.text.zh and not list(tmp_path.rglob("*"))
