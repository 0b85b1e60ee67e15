"""What a campaign needs, thing by thing, and how far the gifts reach."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from commonweal.kernel.text import Text


@dataclass(frozen=True, slots=True)
class Need:
    """One line of the budget: `quantity` things at `price` smallest units each."""

    what: Text
    price: int
    quantity: int
    unit: Text

    @property
    def cost(self) -> int:
        """All of them together."""
        return self.price * self.quantity


def covered(needs: Sequence[Need], raised: int) -> list[int]:
    """How much of each need is covered when `raised` fills them in their order."""
    amounts = []
    for need in needs:
        amounts.append(max(0, min(need.cost, raised)))
        raised -= need.cost
    return amounts
