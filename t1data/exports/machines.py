"""Rows for machines: every value exactly as it is, nothing escaped, as CSV or Parquet."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pyarrow.types as at

from t1data.errors import InputError
from t1data.exports.rows import check_header, refuse_nul, text_of, whole_slices
from t1data.tables import Source, open_source
from t1data.writing import refuse_existing, replacing


def export_for_machines(
    data: Any,
    path: str | os.PathLike[str],
    *,
    overwrite: bool = False,
    encoding: str | None = None,
    delimiter: str | None = None,
    sheet: str | None = None,
) -> int:
    """Write rows for other programs: every value exactly as it is, whole or not at all, for the owner's eyes only.

    A spreadsheet that opens such a CSV file may run formulas that stand in it and bend ids: for people there is
    `export_for_people`.

    Parameters
    ----------
    data : path, frame, table or stream
        As for `upsert_profiles`: CSV, XLSX, Parquet, pandas, polars, pyarrow, or anything with an Arrow stream.
    path : path
        Ends in ``.csv`` (UTF-8; an empty cell is no value; times in UTC; lists as JSON; no NUL character, with which
        most programs read less than there is) or ``.parquet`` (the columns keep their types; those that hold values of
        several kinds are JSON text; NUL characters are kept).
    overwrite : bool
        Replace a file that is there.
    encoding, delimiter, sheet : str, optional
        How a CSV file that is read is written; which sheet of a workbook is read.

    Returns
    -------
    int
        Rows written.

    Raises
    ------
    InputError
        A row cannot be read, a text for a CSV file holds a NUL character, a file is there already, or its ending is
        another one. Nothing is written then.

    Examples
    --------
    >>> import tempfile, pandas as pd
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "codes.csv")
    ...     rows = export_for_machines(pd.DataFrame({"integration_id": ["007"], "limit": [1]}), file)
    ...     rows, file.read_text()
    (1, '"integration_id","limit"\\n"007",1\\n')
    """
    path = Path(path)
    if path.suffix not in _FORMATS:
        raise InputError(f"{path.name}: rows for machines are written as {' or '.join(_FORMATS)}")
    if not overwrite:
        refuse_existing(path)
    source = open_source(data, encoding=encoding, delimiter=delimiter, sheet=sheet, allow_empty=True)
    with replacing(path, overwrite=overwrite) as part:
        return _FORMATS[path.suffix](source, part)


def _write_csv(source: Source, part: Path) -> int:
    fields = list(source.schema)
    kinds = [field.type if _stands_without_quotes(field) else pa.string() for field in fields]
    schema, rows = pa.schema(list(zip(source.columns, kinds, strict=True))), 0
    check_header(source)
    with pyarrow.csv.CSVWriter(str(part), schema) as out:
        for piece in whole_slices(source):
            columns = zip(piece.batch.columns, fields, strict=True)
            cells = [cell if _stands_without_quotes(field) else text_of(cell, field) for cell, field in columns]
            refuse_nul(cells, piece, source)
            out.write_batch(pa.RecordBatch.from_arrays(cells, schema=schema))
            rows += len(piece.rows)
    return rows


def _stands_without_quotes(field: pa.Field) -> bool:
    """Tell what Arrow writes as it should be; all else, floats too, becomes text first."""
    return bool(at.is_integer(field.type) or at.is_decimal(field.type) or at.is_boolean(field.type))


def _write_parquet(source: Source, part: Path) -> int:
    schema = pa.schema(list(source.schema))  # a column of JSON says so, and is read as such again
    rows = 0
    with pyarrow.parquet.ParquetWriter(str(part), schema) as out:
        for piece in whole_slices(source):
            out.write_batch(pa.RecordBatch.from_arrays(piece.batch.columns, schema=schema))
            rows += len(piece.rows)
    return rows


_FORMATS: Final[dict[str, Callable[[Source, Path], int]]] = {".csv": _write_csv, ".parquet": _write_parquet}
