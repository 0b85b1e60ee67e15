"""One POST to an address that somebody else chose: never into our own network, never for long, never redirected."""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
from collections.abc import Callable, Mapping
from urllib.parse import SplitResult, urlsplit

from commonweal.kernel.errors import Invalid
from commonweal.kernel.text import Text

SECONDS = 10
LONGEST = 500


class Unreachable(Exception):
    """The call did not arrive: no connection, no public address, or an answer other than 2xx. To be tried again."""


def is_public(address: str) -> bool:
    """Whether an IP address is one of the open internet (RFC 6890)."""
    return ipaddress.ip_address(address).is_global


def check_address(address: str) -> str:
    """An address that can be called: `https://host[:port]/...`, without a name or password.

    Raises `Invalid` (`webhook.address`). Whether its host is public is seen at each call, since names change.
    """
    refusal = Invalid(
        "webhook.address",
        Text("Give an https address of the open internet.", "请填写公网的 https 地址。"),
        field="address",
    )
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError as error:
        raise refusal from error
    plain = address.isascii() and address.isprintable() and " " not in address and len(address) <= LONGEST
    if not plain or parts.scheme != "https" or not parts.hostname or parts.username is not None or port == 0:
        raise refusal
    try:
        literal = ipaddress.ip_address(parts.hostname)
    except ValueError:
        return address
    if not literal.is_global:
        raise refusal
    return address


def send(address: str, body: bytes, headers: Mapping[str, str], *, allows: Callable[[str], bool] = is_public) -> int:
    """POST `body`; returns the status. Raises `Unreachable`.

    The name is looked up once and the connection goes to the very address that was checked, so that a name which
    changes its mind in between leads nowhere. Redirects are not followed.
    """
    parts = urlsplit(address)
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    try:
        found = {str(each[4][0]) for each in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
        if not found or not all(allows(each) for each in found):
            raise Unreachable(f"{host} is not a public address")
        connection = _connect(parts, host, port, min(found))
        try:
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            connection.request("POST", target, body, {"Content-Type": "application/json", **headers})
            status = connection.getresponse().status
        finally:
            connection.close()
    except (OSError, http.client.HTTPException) as error:
        raise Unreachable(f"{host}: {type(error).__name__}") from error
    if not 200 <= status < 300:
        raise Unreachable(f"{host} answered {status}")
    return status


def _connect(parts: SplitResult, host: str, port: int, ip: str) -> http.client.HTTPConnection:
    plain = socket.create_connection((ip, port), timeout=SECONDS)
    connection = http.client.HTTPConnection(host, port, timeout=SECONDS)
    connection.sock = (
        ssl.create_default_context().wrap_socket(plain, server_hostname=host) if parts.scheme == "https" else plain
    )
    return connection
