import importlib

from django.apps import AppConfig


class NoticesConfig(AppConfig):
    """Messages to people."""

    name = "commonweal.kernel.notices"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Declare the task that sends mail, and the eraser of the inbox, in every process."""
        importlib.import_module("commonweal.kernel.notices.inbox")
