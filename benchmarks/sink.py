"""A server that reads bodies and drops them, in a process of its own: what is measured in front of it is the client.

    with Sink(latency=0.05, in_service=16) as sink:
        ...  # send to sink.base_url
        print(sink.seen())

One thread and one epoll loop, and nothing is parsed. It tells its own CPU seconds, so that each script can show that it
is not what a client waits for. For a body of 0.28 MB, a thousand rows, it takes 0.15 ms, and 0.24 ms when it counts
rows: 4 to 7 M rows a second, when the cheapest client makes 0.5 M (`python -m benchmarks.sink` measures it).
"""

from __future__ import annotations

import argparse
import json
import re
import selectors
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self, TextIO

ROW = b'"integrationId"'  # stands once in each row of an upsert; inside a value its quotes would be escaped
ROOT = Path(__file__).resolve().parents[1]
LARGEST = 8 << 20  # of a request; the API's own limit is half of it
END_OF_HEAD = b"\r\n\r\n"
LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")


@dataclass
class Seen:
    """What a sink has seen so far.

    `too_many` requests were answered with 429, beside the `requests` that were served. `rows` are what `Sink` was told
    to count. `first` (a whole request was here) and `last` (answered) are on the one `time.monotonic` of all processes.
    """

    requests: int = 0
    too_many: int = 0
    bytes: int = 0
    rows: int = 0
    connections: int = 0
    most_in_service: int = 0
    cpu: float = 0.0
    first: float = 0.0
    last: float = 0.0


class Sink:
    """The server as a script has it.

    Parameters
    ----------
    latency : float
        Seconds that each request is in service before it is answered.
    in_service : int
        So many at a time; others wait for their turn. 0: no limit.
    rate : float
        Requests a second that are served; beyond it 429 is the answer. 0: no limit.
    burst : int
        What may come at once under `rate`.
    body : bytes
        Answered with 200 to GET and POST; 204 without one, and to PUT and DELETE.
    count : bytes
        What stands once for each row in a body, such as `ROW`; nothing is counted without it.
    """

    def __init__(
        self,
        *,
        latency: float = 0.0,
        in_service: int = 0,
        rate: float = 0.0,
        burst: int = 6,
        body: bytes = b"",
        count: bytes = b"",
    ) -> None:
        self._terms = Terms(latency, in_service, rate, burst, body.decode(), count.decode())

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "benchmarks.sink", "--serve"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        self.base_url = f"http://127.0.0.1:{self._ask(asdict(self._terms))}"
        return self

    def __exit__(self, *error: object) -> None:
        self._process.communicate()  # its standard input ends, and so does it

    def seen(self) -> Seen:
        """Return what has come until now."""
        return Seen(**self._ask("seen"))

    def _ask(self, what: object) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(what) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


@dataclass(frozen=True)
class Terms:
    """How the server serves; see `Sink`."""

    latency: float
    in_service: int
    rate: float
    burst: int
    body: str
    count: str


