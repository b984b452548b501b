"""An even pace, shared by all threads of one client."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from t1data.errors import ConfigError

Wait = Callable[[threading.Event | None, float], bool]


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

    Parameters
    ----------
    rate : float or None
        Requests a second; None for no limit.
    clock : callable
        Monotonic seconds.

    Raises
    ------
    ConfigError
        The rate is no rate.

    Examples
    --------
    >>> pacer = Pacer(10, clock=lambda: 100.0)
    >>> [round(pacer.slot(), 1) for _ in range(3)]
    [100.0, 100.1, 100.2]
    """

    def __init__(self, rate: float | None, *, clock: Callable[[], float] = time.monotonic) -> None:
        if rate is not None and not 0 < rate < float("inf"):
            raise ConfigError("The rate is a number of requests a second above 0, or None for no limit.")
        self._interval = 0.0 if rate is None else 1.0 / rate
        self._clock = clock
        self._next = clock()
        self._held = float("-inf")
        self._lock = threading.Lock()

    def slot(self) -> float:
        """Take the next slot, as a time of the clock; one in the past means: go."""
        with self._lock:
            slot = max(self._next, self._clock() - 5 * self._interval)
            self._next = slot + self._interval
            return slot

    def hold(self, seconds: float) -> None:
        """Let nobody start for so long: the server has asked for it."""
        with self._lock:
            self._held = max(self._held, self._clock() + seconds)
            self._next = max(self._next, self._held)

    def pause(self, stop: threading.Event | None, wait: Wait) -> bool:
        """Wait for a slot, and tell whether the caller asked to stop meanwhile."""
        slot = self.slot()
        while (left := slot - self._clock()) > 0:
            if wait(stop, left):
                return True
            if slot < self._held:  # taken before the hold: all such at once would be a burst
                slot = self.slot()
        return False
