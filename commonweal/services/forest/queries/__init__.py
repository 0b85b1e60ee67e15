"""What can be read in the forest; nothing here writes. One module a noun.

The functions here are what the first page asks every service.
"""

from __future__ import annotations

from django.urls import reverse

from commonweal.kernel.registry import Figure
from commonweal.kernel.text import Text
from commonweal.services.forest.queries import balances


def headline() -> list[Figure]:
    """The energy that deeds have earned, as of the newest balance."""
    newest = balances.newest()
    if newest is None:
        return []
    minted = newest.document["total"]["minted"]
    return [Figure(Text("Grams of green energy earned", "已产生绿色能量（克）"), minted, reverse("forest:balance"))]
