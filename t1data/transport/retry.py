"""Whether a request goes out again, and when: one pure function, and the two counters that bound it."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from enum import Enum

from t1data.transport.operations import Operation

_LATER = frozenset({408, 409, 421, 423, 425, 429})
_SECONDS = re.compile(r"\s*(\d{1,18}(?:\.\d{1,18})?)\s*")
_EMPTY_QUOTA = re.compile(r"(?:^|[;,\s])r=0(?:[;,\s]|$)")
_RESET_IN = re.compile(r"(?:^|[;,\s])t=(\d{1,9})(?:[;,\s]|$)")


class Failure(Enum):
    """How an attempt ended without a whole answer."""

    CONNECT = "no connection"
    CERTIFICATE = "the certificate does not hold"
    RESET = "the connection broke"
    TIMEOUT = "no whole answer in time"
    CUT = "the answer was cut short"
    GARBLED = "the answer is not HTTP, or not in the encoding it claims"
    TOO_BIG = "the answer is larger than the limit"


@dataclass(frozen=True)
class Exchange:
    """What one attempt brought: an answer, a failure, or part of an answer and a failure.

    Parameters
    ----------
    failure : Failure, optional
        What went wrong.
    status : int, optional
        Known once the whole head of an answer is in: status line and all headers.
    headers : mapping of str to str
        Names in lower case.
    body : bytes
        As far as it came in.
    seconds : float
        How long it took.
    warning : str
        What is odd about an answer that counts all the same.
    """

    failure: Failure | None = None
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    seconds: float = 0.0
    warning: str = ""


@dataclass(frozen=True)
class Limits:
    """The bounds of patience.

    Parameters
    ----------
    attempts : int
        How often one request may go out.
    seconds : float
        How long after the first attempt another may still start.
    longest_wait : float
        The longest wait, in seconds, that the server may ask for.
    first_backoff, last_backoff : float
        Seconds; the bound of the random wait doubles from one to the other.
    connect : float
        Seconds that the look-up of the host's name may take, and then each of its addresses to accept a connection.
    deadline : float
        Seconds that one attempt may take in all, from the connection to the last byte of the answer.
    largest_answer : int
        Bytes of an answer's body, decompressed, at which reading stops.
    """

    attempts: int = 8
    seconds: float = 900.0
    longest_wait: float = 300.0
    first_backoff: float = 0.5
    last_backoff: float = 30.0
    connect: float = 10.0
    deadline: float = 120.0
    largest_answer: int = 64 * 1024 * 1024


@dataclass(frozen=True)
class Decision:
    """To go out again after `wait` seconds, or to give up; `why` is for people."""

    again: bool
    why: str
    wait: float = 0.0


def decide(
    operation: Operation,
    exchange: Exchange,
    *,
    attempt: int,
    elapsed: float,
    chance: float,
    limits: Limits = Limits(),
) -> Decision:
    """Decide what follows an attempt that did not end in success.

    Parameters
    ----------
    operation : Operation
        Only whether it may be repeated is looked at.
    exchange : Exchange
        What the attempt brought.
    attempt : int
        Its number, from 1.
    elapsed : float
        Seconds since the first attempt began.
    chance : float
        A random number in [0, 1).
    limits : Limits
        The bounds of patience.

    Examples
    --------
    >>> from t1data.transport.operations import OPERATIONS
    >>> answer = Exchange(status=429, headers={"retry-after": "7"})
    >>> decide(OPERATIONS["create_referral"], answer, attempt=1, elapsed=0.1, chance=0.5).wait
    7.0
    """
    allowed = _allowed_attempts(operation, exchange, limits.attempts)
    if attempt >= allowed:
        return Decision(False, "as often as it may be" if allowed > 1 else "")
    asked = asked_wait(exchange.headers)
    if asked is not None and asked > limits.longest_wait:
        return Decision(False, f"the server asks to wait {asked:.0f} s")
    wait = asked if asked is not None else backoff(attempt, chance, limits)
    if elapsed + wait > limits.seconds:
        return Decision(False, f"it was tried for {elapsed:.0f} s")
    return Decision(True, reason_of(exchange), wait)


def _allowed_attempts(operation: Operation, exchange: Exchange, most: int) -> int:
    """How often a request with this outcome may have gone out in all; 1 where it must not be repeated."""
    if exchange.failure in (Failure.CERTIFICATE, Failure.TOO_BIG):
        return 1
    if exchange.failure is Failure.CONNECT or exchange.status == 429:
        return most  # nothing was applied: no byte went out, or the server said so
    if not operation.repeatable:
        return 1
    if exchange.failure is not None:
        return most
    return _attempts_by_status(exchange, most)


def _attempts_by_status(exchange: Exchange, most: int) -> int:
    status = exchange.status or 0
    if status in _LATER or 500 <= status <= 599:
        return most
    if 200 <= status <= 299 or (400 <= status <= 499 and status != 418) or "location" in exchange.headers:
        return 1
    return min(3, most)  # a status of no known class: a gateway's hiccup, or something that will not mend


def wants_slower(operation: Operation, exchange: Exchange) -> bool | None:
    """Tell whether an answer asks for a slower pace, or shows that this one is good; None when it says neither.

    A 409 speaks of the pace where an operation may be repeated; else it may say that something exists already.
    """
    if exchange.failure is not None or exchange.status is None:
        return None
    if exchange.status in (429, 503):
        return True
    if exchange.status == 409:
        return True if operation.repeatable else None
    return False if exchange.status < 500 else None


def reason_of(exchange: Exchange) -> str:
    """Say in a few words what an attempt ended with."""
    if exchange.failure is not None:
        return exchange.failure.value
    return f"status {exchange.status}"


def backoff(attempt: int, chance: float, limits: Limits) -> float:
    """Give a random wait below a bound that doubles with each attempt (full jitter)."""
    return chance * min(limits.last_backoff, limits.first_backoff * 2.0 ** (attempt - 1))


def asked_wait(headers: Mapping[str, str]) -> float | None:
    """Read how many seconds the server asks to wait; None when it does not, or not in words we know.

    ``Retry-After`` comes first, as seconds or as a date, which is held against the answer's own ``Date``:
    the clock of this machine may be wrong. ``RateLimit`` counts when the quota is empty.

    Examples
    --------
    >>> asked_wait({"retry-after": "Wed, 21 Oct 2026 07:28:07 GMT", "date": "Wed, 21 Oct 2026 07:28:00 GMT"})
    7.0
    """
    text = headers.get("retry-after")
    if text is not None:
        seconds = _SECONDS.fullmatch(text)
        return float(seconds[1]) if seconds else _seconds_between(headers.get("date", ""), text)
    quota = headers.get("ratelimit", "")
    reset = _RESET_IN.search(quota)
    return float(reset[1]) if reset and _EMPTY_QUOTA.search(quota) else None


def _seconds_between(date: str, later: str) -> float | None:
    try:
        seconds = (parsedate_to_datetime(later) - parsedate_to_datetime(date)).total_seconds()
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    return seconds if seconds >= 0 else None


class Budget:
    """Retries of one client: a tenth of its requests, and twenty to begin with.

    Without it, a server in trouble would get eight times the load from each caller.
    """

    def __init__(self, *, share: float = 0.1, start: int = 20) -> None:
        self._share = share
        self._left = float(start)
        self._lock = threading.Lock()

    def earn(self) -> None:
        """Count one request."""
        with self._lock:
            self._left += self._share

    def spend(self) -> bool:
        """Take one retry, and tell whether there was one."""
        with self._lock:
            if self._left < 1:
                return False
            self._left -= 1
            return True


class Breaker:
    """After five failures in a row, one request at a time until one gets through."""

    def __init__(self, *, threshold: int = 5) -> None:
        self._threshold = threshold
        self._failures = 0
        self._probe: int | None = None
        self._lock = threading.Lock()

    def enter(self) -> bool:
        """Tell whether this thread's request may start now."""
        with self._lock:
            if self._failures < self._threshold:
                return True
            if self._probe is not None:
                return False
            self._probe = threading.get_ident()
            return True

    def leave(self, exchange: Exchange | None) -> None:
        """Take note of how this thread's request ended; None for one that never started."""
        with self._lock:
            if self._probe == threading.get_ident():
                self._probe = None
            if exchange is not None:
                self._failures = self._failures + 1 if _is_failure(exchange) else 0


def _is_failure(exchange: Exchange) -> bool:
    return exchange.failure is not None or (exchange.status or 0) >= 500
