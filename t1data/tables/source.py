"""The one door for input: files, frames, tables and streams all become a `Source`."""

from __future__ import annotations

import glob
import os
import sys
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from t1data.errors import InputError
from t1data.tables import arrow_reader, sniff
from t1data.tables.csv_reader import open_csv
from t1data.tables.files import FileStamp, head_of, open_unpacked, readable
from t1data.tables.parquet_reader import open_parquet
from t1data.tables.records import JSON_FLAG, SLICE_ROWS, Slice, Source

__all__ = ["JSON_FLAG", "SLICE_ROWS", "Slice", "Source", "open_source"]

_ACCEPTED: Final = (
    "a path (CSV, CSV.gz, Parquet, or a folder or glob of Parquet), a pandas or polars frame, "
    "a pyarrow table or reader, or an object with an Arrow stream such as a DuckDB relation"
)


def open_source(
    data: Any, *, encoding: str | None = None, delimiter: str | None = None, allow_empty: bool = False
) -> Source:
    """Open anything with rows.

    Parameters
    ----------
    data : str, pathlib.Path, pandas.DataFrame, pyarrow.Table or object with an Arrow stream
        The path of a CSV file (plain, gzip or Zstandard), a Parquet file, a folder or a glob of Parquet files; or a
        frame, table, record batch, reader or relation. What a file is, its first bytes tell, not its name.
    encoding : str, optional
        Codec of a text file. By default what the byte order mark says, else UTF-8; never guessed.
    delimiter : str, optional
        Separator of a CSV file's fields. By default found among comma, semicolon, tab and bar.
    allow_empty : bool
        Take columns without a row, as an audience without members has them.

    Returns
    -------
    Source
        Its `slices()` can be read many times. A stream that can be consumed only once is copied to a nameless file.

    Raises
    ------
    InputError
        When it has no rows, cannot be read, or its columns cannot be told apart. Nothing is guessed silently.

    Examples
    --------
    >>> import pandas as pd
    >>> source = open_source(pd.DataFrame({"integration_id": ["007"], "visits": [3]}))
    >>> source.columns, source.rows
    (('integration_id', 'visits'), 1)
    >>> [piece.batch.to_pylist() for piece in source.slices()]
    [[{'integration_id': '007', 'visits': 3}]]
    """
    if isinstance(data, str | os.PathLike):
        return _open_path(os.fspath(data), encoding=encoding, delimiter=delimiter, allow_empty=allow_empty)
    if encoding is not None or delimiter is not None:
        raise InputError("encoding= and delimiter= are for CSV files only.")
    return _open_object(data, allow_empty=allow_empty)


def _is_pandas_frame(data: Any) -> bool:
    pandas = sys.modules.get("pandas")  # who has a frame has loaded pandas; a file needs none of it
    return pandas is not None and isinstance(data, pandas.DataFrame)


def _open_object(data: Any, *, allow_empty: bool) -> Source:
    name = type(data).__name__
    if _is_pandas_frame(data):
        from t1data.tables.frame_reader import open_frame

        return open_frame(data, allow_empty=allow_empty)
    if isinstance(data, pa.Table):
        return arrow_reader.open_table(data, name=name, allow_empty=allow_empty)
    if isinstance(data, pa.RecordBatch):
        return arrow_reader.open_table(pa.Table.from_batches([data]), name=name, allow_empty=allow_empty)
    if not hasattr(data, "__arrow_c_stream__"):
        raise InputError(f"A {name} cannot be read as rows. Give {_ACCEPTED}.")
    if type(data).__module__.partition(".")[0] == "polars" and name == "DataFrame":
        return arrow_reader.open_repeatable(data, name=name, allow_empty=allow_empty)
    return arrow_reader.open_stream(data, name=name, allow_empty=allow_empty)


def _open_path(given: str | bytes, *, encoding: str | None, delimiter: str | None, allow_empty: bool) -> Source:
    if isinstance(given, bytes) or "\0" in given or not given.strip():
        raise InputError(f"{given!r} is no path. Give {_ACCEPTED}.")
    if "://" in given:
        raise InputError(f"{given} is an address, not a path. Download it first.")
    path = Path(given).expanduser()
    files = _files_of(path)
    kinds = {_kind(file) for file in files}
    if kinds == {"parquet"}:
        if encoding is not None or delimiter is not None:
            raise InputError(f"{path} is Parquet: encoding= and delimiter= are for CSV files only.")
        return open_parquet(files, name=path.name, allow_empty=allow_empty)
    if len(files) > 1:
        raise InputError(f"{path} holds files that are not Parquet. Several files at once must all be Parquet.")
    return open_csv(files[0], encoding=encoding, delimiter=delimiter, allow_empty=allow_empty)


def _files_of(path: Path) -> list[Path]:
    """List the files that a path, folder or glob means, in the order of their names."""
    with readable(path):
        if path.is_dir():
            return _parquet_in(path)
        if glob.has_magic(str(path)) and not path.exists():
            found = sorted(Path(name) for name in glob.glob(str(path)))
            if not found:
                raise InputError(f"No file matches {path}. The working folder is {Path.cwd()}.")
            return found
    return [path]


def _parquet_in(folder: Path) -> list[Path]:
    shown = [entry for entry in sorted(folder.iterdir()) if not entry.name.startswith(("_", "."))]
    if nested := [entry.name for entry in shown if entry.is_dir()]:
        raise InputError(f"{folder} holds folders ({nested[0]}); their names cannot become columns. Give one folder.")
    files = [entry for entry in shown if entry.suffix == ".parquet"]
    if not files:
        raise InputError(f"{folder} is a folder without a .parquet file. Give a file, or a folder of Parquet files.")
    return files


def _kind(path: Path) -> str:
    """Tell Parquet from text, looking into packed files, or refuse with the true kind."""
    FileStamp.of(path)  # a pipe would keep the reader waiting for ever
    kind = sniff.kind_of(head_of(path))
    if kind in ("gzip", "zstd"):
        with open_unpacked(path) as file, readable(path):
            inner = sniff.kind_of(file.read(512))
        kind = inner if inner == "text" else f"{inner}, packed as {kind}"
    if kind not in ("parquet", "text"):
        raise InputError(f"{path} is {kind}, not CSV or Parquet. Save it as one of these.")
    return kind
