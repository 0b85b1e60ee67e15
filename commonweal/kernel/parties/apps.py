from django.apps import AppConfig


class PartiesConfig(AppConfig):
    """People and organisations."""

    name = "commonweal.kernel.parties"
    default_auto_field = "django.db.models.BigAutoField"
