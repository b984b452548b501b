"""The sandbox over real sockets: addresses, keys, paths, bodies, errors, the log, starting and stopping."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from t1data.sandbox import Sandbox


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture(scope="module")
def http() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        yield session


def ask(
    http: requests.Session, sandbox: Sandbox, method: str, path: str, body: Any = None, **headers: str
) -> requests.Response:
    """Send one request with the right Integration key; `body` is JSON, or bytes as they are."""
    data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
    given = {"Authorization": f"ApiKey-v1 {sandbox.api_key}", "Content-Type": "application/json"}
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    return http.request(method, sandbox.base_url + path, data=data, headers=given, timeout=10)


def upsert(http: requests.Session, sandbox: Sandbox, *ids: str) -> requests.Response:
    body = {"customerProfiles": [{"integrationId": id, "attributes": {}} for id in ids]}
    return ask(http, sandbox, "PUT", "/v2/customer_profiles?silent=no", body)


def raw(sandbox: Sandbox, request: bytes) -> bytes:
    """Send bytes as they are and read until the server closes."""
    host, port = sandbox.base_url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as line:
        line.sendall(request)
        pieces = iter(lambda: line.recv(65536), b"")
        return b"".join(pieces)


def test_a_right_key_is_told_so(http: requests.Session, sandbox: Sandbox) -> None:
    assert ask(http, sandbox, "GET", "/v2/authping").status_code == 200


@pytest.mark.parametrize(
    "authorization", ["", "ApiKey-v1 wrong", "ManagementKey-v1 {}", "Bearer {}", "{}", "ApiKey-v1 {}x", "ApiKey-v1 é"]
)
def test_any_other_key_gets_a_401_in_the_shape_of_an_error(
    http: requests.Session, sandbox: Sandbox, authorization: str
) -> None:
    answer = ask(http, sandbox, "GET", "/v2/authping", Authorization=authorization.format(sandbox.api_key))
    assert answer.status_code == 401
    assert answer.json() == {"message": "Invalid API key", "errors": [], "StatusCode": 401}


def test_a_management_call_wants_the_management_key(http: requests.Session, sandbox: Sandbox) -> None:
    assert ask(http, sandbox, "GET", "/v1/audiences").status_code == 401
    key = f"ManagementKey-v1 {sandbox.management_key}"
    assert ask(http, sandbox, "GET", "/v1/audiences", Authorization=key).status_code != 401


def test_profiles_sent_in_bulk_come_back(http: requests.Session, sandbox: Sandbox) -> None:
    answer = upsert(http, sandbox, "00017", "ä/b c")
    states = answer.json()["integrationStates"]
    assert [state["customerProfile"]["integrationId"] for state in states] == ["00017", "ä/b c"]
