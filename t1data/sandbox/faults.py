"""What can go wrong on purpose: effects, when they strike, and the list that a test fills.

Examples
--------
>>> from t1data.sandbox import Sandbox, Status
>>> with Sandbox() as sandbox:
...     fault = sandbox.faults.add(Status(503), on="update_customer_profiles_v2", first=2)
...     fault.seen
0
"""

from __future__ import annotations

import random
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from t1data.sandbox.routes import ROUTES

When = Literal["before", "after"]


@dataclass(frozen=True)
class Status:
    """Answer with this status; `when` says whether the change is applied all the same.

    Parameters
    ----------
    code : int
        200 to 599; `Raw` sends others.
    body : object, optional
        Sent as JSON; text is sent as it is, as ``text/html``. When left out, nothing below 400, and from there on
        the usual error shape.
    retry_after : float or datetime or str, optional
        The ``Retry-After`` header: seconds, an aware time (sent as an HTTP-date), or any text.
    headers : mapping of str to str
        Further headers: where a redirect leads, a RateLimit.
    when : {"before", "after"}
        Before the change is applied (and then it is not), or after.
    """

    code: int
    body: Any = None
    retry_after: float | datetime | str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    when: When = "before"

    def __post_init__(self) -> None:
        if not 200 <= self.code <= 599:
            raise ValueError(f"A status is a number from 200 to 599, not {self.code}; Raw sends any bytes")


@dataclass(frozen=True)
class Delay:
    """Wait `seconds` before the change is applied, or after it and before the answer."""

    seconds: float
    when: When = "before"


@dataclass(frozen=True)
class Reset:
    """Reset the connection (RST), before the change is applied, after it, or once `after_bytes` of the body came."""

    when: When = "before"
    after_bytes: int | None = None


@dataclass(frozen=True)
class Close:
    """Close the connection (FIN): without an answer, or, with ``"idle"``, unannounced after a whole answer."""

    when: Literal["before", "after", "idle"] = "before"


@dataclass(frozen=True)
class Half:
    """Apply the change, send the headers and this share of the body, then reset the connection.

    An answer without a body is cut within its status line.
    """

    share: float = 0.5


@dataclass(frozen=True)
class Slow:
    """Apply the change, then send the body `size` bytes at a time, `seconds` apart."""

    size: int = 1
    seconds: float = 0.05


@dataclass(frozen=True)
class Raw:
    """Apply the change, then send exactly these bytes in place of the response, and close."""

    data: bytes


Effect = Status | Delay | Reset | Close | Half | Slow | Raw


@dataclass
class Fault:
    """One effect and when it strikes. `seen` counts the requests that it looked at, `struck` those it hit."""

    effect: Effect
    on: frozenset[str] | None
    first: int | None
    nth: int | None
    every: int | None
    share: float | None
    seed: int
    seen: int = field(default=0, init=False)
    struck: int = field(default=0, init=False)
    _random: random.Random = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)  # noqa: S311 - chance for tests, not secrets

    def draw(self, operation: str) -> bool:
        """Count one request to `operation`, and say whether it is struck."""
        if self.on is not None and operation not in self.on:
            return False
        self.seen += 1
        hit = self._is_due()
        self.struck += hit
        return hit

    def _is_due(self) -> bool:
        if self.first is not None and self.seen > self.first:
            return False
        if self.nth is not None and self.seen != self.nth:
            return False
        if self.every is not None and self.seen % self.every:
            return False
        return self.share is None or self._random.random() < self.share


class Faults:
    """The faults of one sandbox. Several may strike one request: waits add up, the first other effect wins."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []

    def __repr__(self) -> str:
        return f"Faults({self._faults!r})"

    def add(
        self,
        effect: Effect,
        *,
        on: str | Iterable[str] | None = None,
        first: int | None = None,
        nth: int | None = None,
        every: int | None = None,
        share: float | None = None,
        seed: int = 0,
    ) -> Fault:
        """Let `effect` strike from now on.

        Parameters
        ----------
        effect : Status, Delay, Reset, Close, Half, Slow or Raw
            What happens.
        on : str or iterable of str, optional
            The operations concerned, by name; all of them when left out.
        first, nth, every : int, optional
            Only the first so many requests, only the nth, every k-th; counted from 1 over the operations
            concerned, from now on. Conditions that are given must all hold.
        share : float, optional
            Strike this share of the requests, chosen by chance with `seed`.

        Returns
        -------
        Fault
            With its counts `seen` and `struck`.

        Raises
        ------
        TypeError, ValueError
            The effect is none, or there is no such operation: a fault that never strikes would test nothing.
        """
        if not isinstance(effect, Effect):
            raise TypeError(f"got {effect!r}, valid are Status(...), Delay(...), Reset(...) and the like")
        names = None if on is None else frozenset([on] if isinstance(on, str) else on)
        unknown = sorted((names or frozenset()) - _operation_names())
        if unknown:
            raise ValueError(
                f"no operation is called {', '.join(unknown)}; valid are {', '.join(sorted(_operation_names()))}"
            )
        fault = Fault(effect, names, first, nth, every, share, seed)
        with self._lock:
            self._faults.append(fault)
        return fault

    def clear(self) -> None:
        """Let nothing go wrong any more."""
        with self._lock:
            self._faults.clear()

    def draw(self, operation: str) -> tuple[Effect, ...]:
        """Return what strikes this request, in the order of adding."""
        with self._lock:
            return tuple(fault.effect for fault in self._faults if fault.draw(operation))


def _operation_names() -> frozenset[str]:
    return frozenset(route.operation for route in ROUTES)
