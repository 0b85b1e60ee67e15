"""The demonstration's forest: everything goes through the real actions. Making it twice is making it once."""

from __future__ import annotations

from commonweal.services.forest.seed import energy, study, trees


def seed() -> None:
    """Make the demonstration, in the order in which things happen: deeds and energy, then trees."""
    trees.ground()
    energy.seed()
    trees.grow()
    study.seed()
