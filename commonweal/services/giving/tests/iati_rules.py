"""A runner for those rules of IATI's standard ruleset that our files can break."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import Any

from lxml import etree


def values(node: etree._Element, path: str) -> list[Any]:
    return list(node.xpath(path))


def text(found: Any) -> str:
    return str(found) if isinstance(found, str) else "".join(found.itertext())


def day(node: etree._Element, path: str, today: date) -> date | None:
    if path == "NOW":
        return today
    found = values(node, path)
    return date.fromisoformat(text(found[0])[:10]) if found else None


def failures(node: etree._Element, name: str, case: dict[str, Any], today: date) -> bool:
    paths = case.get("paths", [])
    found = [each for path in paths for each in values(node, path)]
    match name:
        case "atleast_one":
            return not found
        case "unique":
            said = [text(each) for each in found]
            return len(said) != len(set(said))
        case "startswith":
            prefixes = [text(each) for prefix in case["prefix"] for each in values(node, prefix)]
            separator = case.get("separator", "")
            return not all(any(text(each).startswith(prefix + separator) for prefix in prefixes) for each in found)
        case "no_spaces":
            return any(text(each) != text(each).strip() for each in found)
        case "no_more_than_one":
            return len(found) > 1
        case "regex_matches":
            return not all(re.search(case["regex"], text(each)) for each in found)
        case "date_order":
            less, more = day(node, case["less"], today), day(node, case["more"], today)
            return less is not None and more is not None and less > more
        case "date_now":
            moment = day(node, case["date"], today)
            return moment is not None and moment > today
        case "time_limit":
            start, end = day(node, case["start"], today), day(node, case["end"], today)
            return start is not None and end is not None and (end - start).days > 366
        case "one_or_all":
            return not values(node, case["one"]) and _without(node, case["all"])
    raise LookupError(name)


def _without(node: etree._Element, kind: str) -> bool:
    match kind:
        case "lang":
            return bool(values(node, ".//narrative[not(@xml:lang)]"))
        case "currency":
            return bool(values(node, ".//value[not(@currency)]"))
        case "sector":
            return bool(values(node, "transaction[not(sector)]"))
    raise LookupError(kind)


RUN = {
    *("atleast_one", "unique", "startswith", "no_spaces", "no_more_than_one", "regex_matches", "date_order"),
    *("date_now", "time_limit", "one_or_all"),
}


def cases(rules: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """The cases that are run: those that compare with lists which are not in the ruleset are not."""
    for path, kinds in rules.items():
        for name, kind in kinds.items():
            for case in kind["cases"]:
                if name in RUN and not {"idCondition", "condition"} & set(case):
                    yield path, name, case


def broken(document: etree._Element, rules: dict[str, Any], today: date) -> tuple[int, list[str]]:
    """How many cases met something in the document, and the messages of those that it breaks."""
    tested, messages = 0, []
    for path, name, case in cases(rules):
        nodes = values(document, path)
        tested += bool(nodes)
        messages += [case["ruleInfo"]["message"] for node in nodes if failures(node, name, case, today)]
    return tested, messages
