"""Custom attributes as typed columns: the type comes from the account where it is known, else from all the values."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from t1data.inventories.columns import ARROW

Record = Mapping[str, Any]
Kinds = dict[str, set[str]]

EXACT = 2**53  # above it, a floating point number no longer holds every whole number


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
        values = [value if value is None or isinstance(value, str) else json.dumps(value) for value in values]
    return pa.array(values, kind)


def time_of(text: Any) -> datetime | None:
    """Return a time in UTC, None when the text is none; without a zone it is taken as UTC, as Talon.One writes it."""
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:  # the first or last day of all years, in a zone that lies over the edge
        return None


def _kind(value: Any) -> str:
    if isinstance(value, list):
        inside = {_kind(item) for item in value} - {"null"}
        return f"list {inside.pop() if len(inside) == 1 else 'mixed' if inside else 'empty'}"
    if isinstance(value, int) and not isinstance(value, bool):
        return "whole" if abs(value) < EXACT else "long" if -(2**63) <= value < 2**63 else "huge"
    if isinstance(value, str):
        return "text" if time_of(value) is None else "time"
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
