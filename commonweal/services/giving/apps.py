from django.apps import AppConfig


class GivingConfig(AppConfig):
    """Giving."""

    name = "commonweal.services.giving"
    default_auto_field = "django.db.models.BigAutoField"
