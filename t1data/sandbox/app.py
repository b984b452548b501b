"""The ASGI application: from a request to a call of its handler, and back."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.types import Receive, Scope, Send

from t1data.sandbox import idempotency, wire
from t1data.sandbox.core import Account, Call, Handler, Refusal
from t1data.sandbox.delivery import Cut, Line, cut_after, deliver, strike
from t1data.sandbox.faults import Effect, Faults
from t1data.sandbox.limits import PER_ID, Full, Lanes, TokenBucket
from t1data.sandbox.log import Requests
from t1data.sandbox.reading import Body, Head, read_body, read_call, read_head, seen, serial_id
from t1data.sandbox.routes import Route
from t1data.sandbox.wire import Answer

logger = logging.getLogger("t1data.sandbox")


@dataclass(frozen=True)
class Keys:
    """The two keys of the account."""

    integration: str
    management: str

    def check(self, route: Route, authorization: str) -> None:
        """Refuse a request that does not show the key its route wants."""
        if route.key == "integration":
            wire.check_key(authorization, "ApiKey-v1", self.integration)
        elif route.key == "management":
            wire.check_key(authorization, "ManagementKey-v1", self.management)


class App:
    """One account behind HTTP.

    Each request passes: path, host and key; faults; rate; body; its turn among those for the same id; the
    handler, in a thread and inside one transaction.
    """

    def __init__(
        self,
        account: Account,
        handlers: Mapping[str, Handler],
        *,
        keys: Keys,
        faults: Faults,
        requests: Requests,
        replays: idempotency.Replays,
        clock: Callable[[], float],
    ) -> None:
        self._account = account
        self._handlers = handlers
        self._keys = keys
        self._faults = faults
        self._requests = requests
        self._replays = replays
        self._clock = clock
        rate = account.options.rate
        self._bucket = TokenBucket(rate, clock) if rate else None
        self._lanes = Lanes(PER_ID)
        self._twins = Lanes()
        self._closing = asyncio.Event()
        self._reading: set[Line] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        head = read_head(scope, self._clock(), self._keys.check)
        effects = self._faults.draw(head.route.operation) if head.route and not head.refusal else ()
        line = Line(receive, send, scope["state"]["transport"])
        self._reading.add(line)
        if self._closing.is_set():  # it came in when the others had been cut already
            line.transport.abort()
        body = await read_body(receive, cut_after(effects))
        self._reading.discard(line)
        number = self._requests.begin(seen(head, body))
        try:
            answer = await self._answer(head, body, effects)
            self._requests.end(number, ended=self._clock(), status=answer.status)
            await deliver(answer, effects, line, self._wait)
        except Cut as end:
            self._requests.end(number, ended=self._clock(), status=None)
            await line.cut(end.how)

    def close(self) -> None:
        """End what would hold up the server's end: waits, and requests whose body does not come."""
        self._closing.set()
        for line in self._reading:
            line.transport.abort()

    async def _answer(self, head: Head, body: Body, effects: tuple[Effect, ...]) -> Answer:
        if not body.whole:
            raise Cut("reset")
        try:
            return await self._serve(head, body, effects)
        except Refusal as refusal:
            return wire.answer_refusal(refusal)
        except Cut:
            raise
        except Exception:
            logger.exception("%s failed", head.operation)
            return wire.answer_refusal(Refusal(500, "Internal server error"))

    async def _serve(self, head: Head, body: Body, effects: tuple[Effect, ...]) -> Answer:
        if head.route is None or head.refusal:
            raise head.refusal or Refusal(404, "Not found")
        too_fast = self._answer_too_fast()
        if too_fast:
            return too_fast
        key = idempotency.read_key(head.headers.get(idempotency.HEADER)) if head.route.replays else None
        call = await run_in_threadpool(read_call, head.route, head, body)
        async with self._turn(head.route, call):
            early = await strike(effects, "before", None, self._wait)
            if early:
                return early
            answer = await self._apply_once(head.route, call, key)
            return await strike(effects, "after", answer, self._wait) or answer

    def _answer_too_fast(self) -> Answer | None:
        wait = self._bucket.wait() if self._bucket else 0.0
        if not wait:
            return None
        headers = {"retry-after": str(int(wait) + 1)} if self._account.options.send_retry_after else {}
        return wire.answer_refusal(Refusal(429, "Too many requests"), headers)

    @asynccontextmanager
    async def _turn(self, route: Route, call: Call) -> AsyncIterator[None]:
        identity = serial_id(route, call)
        if route.serial is None or identity is None:
            yield
            return
        try:
            async with self._lanes.enter((route.serial.entity, identity)):
                yield
        except Full:
            message = f"Too many requests are updating this {route.serial.entity} at the same time"
            raise Refusal(409, message) from None

    async def _apply_once(self, route: Route, call: Call, key: str | None) -> Answer:
        if key is None:
            return await run_in_threadpool(self._apply, route, call)
        async with self._twins.enter((route.operation, key)):
            answer = self._replays.find(route.operation, key)
            if answer is None:
                answer = await run_in_threadpool(self._apply, route, call)
                self._replays.keep(route.operation, key, answer)
            return answer

    def _apply(self, route: Route, call: Call) -> Answer:
        with self._account.transaction():
            reply = self._handlers[route.operation](self._account, call)
        return wire.answer_reply(reply)

    async def _wait(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._closing.wait(), seconds)
        except TimeoutError:
            return
        raise Cut("close")
