"""Clearing: what circles between allied banks is taken away, as much as can be. Pure, and a library of its own."""

from commonweal.services.giving.clearing.compression import Position, compress, gain
from commonweal.services.giving.clearing.statement import Statement, parse, write

__all__ = ["Position", "Statement", "compress", "gain", "parse", "write"]
