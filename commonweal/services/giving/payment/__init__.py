"""Payment providers: the port (`port.Provider`), and the built-in one, which signs but moves nothing."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Callable
from pathlib import Path

from django.conf import settings

from commonweal.kernel.errors import Invalid
from commonweal.kernel.text import Text
from commonweal.services.giving.payment.alipay import Alipay
from commonweal.services.giving.payment.port import (
    Agreeing,
    Back,
    Callback,
    Entry,
    Ignored,
    Kind,
    Order,
    Provider,
    Recurring,
    Settlement,
    Stating,
)
from commonweal.services.giving.payment.simulator import Simulator
from commonweal.services.giving.payment.stripe import Stripe
from commonweal.services.giving.payment.wechat import WeChat

ADAPTERS: dict[str, Callable[..., Provider]] = {"stripe": Stripe, "wechat": WeChat, "alipay": Alipay}

__all__ = [
    "Agreeing",
    "Back",
    "Callback",
    "Entry",
    "Ignored",
    "Kind",
    "Order",
    "Provider",
    "Recurring",
    "Settlement",
    "Stating",
    "provider",
    "providers",
    "recurring",
]


def providers() -> dict[str, Provider]:
    """The providers that take payments here: those with keys in `keys/payments.toml` of the data directory.

    The simulator exists in a demonstration only.
    """
    return _offered(settings.HOME, settings.DEMONSTRATION)


@functools.cache
def _offered(home: Path, demonstration: bool) -> dict[str, Provider]:
    return ({"simulator": Simulator(home)} if demonstration else {}) | _kept(home / "keys" / "payments.toml")


def _kept(path: Path) -> dict[str, Provider]:
    """One table for each provider, with the fields of its class."""
    tables = tomllib.loads(path.read_text()) if path.exists() else {}
    return {name: ADAPTERS[name](**fields) for name, fields in tables.items()}


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


def recurring(name: str) -> Recurring:
    """The provider of this name, for recurring gifts. Raises `Invalid`: `channel.unknown`, `channel.not-recurring`."""
    found = provider(name)
    if not isinstance(found, Recurring):
        raise Invalid(
            "channel.not-recurring",
            Text(
                "This way to pay is for single gifts only. Choose another.",
                "该付款方式不支持定期捐赠，请选择其他方式。",
            ),
            field="channel",
        )
    return found