@dataclass
class Bucket:
    """Tokens of a rate."""

    rate: float
    burst: int
    tokens: float = field(init=False)
    at: float = field(init=False, default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.tokens = self.burst

    def take(self, now: float) -> bool:
        """Take a token if there is one."""
        self.tokens, self.at = min(self.burst, self.tokens + (now - self.at) * self.rate), now
        if self.rate and self.tokens < 1:
            return False
        self.tokens -= 1
        return True


class Connection:
    """One client's socket: a buffer that is used again for each request."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock = sock
        self.buffer = bytearray(1 << 16)
        self.filled = self.head = self.whole = 0

    def receive(self) -> bool | None:
        """Read what is there; return whether a whole request is, or None at the end."""
        if self.filled == len(self.buffer):
            self._grow(2 * self.filled)
        try:
            got = self.sock.recv_into(memoryview(self.buffer)[self.filled :])
        except ConnectionError:
            return None
        self.filled += got
        if not self.head and got:
            self._look_for_head()
        return None if not got else bool(self.head) and self.filled >= self.whole

    def _look_for_head(self) -> None:
        end = self.buffer.find(END_OF_HEAD, 0, self.filled)
        if end < 0:
            return
        found = LENGTH.search(self.buffer, 0, end)
        self.head = end + len(END_OF_HEAD)
        self.whole = self.head + (int(found[1]) if found else 0)
        self._grow(self.whole)

    def _grow(self, size: int) -> None:
        if size > LARGEST:
            raise ValueError(f"a request of {size} bytes")
        self.buffer.extend(bytes(max(0, size - len(self.buffer))))

    def has_content(self) -> bool:
        """Whether the method is one that gets an answer with a body."""
        return self.buffer.startswith((b"GET", b"POST"))

    def answer(self, message: bytes) -> None:
        """Send an answer and be ready for the next request, which no client sends before."""
        self.filled = self.head = self.whole = 0
        self.sock.sendall(message)


class Server:
    """The loop of the process."""

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        self._bucket = Bucket(terms.rate, terms.burst)
        self._seen = Seen()
        self._selector = selectors.DefaultSelector()
        self._waiting: deque[Connection] = deque()
        self._due: deque[tuple[float, Connection]] = deque()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self._watch(self._listener, self._accept)
        self._content, self._count = terms.body.encode(), terms.count.encode()
        self._spent = time.process_time()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._listener.getsockname()[1])

    def serve(self) -> None:
        """Serve until standard input ends."""
        self._watch(sys.stdin, self._tell)
        while True:
            wait = max(0.0, self._due[0][0] - time.monotonic()) if self._due else None
            for key, _ in self._selector.select(wait):
                key.data()
            while self._due and self._due[0][0] <= time.monotonic():
                self._end(self._due.popleft()[1])

    def _watch(self, what: socket.socket | TextIO, call: Callable[[], None]) -> None:
        self._selector.register(what, selectors.EVENT_READ, call)

    def _tell(self) -> None:
        if not sys.stdin.readline():
            sys.exit()
        self._seen.cpu = time.process_time() - self._spent
        print(json.dumps(asdict(self._seen)), flush=True)

    def _accept(self) -> None:
        connection = Connection(self._listener.accept()[0])
        self._seen.connections += 1
        self._watch(connection.sock, lambda: self._receive(connection))

    def _receive(self, connection: Connection) -> None:
        whole = connection.receive()
        if whole is None:
            self._selector.unregister(connection.sock)
            connection.sock.close()
        elif whole:
            self._arrived(connection)

    def _arrived(self, connection: Connection) -> None:
        now, seen = time.monotonic(), self._seen
        if not self._bucket.take(now):
            seen.too_many += 1
            return connection.answer(_message(429))
        seen.first = seen.first or now
        seen.bytes += connection.whole - connection.head
        seen.rows += connection.buffer.count(self._count, connection.head, connection.whole) if self._count else 0
        if self._terms.in_service and len(self._due) >= self._terms.in_service:
            self._waiting.append(connection)
        else:
            self._begin(connection, now)

    def _begin(self, connection: Connection, now: float) -> None:
        self._due.append((now + self._terms.latency, connection))
        self._seen.most_in_service = max(self._seen.most_in_service, len(self._due))

    def _end(self, connection: Connection) -> None:
        self._seen.requests += 1
        self._seen.last = time.monotonic()
        with_content = self._content and connection.has_content()
        connection.answer(_message(200, self._content) if with_content else _message(204))
        if self._waiting:
            self._begin(self._waiting.popleft(), self._seen.last)


def _message(status: int, content: bytes = b"") -> bytes:
    length = b"" if status == 204 else b"Content-Type: application/json\r\nContent-Length: %d\r\n" % len(content)
    return b"HTTP/1.1 %d Answer\r\n%s\r\n%s" % (status, length, content)


def main(arguments: list[str] | None = None) -> None:
    """Serve, or measure what a body of 0.28 MB costs the server; print one line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sink", description=__doc__)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--requests", type=int, default=3000)
    options = parser.parse_args(arguments)
    if not options.serve:
        return print(json.dumps(_measured(options.requests)))
    server = Server(Terms(**json.loads(sys.stdin.readline())))
    print(server.port, flush=True)
    server.serve()


def _measured(requests: int) -> dict[str, Any]:
    """Send ready bodies by one bare socket, the cheapest client that there is."""
    body = b'{"integrationId":"customer-000001","attributes":{"Name":"Ada"}},' * (280_000 // 65)
    head = b"PUT / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(body)
    with Sink(count=ROW) as sink:
        before, started = time.process_time(), time.perf_counter()
        with socket.create_connection(("127.0.0.1", int(sink.base_url.rpartition(":")[2]))) as sock:
            for _ in range(requests):
                sock.sendmsg([head, body])
                sock.recv(1000)
        took, spent, seen = time.perf_counter() - started, time.process_time() - before, sink.seen()
    return {
        "benchmark": "sink",
        "requests": seen.requests,
        "mb_a_request": len(body) / 1e6,
        "sink_cpu_ms_a_request": round(seen.cpu / requests * 1000, 3),
        "client_cpu_ms_a_request": round(spent / requests * 1000, 3),
        "requests_a_second": round(requests / took),
    }


if __name__ == "__main__":
    main()
