"""Custom attributes as typed columns: the type comes from the account where it is known, else from all the values."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import chain
from types import NoneType
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from t1data.bulk.cells import ARROW, EXACT, time_of, typed

Kinds = dict[str, set[str]]
Values = Any  # an Arrow column, or a sequence of what JSON holds


class Attributes:
    """Gathers the attributes of one table's rows, some rows at a time.

    Parameters
    ----------
    declared : mapping of str to str
        Attribute → type in Talon.One's words, as far as the account tells it.

    Attributes
    ----------
    kinds : dict of str to set of str
        Attribute → the kinds of value that were seen.
    """

    def __init__(self, declared: Mapping[str, str]) -> None:
        self.kinds: Kinds = {}
        self._declared = declared
        self._portions: list[tuple[int, dict[str, Values]]] = []

    def add(self, found: Sequence[Any]) -> None:
        """Add what each of some rows has; a row that has none is None."""
        columns = {}
        for name, kinds, values in survey(found, self._declared) if any(found) else ():
            self.kinds.setdefault(name, set()).update(kinds)
            columns[name] = values
        self._portions.append((len(found), columns))

    def columns(self, kinds: Kinds) -> dict[str, pa.ChunkedArray]:
        """Return the columns of all rows, in alphabetical order of the attributes in `kinds`."""
        made = {}
        for name, kind in column_types(kinds, self._declared).items():
            shown = name.encode(errors="backslashreplace").decode()  # JSON can write half a surrogate pair
            chunks = [_column(columns.get(name, pa.nulls(rows)), kind) for rows, columns in self._portions]
            made[f"attributes.{shown}"] = pa.chunked_array(chunks, kind)
        return made


def survey(found: Sequence[Any], declared: Mapping[str, str]) -> Iterator[tuple[str, set[str], Values]]:
    """Yield each attribute of some rows, of what kinds its values are, and the values; null alone is no value."""
    records = [record if isinstance(record, dict) else {} for record in found]
    for name in set[str]().union(*records):
        kinds, values = _looked_over([record.get(name) for record in records], declared.get(name))
        if kinds:
            yield name, kinds, values


def column_types(kinds: Kinds, declared: Mapping[str, str]) -> dict[str, pa.DataType]:
    """Return attribute → the type of its column, in alphabetical order."""
    return {name: _type(kinds[name], declared.get(name)) for name in sorted(kinds)}


def _column(values: Values, kind: pa.DataType) -> pa.Array:
    """Return a column of one attribute's values; what does not fit a text column is written as JSON."""
    if isinstance(values, pa.Array):
        if values.type == kind or values.null_count == len(values):
            return values.cast(kind)
        values = values.to_pylist()
    if pa.types.is_timestamp(kind):
        return typed(values, "time")[0]
    if pa.types.is_string(kind):
        values = [value if value is None or _is_text(value) else json.dumps(value) for value in values]
    return pa.array(values, kind)


# --- of what kind values are: all at once where they are of one type, else one by one ------------------------------


def _looked_over(values: Sequence[Any], declared: str | None) -> tuple[set[str], Values]:
    types = set(map(type, values)) - {NoneType}
    look = _LOOKS.get(types.pop()) if len(types) == 1 else None
    if look is not None:
        with suppress(pa.ArrowInvalid, OverflowError, UnicodeEncodeError):
            kind, array = look(values)
            return {"time" if declared == "time" and kind == "text" and _are_times(values) else kind}, array
    return {_kind(value) for value in values if value is not None}, values


def _are_times(values: Sequence[Any]) -> bool:
    return all(value is None or value[4:5] == "-" for value in values) and not typed(values, "time")[1]


def _whole(values: Sequence[Any]) -> tuple[str, pa.Array]:
    array = pa.array(values, ARROW["whole"])
    edges = pc.min_max(array)
    return "whole" if edges["min"].as_py() > -EXACT and edges["max"].as_py() < EXACT else "long", array


def _texts(values: Sequence[Any]) -> tuple[str, pa.Array]:
    items = list(chain.from_iterable(filter(None, values)))
    if set(map(type, items)) != {str} or any(item[4:5] == "-" for item in items):  # a time among texts is told apart
        raise pa.ArrowInvalid("other lists than of texts")
    return "list text", pa.array(values, pa.list_(pa.string()))


_LOOKS: Mapping[type, Callable[[Sequence[Any]], tuple[str, pa.Array]]] = {
    bool: lambda values: ("flag", pa.array(values, ARROW["flag"])),
    int: _whole,
    float: lambda values: ("number", pa.array(values, ARROW["number"])),
    str: lambda values: ("text", pa.array(values, ARROW["text"])),
    list: _texts,
}


def _is_text(value: Any) -> bool:
    try:
        return isinstance(value, str) and (value.isascii() or value.encode() is not None)
    except UnicodeEncodeError:  # half a surrogate pair: JSON can write it, a text column cannot hold it
        return False


def _kind(value: Any) -> str:
    if isinstance(value, list):
        inside = {_kind(item) for item in value} - {"null"}
        return f"list {inside.pop() if len(inside) == 1 else 'mixed' if inside else 'empty'}"
    if isinstance(value, int) and not isinstance(value, bool):
        return "whole" if abs(value) < EXACT else "long" if -(2**63) <= value < 2**63 else "huge"
    if isinstance(value, str):
        if not _is_text(value):
            return "broken"
        return "time" if value[4:5] == "-" and time_of(value) is not None else "text"
    return {bool: "flag", float: "number", type(None): "null"}.get(type(value), "object")


def _type(kinds: set[str], declared: str | None) -> pa.DataType:
    plain = {"text" if kind == "time" else kind for kind in kinds}
    if declared == "time" and kinds == {"time"}:
        return ARROW["time"]
    if plain == {"flag"}:
        return ARROW["flag"]
    if plain <= {"whole", "long"} and (declared != "number" or "long" in plain):
        return ARROW["whole"]
    if plain <= {"whole", "number"}:
        return ARROW["number"]
    if plain <= {"list text", "list time", "list empty"}:
        return pa.list_(pa.string())
    if plain <= {"list whole", "list number", "list empty"}:
        return pa.list_(pa.float64())
    return pa.string()
