"""The durable record of a run: one SQLite file, written before each request and before each answer is read.

One process writes it, from any of its threads, one step at a time; each step is on the disk when it returns.
What the file holds, and the rule by which a batch changes its state, stands in `records`.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from t1data.errors import JournalError
from t1data.journal.columns import Numbers, read_root_spans
from t1data.journal.leaves import read_leaves
from t1data.journal.place import Reserve, connect, holder, is_still, take_hold
from t1data.journal.reads import read_head, read_open
from t1data.journal.records import (
    OPEN,
    BatchRecord,
    Event,
    Line,
    Part,
    RunRecord,
    Span,
    check_same,
    check_young,
    next_state,
)
from t1data.journal.writes import change, fold, free, insert_answer, insert_batch, insert_head, insert_lines

_INTERRUPTED = "the run ended before an answer could be read"


class Journal:
    """One run's file, open for writing by one process.

    Parameters
    ----------
    path : Path
        The file. Made with mode 0600, its folder with 0700, when they are not there.
    durable : bool
        Each step is on the disk when it returns. A run that only reads can do without: it reads again.
    clock : callable
        Returns seconds since the epoch; a label only, nothing is decided by it.

    Raises
    ------
    JournalError
        When another process holds the run, or the file is not a journal or of a newer version.
    """

    def __init__(self, path: Path, *, durable: bool = True, clock: Callable[[], float] = time.time) -> None:
        self.path = path
        self._durable = durable
        self._clock = clock
        self._lock = threading.RLock()
        self._pid = os.getpid()
        self._hold = take_hold(path)
        try:
            self._db = connect(path, durable=durable)
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
                check_young(known, self._clock(), is_open=bool(self.open_batches(OPEN)))
            with self._step() as db:
                db.execute("UPDATE run SET holder = ?, finished_at = NULL, stopped = NULL", (holder(),))
            return known
        with self._step() as db:
            insert_head(db, id_, operation, base_url=base_url, facts=facts, rows=rows, now=self._clock())
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
            insert_lines(db, lines)
            insert_batch(db, Part(number, tuple(spans), rows), None)

    def note_lines(self, lines: Iterable[Line]) -> None:
        """Note rows that are part of no batch, such as those after the last one."""
        with self._step() as db:
            insert_lines(db, lines)

    def intend(self, number: int) -> None:
        """Make it durable that batch `number` is about to be sent. No request may leave before this returns."""
        self._usable()
        if not is_still(self._hold, self.path):
            raise JournalError(
                f"the journal {self.path} was moved or deleted while the run went on; nothing more is sent"
            )
        with self._step(commit=self._durable) as db:
            change(db, number, next_state(self.state_of(number), "intend"), started_at=self._clock())

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
        answer: bytes | None = None,
        parts: Sequence[Part] = (),
    ) -> None:
        """Make the end of a batch durable, and in the same stroke the parts that it was narrowed to."""

        def step(db: sqlite3.Connection) -> None:
            state, when = self.state_of(number), None
            if state == "intent" and (event in ("accept", "refuse") or status is not None):
                state, when = next_state(state, "answer"), self._clock()
            change(
                db,
                number,
                next_state(state, event),
                answered_at=when,
                attempts=attempts,
                waited=waited,
                status=status,
                reason=reason,
                field=field,
                message=message,
            )
            if answer:
                insert_answer(db, number, answer)
            for part in parts:
                insert_batch(db, part, number)

        self._last_words(step, commit=self._durable)

    def keep_answer(self, number: int, body: bytes, *, status: int, attempts: int, waited: float) -> None:
        """Make an answer that carries goods durable, as it came, before anybody reads it."""

        def step(db: sqlite3.Connection) -> None:
            state, when = next_state(self.state_of(number), "answer"), self._clock()
            change(db, number, state, status=status, answered_at=when, attempts=attempts, waited=waited)
            insert_answer(db, number, body)

        self._last_words(step)

    def kept_answer(self, number: int) -> bytes:
        """Return the answer that was kept for a batch."""
        found = self._ask("SELECT body FROM answer WHERE batch = ? ORDER BY id DESC", number)
        return (found and found[0]) or b""

    def recut(self, old: Iterable[int], parent: int, parts: Iterable[Part]) -> None:
        """Replace batches that were planned and never sent by others of the same rows."""
        with self._step() as db:
            for number in old:
                db.execute("DELETE FROM batch WHERE number = ? AND state = 'planned'", (number,))
            for part in parts:
                insert_batch(db, part, parent)

    def reopen(self) -> None:
        """Settle what an interrupted run left open: what was out when it ended is in doubt until it is known better."""
        with self._step() as db:
            out = db.execute("SELECT number, state FROM batch WHERE state IN ('intent', 'resent')").fetchall()
            for number, state in out:
                change(db, number, next_state(state, "doubt"), reason="interrupted", message=_INTERRUPTED)

    def state_of(self, number: int) -> str:
        """Return the state of a batch."""
        found = self._ask("SELECT state FROM batch WHERE number = ?", number)
        if found is None:
            raise JournalError(f"the journal {self.path} does not know batch {number}; nothing more is sent")
        return str(found[0])

    # --- what a resume asks ---------------------------------------------------------------------------

    def last_number(self) -> int:
        """Return the number of the newest batch, 0 when there is none."""
        return int(self._ask("SELECT coalesce(max(number), 0) FROM batch")[0])

    def open_batches(self, states: Collection[str]) -> list[BatchRecord]:
        """Return the batches in some states that were not narrowed further, in the order of their numbers."""
        with self._lock:
            return list(read_open(self._usable(), states))

    def settled(self) -> dict[str, int]:
        """Return how many rows have been accepted and refused."""
        with self._lock:
            rows = read_leaves(self._usable()).count_rows()
        return {outcome: rows[outcome] for outcome in ("accepted", "refused")}

    def root_spans(self) -> Numbers:
        """Return the spans of the batches that were cut from the input, whatever became of them: an (n, 2) array."""
        with self._lock:
            return read_root_spans(self._usable())

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
            fold(self._db)
            self._db.close()
            self._reserve.release()
            os.close(self._hold)  # after the database: closing it would drop SQLite's own locks
            self._hold = -1

    # --- inside ---------------------------------------------------------------------------------------

    def _usable(self) -> sqlite3.Connection:
        if self._hold < 0:
            raise JournalError(f"the journal {self.path} is closed")
        if os.getpid() != self._pid:
            raise JournalError("a journal cannot be used from a forked process; open it there anew")
        return self._db

    def _ask(self, query: str, *values: object) -> Any:
        """Return the first line that a query finds, None when there is none."""
        with self._lock:
            return self._usable().execute(query, values).fetchone()

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
                    f"the journal {self.path} cannot be written ({error}{free(self.path)}); nothing more is sent"
                )
                raise JournalError(self._full) from error

    def _last_words(self, step: Callable[[sqlite3.Connection], object], *, commit: bool = True) -> None:
        """Write what must not be lost, if need be in the room that was kept for it."""
        try:
            with self._step(commit=commit, last_words=True) as db:
                step(db)
        except JournalError:
            if not self._reserve.release():
                raise
            with self._step(commit=commit, last_words=True) as db:
                step(db)
