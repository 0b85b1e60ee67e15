import importlib

from django.apps import AppConfig


class FilesConfig(AppConfig):
    """Pictures and documents."""

    name = "commonweal.kernel.files"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Declare the task that deletes files, and the eraser."""
        importlib.import_module("commonweal.kernel.files.store")
