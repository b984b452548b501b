"""What lies beside the journal of an audience run: which rows changed something, and whom they were about, hashed.

A journal names no customer. To take back a run, or to remove only whom we added, one must know of each row whether
the customer was in the audience before; and, of customers in an audience today, whether we have added them. So a run
leaves a Parquet file beside its journal, with the keyed hash of each id (`t1data.journal.hashes`) and that one bit.
It is written before anything is sent. Whether a row was accepted, the journal says.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from t1data.audiences.actions import Actions, Read
from t1data.errors import InputError, JournalError
from t1data.journal.hashes import WIDTH, hash_id, machine_key
from t1data.journal.names import runs_folder
from t1data.journal.outcomes import head_of, outcome_chunks
from t1data.journal.place import MARKS
from t1data.journal.reads import reading
from t1data.tables.strings import indices, mask
from t1data.writing import replacing

JOB = "apply_audience"
Members = Mapping[int, Collection[str]]

_SCHEMA = pa.schema(
    [
        ("row", pa.int64()),
        ("audience_id", pa.int64()),
        ("adds", pa.bool_()),
        ("changes", pa.bool_()),
        ("hash", pa.binary(WIDTH)),
    ]
)


def marks_of(journal: Path) -> Path:
    """Return where the marks of a run lie."""
    return journal.with_name(journal.name + MARKS)


def write_marks(journal: Path, actions: Actions, before: Members | None) -> None:
    """Write the marks of a plan.

    Parameters
    ----------
    journal : Path
        Of the run that begins.
    actions : Actions
        The plan.
    before : mapping of int to collection of str, optional
        Audience → its members; None when nobody knows.

    Raises
    ------
    JournalError
        The file cannot be written.
    """
    key = machine_key()
    try:
        with replacing(marks_of(journal), overwrite=True) as part, pq.ParquetWriter(part, _SCHEMA) as out:
            for found in actions.read():
                out.write_batch(_marked(found, before, key))
    except InputError as error:
        raise JournalError(str(error)) from None


def _marked(found: Read, before: Members | None, key: bytes) -> pa.RecordBatch:
    ids, adds = found.ids.to_pylist(), found.adds
    changes: pa.Array = pa.nulls(len(ids), pa.bool_())
    if before is not None:
        there = [id_ in before[audience] for id_, audience in zip(ids, found.audiences.tolist(), strict=True)]
        changes = mask(adds != np.array(there, dtype=bool))
    columns = [indices(found.rows), indices(found.audiences), mask(adds), changes, _hashes(key, ids)]
    return pa.RecordBatch.from_arrays(columns, schema=_SCHEMA)


def _hashes(key: bytes, ids: list[str]) -> pa.FixedSizeBinaryArray:
    data = pa.py_buffer(b"".join(hash_id(key, id_) for id_ in ids))
    return pa.Array.from_buffers(pa.binary(WIDTH), len(ids), [None, data])


def ours(base_url: str, audience_id: int, *, folder: Path | None = None) -> Callable[[list[str]], list[str]]:
    """Return what keeps, of the members of an audience, those that runs of this machine have added.

    Only an action that was accepted counts, and only when it is known that the customer was no member before. Who was
    taken out again, or may have been, is not ours any more. What no journal in the folder shows is not ours.

    Parameters
    ----------
    base_url : str
        Of the account.
    audience_id : int
        The audience.
    folder : Path, optional
        Where journals lie; the usual folder by default.
    """
    added: pa.Array = pa.array([], pa.binary(WIDTH))
    for journal in _journals(base_url, folder or runs_folder()):
        added = _after(added, journal, audience_id)
    key = machine_key(folder)

    def keep(ids: list[str]) -> list[str]:
        known = pc.is_in(_hashes(key, ids), value_set=added)
        return [id_ for id_, is_ours in zip(ids, known.to_pylist(), strict=True) if is_ours]

    return keep


def _journals(base_url: str, folder: Path) -> Iterator[Path]:
    """Yield the journals of runs on this account's audiences, the oldest first."""
    found = []
    for path in folder.glob("*.sqlite"):
        if not marks_of(path).is_file():
            continue
        with reading(path) as db:
            head = head_of(db, path)
        if head.operation == JOB and head.base_url == base_url:
            found.append((head.started_at, path))
    yield from (path for _, path in sorted(found))


def _after(added: pa.Array, journal: Path, audience_id: int) -> pa.Array:
    """Return whom we have added after one more run."""
    marks = pq.read_table(marks_of(journal))
    marks = marks.filter(pc.equal(marks["audience_id"], audience_id))
    accepted, gone = _rows_with(journal, ["accepted"]), _rows_with(journal, ["accepted", "in_doubt"])
    rows, adds = marks["row"].to_numpy(), marks["adds"].to_numpy()
    changes = marks["changes"].fill_null(False).to_numpy()
    hashes = marks["hash"].combine_chunks()
    taken = hashes.filter(pa.array(~adds & np.isin(rows, gone)))
    given = hashes.filter(pa.array(adds & changes & np.isin(rows, accepted)))
    left = added.filter(pc.invert(pc.is_in(added, value_set=taken)))
    return pc.unique(pa.concat_arrays([left, given]))


def _rows_with(journal: Path, outcomes: list[str]) -> npt.NDArray[np.int64]:
    wanted = pa.array(outcomes)
    found = [
        chunk.column("row").filter(pc.is_in(chunk.column("outcome"), value_set=wanted)).to_numpy() - 1
        for chunk in outcome_chunks(journal)
    ]
    return np.concatenate(found) if found else np.empty(0, dtype=np.int64)
