"""What happens by itself, one module a noun; tasks, erasers and openers are declared when they are imported."""

from __future__ import annotations

import importlib
import pkgutil

for module in pkgutil.iter_modules(__path__, f"{__name__}."):
    importlib.import_module(module.name)
