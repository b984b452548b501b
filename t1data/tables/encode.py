"""Slices of typed columns to JSON bodies: one profile a row, made column by column."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from t1data.tables.ids import read_ids
from t1data.tables.layout import Column, Layout
from t1data.tables.problems import Problem
from t1data.tables.report import Fault, Part, list_problems
from t1data.tables.strings import EMPTY, escape, indices, sizes, text
from t1data.tables.tokens import Flaw, Tokens
from t1data.tables.values import tokens_of

LARGEST_ROW = 4 * 1024 * 1024
"""Bytes of one profile that are still sent; a batch is cut at the same size."""

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Encoded:
    """What a slice becomes.

    Parameters
    ----------
    rows : ndarray of int64
        The 0-based row number of each profile.
    ids : pyarrow.StringArray
        Their integration ids.
    pieces : pyarrow.BinaryArray
        Their JSON objects, each with a comma after it, so that the data of any run of pieces but for its last byte
        is the inside of a JSON array.
    problems : list of Problem
        Why other rows of the slice are not among them, all reasons of a row.
    cleared : dict of str to int
        Attribute → how many of the profiles clear it.
    """

    rows: Rows
    ids: pa.StringArray
    pieces: pa.BinaryArray
    problems: list[Problem] = field(default_factory=list)
    cleared: dict[str, int] = field(default_factory=dict)


class Encoder:
    """Turns slices into profiles, under one layout.

    Parameters
    ----------
    layout : Layout
        Which column is what.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> from t1data.tables.layout import resolve_layout
    >>> batch = pa.RecordBatch.from_pydict({"integration_id": ["007"], "age": [41]})
    >>> encoder = Encoder(resolve_layout(batch.schema, is_text=False))
    >>> encoder.encode(SimpleNamespace(batch=batch, rows=np.array([0]))).pieces[0].as_py()
    b'{"integrationId":"007","attributes":{"age":41}},'
    """

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._constants = [text(f'"{name}":{value}') for name, value in layout.constants.items()]

    def encode(self, part: Part) -> Encoded:
        """Return the profiles of a slice, and the problems of the rows that cannot be sent.

        Parameters
        ----------
        part : Part
            Rows that hold at least the layout's columns. Where rows may be large, cut them by
            `t1data.tables.portions.portions` first: what is encoded at once has to stay below 2 GB.
        """
        ids = read_ids(part.batch.column(self._layout.id_column))
        tokens = [self._tokens(column, part.batch) for column in self._layout.columns]
        faults: list[Fault] = [(self._layout.id_column, flaw) for flaw in ids.flaws]
        for column, cells in zip(self._layout.columns, tokens, strict=True):
            faults += [(column.name, flaw) for flaw in cells.flaws]
        found = self._profiles(ids.text, tokens, _others(len(ids.text), faults))
        large = found.too_large()
        if large.size:
            faults.append((None, Flaw("row_too_large", large)))
            found = self._profiles(ids.text, tokens, _others(len(ids.text), faults))
        problems = list_problems(part, faults, ids=ids.text)
        return Encoded(part.rows[found.at], found.ids, found.pieces, problems, found.cleared)

    def _tokens(self, column: Column, batch: pa.RecordBatch) -> Tokens:
        reading = replace(self._layout.reading, type=column.type, is_json=column.is_json)
        return tokens_of(batch.column(column.name), reading)

    def _profiles(self, ids: pa.StringArray, tokens: list[Tokens], at: Rows) -> _Profiles:
        if len(at) < len(ids):
            keep = indices(at)
            ids, tokens = ids.take(keep), [cells.take(keep) for cells in tokens]
        columns = self._layout.columns
        sent = [_attribute(column, cells) for column, cells in zip(columns, tokens, strict=True)]
        cleared = {name: count for name, count in map(_cleared, columns, tokens) if count}
        bodies = _joined([*sent, *self._constants])
        pieces = pc.binary_join_element_wise(_HEAD, escape(ids), _MIDDLE, bodies, _TAIL, EMPTY)
        return _Profiles(at, ids, pieces.cast(pa.binary()), cleared)


_HEAD, _MIDDLE, _TAIL, _COMMA = text('{"integrationId":"'), text('","attributes":{'), text("}},"), text(",")


@dataclass(frozen=True, slots=True)
class _Profiles:
    """Profiles with their positions in the slice."""

    at: Rows
    ids: pa.StringArray
    pieces: pa.BinaryArray
    cleared: dict[str, int]

    def too_large(self) -> Rows:
        return self.at[sizes(self.pieces) > LARGEST_ROW]


def _others(count: int, faults: list[Fault]) -> Rows:
    """Return the positions of the rows without a fault."""
    clean = np.ones(count, bool)
    for _, flaw in faults:
        clean[flaw.at] = False
    return np.flatnonzero(clean)


def _attribute(column: Column, tokens: Tokens) -> pa.StringArray:
    """Return ``"name":value`` for each row, null where the attribute is left out."""
    key = f'"{column.attribute}":'
    cells = tokens.wrapped(key)
    fallback = column.default or (_NULL if column.missing == "clear" else None)
    return pc.coalesce(cells, text(key + fallback)) if fallback and cells.null_count else cells


_NULL = "null"


def _cleared(column: Column, tokens: Tokens) -> tuple[str, int]:
    clears = column.missing == "clear" and column.default is None
    return column.attribute, tokens.missing if clears else 0


def _joined(parts: list[pa.StringArray | pa.StringScalar]) -> pa.StringArray:
    """Join the attributes of each row by commas."""
    if not parts:
        return EMPTY
    arrays = [part for part in parts if isinstance(part, pa.Array)]
    if len(arrays) == len(parts) and all(part.null_count for part in arrays):
        # Arrow (26) skips the row itself where every part of it is null, and each later row moves up.
        parts = [_never_all_null(arrays), *arrays[1:]]
    return pc.binary_join_element_wise(*parts, _COMMA, null_handling="skip")


def _never_all_null(arrays: list[pa.StringArray]) -> pa.StringArray:
    empty = arrays[0].is_null()
    for array in arrays[1:]:
        empty = pc.and_(empty, array.is_null())
    return pc.if_else(empty, EMPTY, arrays[0])
