"""Canopy seen by satellite: NDVI of each parcel through time, clouds left out, clearings flagged with their dates."""

from commonweal.services.forest.canopy.grid import read_grid, with_outlines
from commonweal.services.forest.canopy.patch import Parcel, Patch, read_patch
from commonweal.services.forest.canopy.series import Clearing, Series, clearings, series

__all__ = ["Clearing", "Parcel", "Patch", "Series", "clearings", "read_grid", "read_patch", "series", "with_outlines"]
