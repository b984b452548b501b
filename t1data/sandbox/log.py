"""What the server saw: one frozen record for every request, with times from one monotonic clock."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

KEEP_RECORDS = 100_000
KEEP_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True)
class Seen:
    """One request as the server saw it.

    Attributes
    ----------
    operation : str or None
        The operation's name; None when the path leads nowhere.
    method, path, query : str
        The request line; path and query as they came over the wire.
    values, headers : mapping
        The decoded path values; the headers in lower case, without the key.
    size : int
        Bytes of the body.
    body : bytes or None
        The body; None once it was dropped to bound memory, or was too large to keep.
    started, ended : float
        Seconds of the sandbox's clock when the headers were in, and when the answer was ready to leave.
        `ended` is None while the request runs.
    status : int or None
        The status that was answered; None while the request runs and when the connection was cut.
    """

    operation: str | None
    method: str
    path: str
    started: float
    values: Mapping[str, str] = field(default_factory=dict)
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    size: int = 0
    body: bytes | None = field(default=None, repr=False)
    ended: float | None = None
    status: int | None = None


class Requests:
    """The requests so far, oldest first: a sequence that grows while the sandbox serves."""

    def __init__(self, *, keep_records: int = KEEP_RECORDS, keep_bytes: int = KEEP_BYTES) -> None:
        self._lock = threading.Lock()
        self._records: dict[int, Seen] = {}
        self._bodies: dict[int, int] = {}
        self._next = 0
        self._held = 0
        self._keep_records = keep_records
        self._keep_bytes = keep_bytes

    def __repr__(self) -> str:
        return f"<{len(self)} requests>"

    def __len__(self) -> int:
        with self._lock:
            return len(self._records)

    def __iter__(self) -> Iterator[Seen]:
        return iter(self.of())

    def __getitem__(self, position: int) -> Seen:
        return self.of()[position]

    def of(self, operation: str | None = None) -> list[Seen]:
        """Return the records as they stand now: of one operation, or all."""
        with self._lock:
            records = list(self._records.values())
        return [record for record in records if operation is None or record.operation == operation]

    def clear(self) -> None:
        """Forget them all."""
        with self._lock:
            self._records.clear()
            self._bodies.clear()
            self._held = 0

    def begin(self, record: Seen) -> int:
        """Note that a request arrived; the number returned stands for it."""
        with self._lock:
            self._next += 1
            self._records[self._next] = record
            if record.body:
                self._bodies[self._next] = len(record.body)
                self._held += len(record.body)
            self._forget_oldest()
            return self._next

    def end(self, number: int, *, ended: float, status: int | None) -> None:
        """Note how the request ended; nothing happens when it was forgotten meanwhile."""
        with self._lock:
            record = self._records.get(number)
            if record is not None:
                self._records[number] = replace(record, ended=ended, status=status)

    def _forget_oldest(self) -> None:
        while self._held > self._keep_bytes:
            self._drop_body(next(iter(self._bodies)))
        if len(self._records) > self._keep_records:
            oldest = next(iter(self._records))
            self._drop_body(oldest)
            del self._records[oldest]

    def _drop_body(self, number: int) -> None:
        self._held -= self._bodies.pop(number, 0)
        self._records[number] = replace(self._records[number], body=None)
