"""Calling other people's programs: signed, to public addresses only. Knows nothing of giving."""

from commonweal.services.giving.webhooks.sending import LONGEST, Unreachable, check_address, send
from commonweal.services.giving.webhooks.signing import HEADER, TOLERANCE, sign, verify

__all__ = ["HEADER", "LONGEST", "TOLERANCE", "Unreachable", "check_address", "send", "sign", "verify"]
