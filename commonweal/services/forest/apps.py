from django.apps import AppConfig


class ForestConfig(AppConfig):
    """Forest."""

    name = "commonweal.services.forest"
    default_auto_field = "django.db.models.BigAutoField"
