"""Connections, and on each one request and its answer, within a real deadline and a bounded memory."""

from __future__ import annotations

import io
import os
import time
import zlib
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from http.client import HTTPConnection, HTTPException, HTTPResponse
from socket import socket
from typing import Any, NamedTuple, cast

from t1data.transport.retry import Exchange, Failure

Dial = Callable[[float], HTTPConnection | Failure]
"""Opens a connection within so many seconds, or says why it cannot."""

_PIECE = 65536
_LONGEST_IDLE = 30.0
_EITHER_GZIP_OR_ZLIB = zlib.MAX_WBITS | 32


class Request(NamedTuple):
    """What goes out, less the key, which is added last."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes | memoryview | None


class Line:
    """A connection and when it was last used."""

    def __init__(self, connection: HTTPConnection, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.connection = connection
        self.reusable = False
        self._clock = clock
        self._used = clock()

    def idle(self) -> float:
        """Seconds since the last use."""
        return self._clock() - self._used

    def alive(self) -> bool:
        """Tell whether the other side has not hung up; anything to read now can only be its goodbye."""
        return bool(cast(Any, self.connection).is_connected)

    def close(self) -> None:
        """Hang up."""
        self.reusable = False
        with suppress(OSError):
            self.connection.close()

    def exchange(self, request: Request, authorize: Callable[[], str], *, ends: float, largest: int) -> Exchange:
        """Send a request on an open line and read the answer; whatever goes wrong becomes a `Failure`.

        Parameters
        ----------
        request : Request
            What to send.
        authorize : callable
            Gives the ``Authorization`` header's value.
        ends : float
            The moment of the clock by which the last byte must be in.
        largest : int
            Bytes of the body, decompressed, at which reading stops.
        """
        self.reusable = False
        started = self._clock()
        answer, wire = _Reading(largest), _Wire(self.connection.sock, partial(_time_left, self._clock, ends))
        try:
            self._send(request, authorize, wire)
            self.reusable = answer.read(wire, request.method)
        except TimeoutError:
            answer.failure = Failure.TIMEOUT
        except ValueError:  # header lines or a status that no server may send
            answer.failure = Failure.GARBLED
        except (OSError, HTTPException) as error:
            answer.failure = _kind_of(error, answer)
        self._used = self._clock()
        return answer.result(self._used - started)

    def _send(self, request: Request, authorize: Callable[[], str], wire: _Wire) -> None:
        sock = self.connection.sock
        sock.settimeout(wire.left())  # sendall takes it as the bound of the whole body
        body = request.body or b""
        # A server that says no at once (413) may hang up before the body is through: what it said counts.
        with suppress(BrokenPipeError, ConnectionResetError):
            if memoryview(body).nbytes < _PIECE:
                sock.sendall(b"".join((_head(request, authorize()), body)))
            else:
                sock.sendall(_head(request, authorize()))
                sock.sendall(body)


def _head(request: Request, authorization: str) -> bytes:
    """Return a request's head. Through the connection's own methods it cost a third of a small request."""
    lines = [f"{request.method} {request.target} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in request.headers.items()]
    lines += [f"Authorization: {authorization}", "", ""]
    head = "\r\n".join(lines)
    if not head.count("\r") == head.count("\n") == len(lines) - 1:
        raise AssertionError("a line of a request's head would break")  # without its text, which holds the key
    return head.encode("latin-1")


class Lines:
    """The open connections of one transport; those that nobody uses, newest first.

    Parameters
    ----------
    dial : callable
        Opens a connection within the seconds that it is given, or says why it cannot.
    most_idle : int
        How many to keep. How many are in use at once is for the caller's threads to say.
    """

    def __init__(self, dial: Dial, *, most_idle: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._dial = dial
        self._clock = clock
        self._idle: deque[Line] = deque()
        self._most_idle = most_idle
        self._owner = os.getpid()

    def take(self, *, fresh: bool, seconds: float) -> Line | Failure:
        """Take an idle connection, or open one within so many seconds.

        A server may close an idle connection while a request is on its way into it, and then nobody knows
        whether it was read: what must not be repeated asks for a `fresh` one.
        """
        if self._owner != os.getpid():  # a fork shares the sockets: two processes would mix their answers
            self._idle.clear()
            self._owner = os.getpid()
        while not fresh and (line := self._pop()):
            if line.idle() < _LONGEST_IDLE and line.alive():
                return line
            line.close()
        connection = self._dial(seconds)
        return connection if isinstance(connection, Failure) else Line(connection, clock=self._clock)

    def _pop(self) -> Line | None:
        try:
            return self._idle.pop()
        except IndexError:
            return None

    def put_back(self, line: Line) -> None:
        """Keep a connection for later if it can still serve."""
        if line.reusable and len(self._idle) < self._most_idle:
            self._idle.append(line)
        else:
            line.close()

    def close(self) -> None:
        """Hang up all idle ones."""
        while line := self._pop():
            line.close()


def _kind_of(error: Exception, answer: _Reading) -> Failure:
    if answer.status is not None:
        return Failure.CUT
    return Failure.RESET if isinstance(error, OSError) else Failure.GARBLED


class _Reading:
    """An answer as far as it has come in, so that nothing that has arrived is lost when the rest does not."""

    def __init__(self, largest: int) -> None:
        self.failure: Failure | None = None
        self.status: int | None = None
        self._headers: dict[str, str] = {}
        self._body = bytearray()
        self._largest = largest

    def read(self, wire: _Wire, method: str) -> bool:
        """Read it all, and tell whether the connection can serve another request."""
        # urllib3's own getresponse wraps this answer into a reader of its own, at a third of the whole cost.
        response = HTTPResponse(cast(Any, wire), method=method)
        response.begin()
        if wire.ended:  # http.client takes a head that breaks off for a whole one: half a "204" would be a success
            self.failure = Failure.CUT
            return False
        self.status = response.status
        self._headers = {name.lower(): value for name, value in response.getheaders()}
        with response:
            self.failure = self._read_body(response)
            # 421 asks for another connection, and after a status below 200 the real answer is still to come.
            whole = self.failure is None and not response.will_close
            return whole and 200 <= response.status != 421

    def _read_body(self, response: HTTPResponse) -> Failure | None:
        expected, received = response.length or 0, 0
        unpacker = _Unpacker(self._headers.get("content-encoding", ""))
        while piece := response.read1(_PIECE):
            received += len(piece)
            self._body += unpacker.unpack(piece, self._largest + 1 - len(self._body))
            if len(self._body) > self._largest:
                del self._body[self._largest :]
                return Failure.TOO_BIG
        if unpacker.garbled:
            return Failure.GARBLED
        return Failure.CUT if received < expected or (received and unpacker.wants_more()) else None

    def result(self, seconds: float) -> Exchange:
        return Exchange(self.failure, self.status, self._headers, bytes(self._body), seconds)


class _Unpacker:
    """Undoes the content encoding. What it cannot undo it hands on as it is: it may be all that there is."""

    def __init__(self, encoding: str) -> None:
        name = encoding.strip().lower()
        packed = name in ("gzip", "x-gzip", "deflate")
        self.garbled = not packed and name not in ("", "identity")
        self._inner = zlib.decompressobj(_EITHER_GZIP_OR_ZLIB) if packed else None

    def unpack(self, piece: bytes, most: int) -> bytes:
        """Unpack a piece, and never give more than `most` bytes, however much is packed in it."""
        if self._inner is None:
            return piece[:most]
        try:
            return self._inner.decompress(piece, most)
        except zlib.error:
            self._inner, self.garbled = None, True
            return piece[:most]

    def wants_more(self) -> bool:
        return self._inner is not None and not self._inner.eof


def _time_left(clock: Callable[[], float], ends: float) -> float:
    left = ends - clock()
    if left <= 0:
        raise TimeoutError
    return left


class _Wire:
    """What an answer is read from: it knows how much time is left, and whether the other side has hung up."""

    def __init__(self, sock: socket, left: Callable[[], float]) -> None:
        self.left = left
        self.ended = False
        self._sock = sock

    def makefile(self, mode: str) -> io.BufferedReader:
        """Give the file that an answer is read from, as `http.client` asks for it."""
        return io.BufferedReader(_TimedFile(self._sock, self), _PIECE)


class _TimedFile(io.RawIOBase):
    """A socket's file that allows each read only the time left to the whole.

    A time-out of the socket alone begins anew with each byte, so a server that dribbles holds it for ever.
    """

    def __init__(self, sock: socket, wire: _Wire) -> None:
        self._sock = sock
        self._wire = wire
        self._raw = sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(self._wire.left())
        count: int | None = self._raw.readinto(buffer)
        self._wire.ended = count == 0
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()
