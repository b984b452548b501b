"""The rate limit, the 1 + 2 rule for one id, and idempotency keys; clocks are passed in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from caller import manage, send, update, upsert
from hypothesis import given
from hypothesis import strategies as st

from t1data.sandbox import Delay, Options, Reset, Sandbox, Status
from t1data.sandbox.limits import TokenBucket


@dataclass
class Clock:
    """A clock that stands until it is moved."""

    seconds: float = 1000.0

    def __call__(self) -> float:
        return self.seconds

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.seconds)


@pytest.fixture(scope="module")
def running() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: Sandbox) -> Sandbox:
    running.reset()
    return running


def test_above_the_rate_a_429_says_when_to_come_back() -> None:
    clock = Clock()
    with Sandbox(options=Options(rate=2), clock=clock) as sandbox:
        assert [upsert(sandbox, "a").status for _ in range(3)] == [200, 200, 429]
        refused = upsert(sandbox, "a")
        assert refused.json() == {"message": "Too many requests", "errors": [], "StatusCode": 429}
        assert refused.headers["retry-after"] == "1"
        clock.seconds += 1
        assert [upsert(sandbox, "a").status for _ in range(3)] == [200, 200, 429]


def test_the_429_may_keep_the_time_to_itself() -> None:
    with Sandbox(options=Options(rate=1, send_retry_after=False), clock=Clock()) as sandbox:
        upsert(sandbox, "a")
        refused = upsert(sandbox, "a")
        assert refused.status == 429
        assert "retry-after" not in refused.headers


def test_without_a_rate_nothing_is_limited(sandbox: Sandbox) -> None:
    assert {upsert(sandbox, "a").status for _ in range(50)} == {200}


@given(st.floats(0.1, 1000), st.lists(st.floats(0, 2), min_size=1, max_size=200))
def test_a_bucket_never_lets_in_more_than_its_rate_and_one_burst(rate: float, gaps: list[float]) -> None:
    clock = Clock(0.0)
    bucket = TokenBucket(rate, clock)
    passed = 0
    for gap in gaps:
        clock.seconds += gap
        passed += bucket.wait() == 0.0
    assert passed <= clock.seconds * rate + max(rate, 1) + 1e-6


@given(st.floats(0.1, 1000))
def test_who_waits_as_long_as_told_is_let_in(rate: float) -> None:
    clock = Clock(0.0)
    bucket = TokenBucket(rate, clock)
    while not (wait := bucket.wait()):
        pass
    clock.seconds += wait + 1e-6
    assert bucket.wait() == 0.0


def together(*calls: object) -> list[int]:
    """Run calls at the same time and return their statuses in order."""
    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result().status for future in [pool.submit(call) for call in calls]]  # type: ignore[call-overload]


def test_one_request_for_a_profile_runs_two_wait_and_the_next_gets_a_409(sandbox: Sandbox) -> None:
    sandbox.faults.add(Delay(0.15))
    assert Counter(together(*[lambda: update(sandbox, "a")] * 5)) == {200: 3, 409: 2}
    (refused, _) = (seen for seen in sandbox.requests if seen.status == 409)
    assert refused.values == {"integrationId": "a"}


def test_the_409_has_the_words_of_the_api(sandbox: Sandbox) -> None:
    sandbox.faults.add(Delay(0.1))
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: update(sandbox, "a"), range(4)))
    (refused,) = (answer for answer in answers if answer.status == 409)
    message = "Too many requests are updating this profile at the same time"
    assert refused.json() == {"message": message, "errors": [], "StatusCode": 409}


def test_the_requests_for_one_profile_run_one_after_another(sandbox: Sandbox) -> None:
    sandbox.faults.add(Delay(0.05))
    together(*[lambda: update(sandbox, "a")] * 3)
    ends = sorted(seen.ended for seen in sandbox.requests if seen.ended is not None)
    assert min(later - earlier for earlier, later in pairwise(ends)) >= 0.045


def test_different_profiles_do_not_wait_for_each_other(sandbox: Sandbox) -> None:
    sandbox.faults.add(Delay(0.05))
    assert together(*[lambda id=str(each): update(sandbox, id) for each in range(8)]) == [200] * 8


def test_events_and_updates_of_one_profile_share_its_queue(sandbox: Sandbox) -> None:
    sandbox.faults.add(Delay(0.1))
    event = {"profileId": "a", "type": "seen", "attributes": {}}
    found = together(*[lambda: update(sandbox, "a")] * 3, *[lambda: send(sandbox, "POST", "/v2/events", event)] * 3)
    assert Counter(status == 409 for status in found) == {False: 3, True: 3}


def test_a_session_has_a_queue_of_its_own(sandbox: Sandbox) -> None:
    sandbox.faults.add(Delay(0.1))
    body = {"customerSession": {"profileId": "a"}}
    call = lambda: send(sandbox, "PUT", "/v2/customer_sessions/s1", body)  # noqa: E731
    assert Counter(together(*[call] * 5, lambda: update(sandbox, "a"))) == {200: 4, 409: 2}


def test_an_idempotency_key_gives_the_first_answer_again(sandbox: Sandbox) -> None:
    key = {"Idempotency-Key": "one"}
    first = upsert(sandbox, "a", headers=key)
    assert upsert(sandbox, "b", headers=key).body == first.body
    assert upsert(sandbox, "b", headers={"Idempotency-Key": "two"}).body != first.body


def test_a_key_stands_for_one_operation(sandbox: Sandbox) -> None:
    key = {"Idempotency-Key": "one"}
    upsert(sandbox, "a", headers=key)
    assert update(sandbox, "b", headers=key).json()["customerProfile"]["integrationId"] == "b"


def test_a_retry_after_a_lost_answer_is_not_applied_twice(sandbox: Sandbox) -> None:
    sandbox.faults.add(Reset("after"), on="track_event_v2", first=1)
    event = {"profileId": "a", "type": "seen", "attributes": {}, "responseContent": ["event"]}
    key = {"Idempotency-Key": "one"}
    with pytest.raises(ConnectionResetError):
        send(sandbox, "POST", "/v2/events?silent=no", event, key)
    retried, another = (send(sandbox, "POST", "/v2/events?silent=no", event, each).json() for each in (key, {}))
    assert another["event"]["id"] == retried["event"]["id"] + 1


def test_a_refusal_is_not_kept_under_its_key(sandbox: Sandbox) -> None:
    sandbox.faults.add(Status(503), first=1)
    key = {"Idempotency-Key": "one"}
    assert upsert(sandbox, "a", headers=key).status == 503
    assert upsert(sandbox, "", headers=key).status == 400
    assert upsert(sandbox, "a", headers=key).status == 200


def test_a_key_is_forgotten_after_a_day() -> None:
    clock = Clock()
    key = {"Idempotency-Key": "one"}
    with Sandbox(now=clock.now) as sandbox:
        first = upsert(sandbox, "a", headers=key)
        clock.seconds += 24 * 3600 - 1
        assert upsert(sandbox, "b", headers=key).body == first.body
        clock.seconds += 1
        assert upsert(sandbox, "b", headers=key).body != first.body


def test_two_requests_with_one_key_at_the_same_time_are_done_once(sandbox: Sandbox) -> None:
    key = {"Idempotency-Key": "one"}
    with ThreadPoolExecutor(8) as pool:
        answers = set(pool.map(lambda each: upsert(sandbox, str(each), headers=key).body, range(8)))
    assert len(answers) == 1


def test_a_key_has_at_most_255_characters(sandbox: Sandbox) -> None:
    assert upsert(sandbox, "a", headers={"Idempotency-Key": "k" * 255}).status == 200
    assert upsert(sandbox, "a", headers={"Idempotency-Key": "k" * 256}).status == 400


def test_operations_without_idempotency_ignore_the_key(sandbox: Sandbox) -> None:
    body = {"name": "VIP"}
    first, second = (send(sandbox, "POST", "/v2/audiences", body, {"Idempotency-Key": "one"}) for _ in range(2))
    assert first.json()["id"] != second.json()["id"]
    assert manage(sandbox, "GET", "/v1/audiences").status == 200
