"""The outline of a plot: a simple polygon that no other programme's plot overlaps."""

from commonweal.services.forest.plots.outline import Outline, check_outline, overlap, read_outline

__all__ = ["Outline", "check_outline", "overlap", "read_outline"]
