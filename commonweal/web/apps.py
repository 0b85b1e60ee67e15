from django.apps import AppConfig

from commonweal.kernel.registry import services


class WebConfig(AppConfig):
    """What people see."""

    name = "commonweal.web"

    def ready(self) -> None:
        """Declare the tasks and erasers of every service."""
        for service in services():
            service.module("jobs")
