"""Payment providers: the port (`port.Provider`), and the built-in one, which signs but moves nothing."""

from __future__ import annotations

from django.conf import settings

from commonweal.kernel.errors import Invalid
from commonweal.kernel.text import Text
from commonweal.services.giving.payment.port import Callback, Order, Provider
from commonweal.services.giving.payment.simulator import Simulator

__all__ = ["Callback", "Order", "Provider", "provider", "providers"]


def providers() -> dict[str, Provider]:
    """The providers that take payments here. The simulator exists in a demonstration only."""
    return {"simulator": Simulator(settings.HOME)} if settings.DEMONSTRATION else {}


def provider(name: str) -> Provider:
    """The provider of this name. Raises `Invalid` with code `channel.unknown`."""
    found = providers().get(name)
    if found is None:
        raise Invalid(
            "channel.unknown",
            Text("Choose one of the ways to pay that are offered.", "请从所列方式中选择付款方式。"),
            field="channel",
        )
    return found
