"""A hash of values, the same for equal content however it is laid out or cut into batches."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def content_hash(batches: Iterable[pa.RecordBatch]) -> str:
    """Hash the names, types and values of record batches of one schema, in hex.

    Examples
    --------
    >>> batch = pa.record_batch({"a": ["x", None, "y"]})
    >>> content_hash([batch]) == content_hash([batch.slice(0, 1), batch.slice(1)])
    True
    """
    columns: list[_ColumnHash] = []
    for batch in batches:
        columns = columns or [_ColumnHash(field) for field in batch.schema]
        for column, values in zip(columns, batch.columns, strict=True):
            column.add(values)
    return hashlib.sha256("".join(column.hexdigest() for column in columns).encode()).hexdigest()


class _ColumnHash:
    """Three streams for one column: which cells have a value, how long the values are, and the values."""

    def __init__(self, field: pa.Field) -> None:
        self._name = f"{field.name}\0{_plain(field.type)}"
        self._present, self._lengths, self._data = (hashlib.sha256() for _ in range(3))

    def add(self, values: pa.Array) -> None:
        self._present.update(_bytes(values.is_valid().cast(pa.uint8())))
        if isinstance(values.type, pa.DictionaryType):
            values = values.dictionary_decode()
        self._add_present(values.drop_null())

    def _add_present(self, values: pa.Array) -> None:
        kind = values.type
        if pa.types.is_string(kind) or pa.types.is_large_string(kind):
            self._lengths.update(_bytes(pc.binary_length(values).cast(pa.int64())))
            self._data.update(_text(values))
        elif pa.types.is_primitive(kind) or pa.types.is_decimal(kind):
            self._data.update(_bytes(values.cast(pa.uint8()) if pa.types.is_boolean(kind) else values))
        else:
            for value in values.to_pylist():
                self._data.update(f"{value!r}\n".encode("utf-8", "surrogatepass"))

    def hexdigest(self) -> str:
        parts = [self._name, *(part.hexdigest() for part in (self._present, self._lengths, self._data))]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _plain(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if isinstance(kind, pa.DictionaryType) else kind


def _bytes(values: pa.Array) -> memoryview:
    """Bytes of an array without nulls whose values have a fixed width."""
    width = values.type.bit_width // 8
    data: Any = values.buffers()[1]
    return memoryview(data or b"")[values.offset * width : (values.offset + len(values)) * width]


def _text(values: pa.Array) -> memoryview:
    """All texts of an array without nulls, joined."""
    width = np.int64 if pa.types.is_large_string(values.type) else np.int32
    _, offsets, data = values.buffers()
    ends = np.frombuffer(offsets or b"", dtype=width)[values.offset : values.offset + len(values) + 1]
    return memoryview(data or b"")[ends[0] : ends[-1]] if len(ends) else memoryview(b"")
