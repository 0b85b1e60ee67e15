"""A ninth service, built from docs/how-to/add-a-service.md alone; and the house without any one of its services."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from commonweal.cli import service_names

ROOT = Path(__file__).parent.parent.parent
PAGE = ROOT / "docs" / "how-to" / "add-a-service.md"
FILE = re.compile(r"^`(commonweal/services/tools/[^`]+)`\n```\w+\n(.*?)```$", re.MULTILINE | re.DOTALL)


def copy_of_the_house(to: Path) -> Path:
    """The tree as it would be checked out, so that nothing else of this machine helps."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    for name in listed:
        if (ROOT / name).is_file():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, to / name)
    run(to, "git", "init", "-q")
    run(to, "git", "add", "-A")
    return to


def run(house: Path, *words: str) -> str:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("COMMONWEAL_", "PYTEST_", "DATABASE_URL"))}
    environment = kept | {
        "PYTHONPATH": str(house),
        "DJANGO_SETTINGS_MODULE": "commonweal.settings",
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    done = subprocess.run(words, cwd=house, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(words)}\n{done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr


@pytest.mark.slow
def test_a_service_from_the_documentation_alone(tmp_path: Path) -> None:
    house = copy_of_the_house(tmp_path / "house")
    files = FILE.findall(PAGE.read_text())
    assert sum(content.count("\n") for _, content in files) <= 250
    for name, content in files:
        (house / name).parent.mkdir(parents=True, exist_ok=True)
        (house / name).write_text(content)
    run(house, sys.executable, "-m", "django", "makemigrations", "tools")
    run(house, "ruff", "check", "--fix", "--select", "I", "commonweal/services/tools/migrations")
    run(house, "ruff", "format", "commonweal/services/tools/migrations")
    run(house, "ruff", "format", "--check", "commonweal/services/tools")
    run(house, "ruff", "check", "commonweal/services/tools")
    run(house, "lint-imports")
    run(house, sys.executable, "-m", "pytest", "commonweal/services/tools", "tests/docs/test_docs.py")
    for name in ("commonweal", "tests", "docs"):
        changed = [path for path in (house / name).rglob("*.py") if "services/tools" not in str(path)]
        assert all(path.read_bytes() == (ROOT / path.relative_to(house)).read_bytes() for path in changed)


CHECK = """
import django
from django.core.management import call_command
django.setup()
call_command("check", fail_level="WARNING")
call_command("makemigrations", check_changes=True, dry_run=True)
"""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_of_the_house(tmp_path_factory.mktemp("ninth") / "house")


@pytest.mark.parametrize("gone", sorted({*((name,) for name in service_names()), (*service_names(),)}), ids=" ".join)
def test_the_house_stands_without(house: Path, gone: tuple[str, ...]) -> None:
    for name in gone:
        (house / "commonweal" / "services" / name).rename(house / name)
    try:
        run(house, sys.executable, "-c", CHECK)
    finally:
        for name in gone:
            (house / name).rename(house / "commonweal" / "services" / name)
