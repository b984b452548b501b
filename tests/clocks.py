"""Time that passes only when somebody waits, so that no test sleeps."""

from __future__ import annotations

import threading


class Time:
    """A clock and a wait in one; `waits` remembers each wait that took any time."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.waits: list[float] = []

    def __call__(self) -> float:
        return self.now

    def wait(self, stop: threading.Event | None, seconds: float) -> bool:
        if seconds > 0:
            self.waits.append(seconds)
        self.now += max(0.0, seconds)
        return stop is not None and stop.is_set()
