"""People and organisations: who they are, what they may do, and how they are forgotten.

The functions are in `people`, `cipher` and `erasure`; the tables in `models` (Django loads them by itself).
"""
