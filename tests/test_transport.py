"""One exchange with a server that misbehaves: what is sent, how often, and what it is called afterwards."""

from __future__ import annotations

import gzip
import socket
import subprocess
import sys
import threading
import time as real_time
import tracemalloc
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from clocks import Time
from fault_server import (
    Act,
    Caller,
    FaultServer,
    answer,
    bomb,
    cut,
    deaf,
    hang_up,
    head,
    packed,
    page,
    raw,
    redirect,
    reset,
    silence,
    slow_body,
    slow_headers,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from t1data import errors
from t1data.transport.address import parse_base_url
from t1data.transport.key import ApiKey
from t1data.transport.operations import OPERATIONS
from t1data.transport.pace import Pacer
from t1data.transport.retry import Limits
from t1data.transport.transport import Answer, Transport

KEY = "0123456789abcdef"
REPEATABLE = OPERATIONS["update_customer_profiles_v2"]
ONCE = OPERATIONS["create_referral"]
READ = OPERATIONS["get_reserved_customers"]
DONE = {ONCE: answer(201, {"id": 1}), REPEATABLE: answer(204)}


def transport_to(url: str, **options: Any) -> Transport:
    options.setdefault("environment", {})
    return Transport(parse_base_url(url), ApiKey(KEY), **options)


def raised(call: Callable[[], object]) -> errors.RequestError:
    with pytest.raises(errors.RequestError) as caught:
        call()
    assert caught.value.__context__ is None
    assert caught.value.__cause__ is None
    return caught.value


def send_to(*script: Act, operation=ONCE, **options: Any) -> tuple[errors.RequestError | Answer, FaultServer, Time]:
    """Send one operation in unreal time, and bring what came of it, the server and the time."""
    time = Time()
    with FaultServer(*script) as server:
        transport = transport_to(server.url, clock=time, wait=time.wait, **options)
        try:
            result: errors.RequestError | Answer = transport.send(operation, body=b'{"n":1}')
        except errors.RequestError as error:
            result = error
        transport.close()
    return result, server, time


# --- faults -----------------------------------------------------------------------------------------------

LOST = [
    pytest.param(reset(), id="reset after the request"),
    pytest.param(reset(after=3), id="reset in the body"),
    pytest.param(hang_up(), id="closed without an answer"),
    pytest.param(cut(201, {"code": "AAAA" * 50}, 60), id="half an answer"),
    pytest.param(packed(201, b'{"code": "AAAA"}', cut_at=15), id="half a packed answer"),
    pytest.param(packed(201, b"{}", encoding="br"), id="an encoding nobody asked for"),
    pytest.param(answer(201, b"no gzip", {"Content-Encoding": "gzip"}), id="not the encoding it claims"),
    pytest.param(raw(b"SSH-2.0-OpenSSH\r\n"), id="not HTTP"),
    pytest.param(raw(b"HTTP/1.1 99999 no\r\n\r\n"), id="no status"),
    pytest.param(raw(b"HTTP/1.1 201 ok\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"), id="broken chunks"),
    pytest.param(raw(b"HTTP/1.1 201 ok\r\nX: " + b"x" * 100_000), id="an endless header"),
]


@pytest.mark.parametrize("fault", LOST)
def test_a_lost_answer_leaves_a_referral_in_doubt_and_is_never_asked_for_again(fault: Act):
    error, server, _ = send_to(fault, DONE[ONCE])
    assert isinstance(error, errors.NoAnswerError)
    assert (len(server.ledger), error.attempts) == (1, 1)


@pytest.mark.parametrize("fault", LOST)
def test_a_lost_answer_is_asked_for_again_where_that_is_harmless(fault: Act):
    result, server, time = send_to(fault, fault, DONE[REPEATABLE], operation=REPEATABLE)
    assert isinstance(result, Answer)
    assert (result.status, result.attempts, len(server.ledger)) == (204, 3, 3)
    assert result.waited == sum(time.waits)


@pytest.mark.parametrize("status", [408, 418, 421, 423, 425, 500, 502, 503, 504, 599, 600, 304])
def test_a_referral_is_in_doubt_after_a_status_that_a_gateway_may_give(status: int):
    error, server, _ = send_to(answer(status, {"message": "later"}), DONE[ONCE])
    assert isinstance(error, errors.InDoubtError)
    assert (error.status, len(server.ledger)) == (status, 1)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, errors.BadRequestError),
        (401, errors.AuthError),
        (403, errors.AuthError),
        (404, errors.NotFoundError),
        (413, errors.TooLargeError),
        (414, errors.TooLargeError),
    ],
)
def test_a_clear_no_is_final_for_all(status: int, kind: type[Exception]):
    for operation in (ONCE, REPEATABLE):
        error, server, _ = send_to(answer(status, {"message": "no"}), DONE[operation], operation=operation)
        assert type(error) is kind
        assert (error.status, len(server.ledger)) == (status, 1)


