"""Whether a request goes out again is decided by a function that touches nothing; here it is asked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from t1data.transport.operations import OPERATIONS, Operation
from t1data.transport.retry import Breaker, Budget, Decision, Exchange, Failure, Limits, asked_wait, decide

REPEATABLE = OPERATIONS["update_customer_profiles_v2"]
ONCE = OPERATIONS["create_referral"]

LIMITS = Limits()
operations = st.sampled_from(list(OPERATIONS.values()))
header_values = st.one_of(
    st.text(max_size=40),
    st.integers(-(10**6), 10**30).map(str),
    st.floats().map(str),
    st.datetimes().map(lambda moment: format_datetime(moment.replace(tzinfo=UTC))),
)
headers = st.dictionaries(st.sampled_from(["retry-after", "date", "ratelimit", "location"]), header_values)
exchanges = st.builds(
    Exchange,
    failure=st.one_of(st.none(), st.sampled_from(list(Failure))),
    status=st.integers(100, 999),
    headers=headers,
)


def decided(operation: Operation, exchange: Exchange, attempt: int = 1, elapsed: float = 0.0) -> Decision:
    return decide(operation, exchange, attempt=attempt, elapsed=elapsed, chance=0.5)


def test_exactly_these_operations_are_never_repeated_after_they_went_out():
    assert {name for name, operation in OPERATIONS.items() if not operation.repeatable} == {
        "create_audience_v2",
        "create_referral",
        "create_referrals_for_multiple_advocates",
        "track_event",
        "track_event_v2",
    }


@given(operations, exchanges, st.integers(1, 10), st.floats(0, 1000), st.floats(0, 0.999))
def test_what_must_not_be_repeated_goes_out_again_only_when_nothing_was_applied(
    operation: Operation, exchange: Exchange, attempt: int, elapsed: float, chance: float
):
    decision = decide(operation, exchange, attempt=attempt, elapsed=elapsed, chance=chance)
    refused_for_the_rate = exchange.failure is None and exchange.status == 429
    if decision.again and not operation.repeatable:
        assert exchange.failure is Failure.CONNECT or refused_for_the_rate


@given(operations, exchanges, st.integers(1, 10), st.floats(0, 1000), st.floats(0, 0.999))
def test_no_wait_is_shorter_than_the_server_asks_nor_longer_than_the_limits(
    operation: Operation, exchange: Exchange, attempt: int, elapsed: float, chance: float
):
    decision = decide(operation, exchange, attempt=attempt, elapsed=elapsed, chance=chance)
    if decision.again:
        assert decision.wait >= (asked_wait(exchange.headers) or 0)
        assert decision.wait <= LIMITS.longest_wait
        assert attempt < LIMITS.attempts
        assert elapsed + decision.wait <= LIMITS.seconds


@given(header_values, header_values, header_values)
def test_no_header_makes_the_wait_negative_or_breaks_the_reader(retry_after: str, date: str, quota: str):
    wait = asked_wait({"retry-after": retry_after, "date": date, "ratelimit": quota})
    assert wait is None or wait >= 0


@pytest.mark.parametrize("status", [408, 409, 421, 423, 425, 429, 500, 501, 502, 503, 504, 599])
def test_passing_troubles_are_worth_another_attempt(status: int):
    assert decided(REPEATABLE, Exchange(status=status)).again
    assert not decided(REPEATABLE, Exchange(status=status), attempt=8).again


@pytest.mark.parametrize("status", [200, 204, 206, 400, 401, 403, 404, 410, 413, 414, 422])
def test_a_clear_answer_is_not_asked_for_twice(status: int):
    assert not decided(REPEATABLE, Exchange(status=status)).again


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_final(status: int):
    assert not decided(REPEATABLE, Exchange(status=status, headers={"location": "/elsewhere"})).again


@pytest.mark.parametrize("status", [101, 103, 304, 418, 600, 999])
def test_a_status_of_no_class_is_tried_twice_more(status: int):
    exchange = Exchange(status=status)
    assert [decided(REPEATABLE, exchange, attempt).again for attempt in (1, 2, 3)] == [True, True, False]
    assert not decided(ONCE, exchange).again


@pytest.mark.parametrize("failure", [Failure.RESET, Failure.TIMEOUT, Failure.CUT, Failure.GARBLED])
def test_a_lost_answer_is_asked_for_again_only_where_that_is_harmless(failure: Failure):
    assert decided(REPEATABLE, Exchange(failure)).again
    assert not decided(ONCE, Exchange(failure)).again


def test_a_connection_that_never_was_is_tried_again_for_all():
    assert decided(ONCE, Exchange(Failure.CONNECT)).again


@pytest.mark.parametrize("failure", [Failure.CERTIFICATE, Failure.TOO_BIG])
def test_what_would_only_happen_again_is_not_tried_again(failure: Failure):
    assert not decided(REPEATABLE, Exchange(failure)).again


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": " 1.5 "}, 1.5),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:07 GMT", "date": "Wed, 21 Oct 2026 07:28:00 GMT"}, 7.0),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT", "date": "Wed, 21 Oct 2026 07:28:09 GMT"}, None),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:07 GMT"}, None),
        ({"retry-after": "-3"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": ""}, None),
        ({"retry-after": "nan"}, None),
        ({"ratelimit": '"default";r=0;t=12'}, 12.0),
        ({"ratelimit": '"default";r=5;t=12'}, None),
        ({"retry-after": "3", "ratelimit": '"default";r=0;t=12'}, 3.0),
        ({}, None),
    ],
)
def test_the_servers_wish_is_read_by_its_own_clock_and_what_is_malformed_is_ignored(headers, seconds):
    assert asked_wait(headers) == seconds


def test_a_date_counts_from_the_answers_own_date_whatever_this_machine_thinks():
    past = datetime(2001, 1, 1, tzinfo=UTC)
    later = format_datetime(past + timedelta(seconds=40), usegmt=True)
    answer = Exchange(status=429, headers={"retry-after": later, "date": format_datetime(past, usegmt=True)})
    assert decided(ONCE, answer).wait == 40.0


def test_a_day_is_not_slept_through():
    decision = decided(REPEATABLE, Exchange(status=429, headers={"retry-after": "86400"}))
    assert (decision.again, decision.why) == (False, "the server asks to wait 86400 s")


def test_the_bound_of_the_random_wait_doubles_up_to_half_a_minute():
    waits = [decided(REPEATABLE, Exchange(status=500), attempt).wait * 2 for attempt in range(1, 8)]
    assert waits == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0]


def test_a_quarter_of_an_hour_is_the_end():
    assert not decided(REPEATABLE, Exchange(status=500), elapsed=899.9).again


def test_the_budget_lends_twenty_retries_and_one_in_ten_requests():
    budget = Budget()
    assert [budget.spend() for _ in range(21)] == [True] * 20 + [False]
    for _ in range(11):
        budget.earn()
    assert [budget.spend(), budget.spend()] == [True, False]


def test_five_failures_in_a_row_leave_one_request_at_a_time_until_one_gets_through():
    breaker = Breaker()
    for _ in range(5):
        assert breaker.enter()
        breaker.leave(Exchange(status=503))
    assert breaker.enter()
    assert not breaker.enter()
    breaker.leave(Exchange(status=204))
    assert breaker.enter()
    assert breaker.enter()


def test_a_refusal_is_no_failure_of_the_server():
    breaker = Breaker()
    for _ in range(20):
        breaker.leave(Exchange(status=400))
    assert breaker.enter()
    assert breaker.enter()
