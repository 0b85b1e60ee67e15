"""The world of the district for every test of access."""

from commonweal.services.access.tests.world import home, world

__all__ = ["home", "world"]