def test_a_conflict_is_waited_out_where_that_is_harmless_and_else_refused():
    assert isinstance(send_to(answer(409), DONE[REPEATABLE], operation=REPEATABLE)[0], Answer)
    assert isinstance(send_to(answer(409), DONE[ONCE])[0], errors.ConflictError)


def test_too_many_requests_are_waited_out_by_all_and_no_request_comes_early():
    result, server, time = send_to(answer(429, None, {"Retry-After": "7"}), DONE[ONCE])
    assert isinstance(result, Answer)
    assert (result.attempts, len(server.ledger), time.now) == (2, 2, 1007.0)


def test_a_wait_of_a_day_is_the_callers_to_make():
    error, server, time = send_to(answer(429, None, {"Retry-After": "86400"}), DONE[ONCE])
    assert isinstance(error, errors.RateLimitedError)
    assert (error.retry_after, len(server.ledger), time.waits) == (86400.0, 1, [])


@pytest.mark.parametrize("status", [429, 503])
def test_a_wait_that_the_server_asks_for_is_for_every_thread_of_the_client(status: int):
    time = Time()
    pacer = Pacer(None, clock=time)
    slots: list[float] = []  # what another thread is given meanwhile
    with FaultServer(answer(status, None, {"Retry-After": "30"}), DONE[REPEATABLE]) as server:
        transport = transport_to(server.url, clock=time, wait=time.wait, pacer=lambda name: pacer)
        transport.send(REPEATABLE, on_wait=lambda reason, seconds: slots.append(pacer.slot()))
        transport.close()
    assert slots == [1030.0]


def test_eight_attempts_are_the_most():
    error, server, time = send_to(answer(503), operation=REPEATABLE)
    assert isinstance(error, errors.ServerError)
    assert (error.attempts, len(server.ledger)) == (8, 8)
    assert 7 <= len(time.waits) <= 14  # between two attempts: the random wait, and what the pace adds to it


def test_all_requests_of_a_client_share_one_budget_of_retries():
    time = Time()
    with FaultServer(answer(503)) as server:
        transport = transport_to(server.url, clock=time, wait=time.wait)
        for _ in range(10):
            raised(lambda: transport.send(REPEATABLE))
    assert len(server.ledger) < 10 + 20 + 5


def test_nobody_listens():
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    time = Time()
    transport = transport_to(f"http://127.0.0.1:{port}", clock=time, wait=time.wait)
    error = raised(lambda: transport.send(ONCE))
    assert type(error) is errors.ConnectError
    assert error.attempts == 8
    assert str(error) == (
        "create_referral: no connection after 8 attempts (as often as it may be); "
        "check the base URL's host and port, the proxy if there is one, and the network."
    )


def test_a_name_that_nobody_has():
    transport = transport_to("https://shop.invalid", limits=Limits(attempts=1))
    assert type(raised(lambda: transport.send(ONCE))) is errors.ConnectError


