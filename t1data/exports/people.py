"""Rows for people: a workbook whose cells are text or numbers and never formulas, or a CSV file made harmless."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from t1data.errors import InputError
from t1data.exports.rows import check_header, is_number, readable_texts, whole_slices
from t1data.exports.workbook import need_xlsxwriter, write_workbook
from t1data.tables import Source, open_source
from t1data.tables.marked import MARK, MARKER, looks_like_formula, mark, mark_name
from t1data.tables.strings import NONE, has_true, mask, nulls
from t1data.writing import refuse_existing, replacing

_FORMATS: Final = (".xlsx", ".csv")
_BOM: Final = b"\xef\xbb\xbf"  # without it Excel takes UTF-8 for the old code page of the country


def export_for_people(
    data: Any,
    path: str | os.PathLike[str],
    *,
    overwrite: bool = False,
    separator: str = ",",
    encoding: str | None = None,
    delimiter: str | None = None,
    sheet: str | None = None,
) -> int:
    """Write rows for a spreadsheet, in which no cell is a formula; whole or not at all, for the owner's eyes only.

    Parameters
    ----------
    data : path, frame, table or stream
        As for `upsert_profiles`: CSV, XLSX, Parquet, pandas, polars, pyarrow, or anything with an Arrow stream.
    path : path
        Ends in ``.xlsx`` or ``.csv``.

        In a workbook (the extra ``excel``) numbers are numbers and all else is text, exactly as it is: ids, times in
        UTC, lists as JSON, and whole numbers of more than the 15 digits that a spreadsheet keeps. What is in a column
        called ``integration_id`` or ``…_id`` is text too. More rows than a sheet holds go on in a second sheet.

        In a CSV file (UTF-8) a text cell that a spreadsheet could take for a formula gets an apostrophe, and a last
        column, ``t1data_marked``, says in which rows. t1data takes it away again when it reads the file. A spreadsheet
        may still bend ids in a CSV file (``007`` becomes 7; LibreOffice leaves them alone when "Format quoted field as
        text" is ticked): a workbook is the safer form.
    overwrite : bool
        Replace a file that is there.
    separator : {",", ";"}
        What stands between the fields of the CSV file; Excel in countries with a decimal comma expects ``;``.
    encoding, delimiter, sheet : str, optional
        How a CSV file that is read is written; which sheet of a workbook is read.

    Returns
    -------
    int
        Rows written.

    Raises
    ------
    InputError
        A row cannot be read, a text holds a NUL character or is longer than a cell may be, a file is there already, its
        ending is another one, or the package for workbooks is missing. Nothing is written then.

    Examples
    --------
    >>> import tempfile, pandas as pd
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "notes.csv")
    ...     rows = export_for_people(pd.DataFrame({"integration_id": ["007"], "note": ["=1+1"]}), file)
    ...     print(file.read_text("utf-8-sig").rstrip())
    "integration_id","note","t1data_marked"
    "007","'=1+1","yes"
    """
    path = Path(path)
    if path.suffix not in _FORMATS:
        raise InputError(f"{path.name}: rows for people are written as {' or '.join(_FORMATS)}")
    if separator not in (",", ";"):
        raise InputError(f"separator: got {separator!r}, valid are ',' and ';'")
    if not overwrite:
        refuse_existing(path)
    if path.suffix == ".xlsx":
        need_xlsxwriter()
    source = open_source(data, encoding=encoding, delimiter=delimiter, sheet=sheet, allow_empty=True)
    check_header(source)
    with replacing(path, overwrite=overwrite) as part:
        return write_workbook(source, part) if path.suffix == ".xlsx" else _write_csv(source, part, separator)


def _write_csv(source: Source, part: Path, separator: str) -> int:
    marked, rows = _needs_marker(source), 0
    names = [*map(mark_name, source.columns), *([MARKER] if marked else [])]
    schema = pa.schema([(name, pa.string()) for name in names])
    options = pyarrow.csv.WriteOptions(include_header=False, delimiter=separator, quoting_style="all_valid")
    with part.open("wb") as file:
        file.write(_BOM + _header(names, separator))
        with pyarrow.csv.CSVWriter(file, schema, write_options=options) as out:
            for cells in _cells(source):
                columns = [column.shown for column in cells] + ([_marker(cells)] if marked else [])
                out.write_batch(pa.RecordBatch.from_arrays([c.fill_null("") for c in columns], schema=schema))
                rows += len(columns[0])
    return rows


def _header(names: list[str], separator: str) -> bytes:
    quoted = ('"' + name.replace('"', '""') + '"' for name in names)
    return (separator.join(quoted) + "\n").encode()


@dataclass(frozen=True, slots=True)
class _Cells:
    """One column of a slice; a number is no formula, whatever its sign."""

    text: pa.StringArray
    are_numbers: bool

    @property
    def odd(self) -> pa.BooleanArray:
        return nulls(len(self.text), pa.bool_()) if self.are_numbers else looks_like_formula(self.text)

    @property
    def shown(self) -> pa.StringArray:
        return self.text if self.are_numbers else mark(self.text)


def _cells(source: Source) -> Iterator[list[_Cells]]:
    for part in whole_slices(source):
        columns = zip(readable_texts(part, source), source.schema, strict=True)
        yield [_Cells(column, is_number(field)) for column, field in columns]


def _needs_marker(source: Source) -> bool:
    """Look for anything that will get an apostrophe; data without any gets no column for it."""
    if MARKER in source.columns:
        raise InputError(f"{source.name} has a column {MARKER!r}, which is t1data's own; rename it")
    if any(mark_name(name) != name for name in source.columns):
        return True
    return any(has_true(column.odd) for cells in _cells(source) for column in cells)


def _marker(cells: list[_Cells]) -> pa.StringArray:
    odd = np.any([column.odd.fill_null(False).to_numpy(zero_copy_only=False) for column in cells], axis=0)
    return pc.if_else(mask(odd), MARK, NONE)
