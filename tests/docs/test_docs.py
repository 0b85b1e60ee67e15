"""The documentation is whole and true: what exists is written down, what is written down exists."""

from __future__ import annotations

import argparse
import ast
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from commonweal.cli import build_parser, service_names
from commonweal.kernel.registry import services
from tests.docs import matching
from tests.docs.codes import ROOT, codes

REFERENCE = ROOT / "docs" / "reference"
CODE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "commonweal").rglob("README.md")])


def readme(service: str) -> str:
    path = ROOT / "commonweal" / "services" / service / "README.md"
    return path.read_text() if path.exists() else ""


def leaves(parser: argparse.ArgumentParser, before: str) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Every command with its parser."""
    below = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    if not below:
        yield before, parser
    for action in below:
        for name, inner in action.choices.items():
            yield from leaves(inner, f"{before} {name}")


@pytest.mark.parametrize("service", ["", *service_names()])
def test_each_command_and_option_is_documented(service: str) -> None:
    page = (REFERENCE / "commands.md").read_text() + readme(service)
    prefix = f"commonweal {service}".strip()
    for command, parser in leaves(build_parser(service or None), "commonweal"):
        if not command.startswith(prefix) or (not service and command.split()[1] in service_names()):
            continue
        assert command in page, f"{command} is not documented"
        for option in (word for action in parser._actions for word in action.option_strings if word.startswith("--")):
            assert option in page, f"{command} {option} is not documented"


def test_each_setting_is_documented_and_read_in_one_place() -> None:
    page = (REFERENCE / "settings.md").read_text()
    read = re.compile(r"environ(?:\.get\(|\[)\s*\"([A-Z_]+)\"")
    settings = set(read.findall((ROOT / "commonweal" / "settings.py").read_text()))
    assert {name for name in settings if f"`{name}`" not in page} == set()
    documented = set(re.findall(r"^\| `([A-Z_]+)` \|", page, re.MULTILINE))
    assert documented - settings == {"COMMONWEAL_DATA"}, "documented, and not there"


def test_each_kind_of_fact_is_documented() -> None:
    page = (REFERENCE / "facts.md").read_text()
    appended = re.compile(r"\bFact\(\s*\"([a-z_.-]+)\"")
    for path in [*(ROOT / "commonweal/kernel").rglob("*.py"), *(ROOT / "commonweal/web").rglob("*.py")]:
        if "tests" not in path.parts:
            assert {kind for kind in appended.findall(path.read_text()) if f"`{kind}`" not in page} == set(), path
    for service in services():
        text = page + readme(service.name)
        assert {kind.name for kind in service.fact_kinds if f"`{kind.name}`" not in text} == set()
        folder = ROOT / "commonweal" / "services" / service.name
        used = {kind for path in folder.rglob("*.py") for kind in appended.findall(path.read_text())}
        declared = {kind.name for kind in service.fact_kinds}
        assert {kind for kind in used if kind.startswith(f"{service.name}.")} <= declared


@pytest.mark.parametrize("service", services(), ids=lambda service: service.name)
def test_each_kind_of_account_and_each_asset_is_documented(service: object) -> None:
    text = (REFERENCE / "accounts.md").read_text() + readme(service.name)  # type: ignore[attr-defined]
    kinds = [*service.account_kinds, *(asset.code for asset in service.assets)]  # type: ignore[attr-defined]
    assert {kind for kind in kinds if f"`{kind}`" not in text} == set()


@pytest.mark.parametrize("folder", ["kernel", "web", "operation", *(f"services/{name}" for name in service_names())])
def test_each_error_code_is_documented(folder: str) -> None:
    """Missing ones are written by `python -m tests.docs.codes`; a service may name its own in its README."""
    text = (REFERENCE / "errors.md").read_text() + (readme(folder.rpartition("/")[2]) if "/" in folder else "")
    assert {code for code in codes(ROOT / "commonweal" / folder) if f"`{code}`" not in text} == set()


@pytest.mark.parametrize("service", service_names())
def test_each_test_that_a_page_names_is_there(service: str) -> None:
    """`test_file.test_function` within the folders of a service."""
    files = {path.stem: path.read_text() for path in (ROOT / "commonweal" / "services" / service).rglob("test_*.py")}
    named = re.findall(r"`(test_\w+)\.(test_\w+)`", readme(service))
    assert [f"{file}.{test}" for file, test in named if f"def {test}(" not in files.get(file, "")] == []


BY_OTHER_MEANS = re.compile(r"\.(click|dblclick|tap|hover|fill|check|uncheck|select_option|set_input_files|evaluate)\(")


@pytest.mark.parametrize("service", [name for name in service_names() if "## Journeys\n" in readme(name)])
def test_each_journey_is_walked_in_both_languages_without_javascript_by_keyboard(service: str) -> None:
    """Those of the table are all there are: each lets people in by `enter`, and goes by no other means."""
    listed = readme(service).partition("## Journeys\n")[2].partition("\n## ")[0]
    walked = set()
    for path in (ROOT / "commonweal" / "services" / service / "tests").glob("test_*.py"):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef) and "enter" in {argument.arg for argument in node.args.args}:
                assert BY_OTHER_MEANS.search(ast.unparse(node)) is None, node.name
                if node.name.startswith("test_"):
                    walked.add(f"{path.stem}.{node.name}")
    assert set(re.findall(r"`(test_\w+\.test_\w+)`", listed)) == walked


def test_the_examples_of_matching_are_those_that_the_rules_compute() -> None:
    """Written anew by `python -m tests.docs.matching`."""
    assert matching.page() == matching.PAGE.read_text()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", CODE.sub("", page.read_text())):
        if not target.startswith(("https://", "mailto:")):
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_in_examples_can_be_understood(page: Path) -> None:
    for block in CODE.findall(page.read_text()):
        for line in block.splitlines():
            if "commonweal" not in line or not block.startswith("```\n") or re.search(r"[\[<…|]|\.\.\. ", line):
                continue  # a pattern, not an example
            words = shlex.split(re.split(r" {2,}", line.strip())[0], comments=True)
            words = words[next((n for n, word in enumerate(words) if "=" not in word), 0) :]
            if words[:1] in (["commonweal"], [".venv/bin/commonweal"]):
                build_parser(words[1] if len(words) > 1 else None).parse_args(words[1:])
