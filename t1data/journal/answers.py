"""The answers that a run of one row a request kept, each with its row."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from t1data.journal.columns import Numbers, read_columns, stretches
from t1data.journal.outcomes import Input
from t1data.journal.reads import read_answer_places, read_answers, reading

if TYPE_CHECKING:
    import pandas as pd

EMPTIED = b"{}"  # an answer out of which a person was taken

AT_ONCE = 64  # answers that are read together: a statement costs more than an answer of some KB
NEAR = 4  # ids that are read together though some between them are not wanted

_NONE = np.empty(0, dtype=np.int64)
_BEYOND = np.iinfo(np.int64).max  # a number that no batch has


def answers_by_row(journal: Path) -> Iterator[tuple[int, bytes]]:
    """Yield row (from 0) and answer of every row that was accepted, in the order of the rows, in bounded memory.

    Some forty bytes for each answer are held. One out of which a person was taken is left out.
    """
    with reading(journal) as db:
        numbers, rows = _accepted(db)
        ids = Kept(db).ids_of(numbers)
        order = np.argsort(rows, kind="stable")
        for row, body in _read_bodies(db, rows[order], ids[order]):
            if body and body != EMPTIED:
                yield row, body


def answers_by_batch(db: sqlite3.Connection) -> Iterator[tuple[int, bytes]]:
    """Yield the answers that were kept, as they came, with their batch's number and in its order."""
    batches, ids = _places(db)
    order = np.lexsort((ids, batches))
    yield from _read_bodies(db, batches[order], ids[order])


class Kept:
    """Which answer of a batch came last, one that could not be read may have been kept before it.

    Sixteen bytes for each; the answers stay in the journal.
    """

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        batches, ids = _places(db)
        order = np.lexsort((ids, batches))
        batches = np.append(batches[order], _BEYOND)  # so that every number has a place
        is_last = batches[1:] != batches[:-1]
        self._batches, self._ids = np.append(batches[:-1][is_last], _BEYOND), np.append(ids[order][is_last], 0)

    def ids_of(self, numbers: Numbers) -> Numbers:
        """Return the ids of the last answers of some batches, 0 where none was kept."""
        at = np.searchsorted(self._batches, numbers)
        return np.where(self._batches[at] == numbers, self._ids[at], 0)

    def of(self, number: int) -> bytes | None:
        """Return the last answer of a batch, None when none was kept."""
        (id_,) = self.ids_of(np.array([number])).tolist()
        return dict(read_answers(self._db, id_, id_)).get(id_)


def batches_of(rows: Collection[int], db: sqlite3.Connection) -> set[int]:
    """Return the numbers of the batches that hold just one row, which is among these."""
    wanted, found = np.array(sorted(rows), dtype=np.int64), set[int]()
    for portion in read_columns(db):
        alone = np.asarray(pc.equal(portion.table["rows"], 1))
        found.update(portion.numbers[alone & np.isin(portion.last, wanted)].tolist())
    return found


class IdsByRow:
    """Which id each row of an input has, in any order: the ids are held, some tens of bytes for each."""

    def __init__(self, source: Input) -> None:
        found = list(source.ids())
        self._rows = np.concatenate([rows for rows, _ in found]) if found else np.empty(0, dtype=np.int64)
        self._ids = pa.chunked_array([ids for _, ids in found], pa.string()).combine_chunks()

    def of(self, row: int) -> str:
        """Return the id of a row that has one."""
        name: str = self._ids[int(np.searchsorted(self._rows, row))].as_py()
        return name


def typed_column(values: pd.Series[Any], dtype: Any) -> pd.Series[Any]:
    """Return the cells of an answer's field as a column of a dtype, times in UTC."""
    import pandas as pd

    if str(dtype).startswith("datetime"):
        # "No date" can be written as the year 1, which no time of pandas in nanoseconds holds.
        values = pd.to_datetime(values, utc=True, errors="coerce", format="ISO8601")
    typed: pd.Series[Any] = values.astype(dtype)
    return typed


def _accepted(db: sqlite3.Connection) -> tuple[Numbers, Numbers]:
    """Return the batches that were accepted, and the last row of each: a batch of one row ends with it."""
    numbers, rows = [_NONE], [_NONE]
    for portion in read_columns(db):
        accepted = portion.where(pc.equal(portion.table["state"], "done"))
        numbers.append(accepted.numbers.copy())  # a view would keep all columns in memory
        rows.append(accepted.last)
    return np.concatenate(numbers), np.concatenate(rows)


def _read_bodies(db: sqlite3.Connection, names: Numbers, ids: Numbers) -> Iterator[tuple[int, bytes]]:
    """Yield each name with the answer of its id, nothing for 0; neighbours are read together, a few at a time."""
    for start in range(0, len(ids), AT_ONCE):
        some = ids[start : start + AT_ONCE]
        found = dict(body for stretch in stretches(some[some > 0], near=NEAR) for body in read_answers(db, *stretch))
        for name, id_ in zip(names[start : start + AT_ONCE].tolist(), some.tolist(), strict=True):
            yield name, found.get(id_, b"")


def _places(db: sqlite3.Connection) -> tuple[Numbers, Numbers]:
    """Return the batch and the id of every answer, in the order in which they came."""
    found = np.fromiter(read_answer_places(db), dtype=[("batch", np.int64), ("id", np.int64)])
    return found["batch"].copy(), found["id"].copy()
