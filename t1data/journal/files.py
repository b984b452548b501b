"""The outcomes of a run as a file: one line a row of the input, in its order, whatever the number of rows."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from t1data.errors import InputError
from t1data.journal.outcomes import SCHEMA, IdReader, outcome_chunks

_WRITERS: dict[str, Callable[[Any, pa.Schema], Any]] = {
    ".csv": pyarrow.csv.CSVWriter,
    ".parquet": pyarrow.parquet.ParquetWriter,
}


def write_outcomes(journal: Path, path: Path, *, ids: IdReader | None = None, overwrite: bool = False) -> None:
    """Write the outcomes of a run as CSV or Parquet, whole or not at all, readable by its owner only.

    Parameters
    ----------
    journal : Path
        The run.
    path : Path
        Ends in ``.csv`` or ``.parquet``. Columns: see `Run.outcomes`; ids and messages are written exactly as they
        are, for machines.
    ids : callable, optional
        Reads the ids from the input again.
    overwrite : bool
        Replace a file that is there.

    Raises
    ------
    InputError
        The file is there already, its folder is not, or its ending is another one.
    """
    writer = _WRITERS.get(path.suffix)
    if writer is None:
        raise InputError(f"{path.name}: outcomes are written as {' or '.join(_WRITERS)}")
    with replacing(path, overwrite=overwrite) as part, writer(str(part), SCHEMA) as out:
        for chunk in outcome_chunks(journal, ids):
            out.write_batch(chunk)


@contextmanager
def replacing(path: Path, *, overwrite: bool = False) -> Iterator[Path]:
    """Give a private file beside `path` that takes its name only when the block ends well.

    Raises
    ------
    InputError
        The file is there already, or its folder cannot be written to.
    """
    if path.exists() and not overwrite:
        raise InputError(f"{path} is there already; name another file, or say overwrite")
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}") from None
    part = Path(name)
    try:
        os.close(handle)
        yield part
        with part.open("rb") as written:
            os.fsync(written.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
