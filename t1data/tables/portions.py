"""Slices of few rows where rows are large, so that memory is bounded by bytes and not only by rows."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.types as at

from t1data.tables.strings import offsets_of

if TYPE_CHECKING:
    from t1data.tables.records import Slice

LARGEST = 32 * 1024 * 1024
"""Bytes of cells that are encoded at once. A dictionary column of a small file can unfold to any size."""

FIRST = 1024
"""Rows of the first slice that are encoded by themselves: the first request need not wait for the others."""


def portions(part: Slice, *, largest: int = LARGEST) -> Iterator[Slice]:
    """Cut a slice where the cells of its rows add up to more than `largest` bytes; a row is never cut.

    Parameters
    ----------
    part : Slice
        What a source hands out.
    largest : int
        Bytes; a portion may exceed them by one row.

    Examples
    --------
    >>> from t1data.tables.records import Slice
    >>> batch = pa.RecordBatch.from_pydict({"note": ["a" * 60, "b" * 60, "c"]})
    >>> [len(each.rows) for each in portions(Slice(batch, np.arange(3), next_row=3), largest=100)]
    [1, 2]
    """
    if sum(map(_bound, part.batch.columns)) <= largest:
        yield part
        return
    weights = np.sum([_weights(column) for column in part.batch.columns], axis=0)
    ends = np.flatnonzero(np.diff(np.cumsum(weights) // largest)) + 1
    yield from cut_slice(part, [0, *ends.tolist(), len(part.rows)])


def small_first(parts: Iterable[Slice]) -> Iterator[Slice]:
    """Cut the first slice after a few rows, so that a request can leave while the rest of it is encoded."""
    for place, part in enumerate(parts):
        if place or len(part.rows) <= FIRST:
            yield part
        else:
            yield from cut_slice(part, [0, FIRST, len(part.rows)])


def _bound(column: pa.Array) -> int:
    """Return a number of bytes that the cells do not exceed."""
    if not isinstance(column, pa.DictionaryArray):
        return int(column.nbytes)
    return len(column) * int(_weights(column.dictionary).max(initial=0))


def _weights(column: pa.Array) -> npt.NDArray[np.int64]:
    if isinstance(column, pa.DictionaryArray):
        of_values = _weights(column.dictionary)
        unfolded: npt.NDArray[np.int64] = np.append(of_values, 0)[column.indices.fill_null(len(of_values)).to_numpy()]
        return unfolded
    if at.is_string(column.type) or at.is_large_string(column.type):
        return np.diff(offsets_of(column)).astype(np.int64)
    return np.full(len(column), column.nbytes // max(len(column), 1), np.int64)


def cut_slice(part: Slice, bounds: list[int]) -> Iterator[Slice]:
    """Cut a slice at these positions, the first 0 and the last its length; problems go with the rows before them."""
    problems, told = sorted(part.problems, key=lambda problem: problem.row), 0
    for low, high in pairwise(bounds):
        last = high == len(part.rows)
        next_row = part.next_row if last else int(part.rows[high - 1]) + 1
        end = bisect_left(problems, next_row, key=lambda problem: problem.row)
        batch, rows = part.batch.slice(low, high - low), part.rows[low:high]
        blank_lines = part.blank_lines if last else 0
        yield replace(
            part, batch=batch, rows=rows, problems=problems[told:end], next_row=next_row, blank_lines=blank_lines
        )
        told = end
