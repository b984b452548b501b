"""The outcome of every row, worked out from a journal in bounded memory, whatever the number of rows."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from t1data.errors import JournalError
from t1data.journal.reads import (
    count_invalid,
    count_unchanged,
    read_batches,
    read_head,
    read_lines,
    read_stand_ins,
    reading,
)
from t1data.journal.records import OUTCOMES, UNCHANGED, BatchRecord, Line, RunRecord, leaves, outcome_of

_ON_ITS_WAY = ("intent", "resent")

CHUNK = 65_536  # rows worked out at a time, so that outcomes of any number of rows can be written in bounded memory

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Input:
    """The input of a run, to be read again: a journal holds neither ids nor values.

    Attributes
    ----------
    ids : callable
        Yields row numbers and ids, ascending; rows that it leaves out have no id that could be read.
    rows : callable
        Yields row numbers and the columns as they are in the input.
    schema : pyarrow.Schema
        Of the columns.
    index : pandas Index, optional
        Labels of the rows, when the input was a frame.
    """

    ids: Callable[[], Iterator[tuple[Rows, pa.Array]]]
    rows: Callable[[], Iterator[tuple[Rows, pa.RecordBatch]]]
    schema: pa.Schema
    index: Any = None


SCHEMA = pa.schema(
    [
        ("row", pa.int64()),
        ("integration_id", pa.string()),
        ("outcome", pa.string()),
        ("http_status", pa.int16()),
        ("reason", pa.string()),
        ("field", pa.string()),
        ("message", pa.string()),
        ("batch", pa.int64()),
        ("attempts", pa.int32()),
    ]
)


def outcome_chunks(journal: Path, source: Input | None = None) -> Iterator[pa.RecordBatch]:
    """Yield the outcome of every row of a run, in order, `CHUNK` rows at a time; see `Run.outcomes` for the columns."""
    with reading(journal) as db:
        head = head_of(db, journal)
        index = _Leaves(list(read_batches(db)))
        known_ids = _IdsByRow(source) if source else None
        for start in range(0, head.rows or 0, CHUNK):
            stop = min(start + CHUNK, head.rows or 0)
            lines = read_lines(db, start, stop)
            yield _chunk(index, lines, head, start, stop, known_ids)


class _Leaves:
    """Which batch each row stands in. The leaves' spans never overlap, so one sorted list answers."""

    def __init__(self, batches: list[BatchRecord]) -> None:
        spans = sorted((start, stop, i) for i, leaf in enumerate(leaves(batches)) for start, stop in leaf.spans)
        self.leaves = leaves(batches)
        self._starts = np.array([span[0] for span in spans], dtype=np.int64)
        self._stops = np.array([span[1] for span in spans], dtype=np.int64)
        self._owners = np.array([span[2] for span in spans], dtype=np.int64)

    def find(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return the place in `leaves` for each row, -1 where no batch was planned."""
        if not len(self._starts):
            return np.full(len(rows), -1, dtype=np.int64)
        place = np.searchsorted(self._starts, rows, side="right") - 1
        inside = (place >= 0) & (rows < self._stops[place])
        return np.where(inside, self._owners[place], -1)

    def take(self, places: npt.NDArray[np.int64], values: list[Any], otherwise: Any) -> npt.NDArray[np.object_]:
        """Return ``values[place]`` for each row, `otherwise` where there is no batch."""
        table = np.array([*values, otherwise], dtype=object)
        return table[places]  # -1 picks the last


class _IdsByRow:
    """The ids of consecutive ranges of rows, read forward once."""

    def __init__(self, source: Input) -> None:
        self._source = source.ids()
        self._rows: npt.NDArray[np.int64] = np.empty(0, dtype=np.int64)
        self._ids: pa.Array = pa.array([], pa.string())

    def between(self, start: int, stop: int) -> pa.Array:
        """Return the ids of the rows from `start` to before `stop`, null where there is none."""
        while not len(self._rows) or self._rows[-1] < stop - 1:
            try:
                rows, ids = next(self._source)
            except StopIteration:
                break
            self._rows = np.concatenate((self._rows, rows))
            self._ids = pa.concat_arrays([self._ids, ids.cast(pa.string())])
        low, high = np.searchsorted(self._rows, [start, stop])
        places = np.full(stop - start, -1, dtype=np.int64)
        places[self._rows[low:high] - start] = np.arange(low, high)
        found = self._ids.take(pa.array(places, mask=places < 0))
        self._rows, self._ids = self._rows[high:], self._ids.slice(high)
        return found


def head_of(db: sqlite3.Connection, journal: Path) -> RunRecord:
    """Return the head of the run, or raise when it ended before it began."""
    head = read_head(db)
    if head is None:
        raise JournalError(f"{journal} holds no run: it ended before the run began")
    return head


def count_outcomes(db: sqlite3.Connection, head: RunRecord) -> dict[str, int]:
    """Return how many rows have each outcome; the numbers add up to the rows of the input."""
    counts = dict.fromkeys(OUTCOMES, 0)
    index = _Leaves(list(read_batches(db)))
    for leaf in index.leaves:
        counts[outcome_of(leaf.state)] += leaf.rows
    counts["invalid"] = count_invalid(db)
    counts["accepted"] += count_unchanged(db)
    for place in index.find(np.array(read_stand_ins(db), dtype=np.int64)):
        counts["unsent" if place < 0 else outcome_of(index.leaves[place].state)] += 1
    counts["unsent"] += (head.rows or 0) - sum(counts.values())
    return counts


def _chunk(
    index: _Leaves, lines: list[Line], head: RunRecord, start: int, stop: int, ids: _IdsByRow | None
) -> pa.RecordBatch:
    rows = np.arange(start, stop, dtype=np.int64)
    owners = rows.copy()  # the row whose batch decides: itself, or the equal row that was sent in its place
    for line in lines:
        if line.same_as is not None:
            owners[line.row - start] = line.same_as
    places = index.find(owners)
    columns = {
        "outcome": index.take(places, [outcome_of(leaf.state) for leaf in index.leaves], "unsent"),
        "http_status": index.take(places, [leaf.status for leaf in index.leaves], None),
        "reason": index.take(places, [_reason(leaf) for leaf in index.leaves], "stopped"),
        "field": index.take(places, [leaf.field for leaf in index.leaves], None),
        "message": index.take(places, [_message(leaf, head) for leaf in index.leaves], head.stopped),
        "batch": index.take(places, [leaf.number for leaf in index.leaves], None),
        "attempts": index.take(places, [leaf.attempts for leaf in index.leaves], 0),
    }
    for line in lines:
        _overwrite(columns, line, line.row - start)
    return pa.RecordBatch.from_arrays(
        [
            pa.array(rows + 1),
            ids.between(start, stop) if ids else pa.nulls(len(rows), pa.string()),
            *(pa.array(columns[name], type=SCHEMA.field(name).type) for name in SCHEMA.names[2:]),
        ],
        schema=SCHEMA,
    )


def _overwrite(columns: dict[str, npt.NDArray[np.object_]], line: Line, place: int) -> None:
    if line.same_as is not None:
        columns["message"][place] = f"the same as row {line.same_as + 1}, which stands for it"
        return
    outcome = "accepted" if line.reason == UNCHANGED else "invalid"
    values = (outcome, None, line.reason, line.field, line.message, None, 0)
    for name, value in zip(columns, values, strict=True):
        columns[name][place] = value


def _reason(leaf: BatchRecord) -> str | None:
    if leaf.state in _ON_ITS_WAY:
        return "no_answer"
    return "stopped" if leaf.state == "planned" else leaf.reason


def _message(leaf: BatchRecord, head: RunRecord) -> str | None:
    if leaf.state in _ON_ITS_WAY:  # of a run that goes on, or was killed
        return "sent, and no answer has been read"
    if leaf.state != "planned":
        return leaf.message
    if head.finished_at is None or head.stopped is not None:
        return head.stopped
    if leaf.status is None:
        return "waits for an earlier row of the same customer that has no clear answer; a resume sends them in order"
    return f"the server did not take it (status {leaf.status}); a resume sends it again"
