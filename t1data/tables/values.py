"""Columns of any Arrow type to JSON text, by the attribute type that they are to have."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import pyarrow as pa
import pyarrow.compute as pc

from t1data.tables.cells import json_tokens
from t1data.tables.lists import list_tokens
from t1data.tables.numbers import number_literals, number_tokens
from t1data.tables.strings import blank_to_null, escape, not_utf8, nulls, plain, texts, without
from t1data.tables.times import time_literals, time_tokens
from t1data.tables.tokens import Flaw, Tokens, flaws_of
from t1data.tables.types import JSON, kind_of


@dataclass(frozen=True, slots=True)
class Reading:
    """How cells are read where their type leaves it open.

    Parameters
    ----------
    blank_is_missing : bool
        An empty text cell is no value, as in CSV; in typed sources it is an empty string.
    tz : str, optional
        The zone of times and dates that name none.
    decimal : {".", ","}
        The decimal mark of numbers in text.
    truncate_times : bool
        Cut times to microseconds.
    """

    blank_is_missing: bool = False
    tz: str | None = None
    decimal: str = "."
    truncate_times: bool = False


def tokens_of(array: pa.Array, field: pa.Field, *, declared: str, reading: Reading) -> Tokens:
    """Turn a column into JSON text.

    Parameters
    ----------
    array : pyarrow.Array
        The cells.
    field : pyarrow.Field
        Their field, for its type and metadata.
    declared : str
        The attribute's type: one of `t1data.tables.types.TYPES`, or ``"json"``.
    reading : Reading
        How to read what the type leaves open.

    Examples
    --------
    >>> field = pa.field("age", pa.int8())
    >>> tokens_of(pa.array([7, None], pa.int8()), field, declared="number", reading=Reading()).wrapped().to_pylist()
    ['7', None]
    """
    if isinstance(array, pa.DictionaryArray):
        return _by_distinct_value(array, field, declared, reading)
    kind = kind_of(field)
    if kind in ("string", JSON):
        return _from_text(plain(array), declared, reading)
    return _FROM[kind or ""](array, declared, reading)


def _by_distinct_value(array: pa.DictionaryArray, field: pa.Field, declared: str, reading: Reading) -> Tokens:
    field = field.with_type(array.type.value_type)
    if len(array.dictionary) <= len(array):
        tokens = tokens_of(array.dictionary, field, declared=declared, reading=reading)
        if not tokens.flaws and tokens.indices is None:
            return replace(tokens, indices=array.indices)
    return tokens_of(array.dictionary_decode(), field, declared=declared, reading=reading)


def _from_text(array: pa.StringArray, declared: str, reading: Reading) -> Tokens:
    broken = not_utf8(array)
    array = without(array, broken)
    cells = blank_to_null(array) if reading.blank_is_missing else array
    tokens = _FROM_TEXT.get(declared, _from_json)(cells, declared, reading)
    return replace(tokens, flaws=(*tokens.flaws, Flaw("not_utf8", broken))) if broken.size else tokens


def _string(cells: pa.StringArray, declared: str, reading: Reading) -> Tokens:
    return Tokens(escape(cells), '"', '"')


def _number(cells: pa.StringArray, declared: str, reading: Reading) -> Tokens:
    return number_literals(cells, decimal=reading.decimal)


def _boolean(cells: pa.StringArray, declared: str, reading: Reading) -> Tokens:
    known = pc.is_in(cells, value_set=_BOOLEANS)
    wrong = pc.and_not(cells.is_valid(), known)
    return Tokens(pc.ascii_lower(cells), flaws=flaws_of(not_a_boolean=wrong))


_BOOLEANS = texts(["true", "false", "True", "False", "TRUE", "FALSE"])


def _time(cells: pa.StringArray, declared: str, reading: Reading) -> Tokens:
    return time_literals(cells, tz=reading.tz, truncate=reading.truncate_times)


def _from_json(cells: pa.StringArray, declared: str, reading: Reading) -> Tokens:
    return json_tokens(cells, declared=declared)


def _from_numbers(array: pa.Array, declared: str, reading: Reading) -> Tokens:
    tokens = number_tokens(array)
    return replace(tokens, before='"', after='"') if declared == "string" else tokens


def _from_booleans(array: pa.Array, declared: str, reading: Reading) -> Tokens:
    quote = '"' if declared == "string" else ""
    return Tokens(array.cast(pa.string()), quote, quote)


def _from_times(array: pa.Array, declared: str, reading: Reading) -> Tokens:
    return time_tokens(array, tz=reading.tz, truncate=reading.truncate_times)


def _from_nothing(array: pa.Array, declared: str, reading: Reading) -> Tokens:
    return Tokens(nulls(len(array)))


def _from_list(array: pa.Array, declared: str, reading: Reading) -> Tokens:
    element = declared.removeprefix("(list ").removesuffix(")")
    inner = pa.field("element", array.type.value_type)
    reading = replace(reading, blank_is_missing=False)
    return list_tokens(array, lambda cells: tokens_of(cells, inner, declared=element, reading=reading))


_Way = Callable[[pa.Array, str, Reading], Tokens]
_FROM_TEXT: dict[str, _Way] = {"string": _string, "number": _number, "boolean": _boolean, "time": _time}
_FROM: dict[str, _Way] = {
    "number": _from_numbers,
    "boolean": _from_booleans,
    "time": _from_times,
    "nothing": _from_nothing,
    "(list string)": _from_list,
    "(list number)": _from_list,
    "(list time)": _from_list,
}
