from django.apps import AppConfig


class LedgerConfig(AppConfig):
    """The books."""

    name = "commonweal.kernel.ledger"
    default_auto_field = "django.db.models.BigAutoField"
