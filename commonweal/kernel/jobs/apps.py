from django.apps import AppConfig


class JobsConfig(AppConfig):
    """Work that is done after the commit."""

    name = "commonweal.kernel.jobs"
    default_auto_field = "django.db.models.BigAutoField"
