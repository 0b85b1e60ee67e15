"""The district of the demonstration as a world for tests: its map in a data directory of its own, a stopped clock."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.test import override_settings

from commonweal.kernel import clock
from commonweal.kernel.parties.models import Login, Party
from commonweal.services.access import queries
from commonweal.services.access.graph.regions import bring
from commonweal.services.access.rules import PROFILES
from commonweal.services.access.seed import DISTRICT

NOW = datetime(2026, 11, 25, 9, tzinfo=UTC)
MANUAL = PROFILES["manual"][0]
SCHOOL, LIBRARY = (29.600674, 123.400775), (29.604452, 123.405373)
BRIDGE = (29.602587, 123.403878)
NORTH_LIFT, SOUTH_LIFT = (29.6028598, 123.4038786), (29.6025361, 123.4038786)


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    bring(DISTRICT, folder / "access")
    return folder


@pytest.fixture
def world(db: None, home: Path) -> Iterator[None]:
    queries._routers().clear()
    with override_settings(HOME=home), clock.stopped(NOW):
        yield
    queries._routers().clear()


def somebody(email: str) -> Party:
    login = Login(email=email)
    login.set_unusable_password()
    login.save()
    return login.party
