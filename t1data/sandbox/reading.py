"""A request as it comes in: its head, its body, and the call that they amount to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from starlette.types import Receive, Scope

from t1data.sandbox import wire
from t1data.sandbox.core import Call, Refusal
from t1data.sandbox.log import Seen
from t1data.sandbox.routes import Route, find_route

LARGEST_BODY = 20 * 1024 * 1024


@dataclass(frozen=True)
class Head:
    """What is known of a request before its body is read: where it goes, or why it goes nowhere."""

    method: str
    path: bytes
    query: bytes
    headers: Mapping[str, str]
    started: float
    route: Route | None
    values: Mapping[str, str]
    refusal: Refusal | None

    @property
    def operation(self) -> str | None:
        """The operation's name, None when the path leads nowhere."""
        return self.route.operation if self.route else None


@dataclass(frozen=True)
class Body:
    """The body: `content` is None when it is too large, `whole` False when the connection ended before it."""

    content: bytes | None
    size: int
    whole: bool


def read_head(scope: Scope, started: float, check_key: Callable[[Route, str], None]) -> Head:
    """Return the head of a request, with the refusal if its path, host or key earns one."""
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    route: Route | None = None
    values: Mapping[str, str] = {}
    refusal = None
    try:
        wire.check_host(headers.get("host", ""))
        route, values = find_route(scope["method"], scope["raw_path"])
        check_key(route, headers.get("authorization", ""))
    except Refusal as no:
        refusal = no
    line = scope["method"], scope["raw_path"], scope["query_string"]
    return Head(*line, headers, started, route, values, refusal)


async def read_body(receive: Receive, stop_at: int | None) -> Body:
    """Read the body to its end, or until `stop_at` bytes of it came."""
    content = bytearray()
    size = 0
    more = True
    while more:
        if stop_at is not None and size >= stop_at:
            return Body(bytes(content), size, whole=False)
        message = await receive()
        if message["type"] == "http.disconnect":
            return Body(bytes(content), size, whole=False)
        piece = message.get("body", b"")
        size += len(piece)
        # A body that is too large is read to its end and dropped, so that its sender gets to hear the answer.
        if size <= LARGEST_BODY:
            content += piece
        else:
            content.clear()
        more = message.get("more_body", False)
    return Body(bytes(content) if size <= LARGEST_BODY else None, size, whole=True)


def read_call(route: Route, head: Head, body: Body) -> Call:
    """Return the call that a handler gets.

    Raises
    ------
    Refusal
        413 for a body that is too large, 415 for one of the wrong kind, 400 for one that cannot be read.
    """
    if body.content is None:
        raise Refusal(413, f"The body is larger than {LARGEST_BODY} bytes")
    query = wire.parse_query(head.query)
    if not body.content:
        return Call(head.values, query)
    content_type = head.headers.get("content-type", "")
    wire.check_content(content_type, multipart=route.multipart)
    if route.multipart:
        return Call(head.values, query, files=wire.parse_form(body.content, content_type))
    return Call(head.values, query, wire.parse_json(body.content))


def serial_id(route: Route, call: Call) -> str | None:
    """Return the id whose requests have to go one after another, None when this one may go at any time."""
    if route.serial is None:
        return None
    values = call.path if route.serial.where == "path" else call.body
    value = values.get(route.serial.name) if isinstance(values, Mapping) else None
    return value if isinstance(value, str) and value else None


def seen(head: Head, body: Body) -> Seen:
    """Return the record of a request that has just come in."""
    return Seen(
        operation=head.operation,
        method=head.method,
        path=head.path.decode("latin-1"),
        query=head.query.decode("latin-1"),
        started=head.started,
        values=head.values,
        headers={name: value for name, value in head.headers.items() if name != "authorization"},
        size=body.size,
        body=body.content,
    )
