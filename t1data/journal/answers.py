"""The answers that a run of one row a request kept, each with its row."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from t1data.journal.outcomes import Input
from t1data.journal.reads import read_answers, read_batches, reading

if TYPE_CHECKING:
    import pandas as pd

EMPTIED = b"{}"  # an answer out of which a person was taken


def answers_by_row(journal: Path) -> Iterator[tuple[int, bytes]]:
    """Yield row (from 0) and answer of every row that was accepted, in the order of the rows, in bounded memory.

    An answer out of which a person was taken is left out.
    """
    with reading(journal) as db:
        # A batch of one row covers the rows before it that were not sent, and ends with it.
        rows = {batch.number: batch.spans[-1][1] - 1 for batch in read_batches(db) if batch.state == "done"}
        for number, body in _latest(read_answers(db)):
            if number in rows and body and body != EMPTIED:
                yield rows[number], body


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


def _latest(answers: Iterator[tuple[int, bytes]]) -> Iterator[tuple[int, bytes]]:
    """Yield the last answer of each batch; one that could not be read may have been kept before it."""
    before: tuple[int, bytes] | None = None
    for answer in answers:
        if before is not None and before[0] != answer[0]:
            yield before
        before = answer
    if before is not None:
        yield before
