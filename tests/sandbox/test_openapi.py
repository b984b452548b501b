"""The served OpenAPI document, and the sandbox held against it with generated requests, good and bad."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import requests
import schemathesis
from caller import send
from hypothesis import HealthCheck, settings
from schemathesis import checks
from schemathesis.specs.openapi import checks as openapi_checks

from t1data.sandbox import Sandbox
from t1data.sandbox.handlers import HANDLERS
from t1data.sandbox.openapi import document
from t1data.sandbox.routes import ROUTES

SEED: Mapping[str, Any] = {
    "attributes": [{"entity": "CustomerProfile", "name": "Spend", "type": "number"}],
    "audiences": [{"name": "VIP", "members": ["00001"]}],
    "campaigns": [
        {"id": 1, "name": "Friends", "features": ["referrals", "coupons"], "coupons": [{"value": "SPRING"}]},
    ],
    "loyalty_programs": [
        {"id": 1, "name": "notes", "title": "Notes", "points": [{"profile": "00001", "amount": 9}]},
    ],
}
PATHS: Mapping[str, object] = {
    "audienceId": 1,
    "integrationId": "00001",
    "couponValue": "SPRING",
    "customerSessionId": "s1",
    "applicationId": 1,
    "campaignId": 1,
    "loyaltyProgramId": 1,
    "attributeId": 3,
}
BODIES: Mapping[str, object] = {"campaignId": 1, "attributes": {}, "entity": "Event"}
CHECKS = [
    checks.not_a_server_error,
    openapi_checks.status_code_conformance,
    openapi_checks.content_type_conformance,
    openapi_checks.response_schema_conformance,
]
MANAGEMENT = frozenset(route.operation for route in ROUTES if route.key == "management")

schema = schemathesis.openapi.from_dict(document())
GOOD = {"generation": {"mode": "positive"}, "phases": {"coverage": {"enabled": False}}}
good_requests = schemathesis.openapi.from_dict(document(), config=schemathesis.Config.from_dict(GOOD))
bounded = settings(
    max_examples=10, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(seed=1) as running:
        running.load(SEED)
        yield running


@pytest.fixture(scope="module")
def http() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        yield session


def key_for(case: schemathesis.Case, sandbox: Sandbox) -> dict[str, str]:
    if case.operation.definition.raw["operationId"] in MANAGEMENT:
        return {"Authorization": f"ManagementKey-v1 {sandbox.management_key}"}
    return {"Authorization": f"ApiKey-v1 {sandbox.api_key}"}


@schema.parametrize()
@bounded
def test_any_request_gets_an_answer_that_the_document_declares(
    case: schemathesis.Case, sandbox: Sandbox, http: requests.Session
) -> None:
    case.call_and_validate(sandbox.base_url, session=http, headers=key_for(case, sandbox), checks=CHECKS)


@good_requests.parametrize()
@bounded
def test_so_does_any_good_request_about_things_that_exist(
    case: schemathesis.Case, sandbox: Sandbox, http: requests.Session
) -> None:
    sandbox.reset()
    sandbox.load(SEED)
    case.path_parameters = {name: PATHS[name] for name in case.path_parameters}
    if isinstance(case.body, dict):
        case.body = {name: BODIES.get(name, value) for name, value in case.body.items()}
    case.call_and_validate(sandbox.base_url, session=http, headers=key_for(case, sandbox), checks=CHECKS)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.operation)
def test_every_operation_wants_its_key(route: Any, sandbox: Sandbox) -> None:
    wrong = {"Authorization": "ApiKey-v1 wrong"}
    got = send(sandbox, route.method, route.template.replace("{", "").replace("}", ""), b"{}", wrong)
    assert got.status == (200 if route.key == "none" else 401)


def test_the_document_is_served_to_anyone(sandbox: Sandbox) -> None:
    assert send(sandbox, "GET", "/openapi.json", headers={"Authorization": ""}).json() == document()


def test_every_route_has_a_handler_and_every_handler_a_route() -> None:
    assert set(HANDLERS) == {route.operation for route in ROUTES}
