"""Batches on their way to the senders: in order, and of one lane never two at once.

The rows of one customer or one session share a lane where the order in which they arrive matters, and where the
server answers 409 to requests that overtake each other.
"""

from __future__ import annotations

import threading
from collections import deque

from t1data.bulk.batches import Batch


class Lanes:
    """A bounded queue from one thread to several.

    A lane is *held* from the first of its batches that ends without a clear answer: what comes later in it stays
    unsent, and a resume sends them all in order.

    Parameters
    ----------
    size : int
        How many batches may wait.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._waiting: deque[Batch] = deque()
        self._busy: set[str] = set()
        self._held: set[str] = set()
        self._closed = False
        # Who waits for a batch and who waits for room are woken apart, and one by one: to wake each of 64 senders for
        # every batch cost as much as all else that a request takes.
        lock = threading.Lock()
        self._more, self._room = threading.Condition(lock), threading.Condition(lock)

    def put(self, batch: Batch, timeout: float) -> bool:
        """Let a batch wait for a sender; return False when there is no room within `timeout` seconds."""
        with self._room:
            if not self._room.wait_for(lambda: len(self._waiting) < self._size, timeout):
                return False
            if batch.lane not in self._held:
                self._waiting.append(batch)
                self._more.notify()
            return True

    def take(self, timeout: float) -> Batch | None:
        """Return the first batch whose lane is free, and take the lane; None when there is none in time."""
        with self._more:
            self._more.wait_for(lambda: self._first() is not None or self.ended, timeout)
            batch = self._first()
            if batch is None:
                return None
            self._waiting.remove(batch)
            if batch.lane is not None:
                self._busy.add(batch.lane)
            self._room.notify()
            if self.ended:
                self._more.notify_all()
            return batch

    def free(self, lane: str, *, hold: bool) -> None:
        """Give a lane back; with `hold`, nothing of it is sent any more."""
        with self._more:
            self._busy.discard(lane)
            if hold:
                self._held.add(lane)
                self._waiting = deque(batch for batch in self._waiting if batch.lane != lane)
                self._room.notify()
            if self.ended:
                self._more.notify_all()
            else:
                self._more.notify()  # at most one more batch can go now: the next of this lane

    def close(self) -> None:
        """Say that no more batches come."""
        with self._more:
            self._closed = True
            self._more.notify_all()

    @property
    def ended(self) -> bool:
        """Whether no batch waits and none will come."""
        return self._closed and not self._waiting

    def _first(self) -> Batch | None:
        return next((batch for batch in self._waiting if batch.lane is None or batch.lane not in self._busy), None)
