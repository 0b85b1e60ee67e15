from django.apps import AppConfig


class NoticesConfig(AppConfig):
    """Messages to people."""

    name = "commonweal.kernel.notices"
    default_auto_field = "django.db.models.BigAutoField"
