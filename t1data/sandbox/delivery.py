"""How the effects of faults strike a request: before the change, after it, and while the answer leaves."""

from __future__ import annotations

import socket
import struct
from asyncio import WriteTransport
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Literal

from starlette.types import Receive, Send

from t1data.sandbox.core import Refusal
from t1data.sandbox.faults import Close, Delay, Effect, Half, Raw, Reset, Slow, Status, When
from t1data.sandbox.wire import Answer, answer_json, answer_refusal

Wait = Callable[[float], Awaitable[None]]


class Cut(Exception):
    """The connection is to be cut without an answer."""

    def __init__(self, how: Literal["reset", "close"]) -> None:
        super().__init__(how)
        self.how = how


@dataclass(frozen=True)
class Line:
    """The connection of one request: the two ends that ASGI gives, and the transport below them."""

    receive: Receive
    send: Send
    transport: WriteTransport

    async def cut(self, how: Literal["reset", "close"]) -> None:
        """Cut the connection, and return when it is gone."""
        if how == "reset":
            self._linger_not()
            self.transport.abort()
        else:
            self.transport.close()
        while (await self.receive())["type"] != "http.disconnect":
            pass

    def _linger_not(self) -> None:
        peer = self.transport.get_extra_info("socket")
        if peer is not None and peer.fileno() >= 0:
            # Lingering for zero seconds makes the kernel send a reset, not an orderly end.
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


async def strike(effects: Iterable[Effect], when: When, answer: Answer | None, wait: Wait) -> Answer | None:
    """Let the effects of one moment strike, and return the answer that stands after them.

    Raises
    ------
    Cut
        When one of them cuts the connection.
    """
    for effect in effects:
        match effect:
            case Delay(seconds=seconds) if effect.when == when:
                await wait(seconds)
            case Status() if effect.when == when:
                return _answer_status(effect)
            case Reset() if effect.when == when:
                raise Cut("reset")
            case Close() if effect.when == when:
                raise Cut("close")
    return answer


def cut_after(effects: Iterable[Effect]) -> int | None:
    """Return after how many bytes of the request's body a reset strikes, None for never."""
    limits = [effect.after_bytes for effect in effects if isinstance(effect, Reset) and effect.after_bytes is not None]
    return min(limits, default=None)


def _answer_status(effect: Status) -> Answer:
    headers = dict(effect.headers)
    if effect.retry_after is not None:
        headers["retry-after"] = _retry_after(effect.retry_after)
    if effect.body is None:
        refusal = Refusal(effect.code, _message(effect.code))
        return answer_refusal(refusal, headers) if effect.code >= 400 else Answer(effect.code, headers=headers)
    if isinstance(effect.body, str):
        return Answer(effect.code, effect.body.encode(), {"content-type": "text/html", **headers})
    return answer_json(effect.code, effect.body, headers)


def _message(code: int) -> str:
    return "Too many requests" if code == 429 else f"A fault on purpose: {code}"


def _retry_after(value: float | datetime | str) -> str:
    if isinstance(value, datetime):
        return format_datetime(value.astimezone(UTC), usegmt=True)
    return value if isinstance(value, str) else f"{value:g}"


async def deliver(answer: Answer, effects: Iterable[Effect], line: Line, wait: Wait) -> None:
    """Send the answer, whole or as the first effect on its way wants it."""
    effect = next((e for e in effects if isinstance(e, Half | Slow | Raw) or e == Close("idle")), None)
    match effect:
        case Raw(data=data):
            line.transport.write(data)
            await line.cut("close")
        case Half(share=share):
            await _send_part(answer, share, line)
        case Slow():
            await _send_slowly(answer, effect, line, wait)
        case _:
            await _send_head(answer, line.send)
            await _send_body(answer.body, line.send)
            if effect:
                line.transport.close()


async def _send_part(answer: Answer, share: float, line: Line) -> None:
    if answer.body:
        await _send_head(answer, line.send)
        await _send_body(answer.body[: int(len(answer.body) * share)], line.send, more=True)
    else:
        # The head of an answer without a body is the whole answer, so the cut has to come within it.
        line.transport.write(f"HTTP/1.1 {answer.status} ".encode())
    await line.cut("reset")


async def _send_slowly(answer: Answer, effect: Slow, line: Line, wait: Wait) -> None:
    await _send_head(answer, line.send)
    for start in range(0, len(answer.body), effect.size):
        if line.transport.is_closing():
            return
        await _send_body(answer.body[start : start + effect.size], line.send, more=True)
        await wait(effect.seconds)
    await _send_body(b"", line.send)


async def _send_head(answer: Answer, send: Send) -> None:
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers.items()]
    if answer.status not in (204, 304):
        headers.append((b"content-length", str(len(answer.body)).encode()))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})


async def _send_body(body: bytes, send: Send, *, more: bool = False) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": more})
