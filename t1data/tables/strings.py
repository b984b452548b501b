"""Text cells to the inside of a JSON string, a whole column at a time.

Arrow scalars are made from buffers here: the first conversion of a Python object by ``pa.scalar`` or ``pa.array``
imports pandas when it is installed, and so does the first of Arrow's flags by ``np.asarray``: 0.3 to 0.7 seconds that a
command reading a file need not spend.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

_FAR = 2**30  # past the end of any cell: a replacement there appends
_SHORT = {8: r"\b", 9: r"\t", 10: r"\n", 12: r"\f", 13: r"\r"}


def mask(flags: npt.NDArray[np.bool_]) -> pa.BooleanArray:
    """Return flags as Arrow takes them."""
    packed = np.packbits(flags, bitorder="little")
    return pa.Array.from_buffers(pa.bool_(), len(flags), [None, pa.py_buffer(packed)])


def texts(values: Sequence[str | None]) -> pa.StringArray:
    """Return an Arrow array of strings.

    Examples
    --------
    >>> texts(["a", None]).null_count
    1
    """
    return encoded([None if value is None else value.encode() for value in values])


def encoded(values: Sequence[bytes | None]) -> pa.StringArray:
    """Return an Arrow array of strings whose UTF-8 is given."""
    data = [value or b"" for value in values]
    offsets = np.cumsum([0, *map(len, data)]).astype(np.int32)
    valid = mask(np.array([value is not None for value in values], bool)).buffers()[1]
    buffers = [valid, pa.py_buffer(offsets), pa.py_buffer(b"".join(data))]
    return pa.Array.from_buffers(pa.string(), len(data), buffers)


def text(value: str | None) -> pa.StringScalar:
    """Return an Arrow scalar of type string."""
    return texts([value])[0]


def nulls(count: int, of: pa.DataType | None = None) -> pa.Array:
    """Return an array of nulls, of strings when no type is named."""
    return pa.nulls(count, of or pa.string())


NONE = text(None)
EMPTY = text("")


def plain(array: pa.Array) -> pa.StringArray:
    """Return text of any Arrow layout (large, view, dictionary) as a plain string array."""
    return array if array.type == pa.string() else array.cast(pa.string())


def blank_to_null(array: pa.StringArray) -> pa.StringArray:
    """Return the array with its empty cells as nulls."""
    if np.count_nonzero(sizes(array) == 0) == 0:
        return array
    empty = pc.equal(array, EMPTY)
    return pc.if_else(empty, NONE, array) if has_true(empty) else array


def has_true(mask: pa.BooleanArray) -> bool:
    """Return whether any value is true; nulls are not."""
    return bool(mask.true_count)


def positions(mask: pa.BooleanArray) -> npt.NDArray[np.int64]:
    """Return the positions of the true values; nulls are not."""
    if not has_true(mask):
        return np.empty(0, np.int64)
    found = pc.indices_nonzero(mask)
    return np.frombuffer(found.buffers()[1], np.uint64, len(found)).astype(np.int64)


def indices(at: npt.NDArray[np.int64]) -> pa.Int64Array:
    """Return positions, or other whole numbers, as Arrow takes them."""
    return pa.Array.from_buffers(pa.int64(), len(at), [None, pa.py_buffer(np.ascontiguousarray(at))])


def numbers(values: Sequence[float | None], kind: pa.DataType) -> pa.Array:
    """Return an Arrow array of numbers of a type.

    Raises
    ------
    ValueError, TypeError, OverflowError
        A value is none of that type.

    Examples
    --------
    >>> numbers([5, None], pa.int8()).to_pylist()
    [5, None]
    """
    known = [value is not None for value in values]
    data = np.array([0 if value is None else value for value in values], kind.to_pandas_dtype())
    return pa.Array.from_buffers(kind, len(known), [mask(np.array(known, bool)).buffers()[1], pa.py_buffer(data)])


def numbers_of(array: pa.Array) -> npt.NDArray[Any]:
    """Return numbers as numpy sees them, without a copy; where there is none stands any."""
    kind = np.dtype(array.type.to_pandas_dtype())
    if not len(array):
        return np.empty(0, kind)
    return np.frombuffer(array.buffers()[1], kind, len(array), array.offset * kind.itemsize)


def fixed(cells: npt.NDArray[np.uint8], there: npt.NDArray[np.bool_]) -> pa.StringArray:
    """Return texts of one width: the rows of an array of bytes, in order, where `there` is true, else null."""
    ends = np.zeros(len(there) + 1, np.int32)
    np.cumsum(there, out=ends[1:])
    buffers = [mask(there).buffers()[1], pa.py_buffer(ends * np.int32(cells.shape[1])), pa.py_buffer(cells.tobytes())]
    return pa.Array.from_buffers(pa.string(), len(there), buffers)


def flags_of(mask: pa.BooleanArray) -> npt.NDArray[np.bool_]:
    """Return what is true; nulls are not."""
    return _bits(mask, 1) & there(mask)


def there(array: pa.Array) -> npt.NDArray[np.bool_]:
    """Return which cells are not null, of any type but that of nulls alone."""
    return _bits(array, 0)


def _bits(array: pa.Array, at: int) -> npt.NDArray[np.bool_]:
    buffer, count = array.buffers()[at], array.offset + len(array)
    if buffer is None:
        return np.ones(len(array), bool)
    bits = np.unpackbits(np.frombuffer(buffer, np.uint8), count=count, bitorder="little")
    return bits[array.offset :].view(bool)


def wrap(array: pa.StringArray, before: str, after: str) -> pa.StringArray:
    """Put the same text before and after each cell that is not null."""
    array = pc.binary_replace_slice(array, 0, 0, before) if before else array
    return pc.binary_replace_slice(array, _FAR, _FAR, after) if after else array


def data_bytes(array: pa.StringArray) -> npt.NDArray[np.uint8]:
    """Return the bytes of all cells, one after the other, without copying them."""
    data = array.buffers()[2]
    if data is None or not len(array):
        return np.empty(0, np.uint8)
    ends = offsets_of(array)
    return np.frombuffer(data, np.uint8)[ends[0] : ends[-1]]


def sizes(array: pa.StringArray | pa.BinaryArray) -> npt.NDArray[np.int32]:
    """Return the bytes of each cell."""
    return np.diff(offsets_of(array))


def offsets_of(array: pa.Array) -> npt.NDArray[Any]:
    """Return where each cell of texts or bytes begins in the array's data, and where the last one ends."""
    buffer = array.buffers()[1]
    kind = np.dtype(np.int64 if array.type in _LARGE else np.int32)
    if buffer is None or not len(array):
        return np.zeros(1, kind)
    return np.frombuffer(buffer, kind, len(array) + 1, array.offset * kind.itemsize)


