"""Signing in and up: django-allauth with our words, our forms and our ways of sending codes."""
