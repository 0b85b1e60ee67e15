"""Benchmarks of the engines on public data (`COMMONWEAL_DATA`)."""

from __future__ import annotations

import os
import random
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import f1_score
from sklearn.model_selection import StratifiedGroupKFold

from bench.figure import Figure, figure
from bench.forest.ground import judged
from commonweal.services.forest.canopy import clearings as find_clearings
from commonweal.services.forest.canopy import read_patch, series
from commonweal.services.forest.canopy.series import SEEN, alarms_a_year
from commonweal.services.forest.modes import MODES, Recogniser, Segment, read_segments
from commonweal.services.forest.modes.recogniser import LEAST_METRES, SAME
from commonweal.services.forest.survey import Count, estimate, plan
from commonweal.services.forest.survey.estimate import wilson

DATA = Path(os.environ.get("COMMONWEAL_DATA", "../shared/data")) / "forest"
SEED = 20260504


def modes() -> Figure:
    """Macro-F1 and green recall on people never learned from (five folds of people), beside plain trees."""
    segments = read_segments(DATA / "geolife_modes" / "segment_features_dev.csv.xz")
    truth = np.array([MODES.index(SAME.get(str(s.mode), str(s.mode))) for s in segments])
    people = [s.user for s in segments]
    ours, plain = np.zeros((len(segments), len(MODES))), np.zeros((len(segments), len(MODES)))
    credited = np.zeros(len(segments), bool)
    features = np.array([s.features for s in segments])
    start = time.perf_counter()
    for learn, judge in StratifiedGroupKFold(5, shuffle=True, random_state=SEED % 1000).split(truth, truth, people):
        recogniser = Recogniser([segments[i] for i in learn])
        verdicts = recogniser.judge([replace_mode(segments[i]) for i in judge])
        ours[judge] = [[j.probabilities[mode] for mode in MODES] for j in verdicts]
        credited[judge] = [j.credited for j in verdicts]
        trees = RandomForestClassifier(300, random_state=1).fit(features[learn], truth[learn])
        plain[judge] = trees.predict_proba(features[judge])
    seconds = time.perf_counter() - start
    car = truth == MODES.index("car")
    far = features[:, 1] >= LEAST_METRES
    score, plain_score = _macro(truth, ours), _macro(truth, plain)
    recall, plain_recall = _recall(ours, car, far), _recall(plain, car, np.ones_like(far))
    confident, hit = ours.max(axis=1), ours.argmax(axis=1) == truth
    bins = np.minimum((confident * 10).astype(int), 9)
    error = sum(
        abs(confident[bins == b].mean() - hit[bins == b].mean()) * (bins == b).mean() for b in set(bins.tolist())
    )
    each = dict(zip(MODES, f1_score(truth, ours.argmax(axis=1), average=None).round(3).tolist(), strict=True))
    print(f"F1 by mode {each}; calibration error {error:.3f}; {seconds:.0f} s for five times learning and judging")
    print(f"green recall at 3 % of cars {recall:.3f} (plain trees {plain_recall:.3f})")
    print(f"as credited: {credited[~car].mean():.3f} of green, {credited[car].mean():.3f} of cars")
    answer = figure(
        "forest modes",
        score,
        "macro-F1 of people not learned from",
        anchor="plain trees on the 23 features",
        anchor_value=plain_score,
        n=len(segments),
        least=0.80,
    )
    return judged(answer, recall >= 0.70)


def replace_mode(segment: Segment) -> Segment:
    """The segment as a stranger would hand it in: without its label."""
    return replace(segment, mode=None)


def _macro(truth: np.ndarray, shares: np.ndarray) -> float:
    return float(f1_score(truth, shares.argmax(axis=1), average="macro"))


def _recall(shares: np.ndarray, car: np.ndarray, far: np.ndarray) -> float:
    green = np.where(far, 1 - shares[:, MODES.index("car")], 0)
    return float((green[~car] > np.quantile(green[car], 0.97)).mean())


