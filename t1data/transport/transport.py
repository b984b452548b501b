"""The one narrow door to the network: send → retried → paced → once.

Of `requests` only the connections of its adapter are used (`dialling`): they bring TLS and the way through a proxy.
A request costs a seventh of a session's CPU, and about what a bare connection of the standard library costs
(`benchmarks/request.py`). What is left out is what we switch off anyway: redirects, cookies, ``.netrc``, hooks, and the
un-escaping of ``%2E%2E`` in paths.
"""

from __future__ import annotations

import random
import socket
import threading
import time
import traceback
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version

from t1data.errors import InDoubtError, RequestError, StoppedError
from t1data.transport.address import Address, proxy_for
from t1data.transport.answers import Answer, by_its_head, error_for, is_done, without_key
from t1data.transport.dialling import dialler
from t1data.transport.key import ApiKey
from t1data.transport.lines import Lines, Request
from t1data.transport.lookup import Lookup, Resolve
from t1data.transport.operations import Operation
from t1data.transport.pace import Pacer, Wait, wait_for
from t1data.transport.reach import make_contact
from t1data.transport.retry import (
    Breaker,
    Budget,
    Decision,
    Exchange,
    Failure,
    Limits,
    asked_wait,
    decide,
    wants_slower,
)

__all__ = ["Answer", "Operation", "Transport"]

OnWait = Callable[[str, float], None]

_PROBE_PAUSE = 0.1
_HEADERS = {
    "Accept": "application/json, */*;q=0.1",
    "Accept-Encoding": "gzip",
    "User-Agent": f"t1data/{version('t1data')}",
}


@dataclass(frozen=True)
class _Job:
    """One call of `Transport.send`."""

    operation: Operation
    request: Request
    silent: bool
    stop: threading.Event | None
    on_wait: OnWait | None

    def stopped(self) -> bool:
        return self.stop is not None and self.stop.is_set()


