"""Slices of typed columns to JSON bodies: one profile a row, made column by column."""

from __future__ import annotations

from dataclasses import dataclass, field

import pyarrow as pa

from t1data.tables.ids import Ids, not_addressable, read_ids
from t1data.tables.layout import Layout
from t1data.tables.objects import LARGEST_ROW, Cells, Members, Rows, without_faults
from t1data.tables.problems import Problem
from t1data.tables.report import Fault, Part, list_problems
from t1data.tables.strings import escape, indices, sizes
from t1data.tables.tokens import Flaw
from t1data.tables.weave import weave


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
    id_in_path : bool
        Each profile goes out alone, its id in the address and not in the body.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> import numpy as np
    >>> from t1data.tables.layout import resolve_layout
    >>> batch = pa.RecordBatch.from_pydict({"integration_id": ["007"], "age": [41]})
    >>> encoder = Encoder(resolve_layout(batch.schema, is_text=False))
    >>> encoder.encode(SimpleNamespace(batch=batch, rows=np.array([0]))).pieces[0].as_py()
    b'{"integrationId":"007","attributes":{"age":41}},'
    """

    def __init__(self, layout: Layout, *, id_in_path: bool = False) -> None:
        self._layout = layout
        self._members = Members(layout.columns, layout.constants)
        self._id_in_path = id_in_path

    def encode(self, part: Part) -> Encoded:
        """Return the profiles of a slice, and the problems of the rows that cannot be sent.

        Parameters
        ----------
        part : Part
            Rows that hold at least the layout's columns. Where rows may be large, cut them by
            `t1data.tables.portions.portions` first: what is encoded at once has to stay below 2 GB.
        """
        ids = read_ids(part.batch.column(self._layout.id_column))
        cells = self._members.read(part.batch, self._layout.reading)
        faults: list[Fault] = [(self._layout.id_column, flaw) for flaw in self._flaws(ids)]
        faults += cells.faults
        found = self._profiles(ids.text, cells, without_faults(len(ids.text), faults))
        large = found.too_large()
        if large.size:
            faults.append((None, Flaw("row_too_large", large)))
            found = self._profiles(ids.text, cells, without_faults(len(ids.text), faults))
        problems = list_problems(part, faults, ids=ids.text)
        return Encoded(part.rows[found.at], found.ids, found.pieces, problems, found.cleared)

    def _flaws(self, ids: Ids) -> tuple[Flaw, ...]:
        return (*ids.flaws, *not_addressable(ids.text)) if self._id_in_path else ids.flaws

    def _profiles(self, ids: pa.StringArray, cells: Cells, at: Rows) -> _Profiles:
        if len(at) < len(ids):
            keep = indices(at)
            ids, cells = ids.take(keep), cells.take(keep)
        head = [] if self._id_in_path else [_HEAD, escape(ids)]
        opening = _ALONE if self._id_in_path else _MIDDLE
        pieces = weave(len(ids), cells.strands(), head=head, opening=opening, tail=_TAIL)
        return _Profiles(at, ids, pieces.cast(pa.binary()), cells.cleared)


_HEAD, _MIDDLE, _TAIL = '{"integrationId":"', '","attributes":{', "}},"
_ALONE = '{"attributes":{'


@dataclass(frozen=True, slots=True)
class _Profiles:
    """Profiles with their positions in the slice."""

    at: Rows
    ids: pa.StringArray
    pieces: pa.BinaryArray
    cleared: dict[str, int]

    def too_large(self) -> Rows:
        return self.at[sizes(self.pieces) > LARGEST_ROW]
