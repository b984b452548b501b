"""The pace is even, catches up a little after a hiccup, and stands still when the server asks."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest
from clocks import Time
from fault_server import Act, Caller, FaultServer, answer
from hypothesis import given, settings
from hypothesis import strategies as st

from t1data import Client, Sandbox
from t1data.errors import ConfigError, ConflictError
from t1data.sandbox.options import Options
from t1data.transport.address import parse_base_url
from t1data.transport.key import ApiKey
from t1data.transport.operations import OPERATIONS, Operation
from t1data.transport.pace import Pacer, in_memory, wait_for
from t1data.transport.transport import Transport

WRITE, CREATE = OPERATIONS["update_customer_profiles_v2"], OPERATIONS["create_audience_v2"]


def starts(pacer: Pacer, time: Time, number: int) -> list[float]:
    found = []
    for _ in range(number):
        pacer.pause(None, time.wait)
        found.append(time.now - 1000)
    return found


def test_requests_are_evenly_spaced_from_the_first_on():
    time = Time()
    found = starts(Pacer(10, clock=time), time, 5)
    assert [round(start, 6) for start in found] == [0, 0.1, 0.2, 0.3, 0.4]


def test_after_a_hiccup_five_requests_catch_up():
    time = Time()
    pacer = Pacer(10, clock=time)
    starts(pacer, time, 2)
    time.now += 60
    found = starts(pacer, time, 8)
    assert [round(start - 60.1, 6) for start in found] == [0, 0, 0, 0, 0, 0, 0.1, 0.2]


@given(st.floats(0.5, 200), st.lists(st.floats(0, 2), min_size=20, max_size=60))
def test_no_window_ever_holds_more_than_the_rate_and_five(rate: float, pauses: list[float]):
    time = Time()
    pacer = Pacer(rate, clock=time)
    found = []
    for pause in pauses:
        time.now += pause
        pacer.pause(None, time.wait)
        found.append(time.now)
    for first in range(len(found)):
        for last in range(first, len(found)):
            assert last - first <= (found[last] - found[first]) * rate + 5 + 1e-6


def test_without_a_rate_nobody_waits():
    time = Time()
    assert starts(Pacer(None, clock=time), time, 100) == [0.0] * 100


def test_after_a_hold_requests_start_again_one_by_one():
    time = Time()
    pacer = Pacer(10, clock=time)
    pacer.hold(7)
    assert [round(start, 6) for start in starts(pacer, time, 3)] == [7, 7.1, 7.2]


def test_a_slot_taken_before_a_hold_does_not_break_it():
    time = Time()
    pacer = Pacer(1, clock=time)
    starts(pacer, time, 1)

    def wait(stop: threading.Event | None, seconds: float) -> bool:
        if time.now < 1007:  # meanwhile another thread is told to wait
            pacer.hold(7)
        return time.wait(stop, seconds)

    pacer.pause(None, wait)
    assert time.now >= 1007


def test_stop_ends_the_wait_for_a_slot():
    stop = threading.Event()
    stop.set()
    pacer = Pacer(0.001)
    pacer.hold(3600)
    assert pacer.pause(stop, wait_for)


def test_who_stops_waiting_leaves_no_gap():
    time = Time()
    pacer = Pacer(0.1, clock=time)
    starts(pacer, time, 1)
    for _ in range(8):
        assert pacer.pause(None, lambda stop, seconds: True)
    assert starts(pacer, time, 2) == [10, 20]


@pytest.mark.parametrize("rate", [0, -1, float("inf"), float("nan")])
def test_a_rate_that_is_none_is_refused(rate: float):
    with pytest.raises(ConfigError, match="above 0, or None"):
        Pacer(rate)


def test_threads_share_one_pace():
    time = Time()
    pacer = Pacer(100, clock=time)
    with ThreadPoolExecutor(8) as pool:
        slots = sorted(pool.map(lambda _: pacer.slot(), range(200)))
    gaps = [after - before for before, after in pairwise(slots)]
    assert min(gaps) > 0.0099


# --- after a refusal -----------------------------------------------------------------------------------------


def gaps(pacer: Pacer, time: Time, number: int) -> list[float]:
    """The times between that many starts and the one before them."""
    found = starts(pacer, time, number + 1)
    return [after - before for before, after in pairwise(found)]


def recover(pacer: Pacer, time: Time, *, seconds: float) -> list[float]:
    """Send for so long or until there is no limit, each request with a good answer; bring all rates."""
    rates, end = [pacer.rate], time.now + seconds
    while time.now < end and rates[-1] < float("inf"):
        pacer.pause(None, time.wait)
        pacer.good(time.now)
        rates.append(pacer.rate)
    return rates


@given(st.floats(0.3, 500), st.integers(0, 10))
def test_after_a_refusal_the_next_request_waits_twice_as_long_and_so_do_those_after_it(rate: float, before: int):
    time = Time()
    pacer = Pacer(rate, clock=time)
    starts(pacer, time, before)
    time.now += 3600  # requests that may catch up do not
    refused = time.now
    pacer.slowed(refused)
    found = [start + 1000 - refused for start in starts(pacer, time, 3)]
    assert found == pytest.approx([2 / rate, 4 / rate, 6 / rate], rel=1e-4)


def test_refusals_of_one_burst_halve_the_rate_once_and_one_of_a_later_request_again():
    time = Time()
    pacer = Pacer(8, clock=time)
    burst = [time.now + 0.01 * number for number in range(8)]
    time.now += 1
    for started in burst:
        pacer.slowed(started)
    assert pacer.rate == 4
    time.now += 1
    pacer.slowed(time.now)
    assert pacer.rate == 2


def test_slots_taken_before_a_refusal_are_taken_again_at_the_new_pace():
    time = Time()
    pacer = Pacer(10, clock=time)
    starts(pacer, time, 1)
    refused = False

    def wait(stop: threading.Event | None, seconds: float) -> bool:
        nonlocal refused
        if not refused:
            pacer.slowed(time.now)
        refused = True
        return time.wait(stop, seconds)

    pacer.pause(None, wait)
    assert time.now == pytest.approx(1000.2)


@given(st.floats(0.05, 1000), st.integers(1, 40))
def test_no_number_of_refusals_stops_a_client_for_good(rate: float, refusals: int):
    time = Time()
    pacer = Pacer(rate, clock=time)
    for _ in range(refusals):
        time.now += 1
        pacer.slowed(time.now)
    assert pacer.rate >= min(rate, max(rate / 64, 0.1)) * 0.999
    assert pacer.rate <= rate


@settings(deadline=None, max_examples=30)
@given(st.sampled_from([0.5, 3, 20, 60]), st.integers(1, 10))
def test_good_answers_bring_back_the_full_rate_in_about_a_minute_and_never_more(rate: float, refusals: int):
    time = Time()
    pacer = Pacer(rate, clock=time)
    for _ in range(refusals):
        time.now += 1
        pacer.slowed(time.now)
    rates = recover(pacer, time, seconds=100)
    assert rates == sorted(rates)
    assert max(rates) == rates[-1] == rate
    assert all(after <= 2 * before for before, after in pairwise(rates))
    assert gaps(pacer, time, 5) == pytest.approx([1 / rate] * 5)


def test_half_the_rate_is_not_forgotten_within_twenty_seconds():
    time = Time()
    pacer = Pacer(20, clock=time)
    pacer.slowed(time.now)
    assert max(recover(pacer, time, seconds=20)) < 18
    assert recover(pacer, time, seconds=15)[-1] == 20


def test_good_answers_to_requests_from_before_the_refusal_count_for_nothing():
    time = Time()
    pacer = Pacer(20, clock=time)
    pacer.slowed(time.now)
    for _ in range(100):
        pacer.good(time.now)
    assert pacer.rate == 10


def test_without_a_rate_a_refusal_limits_to_half_of_what_was_sent_and_the_limit_goes_when_it_proves_needless():
    time = Time()
    pacer = Pacer(None, clock=time)
    for _ in range(1000):
        time.now += 0.01
        pacer.pause(None, time.wait)
    pacer.slowed(time.now)
    assert pacer.rate == pytest.approx(50, rel=0.01)
    rates = recover(pacer, time, seconds=44)
    assert 150 < max(rates) < 200.5
    assert recover(pacer, time, seconds=2)[-1] == float("inf")
    assert starts(pacer, time, 100) == [time.now - 1000] * 100


@given(
    st.sampled_from([2.0, 10.0, 100.0]),
    st.lists(st.tuples(st.sampled_from(["start", "refuse", "praise", "hold", "idle"]), st.floats(0, 3)), max_size=60),
)
def test_whatever_is_answered_the_rate_is_kept_and_no_hold_broken(rate: float, steps: list[tuple[str, float]]):
    time = Time()
    change = in_memory(time)
    pacers = [Pacer(rate, clock=time, change=change) for _ in range(2)]
    found, no_start_before = [], 0.0
    for number, (step, seconds) in enumerate(steps):
        pacer = pacers[number % 2]
        if step == "start":
            pacer.pause(None, time.wait)
            assert time.now >= no_start_before
            found.append(time.now)
        elif step == "refuse":
            pacer.slowed(time.now)
        elif step == "praise":
            pacer.good(time.now)
        elif step == "hold":
            pacer.hold(seconds)
            no_start_before = max(no_start_before, time.now + seconds)
        else:
            time.now += seconds
    for first in range(len(found)):
        for last in range(first, len(found)):
            assert last - first <= (found[last] - found[first]) * rate + 5 + 1e-6


# --- by way of a transport and a client --------------------------------------------------------------------------


def sent(*script: Act, operation: Operation = WRITE, rate: float | None = 10) -> Pacer:
    """Send one operation in unreal time, and bring the pacer."""
    time = Time()
    pacer = Pacer(rate, clock=time)
    with FaultServer(*script) as server:
        transport = Transport(
            parse_base_url(server.url),
            ApiKey("0123456789abcdef"),
            pacer=lambda name: pacer,
            environment={},
            clock=time,
            wait=time.wait,
        )
        try:
            transport.send(operation, body=b"{}")
        except ConflictError:
            assert operation is CREATE
        transport.close()
    return pacer


@pytest.mark.parametrize("status", [409, 429, 503])
def test_an_answer_that_speaks_of_the_load_halves_the_rate(status: int):
    assert sent(answer(status), answer(204)).rate == pytest.approx(5, rel=0.02)


@pytest.mark.parametrize("status", [408, 500, 502, 504])
def test_an_answer_that_speaks_of_something_else_does_not(status: int):
    assert sent(answer(status), answer(204)).rate == 10


def test_a_conflict_where_something_exists_already_does_not_slow_anybody_down():
    assert sent(answer(409), operation=CREATE).rate == 10


def test_people_are_told_the_pace_with_the_reason_of_a_wait():
    heard: list[str] = []
    with FaultServer(answer(409), answer(204)) as server, Client(server.url, "0123456789abcdef", rate=10) as client:
        client.send("update_customer_profiles_v2", body=b"{}", on_wait=lambda reason, seconds: heard.append(reason))
    assert heard == ["status 409, now 5.0 requests/s"]


def bucket(rate: float, time: Time, refusals: list[float]) -> Act:
    """Let in so many requests a second, saved up to a second's worth."""
    tokens, at = rate, time.now

    def act(caller: Caller) -> bool:
        nonlocal tokens, at
        tokens, at = min(rate, tokens + (time.now - at) * rate), time.now
        if tokens < 1:
            refusals.append(time.now)
            return answer(429)(caller)
        tokens -= 1
        return answer(204)(caller)

    return act


