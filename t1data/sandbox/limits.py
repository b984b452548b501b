"""How much is let in: a token bucket for the rate, and lanes for requests that must go one after another."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Hashable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

PER_ID = 3  # one runs, two wait; the next is refused


class TokenBucket:
    """Let in `rate` requests a second, saved up to one second's worth (and never less than one).

    Parameters
    ----------
    rate : float
        Requests a second.
    clock : callable
        Returns seconds that never run back.
    """

    def __init__(self, rate: float, clock: Callable[[], float]) -> None:
        self.rate = rate
        self._clock = clock
        self._room = max(rate, 1.0)
        self._tokens = self._room
        self._at = clock()

    def wait(self) -> float:
        """Take a token and return 0, or return the seconds until there is one."""
        now = self._clock()
        self._tokens = min(self._room, self._tokens + (now - self._at) * self.rate)
        self._at = now
        if self._tokens < 1:
            return (1 - self._tokens) / self.rate
        self._tokens -= 1
        return 0.0


class Full(Exception):
    """The lane holds as many requests as it may."""


@dataclass
class _Lane:
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    inside: int = 0


class Lanes:
    """Requests with one key pass one after another; `room` bounds those inside, running and waiting."""

    def __init__(self, room: int | None = None) -> None:
        self._room = room
        self._lanes: dict[Hashable, _Lane] = {}

    @asynccontextmanager
    async def enter(self, key: Hashable) -> AsyncIterator[None]:
        """Wait for the turn of this request.

        Raises
        ------
        Full
            When `room` requests are inside already.
        """
        lane = self._lanes.setdefault(key, _Lane())
        if self._room is not None and lane.inside >= self._room:
            raise Full
        lane.inside += 1
        try:
            async with lane.turn:
                yield
        finally:
            lane.inside -= 1
            if not lane.inside:
                del self._lanes[key]