def test_once_in_doubt_a_later_no_connection_does_not_clear_it():
    time = Time()
    with FaultServer(hang_up()) as server:
        transport = transport_to(server.url, clock=time, wait=time.wait)

        def close_the_server(reason: str, seconds: float) -> None:
            server.__exit__()

        error = raised(lambda: transport.send(REPEATABLE, on_wait=close_the_server))
    assert type(error) is errors.NoAnswerError
    assert "no connection" in str(error)


@pytest.mark.parametrize(("status", "kind"), [(404, errors.NoAnswerError), (400, errors.BadRequestError)])
def test_a_later_refusal_clears_doubt_only_if_it_is_about_the_content(status: int, kind: type[Exception]):
    error, _, _ = send_to(hang_up(), answer(status), operation=REPEATABLE)
    assert type(error) is kind
    assert error.status == status


# --- answers that are no answers --------------------------------------------------------------------------


def test_a_page_in_place_of_an_answer_is_told_as_what_it_is():
    error, server, _ = send_to(page(200), operation=REPEATABLE)
    assert isinstance(error, errors.AnswerError)
    assert "a proxy answered" in str(error)
    assert len(server.ledger) == 1


@pytest.mark.parametrize("headers", [{"Content-Type": "text/plain"}, {"Content-Type": "application/jsonp"}])
def test_success_with_content_that_is_no_json_is_in_doubt_and_keeps_the_bytes(headers: dict[str, str]):
    error, _, _ = send_to(answer(201, b"ABCD", headers))
    assert isinstance(error, errors.AnswerError)
    assert error.body == b"ABCD"


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "APPLICATION/JSON", "application/problem+json"])
def test_json_goes_by_several_names(kind: str):
    result, _, _ = send_to(answer(201, b'{"id":7}', {"Content-Type": kind}))
    assert isinstance(result, Answer)
    assert result.json() == {"id": 7}


def test_codes_that_were_made_and_not_told_are_in_doubt():
    operation = OPERATIONS["create_referrals_for_multiple_advocates"]
    with FaultServer(answer(204)) as server:
        error = raised(lambda: transport_to(server.url).send(operation, query={"silent": "no"}))
        assert transport_to(server.url).send(operation).status == 204
    assert type(error) is errors.AnswerError
    assert "without the content that was asked for" in str(error)


@pytest.mark.parametrize("status", [200, 201])
@pytest.mark.parametrize("name", ["create_referral", "update_customer_profile_v2"])
def test_an_empty_answer_is_no_success_where_the_answer_is_what_was_asked_for(name: str, status: int):
    values = ["1"] if "{" in OPERATIONS[name].path else []
    with FaultServer(answer(status, b"", {"Content-Type": "application/json"})) as server:
        error = raised(lambda: transport_to(server.url).send(OPERATIONS[name], values))
    assert type(error) is errors.AnswerError
    assert f"done (status {status}), but without the content that was asked for" in str(error)


def test_an_empty_answer_is_all_that_an_erasure_needs():
    with FaultServer(answer(200, b"", {"Content-Type": "application/json"})) as server:
        assert transport_to(server.url).send(OPERATIONS["delete_customer_data"], ["1"]).json() is None


@pytest.mark.parametrize("status", [202, 203, 206, 299])
def test_a_success_of_another_kind_is_in_doubt(status: int):
    error, server, _ = send_to(answer(status, {}))
    assert type(error) is errors.AnswerError
    assert len(server.ledger) == 1


def test_half_an_answer_is_kept():
    error, _, _ = send_to(cut(201, {"code": "FIRST-CODE", "more": "x" * 500}, 40))
    assert error.status == 201
    assert b"FIRST-CODE" in error.body
    assert len(error.body) == 40


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "x-unheard-of"])
def test_a_body_that_cannot_be_unpacked_is_kept_as_it_came(encoding: str):
    error, _, _ = send_to(answer(201, b'{"code": "ABCD"}', {"Content-Encoding": encoding}))
    assert type(error) is errors.NoAnswerError
    assert error.body == b'{"code": "ABCD"}'


