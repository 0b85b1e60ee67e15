from django.apps import AppConfig


class FilesConfig(AppConfig):
    """Pictures and documents."""

    name = "commonweal.kernel.files"
    default_auto_field = "django.db.models.BigAutoField"
