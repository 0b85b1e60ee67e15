"""Tracks: reading GPX, PLT and CSV, refusing what cannot be true, and finding tracks that were handed in before."""

from commonweal.services.forest.tracks.fixes import Fix, Track, check_track, distance
from commonweal.services.forest.tracks.reading import read_csv, read_gpx, read_plt
from commonweal.services.forest.tracks.replay import shared_fixes, signature

__all__ = [
    "Fix",
    "Track",
    "check_track",
    "distance",
    "read_csv",
    "read_gpx",
    "read_plt",
    "shared_fixes",
    "signature",
]