@pytest.mark.parametrize("wbits", [zlib.MAX_WBITS, zlib.MAX_WBITS | 16])
def test_both_ways_to_pack_are_undone(wbits: int):
    packer = zlib.compressobj(wbits=wbits)
    content = packer.compress(b'{"id": 9}') + packer.flush()
    result, _, _ = send_to(answer(201, content, {"Content-Encoding": "deflate"}))
    assert result.json() == {"id": 9}


def test_json_that_does_not_parse_is_kept_and_told():
    result, _, _ = send_to(answer(201, b'{"code": "ABCD"'))
    error = raised(result.json)
    assert type(error) is errors.AnswerError
    assert error.body == b'{"code": "ABCD"'


def test_an_answer_is_unpacked():
    result, server, _ = send_to(packed(201, b'{"id": 9}'))
    assert result.json() == {"id": 9}
    assert server.ledger[0].header("Accept-Encoding") == ["gzip"]


def test_a_bomb_is_stopped_at_the_limit_without_filling_the_memory():
    fault, largest = bomb(100), 1_000_000
    tracemalloc.start()
    try:
        error, server, _ = send_to(fault, limits=Limits(largest_answer=largest))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert type(error) is errors.AnswerError
    assert (len(error.body), len(server.ledger)) == (largest, 1)
    assert peak < 5 * largest


def test_the_limit_of_an_answer_is_64_megabytes():
    error, _, _ = send_to(answer(200, b" " * (64 * 1024 * 1024 + 1)))
    assert type(error) is errors.AnswerError
    assert "larger than the limit" in str(error)
    assert len(error.body) == 64 * 1024 * 1024


JSON = {"Content-Type": "application/json"}
BROKEN_BODIES = [
    pytest.param(cut(200, {"customerProfiles": "x" * 500}, 60), "cut short", id="cut"),
    pytest.param(answer(200, b"{" * 2001, JSON), "larger than the limit", id="too big"),
    pytest.param(packed(200, b"{}" * 90, cut_at=15), "cut short", id="half a packed body"),
    pytest.param(answer(200, b"no gzip", {"Content-Encoding": "gzip"}), "encoding it claims", id="not as claimed"),
    pytest.param(raw(head(200, JSON | {"Transfer-Encoding": "chunked"}) + b"zz\r\n"), "cut short", id="broken chunks"),
]


@pytest.mark.parametrize(("fault", "said"), BROKEN_BODIES)
def test_a_whole_head_is_enough_where_nothing_is_to_be_brought_home(fault: Act, said: str):
    result, server, _ = send_to(fault, operation=REPEATABLE, limits=Limits(largest_answer=2000))
    assert isinstance(result, Answer)
    assert (result.status, result.json(), len(server.ledger)) == (200, None, 1)
    assert said in result.warning


@pytest.mark.parametrize(("fault", "said"), BROKEN_BODIES)
def test_a_whole_head_is_not_enough_where_the_body_holds_what_was_made(fault: Act, said: str):
    many = OPERATIONS["create_referrals_for_multiple_advocates"]
    for operation in (ONCE, many):  # also when asked to be silent: what was made is named nowhere else
        error, server, _ = send_to(fault, operation=operation, limits=Limits(largest_answer=2000))
        assert isinstance(error, errors.InDoubtError)
        assert said in str(error)
        assert len(server.ledger) == 1


def test_a_whole_head_is_not_enough_where_the_body_was_asked_for():
    time, fault = Time(), cut(200, {"customerProfiles": "x" * 500}, 60)
    with FaultServer(fault, answer(200, {"customerProfiles": []})) as server:
        transport = transport_to(server.url, clock=time, wait=time.wait)
        result = transport.send(REPEATABLE, query={"silent": "no"}, body=b"{}")
    assert (result.attempts, result.warning, len(server.ledger)) == (2, "", 2)


