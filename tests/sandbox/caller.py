"""A plain HTTP caller for the sandbox's tests: one connection a request, paths exactly as given."""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any
from urllib.parse import quote, urlsplit

from t1data.sandbox import Sandbox


@dataclass(frozen=True)
class Remote:
    """A sandbox of another process, as its first line tells of it."""

    base_url: str
    api_key: str
    management_key: str


@dataclass(frozen=True)
class Got:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


def send(
    sandbox: Sandbox | Remote, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
) -> Got:
    """Send one request with the Integration key; `body` is bytes as they are, or a value to send as JSON."""
    data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
    given = {"Authorization": f"ApiKey-v1 {sandbox.api_key}", "Content-Type": "application/json", **(headers or {})}
    connection = HTTPConnection(urlsplit(sandbox.base_url).netloc, timeout=10)
    try:
        connection.request(method, path, data, {name: value for name, value in given.items() if value})
        answer = connection.getresponse()
        names = {name.lower(): value for name, value in answer.getheaders()}
        return Got(answer.status, names, answer.read())
    finally:
        connection.close()


def manage(
    sandbox: Sandbox | Remote, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
) -> Got:
    """Send one request with the Management key."""
    key = {"Authorization": f"ManagementKey-v1 {sandbox.management_key}"}
    return send(sandbox, method, path, body, {**key, **(headers or {})})


def upsert(sandbox: Sandbox | Remote, *ids: str, headers: Mapping[str, str] | None = None) -> Got:
    """Send profiles without attributes in bulk, and ask for them back."""
    body = {"customerProfiles": [{"integrationId": each, "attributes": {}} for each in ids]}
    return send(sandbox, "PUT", "/v2/customer_profiles?silent=no", body, headers)


def update(sandbox: Sandbox | Remote, integration_id: str, headers: Mapping[str, str] | None = None) -> Got:
    """Send one profile, and ask for it back."""
    body = {"responseContent": ["customerProfile"]}
    return send(sandbox, "PUT", f"/v2/customer_profiles/{quote(integration_id, safe='')}", body, headers)


def has(sandbox: Sandbox | Remote, integration_id: str) -> bool:
    """Return whether the account has this profile."""
    path = f"/v1/customer_profiles/{quote(integration_id, safe='')}/inventory"
    return send(sandbox, "GET", path).status == 200


def raw(sandbox: Sandbox | Remote, request: bytes) -> bytes:
    """Send bytes as they are and read until the server closes."""
    address = urlsplit(sandbox.base_url)
    with socket.create_connection((address.hostname, address.port), timeout=10) as line:
        line.sendall(request)
        return b"".join(iter(lambda: line.recv(65536), b""))
