"""The batches of a journal column by column, a portion at a time: no object for each of them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from t1data.journal.reads import NARROWED, read_portions
from t1data.journal.records import STATES
from t1data.tables.strings import flags_of, numbers, numbers_of, texts

LATEST = 2.0**33  # seconds since the epoch: the year 2242, and what pandas can show ends soon after

Numbers = npt.NDArray[np.int64]
Held = Mapping[str, npt.NDArray[Any]]

SCHEMA = pa.schema(
    [
        ("number", pa.int64()),
        ("parent", pa.int64()),
        ("rows", pa.int64()),
        ("state", pa.string()),
        ("attempts", pa.int32()),
        ("status", pa.int16()),
        ("reason", pa.string()),
        ("field", pa.string()),
        ("message", pa.string()),
        ("started_at", pa.float64()),
        ("answered_at", pa.float64()),
        ("waited", pa.float64()),
        ("narrowed", pa.int8()),
    ]
)


@dataclass(frozen=True)
class Columns:
    """Some batches of a journal, checked as `reads.read_leaves` checks one.

    Attributes
    ----------
    table : pyarrow.RecordBatch
        `SCHEMA`; `narrowed` is 1 when other batches have taken over its rows.
    spans : ndarray of int64, shape (n, 2)
        Half-open ranges of 0-based rows, those of one batch after those of the one before.
    edges : ndarray of int64
        Where in `spans` those of each batch begin, and where the last ones end.
    """

    table: pa.RecordBatch
    spans: Numbers
    edges: Numbers

    @property
    def numbers(self) -> Numbers:
        """The number of each batch, ascending."""
        return numbers_of(self.table["number"])

    @property
    def first(self) -> Numbers:
        """The first row of each batch."""
        found: Numbers = self.spans[self.edges[:-1], 0]
        return found

    @property
    def last(self) -> Numbers:
        """The last row of each batch. Those before it in a batch of one row are rows that were not sent."""
        found: Numbers = self.spans[self.edges[1:] - 1, 1] - 1
        return found

    def where(self, keep: pa.BooleanArray) -> Columns:
        """Return some of the batches."""
        kept, counts = flags_of(keep), np.diff(self.edges)
        edges = np.concatenate(([0], np.cumsum(counts[kept])))
        return Columns(self.table.filter(keep), self.spans[np.repeat(kept, counts)], edges)


class Gathered:
    """Columns that are filled part by part: to gather parts and join them at the end holds everything twice.

    Parameters
    ----------
    kinds : mapping of str to str
        Column → its dtype.
    size : int
        How many lines there will be; some more do no harm.
    """

    def __init__(self, kinds: Mapping[str, str], size: int) -> None:
        self._columns: Held = {name: np.empty(size, dtype=kind) for name, kind in kinds.items()}
        self._filled = 0

    def add(self, columns: Held) -> None:
        """Add some lines."""
        start, stop = self._filled, self._filled + len(next(iter(columns.values())))
        room = {name: _roomy(column, stop) for name, column in self._columns.items()}
        for name, column in room.items():
            column[start:stop] = columns[name]
        self._columns, self._filled = room, stop

    def filled(self) -> Held:
        """Return what was added."""
        return {name: column[: self._filled] for name, column in self._columns.items()}


def in_order(columns: Held, by: str) -> Held:
    """Return lines in the order of one column, as they are if they stand in it."""
    values = columns[by]
    if (values[1:] >= values[:-1]).all():
        return columns
    order = np.argsort(values)
    return {name: column[order] for name, column in columns.items()}


def read_columns(db: sqlite3.Connection) -> Iterator[Columns]:
    """Yield all batches in the order of their numbers, some thousand at a time."""
    columns = ", ".join([*SCHEMA.names[:-1], f"number IN {NARROWED}", "spans"])
    return read_portions(db, f"SELECT {columns} FROM batch ORDER BY number", _columns)  # noqa: S608 - no data


def stretches(numbers: Numbers, *, near: int = 1) -> Iterator[tuple[int, int]]:
    """Yield the first and the last of each stretch of numbers that are not further than `near` from the next one.

    Examples
    --------
    >>> list(stretches(np.array([3, 1, 2, 9])))
    [(1, 3), (9, 9)]
    """
    ordered = np.unique(numbers)
    edges = np.flatnonzero(np.diff(ordered) > near) + 1
    parts = np.split(ordered, edges) if len(ordered) else []
    return ((int(part[0]), int(part[-1])) for part in parts)


def read_root_spans(db: sqlite3.Connection) -> Numbers:
    """Return the spans of the batches that take over no rows of another one: an (n, 2) array, as they come."""
    found = [part.where(part.table["parent"].is_null()).spans for part in read_columns(db)]
    return np.concatenate([np.empty((0, 2), dtype=np.int64), *found])


def _roomy(column: npt.NDArray[Any], stop: int) -> npt.NDArray[Any]:
    """Return a column with room for `stop` lines: more came than were expected, as while a run goes on."""
    return column if stop <= len(column) else np.concatenate([column, np.empty(stop, dtype=column.dtype)])


def _columns(found: Sequence[tuple[Any, ...]]) -> Columns:
    *values, spans = zip(*found, strict=True)
    arrays = [
        texts(column) if field.type == pa.string() else numbers(column, field.type)
        for column, field in zip(values, SCHEMA, strict=True)
    ]
    columns = Columns(pa.record_batch(arrays, schema=SCHEMA), *_spans(spans))
    _check(columns)
    return columns


def _spans(found: Sequence[str]) -> tuple[Numbers, Numbers]:
    """Return the bounds of all spans, ``"0:3 5:6"`` for each batch, and where those of each batch begin."""
    lists = pc.split_pattern(texts(found), " ")
    pairs = pc.split_pattern(lists.flatten(), ":")
    if (np.diff(numbers_of(pairs.offsets)) != 2).any():
        raise ValueError("spans that are none")
    bounds: Numbers = numbers_of(pairs.flatten().cast(pa.int64())).reshape(-1, 2)
    return bounds, numbers_of(lists.offsets).astype(np.int64)


def _check(columns: Columns) -> None:
    starts, stops = columns.spans.T
    if (starts < 0).any() or (starts >= stops).any():
        raise ValueError("spans that hold no row")
    if any(_is_out_of_time(columns.table[name]) for name in ("started_at", "answered_at")):
        raise ValueError("a time that no clock shows")
    if not pc.all(pc.is_in(columns.table["state"], value_set=texts(STATES))).as_py():
        raise ValueError("a state that there is not")
    if (numbers_of(columns.table["rows"]) > np.add.reduceat(stops - starts, columns.edges[:-1])).any():
        raise ValueError("a batch has more rows than its spans")


def _is_out_of_time(seconds: pa.DoubleArray) -> bool:
    edges = pc.min_max(seconds).as_py()
    return edges["min"] is not None and not 0 <= edges["min"] <= edges["max"] <= LATEST
