"""Whatever is refused or breaks ends in a page that tells what to do next, or in problem+json for programs."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.db import OperationalError, connection
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.test import Client
from django.urls import path
from pytest_django import DjangoDbBlocker

from commonweal.kernel.errors import Busy, Conflict, Invalid, NotAllowed, NotFound, TooLarge, TooMany, WrongMediaType
from commonweal.kernel.text import Text
from commonweal.web import failures, urls

T = Text("Because of <that>.", "因为<那个>。")
RAISED: dict[str, tuple[Callable[[], Exception], int]] = {
    "invalid": (lambda: Invalid("some.code", T), 422),
    "conflict": (lambda: Conflict("some.code", T), 409),
    "unknown": (lambda: NotFound("some.code", T), 404),
    "not-allowed": (lambda: NotAllowed("some.code", T), 403),
    "large": (lambda: TooLarge("some.code", T), 413),
    "media": (lambda: WrongMediaType("some.code", T), 415),
    "often": (lambda: TooMany("some.code", T, retry_after=60), 429),
    "busy": (lambda: Busy("some.code", T, retry_after=1), 503),
    "denied": (PermissionDenied, 403),
    "too-big": (RequestDataTooBig, 413),
    "away": (lambda: OperationalError("server closed the connection"), 503),
    "broken": (lambda: ZeroDivisionError("the secret is 42"), 500),
}


def fail(request: HttpRequest, name: str) -> HttpResponse:
    if name == "method":
        return HttpResponseNotAllowed(["POST"])
    raise RAISED[name][0]()


urlpatterns = [
    path("zh/<str:name>", fail),
    path("en/<str:name>", fail),
    path("api/<str:name>", fail),
    *urls.urlpatterns,
]
handler400, handler403, handler404, handler500 = urls.handler400, urls.handler403, urls.handler404, urls.handler500


@pytest.fixture
def visitor() -> Client:
    return Client(raise_request_exception=False)


@pytest.mark.urls(__name__)
@pytest.mark.parametrize("name", RAISED)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_refusal_is_a_page_in_the_language_of_the_path(visitor: Client, name: str, language: str) -> None:
    """No database fixture here: a page that touched the database would fail the test."""
    answer = visitor.get(f"/{language}/{name}")
    page = answer.content.decode()
    status = RAISED[name][1]
    assert answer.status_code == status
    assert answer.headers["Cache-Control"] == "no-store"
    assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
    assert f'<html lang="{"zh-Hans" if language == "zh" else "en"}"' in page
    assert failures.title(status).say(language) in page
    assert f'href="/{language}/"' in page  # a way on
    assert "secret" not in page
    assert "<that>" not in page
    assert "<那个>" not in page
    if name in ("often", "busy", "away"):
        assert int(answer.headers["Retry-After"]) > 0


@pytest.mark.urls(__name__)
@pytest.mark.parametrize("name", RAISED)
def test_refusal_is_a_problem_for_programs(visitor: Client, name: str) -> None:
    answer = visitor.get(f"/api/{name}")
    problem = json.loads(answer.content)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert set(problem) == {"type", "title", "status", "detail", "code", "field", "en", "zh"}
    assert problem["status"] == answer.status_code == RAISED[name][1]
    assert problem["detail"] == problem["en"]
    assert re.search(r"[\u4e00-\u9fff]", problem["zh"])
    assert "secret" not in str(problem)


@pytest.mark.urls(__name__)
def test_wrong_method_keeps_what_is_allowed(visitor: Client) -> None:
    answer = visitor.get("/zh/method")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
    assert failures.title(405).zh in answer.content.decode()
    assert visitor.get("/api/method").json()["code"] == "method.not-allowed"


@pytest.mark.parametrize("status", failures.STATUSES)
def test_every_status_tells_what_to_do_in_both_languages(status: int) -> None:
    failure = failures.of_status(status)
    assert failure.status == status
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*(\.[a-z-]+)?", failure.code)
    for text in (failure.text, failures.title(status)):
        assert re.search(r"[\u4e00-\u9fff]", text.zh)
        assert not re.search(r"[\u4e00-\u9fff]", text.en)


def test_unlisted_status_is_told_as_its_kind() -> None:
    assert failures.title(418) == failures.title(400)
    assert failures.title(599) == failures.title(500)


@pytest.mark.django_db
def test_forged_or_stale_form_is_refused() -> None:
    strict = Client(enforce_csrf_checks=True, raise_request_exception=False)
    answer = strict.post("/zh/search/")
    assert answer.status_code == 403
    assert "form.stale" in answer.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path", ["/zh/search/?q=\0", "/zh/search/?q=%00%ff", "/zh/%00", "/%ff/", "/zh/search/?page=" + "9" * 5000]
)
def test_hostile_addresses_break_nothing(visitor: Client, path: str) -> None:
    assert visitor.get(path).status_code in (200, 400, 404)


@pytest.mark.django_db
def test_too_large_a_form_is_refused(visitor: Client) -> None:
    answer = visitor.post("/theme", {"theme": "x" * 1_100_000}, content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 413


@pytest.fixture
def dead_database(django_db_blocker: DjangoDbBlocker, tmp_path: Path) -> Iterator[None]:
    """The default connection leads to a socket that is not there."""
    settings: dict[str, Any] = connection.settings_dict
    before = dict(settings)
    with django_db_blocker.unblock():
        connection.close()
        settings.update(HOST=str(tmp_path), OPTIONS={})
        yield
        connection.close()
        settings.update(before)


@pytest.mark.usefixtures("dead_database")
def test_dead_database_is_said_kindly(visitor: Client) -> None:
    visitor.cookies["sessionid"] = "a" * 32
    for address in ("/zh/", "/en/", "/healthz"):
        answer = visitor.get(address)
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "30")
    assert "马上回来" in visitor.get("/zh/").content.decode()
    assert visitor.get("/zh/nothing/").status_code == 404
    assert visitor.get("/zh/design/lists/").status_code == 503
