"""Steps on their way into a journal: noted in order by any thread, and written together in one stroke.

A commit costs more than all else that a batch needs of its journal, so one commit takes along whatever was noted until
then: while one thread waits for the disk, the steps of the others gather, and the first of them writes them all.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, TypeVar

from t1data.errors import JournalError
from t1data.journal.place import Reserve
from t1data.journal.writes import ROWS_AT_ONCE, AnswerRow, BatchRow, fold, free, insert_answers, put_rows

Write = BatchRow | AnswerRow | Callable[[sqlite3.Connection], object]
Found = TypeVar("Found")

LATE = 0.25  # seconds after which a step of a run that only reads is written


@dataclass(slots=True)
class _Step:
    writes: tuple[Write, ...]
    last_words: bool
    written: bool = False


class Steps:
    """The steps of one journal that are noted and not yet written, and the one way in which they are.

    A step is one or more writes, of which never only some are on the disk.

    Parameters
    ----------
    db : Connection
        The journal's, used by one thread at a time.
    path : Path
        Its file.
    reserve : Reserve
        Room for the last words on a full disk.
    durable : bool
        As for `Journal`.
    clock : callable
        Monotonic seconds.
    """

    def __init__(
        self,
        db: sqlite3.Connection,
        path: Path,
        reserve: Reserve,
        *,
        durable: bool,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._db = db
        self._path = path
        self._reserve = reserve
        self._durable = durable
        self._clock = clock
        self._synced = clock()
        self._lock = threading.Lock()
        self._noted: deque[_Step] = deque()
        self._full: str | None = None

    def note(self, *writes: Write, last_words: bool = False) -> _Step:
        """Let the next stroke take a step along. Once a step could not be written, only last words are noted.

        Raises
        ------
        JournalError
            The journal could not be written before.
        """
        if self._full and not last_words:
            raise JournalError(self._full)
        step = _Step(writes, last_words)
        self._noted.append(step)
        return step

    def do(self, *writes: Write, last_words: bool = False, at_once: bool = False) -> None:
        """Note a step, and have it on the disk when this returns; in a run that only reads, `at_once` or soon after.

        Raises
        ------
        JournalError
            It could not be written; nothing more may be sent.
        """
        step = self.note(*writes, last_words=last_words)
        if self.may_wait() and not at_once:
            return
        with self._lock:
            if not step.written:  # else another thread's stroke took it along
                self._stroke()
        if not step.written:
            raise JournalError(self._full)

    def flush(self) -> None:
        """Have all that is noted on the disk when this returns; in a run that only reads, soon after."""
        if not self.may_wait():
            self.sync()

    def sync(self) -> None:
        """Have all that is noted on the disk when this returns.

        Raises
        ------
        JournalError
            It could not be written; nothing more may be sent.
        """
        with self._lock:
            steps = self._stroke()
        if not all(step.written for step in steps):
            raise JournalError(self._full)

    def close(self) -> None:
        """Fold the log into the one file and let go of it, once no thread is writing."""
        with self._lock:
            fold(self._db)
            self._db.close()

    def ask(self, look: Callable[[sqlite3.Connection], Found]) -> Found:
        """Return what is found in the journal, all that is noted included."""
        self.sync()
        with self._lock:
            return look(self._db)

    def may_wait(self) -> bool:
        """Tell whether a step may be written a little later."""
        return not self._durable and self._clock() - self._synced < LATE

    def _stroke(self) -> list[_Step]:
        """Write what is noted, and return it; on a full disk its last words alone, in the room that was kept for them.

        A plan that was lost must not be followed by a later one: a resume begins where the last one ends. A step is
        taken out when it is written, or never will be, so that Ctrl-C loses none.
        """
        steps = [self._noted[at] for at in range(len(self._noted))]
        try:
            self._write(self._open(steps))
        except Exception as error:  # noqa: BLE001 - what one step is not fit for must not take the others along
            said = f"the journal {self._path} cannot be written ({error}{free(self._path)}); nothing more is sent"
            self._full = self._full or said
            if not _is_busy(error):  # else the last words are tried again with the next stroke
                self._reserve.release()
                self._write_each(self._open(steps))
        while self._noted and not self._open([self._noted[0]]):
            self._noted.popleft()
        return steps

    def _open(self, steps: list[_Step]) -> list[_Step]:
        """Return the steps that are still to be written: when nothing more may be sent, last words alone."""
        return [step for step in steps if not step.written and (step.last_words or self._full is None)]

    def _write_each(self, steps: list[_Step]) -> None:
        for step in steps:
            with suppress(Exception):
                self._write([step])

    def _write(self, steps: list[_Step]) -> None:
        before = self._db.total_changes
        try:
            self._write_all([write for step in steps for write in step.writes])
        except BaseException as error:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            elif not isinstance(error, Exception) and self._db.total_changes > before:
                self._have_written(steps)  # Ctrl-C is told when SQLite is back: what it was doing is on the disk
            raise
        self._have_written(steps)

    def _have_written(self, steps: list[_Step]) -> None:
        for step in steps:
            step.written = True
        self._synced = self._clock()

    def _write_all(self, writes: list[Write]) -> None:
        rows = [write for write in writes if isinstance(write, BatchRow)]
        if len(rows) == len(writes) <= ROWS_AT_ONCE:
            put_rows(self._db, rows)  # one statement is a transaction of its own
        else:
            self._write_together(writes)

    def _write_together(self, writes: list[Write]) -> None:
        """Write in order, and all or nothing; answers come last, for nothing depends on them."""
        answers = [write for write in writes if isinstance(write, AnswerRow)]
        others = [write for write in writes if not isinstance(write, AnswerRow)]
        self._db.execute("BEGIN IMMEDIATE")
        for _, run in groupby(others, type):
            _write_alike(self._db, list(run))
        insert_answers(self._db, answers)
        self._db.execute("COMMIT")


def _write_alike(db: sqlite3.Connection, run: list[Any]) -> None:
    if isinstance(run[0], BatchRow):
        put_rows(db, run)
    else:
        for write in run:
            write(db)


def _is_busy(error: Exception) -> bool:
    return getattr(error, "sqlite_errorname", "").startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))
