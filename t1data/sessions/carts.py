"""Carts: the items of each session as one text of JSON, and what is wrong with those that cannot be sent.

All items are held in memory while they are brought together, about as large as they are in JSON.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from t1data.bulk.intake import line_of
from t1data.sessions.shapes import MOST_ITEMS, MOST_UNITS
from t1data.sessions.tables import Table
from t1data.tables.ids import read_ids
from t1data.tables.labels import position
from t1data.tables.objects import without_faults
from t1data.tables.problems import Problem
from t1data.tables.records import Slice
from t1data.tables.report import list_problems
from t1data.tables.strings import nulls, text, wrap

SameItems = Literal["reject", "keep"]
SAME_ITEMS = ("reject", "keep")

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Carts:
    """The carts of an input.

    Attributes
    ----------
    places : mapping of str to int
        Session → its place in `texts` and `rows`.
    texts : pyarrow.LargeStringArray
        The items of each session, joined by commas.
    rows : tuple of ndarray
        Of each session, the rows of its items.
    problems : tuple of Problem
        One for each reason why an item cannot be sent; the session stands where other inputs have the customer.
    bad : mapping of str to str
        Session → why its cart cannot be sent.
    """

    places: Mapping[str, int] = field(default_factory=dict)
    texts: pa.LargeStringArray = field(default_factory=lambda: nulls(0, pa.large_string()))
    rows: tuple[Rows, ...] = ()
    problems: tuple[Problem, ...] = ()
    bad: Mapping[str, str] = field(default_factory=dict)

    def members(self, sessions: pa.StringArray) -> pa.StringArray:
        """Return ``"cartItems":[…]`` for each of these sessions, null for those without items."""
        places = np.fromiter((self.places.get(name, -1) for name in sessions.to_pylist()), np.int64, len(sessions))
        found = self.texts.take(_indices(places))
        return wrap(found.cast(pa.string()), '"cartItems":[', "]")

    def strangers(self, is_known: Callable[[str], bool], column: str) -> list[Problem]:
        """Return a problem for each item whose session is not known; those without any session are among `problems`."""
        return [
            Problem(int(row), "unknown_session", column=column, value=session, integration_id=session)
            for session, place in self.places.items()
            if not is_known(session)
            for row in self.rows[place]
        ]


@dataclass(frozen=True)
class _Items:
    """Items that can be sent, in input order."""

    sessions: pa.StringArray
    texts: pa.LargeStringArray
    units: npt.NDArray[np.int64]
    rows: Rows


def read_carts(table: Table, *, same_items: SameItems) -> Carts:
    """Read all items and bring those of one session together, in the order of the input."""
    read = [_read(table, part) for part in table.slices()]
    problems = [problem for _, found in read for problem in found]
    items = _ordered([items for items, _ in read])
    codes = items.sessions.dictionary_encode()
    groups, names = codes.indices.to_numpy(), codes.dictionary.to_pylist()
    starts = np.searchsorted(groups, np.arange(len(names) + 1))
    if same_items == "reject":
        problems += _repeated(items, groups)
    bad = {problem.integration_id: _reason(problem) for problem in reversed(problems) if problem.integration_id}
    bad |= _too_many(items, names, starts)
    offsets = pa.array(starts, pa.int32())
    return Carts(
        {name: place for place, name in enumerate(names)},
        pc.binary_join(pa.ListArray.from_arrays(offsets, items.texts), _COMMA),
        tuple(np.split(items.rows, starts[1:-1])) if names else (),
        tuple(sorted(problems, key=lambda problem: problem.row)),
        bad,
    )


def _indices(places: Rows) -> pa.Int64Array:
    """Return places as Arrow takes them, null below 0."""
    valid = pa.py_buffer(np.packbits(places >= 0, bitorder="little"))
    return pa.Array.from_buffers(pa.int64(), len(places), [valid, pa.py_buffer(places)])


_COMMA = text(",").cast(pa.large_string())


def _read(table: Table, part: Slice) -> tuple[_Items, list[Problem]]:
    (column,) = table.ids
    ids = read_ids(part.batch.column(column))
    rendered = table.form.read(part.batch)
    faults = [*((column, flaw) for flaw in ids.flaws), *rendered.faults]
    problems = [*part.problems, *list_problems(part, faults, ids=ids.text)]
    at = pa.array(without_faults(len(part.rows), faults))
    units = rendered.field("quantity")
    if units is None:
        counts = np.full(len(at), int(table.form.fields.constants["quantity"]))
    else:
        counts = units.take(at).cast(pa.int64()).to_numpy()
    texts = rendered.objects().take(at).cast(pa.large_string())
    return _Items(ids.text.take(at), texts, counts, part.rows[at.to_numpy()]), problems


def _ordered(parts: list[_Items]) -> _Items:
    """Return all items, those of one session together, the sessions in the order of their first items."""
    sessions = pa.concat_arrays([part.sessions for part in parts])
    order = np.argsort(sessions.dictionary_encode().indices.to_numpy(), kind="stable")
    return _Items(
        sessions.take(pa.array(order)),
        pa.concat_arrays([part.texts for part in parts]).take(pa.array(order)),
        np.concatenate([part.units for part in parts])[order],
        np.concatenate([part.rows for part in parts])[order],
    )


def _repeated(items: _Items, groups: Rows) -> list[Problem]:
    """Return a problem for each item that its session has already, to the letter."""
    words = items.texts.dictionary_encode()
    pairs = groups.astype(np.int64) * len(words.dictionary) + words.indices.to_numpy()
    _, first, inverse = np.unique(pairs, return_index=True, return_inverse=True)
    again = np.flatnonzero(first[inverse] != np.arange(len(pairs)))
    return [
        Problem(
            int(items.rows[at]),
            "same_item",
            value=f"row {position(int(items.rows[first[inverse[at]]]), second=True)} says the same",
            integration_id=items.sessions[int(at)].as_py(),
        )
        for at in again
    ]


def _too_many(items: _Items, names: list[str], starts: Rows) -> dict[str, str]:
    counts = np.diff(starts)
    units = np.diff(np.concatenate(([0], np.cumsum(items.units)))[starts])
    found = {
        names[place]: f"it has {counts[place]:,} items, and {MOST_ITEMS:,} are the most"
        for place in np.flatnonzero(counts > MOST_ITEMS)
    }
    for place in np.flatnonzero(units > MOST_UNITS):
        said = f"its quantities add up to {units[place]:,}, and {MOST_UNITS:,} are the most"
        found.setdefault(names[place], said)
    return found


def _reason(problem: Problem) -> str:
    """Say which item is wrong and why, without what its cells say."""
    said = line_of(problem).message or problem.code
    return f"the item in row {position(problem.row, second=True)}. {said.removesuffix('.')}"
