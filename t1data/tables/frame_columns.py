"""One pandas column to Arrow: its type is settled once, over all rows, and no value is bent to it.

`pyarrow.array` alone would turn 1 beside 2.5 into 1.0, read a naive time beside an aware one as UTC, cut nanoseconds,
and give every mapping the keys of all others.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from itertools import chain
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa

from t1data.tables.json_cells import UnsupportedValue, json_of
from t1data.tables.records import JSON_FLAG

Cells = tuple[pa.Array, dict[int, str]]
"""Cells of some rows, and by position what is in those that could not be converted (and are null)."""


@dataclass(frozen=True)
class Converter:
    """How a column becomes Arrow.

    Parameters
    ----------
    field : pyarrow.Field
    convert : callable
        Takes the first row and the row behind the last.
    """

    field: pa.Field
    convert: Callable[[int, int], Cells]


def converter_of(column: pd.Series[Any]) -> Converter:
    """Settle the Arrow type of a column and how its cells get there."""
    name = str(column.name)
    values: Any = column.to_numpy() if isinstance(column.dtype, np.dtype) else column.array
    if isinstance(column.dtype, pd.CategoricalDtype):
        return _categories(name, values)
    if isinstance(column.dtype, pd.SparseDtype):
        return _typed(name, lambda low, high: np.asarray(values[low:high]))
    if column.dtype == object:
        return _objects(name, values)
    return _typed(name, lambda low, high: values[low:high])


def _typed(name: str, read: Callable[[int, int], Any]) -> Converter:
    """Convert by the column's own type; one that Arrow has no counterpart for goes by its Python values."""
    try:
        kind = _array(read(0, 0)).type
    except (pa.ArrowNotImplementedError, pa.ArrowTypeError, pa.ArrowInvalid):
        return _json(name, lambda low, high: np.asarray(read(low, high), dtype=object))
    return Converter(pa.field(name, kind), lambda low, high: (_array(read(low, high)), {}))


def _array(values: Any) -> pa.Array:
    if isinstance(values, np.ndarray) and not values.dtype.isnative:
        values = values.astype(values.dtype.newbyteorder("="))
    made = pa.array(values, from_pandas=True)
    return made.combine_chunks() if isinstance(made, pa.ChunkedArray) else made


def _categories(name: str, values: Any) -> Converter:
    """Convert the categories once, and only the codes slice by slice."""
    inner = converter_of(pd.Series(values.categories, name=name))
    words, bad = inner.convert(0, len(values.categories))
    if bad or inner.field.metadata:
        return _objects(name, np.asarray(values, dtype=object))
    codes = values.codes

    def convert(low: int, high: int) -> Cells:
        indices = pa.array(codes[low:high], mask=codes[low:high] < 0)
        return pa.DictionaryArray.from_arrays(indices, words), {}

    return Converter(pa.field(name, pa.dictionary(pa.array(codes[:0]).type, words.type)), convert)


def _objects(name: str, values: Any) -> Converter:
    """Convert a column of Python objects: by one Arrow type if all are of one kind, else as JSON cell by cell."""
    present = values[~pd.isna(values)]
    if (moments := _moments(values, present)) is not None:
        return _typed(name, lambda low, high: moments[low:high])
    kind = _common_type(present)
    if kind is None:
        return _json(name, lambda low, high: values[low:high])
    if kind == pa.string():
        return Converter(pa.field(name, kind), lambda low, high: _texts(values[low:high]))
    return Converter(
        pa.field(name, kind), lambda low, high: (pa.array(values[low:high], type=kind, from_pandas=True), {})
    )


def _moments(values: Any, present: Any) -> pd.DatetimeIndex | None:
    """Convert times that all bear a fixed offset, or none, by pandas and at once: a quarter of what Arrow takes a cell.

    None for all other values, and for times that pandas has no room for. Zones with a summer time are left to Arrow.
    """
    if not (len(present) and set(map(type, present)) <= {dt.datetime, pd.Timestamp}):
        return None
    zones = {id(value.tzinfo): value.tzinfo for value in present}.values()
    if len({zone is None for zone in zones}) > 1 or not all(map(_is_fixed, zones)):
        return None
    try:
        found = pd.to_datetime(values, utc=None not in zones)
    except (ValueError, OverflowError):
        return None
    is_fine = found.unit == "ns" and bool((found.nanosecond > 0).any())
    moments: pd.DatetimeIndex = found if is_fine else found.as_unit("us")
    return moments