def test_a_page_of_a_proxy_that_breaks_off_is_no_success():
    fault = raw(head(200, {"Content-Type": "text/html", "Content-Length": "500"}) + b"<html>")
    result, server, _ = send_to(fault, DONE[REPEATABLE], operation=REPEATABLE)
    assert isinstance(result, Answer)
    assert (result.status, len(server.ledger)) == (204, 2)


@pytest.mark.parametrize("broken", [b"HTTP/1.1 204", b"HTTP/1.1 204 Said\r\n", b"HTTP/1.1 204 Said\r\nX-Request: 1"])
def test_half_a_head_is_no_answer(broken: bytes):
    result, server, _ = send_to(raw(broken), DONE[REPEATABLE], operation=REPEATABLE)
    assert isinstance(result, Answer)
    assert (result.attempts, len(server.ledger)) == (2, 2)
    error, _, _ = send_to(raw(broken.replace(b"204", b"201")))
    assert type(error) is errors.NoAnswerError
    assert error.status is None


FRAMED = {
    "by its length": b'HTTP/1.1 201 Made\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{"id": 9}',
    "in chunks": b"HTTP/1.1 201 Made\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
    b'4;x=y\r\n{"id\r\n5\r\n": 9}\r\n0\r\nX-Sum: 1\r\n\r\n',
    "by the end": b'HTTP/1.0 201\r\nContent-Type: application/json\r\n\r\n{"id": 9}',
    "after a go-on": b"HTTP/1.1 100 Continue\r\nX-A: 1\r\n\r\nHTTP/1.1 201 \r\nContent-Type: application/json\r\n"
    b'Content-Length: 9\r\n\r\n{"id": 9}',
}


@pytest.mark.parametrize("answered", FRAMED.values(), ids=FRAMED)
def test_an_answer_is_the_same_in_whatever_pieces_it_comes(answered: bytes):
    for size in (1, 2, 7, len(answered)):

        def in_pieces(caller: Caller, size: int = size) -> bool:
            caller.read_body()
            for at in range(0, len(answered), size):
                caller.send(answered[at : at + size])
            return False

        result, _, _ = send_to(in_pieces)
        assert isinstance(result, Answer)
        assert (result.status, result.json(), result.headers["content-type"]) == (201, {"id": 9}, "application/json")


@pytest.mark.parametrize(
    "odd",
    [
        b"HTTP/1.1 201 Made\r\n" + b"X-More: more\r\n" * 40_000,
        b"HTTP/1.1 201 Made\r\nContent-Length: -2\r\n\r\n{}",
        b"HTTP/1.1 201 Made\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        b"HTTP/1.1 20 Made\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.6\r\n",
    ],
    ids=["a head without end", "a length below nothing", "two lengths", "no status", "another protocol"],
)
def test_what_no_server_may_say_is_no_answer(odd: bytes):
    error, _, _ = send_to(raw(odd))
    assert type(error) is errors.NoAnswerError
    assert (error.status, error.body) == (None, b"")


def test_a_trailer_says_nothing_in_the_name_of_the_head():
    page = head(200, {"Content-Type": "text/html", "Transfer-Encoding": "chunked"})
    page += b"6\r\n<html>\r\n0\r\nContent-Type: application/json\r\n\r\n"
    error, _, _ = send_to(raw(page), operation=REPEATABLE, limits=Limits(attempts=1))
    assert type(error) is errors.AnswerError


@pytest.mark.parametrize("endless", ["a trailer", "after what was packed"])
def test_what_comes_without_end_after_the_body_is_not_held(endless: str):
    json = {"Content-Type": "application/json"}
    if endless == "a trailer":
        sent = head(201, json | {"Transfer-Encoding": "chunked"}) + b"2\r\n{}\r\n0\r\nX: " + b"x" * 20_000_000
    else:
        sent = head(201, json | {"Content-Encoding": "gzip"}) + gzip.compress(b"{}") + bytes(20_000_000)
    tracemalloc.start()
    try:
        error, _, _ = send_to(raw(sent))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert type(error) is errors.NoAnswerError
    assert error.body == b"{}"  # what did come is kept
    assert peak < len(sent) / 4


