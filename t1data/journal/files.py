"""The outcomes of a run, and the rows that failed, as files; written whole or not at all, in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from t1data.errors import InputError
from t1data.journal.outcomes import SCHEMA, Input, Rows, outcome_chunks
from t1data.writing import replacing

_WRITERS: dict[str, Callable[[Any, pa.Schema], Any]] = {
    ".csv": pyarrow.csv.CSVWriter,
    ".parquet": pyarrow.parquet.ParquetWriter,
}


def write_outcomes(journal: Path, path: Path, *, source: Input | None = None, overwrite: bool = False) -> None:
    """Write the outcomes of a run as CSV or Parquet, whole or not at all, readable by its owner only.

    Parameters
    ----------
    journal : Path
        The run.
    path : Path
        Ends in ``.csv`` or ``.parquet``. Columns: see `Run.outcomes`; ids and messages are written exactly as they
        are, for machines.
    source : Input, optional
        The ids are read from it.
    overwrite : bool
        Replace a file that is there.

    Raises
    ------
    InputError
        The file is there already, its folder is not, or its ending is another one.
    """
    with replacing(path, overwrite=overwrite) as part, _writer(path)(str(part), SCHEMA) as out:
        for chunk in outcome_chunks(journal, source):
            out.write_batch(chunk)


def write_failed_rows(
    journal: Path, path: Path, *, source: Input, outcomes: Collection[str], overwrite: bool = False
) -> int:
    """Write the rows with some outcomes in the input's own columns, to be mended and sent again as a new run.

    Parameters
    ----------
    journal, path, overwrite :
        As for `write_outcomes`.
    source : Input
        The rows are read from it.
    outcomes : collection of str
        Which rows.

    Returns
    -------
    int
        How many rows were written. A row of a text file that has too many or too few fields is not among them.
    """
    failed, written = _rows_with(journal, outcomes), 0
    with replacing(path, overwrite=overwrite) as part, _writer(path)(str(part), source.schema) as out:
        for rows, batch in source.rows():
            keep = np.isin(rows, failed)
            if keep.any():
                out.write_batch(batch.filter(pa.array(keep)))
                written += int(keep.sum())
    return written


def _rows_with(journal: Path, outcomes: Collection[str]) -> Rows:
    """Return the 0-based numbers of the rows with some outcomes: eight bytes for each."""
    wanted = pa.array(list(outcomes))
    found = [
        chunk.column("row").filter(pc.is_in(chunk.column("outcome"), value_set=wanted)).to_numpy() - 1
        for chunk in outcome_chunks(journal)
    ]
    return np.concatenate(found) if found else np.empty(0, dtype=np.int64)


def _writer(path: Path) -> Callable[[Any, pa.Schema], Any]:
    if path.suffix not in _WRITERS:
        raise InputError(f"{path.name}: rows are written as {' or '.join(_WRITERS)}")
    return _WRITERS[path.suffix]
