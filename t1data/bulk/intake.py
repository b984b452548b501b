"""What jobs share on the way in: problems to lines of the journal, and a source that a run can read again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from t1data.bulk.refusals import MASK
from t1data.journal.outcomes import Input
from t1data.journal.records import Line
from t1data.tables.ids import read_ids
from t1data.tables.problems import Problem
from t1data.tables.records import Source

Numbers = npt.NDArray[np.int64]


def lines_of(problems: Sequence[Problem]) -> list[Line]:
    """Return a line for each row that cannot be sent, with the first of its problems."""
    first = {problem.row: problem for problem in reversed(problems)}
    return [line_of(problem) for problem in list(first.values())[::-1]]


def line_of(problem: Problem) -> Line:
    """Return a problem as the journal may hold it: where a cell is at fault, without what the cell says."""
    value = problem.value if problem.column is None else MASK
    return Line(problem.row, problem.code, problem.column, replace(problem, value=value).message)


def input_of(source: Source, id_column: str) -> Input:
    """Return a source as a run reads it again."""

    def ids() -> Iterator[tuple[Numbers, pa.Array]]:
        for part in source.slices([id_column]):
            yield part.rows, read_ids(part.batch.column(0)).text

    def rows() -> Iterator[tuple[Numbers, pa.RecordBatch]]:
        for part in source.slices():
            yield part.rows, part.batch

    return Input(ids, rows, source.schema, source.index)