def test_ctrl_c_while_an_answer_is_taken_apart_is_ctrl_c():
    def interrupt(frame: Any, event: str, argument: Any) -> None:
        if event == "call" and frame.f_code.co_name == "on_headers_complete":
            sys.settrace(None)
            raise KeyboardInterrupt

    with FaultServer(answer(201, {"id": 1})) as server:
        before = sys.gettrace()
        sys.settrace(interrupt)
        try:
            with pytest.raises(KeyboardInterrupt):
                transport_to(server.url).send(ONCE, body=b"{}")
        finally:
            sys.settrace(before)


def test_an_early_no_is_heard_though_the_connection_breaks_under_the_body():
    def refuse_early(caller: Caller) -> bool:
        caller.send(b"HTTP/1.1 413 large\r\nContent-Length: 0\r\n\r\n")
        caller.reset()
        return False

    with FaultServer(refuse_early) as server:
        transport = transport_to(server.url)
        error = raised(lambda: transport.send(REPEATABLE, body=bytes(30_000_000)))
    assert type(error) is errors.TooLargeError


# --- redirects --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed_and_only_its_host_is_named(status: int):
    with FaultServer() as other:
        error, server, _ = send_to(redirect(status, f"{other.url}/v1/referrals?id=secret"))
        assert other.ledger == []
    assert type(error) is errors.RedirectError
    assert "127.0.0.1" in str(error)
    assert "secret" not in str(error)
    assert len(server.ledger) == 1


# --- deadlines, in real time ------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [slow_headers, slow_body, silence])
def test_a_server_that_dribbles_is_left_at_the_deadline(fault: Callable[[], Act]):
    with FaultServer(fault()) as server:
        transport = transport_to(server.url, limits=Limits(deadline=0.2))
        began = real_time.monotonic()
        error = raised(lambda: transport.send(ONCE))
    assert type(error) is errors.NoAnswerError
    assert 0.2 <= real_time.monotonic() - began < 5  # else it would dribble on for minutes


def test_a_server_that_does_not_read_is_left_at_the_deadline():
    with FaultServer(deaf()) as server:
        transport = transport_to(server.url, limits=Limits(deadline=0.2))
        error = raised(lambda: transport.send(ONCE, body=bytes(50_000_000)))
    assert type(error) is errors.NoAnswerError


# --- a server in trouble ---------------------------------------------------------------------------------


def test_after_five_failures_in_a_row_one_request_goes_ahead_and_the_others_wait():
    gate, waiting = threading.Event(), threading.Event()

    def behind_the_gate(caller: Caller) -> bool:
        gate.wait(5)
        return answer(204)(caller)

    def wait(stop: threading.Event | None, seconds: float) -> bool:
        waiting.set()
        threading.Event().wait(0.001)
        return False

    with FaultServer(*[answer(500)] * 5, behind_the_gate, answer(204)) as server:
        transport = transport_to(server.url, wait=wait, limits=Limits(attempts=1))
        for _ in range(5):
            raised(lambda: transport.send(REPEATABLE))
        threads = [threading.Thread(target=transport.send, args=(REPEATABLE,)) for _ in range(3)]
        for thread in threads:
            thread.start()
        assert waiting.wait(5)
        assert len(server.ledger) <= 6
        gate.set()
        for thread in threads:
            thread.join()
        transport.close()
    assert len(server.ledger) == 8


# --- stop -------------------------------------------------------------------------------------------------


def test_stop_before_the_request_means_nothing_was_sent():
    stop = threading.Event()
    stop.set()
    with FaultServer() as server:
        error = raised(lambda: transport_to(server.url).send(ONCE, stop=stop))
    assert type(error) is errors.StoppedError
    assert server.ledger == []


