"""One look over a whole source before anything is sent: its rows, types, damaged ids, and ids that stand twice."""

from __future__ import annotations

import os
from array import array
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from t1data.tables.ids import IdScan, Suspect, read_ids
from t1data.tables.infer import TypeScan
from t1data.tables.records import Source
from t1data.tables.strings import EMPTY, data_bytes, mask, sizes, there

Hashes = npt.NDArray[np.int64]

_LONG = 64  # bytes
_PART = 1 << 20  # hashes that are compared at once
_FACTORS = np.frombuffer(os.urandom(16), np.uint64) | np.uint64(1)
_HALF = np.uint64(33)


@dataclass(frozen=True)
class Survey:
    """What is known of a source after one look over all of it.

    Attributes
    ----------
    rows : int
        Rows, those that cannot be read among them.
    blank_lines : int
        Empty physical lines of a text file; they are no rows.
    types : dict of str to str
        Column → inferred type, for the columns that were asked about.
    suspects : list of Suspect
        Signs that a program has damaged the ids.
    repeated : ndarray of int64
        Sorted hashes of the ids that (in all likelihood) stand in more than one row.
    """

    rows: int
    blank_lines: int
    types: dict[str, str]
    suspects: list[Suspect]
    repeated: Hashes


def survey(source: Source, id_column: str, *, infer: Sequence[str] = (), decimal: str = ".") -> Survey:
    """Read a source once, in bounded memory: eight bytes a row stay, to find ids that stand twice.

    Parameters
    ----------
    source : Source
        What to read.
    id_column : str
        The column of the integration ids.
    infer : sequence of str
        Text columns whose type is to be found.
    decimal : {".", ","}
        The decimal mark of numbers in text.
    """
    is_number = pa.types.is_floating(source.schema.field(id_column).type)
    ids = IdScan(are_excel_numbers=source.kind == "excel" and is_number, labels=source.labels)
    types, hashes = TypeScan(infer, decimal=decimal), array("q")
    rows = blank_lines = 0
    for part in source.slices([id_column, *infer]):
        text = read_ids(part.batch.column(id_column)).text
        ids.see(text, part.rows)
        hashes.frombytes(hash_ids(text.drop_null()).tobytes())
        if infer:
            types.see(part.batch)
        rows, blank_lines = part.next_row, blank_lines + part.blank_lines
    return Survey(rows, blank_lines, types.types(), ids.suspects(), _repeated(hashes))


def hash_ids(ids: pa.StringArray) -> Hashes:
    """Return a hash for each id. It differs from process to process, so that no file can be made to collide.

    Six instructions for each eight bytes of an id, on whole columns: a fifth of what Python's own `hash` takes, which
    long ids still get, as they would be padded to the longest of them.
    """
    lengths = sizes(ids)
    if lengths.max(initial=0) <= _LONG:
        return _hashed(ids)
    short = lengths <= _LONG
    hashes = np.empty(len(ids), np.int64)
    hashes[short] = _hashed(ids.filter(mask(short)))
    hashes[~short] = [hash(id_) for id_ in ids.filter(mask(~short)).to_pylist()]
    return hashes


def _hashed(ids: pa.StringArray) -> Hashes:
    """Mix the words of each id, the last first: a word of padding leaves the zero that it begins with."""
    width = -(-max(1, int(sizes(ids).max(initial=0))) // 8) * 8
    padded = pc.ascii_rpad(pc.coalesce(ids, EMPTY), width, padding="\0")
    words = np.frombuffer(data_bytes(padded), np.uint64).reshape(len(ids), width // 8)
    hashes = np.zeros(len(ids), np.uint64)
    for word in words.T[::-1]:
        hashes ^= word
        _mix(hashes)
    return hashes.view(np.int64)


def _mix(words: npt.NDArray[np.uint64]) -> None:
    """Let every bit of a word change half of all bits, in place: as Murmur hash 3 ends, with factors of our own."""
    for factor in _FACTORS:
        words ^= words >> _HALF
        words *= factor
    words ^= words >> _HALF


def are_among(ids: pa.StringArray, repeated: Hashes) -> npt.NDArray[np.bool_]:
    """Tell for each id whether its hash is among the sorted `repeated` ones; null is not."""
    hashes = hash_ids(ids)
    places = np.searchsorted(repeated, hashes).clip(max=len(repeated) - 1)
    among: npt.NDArray[np.bool_] = (repeated[places] == hashes) & there(ids)
    return among


def _repeated(hashes: array[int]) -> Hashes:
    found = np.frombuffer(hashes, dtype=np.int64)
    found.sort()  # in place: a second copy would double what a large source costs
    parts = (found[low : low + _PART + 1] for low in range(0, len(found), _PART))
    return np.unique(np.concatenate([found[:0], *(part[1:][part[1:] == part[:-1]] for part in parts)]))
