"""The API answers as its own description says, whatever is sent to it (schemathesis)."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import psycopg
import pytest
import schemathesis
from django.conf import settings as django_settings
from django.test import Client
from hypothesis import HealthCheck, given, settings
from ninja.openapi.schema import OpenAPISchema
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import positive_data_acceptance

from commonweal.kernel import clock
from commonweal.kernel.parties import people
from commonweal.kernel.proof import load_signer, sequence
from commonweal.web import facts, failures
from commonweal.web.api import PROBLEMS, api
from commonweal.web.wsgi import application

# What is well formed may still be refused with 422 (an amount that is too small), so positive_data_acceptance is not
# for us.
REQUESTS = 500
"""Requests in all, shared out over the operations and the two kinds of callers."""


def test_every_answer_is_a_documented_one(fresh_database: str) -> None:
    facts.state_totals()  # something that is in the log
    with psycopg.connect(fresh_database, autocommit=True) as session:
        sequence(session, load_signer(django_settings.HOME, django_settings.LOG_NAME), clock.now())
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", application)
    operations = [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]
    assert len(operations) == schema.statistic.operations.total
    token = people.make_token(people.register_person(), "contract")
    plain = {"Accept-Encoding": "identity"}  # this transport does not unpack
    callers = [plain, plain | {"Authorization": f"Bearer {token}"}]
    for operation in operations:

        @settings(
            max_examples=max(5, REQUESTS // (len(operations) * len(callers))),
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy())
        def check(case: Any) -> None:
            for headers in callers:
                response = case.call(headers=headers)
                case.validate_response(response, headers=headers, excluded_checks=[positive_data_acceptance])
                if response.status_code >= 400:
                    problem = response.json()
                    assert problem["status"] == response.status_code
                    assert all(problem[name] for name in ("code", "en", "zh"))

        check()


def test_each_name_in_the_description_is_one_shape(monkeypatch: pytest.MonkeyPatch) -> None:
    """The document has one place for each name: of two shapes under one name the second would hide the first."""
    shapes: dict[str, set[tuple[str, ...]]] = defaultdict(set)

    def add(self: OpenAPISchema, definitions: dict[str, Any]) -> None:
        for name, said in definitions.items():
            shapes[name].add((said.get("description", ""), *sorted(said.get("properties", said.get("enum", ())))))
        self.schemas.update(definitions)

    monkeypatch.setattr(OpenAPISchema, "add_schema_definitions", add)
    api.get_openapi_schema()
    assert len(shapes) > 50
    assert {name: found for name, found in shapes.items() if len(found) > 1} == {}


def test_every_operation_is_described(client: Client) -> None:
    schema = client.get("/api/v1/openapi.json").json()
    assert schema["info"]["title"] == "Commonweal"
    assert len(schema["info"]["description"]) > 100
    assert set(PROBLEMS) <= set(failures.STATUSES)
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            where = f"{method} {path}"
            assert operation.get("summary"), where
            assert operation.get("description"), where
            assert operation.get("tags"), where
            assert {str(status) for status in PROBLEMS} <= {*operation["responses"]}, where
            assert all(answer["description"] for answer in operation["responses"].values()), where
