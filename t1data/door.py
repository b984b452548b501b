"""What the clients of both APIs have in common: a place, a key, a lock and a transport."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence

from t1data.body import Body, encode_body
from t1data.lock import LiveLock
from t1data.transport.address import parse_base_url
from t1data.transport.key import ApiKey
from t1data.transport.operations import Operation
from t1data.transport.pace import Pacer
from t1data.transport.retry import Limits
from t1data.transport.transport import Answer, OnWait, Transport


class Door:
    """Checks and encodes an operation, then sends it.

    Parameters
    ----------
    base_url : str
        As for `Client`.
    key : ApiKey
        With its scheme.
    pacer : callable
        Gives the `Pacer` of an operation's name.
    limits : Limits
        Attempts, waits, deadlines and sizes.
    lock : LiveLock
        Asked before each operation.
    connections : int
        How many idle connections are kept.

    Raises
    ------
    ConfigError
        The key or the base URL cannot be used.
    """

    def __init__(
        self,
        base_url: str,
        key: ApiKey,
        *,
        pacer: Callable[[str], Pacer],
        limits: Limits,
        lock: LiveLock,
        connections: int = 32,
    ) -> None:
        key.check()
        address = parse_base_url(base_url)
        self.url = address.url
        self.key = key
        self.lock = lock
        self._transport = Transport(address, key, pacer=pacer, limits=limits, connections=connections)

    def send(
        self,
        operation: Operation,
        values: Sequence[str | int] = (),
        *,
        query: Mapping[str, str] | None = None,
        body: Body | None = None,
        content_type: str = "application/json",
        stop: threading.Event | None = None,
        on_wait: OnWait | None = None,
    ) -> Answer:
        """Send one operation; see `Transport.send`.

        Raises
        ------
        InputError, ConfigError
            The body has no exact form or too many items, or the environment is locked; nothing was sent.
        """
        self.lock.check(operation)
        operation.check_batch(body)
        return self._transport.send(
            operation,
            values,
            query=query,
            body=None if body is None else encode_body(body),
            content_type=content_type,
            stop=stop,
            on_wait=on_wait,
        )

    def reach(self) -> None:
        """Open the first connection; a `NotSentError` says why it cannot be had."""
        self._transport.reach()

    def close(self) -> None:
        """Hang up idle connections."""
        self._transport.close()
