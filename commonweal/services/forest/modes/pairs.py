"""A support vector machine for each pair of modes, with probabilities coupled into one answer.

Each machine only knows two modes, so the border between bus and car is drawn by buses and cars alone. Coupling: Price,
Knerr, Personnaz and Dreyfus 1994, NIPS 7: p_i = 1 / (sum over j of 1 / r_ij - (k - 2)).
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from sklearn.calibration import CalibratedClassifierCV
from sklearn.preprocessing import QuantileTransformer
from sklearn.svm import SVC


class Pairs:
    """Machines of radial kernels over features spread to normal distributions."""

    def __init__(self, features: NDArray[np.float64], answers: NDArray[np.int64], weight: NDArray[np.float64]) -> None:
        """Learn from features (n, d), answers 0 to k - 1 and weights."""
        self._spread = QuantileTransformer(
            n_quantiles=min(200, len(answers)), output_distribution="normal", random_state=0
        )
        seen = self._spread.fit_transform(features)
        self._modes = int(answers.max()) + 1
        self._machines = {}
        for a, b in combinations(range(self._modes), 2):
            two = (answers == a) | (answers == b)
            machine = CalibratedClassifierCV(SVC(C=3, gamma=0.03), ensemble=False)
            self._machines[a, b] = machine.fit(seen[two], answers[two] == b, weight[two])

    def predict_proba(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        """Probabilities (n, k)."""
        seen = self._spread.transform(features)
        ratios = np.full((len(seen), self._modes, self._modes), np.inf)
        for (a, b), machine in self._machines.items():
            second = np.clip(machine.predict_proba(seen)[:, 1], 0.001, 0.999)
            ratios[:, b, a], ratios[:, a, b] = second, 1 - second
        shares = 1 / ((1 / ratios).sum(axis=2) - (self._modes - 2))
        coupled: NDArray[np.float64] = shares / shares.sum(axis=1, keepdims=True)
        return coupled
