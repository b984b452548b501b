"""Which columns of two inputs are compared, and the one type in which the values of both are exact."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pyarrow as pa
import pyarrow.types as at

from t1data.audiences.engine import literal, quoted, refusal
from t1data.errors import InputError
from t1data.tables.choices import require_known
from t1data.tables.numbers import number_tokens
from t1data.tables.records import Source
from t1data.tables.strings import texts
from t1data.tables.types import is_json, is_list

ID: Final = "integration_id"

_EXACT: Final = 2**53  # up to here every whole number is a float; beyond, two of them share one
_MOST_DIGITS: Final = 38  # that a decimal has in DuckDB, and in Arrow's decimal128

_SQL: Final = {
    pa.string(): "VARCHAR",
    pa.bool_(): "BOOLEAN",
    pa.date32(): "DATE",
    pa.float32(): "FLOAT",
    pa.float64(): "DOUBLE",
    pa.int8(): "TINYINT",
    pa.int16(): "SMALLINT",
    pa.int32(): "INTEGER",
    pa.int64(): "BIGINT",
    pa.uint8(): "UTINYINT",
    pa.uint16(): "USMALLINT",
    pa.uint32(): "UINTEGER",
    pa.uint64(): "UBIGINT",
    pa.timestamp("us"): "TIMESTAMP",
    pa.timestamp("ns"): "TIMESTAMP_NS",
}


@dataclass(frozen=True)
class Column:
    """A column that is compared.

    Attributes
    ----------
    name : str
    type : pyarrow.DataType
        Holds the values of both sides exactly.
    """

    name: str
    type: pa.DataType

    def select(self, field: pa.Field) -> str:
        """Return the SQL that reads the column of one side in the common type; NaN is no value."""
        cell, kind = "NULL" if at.is_null(field.type) else quoted(self.name), plain_type(field.type)
        if at.is_list(self.type):
            return cell
        if at.is_floating(self.type) and at.is_integer(kind):
            said = "whole numbers beyond 2**53, which do not compare exactly with floating point numbers"
            cell = self._if(f"{cell} BETWEEN -{_EXACT} AND {_EXACT}", cell, said)
        if at.is_string(kind) and not at.is_string(self.type):
            form, said = _written(self.type)
            cell = self._if(f"regexp_full_match({cell}, {literal(form)})", cell, f"text that is not {said}")
        if kind == pa.timestamp("us"):
            cell = f"CAST({cell} AS TIMESTAMP)"  # the only way from a time with a zone to nanoseconds in DuckDB 1.2
        cell = f"CAST({cell} AS {_sql_type(self.type)})"
        # DuckDB 2.0 takes isnan() and `= 'nan'` for never true where a Parquet file gives a least and a greatest value.
        return f"CASE WHEN isfinite({cell}) OR isinf({cell}) THEN {cell} END" if at.is_floating(self.type) else cell

    def _if(self, condition: str, cell: str, said: str) -> str:
        """Return the SQL that takes a cell on a condition, and else ends the query with a sentence."""
        sentence = f"column {self.name!r} holds {said}. Mend it, or leave it out by compare=."
        return f"CASE WHEN {cell} IS NULL OR {condition} THEN {cell} ELSE {refusal(sentence)} END"


def choose_columns(
    before: Source, after: Source, *, ids: tuple[str, str], compare: Sequence[str] | None
) -> tuple[Column, ...]:
    """Return the columns to compare: those that the caller names, else all that both sides have.

    The cells of a text file have no type, so they are read in that of the other side.

    Raises
    ------
    InputError
        A column is missing, or the two sides have types in which no comparison is exact.
    """
    if isinstance(compare, str):
        raise InputError(f"compare: got {compare!r}, valid is a list of columns; [] compares ids alone")
    shared = [name for name in before.columns if name in set(after.columns) and name not in ids]
    wanted = shared if compare is None else list(dict.fromkeys(compare))
    require_known("compare", wanted, valid=shared)
    if ID in wanted:
        raise InputError(f"compare: {ID!r} names the ids of the result. Leave it out by compare=, or rename it.")
    return tuple(Column(name, _common(before, after, name)) for name in wanted)


def _common(left: Source, right: Source, name: str) -> pa.DataType:
    before, after = left.schema.field(name), right.schema.field(name)
    found = common_type(before, after)
    if found is None and left.is_text != right.is_text:
        typed = plain_type((after if left.is_text else before).type)
        found = typed if (typed in _SQL and not at.is_temporal(typed)) or at.is_decimal(typed) else None
    if found is not None:
        return found
    if plain_type(before.type) is None and before.type == after.type:
        why = f"holds {before.type}, which cannot be compared"
    else:
        why = f"holds {_in_words(before)} before and {_in_words(after)} after, which cannot be compared exactly"
    raise InputError(
        f"compare: column {before.name!r} {why}. Give both sides one type, or say by compare= which columns to"
        " compare; with none of them, ids alone are compared."
    )


def _written(kind: pa.DataType) -> tuple[str, str]:
    """Return how the values of a type are written in a text file, as a pattern and in words."""
    whole = "-?(0|[1-9][0-9]*)"
    if at.is_boolean(kind):
        return "true|false", "true or false"
    if at.is_integer(kind):
        return whole, "a whole number"
    if at.is_decimal(kind):
        return rf"{whole}(\.[0-9]{{1,{kind.scale}}})?" if kind.scale else whole, f"a number of {kind.scale} decimals"
    return rf"{whole}(\.[0-9]+)?([eE][+-]?[0-9]+)?", "a number"


def _in_words(field: pa.Field) -> str:
    return "values of several kinds side by side" if is_json(field) else str(field.type)


def plain_type(kind: pa.DataType) -> pa.DataType | None:
    """Return the type in which DuckDB reads such values exactly, or None where there is none.

    Times with a zone become times in UTC: DuckDB has zones only for microseconds.

    Examples
    --------
    >>> plain_type(pa.timestamp("s", "Europe/Berlin"))
    TimestampType(timestamp[us])
    """
    if at.is_dictionary(kind):
        return plain_type(kind.value_type)
    if at.is_timestamp(kind):
        return pa.timestamp("ns" if kind.unit == "ns" else "us")
    if is_list(kind):
        inner = plain_type(kind.value_type)
        return None if inner is None or at.is_timestamp(inner) else pa.list_(inner)
    if at.is_decimal(kind):
        return pa.decimal128(kind.precision, kind.scale) if kind.precision <= _MOST_DIGITS else None
    if at.is_large_string(kind):
        return pa.string()
    if at.is_float16(kind):
        return pa.float32()
    if at.is_date64(kind):
        return pa.date32()
    return kind if at.is_null(kind) or kind in _SQL else None


def common_type(before: pa.Field, after: pa.Field) -> pa.DataType | None:
    """Return the narrowest type that holds the values of both fields exactly; None where there is none.

    Examples
    --------
    >>> common_type(pa.field("n", pa.int8()), pa.field("n", pa.uint64()))
    Decimal128Type(decimal128(20, 0))
    """
    a, b = plain_type(before.type), plain_type(after.type)
    if a is None or b is None:
        return None
    if at.is_null(a) or at.is_null(b):
        other = after if at.is_null(a) else before
        return pa.string() if at.is_null(a) and at.is_null(b) else _zoned(plain_type(other.type), other)
    if is_json(before) != is_json(after) or _is_zoned(before) != _is_zoned(after):
        return None
    if a == b:
        return _zoned(a, before)
    if (at.is_floating(a) and _is_number(b)) or (at.is_floating(b) and _is_number(a)):
        return pa.float64()  # a blank turns whole numbers into floats in pandas; they are the same numbers
    if at.is_timestamp(a) and at.is_timestamp(b):
        return _zoned(pa.timestamp("ns"), before)
    return _common_number(a, b) if _is_exact(a) and _is_exact(b) else None


def _is_number(kind: pa.DataType) -> bool:
    return bool(at.is_integer(kind) or at.is_floating(kind))


def _is_exact(kind: pa.DataType) -> bool:
    return bool(at.is_integer(kind) or at.is_decimal(kind))


def _common_number(a: pa.DataType, b: pa.DataType) -> pa.DataType | None:
    for kind in (pa.int64(), pa.uint64()):
        if all(_fits(side, kind) for side in (a, b)):
            return kind
    digits = [_digits(side) for side in (a, b)]
    scale = max(behind for _, behind in digits)
    precision = max(ahead for ahead, _ in digits) + scale
    return pa.decimal128(precision, scale) if precision <= _MOST_DIGITS else None


def _fits(kind: pa.DataType, wide: pa.DataType) -> bool:
    if not at.is_integer(kind):
        return False
    same = at.is_signed_integer(kind) == at.is_signed_integer(wide)
    return bool(same) or bool(at.is_signed_integer(wide) and kind.bit_width < wide.bit_width)


def _digits(kind: pa.DataType) -> tuple[int, int]:
    """Digits before and after the point."""
    if at.is_decimal(kind):
        return kind.precision - kind.scale, kind.scale
    return {8: 3, 16: 5, 32: 10, 64: 20}[kind.bit_width], 0


def _is_zoned(field: pa.Field) -> bool:
    kind = field.type.value_type if at.is_dictionary(field.type) else field.type
    return bool(at.is_timestamp(kind) and kind.tz is not None)


def _zoned(kind: pa.DataType, field: pa.Field) -> pa.DataType:
    return pa.timestamp(kind.unit, "UTC") if _is_zoned(field) else kind


def _sql_type(kind: pa.DataType) -> str:
    if at.is_decimal(kind):
        return f"DECIMAL({kind.precision}, {kind.scale})"
    return _SQL[pa.timestamp(kind.unit) if at.is_timestamp(kind) else kind]


def as_text(cells: pa.Array) -> pa.StringArray:
    """Return values as text that loses nothing: numbers as in JSON, times in ISO form, lists as JSON.

    Examples
    --------
    >>> as_text(pa.array([60.0, 0.1, None])).to_pylist()
    ['60', '0.1', None]
    """
    if at.is_floating(cells.type):
        return number_tokens(cells).text
    if is_list(cells.type):
        made = [
            None if cell is None else json.dumps(cell, default=str, ensure_ascii=False) for cell in cells.to_pylist()
        ]
        return texts(made)
    return cells.cast(pa.string())
