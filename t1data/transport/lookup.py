"""A host's addresses, looked up in bounded time.

The system's own look-up takes no time-out and cannot be ended. So it runs in a thread of its own, and who waits for
it does so only for so long.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any

Found = Sequence[tuple[Any, Any, int, str, Any]]
Resolve = Callable[..., Found]


class Lookup:
    """Looks names up; those who ask for one that is being looked up already wait for the same answer.

    So a resolver that hangs holds one thread for each name, however often a request is tried again.

    Parameters
    ----------
    resolve : callable
        As `socket.getaddrinfo`.

    Examples
    --------
    >>> Lookup()("127.0.0.1", 80, 1.0)
    ['127.0.0.1']
    """

    def __init__(self, resolve: Resolve = socket.getaddrinfo) -> None:
        self._resolve = resolve
        self._lock = threading.Lock()
        self._under_way: dict[tuple[str, int], Future[Found]] = {}

    def __call__(self, host: str, port: int, seconds: float) -> list[str]:
        """Return the addresses of a host.

        Raises
        ------
        OSError
            The name is not known; a `TimeoutError` when that could not be found out in time.
        """
        with self._lock:
            answer = self._under_way.get((host, port)) or self._start(host, port)
        return [str(place[0]) for *_, place in answer.result(seconds)]

    def _start(self, host: str, port: int) -> Future[Found]:
        answer = self._under_way[host, port] = Future()
        # A daemon: one that hangs must not keep the process from ending.
        threading.Thread(target=self._look, args=(host, port, answer), name="t1data-lookup", daemon=True).start()
        return answer

    def _look(self, host: str, port: int, answer: Future[Found]) -> None:
        try:
            found = self._resolve(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            self._forget(host, port)
            answer.set_exception(OSError(str(error)))
        else:
            self._forget(host, port)
            answer.set_result(found)

    def _forget(self, host: str, port: int) -> None:
        with self._lock:
            self._under_way.pop((host, port), None)
