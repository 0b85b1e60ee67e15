"""The rules of the house that no tool knows. Each rule is shown what it must find, then all that is committed."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Callable, Iterator

import pytest
from django.apps import apps
from django.db.migrations.loader import MigrationLoader
from django.db.models import Field

from tests.database import ROOT

Rule = Callable[[str, str], list[str]]
"""`(path in the repository, text) -> what is wrong`."""

# Written in two parts each, so that this file keeps its own rules.
REGISTRIES = [
    *("py" + "pi.org", "python" + "hosted.org", "npm" + "js.org"),
    *("crates" + ".io", "proxy.golang" + ".org", "deb.debian" + ".org"),
]
MACHINE = re.compile("(?<![\\w.}])/(?:wo" + "rk/|ro" + "ot/|tm" + "p/cw)")
UNWANTED = ["pragma: no" + " cover", "NotImplemented" + "Error", "TO" + "DO", "FIX" + "ME", "lorem" + " ipsum"]
LOOSE = re.compile("#\\s*(?:type:\\s*ign" + "ore(?!\\[)|no" + "qa(?!:))")

CLOCKS = {"commonweal/kernel/clock.py", "commonweal/kernel/ids.py"}
"""The only modules that read the time of day, and that draw random numbers as a default."""
TIMES = {
    *("datetime.now", "datetime.utcnow", "datetime.today", "date.today", "timezone.now", "timezone.localdate"),
    *("time.time", "time.time_ns", "time.localtime", "time.gmtime"),
}
SEEDED = {"random.Random", "random.SystemRandom"}
"""What may be used of `random`: a generator that is handed around, with its seed."""


def no_registry(path: str, text: str) -> list[str]:
    """Package registries are called "the package index"."""
    return [host for host in REGISTRIES if host in text]


def no_machine_path(path: str, text: str) -> list[str]:
    """No path of the machine on which it was written."""
    spells_out = path.endswith(".lock") or path == "tests/docs/test_docs.py"  # the same rule for the docs
    return [] if spells_out else [match[0] for match in MACHINE.finditer(text)]


def nothing_unfinished(path: str, text: str) -> list[str]:
    """Nothing is left for later or left out of the measure."""
    return [word for word in UNWANTED if re.search(rf"\b{re.escape(word)}\b", text)]


def no_loose_ignore(path: str, text: str) -> list[str]:
    """What a checker is told to overlook has a name."""
    return [match[0] for match in LOOSE.finditer(text)] if path.endswith(".py") else []


def names_used(text: str) -> Iterator[str]:
    """`module.name`, for each attribute of a plain name."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield f"{node.value.id}.{node.attr}"


def time_is_injected(path: str, text: str) -> list[str]:
    """Time and chance come from outside: only the clock reads the time, and random generators have seeds."""
    ours = path.startswith("commonweal/") and path.endswith(".py") and "/tests/" not in path and path not in CLOCKS
    if not ours:
        return []
    used = set(names_used(text))
    return sorted(used & TIMES) + sorted(name for name in used - SEEDED if name.startswith("random."))


def lock_without_address(path: str, text: str) -> list[str]:
    """Locks hold names, versions and hashes."""
    return re.findall(r"https?://\S+|@ file\S+|--\w*index-url.*", text) if path.endswith(".lock") else []


def migration_of_one_service(path: str, text: str) -> list[str]:
    """A migration of a service imports no other service."""
    match = re.match(r"commonweal/services/(\w+)/migrations/", path)
    if match is None:
        return []
    return [name for name in re.findall(r"commonweal\.services\.(\w+)", text) if name != match[1]]


RULES = [
    no_registry,
    no_machine_path,
    nothing_unfinished,
    no_loose_ignore,
    time_is_injected,
    lock_without_address,
    migration_of_one_service,
]


