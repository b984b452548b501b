"""The sandbox over real sockets: addresses, keys, paths, bodies, errors, and the log of requests."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest
from caller import has, manage, raw, send, update, upsert
from hypothesis import given, settings
from hypothesis import strategies as st

from t1data.sandbox import Sandbox
from t1data.sandbox.log import Requests, Seen

LARGEST_BODY = 20 * 1024 * 1024
SEED = {
    "attributes": [{"entity": "CustomerProfile", "name": "Spend", "type": "number"}],
    "campaigns": [{"id": 7, "name": "Spring", "coupons": [{"value": "customerprofiles/SPRING"}]}],
    "audiences": [{"name": "VIP", "members": ["00001"]}],
}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        running.load(SEED)
        yield running


def test_the_right_key_opens(sandbox: Sandbox) -> None:
    assert send(sandbox, "GET", "/v2/authping").status == 200


@pytest.mark.parametrize(
    "given", ["", "ApiKey-v1 wrong", "ManagementKey-v1 {}", "Bearer {}", "{}", "ApiKey-v1 {}x", "é"]
)
def test_any_other_key_gets_a_401_in_the_shape_of_an_error(sandbox: Sandbox, given: str) -> None:
    got = send(sandbox, "GET", "/v2/authping", headers={"Authorization": given.format(sandbox.api_key)})
    assert got.status == 401
    assert got.json() == {"message": "Invalid API key", "errors": [], "StatusCode": 401}


def test_a_management_call_wants_the_management_key(sandbox: Sandbox) -> None:
    assert send(sandbox, "GET", "/v1/audiences").status == 401
    assert manage(sandbox, "GET", "/v1/audiences").status == 200
    assert manage(sandbox, "GET", "/v2/authping").status == 401


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/v3/unknown", 404),
        ("PUT", "/v2/customer_profiles/", 404),
        ("PUT", "/v2/customer_profiles/a/b", 404),
        ("GET", "//v2/authping", 404),
        ("PATCH", "/v2/customer_profiles", 405),
        ("OPTIONS", "/v2/customer_profiles", 405),
        ("PUT", "/v2/customer_profiles/%ff", 400),
        ("GET", "/v1/audiences?name=%ff", 401),
        ("PUT", "/v2/customer_profiles?silent=%ff", 400),
    ],
)
def test_a_path_that_leads_nowhere_gets_an_error_in_json(sandbox: Sandbox, method: str, path: str, status: int) -> None:
    got = send(sandbox, method, path)
    assert got.status == status
    assert got.json()["StatusCode"] == status
    assert set(got.json()) == {"message", "errors", "StatusCode"}


@settings(max_examples=40, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=60).filter(str.strip))
def test_an_id_in_the_path_is_decoded_exactly_once(sandbox: Sandbox, integration_id: str) -> None:
    got = update(sandbox, integration_id)
    assert got.json()["customerProfile"]["integrationId"] == integration_id


@pytest.mark.parametrize("integration_id", [".", "..", "a/b", "%2F", "?x=1", "#", "SUMMER25%OFF", "a+b c", "é"])
def test_hard_ids_survive_the_path(sandbox: Sandbox, integration_id: str) -> None:
    assert update(sandbox, integration_id).json()["customerProfile"]["integrationId"] == integration_id


def test_an_encoded_slash_stays_in_the_coupon_code(sandbox: Sandbox) -> None:
    ids = {"integrationIDs": ["00001"]}
    assert send(sandbox, "POST", "/v1/coupon_reservations/customerprofiles%2FSPRING", ids).status == 201
    holders = send(sandbox, "GET", "/v1/coupon_reservations/customerprofiles/customerprofiles%2FSPRING")
    assert [profile["integrationId"] for profile in holders.json()["data"]] == ["00001"]


def test_delete_carries_a_body(sandbox: Sandbox) -> None:
    ids = {"integrationIDs": ["00001"]}
    send(sandbox, "POST", "/v1/coupon_reservations/customerprofiles%2FSPRING", ids)
    assert send(sandbox, "DELETE", "/v1/coupon_reservations/customerprofiles%2FSPRING", ids).status == 204
    holders = send(sandbox, "GET", "/v1/coupon_reservations/customerprofiles/customerprofiles%2FSPRING")
    assert holders.json()["data"] == []


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"nul",
        b"\xff\xfe",
        b"\xef\xbb\xbf{}",
        b'{"customerProfiles": NaN}',
        b'{"customerProfiles": [Infinity]}',
        b'{"customerProfiles": [-Infinity]}',
        b'{"customerProfiles": "\\ud800"}',
        b'{"customerProfiles": ' + b"9" * 5000 + b"}",
        b"[" * 100_000,
        b"{} {}",
        b"[]",
        b"null",
        b"1e999999999999999999999",
    ],
)
def test_a_body_that_is_not_strict_json_gets_a_400(sandbox: Sandbox, body: bytes) -> None:
    got = send(sandbox, "PUT", "/v2/customer_profiles", body)
    assert got.status == 400
    assert got.json()["StatusCode"] == 400


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200), st.sampled_from(["PUT /v2/customer_profiles", "POST /v1/referrals", "POST /v2/events"]))
def test_no_bytes_make_the_server_fail(sandbox: Sandbox, body: bytes, line: str) -> None:
    got = send(sandbox, *line.split(), body)
    assert got.status == 400
    assert got.json()["StatusCode"] == 400


def test_a_repeated_name_counts_once_and_its_last_value_wins(sandbox: Sandbox) -> None:
    body = b'{"customerProfiles": 1, "customerProfiles": [{"integrationId": "twice"}]}'
    assert send(sandbox, "PUT", "/v2/customer_profiles", body).status == 204


@pytest.mark.parametrize(
    "number", ["11.10", "123456789012345678901234567890", "-0.5", "1E-30", "0.1000000000000000055"]
)
def test_a_number_comes_back_with_every_digit(sandbox: Sandbox, number: str) -> None:
    body = b'{"customerProfiles": [{"integrationId": "n", "attributes": {"Spend": %s}}]}' % number.encode()
    got = send(sandbox, "PUT", "/v2/customer_profiles?silent=no", body)
    assert b'"Spend":%s}' % number.encode() in got.body


def test_a_body_over_20_mb_gets_a_413_and_one_below_does_not(sandbox: Sandbox) -> None:
    start = b'{"customerProfiles": [{"integrationId": "big"}]}'
    assert send(sandbox, "PUT", "/v2/customer_profiles", start.ljust(LARGEST_BODY)).status == 204
    assert send(sandbox, "PUT", "/v2/customer_profiles", start.ljust(LARGEST_BODY + 1)).status == 413


@pytest.mark.parametrize("content_type", ["text/plain", "", "application/x-www-form-urlencoded", "multipart/form-data"])
def test_a_page_of_another_origin_cannot_post_without_asking(sandbox: Sandbox, content_type: str) -> None:
    headers = {"Content-Type": content_type, "Origin": "http://evil.example"}
    got = upsert(sandbox, "cross-origin", headers=headers)
    assert got.status == 415
    assert not any(name.startswith("access-control") for name in got.headers)


@pytest.mark.parametrize("host", ["localhost", "LocalHost:1234", "127.0.0.1", "[::1]:80"])
def test_loopback_names_are_served(sandbox: Sandbox, host: str) -> None:
    assert send(sandbox, "GET", "/v2/authping", headers={"Host": host}).status == 200


OTHER_HOSTS = ["evil.example", "127.0.0.1.nip.io", "localhost.evil.example", "[", "10.0.0.1", "0.0.0.0"]
OTHER_HOSTS += ["evil.example@127.0.0.1", "127.0.0.1@evil.example", "127.0.0.1/evil.example", "localhost:evil.example"]


@pytest.mark.parametrize("host", OTHER_HOSTS)
def test_other_host_names_are_refused(sandbox: Sandbox, host: str) -> None:
    assert send(sandbox, "GET", "/v2/authping", headers={"Host": host}).status == 403


def test_only_loopback_listens(sandbox: Sandbox) -> None:
    address = urlsplit(sandbox.base_url)
    assert address.hostname == "127.0.0.1"
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", address.port), timeout=5)


@pytest.mark.parametrize(
    "request_bytes", [b"\x00\x01\x02\r\n\r\n", b"GET\r\n\r\n", b"GET /v2/authping HTTP/1.1\r\n\r\n"]
)
def test_bytes_that_are_no_http_get_a_400_in_json(sandbox: Sandbox, request_bytes: bytes) -> None:
    got = raw(sandbox, request_bytes)
    assert got.startswith(b"HTTP/1.1 400 ")
    assert got.endswith(b'"StatusCode":400}')


@settings(max_examples=40, deadline=None)
@given(
    st.binary(min_size=1, max_size=300)
    | st.binary(max_size=100).map(lambda rest: b"PUT /v2/events HTTP/1.1\r\n" + rest)
)
def test_no_bytes_on_the_line_stop_the_server(sandbox: Sandbox, garbage: bytes) -> None:
    address = urlsplit(sandbox.base_url)
    with socket.create_connection((address.hostname, address.port), timeout=10) as line:
        line.sendall(garbage)
        line.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: line.recv(65536), b""))
    assert answer == b"" or answer.startswith(b"HTTP/1.1 4")
    assert send(sandbox, "GET", "/v2/authping").status == 200


def test_many_callers_at_once_lose_nothing(sandbox: Sandbox) -> None:
    ids = [[f"{caller}-{number}" for number in range(10)] for caller in range(8)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda some: [upsert(sandbox, each).status for each in some], ids))
    assert answers == [[200] * 10] * 8
    assert all(has(sandbox, each) for some in ids for each in some)


def test_a_body_that_breaks_off_is_no_request(sandbox: Sandbox) -> None:
    sandbox.requests.clear()
    head = f"PUT /v2/customer_profiles HTTP/1.1\r\nHost: localhost\r\nAuthorization: ApiKey-v1 {sandbox.api_key}\r\n"
    address = urlsplit(sandbox.base_url)
    with socket.create_connection((address.hostname, address.port), timeout=10) as line:
        line.sendall(head.encode() + b"Content-Length: 100\r\n\r\n{")
    assert send(sandbox, "GET", "/v2/authping").status == 200
    assert all(seen.status in (None, 200) for seen in sandbox.requests)


def test_members_are_uploaded_as_a_file_and_come_back_as_csv(sandbox: Sandbox) -> None:
    csv = b"profileintegrationid\r\n00001\r\n00002\r\n"
    part = (
        b'--edge\r\nContent-Disposition: form-data; name="upFile"; filename="m.csv"\r\n\r\n' + csv + b"\r\n--edge--\r\n"
    )
    form = {"Content-Type": 'multipart/form-data; boundary="edge"'}
    assert manage(sandbox, "POST", "/v1/audiences/1/memberships/import", part, form).status == 200
    got = manage(sandbox, "GET", "/v1/audiences/1/memberships/export")
    assert got.headers["content-type"] == "application/csv"
    assert got.body.split() == [b"profileintegrationid", b"00001", b"00002"]


@pytest.mark.parametrize("body", [b"", b"--edge", b"--edge\r\n\r\nx\r\n--edge--", b"no edge at all"])
def test_a_form_that_is_not_whole_gets_a_400(sandbox: Sandbox, body: bytes) -> None:
    form = {"Content-Type": "multipart/form-data; boundary=edge"}
    assert manage(sandbox, "POST", "/v1/audiences/1/memberships/import", body, form).status == 400


def test_the_log_tells_what_the_server_saw(sandbox: Sandbox) -> None:
    sandbox.requests.clear()
    update(sandbox, "a/b")
    send(sandbox, "GET", "/nowhere?x=1")
    first, second = sandbox.requests
    assert (first.operation, first.values, first.status) == (
        "update_customer_profile_v2",
        {"integrationId": "a/b"},
        200,
    )
    assert first.body == b'{"responseContent": ["customerProfile"]}'
    assert first.size == len(first.body)
    assert (second.operation, second.path, second.query, second.status) == (None, "/nowhere", "x=1", 404)
    assert first.started <= first.ended <= second.started <= second.ended
    assert sandbox.requests.of("update_customer_profile_v2") == [first]
    assert sandbox.requests[-1] == second


def test_the_log_and_the_repr_keep_the_keys_to_themselves(sandbox: Sandbox) -> None:
    send(sandbox, "GET", "/v2/authping")
    shown = repr(sandbox) + repr(list(sandbox.requests)) + str([seen.headers for seen in sandbox.requests])
    assert sandbox.base_url in shown
    assert sandbox.api_key not in shown
    assert sandbox.management_key not in shown


def test_the_log_drops_the_oldest_bodies_first_and_then_the_oldest_records() -> None:
    log = Requests(keep_records=3, keep_bytes=10)
    for number in range(4):
        log.begin(Seen(str(number), "PUT", "/", 0.0, size=5, body=b"12345"))
    assert [(seen.operation, seen.body, seen.size) for seen in log] == [
        ("1", None, 5),
        ("2", b"12345", 5),
        ("3", b"12345", 5),
    ]
