"""What every part of the sandbox shares: a call, a reply, a refusal, the switches, the account's store.

A handler is a plain function ``(account, call) -> Reply``. It runs inside one transaction: when it raises
`Refusal`, or anything else, nothing that it wrote stays.
"""

from __future__ import annotations

import random
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal


@dataclass(frozen=True)
class Call:
    """One request, already authenticated, routed and parsed.

    `path` holds the decoded path values, `query` the last value of each parameter, `body` the parsed JSON
    or None when there was no body.
    """

    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    files: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class Reply:
    """A status and a JSON body; text instead of JSON when `text` is given (the CSV exports)."""

    status: int = 200
    body: Any = None
    text: str | None = None
    media_type: str = "application/json"


class Refusal(Exception):
    """The server's no, in Talon.One's own error shape."""

    def __init__(self, status: int, message: str, errors: list[dict[str, Any]] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.errors = errors or []


def invalid(title: str, details: str, pointer: str) -> Refusal:
    """Return the 400 for one fault in the body."""
    return invalid_all([fault(title, details, pointer)])


def invalid_all(errors: list[dict[str, Any]]) -> Refusal:
    """Return the 400 for every fault that was found in the body."""
    return Refusal(400, "The submitted data was invalid", errors)


def fault(title: str, details: str, pointer: str) -> dict[str, Any]:
    """Return one item of the ``errors`` list of a 400."""
    return {"title": title, "details": details, "source": {"pointer": pointer}}


@dataclass(frozen=True)
class Options:
    """The open choices of the API: what no document settles, the likeliest answer as the default."""

    bad_batch_item: Literal["reject_all", "skip_bad"] = "reject_all"
    point_at_faults: bool = True
    unknown_reservation_profile: Literal["accept", "create", "reject"] = "accept"
    unknown_advocate: Literal["accept", "create", "reject"] = "accept"
    unknown_attribute: Literal["reject", "declare"] = "reject"
    duplicate_in_batch: Literal["last", "reject"] = "last"
    null_clears: bool = True
    code_case: Literal["insensitive-upper", "insensitive-lower", "sensitive"] = "sensitive"
    environment: Literal["sandbox", "live"] = "sandbox"
    rate: float | None = None
    send_retry_after: bool = True
    batch_limit: int = 1000


class Account:
    """The state of one Talon.One account, in SQLite.

    Parameters
    ----------
    path : str
        A file to keep the state in, or ``":memory:"``.
    options : Options
        The open choices.
    clock : callable
        Returns the present time, aware and in UTC; passed in so that tests can set it.
    seed : int, optional
        Makes generated codes repeatable.
    """

    def __init__(
        self,
        path: str = ":memory:",
        *,
        options: Options | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        seed: int | None = None,
    ) -> None:
        self.options = options or Options()
        self.random = random.Random(seed)  # noqa: S311 - codes of a sandbox are worth nothing
        self._clock = clock
        self._lock = threading.RLock()
        self.db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self.db.row_factory = sqlite3.Row
        self.db.execute("PRAGMA foreign_keys = ON")

    def now(self) -> str:
        """Return the present time as RFC 3339 in UTC with microseconds."""
        return self._clock().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Hold the account for one call: everything inside is kept, or nothing."""
        with self._lock:
            self.db.execute("BEGIN IMMEDIATE")
            try:
                yield self.db
            except BaseException:
                self.db.execute("ROLLBACK")
                raise
            self.db.execute("COMMIT")

    def close(self) -> None:
        """Close the store."""
        with self._lock:
            self.db.close()
