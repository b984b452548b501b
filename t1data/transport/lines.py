"""Connections, and on each one request and its answer, within a real deadline and a bounded memory."""

from __future__ import annotations

import os
import time
import zlib
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from http.client import HTTPConnection
from socket import socket
from typing import Any, NamedTuple, cast

from httptools import HttpParserCallbackError, HttpParserError, HttpParserUpgrade, HttpResponseParser

from t1data.transport.retry import Exchange, Failure

Dial = Callable[[float], HTTPConnection | Failure]
"""Opens a connection within so many seconds, or says why it cannot."""

_PIECE = 65536
_LARGEST_HEAD = 262_144
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
        answer, left = _Reading(largest), partial(_time_left, self._clock, ends)
        try:
            self._send(request, authorize, left)
            self.reusable = answer.read(self.connection.sock, left)
        except TimeoutError:
            answer.failure = Failure.TIMEOUT
        except OSError:
            answer.failure = Failure.RESET if answer.status is None else Failure.CUT
        self._used = self._clock()
        return answer.result(self._used - started)

    def _send(self, request: Request, authorize: Callable[[], str], left: Callable[[], float]) -> None:
        sock = self.connection.sock
        sock.settimeout(left())  # sendall takes it as the bound of the whole body
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
    if not (head.isascii() and head.count("\r") == head.count("\n") == len(lines) - 1):
        raise AssertionError("a line of a request's head would break")  # without its text, which holds the key
    return head.encode()


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


class _Reading:
    """An answer as far as it has come in, so that nothing that has arrived is lost when the rest does not.

    Its ``on_`` methods are what the parser calls. `http.client` took ten times as long for the head alone.
    """

    def __init__(self, largest: int) -> None:
        self.failure: Failure | None = None
        self.status: int | None = None
        self._largest = largest
        self._came = 0  # bytes since the last that were of the body
        self._clear()

    def _clear(self) -> None:
        self.status, self._headers, self._body = None, dict[str, str](), bytearray()
        self._begun = self._received = self._done = self._more = self._stays = False
        self._unpacker = _Unpacker("")

    def read(self, sock: socket, left: Callable[[], float]) -> bool:
        """Read it all, and tell whether the connection can serve another request.

        Each read is allowed only the time left to the whole: a time-out of the socket alone begins anew with each
        byte, so a server that dribbles would hold it for ever.
        """
        self._parser = HttpResponseParser(self)
        try:
            while not self._done and self.failure is None:
                sock.settimeout(left())
                piece = sock.recv(_PIECE)
                self._came += len(piece)
                self._take(piece)
                if self._came > _LARGEST_HEAD and self.failure is None:  # a head or a trailer without end
                    self.failure = Failure.GARBLED if self.status is None else Failure.CUT
        finally:
            del self._parser  # or answer and parser hold each other
        self._judge()
        # 421 asks for another connection, and after a status below 200 the real answer is still to come.
        whole = self.failure is None and self._done and not self._more
        return whole and self._stays and 200 <= (self.status or 0) != 421

    def _take(self, piece: bytes) -> None:
        try:
            if piece:
                self._parser.feed_data(piece)
            elif self.status is None:
                self.failure = Failure.CUT if self._begun else Failure.RESET
            else:  # only an answer that does not tell its length ends when the other side hangs up
                self._done = self._more = True
                if not {"content-length", "transfer-encoding"}.isdisjoint(self._headers):
                    self.failure = Failure.CUT
        except HttpParserCallbackError as error:  # Ctrl-C, within one of the methods below
            raise error.__context__ or error from None
        except HttpParserUpgrade:  # to what nobody asked for; the head is in
            self._more = True
        except HttpParserError:  # what no server may send; behind a whole answer it only spoils the connection
            self._more = True
            if not self._done:
                self.failure = Failure.GARBLED if self.status is None else Failure.CUT

    def _judge(self) -> None:
        if self.failure is None and self._unpacker.garbled:
            self.failure = Failure.GARBLED
        elif self.failure is None and self._received and self._unpacker.wants_more():
            self.failure = Failure.CUT

    def on_message_begin(self) -> None:
        self._begun, self._more = True, self._done

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.status is None:  # later ones are a trailer's, or of an answer that nobody asked for
            self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        if not self._done:
            self.status = self._parser.get_status_code()
            self._unpacker = _Unpacker(self._headers.get("content-encoding", ""))

    def on_body(self, piece: bytes) -> None:
        if self._done or self.failure is not None:
            return
        self._received, self._came = True, 0
        self._body += self._unpacker.unpack(piece, self._largest + 1 - len(self._body))
        if len(self._body) > self._largest:
            del self._body[self._largest :]
            self.failure = Failure.TOO_BIG

    def on_message_complete(self) -> None:
        if self.status == 100 and not self._done:  # "go on": the answer itself follows
            self._clear()
        else:
            self._done, self._stays = True, self._parser.should_keep_alive()  # known just here

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
        if self._inner.eof:  # what stands behind the end of what was packed is not kept: it can be of any length
            self.garbled = True
            return b""
        try:
            unpacked = self._inner.decompress(piece, most)
            self.garbled = bool(self._inner.unused_data)
            return unpacked
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