def test_stop_ends_a_wait_at_once_and_says_how_the_last_attempt_ended():
    stop = threading.Event()
    heard = []

    def stop_now(reason: str, seconds: float) -> None:
        heard.append((reason, seconds))
        stop.set()

    with FaultServer(answer(503, None, {"Retry-After": "200"})) as server:
        began = real_time.monotonic()
        error = raised(lambda: transport_to(server.url).send(REPEATABLE, stop=stop, on_wait=stop_now))
    assert type(error) is errors.ServerError
    assert heard == [("status 503, now 1.0 requests/s", 200.0)]
    assert len(server.ledger) == 1
    assert real_time.monotonic() - began < 5


# --- connections ------------------------------------------------------------------------------------------


def test_requests_that_may_be_repeated_share_a_connection():
    chunks = head(200, JSON | {"Transfer-Encoding": "chunked"}) + b"2\r\n{}\r\n0\r\n\r\n"
    script = [answer(204), answer(200, {"customerProfiles": []}), raw(chunks, keep=True), answer(400, {}), answer(204)]
    with FaultServer(*script) as server:
        transport = transport_to(server.url)
        for _ in range(3):
            transport.send(REPEATABLE)
        raised(lambda: transport.send(REPEATABLE))
        transport.send(REPEATABLE)
        transport.close()
    assert [entry.connection for entry in server.ledger] == [1, 1, 1, 1, 1]


def test_a_connection_that_the_server_will_close_is_not_used_again():
    with FaultServer(answer(200, {}, {"Connection": "close"}), answer(204)) as server:
        transport = transport_to(server.url)
        transport.send(REPEATABLE)
        transport.send(REPEATABLE)
        transport.close()
    assert [entry.connection for entry in server.ledger] == [1, 2]


def test_a_request_that_must_not_be_repeated_gets_a_connection_of_its_own():
    with FaultServer(answer(204), answer(201, {}), answer(201, {})) as server:
        transport = transport_to(server.url)
        transport.send(REPEATABLE)
        transport.send(ONCE)
        transport.send(ONCE)
        transport.close()
    assert len({entry.connection for entry in server.ledger}) == 3


@pytest.mark.parametrize("status", [421, 103])
def test_after_a_status_that_spoils_the_connection_another_one_is_used(status: int):
    with FaultServer(answer(status), answer(204)) as server:
        time = Time()
        assert transport_to(server.url, clock=time, wait=time.wait).send(REPEATABLE).attempts == 2
    assert [entry.connection for entry in server.ledger] == [1, 2]


def test_an_answer_that_is_longer_than_it_says_does_not_spoil_the_next():
    chatty = raw(b"HTTP/1.1 200 ok\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}and more", keep=True)
    with FaultServer(chatty, answer(200, {"id": 8})) as server:
        transport = transport_to(server.url)
        assert transport.send(READ, ["A"]).json() == {}
        assert transport.send(READ, ["B"]).json() == {"id": 8}
        transport.close()


def test_an_idle_connection_that_the_server_closed_costs_no_attempt():
    with FaultServer(raw(b"HTTP/1.1 204 done\r\n\r\n"), answer(204)) as server:
        transport = transport_to(server.url)
        transport.send(REPEATABLE)
        server.settle()
        assert transport.send(REPEATABLE).attempts == 1
        transport.close()


def test_a_connection_that_has_waited_long_is_not_used_again():
    time = Time()
    with FaultServer() as server:
        transport = transport_to(server.url, clock=time)
        transport.send(REPEATABLE)
        time.now += 31
        transport.send(REPEATABLE)
        transport.close()
    assert [entry.connection for entry in server.ledger] == [1, 2]


def test_a_fork_opens_a_connection_of_its_own():
    code = """
import os, sys
from t1data.client import Client
client = Client(sys.argv[1], "0123456789abcdef", rate=None)
client.send("update_customer_profiles_v2")
child = os.fork()
client.send("update_customer_profiles_v2")
if child:
    assert os.waitpid(child, 0)[1] == 0
    client.send("update_customer_profiles_v2")
"""
    with FaultServer() as server:
        subprocess.run([sys.executable, "-W", "error", "-c", code, server.url], check=True)
    assert sorted(entry.connection for entry in server.ledger) == [1, 1, 1, 2]


