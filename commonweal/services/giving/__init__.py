"""Giving: stories, gifts, matching, and every fen followed to its end."""
