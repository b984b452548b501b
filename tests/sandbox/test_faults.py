"""Faults on demand, seen from the client's end of a real socket, and judged by what the account holds after."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from http.client import HTTPException, IncompleteRead, RemoteDisconnected

import pytest
from caller import has, raw, send, update, upsert

from t1data.sandbox import Close, Delay, Half, Raw, Reset, Sandbox, Slow, Status
from t1data.sandbox.faults import Faults

BULK = "update_customer_profiles_v2"


@pytest.fixture(scope="module")
def running() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: Sandbox) -> Sandbox:
    running.reset()
    return running


def test_a_status_is_answered_and_nothing_is_applied(sandbox: Sandbox) -> None:
    sandbox.faults.add(Status(503), on=BULK)
    got = upsert(sandbox, "a")
    assert got.status == got.json()["StatusCode"] == 503
    assert not has(sandbox, "a")


def test_a_status_after_the_change_leaves_it_applied(sandbox: Sandbox) -> None:
    sandbox.faults.add(Status(502, when="after"), on=BULK)
    assert upsert(sandbox, "a").status == 502
    assert has(sandbox, "a")


@pytest.mark.parametrize("code", [99, 100, 600])
def test_a_status_that_is_no_final_answer_is_refused_at_once(code: int) -> None:
    with pytest.raises(ValueError, match="200 to 599"):
        Status(code)


def test_a_status_may_have_any_body(sandbox: Sandbox) -> None:
    sandbox.faults.add(
        Status(400, {"message": "no", "errors": [{"source": {"pointer": "/customerProfiles/0"}}]}), nth=1
    )
    sandbox.faults.add(Status(200, "<html>sign in</html>"), nth=2)
    assert upsert(sandbox, "a").json()["errors"][0]["source"]["pointer"] == "/customerProfiles/0"
    page = upsert(sandbox, "a")
    assert (page.body, page.headers["content-type"]) == (b"<html>sign in</html>", "text/html")


def test_a_status_may_be_a_success_without_a_body_or_a_redirect(sandbox: Sandbox) -> None:
    sandbox.faults.add(Status(204), nth=1)
    sandbox.faults.add(Status(302, headers={"Location": "http://127.0.0.2/"}), nth=2)
    quiet, moved = upsert(sandbox, "a"), upsert(sandbox, "a")
    assert (quiet.status, quiet.body, "content-length" in quiet.headers) == (204, b"", False)
    assert (moved.status, moved.body, moved.headers["location"]) == (302, b"", "http://127.0.0.2/")


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        (None, None),
        (7, "7"),
        (0.5, "0.5"),
        ("soon", "soon"),
        (datetime(2027, 1, 2, 3, 4, 5, tzinfo=UTC), "Sat, 02 Jan 2027 03:04:05 GMT"),
    ],
)
def test_a_429_says_when_to_come_back_if_it_is_told_to(sandbox: Sandbox, given: object, sent: str | None) -> None:
    sandbox.faults.add(Status(429, retry_after=given))  # type: ignore[arg-type]
    got = upsert(sandbox, "a")
    assert got.json() == {"message": "Too many requests", "errors": [], "StatusCode": 429}
    assert got.headers.get("retry-after") == sent


@pytest.mark.parametrize(("when", "applied"), [("before", False), ("after", True)])
def test_a_reset_cuts_the_line_before_or_after_the_change(sandbox: Sandbox, when: str, applied: bool) -> None:
    sandbox.faults.add(Reset(when), on=BULK)  # type: ignore[arg-type]
    with pytest.raises(ConnectionResetError):
        upsert(sandbox, "a")
    assert has(sandbox, "a") is applied
    assert sandbox.requests[0].status is None


def test_a_reset_may_strike_while_the_body_comes_in(sandbox: Sandbox) -> None:
    sandbox.faults.add(Reset(after_bytes=1_000_000), on=BULK)
    with pytest.raises((ConnectionError, HTTPException)):
        upsert(sandbox, *(str(number).rjust(500) for number in range(5000)))
    assert 1_000_000 <= sandbox.requests[0].size < 2_500_000
    sandbox.faults.clear()
    assert upsert(sandbox, "a").status == 200


@pytest.mark.parametrize(("when", "applied"), [("before", False), ("after", True)])
def test_a_close_ends_the_line_without_an_answer(sandbox: Sandbox, when: str, applied: bool) -> None:
    sandbox.faults.add(Close(when), on=BULK)  # type: ignore[arg-type]
    with pytest.raises(RemoteDisconnected):
        upsert(sandbox, "a")
    assert has(sandbox, "a") is applied


def test_an_idle_close_comes_unannounced_after_a_whole_answer(sandbox: Sandbox) -> None:
    sandbox.faults.add(Close("idle"))
    got = upsert(sandbox, "a")
    assert got.status == 200
    assert "connection" not in got.headers
    request = f"GET /v2/authping HTTP/1.1\r\nHost: localhost\r\nAuthorization: ApiKey-v1 {sandbox.api_key}\r\n\r\n"
    assert raw(sandbox, request.encode()).endswith(b"\r\n\r\n{}")


def test_half_an_answer_promises_more_than_it_brings(sandbox: Sandbox) -> None:
    whole = upsert(sandbox, "a").body
    sandbox.faults.add(Half(0.25), on=BULK)
    with pytest.raises((IncompleteRead, ConnectionResetError)) as caught:
        upsert(sandbox, "a")
    if isinstance(caught.value, IncompleteRead):
        assert len(caught.value.partial) == len(whole) // 4
    assert has(sandbox, "a")


def test_half_of_an_empty_answer_is_no_answer(sandbox: Sandbox) -> None:
    sandbox.faults.add(Half(), on=BULK)
    with pytest.raises((HTTPException, ConnectionResetError)):
        send(sandbox, "PUT", "/v2/customer_profiles", {"customerProfiles": [{"integrationId": "a"}]})
    assert has(sandbox, "a")


def test_a_slow_answer_arrives_whole_in_the_end(sandbox: Sandbox) -> None:
    whole = upsert(sandbox, "a").body
    sandbox.faults.add(Slow(size=len(whole) // 4, seconds=0.02))
    started = time.monotonic()
    assert upsert(sandbox, "a").body == whole
    assert time.monotonic() - started >= 0.08


def test_raw_bytes_stand_in_for_the_answer(sandbox: Sandbox) -> None:
    sandbox.faults.add(Raw(b"HTTP/1.1 799 Odd\r\nContent-Length: 2\r\n\r\nhi"), on=BULK)
    got = upsert(sandbox, "a")
    assert (got.status, got.body) == (799, b"hi")
    assert has(sandbox, "a")


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_delay_holds_the_answer_back(sandbox: Sandbox, when: str) -> None:
    sandbox.faults.add(Delay(0.1, when), on=BULK)  # type: ignore[arg-type]
    started = time.monotonic()
    assert upsert(sandbox, "a").status == 200
    assert time.monotonic() - started >= 0.1


def test_waits_add_up_and_the_first_other_effect_wins(sandbox: Sandbox) -> None:
    for effect in (Delay(0.05), Status(500), Delay(9), Status(502), Reset()):
        sandbox.faults.add(effect)
    started = time.monotonic()
    assert upsert(sandbox, "a").status == 500
    assert 0.05 <= time.monotonic() - started < 9


def statuses(sandbox: Sandbox, count: int) -> list[int]:
    return [upsert(sandbox, "a").status for _ in range(count)]


def test_a_fault_strikes_the_first_so_many(sandbox: Sandbox) -> None:
    fault = sandbox.faults.add(Status(500), first=2)
    assert statuses(sandbox, 4) == [500, 500, 200, 200]
    assert (fault.seen, fault.struck) == (4, 2)


def test_a_fault_strikes_the_nth_alone(sandbox: Sandbox) -> None:
    sandbox.faults.add(Status(500), nth=3)
    assert statuses(sandbox, 4) == [200, 200, 500, 200]


def test_a_fault_strikes_every_kth(sandbox: Sandbox) -> None:
    sandbox.faults.add(Status(500), every=2)
    assert statuses(sandbox, 5) == [200, 500, 200, 500, 200]


def test_a_fault_strikes_a_share_that_its_seed_repeats(sandbox: Sandbox) -> None:
    sandbox.faults.add(Status(500), share=0.5, seed=7)
    first = statuses(sandbox, 20)
    sandbox.faults.clear()
    sandbox.faults.add(Status(500), share=0.5, seed=7)
    assert statuses(sandbox, 20) == first
    assert set(first) == {200, 500}


def test_a_fault_strikes_only_the_operations_named(sandbox: Sandbox) -> None:
    fault = sandbox.faults.add(Status(500), on=[BULK, "track_event_v2"], first=1)
    assert update(sandbox, "a").status == 200
    assert send(sandbox, "POST", "/v2/events", {}).status == 500
    assert upsert(sandbox, "a").status == 200
    assert fault.seen == 2


def test_a_request_without_the_key_is_refused_before_any_fault(sandbox: Sandbox) -> None:
    fault = sandbox.faults.add(Status(500))
    assert upsert(sandbox, "a", headers={"Authorization": "ApiKey-v1 wrong"}).status == 401
    assert fault.seen == 0


def test_clearing_ends_all_faults(sandbox: Sandbox) -> None:
    sandbox.faults.add(Reset())
    sandbox.faults.clear()
    assert upsert(sandbox, "a").status == 200


def test_a_long_delay_does_not_hold_up_the_end() -> None:
    sandbox = Sandbox().start()
    sandbox.faults.add(Delay(60))
    request = f"GET /v2/authping HTTP/1.1\r\nHost: localhost\r\nAuthorization: ApiKey-v1 {sandbox.api_key}\r\n\r\n"
    answers: list[bytes] = []
    waiting = threading.Thread(target=lambda: answers.append(raw(sandbox, request.encode())))
    waiting.start()
    while not len(sandbox.requests):
        time.sleep(0.001)
    started = time.monotonic()
    sandbox.close()
    waiting.join()
    assert answers == [b""]
    assert time.monotonic() - started < 5


def test_a_fault_that_could_never_strike_is_refused():
    faults = Faults()
    with pytest.raises(ValueError, match="no operation is called update_customers; valid are"):
        faults.add(Status(503), on="update_customers")
    with pytest.raises(TypeError, match="got 503, valid are Status"):
        faults.add(503)
