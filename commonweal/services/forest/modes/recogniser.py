"""The recogniser: learners that err differently, averaged; learned at the start from labelled segments.

Nothing learned is shipped: the segments known to us (GeoLife) may be used for research only, so whoever runs this names
a file of labelled segments they may use. Scored by people never seen in learning; a random split flatters by 8 points.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import ExtraTreesClassifier, HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits

from commonweal.kernel.errors import Invalid
from commonweal.kernel.text import Text
from commonweal.services.forest.modes.motion import FEATURES, shape
from commonweal.services.forest.modes.pairs import Pairs
from commonweal.services.forest.modes.segments import Segment
from commonweal.services.forest.modes.stops import Stops, odds_of_bus

MODES = ("bike", "bus", "car", "subway", "train")
"""What is told apart; a taxi is a car. Walking is told by its speed alone."""
SAME = {"taxi": "car"}

CREDITED = 0.925
"""Probability of not being a car from which a track is credited: 3 % of cars pass (`bench forest modes`)."""
HABIT, OTHERS = 0.15, 5
"""How much a person's other segments of the same batch count (in log odds of a car), and how many are as good as half.

Chosen by folds of people among those learned from (two ways to fold them, both +0.02 green recall at 3 % of cars); a
choice by nested folds is too noisy to confirm it, and of 400 resamples of the people 91 % gain."""
LEAST_METRES = 400
"""Nobody takes the car for less, so nothing is saved by not taking it."""
WALKING = {"vavg": 1.6, "p50": 1.6, "p85": 2.0, "p95": 3.0}
"""Speeds in m/s that a walk does not exceed. The segments learned from have no walks, so this is said, not learned."""
LEAST_TAUGHT = 100
SURENESS = 1.25
"""An average of learners is too modest: with this power its calibration error falls from 0.06 to 0.02."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a segment was, how sure that is, how surely it was no car, and whether it is credited (grade C)."""

    mode: str
    probability: float
    green: float
    credited: bool
    probabilities: dict[str, float]


class Recogniser:
    """Learns from labelled segments, then judges others."""

    def __init__(self, taught: Sequence[Segment], *, seed: int = 1) -> None:
        """Learn. Raises `Invalid` `modes.taught` if there are fewer than 100 labelled segments or a mode is missing."""
        labelled = [(s, SAME.get(s.mode or "", s.mode)) for s in taught]
        known = [(s, mode) for s, mode in labelled if mode in MODES]
        answers = np.array([MODES.index(str(mode)) for _, mode in known], int)
        if len(known) < LEAST_TAUGHT or len(set(answers)) < len(MODES):
            raise Invalid(
                "modes.taught",
                Text(
                    "At least {n} labelled segments with every mode are needed to learn from.",
                    "学习至少需要 {n} 个带标签且涵盖各种方式的行程段。",
                ).format(n=LEAST_TAUGHT),
                field="taught",
            )
        features = shape(np.array([s.features for s, _ in known]))
        taxis = np.where([s.mode == "taxi" for s, _ in known], len(MODES), answers)
        # Learned by themselves, taxis and cars are each more alike; their shares are added up afterwards.
        apart = taxis if taxis.max() == len(MODES) else answers
        even, half = _weights(apart, 1.0), _weights(answers, 0.5)
        trees = ExtraTreesClassifier(400, min_samples_leaf=2, random_state=seed).fit(features, apart, even)
        boosted = HistGradientBoostingClassifier(
            max_iter=100,
            learning_rate=0.08,
            max_leaf_nodes=12,
            l2_regularization=5,
            max_features=0.5,
            random_state=seed,
        )
        with threadpool_limits(1):  # its threads spin: on a busy machine two are fifty times slower than one
            boosted.fit(features, answers, half)
        self._learners = (
            trees,
            boosted,
            Pairs(features, answers, half),
            Pairs(features, apart, _weights(apart, 0.5)),
        )

    def probabilities(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        """Probabilities (n, modes) of segments given by their 23 features (n, 23): the learners' geometric mean."""
        seen = shape(features.reshape(-1, len(FEATURES)))
        logarithms = np.zeros((len(seen), len(MODES)))
        with threadpool_limits(1):
            for learner in self._learners:
                share = np.asarray(learner.predict_proba(seen))
                if share.shape[1] > len(MODES):
                    share[:, MODES.index("car")] += share[:, len(MODES)]
                logarithms += np.log(share[:, : len(MODES)] + 0.01) / len(self._learners)
        mean: NDArray[np.float64] = np.exp(SURENESS * logarithms)
        shares: NDArray[np.float64] = mean / mean.sum(axis=1, keepdims=True)
        return shares

    def judge(self, segments: Sequence[Segment], stops: Stops | None = None) -> list[Judgement]:
        """Judge segments. With the bus stops of the place, a track that halts where buses halt is more of a bus.

        Segments of one named person are judged together: whose others look like a car is more likely to be in one now.
        """
        if not segments:
            return []
        shares = self.probabilities(np.array([s.features for s in segments]))
        shares[:, MODES.index("car")] *= _habits([s.user for s in segments], shares[:, MODES.index("car")])
        found = []
        for segment, share in zip(segments, shares, strict=True):
            odds = odds_of_bus(segment.fixes, stops) if stops and segment.fixes else 1.0
            weighed = share * np.where(np.array(MODES) == "bus", odds, 1.0)
            found.append(_judgement(segment, weighed / weighed.sum()))
        return found


def _weights(answers: NDArray[np.int64], evenness: float) -> NDArray[np.float64]:
    """Weights by which rare modes count more: 0 not at all, 1 until all modes count the same."""
    weight = np.bincount(answers)[answers] ** -evenness
    return np.asarray(weight * len(weight) / weight.sum(), np.float64)


def _habits(people: Sequence[str], cars: NDArray[np.float64]) -> NDArray[np.float64]:
    """Factors of the odds of a car, by what each person's other segments look like; 1 for those without a name."""
    odds = np.log(np.clip(cars, 1e-4, 1 - 1e-4) / np.clip(1 - cars, 1e-4, 1))
    factors = np.ones(len(cars))
    for person in set(people) - {""}:
        own = np.flatnonzero([each == person for each in people])
        others = (odds[own].sum() - odds[own]) / (len(own) - 1 + OTHERS)
        factors[own] = np.exp(HABIT * others)
    return factors


def _judgement(segment: Segment, share: NDArray[np.float64]) -> Judgement:
    each = {mode: round(float(p), 4) for mode, p in zip(MODES, share, strict=True)}
    green = round(1 - each["car"], 4)
    best = max(each, key=lambda mode: each[mode])
    mode, probability = best, each[best]
    motion = dict(zip(FEATURES, segment.features, strict=True))
    if motion["vavg"] >= 0.3 and all(motion[name] <= most for name, most in WALKING.items()):
        mode, probability = "walk", round(1 - max(0.0, each["car"]) / 2, 4)
    credited = green >= CREDITED and float(motion["dist"]) >= LEAST_METRES
    return Judgement(mode, probability, green, credited, each)
