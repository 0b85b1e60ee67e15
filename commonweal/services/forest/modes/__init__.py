"""Which way somebody travelled: bicycle, bus, car or taxi, metro, train or on foot, from the motion of a track."""

from commonweal.services.forest.modes.motion import FEATURES, motion
from commonweal.services.forest.modes.recogniser import CREDITED, MODES, Judgement, Recogniser
from commonweal.services.forest.modes.segments import Segment, read_segments, read_tracks

__all__ = [
    "CREDITED",
    "FEATURES",
    "MODES",
    "Judgement",
    "Recogniser",
    "Segment",
    "motion",
    "read_segments",
    "read_tracks",
]
