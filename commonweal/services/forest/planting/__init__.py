"""Positions and the promises of them, in the transaction of the cursor that is given."""

from commonweal.services.forest.planting.positions import Promised, promise

__all__ = ["Promised", "promise"]
