"""Which batch each row of a run stands in: forty bytes for a batch, whatever their number."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from t1data.journal.columns import Columns, Gathered, Numbers, in_order, read_columns
from t1data.journal.reads import count_batches
from t1data.journal.records import OUTCOMES, STATES, outcome_of
from t1data.tables.strings import mask, numbers_of, texts, there

_PLANNED = np.int8(STATES.index("planned"))
_NO_STATUS = -1

Column = npt.NDArray[Any]

# What is held of a batch and of each of its spans, and in how many bytes.
_OF_BATCH = {"number": "q", "state": "b", "status": "h", "attempts": "i", "reason": "i", "worded": "?"}
_OF_SPAN = {"start": "q", "stop": "q", "owner": "i"}


@dataclass(frozen=True)
class Leaves:
    """The batches that were not narrowed further: each row that was to be sent stands in exactly one.

    What the server said of a batch in words is not held, and only `worded` tells that there is something to be read.

    Attributes
    ----------
    batches : mapping of str to ndarray
        ``number, state, status, attempts, reason, worded``; the state by its place in `STATES`, the reason by its
        place in `reasons`.
    spans : mapping of str to ndarray
        ``start, stop, owner``: the bounds of all spans, ascending, of which no two overlap, and the place of the batch
        that each belongs to.
    reasons : pyarrow.StringArray
        All reasons that there are.
    rows : ndarray of int64
        How many rows that were to be sent stand in the batches of each state.
    """

    batches: Mapping[str, Column]
    spans: Mapping[str, Column]
    reasons: pa.StringArray
    rows: Numbers

    def of(self, rows: Numbers) -> pa.RecordBatch:
        """Return ``number, state, status, attempts, reason, worded`` for each row; nulls where no batch was planned."""
        places = self._find(rows)
        none = places < 0
        held = {name: _nullable(self.batches[name], places, none) for name in _OF_BATCH}
        told = pc.if_else(pc.equal(held["status"], _NO_STATUS), None, held["status"])
        return pa.RecordBatch.from_pydict({**held, "status": told, "reason": self.reasons.take(held["reason"])})

    def count_rows(self) -> dict[str, int]:
        """Return how many rows that were to be sent have each outcome."""
        return _by_outcome(self.rows)

    def count_outcomes_of(self, rows: Numbers) -> dict[str, int]:
        """Return how many of these rows have each outcome."""
        states = np.append(self.batches["state"], _PLANNED)[self._find(rows)]  # -1, where none was planned: the last
        return _by_outcome(np.bincount(states, minlength=len(STATES)))

    def _find(self, rows: Numbers) -> Numbers:
        """Return the place of each row's batch, -1 where there is none."""
        if not len(self.spans["start"]):
            return np.full(len(rows), -1, dtype=np.int64)
        span = np.searchsorted(self.spans["start"], rows, side="right") - 1
        inside = (span >= 0) & (rows < self.spans["stop"][span])
        return np.where(inside, self.spans["owner"][span], -1)


def read_leaves(db: sqlite3.Connection) -> Leaves:
    """Return the leaves of an open journal."""
    size, count = count_batches(db), 0
    batches, spans = Gathered(_OF_BATCH, size), Gathered(_OF_SPAN, size)
    reasons: dict[str | None, int] = {}
    rows = np.zeros(len(STATES), dtype=np.int64)
    for portion in read_columns(db):
        leaves = portion.where(mask(numbers_of(portion.table["narrowed"]) == 0))
        held = _held(leaves, reasons)
        batches.add(held)
        np.add.at(rows, held["state"], numbers_of(leaves.table["rows"]))
        places = np.arange(count, count + len(leaves.table))
        owner = np.repeat(places, np.diff(leaves.edges))
        spans.add({"start": leaves.spans[:, 0], "stop": leaves.spans[:, 1], "owner": owner})
        count += len(places)
    return Leaves(batches.filled(), in_order(spans.filled(), by="start"), texts(list(reasons)), rows)


def _held(leaves: Columns, reasons: dict[str | None, int]) -> dict[str, Column]:
    """Return what is held of some batches; a reason that is new gets the next place."""
    table = leaves.table
    for reason in table["reason"].unique().to_pylist():
        reasons.setdefault(reason, len(reasons))
    status = table["status"]
    return {
        **{name: numbers_of(table[name]) for name in ("number", "attempts")},
        "state": numbers_of(pc.index_in(table["state"], value_set=texts(STATES))),
        "status": np.where(there(status), numbers_of(status), _NO_STATUS),
        "reason": numbers_of(pc.index_in(table["reason"], value_set=texts(list(reasons)))),
        "worded": there(table["field"]) | there(table["message"]),
    }


def _by_outcome(rows: Numbers) -> dict[str, int]:
    """Return the numbers of rows in each state as numbers of rows with each outcome."""
    counts = dict.fromkeys(OUTCOMES, 0)
    for state, count in zip(STATES, rows.tolist(), strict=True):
        counts[outcome_of(state)] += count
    return counts


def _nullable(column: Column, places: Numbers, none: npt.NDArray[np.bool_]) -> pa.Array:
    """Return what a column holds at some places, null where there is `none`."""
    held = column[places] if len(column) else np.zeros(len(places), dtype=column.dtype)
    return pa.array(held, mask=none)
