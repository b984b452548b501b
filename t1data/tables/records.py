"""The records that every reader hands on: a source, and its slices of rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np
import pyarrow as pa

from t1data.errors import InputError
from t1data.tables.labels import Labels
from t1data.tables.portions import portions
from t1data.tables.problems import Problem

if TYPE_CHECKING:
    import pandas as pd  # costs 0.3 s to load, and a file needs none of it

SLICE_ROWS: Final = 8192
"""Most rows in a slice: larger ones keep senders waiting for their first body (64 k rows cost 3 % of a run)."""

JSON_FLAG: Final = b"t1data:json"
"""Key in a field's metadata: the text of each cell is one JSON value, because its Python types differ by row."""

Fingerprint = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Slice:
    """Some rows of a source, in order.

    Parameters
    ----------
    batch : pyarrow.RecordBatch
        The rows that could be read, at most `SLICE_ROWS`.
    rows : numpy.ndarray of int64
        0-based row number in the source of each row of `batch`, rising.
    problems : sequence of Problem
        The rows that could not be read; their numbers are not in `rows`.
    next_row : int
        Number of the row after this slice: all smaller numbers have been handed out, in `rows` or `problems`.
    blank_lines : int
        Empty physical lines met on the way. They are no rows and have no number.
    """

    batch: pa.RecordBatch
    rows: np.ndarray[Any, np.dtype[np.int64]]
    problems: Sequence[Problem] = ()
    next_row: int = 0
    blank_lines: int = 0


class Reader(Protocol):
    """What a `Source` needs from the reader of one kind of data."""

    def slices(self, columns: tuple[str, ...]) -> Iterator[Slice]:
        """Read from the beginning, only the named columns, in that order."""

    def fingerprint(self) -> Fingerprint:
        """Say what the content is; equal content gives an equal ``sha256``."""

    def check_unchanged(self) -> None:
        """Raise InputError when the content is no longer what was opened."""


@dataclass(frozen=True)
class Source:
    """Rows to send, from a file, a frame or a stream, readable many times in bounded memory.

    Parameters
    ----------
    name : str
        For people: the file's name, or the kind of object.
    kind : str
        ``"csv"``, ``"parquet"``, ``"excel"``, ``"pandas"`` or ``"arrow"``.
    schema : pyarrow.Schema
        Types of the columns. A field whose metadata has `JSON_FLAG` holds one JSON text a cell.
    rows : int, optional
        Number of rows, when it is known without reading them all (not for CSV).
    index : pandas.Index, optional
        A pandas frame's row labels, for reports only: the identity of a row is its position.
    delimiter, encoding : str, optional
        How a text file is read.
    header_lines : int
        Physical lines of a text file before its first row.
    sheet : str, optional
        The sheet of a workbook that is read.
    notes : tuple of str
        What a person should know of the input before it is sent, each a sentence.
    """

    name: str
    kind: str
    schema: pa.Schema
    reader: Reader = field(repr=False)
    rows: int | None = None
    index: pd.Index[Any] | None = field(default=None, repr=False)
    delimiter: str | None = None
    encoding: str | None = None
    header_lines: int = 0
    sheet: str | None = None
    notes: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns, in the source's order."""
        return tuple(self.schema.names)

    @property
    def labels(self) -> Labels:
        """What people call the rows."""
        return Labels(self.index)

    @property
    def is_text(self) -> bool:
        """Whether the cells are untyped text, as in a CSV file, rather than typed values."""
        return self.kind == "csv"

    def slices(self, columns: Sequence[str] | None = None) -> Iterator[Slice]:
        """Read all rows from the beginning; every call starts anew.

        Parameters
        ----------
        columns : sequence of str, optional
            The columns to read, in this order; all by default.

        Raises
        ------
        InputError
            For an unknown column, a file that changed since it was opened, or one that cannot be read on.
        """
        wanted = self.columns if columns is None else tuple(columns)
        if not wanted:
            raise InputError("columns= names no column. Name at least one.")
        check_known(wanted, self.columns, where=self.name)
        return self._slices(wanted)

    def _slices(self, columns: tuple[str, ...]) -> Iterator[Slice]:
        self.check_unchanged()
        for part in self.reader.slices(columns):
            yield from portions(part)
        self.check_unchanged()

    def fingerprint(self) -> Fingerprint:
        """Return ``kind``, ``name``, ``size``, ``mtime_ns`` and ``sha256``; the hash is computed once, on demand.

        For frames and tables the hash is that of the values, so equal content has an equal hash.
        """
        return {"kind": self.kind, "name": self.name, **self.reader.fingerprint()}

    def check_unchanged(self) -> None:
        """Raise InputError when a file is no longer the one that was opened."""
        self.reader.check_unchanged()


def cut(batch: pa.RecordBatch, *, start: int) -> Iterator[Slice]:
    """Cut a batch without problems into slices, numbering its rows from `start`."""
    for low in range(0, batch.num_rows, SLICE_ROWS):
        piece = batch.slice(low, SLICE_ROWS)
        rows = np.arange(start + low, start + low + piece.num_rows, dtype=np.int64)
        yield Slice(piece, rows, next_row=start + low + piece.num_rows)


def check_known(wanted: Sequence[str], known: Sequence[str], *, where: str) -> None:
    """Raise InputError when a wanted column is not there."""
    there = set(known)
    missing = [name for name in wanted if name not in there]
    if missing:
        raise InputError(f"{where} has no column {_listed(missing)}. It has: {_listed(known)}.")


def check_names(names: Sequence[Any], *, where: str) -> None:
    """Raise InputError naming the columns that cannot be told apart or cannot be meant.

    Examples
    --------
    >>> check_names(["id", "Id"], where="people.csv")
    Traceback (most recent call last):
    t1data.errors.InputError: people.csv has column names that differ only in case: 'id', 'Id'. Rename them.
    """
    _refuse(where, "column names that are not text", [n for n in names if not isinstance(n, str)])
    empty = [place for place, name in enumerate(names, 1) if not name.strip()]
    _refuse(where, "columns without a name (counted from 1)", empty, "Name them.")
    _refuse(where, "column names more than once", [n for n, times in Counter(names).items() if times > 1])
    _refuse(where, "column names with spaces around them", [n for n in names if n != n.strip()])
    folded = Counter(name.casefold() for name in names)
    _refuse(where, "column names that differ only in case", [n for n in names if folded[n.casefold()] > 1])


def _refuse(where: str, what: str, names: Sequence[Any], advice: str = "Rename them.") -> None:
    if names:
        raise InputError(f"{where} has {what}: {_listed(names)}. {advice}")


def _listed(names: Sequence[Any], most: int = 12) -> str:
    shown = ", ".join(repr(name) for name in names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
