"""Positions: where they lie, and the promises of them in the transaction of the cursor that is given."""

from commonweal.services.forest.planting.layout import Place, degrees, lay_out, mercator
from commonweal.services.forest.planting.positions import Promised, flush, promise

__all__ = ["Place", "Promised", "degrees", "flush", "lay_out", "mercator", "promise"]
