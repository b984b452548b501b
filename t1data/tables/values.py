"""Columns of any Arrow type to JSON text, by the attribute type that they are to have."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import pyarrow as pa
import pyarrow.compute as pc

from t1data.tables.cells import json_tokens
from t1data.tables.lists import list_tokens
from t1data.tables.numbers import number_literals, number_tokens
from t1data.tables.strings import blank_to_null, data_bytes, escape, not_utf8, nulls, plain, texts, without
from t1data.tables.times import time_literals, time_tokens
from t1data.tables.tokens import Flaw, Tokens, flaws_of
from t1data.tables.types import kind_of


@dataclass(frozen=True, slots=True)
class Reading:
    """How the cells of a column are read, and as what.

    Parameters
    ----------
    type : str
        The attribute's type: one of `t1data.tables.types.TYPES`, or ``"json"``.
    is_json : bool
        Each cell is JSON text already.
    blank_is_missing : bool
        An empty text cell is no value, as in CSV; in typed sources it is an empty string.
    tz : str, optional
        The zone of times and dates that name none.
    decimal : {".", ","}
        The decimal mark of numbers in text.
    truncate_times : bool
        Cut times to microseconds.
    """

    type: str = "string"
    is_json: bool = False
    blank_is_missing: bool = False
    tz: str | None = None
    decimal: str = "."
    truncate_times: bool = False


def tokens_of(array: pa.Array, reading: Reading) -> Tokens:
    """Turn a column into JSON text.

    Examples
    --------
    >>> tokens_of(pa.array([7, None], pa.int8()), Reading("number")).wrapped().to_pylist()
    ['7', None]
    """
    if isinstance(array, pa.DictionaryArray):
        return _by_distinct_value(array, reading)
    kind = kind_of(array.type)
    return _from_text(plain(array), reading) if kind == "string" else _FROM[kind or ""](array, reading)


def _by_distinct_value(array: pa.DictionaryArray, reading: Reading) -> Tokens:
    if len(array.dictionary) <= len(array):
        tokens = tokens_of(array.dictionary, reading)
        if not tokens.flaws and tokens.indices is None:
            return replace(tokens, indices=array.indices)
    return tokens_of(array.dictionary_decode(), reading)


def _from_text(array: pa.StringArray, reading: Reading) -> Tokens:
    broken = not_utf8(array)
    array = without(array, broken)
    cells = blank_to_null(array) if reading.blank_is_missing else array
    way = _from_json if reading.is_json else _FROM_TEXT.get(reading.type, _from_json)
    tokens = way(cells, reading)
    return replace(tokens, flaws=(*tokens.flaws, Flaw("not_utf8", broken))) if broken.size else tokens


def _string(cells: pa.StringArray, reading: Reading) -> Tokens:
    return Tokens(escape(cells), '"', '"')


def _number(cells: pa.StringArray, reading: Reading) -> Tokens:
    return number_literals(cells, decimal=reading.decimal)


def _boolean(cells: pa.StringArray, reading: Reading) -> Tokens:
    known = pc.is_in(cells, value_set=_BOOLEANS)
    wrong = pc.and_not(cells.is_valid(), known)
    return Tokens(_lower(cells), flaws=flaws_of(not_a_boolean=wrong))


def _lower(cells: pa.StringArray) -> pa.StringArray:
    return pc.ascii_lower(cells) if data_bytes(cells).min(initial=_FIRST_LOWER) < _FIRST_LOWER else cells


_FIRST_LOWER = ord("a")
_BOOLEANS = texts(["true", "false", "True", "False", "TRUE", "FALSE"])


def _time(cells: pa.StringArray, reading: Reading) -> Tokens:
    return time_literals(cells, tz=reading.tz, truncate=reading.truncate_times)


def _from_json(cells: pa.StringArray, reading: Reading) -> Tokens:
    return json_tokens(cells, declared=reading.type)


def _from_numbers(array: pa.Array, reading: Reading) -> Tokens:
    tokens = number_tokens(array)
    return replace(tokens, before='"', after='"') if reading.type == "string" else tokens


def _from_booleans(array: pa.Array, reading: Reading) -> Tokens:
    quote = '"' if reading.type == "string" else ""
    return Tokens(array.cast(pa.string()), quote, quote)


def _from_times(array: pa.Array, reading: Reading) -> Tokens:
    return time_tokens(array, tz=reading.tz, truncate=reading.truncate_times)


def _from_nothing(array: pa.Array, reading: Reading) -> Tokens:
    return Tokens(nulls(len(array)))


def _from_list(array: pa.Array, reading: Reading) -> Tokens:
    element = replace(reading, type=reading.type.removeprefix("(list ").removesuffix(")"), blank_is_missing=False)
    return list_tokens(array, lambda cells: tokens_of(cells, element))


_Way = Callable[[pa.Array, Reading], Tokens]
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
