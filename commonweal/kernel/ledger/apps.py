from typing import Any

from django.apps import AppConfig
from django.db.backends.signals import connection_created

from commonweal.kernel import gathering


class LedgerConfig(AppConfig):
    """The books."""

    name = "commonweal.kernel.ledger"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Every session learns at its beginning whether the books are spread over machines."""
        connection_created.connect(_begun)


def _begun(connection: Any, **_: Any) -> None:
    if gathering.spread(connection.connection) and _execute not in connection.execute_wrappers:
        connection.execute_wrappers.append(_execute)


def _execute(execute: Any, sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
    connection = context["connection"]
    with connection.wrap_database_errors:
        return gathering.asked(connection.connection, sql, lambda query: execute(query, params, many, context))
