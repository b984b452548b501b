"""The statements by which a journal grows."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from t1data.journal.place import holder
from t1data.journal.records import SCHEMA_VERSION, Line, Part, Span


def free(path: Path) -> str:
    """Say how much room there is where a journal lies."""
    try:
        return f", {shutil.disk_usage(path.parent).free:,} bytes free"
    except OSError:
        return ""


def tool_version() -> str:
    """Return the version of t1data that writes."""
    from importlib.metadata import version

    return version("t1data")


def fold(db: sqlite3.Connection) -> None:
    """Leave one file that can be copied and read without writing beside it; a reader may be in the way."""
    with suppress(sqlite3.Error):
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        db.execute("PRAGMA busy_timeout = 0")
        db.execute("PRAGMA journal_mode = DELETE")


def insert_head(
    db: sqlite3.Connection, id_: str, operation: str, *, base_url: str, facts: Mapping[str, Any], rows: int, now: float
) -> None:
    """Note what run this is; the process that notes it holds the run."""
    db.execute(
        "INSERT INTO run (id, schema_version, tool_version, operation, base_url, facts, rows, started_at, holder)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (id_, SCHEMA_VERSION, tool_version(), operation, base_url, json.dumps(facts), rows, now, holder()),
    )


def storable(text: str | None) -> str | None:
    """Return words as a journal can hold them: a server's JSON may tell half a surrogate pair.

    Examples
    --------
    >>> storable("bad \\ud800")
    'bad \\\\ud800'
    """
    return text and text.encode("utf-8", "backslashreplace").decode()


def insert_lines(db: sqlite3.Connection, lines: Iterable[Line]) -> None:
    """Note rows that differ from their batch; those that are noted already stay."""
    db.executemany(
        "INSERT OR IGNORE INTO line (row, reason, field, message, same_as) VALUES (?, ?, ?, ?, ?)",
        ((line.row, line.reason, storable(line.field), storable(line.message), line.same_as) for line in lines),
    )


def insert_parts(db: sqlite3.Connection, parts: Iterable[Part], parent: int) -> None:
    """Note batches that take over rows of another one. Those that were sent already were when that one was."""
    db.executemany(
        "INSERT INTO batch (number, parent, spans, rows, state, status, reason, message, started_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, (SELECT started_at FROM batch WHERE number = ?))",
        (
            (
                part.number, parent, spans_text(part.spans), part.rows, part.state,
                part.status, part.reason, storable(part.message), None if part.state == "planned" else parent,
            )
            for part in parts
        ),
    )  # fmt: skip


class BatchRow(NamedTuple):
    """A new batch, or what is new about one: its next state, what it took, and what was said.

    What is None stays as it was, and so does the first start: what a request made cannot be older than that.
    """

    number: int
    state: str
    spans: str = ""
    rows: int = 0
    started_at: float | None = None
    answered_at: float | None = None
    attempts: int = 0
    waited: float = 0.0
    status: int | None = None
    reason: str | None = None
    field: str | None = None
    message: str | None = None


ROWS_AT_ONCE = 64
_LATER = ("answered_at", "status", "reason", "field", "message")
_RULE = ", ".join(
    [
        "state = excluded.state, started_at = coalesce(started_at, excluded.started_at)",
        *(f"{name} = {name} + excluded.{name}" for name in ("attempts", "waited")),
        *(f"{name} = coalesce(excluded.{name}, {name})" for name in _LATER),
    ]
)


def put_rows(db: sqlite3.Connection, rows: Sequence[BatchRow]) -> None:
    """Write rows in order, the later of one batch over the earlier, `ROWS_AT_ONCE` in a statement.

    Each statement gives the interpreter to another thread, which costs more than what SQLite does.
    """
    for at in range(0, len(rows), ROWS_AT_ONCE):
        some = rows[at : at + ROWS_AT_ONCE]
        db.execute(_put(len(some)), list(chain.from_iterable(some)))


@lru_cache(maxsize=ROWS_AT_ONCE)
def _put(count: int) -> str:
    row = f"({', '.join('?' * len(BatchRow._fields))})"
    values = ", ".join([row] * count)
    return (
        f"INSERT INTO batch ({', '.join(BatchRow._fields)}) VALUES {values} ON CONFLICT (number) DO UPDATE SET {_RULE}"  # noqa: S608
    )


def spans_text(spans: Iterable[Span]) -> str:
    """Return half-open ranges of rows as a journal holds them.

    Examples
    --------
    >>> spans_text([(0, 3), (5, 6)])
    '0:3 5:6'
    """
    return " ".join(f"{start}:{stop}" for start, stop in spans)


class AnswerRow(NamedTuple):
    """An answer of a batch, kept beside those that it got before."""

    number: int
    body: bytes


def insert_answers(db: sqlite3.Connection, answers: Iterable[AnswerRow]) -> None:
    """Keep answers."""
    db.executemany("INSERT INTO answer (batch, body) VALUES (?, ?)", answers)
