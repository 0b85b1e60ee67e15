"""Our own drawings in SVG, as plain text: a certificate's tree, a plot with its sub-plots, the forest in cells."""

from commonweal.services.forest.pictures.ground import Patch, Spot, plot_map
from commonweal.services.forest.pictures.tree import tree

__all__ = ["Patch", "Spot", "plot_map", "tree"]
