"""What jobs share on the way in: problems to lines of the journal, and a source that a run can read again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Protocol, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from t1data.bulk.refusals import MASK
from t1data.errors import InputError
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


class Reread(Protocol):
    """An input that has been looked over again."""

    @property
    def source(self) -> Source: ...  # noqa: D102
    def input(self) -> Input: ...  # noqa: D102


_Again = TypeVar("_Again", bound=Reread)


def unchanged(again: Callable[[dict[str, Any], Any], _Again], facts: dict[str, Any], data: Any) -> _Again | None:
    """Look over the input of a run again; return None when it is not at hand, or no longer what it was.

    Parameters
    ----------
    again : callable
        Opens the input as the run did, from its facts and the data.
    facts : dict
        Of the run.
    data : optional
        The input; the file that the run read by default.
    """
    data = data if data is not None else facts["recipe"]["path"]
    if data is None:
        return None
    try:
        found = again(facts, data)
    except InputError:
        return None
    return found if found.source.fingerprint()["sha256"] == facts["input"]["sha256"] else None


def reopened(again: Callable[[dict[str, Any], Any], _Again], facts: dict[str, Any], data: Any) -> Input | None:
    """Return the input of a run for those who look at its outcomes, or None; see `unchanged`."""
    found = unchanged(again, facts, data)
    return None if found is None else found.input()