@pytest.mark.parametrize("rate", [50, None])
def test_a_client_that_is_five_times_too_fast_finds_the_pace_of_the_server(rate: float | None):
    time, refusals = Time(), []
    pacer = Pacer(rate, clock=time)
    with FaultServer(bucket(10, time, refusals)) as server:
        transport = Transport(
            parse_base_url(server.url),
            ApiKey("0123456789abcdef"),
            pacer=lambda name: pacer,
            environment={},
            clock=time,
            wait=time.wait,
            chance=lambda: 0.5,
        )
        for _ in range(200):
            assert transport.send(WRITE, body=b"{}").status == 204
        transport.close()
    assert 1 <= len(refusals) <= 20
    assert time.now - 1000 < 200 / 10 * 1.25


def test_a_run_that_starts_too_fast_ends_with_every_request_accepted():
    with Sandbox(options=Options(rate=100)) as sandbox, Client(sandbox.base_url, sandbox.api_key, rate=500) as client:

        def update(number: int) -> int:
            return client.send("update_customer_profile_v2", f"c{number}", body=b'{"attributes":{}}').status

        with ThreadPoolExecutor(8) as pool:
            assert set(pool.map(update, range(160))) <= {200, 201}
        refused = [request for request in sandbox.requests if request.status == 429]
    assert len(refused) <= 25


@pytest.mark.parametrize("rate", ["20", 0, -1, float("nan"), float("inf"), [20]])
def test_a_rate_that_is_none_is_refused_in_words(rate: object) -> None:
    with pytest.raises(ConfigError, match="rate is a number of requests a second"):
        Pacer(rate)  # type: ignore[arg-type]
