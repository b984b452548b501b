"""What every part of the sandbox shares: a call, a reply, a refusal, the switches, the account's store.

A handler is a plain function ``(account, call) -> Reply``. It runs inside one transaction: when it raises
`Refusal`, or anything else, nothing that it wrote stays.

Numbers stay as written: `parse` reads a number with a fraction or an exponent as `decimal.Decimal` and any other
as `int`, and `dump` writes both digit for digit. Bodies, the store and the answers all go through this pair, so
``11.10`` never becomes ``11.099999`` and an integer of 40 digits keeps them all.
"""

from __future__ import annotations

import json
import math
import random
import sqlite3
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from json.encoder import encode_basestring_ascii
from typing import Any

from t1data.sandbox import schema
from t1data.sandbox.options import Options

ACCOUNT_ID = 1
APPLICATION_ID = 1


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


def _exact(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise ValueError("a number with an exponent beyond all use") from None


def _no_constant(text: str) -> None:
    raise ValueError(f"{text} is no JSON")


_DECODER = json.JSONDecoder(parse_float=_exact, parse_constant=_no_constant)


def parse(text: str) -> Any:
    """Return the value of a JSON text, numbers exact.

    Raises
    ------
    ValueError
        When the text is no JSON: ``NaN`` and ``Infinity`` are none.
    RecursionError
        When it is nested too deeply.

    Examples
    --------
    >>> parse('{"Spend": 11.10}')
    {'Spend': Decimal('11.10')}
    """
    return _DECODER.decode(text)


def dump(value: Any) -> str:
    r"""Return the JSON text of a value, in ASCII, with numbers digit for digit.

    The standard library's encoder cannot write a `Decimal` as a number, hence this one.

    Examples
    --------
    >>> dump({"Spend": Decimal("11.10"), "Name": "Zoë"})
    '{"Spend":11.10,"Name":"Zo\\u00eb"}'
    """
    if isinstance(value, str):
        return encode_basestring_ascii(value)
    if value is None or isinstance(value, bool):
        return _WORDS[value]
    if isinstance(value, int | float | Decimal):
        return _number(value)
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{encode_basestring_ascii(k)}:{dump(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(dump, value)) + "]"
    raise TypeError(f"{type(value).__name__} has no JSON form")


_WORDS = {None: "null", True: "true", False: "false"}


def _number(value: int | float | Decimal) -> str:
    if not isinstance(value, int) and not math.isfinite(value):
        raise ValueError(f"{value} has no JSON form")
    return str(value)


def not_found(what: str) -> Refusal:
    """Return the 404 for something that the account does not have."""
    return Refusal(404, f"{what} does not exist")


def present(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields without those that have no value: the API leaves optional fields out."""
    return {name: value for name, value in fields.items() if value is not None}


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

    Raises
    ------
    ValueError
        When the file is another database, or an account of another version.
    sqlite3.Error
        When the file cannot be read, or is no database.
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
        weakref.finalize(self, self.db.close)  # an account that is let go of must not leave its store open
        self.db.row_factory = sqlite3.Row
        try:
            self._open()
        except BaseException:
            self.db.close()
            raise

    def _open(self) -> None:
        schema.create(self.db, created=self.now())  # first, so that a file that is not ours stays as it is
        self.db.execute("PRAGMA foreign_keys = ON")
        self.db.execute("PRAGMA journal_mode = WAL")
        self.db.execute("PRAGMA synchronous = NORMAL")

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


Handler = Callable[[Account, Call], Reply]
