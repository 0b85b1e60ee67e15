"""The demonstration: a made-up district in the open sea, drawn by hand (`district.osm`), and two reports in it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from django.conf import settings

from commonweal.kernel import clock
from commonweal.kernel.parties.models import Login
from commonweal.services.access import actions
from commonweal.services.access.actions import Sighting
from commonweal.services.access.graph.regions import bring

DISTRICT = Path(__file__).with_name("district.osm")
REPORTS = (
    ("giver@demo.example", "works", 29.601349, 123.402328, 3),
    ("steward@demo.example", "surface", 29.604047, 123.404656, 1),
)
"""Who met what, where, and how many hours ago; a steward's report is confirmed at once."""


def seed() -> None:
    """Make the demonstration; twice is once."""
    if not (settings.HOME / "access" / "district" / "meta.json").exists():
        bring(DISTRICT, settings.HOME / "access", licence="drawn for the demonstration · 演示用虚构地图")
    for number, (email, kind, lat, lon, hours) in enumerate(REPORTS):
        party = Login.objects.select_related("party").get(email=email).party
        with clock.stopped(clock.now() - timedelta(hours=hours)):
            actions.report(party, Sighting(kind, lat, lon, f"seed-{number}"))
