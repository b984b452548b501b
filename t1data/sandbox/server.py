"""uvicorn on a loopback port, in a thread of this process."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable

import h11
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from t1data.sandbox.core import Refusal
from t1data.sandbox.wire import answer_refusal

LOOPBACK = "127.0.0.1"
LONGEST_HEAD = 64 * 1024  # a path value of 1,000 characters may take 12 bytes each when encoded
PATIENCE = 1  # seconds that a stop waits for a client that does not finish its request


class Protocol(H11Protocol):
    """uvicorn's protocol, which hands the connection on, so that faults can cut it, and says no in JSON."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Put the connection where the application finds it: in the state of each request."""
        super().connection_made(transport)
        self.app_state = {**self.app_state, "transport": transport}

    def send_400_response(self, msg: str) -> None:
        """Answer bytes that are no HTTP request."""
        answer = answer_refusal(Refusal(400, "This is not a valid HTTP request"), {"connection": "close"})
        headers = [*answer.headers.items(), ("content-length", str(len(answer.body)))]
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            head = self.conn.send(h11.Response(status_code=400, headers=headers, reason=b"Bad Request"))
            self.transport.write((head or b"") + answer.body)
        self.transport.close()


class Server:
    """A running server. The port is taken at once, so a taken one is an error here and not in the thread.

    Parameters
    ----------
    app : ASGI application
        What is served.
    port : int
        A loopback port, 0 for any free one.
    on_close : callable
        Called in the server's own loop when it is told to stop: ends what would hold it up.

    Raises
    ------
    OSError
        When the port is taken.
    """

    def __init__(self, app: ASGIApp, *, port: int = 0, on_close: Callable[[], None]) -> None:
        self._socket = _listen(port)
        self.port: int = self._socket.getsockname()[1]
        self._loop = asyncio.new_event_loop()
        self._on_close = on_close
        self._server = uvicorn.Server(_config(app))
        self._thread = threading.Thread(target=self._run, name=f"t1data-sandbox-{self.port}", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop serving, and return when the port is free and the thread has ended."""
        self._server.should_exit = True
        self._loop.call_soon_threadsafe(self._on_close)
        self._thread.join()

    def _run(self) -> None:
        # Some uvicorns leave the socket open when they are told to stop before they have started.
        with self._socket, asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._server.serve(sockets=[self._socket]))


def _listen(port: int) -> socket.socket:
    # asyncio sends small packets at once only on a socket that says TCP; else each answer waits 40 ms for an ACK.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((LOOPBACK, port))
        listener.listen(2048)
    except BaseException:
        listener.close()
        raise
    return listener


def _config(app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=Protocol,
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        proxy_headers=False,
        server_header=False,
        h11_max_incomplete_event_size=LONGEST_HEAD,
        timeout_graceful_shutdown=PATIENCE,
    )
