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
from t1data.journal.leaves import read_leaves
from t1data.journal.reads import count_invalid, count_unchanged, read_head, read_stand_ins, reading
from t1data.journal.records import RunRecord
from t1data.journal.said import TYPES, said_of
from t1data.tables.labels import BY_NUMBER, Labels

CHUNK = 16_384  # rows worked out at a time, so that outcomes of any number of rows can be written in bounded memory

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
    second : pandas Index, optional
        Labels of the rows of a second frame that outcomes may name, such as the items beside the sessions.
    """

    ids: Callable[[], Iterator[tuple[Rows, pa.Array]]]
    rows: Callable[[], Iterator[tuple[Rows, pa.RecordBatch]]]
    schema: pa.Schema
    index: Any = None
    second: Any = None

    @property
    def labels(self) -> Labels:
        """What people call the rows."""
        return Labels(self.index, self.second)


SCHEMA = pa.schema([("row", pa.int64()), ("integration_id", pa.string()), *TYPES.items()])


def outcome_chunks(journal: Path, source: Input | None = None) -> Iterator[pa.RecordBatch]:
    """Yield the outcome of every row of a run, in order, `CHUNK` rows at a time; see `Run.outcomes` for the columns.

    Forty bytes a batch are held, and the rows of one chunk.
    """
    with reading(journal) as db:
        head, leaves = head_of(db, journal), read_leaves(db)
        known_ids, labels = (_IdsByRow(source), source.labels) if source else (None, BY_NUMBER)
        for start in range(0, head.rows or 0, CHUNK):
            rows = np.arange(start, min(start + CHUNK, head.rows or 0), dtype=np.int64)
            said = said_of(db, leaves, head, rows, labels)
            ids = known_ids.between(start, start + len(rows)) if known_ids else pa.nulls(len(rows), pa.string())
            yield pa.record_batch([pa.array(rows + 1), ids, *said.values()], schema=SCHEMA)


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
    leaves = read_leaves(db)
    counts = leaves.count_rows()
    counts["invalid"] = count_invalid(db)
    counts["accepted"] += count_unchanged(db)
    for outcome, rows in leaves.count_outcomes_of(np.fromiter(read_stand_ins(db), dtype=np.int64)).items():
        counts[outcome] += rows
    counts["unsent"] += (head.rows or 0) - sum(counts.values())
    return counts