def committed() -> Iterator[tuple[str, str]]:
    """Every committed text file, as it is in the work tree."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        path = ROOT / name
        if path.is_file() and not path.is_symlink():
            try:
                yield name, path.read_text()
            except UnicodeDecodeError:
                continue


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_everything_committed_keeps_the_rule(rule: Rule) -> None:
    found = {path: wrong for path, text in committed() if (wrong := rule(path, text))}
    assert found == {}, rule.__doc__


@pytest.mark.parametrize(
    ("rule", "path", "text"),
    [
        (no_registry, "README.md", "from https://py" + "pi.org/simple"),
        (no_machine_path, "docs/a.md", "see /wo" + "rk/shared"),
        (no_machine_path, "a.py", "x = '/tm" + "p/cw-me'"),
        (nothing_unfinished, "a.py", "raise NotImplemented" + "Error"),
        (nothing_unfinished, "a.py", "x = 1  # pragma: no" + " cover"),
        (no_loose_ignore, "a.py", "x = 1  # type: ign" + "ore"),
        (no_loose_ignore, "a.py", "x = 1  # no" + "qa"),
        (time_is_injected, "commonweal/services/toy/actions.py", "x = datetime.now(UTC)"),
        (time_is_injected, "commonweal/services/toy/rules.py", "import time\nx = time.time()"),
        (time_is_injected, "commonweal/services/toy/rules.py", "import random\nx = random.choice([1])"),
        (lock_without_address, "requirements.lock", "a @ https://example.org/a.whl"),
        (lock_without_address, "requirements.lock", "--index-url https://example.org"),
        (
            migration_of_one_service,
            "commonweal/services/toy/migrations/0001_a.py",
            "from commonweal.services.giving.models import Gift",
        ),
    ],
)
def test_each_rule_finds_what_it_is_for(rule: Rule, path: str, text: str) -> None:
    assert rule(path, text)


@pytest.mark.parametrize(
    ("rule", "path", "text"),
    [
        (time_is_injected, "commonweal/kernel/clock.py", "x = datetime.now(UTC)"),
        (time_is_injected, "commonweal/services/toy/tests/test_rules.py", "x = datetime.now(UTC)"),
        (time_is_injected, "commonweal/services/toy/rules.py", "x = random.Random(7); y = time.monotonic()"),
        (no_loose_ignore, "a.py", "x = 1  # type: ignore[misc]  # noqa: S101"),
        (no_machine_path, "a.md", "https://example.org/work/home and ../work/x"),
        (migration_of_one_service, "commonweal/services/toy/migrations/0001_a.py", "import commonweal.services.toy"),
    ],
)
def test_no_rule_is_too_strict(rule: Rule, path: str, text: str) -> None:
    assert rule(path, text) == []


# Services stand alone, in the database too


def service_of(module: str) -> str | None:
    """The service that a module belongs to, if any."""
    match = re.match(r"commonweal\.services\.(\w+)", module)
    return match[1] if match else None


def crossings() -> list[str]:
    """Relations that lead into a service from outside of it (string references escape the import linter)."""
    found = []
    for model in apps.get_models(include_auto_created=True):
        for field in model._meta.get_fields():
            target = field.remote_field.model if isinstance(field, Field) and field.remote_field else None
            if target is None or isinstance(target, str):
                continue
            into = service_of(target.__module__)
            if into and service_of(model.__module__) != into:
                found.append(f"{model.__module__}.{model.__name__}.{field.name} -> {target.__module__}")
    return found


def test_no_relation_leads_into_a_service_from_outside() -> None:
    assert crossings() == []


def test_no_migration_depends_on_another_service() -> None:
    services = {config.label: service_of(config.name) for config in apps.get_app_configs()}
    wrong = []
    for (app, name), migration in MigrationLoader(None, ignore_no_migrations=True).disk_migrations.items():
        for other, _ in [*migration.dependencies, *migration.run_before]:
            if services.get(other) and services.get(other) != services.get(app):
                wrong.append(f"{app}.{name} -> {other}")
    assert wrong == []


def test_the_crossing_of_two_services_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pretend that the people of the kernel were a service: what refers to them is then named."""
    from commonweal.kernel.parties.models import Party

    monkeypatch.setattr(Party, "__module__", "commonweal.services.toy.models")
    assert any("-> commonweal.services.toy" in crossing for crossing in crossings())


@pytest.mark.django_db
def test_no_model_is_forgotten_by_the_migrations() -> None:
    from django.core.management import call_command

    call_command("makemigrations", check=True, dry_run=True, verbosity=0)
