import importlib
from typing import Any

from django.apps import AppConfig, apps
from django.db import connections
from django.db.models.signals import post_migrate

from commonweal.kernel.ledger import open_assets
from commonweal.kernel.quantity import CNY
from commonweal.kernel.registry import services


class WebConfig(AppConfig):
    """What people see."""

    name = "commonweal.web"

    def ready(self) -> None:
        """Declare the tasks, erasers and openers of the house and of every service."""
        for module in ("jobs", "signin.letters"):  # the clerk does tasks of modules that no page has loaded for it
            importlib.import_module(f"commonweal.web.{module}")
        for service in services():
            service.module("jobs")
        # Django tells only apps with models that all migrations are done.
        post_migrate.connect(_open_assets, sender=apps.get_app_config("parties"))


def _open_assets(using: str, **_: Any) -> None:
    """Make yuan and the assets of every service known to the books."""
    with connections[using].cursor() as cursor:
        open_assets(cursor, [CNY, *(asset for service in services() for asset in service.assets)])
