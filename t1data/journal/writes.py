"""The statements by which a journal grows."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterable
from pathlib import Path

from t1data.journal.records import Line, Part


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


def add_effort(db: sqlite3.Connection, number: int, attempts: int, waited: float) -> None:
    """Add the attempts and the seconds of waiting that a batch took."""
    db.execute(
        "UPDATE batch SET attempts = attempts + ?, waited = waited + ? WHERE number = ?", (attempts, waited, number)
    )


def insert_answer(db: sqlite3.Connection, number: int, body: bytes) -> None:
    """Keep an answer of a batch, beside those that it got before."""
    db.execute("INSERT INTO answer (batch, body) VALUES (?, ?)", (number, body))
