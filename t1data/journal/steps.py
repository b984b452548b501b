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
from t1data.journal.writes import ROWS_AT_ONCE, AnswerRow, BatchRow, free, insert_answers, put_rows

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
        if self._noted:
            with self._lock:
                steps = self._stroke()
            if not all(step.written for step in steps):
                raise JournalError(self._full)

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

        A plan that was lost must not be followed by a later one: a resume begins where the last one ends.
        """
        steps = [self._noted.popleft() for _ in range(len(self._noted))]
        try:
            self._write(steps if self._full is None else _last_words(steps))
        except sqlite3.Error as error:
            said = f"the journal {self._path} cannot be written ({error}{free(self._path)}); nothing more is sent"
            self._full = self._full or said
            if self._reserve.release():
                with suppress(sqlite3.Error):
                    self._write(_last_words(steps))
        except BaseException:  # Ctrl-C in the thread that writes
            self._noted.extendleft(step for step in reversed(steps) if not step.written)
            raise
        return steps

    def _write(self, steps: list[_Step]) -> None:
        writes = [write for step in steps for write in step.writes]
        rows = [write for write in writes if isinstance(write, BatchRow)]
        if len(rows) == len(writes) <= ROWS_AT_ONCE:
            put_rows(self._db, rows)  # one statement is a transaction of its own
        else:
            self._write_together(writes)
        for step in steps:
            step.written = True
        self._synced = self._clock()

    def _write_together(self, writes: list[Write]) -> None:
        """Write in order, and all or nothing; answers come last, for nothing depends on them."""
        answers = [write for write in writes if isinstance(write, AnswerRow)]
        others = [write for write in writes if not isinstance(write, AnswerRow)]
        try:
            self._db.execute("BEGIN IMMEDIATE")
            for _, run in groupby(others, type):
                _write_alike(self._db, list(run))
            insert_answers(self._db, answers)
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise


def _write_alike(db: sqlite3.Connection, run: list[Any]) -> None:
    if isinstance(run[0], BatchRow):
        put_rows(db, run)
    else:
        for write in run:
            write(db)


def _last_words(steps: list[_Step]) -> list[_Step]:
    return [step for step in steps if step.last_words]
