"""Tracks: reading GPX, PLT and CSV, refusing what cannot be true, and finding tracks that were handed in before."""

from commonweal.services.forest.tracks.fixes import Fix, Track, check_track, distance
from commonweal.services.forest.tracks.reading import read_csv, read_gpx, read_plt
from commonweal.services.forest.tracks.replay import SHARED, shared_fixes, signature
from commonweal.services.forest.tracks.travel import WAYS, Travelled, Way, check_way, travelled

__all__ = [
    "SHARED",
    "WAYS",
    "Fix",
    "Track",
    "Travelled",
    "Way",
    "check_track",
    "check_way",
    "distance",
    "read_csv",
    "read_gpx",
    "read_plt",
    "shared_fixes",
    "signature",
    "travelled",
]
