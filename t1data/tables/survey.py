"""One look over a whole source before anything is sent: its rows, types, damaged ids, and ids that stand twice."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from t1data.tables.ids import IdScan, Suspect, read_ids
from t1data.tables.infer import TypeScan
from t1data.tables.records import Source

Hashes = npt.NDArray[np.int64]


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
    ids = IdScan(are_excel_numbers=source.kind == "excel" and is_number)
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
    """Return a hash for each id. It differs from process to process, so that no file can be made to collide."""
    return np.fromiter(map(hash, ids.to_pylist()), dtype=np.int64, count=len(ids))


def are_among(ids: pa.StringArray, repeated: Hashes) -> npt.NDArray[np.bool_]:
    """Tell for each id whether its hash is among the sorted `repeated` ones; null is not."""
    hashes = hash_ids(ids)
    places = np.searchsorted(repeated, hashes).clip(max=len(repeated) - 1)
    among: npt.NDArray[np.bool_] = (repeated[places] == hashes) & np.asarray(ids.is_valid())
    return among


def _repeated(hashes: array[int]) -> Hashes:
    found = np.frombuffer(hashes, dtype=np.int64)
    found.sort()  # in place: a second copy would double what a large source costs
    return np.unique(found[1:][found[1:] == found[:-1]])
