"""The durable record of a run: one SQLite file, written before each request and before each answer is read.

One process writes it, from any of its threads, one step at a time; each step is on the disk when it returns.
What the file holds, and the rule by which a batch changes its state, stands in `records`.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self

from t1data.errors import JournalError
from t1data.journal.place import Reserve, connect, holder, take_hold
from t1data.journal.records import (
    OPEN,
    SCHEMA_VERSION,
    BatchRecord,
    Event,
    Line,
    RunRecord,
    Span,
    check_same,
    check_young,
    leaves,
    next_state,
    read_batches,
    read_head,
)


class Journal:
    """One run's file, open for writing by one process.

    Parameters
    ----------
    path : Path
        The file. Made with mode 0600, its folder with 0700, when they are not there.
    clock : callable
        Returns seconds since the epoch; a label only, nothing is decided by it.

    Raises
    ------
    JournalError
        When another process holds the run, or the file is not a journal or of a newer version.
    """

    def __init__(self, path: Path, *, clock: Callable[[], float] = time.time) -> None:
        self.path = path
        self._clock = clock
        self._lock = threading.RLock()
        self._pid = os.getpid()
        self._hold = take_hold(path)
        try:
            self._db = connect(path)
            self._reserve = Reserve(path)
        except BaseException:
            os.close(self._hold)
            raise
        self._full: str | None = None

    # --- the run's head -------------------------------------------------------------------------------

    def begin(
        self,
        id_: str,
        operation: str,
        *,
        base_url: str,
        facts: dict[str, Any],
        rows: int,
        resume_old: bool = False,
    ) -> RunRecord:
        """Write the head of a new run, or go on with the run that this file holds, if it is the same job.

        Raises
        ------
        JournalError
            The file holds a run of another job, host, input or mapping, and the message names the difference; or the
            run is old, and `resume_old` does not say that it is to be resumed all the same.
        """
        if (known := self.head()) is not None:
            check_same(known, self.path, operation=operation, base_url=base_url, facts=facts)
            if not resume_old:
                check_young(known, self._clock(), is_open=any(b.state in OPEN for b in leaves(self.batches())))
            with self._step() as db:
                db.execute("UPDATE run SET holder = ?, finished_at = NULL, stopped = NULL", (holder(),))
            return known
        now = self._clock()
        with self._step() as db:
            db.execute(
                "INSERT INTO run (id, schema_version, tool_version, operation, base_url, facts, rows,"
                " started_at, holder) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    id_,
                    SCHEMA_VERSION,
                    _tool_version(),
                    operation,
                    base_url,
                    json.dumps(facts),
                    rows,
                    now,
                    holder(),
                ),
            )
        head = self.head()
        assert head is not None
        return head

    def head(self) -> RunRecord | None:
        """Return the head of the run, or None while the file is new."""
        return read_head(self._db)

    def finish(self, *, stopped: str | None) -> None:
        """Note that the run ended, and why it stopped early if it did."""
        ended = "UPDATE run SET finished_at = ?, stopped = ?, holder = NULL"
        self._last_words(lambda db: db.execute(ended, (self._clock(), stopped)))

    # --- batches --------------------------------------------------------------------------------------

    def plan(self, number: int, spans: Iterable[Span], rows: int, lines: Iterable[Line] = ()) -> None:
        """Note a new batch, and the rows up to it that are not part of any. Durable with the next intent."""
        with self._step(commit=False) as db:
            _insert_lines(db, lines)
            _insert_batch(db, number, None, spans, rows)

    def note_lines(self, lines: Iterable[Line]) -> None:
        """Note rows that are part of no batch, such as those after the last one."""
        with self._step() as db:
            _insert_lines(db, lines)

    def intend(self, number: int) -> None:
        """Make it durable that batch `number` is about to be sent. No request may leave before this returns."""
        with self._step() as db:
            self._move(db, number, "intend", started_at=self._clock())

    def settle(
        self,
        number: int,
        event: Event,
        *,
        status: int | None = None,
        attempts: int = 0,
        waited: float = 0.0,
        reason: str | None = None,
        field: str | None = None,
        message: str | None = None,
        parts: Sequence[tuple[int, Iterable[Span], int]] = (),
    ) -> None:
        """Make the end of a batch durable, and in the same stroke the parts that it was narrowed to."""

        def step(db: sqlite3.Connection) -> None:
            if event in ("accept", "refuse") or status is not None:
                self._move(db, number, "answer", answered_at=self._clock())
            self._move(db, number, event, status=status, reason=reason, field=field, message=message)
            db.execute(
                "UPDATE batch SET attempts = attempts + ?, waited = waited + ? WHERE number = ?",
                (attempts, waited, number),
            )
            for part, spans, rows in parts:
                _insert_batch(db, part, number, spans, rows)

        self._last_words(step)

    def recut(self, old: Iterable[int], parent: int, parts: Iterable[tuple[int, Iterable[Span], int]]) -> None:
        """Replace batches that were planned and never sent by others of the same rows."""
        with self._step() as db:
            for number in old:
                db.execute("DELETE FROM batch WHERE number = ? AND state = 'planned'", (number,))
            for part, spans, rows in parts:
                _insert_batch(db, part, parent, spans, rows)

    def repeat_open(self) -> None:
        """Put back every batch whose fate is open, so that it is sent again. For repeatable operations."""
        with self._step() as db:
            for (number,) in db.execute(
                "SELECT number FROM batch WHERE state IN ('intent', 'answered', 'in_doubt')"
            ).fetchall():
                self._move(db, number, "repeat")

    def batches(self) -> list[BatchRecord]:
        """Return every batch in order of its number."""
        with self._lock:
            return list(read_batches(self._usable()))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Fold the log into the one file and let go of the run."""
        with self._lock:
            if self._hold < 0:
                return
            if self._db.in_transaction:
                self._db.execute("COMMIT")
            self._fold()
            self._db.close()
            self._reserve.release()
            os.close(self._hold)  # after the database: closing it would drop SQLite's own locks
            self._hold = -1

    def _fold(self) -> None:
        """Leave one file that can be copied and read without writing beside it; a reader may be in the way."""
        with suppress(sqlite3.Error):
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            self._db.execute("PRAGMA busy_timeout = 0")
            self._db.execute("PRAGMA journal_mode = DELETE")

    # --- inside ---------------------------------------------------------------------------------------

    def _usable(self) -> sqlite3.Connection:
        if self._hold < 0:
            raise JournalError(f"the journal {self.path} is closed")
        if os.getpid() != self._pid:
            raise JournalError("a journal cannot be used from a forked process; open it there anew")
        return self._db

    @contextmanager
    def _step(self, *, commit: bool = True, last_words: bool = False) -> Iterator[sqlite3.Connection]:
        """One step, durable when it ends with a commit. If it cannot be written, nothing more may be sent."""
        with self._lock:
            db = self._usable()
            if self._full and not last_words:
                raise JournalError(self._full)
            try:
                if not db.in_transaction:
                    db.execute("BEGIN IMMEDIATE")
                yield db
                if commit:
                    db.execute("COMMIT")
            except sqlite3.Error as error:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                self._full = (
                    f"the journal {self.path} cannot be written ({error}{_free(self.path)}); nothing more is sent"
                )
                raise JournalError(self._full) from error

    def _last_words(self, step: Callable[[sqlite3.Connection], object]) -> None:
        """Write what must not be lost, if need be in the room that was kept for it."""
        try:
            with self._step(last_words=True) as db:
                step(db)
        except JournalError:
            if not self._reserve.release():
                raise
            with self._step(last_words=True) as db:
                step(db)

    def _move(self, db: sqlite3.Connection, number: int, event: str, **values: object) -> None:
        found = db.execute("SELECT state FROM batch WHERE number = ?", (number,)).fetchone()
        if found is None:
            raise JournalError(f"the journal {self.path} does not know batch {number}; nothing more is sent")
        fields = {"state": next_state(found[0], event), **values}
        assignments = ", ".join(f"{name} = ?" for name in fields)  # names are this module's own, never data
        db.execute(f"UPDATE batch SET {assignments} WHERE number = ?", (*fields.values(), number))  # noqa: S608


def _free(path: Path) -> str:
    try:
        return f", {shutil.disk_usage(path.parent).free:,} bytes free"
    except OSError:
        return ""


def _tool_version() -> str:
    from importlib.metadata import version

    return version("t1data")


def _insert_lines(db: sqlite3.Connection, lines: Iterable[Line]) -> None:
    db.executemany(
        "INSERT OR IGNORE INTO line (row, reason, field, message, same_as) VALUES (?, ?, ?, ?, ?)",
        ((line.row, line.reason, line.field, line.message, line.same_as) for line in lines),
    )


def _insert_batch(db: sqlite3.Connection, number: int, parent: int | None, spans: Iterable[Span], rows: int) -> None:
    text = " ".join(f"{start}:{stop}" for start, stop in spans)
    db.execute(
        "INSERT INTO batch (number, parent, spans, rows, state) VALUES (?, ?, ?, ?, 'planned')",
        (number, parent, text, rows),
    )
