"""Columns of a worksheet to Arrow: the type is settled over all rows, and no value is bent to it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa

from t1data.tables.records import JSON_FLAG

FAULT: Final = "\0"
"""Ahead of a column's name, that of the column that says what is wrong with its cells; no sheet has such a name."""

_EXACT: Final = 2.0**53  # from here on neighbouring whole numbers share one float
_TYPES: Final = (  # a workbook has one kind of number: ids among them have lost leading zeros, as floats have
    ({float, int}, pa.float64()),
    ({str}, pa.string()),
    ({bool}, pa.bool_()),
    ({dt.date}, pa.date32()),
    ({dt.date, dt.datetime}, pa.timestamp("us")),
    ({dt.time}, pa.time64("us")),
    ({dt.timedelta}, pa.duration("us")),
)


@dataclass(frozen=True)
class Column:
    """One column of a sheet.

    Parameters
    ----------
    place : int
        Where it stands in the rows as they are read.
    field : pyarrow.Field
        Its name and type; with `JSON_FLAG` where values of several kinds stand side by side.
    """

    place: int
    field: pa.Field

    @classmethod
    def of(cls, place: int, name: Any, kinds: set[type]) -> Column:
        """Settle the type of a column in which values of these kinds stand."""
        if not kinds:
            return cls(place, pa.field(name, pa.null()))
        arrow = next((arrow for exact, arrow in _TYPES if kinds <= exact), None)
        return cls(place, pa.field(name, arrow or pa.string(), metadata=None if arrow else {JSON_FLAG: b"1"}))

    def arrays(self, cells: Sequence[Any], errors: dict[int, str]) -> tuple[pa.Array, pa.Array]:
        """Return the values of some rows, and for each what is wrong with it, if anything.

        Parameters
        ----------
        cells : sequence
            As they are read; an empty text is an empty cell.
        errors : dict of int to str
            By position, the errors that the sheet shows.
        """
        faults = {at: f"the error {name}" for at, name in errors.items()}
        values = [None if value == "" else value for value in cells]
        if self.field.metadata:
            values, unfit = _as_json(values)
            faults = unfit | faults
        elif self.field.type == pa.timestamp("us"):
            values = [_moment(value) for value in values]
        said = [faults.get(at) for at in range(len(values))] if faults else [None] * len(values)
        return pa.array(values, type=self.field.type), pa.array(said, type=pa.string())


def kinds_in(cells: Iterable[Any]) -> set[type]:
    """Return the Python types of the cells that hold anything."""
    return {type(value) for value in cells if value != ""}


def _moment(value: dt.date | None) -> dt.datetime | None:
    """Return a date among times as its midnight: the workbook holds both as one kind of number."""
    if value is None or isinstance(value, dt.datetime):
        return value
    return dt.datetime(value.year, value.month, value.day)  # noqa: DTZ001 - a workbook knows no zones


def _whole(value: Any) -> Any:
    """Return a whole number as one: a workbook has no other kind than floats, and 60 is written as 60."""
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT else value


def _as_json(values: Sequence[Any]) -> tuple[list[str | None], dict[int, str]]:
    from t1data.tables.json_cells import UnsupportedValue, json_of  # loads pandas, which most sheets do not need

    texts: list[str | None] = [None] * len(values)
    unfit: dict[int, str] = {}
    for at, value in enumerate(values):
        try:
            texts[at] = None if value is None else json_of(_whole(value))
        except UnsupportedValue as error:
            unfit[at] = str(error)
    return texts, unfit
