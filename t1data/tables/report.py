"""Flaws of columns to problems of rows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from t1data.tables.problems import Problem
from t1data.tables.strings import indices
from t1data.tables.tokens import Flaw


class Part(Protocol):
    """Some rows of a source, such as a `t1data.tables.records.Slice`."""

    @property
    def batch(self) -> pa.RecordBatch:
        """The columns of the rows."""

    @property
    def rows(self) -> npt.NDArray[np.int64]:
        """The 0-based row number of each."""


Fault = tuple[str | None, Flaw]
"""A flaw and the source's column in which it was found, if it lies in one."""

_MOST = 20  # problems of one row that are told: a wrong mapping can fault a hundred columns of every row
_LONGEST = 60


def list_problems(
    part: Part, faults: Iterable[Fault], *, ids: pa.StringArray, codes: str | None = None
) -> list[Problem]:
    """Return a problem for each cell at fault, ordered by row.

    Parameters
    ----------
    part : Part
        The rows in which the flaws were found.
    faults : iterable of Fault
        What was found.
    ids : pyarrow.StringArray
        The integration id of each row, null where there is none.
    codes : str, optional
        A column of codes rather than of ids.
    """
    told = np.zeros(len(part.rows), np.int64)
    problems: list[Problem] = []
    for column, flaw in faults:
        at = flaw.at[told[flaw.at] < _MOST]
        told[at] += 1
        values = [None] * len(at) if column is None else _shown(part.batch.column(column).take(indices(at)))
        names, noun = ids.take(indices(at)).to_pylist(), "code" if column is not None and column == codes else "id"
        problems += [
            Problem(row, flaw.code, column=column, value=value, integration_id=name, noun=noun)
            for row, name, value in zip(part.rows[at].tolist(), names, values, strict=True)
        ]
    return sorted(problems, key=lambda problem: problem.row)


def _shown(cells: pa.Array) -> list[str | None]:
    """Return cells as text, shortened for people."""
    if pa.types.is_nested(cells.type):
        shown = [cells.slice(at, 1).to_string(skip_new_lines=True)[1:-1] for at in range(len(cells))]
    else:
        shown = [_decoded(cell) for cell in cells.cast(pa.string()).view(pa.binary()).to_pylist()]
    return [None if text is None else _shortened(text) for text in shown]


def _decoded(cell: bytes | None) -> str | None:
    return None if cell is None else cell.decode(errors="backslashreplace")


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
