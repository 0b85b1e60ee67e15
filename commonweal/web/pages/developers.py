"""What programs can do here: the API's own description as a page."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_safe

from commonweal.kernel.registry import Link
from commonweal.kernel.text import Text
from commonweal.web import failures

links = (Link("api_docs", Text("For programs", "开发者接口"), order=70),)


@require_safe
def api_docs(request: HttpRequest) -> HttpResponse:
    """Every operation, with what it takes and what it answers."""
    from commonweal.web.api import api

    schema = api.get_openapi_schema()
    tags: dict[str, list[dict[str, Any]]] = {}
    for address, operations in schema["paths"].items():
        for method, operation in operations.items():
            shown = _operation(schema, address, method, operation)
            tags.setdefault((operation.get("tags") or ["Commonweal"])[0], []).append(shown)
    problems = [(status, failures.title(status)) for status in failures.STATUSES if status != 500]
    return render(request, "web/developers.html", {"tags": sorted(tags.items()), "problems": problems})


def _operation(schema: dict[str, Any], address: str, method: str, operation: dict[str, Any]) -> dict[str, Any]:
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    good: dict[str, Any] = next((answer for status, answer in operation["responses"].items() if int(status) < 300), {})
    answer = good.get("content", {}).get("application/json", {}).get("schema")
    return {
        "method": method.upper(),
        "path": address,
        "summary": operation.get("summary", ""),
        "description": operation.get("description", ""),
        "open": operation.get("security") is None,
        "parameters": operation.get("parameters", []),
        "body": _fields(schema, body),
        "answer": _fields(schema, answer),
    }


def _fields(schema: dict[str, Any], part: dict[str, Any] | None) -> list[tuple[str, str]]:
    """The fields of a JSON object and what they hold."""
    part = _resolved(schema, part or {})
    if part.get("type") == "array":
        part = _resolved(schema, part["items"])
    return [(name, _kind(schema, field)) for name, field in part.get("properties", {}).items()]


def _resolved(schema: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    name = part.get("$ref", "").rpartition("/")[2]
    return dict(schema["components"]["schemas"][name]) if name else part


def _kind(schema: dict[str, Any], field: dict[str, Any]) -> str:
    if "anyOf" in field:
        return " | ".join(_kind(schema, option) for option in field["anyOf"])
    if field.get("type") == "array":
        return f"[{_kind(schema, field.get('items', {}))}]"
    name: str = field.get("$ref", "").rpartition("/")[2]
    return name or str(field.get("format") or field.get("type", "any"))


urlpatterns = [path("developers/", api_docs, name="api_docs")]
