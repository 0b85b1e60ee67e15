"""Small libraries that the C compiler of this machine makes, and the loader puts before the C library."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path


def build(name: str, directory: Path) -> Path | None:
    """The library of `NAME.c` in this package, made in `directory`; None where there is no compiler."""
    compiler, library = shutil.which("cc"), directory / f"{name}.so"
    if compiler is None:
        return None
    source = Path(__file__).with_name(f"{name}.c")
    subprocess.run(
        [compiler, "-O2", "-Wall", "-Werror", "-shared", "-fPIC", "-o", str(library), str(source), "-ldl"], check=True
    )
    return library


def before(*libraries: Path | None) -> dict[str, str]:
    """The setting of the loader for a process and all that it starts."""
    names = [str(library) for library in libraries if library is not None]
    return {"LD_PRELOAD": ":".join(names)} if names else {}
