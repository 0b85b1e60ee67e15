"""The API: one document, one kind of error, two ways to say who one is. Each service hangs in its own router."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NoReturn

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI, Schema
from ninja.errors import HttpError, ValidationError
from ninja.openapi.schema import OpenAPISchema
from ninja.parser import Parser
from ninja.security import APIKeyCookie, HttpBearer

from commonweal import __version__
from commonweal.kernel import clock
from commonweal.kernel.errors import Invalid, Refusal, WrongMediaType
from commonweal.kernel.parties import people
from commonweal.kernel.parties.models import Party
from commonweal.kernel.registry import services
from commonweal.kernel.text import Text
from commonweal.web import failures
from commonweal.web.pages import modules

PROBLEMS = (400, 401, 403, 404, 405, 409, 410, 413, 415, 422, 429, 503)
"""The problems that any operation may answer with."""
JSON_TYPES = ("application/json",)


class Problem(Schema):
    """Problem details (RFC 9457). `code` is stable; `en` and `zh` may be shown to people."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    field: str | None
    en: str
    zh: str


class Token(HttpBearer):
    """`Authorization: Bearer cw_...`: a program acts for the party that made the token."""

    def authenticate(self, request: HttpRequest, token: str) -> Party:
        return people.party_of_token(token, clock.now())


class Session(APIKeyCookie):
    """The browser's own session; POST needs the CSRF token in `X-CSRFToken`."""

    param_name = settings.SESSION_COOKIE_NAME

    def authenticate(self, request: HttpRequest, key: str | None) -> Party | None:
        user = request.user
        return user.party if user.is_authenticated else None


class StrictJson(Parser):
    """JSON and nothing but JSON: declared as such, no NaN, no name twice in one object."""

    def parse_body(self, request: HttpRequest) -> Any:
        if request.content_type not in JSON_TYPES:
            raise WrongMediaType("media-type.unknown", failures.of_status(415).text)
        return json.loads(request.body, parse_constant=_refuse_constant, object_pairs_hook=_without_doubles)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return value


def _refused(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    return failures.answer(request, refusal)


def _invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    first = error.errors[0]
    # Ninja names the place: body, the parameter's own name, then the path in it; for the others the name alone.
    within = first["loc"][2:] if first["loc"][0] == "body" else first["loc"][1:]
    field = ".".join(str(part) for part in within) or None
    text = Text("{field}: {message}", "{field}：格式不正确（{message}）").format(
        field=field or first["loc"][0], message=first["msg"]
    )
    return failures.answer(request, Invalid("input.invalid", text, field=field))


def _http_error(request: HttpRequest, error: HttpError) -> HttpResponse:
    # What our parser refuses reaches us wrapped by ninja as its cause.
    cause = error.__cause__
    return failures.answer(request, cause if isinstance(cause, Refusal) else failures.of_status(error.status_code))


def _missing(request: HttpRequest, error: Http404) -> HttpResponse:
    return failures.answer(request, failures.of_status(404))


_ANSWERS: dict[type[Exception], Callable[[HttpRequest, Any], HttpResponse]] = {
    Refusal: _refused,
    ValidationError: _invalid,
    HttpError: _http_error,
    Http404: _missing,
}


class Api(NinjaAPI):
    """NinjaAPI that answers in problem details, and whose document says so for each operation."""

    def __init__(self, **options: Any) -> None:
        super().__init__(auth=[Token(), Session()], parser=StrictJson(), docs_url=None, **options)

    def set_default_exception_handlers(self) -> None:
        for kind, answer in _ANSWERS.items():
            self.add_exception_handler(kind, answer)

    def get_openapi_schema(self, *, path_prefix: str | None = None, path_params: Any = None) -> OpenAPISchema:
        schema = super().get_openapi_schema(path_prefix=path_prefix, path_params=path_params)
        schema["components"].setdefault("schemas", {})["Problem"] = Problem.model_json_schema()
        content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
        for operations in schema["paths"].values():
            for operation in operations.values():
                for status in PROBLEMS:
                    said = {"description": failures.title(status).en, "content": content}
                    operation["responses"].setdefault(status, said)
        return schema


api = Api(
    title="Commonweal",
    version=__version__,
    description="Amounts are decimal strings with the code of their asset. Errors are problem details in both "
    "languages. What moves something needs an Idempotency-Key.",
    urls_namespace="api",
)


for _module in modules():
    if hasattr(_module, "router"):
        api.add_router(f"/{_module.__name__.rpartition('.')[2]}/", _module.router)
for _service in services():
    if (_doors := _service.module("api")) is not None:
        api.add_router(f"/{_service.name}/", _doors.router, tags=[_service.title.en])
