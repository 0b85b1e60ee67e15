"""The one command. `commonweal --help` lists what it does; each service adds its own doors.

Data goes to stdout, progress and errors to stderr; the exit code is 0 only on success, 1 for a "no", 2 for a request
that cannot be understood.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import json
import os
import pkgutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import commonweal.services
from commonweal.kernel.errors import Refusal

OWN = ("commonweal.operation.commands", "commonweal.operation.proof_commands")
"""Modules of the platform's own commands, each with `add_commands(subparsers)`."""


def service_names() -> list[str]:
    """The services that are installed: the folders beside one another in `commonweal/services`."""
    return sorted(module.name for module in pkgutil.iter_modules(commonweal.services.__path__) if module.ispkg)


def build_parser(wanted: str | None = None) -> argparse.ArgumentParser:
    """The whole command line. Only the commands of the service named `wanted` are loaded, so that starting is quick."""
    parser = argparse.ArgumentParser(prog="commonweal", description=__doc__.split("\n", 1)[0])
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for module in OWN:
        importlib.import_module(module).add_commands(subparsers)
    if wanted == "bench" and importlib.util.find_spec("bench"):  # beside the package in a checkout only
        importlib.import_module("bench.commands").add_commands(subparsers)
    for name in service_names():
        module = f"commonweal.services.{name}.commands"
        if importlib.util.find_spec(module) is None:
            continue
        service = subparsers.add_parser(name, help=f"the commands of the service {name}")
        if wanted == name:
            importlib.import_module(module).add_commands(service.add_subparsers(required=True, metavar="COMMAND"))
    return parser


def _home(arguments: argparse.Namespace) -> Path:
    """The data directory: `--data`, else what the settings say."""
    if arguments.data:
        os.environ["COMMONWEAL_DATA_DIR"] = arguments.data
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "commonweal.settings")
    from django.conf import settings

    return Path(settings.HOME)


@contextmanager
def _database(arguments: argparse.Namespace) -> Iterator[None]:
    """The platform's database, for as long as a service's command needs it."""
    _home(arguments)
    from commonweal.operation.database import open_database

    with open_database():
        yield


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    A service's command that has `--data` finds the data directory through `arguments.home()`, and reaches the database
    within `arguments.database()`: how it is started is no service's business.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    wanted = words[0] if words else None
    arguments = argparse.Namespace()
    try:
        arguments = build_parser(wanted).parse_args(words)
        arguments.home = partial(_home, arguments)
        arguments.database = partial(_database, arguments)
        return int(arguments.run(arguments) or 0)
    except ModuleNotFoundError as missing:
        if wanted not in service_names() or (missing.name or "").startswith("commonweal"):
            raise
        extra = f"commonweal[{wanted}]"
        print(f"commonweal: {missing.name} is missing; the extra {extra} brings it.", file=sys.stderr)
        print(f"            缺少 {missing.name}，安装 {extra} 即可。", file=sys.stderr)
        return 2
    except Refusal as refusal:
        if getattr(arguments, "json", False):
            print(json.dumps({"code": refusal.code, "en": refusal.text.en, "zh": refusal.text.zh}, ensure_ascii=False))
        print(f"commonweal: {refusal.text.en}\n            {refusal.text.zh}", file=sys.stderr)
        return 1 if refusal.status in (404, 409) else 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return 0
    except OSError as error:
        print(f"commonweal: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