def test_threads_never_share_a_connection_at_the_same_time():
    with FaultServer() as server:
        transport = transport_to(server.url)
        threads = [threading.Thread(target=lambda: [transport.send(REPEATABLE) for _ in range(20)]) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        transport.close()
    assert len(server.ledger) == 160
    assert all(entry.whole for entry in server.ledger)


# --- what is on the wire ----------------------------------------------------------------------------------


def test_only_our_own_headers_are_sent():
    _, server, _ = send_to(DONE[ONCE])
    names = [name for name, _ in server.ledger[0].headers]
    assert names == [
        "Host",
        "Accept",
        "Accept-Encoding",
        "User-Agent",
        "Content-Type",
        "Content-Length",
        "Authorization",
    ]
    assert server.ledger[0].header("Authorization") == [f"ApiKey-v1 {KEY}"]
    assert server.ledger[0].header("User-Agent")[0].startswith("t1data/")


@pytest.mark.parametrize("body", [b"{}", memoryview(b"{}"), memoryview(b"xx{}xx")[2:4]])
def test_ready_bytes_are_sent_as_they_are(body: bytes | memoryview):
    with FaultServer() as server:
        transport_to(server.url).send(REPEATABLE, body=body)
    assert server.ledger[0].body == b"{}"


@settings(max_examples=60)
@given(st.text(min_size=1, max_size=50).filter(lambda text: text not in (".", "..")))
def test_any_id_survives_the_path(integration_id: str):
    from urllib.parse import unquote

    target = OPERATIONS["delete_customer_data"].target([integration_id])
    prefix, _, last = target.rpartition("/")
    assert prefix == "/v1/customer_data"
    assert unquote(last, errors="strict") == integration_id
    assert last.isascii()
    assert not set(last) & set("?#&+;= ")


HARD_IDS = [
    "a/b",
    "?x",
    "#x",
    "100%",
    "%2F",
    "%2E%2E",
    "a b",
    "+49",
    "ä",
    "😀",
    "\u200f",
    "..x",
    "...",
    "\x00",
    "a\r\nb",
]


@pytest.mark.parametrize("integration_id", HARD_IDS)
def test_nothing_on_the_way_unescapes_an_id(integration_id: str):
    operation = OPERATIONS["delete_customer_data"]
    with FaultServer() as server:
        transport_to(server.url).send(operation, [integration_id])
    assert server.ledger[0].target == operation.target([integration_id])


@pytest.mark.parametrize("integration_id", ["", ".", "..", "\ud800", True, 1.0, None, b"x"])
def test_an_id_that_no_url_can_name_is_refused_and_nothing_is_sent(integration_id: Any):
    with FaultServer() as server, pytest.raises(errors.InputError):
        transport_to(server.url).send(OPERATIONS["delete_customer_data"], [integration_id])
    assert server.ledger == []


# --- hostile words ----------------------------------------------------------------------------------------


def test_a_hostile_message_is_cut_and_disarmed():
    hostile = "\x1b[31mred\r\nX-Injected: 1\u202e" + "x" * 1_000_000
    error, _, _ = send_to(answer(400, {"message": hostile, "errors": [{"title": "T"}, 7]}))
    assert len(str(error)) < 700
    assert str(error).isprintable()
    assert error.problems == [{"title": "T"}]


@pytest.mark.parametrize("body", [b"", b"[]", b"7", b"{", b'{"message": 7}', b'{"errors": 7}', b"[" * 100_000])
def test_an_error_body_of_any_shape_still_gives_the_error_of_its_status(body: bytes):
    error, _, _ = send_to(answer(400, body))
    assert type(error) is errors.BadRequestError
    assert error.body == body
