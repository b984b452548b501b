"""The durable record of a run: one SQLite file, written before each request and before each answer is read.

One process writes it, from any of its threads. What must be on the disk before something else may happen is there when
its method returns, and with it all that was noted before (`steps`). What the file holds, and the rule by which a batch
changes its state, stands in `records`.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Self, cast

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
    State,
    check_same,
    check_young,
    next_state,
)
from t1data.journal.steps import Steps, Write
from t1data.journal.writes import AnswerRow, BatchRow, insert_head, insert_lines, insert_parts, spans_text, storable

_INTERRUPTED = "the run ended before an answer could be read"


class Journal:
    """One run's file, open for writing by one process.

    Parameters
    ----------
    path : Path
        The file. Made with mode 0600, its folder with 0700, when they are not there.
    durable : bool
        Intents and answers are on the disk when their methods return. A run that only reads can do without: it reads
        again what a kill takes from it, no more than the last moments.
    clock : callable
        Returns seconds since the epoch; a label only, nothing is decided by it.

    Raises
    ------
    JournalError
        When another process holds the run, or the file is not a journal or of a newer version.
    """

    def __init__(self, path: Path, *, durable: bool = True, clock: Callable[[], float] = time.time) -> None:
        self.path = path
        self._clock = clock
        self._states: dict[int, State] = {}  # of batches that are not settled for good
        self._pid = os.getpid()
        self._hold = take_hold(path)
        try:
            self._db = connect(path, durable=durable)
            self._reserve = Reserve(path)
        except BaseException:
            os.close(self._hold)
            raise
        self._queue = Steps(self._db, path, self._reserve, durable=durable)

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
            again = "UPDATE run SET holder = ?, finished_at = NULL, stopped = NULL"
            self._steps.do(lambda db: db.execute(again, (holder(),)), at_once=True)
            return known
        now = self._clock()
        self._steps.do(
            lambda db: insert_head(db, id_, operation, base_url=base_url, facts=facts, rows=rows, now=now), at_once=True
        )
        known = self.head()
        assert known is not None
        return known

    def head(self) -> RunRecord | None:
        """Return the head of the run, or None while the file is new."""
        return self._steps.ask(read_head)

    def finish(self, *, stopped: str | None) -> None:
        """Note that the run ended, and why it stopped early if it did."""
        ended = "UPDATE run SET finished_at = ?, stopped = ?, holder = NULL"
        facts = (self._clock(), stopped)
        self._steps.do(lambda db: db.execute(ended, facts), last_words=True, at_once=True)

    # --- batches --------------------------------------------------------------------------------------

    def plan(self, number: int, spans: Iterable[Span], rows: int, lines: Iterable[Line] = ()) -> None:
        """Note a new batch, and the rows up to it that are not part of any. Durable with the next intent."""
        self.note_lines(lines)
        self._steps.note(BatchRow(number, "planned", spans_text(spans), rows))
        self._know(number, "planned")

    def note_lines(self, lines: Iterable[Line]) -> None:
        """Note rows that are part of no batch, such as those after the last one. Durable with the next intent."""
        if noted := list(lines):
            self._steps.note(lambda db: insert_lines(db, noted))

    def intend(self, number: int) -> None:
        """Make it durable that batch `number` is about to be sent. No request may leave before this returns."""
        steps = self._steps
        if not steps.may_wait() and not is_still(self._hold, self.path):
            gone = f"the journal {self.path} was moved or deleted while the run went on; nothing more is sent"
            raise JournalError(gone)
        state, now = next_state(self.state_of(number), "intend"), self._clock()
        steps.do(BatchRow(number, state, started_at=now))
        self._know(number, state)

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
        """Note the end of a batch, and in the same stroke the parts that it was narrowed to.

        Durable with the next intent, or with `flush`: who settles does one of the two before it waits for long.
        Killed before, a run knows the batch as one that was on its way.
        """
        before, when = self.state_of(number), None
        if before == "intent" and (event in ("accept", "refuse") or status is not None):
            before, when = next_state(before, "answer"), self._clock()
        state = next_state(before, event)
        row = BatchRow(
            number, state, answered_at=when, attempts=attempts, waited=waited,
            status=status, reason=reason, field=storable(field), message=storable(message),
        )  # fmt: skip
        more: list[Write] = [AnswerRow(number, answer)] if answer else []
        if parts:
            more.append(partial(insert_parts, parts=parts, parent=number))
        self._steps.note(row, *more, last_words=True)
        self._know(number, state)
        for part in parts:
            self._know(part.number, part.state)

    def keep_answer(self, number: int, body: bytes, *, status: int, attempts: int, waited: float) -> None:
        """Make an answer that carries goods durable, as it came, before anybody reads it."""
        state, now = next_state(self.state_of(number), "answer"), self._clock()
        row = BatchRow(number, state, answered_at=now, attempts=attempts, waited=waited, status=status)
        self._steps.do(row, AnswerRow(number, body), last_words=True)
        self._know(number, state)

    def flush(self) -> None:
        """Make durable what was settled. In a run that only reads it may take a moment longer."""
        self._steps.flush()

    def kept_answer(self, number: int) -> bytes:
        """Return the answer that was kept for a batch."""
        found = self._ask("SELECT body FROM answer WHERE batch = ? ORDER BY id DESC", number)
        return (found and found[0]) or b""

    def recut(self, old: Iterable[int], parent: int, parts: Iterable[Part]) -> None:
        """Replace batches that were planned and never sent by others of the same rows. Durable with the next intent."""
        gone, new = list(old), list(parts)

        def write(db: sqlite3.Connection) -> None:
            db.executemany("DELETE FROM batch WHERE number = ? AND state = 'planned'", ((number,) for number in gone))
            insert_parts(db, new, parent)

        self._steps.note(write)
        for number in gone:
            self._states.pop(number, None)
        for part in new:
            self._know(part.number, part.state)

    def reopen(self) -> None:
        """Settle what an interrupted run left open: what was out when it ended is in doubt until it is known better."""
        for record in self.open_batches(("intent", "resent")):
            self._know(record.number, cast(State, record.state))  # or each would be asked for, and the last one written
            self.settle(record.number, "doubt", reason="interrupted", message=_INTERRUPTED)
        self._steps.sync()

    def state_of(self, number: int) -> State:
        """Return the state of a batch."""
        if (state := self._states.get(number)) is not None:
            return state
        found = self._ask("SELECT state FROM batch WHERE number = ?", number)
        if found is None:
            raise JournalError(f"the journal {self.path} does not know batch {number}; nothing more is sent")
        return cast(State, found[0])

    def is_open(self, number: int, states: Collection[str]) -> bool:
        """Tell whether a batch that this run has touched is in one of some states from which it may go on."""
        return self._states.get(number) in states

    # --- what a resume asks ---------------------------------------------------------------------------

    def last_number(self) -> int:
        """Return the number of the newest batch, 0 when there is none."""
        return int(self._ask("SELECT coalesce(max(number), 0) FROM batch")[0])

    def open_batches(self, states: Collection[str]) -> list[BatchRecord]:
        """Return the batches in some states that were not narrowed further, in the order of their numbers."""
        return self._steps.ask(lambda db: list(read_open(db, states)))

    def settled(self) -> dict[str, int]:
        """Return how many rows have been accepted and refused."""
        rows = self._steps.ask(lambda db: read_leaves(db).count_rows())
        return {outcome: rows[outcome] for outcome in ("accepted", "refused")}

    def root_spans(self) -> Numbers:
        """Return the spans of the batches that were cut from the input, whatever became of them: an (n, 2) array."""
        return self._steps.ask(read_root_spans)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Fold the log into the one file and let go of the run. In a forked process it does nothing."""
        if self._hold < 0 or os.getpid() != self._pid:
            return
        hold, self._hold = self._hold, -1  # from now on nothing is noted
        try:
            self._queue.sync()
        finally:
            self._queue.close()
            self._reserve.release()
            os.close(hold)  # after the database: closing it would drop SQLite's own locks

    # --- inside ---------------------------------------------------------------------------------------

    @property
    def _steps(self) -> Steps:
        """The way to the file, for who may use it."""
        if self._hold < 0:
            raise JournalError(f"the journal {self.path} is closed")
        if os.getpid() != self._pid:
            raise JournalError("a journal cannot be used from a forked process; open it there anew")
        return self._queue

    def _know(self, number: int, state: State) -> None:
        """Remember the state of a batch, unless it never changes again: of those there can be as many as rows."""
        if state in ("done", "refused"):
            self._states.pop(number, None)
        else:
            self._states[number] = state

    def _ask(self, query: str, *values: object) -> Any:
        """Return the first line that a query finds, None when there is none."""
        return self._steps.ask(lambda db: db.execute(query, values).fetchone())
