"""Custom attributes as typed columns: the type comes from the account where it is known, else from all the values."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from t1data.inventories.cells import EXACT, time_of
from t1data.inventories.columns import ARROW

Record = Mapping[str, Any]
Kinds = dict[str, set[str]]


def see_kinds(kinds: Kinds, attributes: Record) -> None:
    """Add to `kinds` of what kind each attribute's value is. The one function here that changes what it is given."""
    for name, value in attributes.items():
        if value is not None:
            kinds.setdefault(name, set()).add(_kind(value))


def column_types(kinds: Kinds, declared: Mapping[str, str]) -> dict[str, pa.DataType]:
    """Return attribute → the type of its column, in alphabetical order.

    Parameters
    ----------
    kinds : mapping
        From `see_kinds`.
    declared : mapping of str to str
        Attribute → type in Talon.One's words, as far as the account tells it.
    """
    return {name: _type(kinds[name], declared.get(name)) for name in sorted(kinds)}


def column(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    """Return a column of one attribute's values; what does not fit a text column is written as JSON."""
    if pa.types.is_timestamp(kind):
        values = [None if value is None else time_of(value) for value in values]
    elif pa.types.is_string(kind):
        values = [value if value is None or _is_text(value) else json.dumps(value) for value in values]
    return pa.array(values, kind)


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
