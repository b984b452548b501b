"""The answers that a run of one row a request kept, each with its row."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator
from pathlib import Path

import numpy as np
import pyarrow.compute as pc

from t1data.errors import JournalError
from t1data.journal.columns import Gathered, Numbers, in_order, read_columns, stretches
from t1data.journal.outcomes import Input
from t1data.journal.reads import count_batches, read_answer_places, read_answers, reading

EMPTIED = b"{}"  # an answer out of which a person was taken

AT_ONCE = 64  # answers that are read together: a statement costs more than an answer of some KB
NEAR = 4  # ids that are read together though some between them are not wanted


def answers_by_row(journal: Path) -> Iterator[tuple[int, bytes]]:
    """Yield row (from 0) and answer of every row that was accepted, in the order of the rows, in bounded memory.

    Sixteen bytes for each answer are held, and eight more at the start. One out of which a person was taken is left
    out.
    """
    with reading(journal) as db:
        for row, body in _read_bodies(db, *_accepted(db)):
            if body and body != EMPTIED:
                yield row, body


def answers_by_id(journal: Path, source: Input) -> Iterator[tuple[str, bytes]]:
    """Yield id and answer of every row that was accepted, in the order of the rows; no id is held for long.

    Raises
    ------
    JournalError
        The journal is damaged: it names a row that the input does not have.
    """
    ids = ((row, id_) for rows, ids in source.ids() for row, id_ in zip(rows.tolist(), ids.to_pylist(), strict=True))
    for row, body in answers_by_row(journal):
        id_ = next((id_ for at, id_ in ids if at == row), None)
        if id_ is None:
            raise JournalError(f"{journal} is damaged: there is no row {row + 1} with an id in the input")
        yield id_, body


def answers_by_batch(db: sqlite3.Connection) -> Iterator[tuple[int, bytes]]:
    """Yield the answers that were kept, as they came, with their batch's number and in its order."""
    places = np.concatenate([np.empty((0, 2), dtype=np.int64), *read_answer_places(db)])
    yield from _read_bodies(db, *places[np.lexsort(places.T[::-1])].T)


class Kept:
    """Which answer of a batch came last. Sixteen bytes a batch; the answers stay in the journal."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        numbers = Gathered({"number": "q"}, count_batches(db))
        for portion in read_columns(db):
            numbers.add({"number": portion.numbers})
        self._numbers = numbers.filled()["number"]
        self._ids = _last_ids(db, self._numbers)

    def of(self, number: int) -> bytes | None:
        """Return the last answer of a batch that there is, None when none was kept."""
        id_ = int(self._ids[np.searchsorted(self._numbers, number)])
        return dict(read_answers(self._db, id_, id_)).get(id_)


def batches_of(rows: Collection[int], db: sqlite3.Connection) -> set[int]:
    """Return the numbers of the batches that hold just one row, which is among these."""
    wanted, found = np.array(sorted(rows), dtype=np.int64), set[int]()
    for portion in read_columns(db):
        alone = np.asarray(pc.equal(portion.table["rows"], 1))
        found.update(portion.numbers[alone & np.isin(portion.last, wanted)].tolist())
    return found


def _accepted(db: sqlite3.Connection) -> tuple[Numbers, Numbers]:
    """Return the rows that were accepted, ascending, and the id of each one's answer, 0 where none was kept."""
    found = Gathered({"number": "q", "row": "q"}, count_batches(db))
    for portion in read_columns(db):
        accepted = portion.where(pc.equal(portion.table["state"], "done"))
        found.add({"number": accepted.numbers, "row": accepted.last})  # a batch of one row ends with it
    batches = found.filled()
    places = in_order({"row": batches["row"], "id": _last_ids(db, batches["number"])}, by="row")
    return places["row"], places["id"]


def _last_ids(db: sqlite3.Connection, numbers: Numbers) -> Numbers:
    """Return the id of the last answer of each batch, 0 where none was kept; the numbers ascend.

    One that could not be read may have been kept before the last one.
    """
    ids = np.zeros(len(numbers), dtype=np.int64)
    for batches, found in (portion.T for portion in read_answer_places(db)):
        at = np.searchsorted(numbers, batches).clip(max=len(numbers) - 1)
        known = numbers[at] == batches if len(numbers) else slice(0)
        ids[at[known]] = found[known]  # of two for one place the later stays
    return ids


def _read_bodies(db: sqlite3.Connection, names: Numbers, ids: Numbers) -> Iterator[tuple[int, bytes]]:
    """Yield each name with the answer of its id, nothing for 0; neighbours are read together, a few at a time."""
    for start in range(0, len(ids), AT_ONCE):
        some = ids[start : start + AT_ONCE]
        found = dict(body for stretch in stretches(some[some > 0], near=NEAR) for body in read_answers(db, *stretch))
        for name, id_ in zip(names[start : start + AT_ONCE].tolist(), some.tolist(), strict=True):
            yield name, found.get(id_, b"")
