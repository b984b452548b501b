"""Arrow's several layouts of one value, brought to the one that everybody downstream reads."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc


def readable_type(kind: pa.DataType) -> pa.DataType:
    """Plain type that holds the same values: views and run ends are unrolled, all else stays.

    Examples
    --------
    >>> readable_type(pa.string_view())
    DataType(string)
    """
    if pa.types.is_run_end_encoded(kind):
        return readable_type(kind.value_type)
    if pa.types.is_dictionary(kind):  # a categorical column of polars is one of views
        return pa.dictionary(kind.index_type, readable_type(kind.value_type), kind.ordered)
    if pa.types.is_string_view(kind):
        return pa.string()
    if pa.types.is_binary_view(kind):
        return pa.binary()
    return kind


def readable_schema(schema: pa.Schema) -> pa.Schema:
    """Schema of what `to_readable` makes of a batch."""
    return pa.schema([field.with_type(readable_type(field.type)) for field in schema])


def to_readable(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Bring the columns of a batch to their plain types; the values stay."""
    schema = readable_schema(batch.schema)
    if schema.equals(batch.schema):
        return batch
    columns = [_to(column, field.type) for column, field in zip(batch.columns, schema, strict=True)]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _to(column: pa.Array, kind: pa.DataType) -> pa.Array:
    decoded = pc.run_end_decode(column) if pa.types.is_run_end_encoded(column.type) else column
    if decoded.type == kind:
        return decoded
    if isinstance(kind, pa.DictionaryType):
        values = decoded.dictionary.cast(kind.value_type)
        return pa.DictionaryArray.from_arrays(decoded.indices, values, ordered=kind.ordered)
    return decoded.cast(kind)
