"""The one door for input: files, frames, tables and streams all become a `Source`."""

from __future__ import annotations

import glob
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from t1data.errors import InputError
from t1data.tables import arrow_reader, sniff
from t1data.tables.csv_reader import open_csv
from t1data.tables.excel_book import kind_of_ole, kind_of_zip
from t1data.tables.files import FileStamp, head_of, open_unpacked, readable
from t1data.tables.parquet_reader import open_parquet
from t1data.tables.records import JSON_FLAG, SLICE_ROWS, Slice, Source

__all__ = ["JSON_FLAG", "SLICE_ROWS", "Slice", "Source", "kind_of", "open_source"]

_ACCEPTED: Final = (
    "a path (CSV, CSV.gz, XLSX, Parquet, or a folder or glob of Parquet), a pandas or polars frame, "
    "a pyarrow table or reader, or an object with an Arrow stream such as a DuckDB relation"
)


def open_source(
    data: Any,
    *,
    encoding: str | None = None,
    delimiter: str | None = None,
    sheet: str | None = None,
    allow_empty: bool = False,
) -> Source:
    """Open anything with rows.

    Parameters
    ----------
    data : str, pathlib.Path, pandas.DataFrame, pyarrow.Table or object with an Arrow stream
        The path of a CSV file (plain, gzip or Zstandard), an XLSX workbook, a Parquet file, a folder or a glob of
        Parquet files; or a frame, table, record batch, reader or relation. What a file is, its first bytes tell, not
        its name.
    encoding : str, optional
        Codec of a text file. By default what the byte order mark says, else UTF-8; never guessed.
    delimiter : str, optional
        Separator of a CSV file's fields. By default found among comma, semicolon, tab and bar.
    sheet : str, optional
        Name of a workbook's sheet. By default the only one that is shown and holds anything.
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
    text = {"encoding": encoding, "delimiter": delimiter}
    if isinstance(data, str | os.PathLike):
        return _open_path(os.fspath(data), text=text, sheet=sheet, allow_empty=allow_empty)
    _refuse_words(type(data).__name__, text | {"sheet": sheet})
    return _open_object(data, allow_empty=allow_empty)


def kind_of(data: Any) -> str:
    """Tell what kind of input something is: ``text``, ``excel`` or ``parquet``, or ``rows`` where it is no path.

    Raises
    ------
    InputError
        It is a path to nothing that can be read.
    """
    if not isinstance(data, str | os.PathLike):
        return "rows"
    return _kind(_files_of(_path_of(os.fspath(data)))[0])


def _refuse_words(what: str, given: Mapping[str, str | None]) -> None:
    """Refuse words about a kind of file that the input is not."""
    named = [f"{name}=" for name, value in given.items() if value is not None]
    if named:
        kinds = "workbooks" if named == ["sheet="] else "CSV files" if "sheet=" not in named else "files of other kinds"
        verb = "is" if len(named) == 1 else "are"
        raise InputError(f"{' and '.join(named)} {verb} for {kinds} only, and {what} is none.")


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
        raise InputError(f"Rows cannot be read from a value of type {name}. Give {_ACCEPTED}.")
    if type(data).__module__.partition(".")[0] == "polars" and name == "DataFrame":
        return arrow_reader.open_repeatable(data, name=name, allow_empty=allow_empty)
    return arrow_reader.open_stream(data, name=name, allow_empty=allow_empty)


def _path_of(given: str | bytes) -> Path:
    if isinstance(given, bytes) or "\0" in given or not given.strip():
        raise InputError(f"{given!r} is no path. Give {_ACCEPTED}.")
    if "://" in given:
        raise InputError(f"{given} is an address, not a path. Download it first.")
    return Path(given).expanduser()


def _open_path(given: str | bytes, *, text: Mapping[str, str | None], sheet: str | None, allow_empty: bool) -> Source:
    path = _path_of(given)
    files = _files_of(path)
    kinds = {_kind(file) for file in files}
    if kinds == {"parquet"}:
        _refuse_words(str(path), {**text, "sheet": sheet})
        return open_parquet(files, name=path.name, allow_empty=allow_empty)
    if len(files) > 1:
        raise InputError(f"{path} holds files that are not Parquet. Several files at once must all be Parquet.")
    if kinds == {"excel"}:
        from t1data.tables.excel_reader import open_excel  # most inputs are no workbooks

        _refuse_words(str(path), text)
        return open_excel(files[0], sheet=sheet, allow_empty=allow_empty)
    _refuse_words(str(path), {"sheet": sheet})
    return open_csv(files[0], **text, allow_empty=allow_empty)


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
    """Tell Parquet from workbooks and text, looking into containers, or refuse with the true kind."""
    FileStamp.of(path)  # a pipe would keep the reader waiting for ever
    kind = sniff.kind_of(head_of(path))
    if kind in sniff.CONTAINERS:
        kind = _LOOK_INTO[kind](path)
    if kind not in ("parquet", "text", "excel"):
        raise InputError(f"{path} is {kind}, not CSV, Parquet or XLSX. Save it as one of these.")
    return kind


def _packed(path: Path) -> str:
    with open_unpacked(path) as file, readable(path):
        inner = sniff.kind_of(file.read(512))
    return inner if inner == "text" else f"{inner}, in a packed file"


_LOOK_INTO: Final = {"gzip": _packed, "zstd": _packed, "zip": kind_of_zip, "ole": kind_of_ole}
