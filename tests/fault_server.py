"""A server on loopback that does what no good server does, and writes down what it was sent.

A script says what happens to each request in turn; after its end every request gets the last act again.
Tests judge by the ledger: what arrived, on which connection, in which order.

    with FaultServer(reset(), answer(204)) as server:
        ...
        assert [entry.target for entry in server.ledger] == [...]
"""

from __future__ import annotations

import contextlib
import gzip
import json
import socket
import ssl
import struct
import threading
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self


@dataclass
class Entry:
    """One request as it came off the wire."""

    connection: int
    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes = b""
    whole: bool = False  # whether the body came to its end

    def header(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def json(self) -> Any:
        return json.loads(self.body)


class Caller:
    """The other side of one connection, during one request."""

    def __init__(self, sock: socket.socket, entry: Entry, early: bytes, closing: threading.Event) -> None:
        self.sock = sock
        self.entry = entry
        self.closing = closing
        self._early = early

    def read_body(self, most: int | None = None) -> None:
        """Read the body to its end, or `most` bytes of it."""
        total = int((self.entry.header("Content-Length") or ["0"])[0])
        wanted = total if most is None else min(most, total)
        body = bytearray(self._early)
        while len(body) < wanted:
            piece = self.sock.recv(min(65536, wanted - len(body)))
            if not piece:
                break
            body += piece
        self.entry.body = bytes(body)
        self.entry.whole = len(body) == total

    def send(self, content: bytes) -> None:
        self.sock.sendall(content)

    def dribble(self, content: bytes, seconds: float) -> None:
        """Send one byte at a time, until the server is closed."""
        for number in range(len(content)):
            if self.closing.wait(seconds):
                return
            self.send(content[number : number + 1])

    def reset(self) -> None:
        """Hang up with a RST in place of a goodbye."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


Act = Callable[[Caller], bool]
"""What happens to a request; returns whether the connection stays open."""


def head(status: int, headers: Mapping[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} Said", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    return "\r\n".join(lines).encode("latin-1")


def answer(status: int, body: Any = None, headers: Mapping[str, str] | None = None) -> Act:
    """Answer well: JSON for a dict or list, bytes as they are, nothing for None."""
    content = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    kind = {} if body is None else {"Content-Type": "application/json"}
    length = {} if status == 204 else {"Content-Length": str(len(content))}
    return raw(head(status, {**kind, **length, **(headers or {})}) + content, keep=True)


def raw(content: bytes, *, keep: bool = False) -> Act:
    """Read the request and send these bytes."""

    def act(caller: Caller) -> bool:
        caller.read_body()
        caller.send(content)
        return keep

    return act


def page(status: int = 200) -> Act:
    """Answer as a captive portal does."""
    return answer(status, b"<html><body>Please log in</body></html>", {"Content-Type": "text/html; charset=utf-8"})


def redirect(status: int, location: str) -> Act:
    return answer(status, None, {"Location": location})


def hang_up() -> Act:
    """Read the request and close without an answer."""
    return raw(b"")


def reset(after: int | None = None) -> Act:
    """Reset the connection once the whole request, or `after` bytes of its body, are in."""

    def act(caller: Caller) -> bool:
        caller.read_body(after)
        caller.reset()
        return False

    return act


def cut(status: int, body: Any, at: int) -> Act:
    """Promise the whole body, send `at` bytes of it, then reset."""
    content = json.dumps(body).encode()

    def act(caller: Caller) -> bool:
        caller.read_body()
        caller.send(head(status, {"Content-Type": "application/json", "Content-Length": str(len(content))}))
        caller.send(content[:at])
        return False

    return act


def silence() -> Act:
    """Read the request and say nothing until the server is closed."""

    def act(caller: Caller) -> bool:
        caller.read_body()
        caller.closing.wait()
        return False

    return act


def slow_headers(seconds: float = 0.02) -> Act:
    """Begin an answer whose headers never end, one byte at a time."""

    def act(caller: Caller) -> bool:
        caller.read_body()
        caller.dribble(b"HTTP/1.1 200 Said\r\n" + b"X-More: more\r\n" * 1000, seconds)
        return False

    return act


def slow_body(seconds: float = 0.02) -> Act:
    """Answer with a large body, one byte at a time."""

    def act(caller: Caller) -> bool:
        caller.read_body()
        caller.send(head(200, {"Content-Type": "application/json", "Content-Length": "10000"}))
        caller.dribble(b" " * 10000, seconds)
        return False

    return act


def deaf() -> Act:
    """Never read the body."""

    def act(caller: Caller) -> bool:
        caller.closing.wait()
        return False

    return act


def packed(status: int, content: bytes, *, encoding: str = "gzip", cut_at: int | None = None) -> Act:
    """Answer with a compressed body, or with less of it than is needed to unpack it."""
    body = gzip.compress(content)[:cut_at]
    return answer(status, body, {"Content-Encoding": encoding})


def bomb(megabytes: int) -> Act:
    """Answer with a small body that unpacks to so many megabytes of blanks."""
    packer = zlib.compressobj(wbits=zlib.MAX_WBITS | 16)
    pieces = [packer.compress(b" " * 1_000_000) for _ in range(megabytes)]
    return answer(200, b"".join([*pieces, packer.flush()]), {"Content-Encoding": "gzip"})


class FaultServer:
    """Plays a script to whoever calls; see the module."""

    def __init__(self, *script: Act, tls: ssl.SSLContext | None = None) -> None:
        self.script = script or (answer(204),)
        self.tls = tls
        self.ledger: list[Entry] = []
        self._played = 0
        self._connections = 0
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))

    @property
    def port(self) -> int:
        port: int = self._listener.getsockname()[1]
        return port

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        with self._lock:
            for sock in [self._listener, *self._open]:
                shut(sock)
        self._listener.close()
        for thread in self._threads:
            thread.join(5)

    def settle(self) -> None:
        """Wait until every connection so far has ended; for scripts that end them."""
        for thread in self._threads[1:]:
            thread.join(5)

    def _start(self, target: Callable[..., None], *args: Any) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        thread.start()
        self._threads.append(thread)  # only now: `settle` joins what is listed

    def _accept(self) -> None:
        while not self._closing.is_set():
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self._connections += 1
            self._start(self._serve, sock, self._connections)

    def _serve(self, sock: socket.socket, number: int) -> None:
        with self._lock:
            self._open.add(sock)
        try:
            secured = self.tls.wrap_socket(sock, server_side=True) if self.tls else sock
            with secured:
                while self._exchange(secured, number):
                    pass
        except OSError:
            pass  # the caller hung up, which some acts provoke
        finally:
            with self._lock:
                self._open.discard(sock)
            sock.close()

    def _exchange(self, sock: socket.socket, number: int) -> bool:
        found = read_head(sock)
        if found is None:
            return False
        entry, early = found
        entry.connection = number
        with self._lock:
            self.ledger.append(entry)
            act = self.script[min(self._played, len(self.script) - 1)]
            self._played += 1
        return act(Caller(sock, entry, early, self._closing)) and not self._closing.is_set()


def read_head(sock: socket.socket) -> tuple[Entry, bytes] | None:
    """Read up to the blank line; what came with it of the body is handed on."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = sock.recv(65536)
        if not piece:
            return None
        data += piece
    top, _, early = data.partition(b"\r\n\r\n")
    first, *lines = top.decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ", 2)
    pairs = [line.partition(": ") for line in lines]
    return Entry(0, method, target, [(name, value) for name, _, value in pairs]), early


def shut(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)
