from django.apps import AppConfig


class AccessConfig(AppConfig):
    """Access."""

    name = "commonweal.services.access"
    default_auto_field = "django.db.models.BigAutoField"
