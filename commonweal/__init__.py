"""Commonweal: services for the common good, on one exact ledger and one public proof log."""

__version__ = "0.1.0"
