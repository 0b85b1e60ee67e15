"""The forest's part of the API, one module a noun; each has its own `router`."""

from __future__ import annotations

import importlib
import pkgutil

import ninja

router = ninja.Router()
for module in pkgutil.iter_modules(__path__, f"{__name__}."):
    router.add_router("", importlib.import_module(module.name).router)
