import importlib

from django.apps import AppConfig

from commonweal.kernel.registry import services


class WebConfig(AppConfig):
    """What people see."""

    name = "commonweal.web"

    def ready(self) -> None:
        """Declare the tasks, erasers and openers of the house and of every service."""
        importlib.import_module("commonweal.web.jobs")
        for service in services():
            service.module("jobs")
