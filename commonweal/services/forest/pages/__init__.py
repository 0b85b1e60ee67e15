"""The pages of the forest, one module a noun; each says its own `urlpatterns`."""

from __future__ import annotations

import importlib
import pkgutil

from django.urls import URLPattern

app_name = "forest"
urlpatterns: list[URLPattern] = [
    pattern
    for module in pkgutil.iter_modules(__path__, f"{__name__}.")
    for pattern in importlib.import_module(module.name).urlpatterns
]
