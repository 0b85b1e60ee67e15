"""The forest's benchmark of re-used photographs: attacks, honest look-alikes, and a gallery of 100,000."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from contextlib import suppress
from importlib import resources

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bench.figure import Figure, figure
from bench.forest.ground import judged
from commonweal.kernel.errors import Invalid
from commonweal.services.forest.photos import Gallery, read_picture
from commonweal.services.forest.photos.gallery import KEYED, keys

SEED = 20260504


def plantation(seed: int, *, leaves: int = 0, walk: float = 0.0) -> Image.Image:
    """A drawn plot of saplings on stony ground: `leaves` stirs the wind, `walk` moves the camera (parallax)."""
    ground, wind = np.random.default_rng(seed), np.random.default_rng(seed * 1000 + leaves)
    image = np.full((600, 800, 3), (150, 170, 190), np.uint8)
    image[200:] = (90, 120, 150)
    for _ in range(500):
        x, y = ground.uniform(-200, 1000), ground.uniform(200, 600)
        size, tone = ground.uniform(2, 9) * y / 400, int(ground.integers(50, 200))
        x -= walk * (y / 400) ** 2
        axes = (int(size), int(size * 0.6))
        cv2.ellipse(image, (int(x), int(y)), axes, ground.uniform(0, 180), 0, 360, (tone, tone, tone), -1)
    for _ in range(14):
        x, y, height = ground.uniform(-50, 850), ground.uniform(300, 600), ground.uniform(60, 160)
        x -= walk * (y / 400) ** 2
        cv2.line(image, (int(x), int(y)), (int(x), int(y - height)), (40, 60, 80), 3)
        for _ in range(60):
            dx, dy = ground.normal(0, 22, 2) + wind.normal(0, 5 * bool(leaves), 2)
            green = int(ground.integers(80, 180))
            cv2.circle(image, (int(x + dx), int(y - height + dy)), int(ground.integers(2, 6)), (30, green, 40), -1)
    noise = np.random.default_rng(seed * 7 + leaves).normal(0, 4, image.shape)
    return Image.fromarray(np.clip(image + noise, 0, 255).astype(np.uint8))


def real() -> dict[str, Image.Image]:
    """The quarters of two real photographs (they come with scikit-learn); one of sky alone would be left out."""
    images = {}
    for name in ("china.jpg", "flower.jpg"):
        with resources.files("sklearn.datasets.images").joinpath(name).open("rb") as file:
            whole = Image.open(io.BytesIO(file.read())).convert("RGB")
        for n in range(4):
            x, y = n % 2 * whole.width // 2, n // 2 * whole.height // 2
            part = whole.crop((x, y, x + whole.width // 2, y + whole.height // 2))
            large = part.resize((part.width * 2, part.height * 2), Image.Resampling.LANCZOS)
            with suppress(Invalid):
                read_picture(coded(large))
                images[f"{name}#{n}"] = large
    return images


def coded(image: Image.Image, quality: int = 90) -> bytes:
    """The image as a JPEG file."""
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def attacks(rng: np.random.Generator) -> dict[str, Callable[[Image.Image], Image.Image]]:
    """What is done to a photograph to use it twice, with random sizes and places."""

    def crop(share: float) -> Callable[[Image.Image], Image.Image]:
        def cut(image: Image.Image) -> Image.Image:
            width, height = int(image.width * (1 - share)), int(image.height * (1 - share))
            x, y = int(rng.integers(0, image.width - width + 1)), int(rng.integers(0, image.height - height + 1))
            return image.crop((x, y, x + width, y + height))

        return cut

    mirror = Image.Transpose.FLIP_LEFT_RIGHT
    return {
        "re-encode 30": lambda image: image,
        "crop 3 %": crop(0.03),
        "crop 10 %": crop(0.10),
        "crop 30 %": crop(0.30),
        "mirror": lambda image: image.transpose(mirror),
        "turn 90": lambda image: image.transpose(Image.Transpose.ROTATE_90),
        "turn 3": lambda image: image.rotate(3, Image.Resampling.BICUBIC),
        "turn any": lambda image: image.rotate(float(rng.uniform(5, 355)), Image.Resampling.BICUBIC, expand=True),
        "half size": lambda image: image.resize((image.width // 2, image.height // 2)),
        "all of it": lambda image: crop(0.15)(image).transpose(mirror).rotate(float(rng.uniform(-8, 8))),
    }


def photos(gallery_size: int = 100_000, drawn: int = 50) -> Figure:
    """Refused attacks, refused look-alikes, and the time of a question against a full gallery.

    The gallery holds the photographs that are attacked and, to fill it, keys of photographs drawn anew from the
    descriptors of the real and drawn ones, each with bits changed at random: they can be shortlisted as any other.
    """
    rng = np.random.default_rng(SEED)
    images = real() | {f"plot{seed}": plantation(seed) for seed in range(drawn)}
    gallery = Gallery()
    pool: list[NDArray[np.uint8]] = []
    for name, image in images.items():
        picture = read_picture(coded(image))[0]
        gallery.add(name, picture)
        pool.append(picture.descriptors)
    descriptors = np.concatenate(pool)
    while len(gallery) < gallery_size:
        chosen = descriptors[rng.integers(0, len(descriptors), 500 * KEYED)]
        one_in_eight = np.bitwise_and.reduce(rng.integers(0, 256, (3, *chosen.shape), np.uint8))
        for photo in np.split(keys(chosen ^ one_in_eight), 500, axis=1):
            gallery.add_keys(f"filler{len(gallery)}", photo)
    gallery.shortlist(read_picture(coded(images["plot0"])))  # builds the index

    tries = caught = 0
    times = []
    for attack, change in attacks(rng).items():
        missed = []
        for name, image in images.items():
            data = coded(change(image), 30)
            start = time.process_time()
            try:
                verdict = gallery.check(read_picture(data))
                right = verdict.refused and verdict.match == name
            except Invalid:  # so little is left that it is no evidence: refused as well
                right = True
            times.append(time.process_time() - start)
            tries += 1
            caught += right
            if not right:
                missed.append(name)
        print(f"{attack:14} {1 - len(missed) / len(images):7.1%} refused {missed[:4]}")
    honest = wrong = 0
    for seed in range(drawn):
        others = [plantation(10_000 + seed + part * drawn) for part in range(3)]
        for image in (plantation(seed, leaves=1, walk=25), plantation(seed, leaves=2, walk=-40), *others):
            start = time.process_time()
            wrong += gallery.check(read_picture(coded(image))).refused
            times.append(time.process_time() - start)
            honest += 1
    p95 = sorted(times)[int(len(times) * 0.95)] * 1000
    refused, false = caught / tries, wrong / honest
    print(f"attacks {refused:.2%} of {tries} refused, look-alikes {false:.2%} of {honest} refused, p95 {p95:.0f} ms")
    answer = figure(
        "forest photos",
        refused,
        "of the attacks refused",
        anchor="look-alikes refused",
        anchor_value=false,
        n=tries + honest,
        least=0.98,
    )
    return judged(answer, false <= 0.002 and p95 <= 300)
