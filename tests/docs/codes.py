"""The error codes in the source, and the page that lists them: `python -m tests.docs.codes` writes it anew."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PAGE = ROOT / "docs" / "reference" / "errors.md"
CODE = re.compile(r"[a-z][a-z0-9]*([.-][a-z0-9-]+)+|busy|failure|unavailable")

HEAD = """# Error codes

Every refusal has a stable code. In the API it is the field `code` of a problem document (RFC 9457), with both languages
in `en` and `zh`; on pages it stands beside the field; commands print it with `--json`. This page is written by
`python -m tests.docs.codes`.

| Code | Says |
|---|---|
"""


def codes(folder: Path) -> dict[str, str]:
    """Every code in the Python files below `folder`, with its first English text."""
    found: dict[str, str] = {}
    for path in sorted(folder.rglob("*.py")):
        if "tests" in path.relative_to(ROOT).parts:
            continue
        for code, text in _in_module(ast.parse(path.read_text())):
            found.setdefault(code, text)
    return dict(sorted(found.items()))


def _in_module(module: ast.Module) -> Iterator[tuple[str, str]]:
    texts = {
        node.targets[0].id: node.value
        for node in module.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    for node in ast.walk(module):
        parts = node.args if isinstance(node, ast.Call) else node.elts if isinstance(node, ast.Tuple) else []
        if len(parts) < 2 or _names_something_else(node):
            continue
        code, said = _constant(parts[0]), parts[1:]
        if len(said) == 2 and isinstance(node, ast.Tuple) and not (_constant(said[1]) or "a").isascii():
            text = _constant(said[0])  # code, English, Chinese
        else:
            text = next(filter(None, (_english(part, texts) for part in reversed(said))), None)
        if code and text and CODE.fullmatch(code):
            yield code, text


def _constant(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _english(node: ast.expr, texts: dict[str, ast.expr]) -> str | None:
    """The English of `Text("…", "…")`, of `Text(…).format(…)`, or of a module's constant that is one."""
    if isinstance(node, ast.Name) and node.id in texts:
        return _english(texts[node.id], {})
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format":
        return _english(node.func.value, texts)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Text" and node.args:
        try:
            return str(ast.literal_eval(node.args[0]))
        except ValueError:
            return None
    return None


def _names_something_else(node: ast.AST) -> bool:
    """Whether this is a `Text` itself, a `Link` or a `FactKind`: a name and a text that refuse nothing."""
    name = node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""
    return name in ("Text", "Link", "FactKind")


def page() -> str:
    """The whole page."""
    rows = (f"| `{code}` | {text} |\n" for code, text in codes(ROOT / "commonweal").items())
    return HEAD + "".join(rows)


if __name__ == "__main__":
    PAGE.write_text(page())
