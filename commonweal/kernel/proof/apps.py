from django.apps import AppConfig


class ProofConfig(AppConfig):
    """The public log."""

    name = "commonweal.kernel.proof"
    default_auto_field = "django.db.models.BigAutoField"