def clearings(rounds: int = 3) -> Figure:
    """Injected clearings found within two clear looks of the growing season, on real pixels; false alarms; speed."""
    patch = read_patch(DATA / "sentinel2_eopatch")
    start = time.process_time()
    series(patch)
    found = find_clearings(patch)
    seconds = time.process_time() - start
    alarms = alarms_a_year(found, patch)
    rng = np.random.default_rng(SEED)
    hits = trials = winter_hits = winter_trials = 0
    for parcel in patch.parcels:
        looks = np.flatnonzero(patch.clear[:, parcel.pixels].mean(axis=1) >= SEEN)
        for number in range(rounds):
            begin = int(rng.integers(8, len(looks) - 1))
            ndvi = patch.ndvi.copy()
            after = ndvi[looks[begin] :][:, parcel.pixels]
            bare = rng.normal((0.15, 0.22)[number % 2], 0.03, after.shape) if number % 3 < 2 else after * 0.35
            ndvi[looks[begin] :, parcel.pixels] = bare
            first, last = patch.dates[looks[begin]], patch.dates[looks[begin + 1]]
            right = any(
                c.parcel == parcel.id and first <= c.seen and c.confirmed <= last
                for c in find_clearings(replace(patch, ndvi=ndvi))
            )
            if 4 <= first.month <= 10:
                hits, trials = hits + right, trials + 1
            else:
                winter_hits, winter_trials = winter_hits + right, winter_trials + 1
    share = hits / trials
    print(
        f"{share:.1%} of {trials} in April to October, {winter_hits}/{winter_trials} in winter (snow), "
        f"{alarms:.3f} false alarms a parcel and year"
    )
    answer = figure(
        "forest clearings", share, "found in 2 clear looks", anchor="goal", anchor_value=0.9, n=trials, least=0.9
    )
    return judged(answer, alarms <= 0.05 and seconds <= 1)


def survey(trials: int = 2000) -> Figure:
    """Coverage of the 95 % interval, correlations 0 to 0.3 and survival 0.5 to 0.95, beside Wilson's; the planner."""
    rng = random.Random(SEED)
    numbers = np.random.default_rng(SEED)
    worst, best, naive = 1.0, 0.0, 1.0
    for correlation in (0.0, 0.01, 0.1, 0.3):
        for survival in (0.5, 0.7, 0.85, 0.95):
            for subplots in (30, 40):
                hits = wilson_hits = 0
                for _ in range(trials):
                    chance = np.full(400, survival)
                    if correlation:
                        spread = 1 / correlation - 1
                        chance = numbers.beta(survival * spread, (1 - survival) * spread, 400)
                    alive = numbers.binomial(50, chance)
                    true = alive.sum() / 20_000
                    chosen = rng.sample(range(400), subplots)
                    found = estimate([Count(str(i), 50, int(alive[i])) for i in chosen], population={"": 400})
                    low, high = wilson(found.alive, found.planted)
                    hits += found.low <= true <= found.high
                    wilson_hits += low <= true <= high
                covered = hits / trials
                worst, best, naive = min(worst, covered), max(best, covered), min(naive, wilson_hits / trials)
                print(
                    f"correlation {correlation:4} survival {survival:4} sub-plots {subplots}: {covered:.3f}, "
                    f"as independent {wilson_hits / trials:.3f}"
                )
    right = 0
    for _ in range(400):
        chance = numbers.beta(0.6 * 4, 0.4 * 4, 200)
        alive = numbers.binomial(30, chance)
        wanted = plan(survival=0.6, correlation=0.2, trees=30, population=200).subplots
        chosen = rng.sample(range(200), wanted)
        right += (
            estimate([Count(str(i), 30, int(alive[i])) for i in chosen], population={"": 200}).relative_error <= 0.2
        )
    print(f"planner right at {right / 400:.1%} of 400 sites")
    answer = figure(
        "forest survey",
        worst,
        "least coverage of a 95 % interval",
        anchor="Wilson as if trees were independent",
        anchor_value=naive,
        n=trials * 32,
        least=0.93,
    )
    return judged(answer, best <= 0.97 and right >= 0.88 * 400)
