"""The statements by which a journal grows."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from t1data.journal.place import holder
from t1data.journal.records import SCHEMA_VERSION, Line, Part


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


def insert_lines(db: sqlite3.Connection, lines: Iterable[Line]) -> None:
    """Note rows that differ from their batch; those that are noted already stay."""
    db.executemany(
        "INSERT OR IGNORE INTO line (row, reason, field, message, same_as) VALUES (?, ?, ?, ?, ?)",
        ((line.row, line.reason, line.field, line.message, line.same_as) for line in lines),
    )


def insert_batch(db: sqlite3.Connection, part: Part, parent: int | None) -> None:
    """Note a batch. One that takes over rows which were sent already was sent when its parent was."""
    spans = " ".join(f"{start}:{stop}" for start, stop in part.spans)
    sent_by = None if part.state == "planned" else parent
    db.execute(
        "INSERT INTO batch (number, parent, spans, rows, state, status, reason, message, started_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, (SELECT started_at FROM batch WHERE number = ?))",
        (part.number, parent, spans, part.rows, part.state, part.status, part.reason, part.message, sent_by),
    )


def change(
    db: sqlite3.Connection,
    number: int,
    state: str,
    *,
    started_at: float | None = None,
    answered_at: float | None = None,
    attempts: int = 0,
    waited: float = 0.0,
    status: int | None = None,
    said: tuple[str | None, str | None, str | None] = (None, None, None),
) -> None:
    """Give a batch its next state, add what it took, and note the reason, field and message that were said.

    What is None stays as it was. The first start stands: what a request made cannot be older than that.
    """
    db.execute(
        "UPDATE batch SET state = ?, started_at = coalesce(started_at, ?), answered_at = coalesce(?, answered_at),"
        " attempts = attempts + ?, waited = waited + ?, status = coalesce(?, status), reason = coalesce(?, reason),"
        " field = coalesce(?, field), message = coalesce(?, message) WHERE number = ?",
        (state, started_at, answered_at, attempts, waited, status, *said, number),
    )


def insert_answer(db: sqlite3.Connection, number: int, body: bytes) -> None:
    """Keep an answer of a batch, beside those that it got before."""
    db.execute("INSERT INTO answer (batch, body) VALUES (?, ?)", (number, body))
