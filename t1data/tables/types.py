"""Talon.One's words for the types of attributes, and which Arrow types can become which of them."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.types as at

from t1data.tables.records import JSON_FLAG

SCALARS = ("string", "number", "boolean", "time", "location")
LISTS = ("(list string)", "(list number)", "(list time)", "(list location)")
TYPES = (*SCALARS, *LISTS)
JSON = "json"
"""The type of a column whose cells are JSON text already and whose attribute's type nobody declared."""


_DECLARABLE = {
    "string": set(TYPES),
    "number": {"number", "string"},
    "boolean": {"boolean", "string"},
    "time": {"time", "string"},
    "(list string)": {"(list string)", "(list time)", "(list number)"},
    "(list number)": {"(list number)", "(list string)"},
    "(list time)": {"(list time)"},
    "nothing": set(TYPES),
    "location": {"location"},
    JSON: {JSON, *TYPES},
}


def is_json(field: pa.Field) -> bool:
    """Return whether a reader has marked the column's cells as JSON text."""
    return bool(field.metadata and JSON_FLAG in field.metadata)


def kind_of(arrow: pa.DataType) -> str | None:
    """Return the type that such a column has by itself, or None when t1data cannot send it.

    One of `TYPES`, or ``"nothing"`` for a column of nulls.

    Examples
    --------
    >>> kind_of(pa.uint8())
    'number'
    """
    if at.is_dictionary(arrow):
        return kind_of(arrow.value_type)
    if is_list(arrow):
        return _list_kind(kind_of(arrow.value_type))
    return next((kind for kind, tests in _TESTS.items() if any(test(arrow) for test in tests)), None)


def _list_kind(element: str | None) -> str | None:
    kind = f"(list {'string' if element == 'nothing' else element})"
    return kind if kind in LISTS else None


_TESTS = {
    "string": (at.is_string, at.is_large_string, at.is_string_view),
    "number": (at.is_integer, at.is_floating, at.is_decimal),
    "boolean": (at.is_boolean,),
    "time": (at.is_timestamp, at.is_date),
    "nothing": (at.is_null,),
}


def is_list(arrow: pa.DataType) -> bool:
    """Return whether the type is a list of any Arrow layout."""
    return bool(at.is_list(arrow) or at.is_large_list(arrow) or at.is_fixed_size_list(arrow))


def is_naive(arrow: pa.DataType) -> bool:
    """Return whether values of this type, or of its elements, are times or dates without a zone."""
    if is_list(arrow) or at.is_dictionary(arrow):
        return is_naive(arrow.value_type)
    return bool(at.is_date(arrow) or (at.is_timestamp(arrow) and arrow.tz is None))


def can_become(kind: str, declared: str) -> bool:
    """Return whether a column of this kind can be sent as the declared type."""
    return declared in _DECLARABLE[kind]
