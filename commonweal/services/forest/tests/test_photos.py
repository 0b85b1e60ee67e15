from __future__ import annotations

import io
from collections.abc import Callable
from datetime import datetime
from importlib import resources

import pytest
from PIL import Image

from bench.forest.photos import coded, plantation
from commonweal.kernel.errors import Invalid, TooLarge
from commonweal.services.forest.field import read_exif
from commonweal.services.forest.photos import Gallery, read_picture
from commonweal.services.forest.photos.gallery import KEYED, keys


def photographs() -> dict[str, Image.Image]:
    """Two real photographs that come with scikit-learn, and drawn plantations."""
    images = {f"plot{seed}": plantation(seed) for seed in range(6)}
    for name in ("china.jpg", "flower.jpg"):
        with resources.files("sklearn.datasets.images").joinpath(name).open("rb") as file:
            images[name] = Image.open(io.BytesIO(file.read())).convert("RGB")
    return images


def crop(share: float) -> Callable[[Image.Image], Image.Image]:
    def cut(image: Image.Image) -> Image.Image:
        w, h = image.size
        return image.crop(
            (int(w * share * 0.7), int(h * share * 0.3), int(w * (1 - share * 0.3)), int(h * (1 - share * 0.7)))
        )

    return cut


ATTACKS: dict[str, Callable[[Image.Image], Image.Image]] = {
    "as it is": lambda image: image,
    "3 % crop": crop(0.03),
    "10 % crop": crop(0.10),
    "30 % crop": crop(0.30),
    "mirror": lambda image: image.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
    "upside down": lambda image: image.transpose(Image.Transpose.FLIP_TOP_BOTTOM),
    "turn 3": lambda image: image.rotate(3, Image.Resampling.BICUBIC),
    "turn 17": lambda image: image.rotate(17, Image.Resampling.BICUBIC, expand=True),
    "turn 90": lambda image: image.transpose(Image.Transpose.ROTATE_90),
    "half size": lambda image: image.resize((image.width // 2, image.height // 2)),
    "brighter": lambda image: image.point(lambda v: int(255 * (v / 255) ** 0.7)),
    "crop, mirror and turn": lambda image: crop(0.15)(image).transpose(Image.Transpose.FLIP_LEFT_RIGHT).rotate(5),
}


@pytest.fixture(scope="module")
def images() -> dict[str, Image.Image]:
    return photographs()


@pytest.fixture(scope="module")
def gallery(images: dict[str, Image.Image]) -> Gallery:
    found = Gallery()
    for name, image in images.items():
        found.add(name, read_picture(coded(image))[0])
    return found


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_photo_is_used_once(gallery: Gallery, images: dict[str, Image.Image], attack: str) -> None:
    for name, image in images.items():
        verdict = gallery.check(read_picture(coded(ATTACKS[attack](image), quality=40)))
        assert (verdict.refused, verdict.match) == (True, name), (attack, name, verdict)


def test_other_plots_of_the_same_make_are_welcome(gallery: Gallery) -> None:
    for seed in range(100, 106):
        verdict = gallery.check(read_picture(coded(plantation(seed))))
        assert not verdict.refused, (seed, verdict)


def test_the_same_plot_photographed_again_is_welcome(gallery: Gallery) -> None:
    for seed in range(6):
        verdict = gallery.check(read_picture(coded(plantation(seed, leaves=1, walk=25))))
        assert not verdict.refused, (seed, verdict)


def test_an_empty_gallery_refuses_nothing(images: dict[str, Image.Image]) -> None:
    assert not Gallery().check(read_picture(coded(images["plot0"]))).refused


def test_a_photo_whose_picture_is_elsewhere_is_only_shortlisted(images: dict[str, Image.Image]) -> None:
    gallery = Gallery()
    probe = read_picture(coded(images["plot0"]))
    gallery.add_keys("kept in a file", keys(probe[0].descriptors[:KEYED]))
    assert gallery.shortlist(probe) == [0]
    assert not gallery.check(probe).refused


def test_photos_that_cannot_be_evidence() -> None:
    with pytest.raises(Invalid, match=r"photo\.featureless"):
        read_picture(coded(Image.new("RGB", (400, 300), "white")))
    for data in (b"", b"no picture", coded(plantation(1))[:200]):
        with pytest.raises(Invalid, match=r"photo\.form"):
            read_picture(data)
    with pytest.raises(TooLarge, match=r"photo\.bytes"):
        read_picture(b"\0" * 25_000_001)


def test_a_decompression_bomb_is_refused_before_it_is_unpacked() -> None:
    buffer = io.BytesIO()
    Image.new("1", (30_000, 30_000)).save(buffer, "PNG")
    with pytest.raises(TooLarge, match=r"photo\.pixels"):
        read_picture(buffer.getvalue())


def with_exif(latitude: tuple[float, float, float] | None, taken: str | None) -> bytes:
    image, buffer = plantation(1), io.BytesIO()
    exif = image.getexif()
    if taken:
        exif.get_ifd(0x8769)[0x9003] = taken
    if latitude:
        exif.get_ifd(0x8825).update({1: "N", 2: latitude, 3: "E", 4: (106.0, 30.0, 0.0)})
    image.save(buffer, "JPEG", exif=exif)
    return buffer.getvalue()


def test_exif_is_compared_and_never_trusted() -> None:
    moment = datetime(2026, 5, 4, 10, 0)  # noqa: DTZ001 (EXIF has no zone)
    exif = read_exif(with_exif((38.0, 30.0, 0.0), "2026:05:04 10:05:00"))
    assert (exif.latitude, exif.longitude) == (38.5, 106.5)
    assert not exif.contradicts(38.5005, 106.5, moment)
    assert exif.contradicts(38.503, 106.5, moment)
    assert exif.contradicts(38.5, 106.5, datetime(2026, 5, 4, 10, 16))  # noqa: DTZ001
    for bare in (
        with_exif(None, None),
        with_exif(None, "once upon a time"),
        with_exif((99.0, 0.0, 0.0), None),
        b"nothing",
    ):
        assert not read_exif(bare).contradicts(38.5, 106.5, moment)
