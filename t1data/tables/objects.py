"""Columns to JSON objects: ``"name":value`` for each cell, made column by column and woven into rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from t1data.tables.layout import Column
from t1data.tables.report import Fault
from t1data.tables.strings import blank_to_null, escape, nulls, wrap
from t1data.tables.tokens import Flaw, Tokens, flaws_of
from t1data.tables.values import Reading, tokens_of
from t1data.tables.weave import Strand, weave

Rows = npt.NDArray[np.int64]

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
        return Cells(len(batch), self, [_tokens(column, batch, reading) for column in self.columns])


def _tokens(column: Column, batch: pa.RecordBatch, reading: Reading) -> Tokens:
    return tokens_of(batch.column(column.name), replace(reading, type=column.type, is_json=column.is_json))


@dataclass(frozen=True)
class Cells:
    """The cells of some rows, column by column."""

    count: int
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
        return Cells(len(keep), self.members, [cells.take(keep) for cells in self.tokens])

    def strands(self) -> list[Strand]:
        """Return ``"name":value`` for each column and constant, in the order in which they are written."""
        sent = [self._member(column, cells) for column, cells in zip(self.members.columns, self.tokens, strict=True)]
        absent = nulls(self.count)
        return sent + [Strand(absent, fallback=f'"{name}":{value}') for name, value in self.members.constants.items()]

    def _member(self, column: Column, tokens: Tokens) -> Strand:
        field, key = self.members.fields.get(column.attribute), f'"{column.attribute}":'
        before, after = (field.before, field.after) if field is not None else ("", "")
        fallback = column.default or (_NULL if column.missing == "clear" else None)
        return Strand(
            tokens.text,
            key + before + tokens.before,
            tokens.after + after,
            fallback=key + fallback if fallback else None,
            indices=tokens.indices,
        )


_NULL = "null"


def _clears(column: Column) -> bool:
    return column.missing == "clear" and column.default is None


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
        groups = [_group(name, cells, always=name in always) for name, cells in self.groups.items()]
        strands = [*map(Strand, more), *self.fields.strands(), *groups]
        return weave(self.count, strands, opening="{", tail="}")


def _group(name: str, cells: Cells, *, always: bool) -> Strand:
    members = weave(cells.count, cells.strands())
    return Strand(members if always else blank_to_null(members), f'"{name}":{{', "}")


def id_member(name: str, ids: pa.StringArray) -> pa.StringArray:
    """Return ``"name":"id"`` for each row, null where it has none."""
    return wrap(escape(ids), f'"{name}":"', '"')
