"""pandas frames: converted to Arrow slice by slice, column by column, without changing a value or the frame."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd
import pyarrow as pa

from t1data.errors import InputError
from t1data.tables.content import content_hash
from t1data.tables.frame_columns import Converter, converter_of
from t1data.tables.problems import Problem
from t1data.tables.records import SLICE_ROWS, Fingerprint, Slice, Source, check_names


@dataclass(frozen=True)
class FrameReader:
    """Reads a pandas frame.

    Parameters
    ----------
    rows : int
    converters : dict of str to Converter
        How each column becomes Arrow, in the frame's order.
    """

    rows: int
    converters: dict[str, Converter] = field(repr=False)

    def slices(self, columns: tuple[str, ...]) -> Iterator[Slice]:
        """Read from the first row; a row with a cell that no JSON can hold is a problem."""
        for low in range(0, self.rows, SLICE_ROWS):
            yield self._slice(columns, low, min(self.rows, low + SLICE_ROWS))

    def _slice(self, columns: tuple[str, ...], low: int, high: int) -> Slice:
        made = [self.converters[name].convert(low, high) for name in columns]
        schema = pa.schema([self.converters[name].field for name in columns])
        batch = pa.RecordBatch.from_arrays([cells for cells, _ in made], schema=schema)
        rows = np.arange(low, high, dtype=np.int64)
        found = {at: (name, what) for name, (_, bad) in zip(columns, made, strict=True) for at, what in bad.items()}
        if not found:
            return Slice(batch, rows, next_row=high)
        good = np.delete(np.arange(high - low), list(found))
        problems = [
            Problem(low + at, "unsupported_value", column=name, value=what)
            for at, (name, what) in sorted(found.items())
        ]
        return Slice(batch.take(pa.array(good)), rows[good], problems, high)

    def fingerprint(self) -> Fingerprint:
        """Fingerprint of the values; the row labels are not part of it."""
        return {"sha256": self._sha256}

    @cached_property
    def _sha256(self) -> str:
        return content_hash(piece.batch for piece in self.slices(tuple(self.converters)))

    def check_unchanged(self) -> None:
        """Do nothing: a frame in memory is the caller's own."""


def open_frame(frame: pd.DataFrame, *, allow_empty: bool = False) -> Source:
    """Open a pandas frame.

    Raises
    ------
    InputError
        For no rows, for columns with several levels, or for names that cannot be told apart or are no text.
    """
    name = type(frame).__name__
    if frame.columns.nlevels > 1:
        raise InputError(f"{name} has columns with {frame.columns.nlevels} levels: {frame.columns[0]!r}. Flatten them.")
    check_names(list(frame.columns), where=name)
    if not (len(frame) or allow_empty):
        raise InputError(f"{name} has no rows.")
    if not len(frame.columns):
        raise InputError(f"{name} has no columns.")
    converters = {str(column): converter_of(frame[column]) for column in frame.columns}
    schema = pa.schema([converter.field for converter in converters.values()])
    return Source(name, "pandas", schema, FrameReader(len(frame), converters), rows=len(frame), index=frame.index)