_LARGE = (pa.large_string(), pa.large_binary())


def escape(array: pa.StringArray) -> pa.StringArray:
    r"""Escape what JSON does not take raw in a string: ``"``, ``\`` and the characters below U+0020.

    Everything else stays as it is, in UTF-8. Columns with nothing to escape, nearly all, cost a few passes over
    their bytes and no copy.

    Examples
    --------
    >>> escape(texts(['say "hi"', "plain"]))[0].as_py()
    'say \\"hi\\"'
    """
    data = data_bytes(array)
    at = np.flatnonzero((data == ord('"')) | (data == ord("\\")) | (data < 32))
    if not at.size:
        return array
    text, codes = data.tobytes(), data[at]
    for code in [ord("\\"), *sorted(set(codes.tolist()) - {ord("\\")})]:  # first what the others are escaped by
        text = text.replace(bytes([code]), _ESCAPED[code])
    ends = offsets_of(array) - offsets_of(array)[0]
    grown = np.append(0, np.cumsum(_GROWTH[codes]))[np.searchsorted(at, ends)]
    present = mask(there(array)).buffers()[1] if array.null_count else None
    buffers = [present, pa.py_buffer((ends + grown).astype(np.int32)), pa.py_buffer(text)]
    return pa.Array.from_buffers(pa.string(), len(array), buffers)


_ESCAPED = {code: _SHORT.get(code, f"\\u{code:04x}").encode() for code in range(32)} | {34: b'\\"', 92: b"\\\\"}
_GROWTH = np.array([len(_ESCAPED.get(code, b"x")) - 1 for code in range(256)])


def not_utf8(array: pa.StringArray) -> npt.NDArray[np.int64]:
    """Return the positions of cells that are not valid UTF-8, which Arrow files can hold though they must not."""
    data = data_bytes(array)
    if not data.size or data.max() < 128 or _is_valid(array):
        return np.empty(0, np.int64)
    raw = array.view(pa.binary())
    return np.array([at for at, cell in enumerate(raw) if not _decodes(cell.as_py())], np.int64)


def is_utf8(text: bytes) -> bool:
    """Return whether bytes are valid UTF-8.

    Examples
    --------
    >>> is_utf8("é".encode()), is_utf8("é".encode()[:1])
    (True, False)
    """
    ends = np.array([0, len(text)], np.int64)
    buffers = [None, pa.py_buffer(ends), pa.py_buffer(text)]
    return text.isascii() or _is_valid(pa.Array.from_buffers(pa.large_string(), 1, buffers))


def _is_valid(array: pa.StringArray | pa.LargeStringArray) -> bool:
    try:
        array.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _decodes(cell: bytes | None) -> bool:
    try:
        (cell or b"").decode()
    except UnicodeDecodeError:
        return False
    return True


def without(array: pa.StringArray, at: npt.NDArray[np.int64]) -> pa.StringArray:
    """Return the array with nulls at some positions."""
    if not at.size:
        return array
    hidden = np.zeros(len(array), bool)
    hidden[at] = True
    return pc.if_else(mask(hidden), NONE, array)
