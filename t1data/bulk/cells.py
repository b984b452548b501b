"""Values of one field of many answers to a typed column, and such columns to a frame.

A value is taken as it is, or not at all: what does not fit is given back, never bent.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from types import MappingProxyType, NoneType
from typing import TYPE_CHECKING, Any, Final, Literal

import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    import pandas as pd

Kind = Literal["text", "whole", "number", "flag", "time"]

ARROW: Final[Mapping[Kind, pa.DataType]] = MappingProxyType(
    {
        "text": pa.string(),
        "whole": pa.int64(),
        "number": pa.float64(),
        "flag": pa.bool_(),
        "time": pa.timestamp("us", tz="UTC"),  # in nanoseconds the year 1, which means "no date", would not fit
    }
)

EXACT = 2**53  # up to it, a floating point number holds every whole number
# What Python and pandas can show, in microseconds; an offset, or the year 0, can lie beyond it.
_EPOCH, _TICK = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)
_FIRST = (datetime(1, 1, 1, tzinfo=UTC) - _EPOCH) // _TICK
_LAST = (datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC) - _EPOCH) // _TICK
_TOO_FINE = re.compile(r"[.,]\d{7}")  # more digits than microseconds have


def typed(values: Sequence[Any], kind: Kind) -> tuple[pa.Array, list[int]]:
    """Return a column, and the places whose value is not of its kind; they are null in it.

    Examples
    --------
    >>> column, odd = typed([1, None, "2", 2.5], "whole")
    >>> column.to_pylist(), odd
    ([1, None, None, None], [2, 3])
    """
    try:
        return _FAST[kind](values), []
    except (pa.ArrowInvalid, pa.ArrowTypeError, UnicodeEncodeError, OverflowError):
        fitting = [_FITTING[kind](value) for value in values]
    odd = [at for at, (value, fit) in enumerate(zip(values, fitting, strict=True)) if fit is None and value is not None]
    return pa.array(fitting, ARROW[kind]), odd


def legible(values: Sequence[Any], kind: Kind) -> pa.Array:
    """Return a column for a frame with no other place for what does not fit: it is read where it can be, else missing.

    A whole number may stand in quotes or with a point, a time may be finer than microseconds, which are cut off, and
    anything can stand in a text.

    Examples
    --------
    >>> legible([1, "2", 2.5], "whole").to_pylist()
    [1, 2, None]
    >>> legible(["a", 5], "text").to_pylist()
    ['a', '5']
    """
    column, odd = typed(values, kind)
    if not odd:
        return column
    cells = column.to_pylist()
    for at in odd:
        with suppress(TypeError, ValueError, OverflowError):
            cells[at] = _LEGIBLE[kind](values[at])
    return pa.array(cells, ARROW[kind])


def to_frame(table: pa.Table) -> pd.DataFrame:
    """Return a table as a frame with nullable columns; times stay in microseconds, so that the year 1 fits."""
    import pandas as pd

    kinds = {
        pa.string(): pd.StringDtype(),
        pa.int64(): pd.Int64Dtype(),
        pa.float64(): pd.Float64Dtype(),
        pa.bool_(): pd.BooleanDtype(),
    }
    frame: pd.DataFrame = table.to_pandas(types_mapper=kinds.get)
    return frame


def time_of(text: Any) -> datetime | None:
    """Return a time in UTC, None for what is none; without a zone it is taken as UTC, as Talon.One writes it."""
    return None if isinstance(text, str) and _TOO_FINE.search(text) else _moment(text)


def _moment(text: Any) -> datetime | None:
    if not isinstance(text, str):
        return None
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):  # no time, or the edge of all years in a zone that lies over it
        return None


_NUMBERS = frozenset({int, float, NoneType})

# The way of nearly all columns: Arrow finds the type, and it is the one that is wanted.


def _found(values: Sequence[Any], wanted: pa.DataType) -> pa.Array:
    array = pa.array(values)
    if array.type == wanted:
        return array
    if array.null_count == len(array):
        return pa.nulls(len(array), wanted)
    raise pa.ArrowTypeError(f"found {array.type}")


def _numbers(values: Sequence[Any]) -> pa.Array:
    if not _NUMBERS.issuperset(map(type, values)):  # a bool, of which Arrow makes a 0 or a 1, or no number at all
        raise pa.ArrowTypeError("found other than numbers")
    return pa.array(values, ARROW["number"])


def _times(values: Sequence[Any]) -> pa.Array:
    array = pa.array(values, pa.string()).cast(ARROW["time"])
    if not all(_FIRST <= edge.value <= _LAST for edge in pc.min_max(array).values() if edge.is_valid):
        raise pa.ArrowInvalid("a time that neither Python nor pandas can show")
    return array


_FAST: Mapping[Kind, Callable[[Sequence[Any]], pa.Array]] = {
    "text": lambda values: pa.array(values, ARROW["text"]),
    "whole": lambda values: _found(values, ARROW["whole"]),
    "number": _numbers,
    "flag": lambda values: _found(values, ARROW["flag"]),
    "time": _times,
}


# The way of a column with an odd value in it: one by one.


def _text(value: Any) -> str | None:
    try:
        return value if isinstance(value, str) and value.encode() is not None else None
    except UnicodeEncodeError:  # half a surrogate pair, which JSON can hold and Arrow cannot
        return None


def _whole(value: Any) -> int | None:
    return value if type(value) is int and -(2**63) <= value < 2**63 else None


def _number(value: Any) -> float | None:
    return value if type(value) is float or (type(value) is int and abs(value) <= EXACT) else None


_FITTING: Mapping[Kind, Callable[[Any], Any]] = {
    "text": _text,
    "whole": _whole,
    "number": _number,
    "flag": lambda value: value if type(value) is bool else None,
    "time": time_of,
}


# The way of an odd value in a column that has to show it.


def _as_whole(value: Any) -> int | None:
    return _whole(int(value)) if isinstance(value, str) or int(value) == value else None


_LEGIBLE: Mapping[Kind, Callable[[Any], Any]] = {
    "text": lambda value: str(value).encode(errors="backslashreplace").decode(),
    "whole": _as_whole,
    "number": float,
    "flag": lambda _: None,
    "time": _moment,
}
