"""Plots in the database as they are before anybody describes them: what promises alone need."""

from __future__ import annotations

import uuid
from typing import Any

import psycopg

SEASON = "2027S-saxaul"
FUNDER = uuid.UUID(int=99)


def open_plot(connection: psycopg.Connection[Any], id: int, grams: int, capacity: int, funded: int) -> None:
    """A plot of the season with so many positions, and the payment for some of them."""
    connection.execute(
        """
        INSERT INTO forest_species VALUES
            ('saxaul', 'Haloxylon ammodendron', 'saxaul', '梭梭', 300, 50, 30, 700, '', 'test')
        ON CONFLICT DO NOTHING
        """
    )
    connection.execute(
        "INSERT INTO forest_season VALUES (%s, '2027S', 'saxaul', '-infinity', 'infinity', gen_random_uuid())"
        " ON CONFLICT DO NOTHING",
        [SEASON],
    )
    connection.execute(
        """
        INSERT INTO parties_party (id, kind, name_en, name_zh, created_at)
        VALUES (%s, 'organisation', 'Funder', '付款方', now()) ON CONFLICT DO NOTHING
        """,
        [FUNDER],
    )
    connection.execute(
        "INSERT INTO forest_plot (id, season, code, grams, capacity, funded) VALUES (%s, %s, %s, %s, %s, 0)",
        [id, SEASON, f"CF{id}", grams, capacity],
    )
    connection.execute(
        "INSERT INTO forest_funding VALUES (gen_random_uuid(), %s, %s, %s, 0, %s, now())",
        [id, FUNDER, funded, f"payment {id}"],
    )
