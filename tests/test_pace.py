"""The pace is even, catches up a little after a hiccup, and stands still when the server asks."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest
from clocks import Time
from hypothesis import given
from hypothesis import strategies as st

from t1data.errors import ConfigError
from t1data.pace import Pacer, wait_for


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