class Transport:
    """Sends operations to one deployment with one key; safe to share between threads.

    Parameters
    ----------
    address : Address
        Where to.
    key : ApiKey
        Whose.
    pacer : callable, optional
        Gives the `Pacer` of an operation's name; operations that get the same one share a pace.
    limits : Limits
        Attempts, deadlines and sizes.
    connections : int
        How many idle connections are kept. As many as there are threads are opened.
    environment : mapping of str to str, optional
        Where proxy and roots are looked up; the process's own by default.
    clock, wait, chance : callable
        Monotonic seconds, a wait that a stop event ends, and a random number in [0, 1).
    resolve : callable
        Looks a name up, as `socket.getaddrinfo` does.
    """

    def __init__(
        self,
        address: Address,
        key: ApiKey,
        *,
        pacer: Callable[[str], Pacer] | None = None,
        limits: Limits = Limits(),  # noqa: B008  (frozen)
        connections: int = 32,
        environment: Mapping[str, str] | None = None,
        clock: Callable[[], float] = time.monotonic,
        wait: Wait = wait_for,
        chance: Callable[[], float] = random.random,
        resolve: Resolve = socket.getaddrinfo,
    ) -> None:
        unpaced = Pacer(None, clock=clock)
        self._key = key
        self._limits = limits
        self._pacer = pacer or (lambda name: unpaced)
        self._clock, self._wait, self._chance = clock, wait, chance
        self._budget, self._breaker = Budget(), Breaker()
        self._address, self._proxied = address, proxy_for(address, environment) is not None
        self._lookup = Lookup(resolve)
        dial = dialler(address, limits.connect, environment, lookup=self._lookup)
        self._lines = Lines(dial, most_idle=connections, clock=clock)
        weakref.finalize(self, self._lines.close)  # notebooks rarely close what they open

    def __repr__(self) -> str:
        return f"Transport({self._key!r})"

    def send(
        self,
        operation: Operation,
        values: Sequence[str | int] = (),
        *,
        query: Mapping[str, str] | None = None,
        body: bytes | memoryview | None = None,
        content_type: str = "application/json",
        stop: threading.Event | None = None,
        on_wait: OnWait | None = None,
    ) -> Answer:
        """Send an operation and come back with the server's success; everything else is raised.

        Parameters
        ----------
        operation : Operation
            What to do.
        values : sequence of str or int
            The path's values in order; each is percent-encoded once.
        query : mapping of str to str
            Already in the wire's names.
        body : bytes or memoryview
            Sent as it is.
        content_type : str
            Of the body.
        stop : threading.Event
            Ends every wait; a request that is out is not cut.
        on_wait : callable
            Called with the reason and the seconds before each wait between attempts.

        Returns
        -------
        Answer

        Raises
        ------
        InputError
            A path value cannot be addressed; nothing was sent.
        NotSentError, RefusedError, InDoubtError
            See `t1data.errors`: which one it is tells whether the operation may have been applied.
        """
        headers = {"Host": self._address.authority, **_HEADERS}
        if body is not None:
            headers |= {"Content-Type": content_type, "Content-Length": str(memoryview(body).nbytes)}
        elif operation.method in ("POST", "PUT"):
            headers["Content-Length"] = "0"
        request = Request(operation.method, operation.target(values, query), headers, body)
        self._budget.earn()
        silent = (query or {}).get("silent") != "no"
        return self._retried(_Job(operation, request, silent, stop, on_wait))

    def reach(self) -> None:
        """Open the first connection or say why it cannot be had; see `make_contact`. No request is sent."""
        make_contact(
            self._lines,
            self._address,
            proxied=self._proxied,
            wait=self._wait,
            seconds=self._limits.deadline,
            lookup=self._lookup,
        )

    def close(self) -> None:
        """Hang up all idle connections. The transport stays usable."""
        self._lines.close()

    def _retried(self, job: _Job) -> Answer:
        started, waited, doubt = self._clock(), 0.0, False
        last: RequestError | None = None
        for attempt in range(1, self._limits.attempts + 1):
            exchange = self._paced(job)
            if exchange is None:
                raise last or _stopped(job.operation)
            if is_done(job.operation, exchange, silent=job.silent):
                return _answer(job, exchange, attempts=attempt, waited=waited)
            decision = self._decide(job, exchange, attempt=attempt, elapsed=self._clock() - started)
            why = "" if decision.again else decision.why
            last = error_for(job.operation, exchange, attempts=attempt, doubt=doubt, why=why)
            doubt = doubt or isinstance(last, InDoubtError)
            if not decision.again or self._backed_off(job, exchange, decision):
                break
            waited += decision.wait
        raise last or _stopped(job.operation)

    def _decide(self, job: _Job, exchange: Exchange, *, attempt: int, elapsed: float) -> Decision:
        chance = self._chance()
        decision = decide(job.operation, exchange, attempt=attempt, elapsed=elapsed, chance=chance, limits=self._limits)
        if decision.again and not self._budget.spend():
            return Decision(False, "too many of the last requests had to be repeated")
        return decision

    def _backed_off(self, job: _Job, exchange: Exchange, decision: Decision) -> bool:
        """Wait before the next attempt, and tell whether the caller asked to stop meanwhile."""
        pacer = self._pacer(job.operation.name)
        if exchange.status == 429 or (exchange.status == 503 and asked_wait(exchange.headers) is not None):
            pacer.hold(decision.wait)
        if job.on_wait is not None:
            job.on_wait(decision.why + pacer.note, decision.wait)
        return self._wait(job.stop, decision.wait)

    def _paced(self, job: _Job) -> Exchange | None:
        """Send once when the pace allows it; None when the caller asked to stop before."""
        while not self._breaker.enter():
            if self._wait(job.stop, _PROBE_PAUSE):
                return None
        exchange, pacer = None, self._pacer(job.operation.name)
        try:
            if not job.stopped() and not pacer.pause(job.stop, self._wait):
                started = self._clock()
                exchange = self._once(job)
                if (slower := wants_slower(job.operation, exchange)) is not None:
                    (pacer.slowed if slower else pacer.good)(started)
        finally:
            self._breaker.leave(exchange)
        return exchange

    def _once(self, job: _Job) -> Exchange:
        """Make one attempt on one connection."""
        started = self._clock()
        line = self._lines.take(fresh=not job.operation.repeatable, seconds=self._limits.deadline)
        if isinstance(line, Failure):
            return Exchange(line, seconds=self._clock() - started)
        try:
            exchange = line.exchange(
                job.request,
                self._key.header,
                ends=started + self._limits.deadline,
                largest=self._limits.largest_answer,
            )
        except BaseException as error:  # the frames below hold the header with the key
            traceback.clear_frames(error.__traceback__)
            line.close()
            raise
        self._lines.put_back(line)
        exchange = by_its_head(job.operation, exchange, silent=job.silent)
        return without_key(exchange, self._key.redact)


def _answer(job: _Job, exchange: Exchange, *, attempts: int, waited: float) -> Answer:
    return Answer(
        status=exchange.status or 0,
        headers=exchange.headers,
        body=exchange.body,
        attempts=attempts,
        seconds=exchange.seconds,
        waited=waited,
        operation=job.operation.name,
        warning=exchange.warning,
    )


def _stopped(operation: Operation) -> StoppedError:
    return StoppedError(f"{operation.name}: stopped before it was sent.", operation=operation.name)
