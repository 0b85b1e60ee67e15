"""`commonweal bench SERVICE NAME [OPTIONS]`: the function NAME of the module `bench.SERVICE`.

A number that a function takes by a name with a default is an option of it (`--gifts 10000000`). A module with options
of its own has `add_arguments(parser)`; its functions take what was parsed as `arguments`.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import inspect
import pkgutil
import sys
from collections.abc import Callable
from types import ModuleType

import bench
from bench.figure import Figure, show
from commonweal.kernel.errors import Invalid
from commonweal.kernel.text import Text

GROUND = {
    "access_http", "access_judge", "access_valhalla", "commands", "figure", "giving_day", "giving_fraud", "giving_open",
    "giving_rush", "giving_trace", "ground", "naive", "open_loop",
}  # fmt: skip


def add_commands(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `bench`."""
    door = subparsers.add_parser("bench", help="measure one thing beside its anchor; the last line is JSON")
    door.add_argument("service", metavar="SERVICE", help=", ".join(services()))
    door.add_argument("name", metavar="NAME", help="a benchmark of the service; `all` for each of them")
    door.add_argument("options", nargs=argparse.REMAINDER, metavar="OPTIONS", help="of the module, if it has any")
    door.set_defaults(run=_run)


def services() -> list[str]:
    """What has benchmarks."""
    return sorted(module.name for module in pkgutil.iter_modules(bench.__path__) if module.name not in GROUND)


def benchmarks(module: ModuleType) -> list[str]:
    """The benchmarks of a module: its public functions that need nothing, or its parsed options alone."""
    needs = ["arguments"] if hasattr(module, "add_arguments") else []
    return [
        name
        for name, made in vars(module).items()
        if inspect.isfunction(made)
        and made.__module__ == module.__name__
        and not name.startswith("_")
        and [word for word in inspect.signature(made).parameters if word not in _numbers(made)] == needs
    ]


def _numbers(benchmark: Callable[..., object]) -> dict[str, int]:
    """The numbers that a benchmark can be asked with, and what they are by default."""
    parameters = inspect.signature(benchmark).parameters.values()
    return {each.name: each.default for each in parameters if isinstance(each.default, int)}


def _run(arguments: argparse.Namespace) -> int:
    known = services()
    if arguments.service not in known:
        raise _unknown(arguments.service, known)
    module = importlib.import_module(f"bench.{arguments.service}")
    names = benchmarks(module)
    if arguments.name not in (*names, "all"):
        raise _unknown(arguments.name, names)
    asked = names if arguments.name == "all" else [arguments.name]
    numbers = _numbers(getattr(module, arguments.name)) if arguments.name in names else {}
    parser = argparse.ArgumentParser(prog=f"commonweal bench {arguments.service} {arguments.name}")
    for word, default in numbers.items():
        parser.add_argument(f"--{word}", type=int, default=default, help=f"{default:,} by default")
    if hasattr(module, "add_arguments"):
        module.add_arguments(parser)
    parsed = parser.parse_args(arguments.options)
    given = [parsed] if hasattr(module, "add_arguments") else []
    figures: list[Figure] = []
    for name in asked:
        print(f"measuring {arguments.service} {name} ...", file=sys.stderr)
        found = getattr(module, name)(*given, **{word: getattr(parsed, word) for word in numbers})
        figures += found if isinstance(found, list) else [found]
    show(figures)
    return 0 if all(one["ok"] for one in figures) else 1


def _unknown(word: str, known: list[str]) -> Invalid:
    return Invalid(
        "bench.unknown",
        Text("There is no benchmark {word}; there are: {known}", "没有名为 {word} 的测量，可用：{known}").format(
            word=word, known=", ".join(known)
        ),
    )
