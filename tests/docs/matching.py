"""The worked examples of matching as the documentation shows them: `python -m tests.docs.matching` writes them anew."""

from __future__ import annotations

from commonweal.services.giving.matching import SCHEMES
from commonweal.services.giving.matching.examples import Example, examples, money
from tests.docs.codes import ROOT

PAGE = ROOT / "docs" / "explanation" / "matching.md"
BEGINS = "<!-- written by python -m tests.docs.matching -->\n"
ENDS = "<!-- until here -->\n"


def _table(example: Example) -> str:
    asked = example.rows[0].asks is not None
    names = ["giver", "for", "gives", *(["without limits"] if asked else []), "matched with", ""]
    lines = [names, ["---"] * len(names)]
    for row in example.rows:
        asks = [money(row.asks)] if row.asks is not None else []
        why = row.why.en if row.why else ""
        lines.append([row.giver.en, row.project.en, money(row.gift.amount), *asks, money(row.match.amount), why])
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def tables() -> str:
    """A section for each scheme, computed by the schemes themselves."""
    worked = examples()
    return "\n".join(
        f"### {scheme.title.en} (`{scheme.name}`)\n\n{scheme.explanation.en} {worked[scheme.name].terms.en}\n\n"
        f"{_table(worked[scheme.name])}\n{worked[scheme.name].ending.en}\n"
        for scheme in SCHEMES
    )


def page() -> str:
    """The page with the examples as they are now."""
    written = PAGE.read_text()
    head, rest = written.split(BEGINS)
    return f"{head}{BEGINS}\n{tables()}\n{ENDS}{rest.split(ENDS)[1]}"


if __name__ == "__main__":
    PAGE.write_text(page())
