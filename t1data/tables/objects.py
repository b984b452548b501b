"""Columns to JSON objects: ``"name":value`` for each cell, made column by column and joined row by row."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from t1data.tables.layout import Column
from t1data.tables.report import Fault
from t1data.tables.strings import EMPTY, blank_to_null, escape, text, wrap
from t1data.tables.tokens import Flaw, Tokens, flaws_of
from t1data.tables.values import Reading, tokens_of

Rows = npt.NDArray[np.int64]
Texts: TypeAlias = "pa.StringArray | pa.StringScalar"

LARGEST_ROW = 4 * 1024 * 1024
"""Bytes of one row that are still sent; a batch is cut at the same size."""


@dataclass(frozen=True)
class Field:
    """A member with a meaning of its own, as the API names and checks it.

    Attributes
    ----------
    wire : str
        Its name in JSON.
    type : str
        One of `t1data.tables.types.TYPES`.
    before, after : str
        Put around the value: ``[`` and ``]`` where the API takes a list and a cell holds one element.
    required : bool
        Every row has to have a value.
    wrong : callable, optional
        Takes the cells as text, a list as JSON, and returns the mask of those that cannot be meant.
    code : str
        The problem of such cells.
    """

    wire: str
    type: str = "string"
    before: str = ""
    after: str = ""
    required: bool = False
    wrong: Callable[[pa.StringArray], pa.BooleanArray] | None = None
    code: str = ""

    def flaws(self, tokens: Tokens) -> tuple[Flaw, ...]:
        """Return what is wrong with the cells of a column of this field, beside what no JSON can be made of."""
        cells = tokens.wrapped() if self.type.startswith("(list") else tokens.inside()
        missing = flaws_of(missing_value=cells.is_null()) if self.required else ()
        return missing + (flaws_of(**{self.code: self.wrong(cells)}) if self.wrong is not None else ())


@dataclass(frozen=True)
class Members:
    """Columns, and values that all rows share, that stand together in one JSON object.

    Attributes
    ----------
    columns : tuple of Column
        In the order in which they are written.
    constants : mapping of str to str
        Name → JSON text; written after the columns.
    fields : mapping of str to Field
        Name → what is known of it, for those that are no plain values.
    """

    columns: tuple[Column, ...] = ()
    constants: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, Field] = field(default_factory=dict)

    def read(self, batch: pa.RecordBatch, reading: Reading) -> Cells:
        """Return the cells of a batch as JSON text."""
        return Cells(self, [_tokens(column, batch, reading) for column in self.columns])


def _tokens(column: Column, batch: pa.RecordBatch, reading: Reading) -> Tokens:
    return tokens_of(batch.column(column.name), replace(reading, type=column.type, is_json=column.is_json))


@dataclass(frozen=True)
class Cells:
    """The cells of some rows, column by column."""

    members: Members
    tokens: list[Tokens]

    @property
    def faults(self) -> list[Fault]:
        """Every cell that cannot be sent, with its column."""
        found: list[Fault] = []
        for column, cells in zip(self.members.columns, self.tokens, strict=True):
            field = self.members.fields.get(column.attribute)
            more = field.flaws(cells) if field is not None else ()
            found += [(column.name, flaw) for flaw in (*cells.flaws, *more)]
        return found

    @property
    def cleared(self) -> dict[str, int]:
        """Name → how many of the rows clear it."""
        counts = zip(map(_clears, self.members.columns), self.members.columns, self.tokens, strict=True)
        return {column.attribute: cells.missing for clears, column, cells in counts if clears and cells.missing}

    def take(self, keep: pa.Array) -> Cells:
        """Return the cells of some rows."""
        return Cells(self.members, [cells.take(keep) for cells in self.tokens])

    def text(self) -> Texts:
        """Return the members of each row, joined by commas; empty where a row has none."""
        sent = [self._member(column, cells) for column, cells in zip(self.members.columns, self.tokens, strict=True)]
        return joined([*sent, *(text(f'"{name}":{value}') for name, value in self.members.constants.items())])

    def _member(self, column: Column, tokens: Tokens) -> pa.StringArray:
        """Return ``"name":value`` for each row, null where the member is left out."""
        field, key = self.members.fields.get(column.attribute), f'"{column.attribute}":'
        before, after = (field.before, field.after) if field is not None else ("", "")
        cells = tokens.wrapped(key + before, after)
        fallback = column.default or (_NULL if column.missing == "clear" else None)
        return pc.coalesce(cells, text(key + fallback)) if fallback and cells.null_count else cells


_NULL = "null"


def _clears(column: Column) -> bool:
    return column.missing == "clear" and column.default is None


def joined(parts: Sequence[Texts]) -> Texts:
    """Join the parts of each row by commas, leaving out the nulls."""
    parts = [part for part in parts if isinstance(part, pa.Array) or part.is_valid]
    if not parts:
        return EMPTY
    arrays = [part for part in parts if isinstance(part, pa.Array)]
    if len(arrays) == len(parts) and all(part.null_count for part in arrays):
        # Arrow (26) skips the row itself where every part of it is null, and each later row moves up.
        parts = [_never_all_null(arrays), *arrays[1:]]
    return pc.binary_join_element_wise(*parts, _COMMA, null_handling="skip")


_COMMA = text(",")


def _never_all_null(arrays: list[pa.StringArray]) -> pa.StringArray:
    empty = arrays[0].is_null()
    for array in arrays[1:]:
        empty = pc.and_(empty, array.is_null())
    return pc.if_else(empty, EMPTY, arrays[0])


def without_faults(count: int, faults: Sequence[Fault]) -> Rows:
    """Return the positions of the rows without a fault."""
    clean = np.ones(count, bool)
    for _, flaw in faults:
        clean[flaw.at] = False
    return np.flatnonzero(clean)


@dataclass(frozen=True)
class Form:
    """How a row becomes one JSON object: fields of its own, and objects of names that the account defines.

    Attributes
    ----------
    fields : Members
        Written first. An empty cell of text is no value.
    groups : mapping of str to Members
        Name of the object → its members.
    reading : Reading
        How cells are read where their type leaves it open.
    """

    fields: Members
    groups: Mapping[str, Members]
    reading: Reading

    @property
    def columns(self) -> tuple[Column, ...]:
        """All columns that are read."""
        return (*self.fields.columns, *(column for members in self.groups.values() for column in members.columns))

    def read(self, batch: pa.RecordBatch) -> Rendered:
        """Return the rows of a batch on their way to objects."""
        fields = self.fields.read(batch, replace(self.reading, blank_is_missing=True))
        groups = {name: members.read(batch, self.reading) for name, members in self.groups.items()}
        return Rendered(len(batch), fields, groups)

    def facts(self) -> dict[str, Any]:
        """Return what a resume must find unchanged."""
        written = {"": self.fields, **self.groups}
        columns = {
            name: [[column.name, column.attribute, column.type, column.default] for column in members.columns]
            for name, members in written.items()
        }
        constants = {name: dict(members.constants) for name, members in written.items()}
        reading = [self.reading.tz, self.reading.decimal, self.reading.truncate_times]
        return {"columns": columns, "constants": constants, "reading": reading}


@dataclass(frozen=True)
class Rendered:
    """Some rows on their way to objects."""

    count: int
    fields: Cells
    groups: Mapping[str, Cells]

    @property
    def faults(self) -> list[Fault]:
        """Every cell that cannot be sent, with its column."""
        return [fault for cells in (self.fields, *self.groups.values()) for fault in cells.faults]

    def field(self, wire: str) -> pa.StringArray | None:
        """Return the text of a field's cells, None when no column holds it."""
        for column, tokens in zip(self.fields.members.columns, self.fields.tokens, strict=True):
            if column.attribute == wire:
                return tokens.inside()
        return None

    def objects(self, *more: pa.StringArray, always: Sequence[str] = ()) -> pa.StringArray:
        """Return the JSON object of each row.

        Parameters
        ----------
        *more : pyarrow.StringArray
            Further members, ``"name":value``, null where a row has none.
        always : sequence of str
            The groups that are written even when they are empty.
        """
        groups = [_group(name, cells.text(), always=name in always) for name, cells in self.groups.items()]
        whole = pc.binary_join_element_wise(
            _OPEN, joined([*more, _or_null(self.fields.text()), *groups]), _CLOSE, EMPTY
        )
        return whole if isinstance(whole, pa.Array) else pa.repeat(whole, self.count)


_OPEN, _CLOSE = text("{"), text("}")


def _group(name: str, members: Texts, *, always: bool) -> Texts:
    inside = members if always else _or_null(members)
    if isinstance(inside, pa.Array):
        return wrap(inside, f'"{name}":{{', "}")
    return text(None if inside.as_py() is None else f'"{name}":{{{inside.as_py()}}}')


def _or_null(members: Texts) -> Texts:
    return blank_to_null(members) if isinstance(members, pa.Array) else text(members.as_py() or None)


def id_member(name: str, ids: pa.StringArray) -> pa.StringArray:
    """Return ``"name":"id"`` for each row, null where it has none."""
    return wrap(escape(ids), f'"{name}":"', '"')