def _is_fixed(zone: dt.tzinfo | None) -> bool:
    return zone is None or isinstance(zone, dt.timezone) or str(zone) == "UTC"


def _texts(values: Any) -> Cells:
    try:
        return pa.array(values, type=pa.string(), from_pandas=True), {}
    except UnicodeEncodeError:  # some cell holds half a surrogate pair
        cells, bad = _each(values, lambda value: str(value) if json_of(value) else None)
        return pa.array(cells, type=pa.string()), bad


def _json(name: str, read: Callable[[int, int], Any]) -> Converter:
    def convert(low: int, high: int) -> Cells:
        cells, bad = _each(read(low, high), json_of)
        return pa.array(cells, type=pa.string()), bad

    return Converter(pa.field(name, pa.string(), metadata={JSON_FLAG: b"1"}), convert)


def _each(values: Any, write: Callable[[Any], str | None]) -> tuple[list[str | None], dict[int, str]]:
    cells: list[str | None] = [None] * len(values)
    bad: dict[int, str] = {}
    for at in np.flatnonzero(~pd.isna(values)).tolist():
        try:
            cells[at] = write(values[at])
        except UnsupportedValue as error:
            bad[at] = str(error)
    return cells, bad


_EXACT: Final = (  # Python types that one Arrow type holds without bending any
    ({str, np.str_}, pa.string()),
    ({bool, np.bool_}, pa.bool_()),
    ({float, np.float64}, pa.float64()),
    ({np.float32}, pa.float32()),
    ({bytes}, pa.binary()),
    ({dt.date}, pa.date32()),
    ({dt.time}, pa.time64("us")),
    ({dt.timedelta}, pa.duration("us")),
    ({pd.Timedelta}, pa.duration("ns")),
)
_DECIMAL_DIGITS: Final = 38
_INTEGERS: Final = {int, *(np.dtype(code).type for code in "bhilqBHILQ")}


def _common_type(values: Any) -> pa.DataType | None:
    """Find the Arrow type that holds these values, none of them missing, exactly; None when there is no such type."""
    kinds = set(map(type, values))
    if not kinds:
        return pa.null()
    if kinds <= _INTEGERS:
        return pa.int64() if min(values) >= -(2**63) and max(values) < 2**63 else None
    if kinds <= {dt.datetime, pd.Timestamp}:
        return _timestamp(values)
    if kinds == {Decimal}:
        return _decimal(values)
    if kinds <= {list, tuple, np.ndarray}:
        return _list(values)
    return next((arrow for exact, arrow in _EXACT if kinds <= exact), None)


def _timestamp(values: Iterable[Any]) -> pa.DataType | None:
    """One zone for all instants, UTC, or none at all; never a mixture."""
    zoned = {value.utcoffset() is not None for value in values}
    if len(zoned) > 1:
        return None
    nanoseconds = any(getattr(value, "nanosecond", 0) for value in values)
    kind = pa.timestamp("ns" if nanoseconds else "us", tz="UTC" if zoned.pop() else None)
    try:
        pa.array(values, type=kind)
    except (pa.ArrowInvalid, OverflowError):  # nanoseconds reach only from 1677 to 2262
        return None
    return kind


def _decimal(values: Iterable[Decimal]) -> pa.DataType | None:
    """One number of digits behind the point: with another, 1.1 would become 1.10."""
    exponents = {value.as_tuple().exponent for value in values}
    exponent = exponents.pop()
    most = max((value.adjusted() for value in values if value), default=0)
    if exponents or not isinstance(exponent, int) or exponent > 0 or most - exponent >= _DECIMAL_DIGITS:
        return None
    return pa.decimal128(_DECIMAL_DIGITS, -exponent) if -exponent <= _DECIMAL_DIGITS else None


def _list(values: Any) -> pa.DataType | None:
    """Lists of one simple kind without missing members; nested ones go as JSON."""
    flat = [np.ravel(value).tolist() if isinstance(value, np.ndarray) else value for value in values]
    kinds = set(map(type, chain.from_iterable(flat)))
    simple = kinds <= {str} or kinds <= {bool} or kinds <= {float} or kinds <= {int}
    one_level = all(value.ndim == 1 for value in values if isinstance(value, np.ndarray))
    if not (kinds and simple and one_level):
        return None
    inner = _common_type(list(chain.from_iterable(flat)))
    return None if inner is None else pa.list_(inner)
