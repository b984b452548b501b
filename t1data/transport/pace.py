"""An even pace that gives way: one slot a request, half the rate after a refusal, and slowly back.

The rules are pure functions from one `Course` to the next. Where the course is kept is another matter: in memory
for the threads of one client, or in a file for all processes of a user (`pace_file`).
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from t1data.errors import ConfigError

Wait = Callable[[threading.Event | None, float], bool]

CATCH_UP = 5  # requests that may follow at once after a hiccup
RECOVERY = 60.0  # seconds of good answers from nothing to the full rate
SLOWEST = 0.1  # requests a second: no number of refusals slows further down,
SMALLEST_SHARE = 1 / 64  # nor further than to this share of the full rate


class Course(NamedTuple):
    """How fast requests go just now. Times are seconds of a monotonic clock, rates are requests a second.

    Attributes
    ----------
    slot : float
        The last slot that was given.
    held : float
        No slot before this time.
    era : int
        Grows when slots that were given and not yet used are void.
    limit : float
        The rate since a refusal; infinite when there was none, or when it is forgotten.
    goal : float
        The rate at which the refusal is forgotten.
    slowed : float
        When the rate was last halved.
    recent : float
        Requests of the last second, older ones counted less and less.
    at : float
        When `recent` was counted.
    """

    slot: float = -math.inf
    held: float = -math.inf
    era: int = 0
    limit: float = math.inf
    goal: float = math.inf
    slowed: float = -math.inf
    recent: float = 0.0
    at: float = 0.0


Step = Callable[[Course, float], Course]
Change = Callable[[Step], Course]


def taken(course: Course, now: float, *, full: float) -> Course:
    """Give the next slot: an interval after the last, but no more than five intervals before now."""
    interval = 1 / min(course.limit, full)
    following = now if course.slot == -math.inf else max(course.slot + interval, now - CATCH_UP * interval)
    return course._replace(slot=max(following, course.held), recent=_recent(course, now) + 1, at=now)


def held(course: Course, now: float, *, seconds: float) -> Course:
    """Let nobody start for so long; slots that others hold already are void, or all of them would start at once."""
    until = now + seconds
    return course if until <= course.held else course._replace(held=until, slot=now, era=course.era + 1)


def given_back(course: Course, now: float) -> Course:
    """Void the slots to come, since who was given one of them will not use it: the others take theirs anew."""
    return course if course.slot <= now else course._replace(slot=now, era=course.era + 1)


def slowed(course: Course, now: float, *, started: float, full: float) -> Course:
    """Halve the rate, once for all requests that had started by then; without a rate, halve what was sent lately."""
    if started <= course.slowed:
        return course
    rate = min(course.limit, full)
    if rate == math.inf:
        rate = max(2.0, _recent(course, now))  # one request and one refusal say little
    goal = full if full < math.inf else 2 * rate
    limit = min(rate, max(rate / 2, goal * SMALLEST_SHARE, SLOWEST))
    return course._replace(limit=limit, goal=goal, slowed=now, slot=now, era=course.era + 1)


def quickened(course: Course, now: float, *, started: float) -> Course:
    """Raise the rate by what one good answer is worth, doubling it at most; at its goal the refusal is forgotten."""
    if course.limit == math.inf or started <= course.slowed:
        return course
    limit = min(2 * course.limit, course.limit + course.goal / RECOVERY / course.limit)
    return course._replace(limit=limit if limit < course.goal else math.inf)


def _recent(course: Course, now: float) -> float:
    return course.recent * math.exp(min(0.0, course.at - now))


def _as_it_is(course: Course, now: float) -> Course:
    return course


def in_memory(clock: Callable[[], float]) -> Change:
    """Keep a course for the threads of this process."""
    lock, course = threading.Lock(), Course()

    def change(step: Step) -> Course:
        nonlocal course
        with lock:
            course = step(course, clock())
            return course

    return change


def wait_for(stop: threading.Event | None, seconds: float) -> bool:
    """Wait, and tell whether the caller asked to stop meanwhile."""
    if stop is None:
        time.sleep(max(0.0, seconds))
        return False
    return stop.wait(max(0.0, seconds))


class Pacer:
    """Slots in time, one a request, evenly spaced.

    The next slot is the later of one interval after the last and five intervals before now: so the
    average is kept after a hiccup, with at most five requests to catch up.

    A refusal halves the rate, once for all requests that were out by then, down to a 64th or one request in ten
    seconds. Each good answer to a later request raises it, by as much as brings it back within a minute. Without
    a rate, a refusal sets a limit at half of what was sent in the last second (and at least at one), and the
    limit is gone when it has grown to twice the rate at which the refusal came.

    Parameters
    ----------
    rate : float or None
        Requests a second; None for no limit.
    clock : callable
        Monotonic seconds.
    change : callable, optional
        Applies a step to the course and returns the new one; its clock must be the same. In memory by default.

    Raises
    ------
    ConfigError
        The rate is no rate.

    Examples
    --------
    >>> pacer = Pacer(10, clock=lambda: 100.0)
    >>> [round(pacer.slot(), 1) for _ in range(3)]
    [100.0, 100.1, 100.2]
    >>> pacer.slowed(100.0)
    >>> pacer.note
    ', now 5.0 requests/s'
    """

    def __init__(
        self, rate: float | None, *, clock: Callable[[], float] = time.monotonic, change: Change | None = None
    ) -> None:
        if rate is not None and not (isinstance(rate, int | float) and 0 < rate < math.inf):
            raise ConfigError("The rate is a number of requests a second above 0, or None for no limit.")
        self._full = math.inf if rate is None else float(rate)
        self._clock = clock
        self._change = change or in_memory(clock)
        self._limit = math.inf  # as it was last seen, so that good answers cost nothing while there was no refusal

    @property
    def rate(self) -> float:
        """Requests a second just now, as far as this client knows; infinite without a limit."""
        return min(self._limit, self._full)

    @property
    def note(self) -> str:
        """What people are told after a refusal: nothing, unless it has slowed the pace."""
        if self._limit >= self._full:
            return ""
        return f", now {self._limit:.{0 if self._limit >= 10 else 1}f} requests/s"

    def slot(self) -> float:
        """Take the next slot, as a time of the clock; one in the past means: go."""
        return self._take().slot

    def hold(self, seconds: float) -> None:
        """Let nobody start for so long: the server has asked for it."""
        self._step(partial(held, seconds=seconds))

    def slowed(self, started: float) -> None:
        """Take note that the server refused a request for its pace; it started at this time of the clock."""
        self._step(partial(slowed, started=started, full=self._full))

    def good(self, started: float) -> None:
        """Take note that a request that started at this time of the clock had a good answer."""
        if self._limit < math.inf:
            self._step(partial(quickened, started=started))

    def pause(self, stop: threading.Event | None, wait: Wait) -> bool:
        """Wait for a slot, and tell whether the caller asked to stop meanwhile."""
        mine = self._take()
        while (left := mine.slot - self._clock()) > 0:
            if wait(stop, left):
                self._step(given_back)
                return True
            if self._step(_as_it_is).era != mine.era:  # a hold or a refusal came after it was given
                mine = self._take()
        return False

    def _take(self) -> Course:
        return self._step(partial(taken, full=self._full))

    def _step(self, step: Step) -> Course:
        course = self._change(step)
        self._limit = course.limit
        return course
