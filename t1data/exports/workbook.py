"""A workbook with text and numbers and nothing that a spreadsheet could run, written in bounded memory."""

from __future__ import annotations

import gc
import math
import re
import sys
import tempfile
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from t1data.errors import InputError
from t1data.exports.rows import is_number, readable_texts, whole_slices
from t1data.tables import Source

_SHEET_ROWS: Final = 1_048_576
_SHEET_COLUMNS: Final = 16_384
_LONGEST_TEXT: Final = 32_767  # of a cell, in UTF-16 units
_EXACT_DIGITS: Final = 15
_CONTROL: Final = re.compile("[\x00-\x1f\ufffe\uffff]|_x[0-9A-Fa-f]{4}_")

_TOO_LONG: Final = f"a cell of a workbook holds {_LONGEST_TEXT:,} characters and this text is longer; write a .csv file"
_ODD: Final = "text from <r> to </r> with control characters has no exact form in a workbook; write a .csv file"

_Writer = Callable[[Any, int, int, str], str | None]


def need_xlsxwriter() -> ModuleType:
    """Return the package that writes workbooks, or raise `InputError` saying how to get it."""
    try:
        return import_module("xlsxwriter")
    except ImportError:
        raise InputError(
            "a workbook needs the package XlsxWriter: pip install 't1data[excel]', or write a .csv file"
        ) from None


def write_workbook(source: Source, part: Path, *, sheet_rows: int = _SHEET_ROWS) -> int:
    """Write all rows of a source into a workbook, and return how many there are.

    Parameters
    ----------
    source : Source
        Any.
    part : Path
        The file, which is replaced.
    sheet_rows : int
        Rows of one sheet, the header among them; more go on in the next sheet.

    Raises
    ------
    InputError
        A row cannot be read, there are too many columns, a text is too long for a cell or holds a NUL character.
    """
    if len(source.columns) > _SHEET_COLUMNS:
        raise InputError(f"{source.name} has {len(source.columns):,} columns, a sheet holds {_SHEET_COLUMNS:,}")
    # The folder is private, and gone when a row stops the export.
    with tempfile.TemporaryDirectory(prefix="t1data-") as folder, _silent_end():
        return _write_book(source, part, folder, sheet_rows)


def _write_book(source: Source, part: Path, folder: str, sheet_rows: int) -> int:
    library = need_xlsxwriter()
    book = library.Workbook(str(part), {"constant_memory": True, "tmpdir": folder, "use_zip64": True})
    rows = _write_rows(book, source, sheet_rows)
    try:
        book.close()  # not by `with`, which would put the file together after an error too
    except library.exceptions.FileCreateError as error:  # it wraps what the disk said
        raise OSError(*error.args[0].args) from None
    return rows


@contextmanager
def _silent_end() -> Iterator[None]:
    """When the block fails, let the files that XlsxWriter leaves open die here, without a word.

    On a full disk each fails once more as it dies, and Python prints that over the one error that there is.
    """
    try:
        yield
    except BaseException as error:
        hook, sys.unraisablehook = sys.unraisablehook, lambda _: None
        try:
            _let_go(error)
        finally:
            sys.unraisablehook = hook
        raise


def _let_go(error: BaseException | None) -> None:
    while error is not None:
        traceback.clear_frames(error.__traceback__)  # they hold the files
        error = error.__context__
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()  # a workbook and its sheets name each other


def _write_rows(book: Any, source: Source, sheet_rows: int) -> int:
    whole = book.add_format({"num_format": "0"})  # General shows twelve digits and more as 1.23E+11
    writers = [_writer(field, whole) for field in source.schema]
    sheet, line, done = _new_sheet(book, source.columns), 0, 0
    for row, cells in _rows(source):
        line += 1
        if line == sheet_rows:
            sheet, line = _new_sheet(book, source.columns), 1
        for column, (write, cell) in enumerate(zip(writers, cells, strict=True)):
            if cell and (fault := write(sheet, line, column, cell)):
                where = f"row {source.labels.of(row)}, column {source.columns[column]!r}"
                raise InputError(f"{where}: {fault}. Nothing was written.")
        done += 1
    return done


def _rows(source: Source) -> Iterator[tuple[int, tuple[str | None, ...]]]:
    for part in whole_slices(source):
        texts = [column.to_pylist() for column in readable_texts(part, source)]
        yield from zip(part.rows.tolist(), zip(*texts, strict=True), strict=True)


def _new_sheet(book: Any, names: Sequence[str]) -> Any:
    sheet = book.add_worksheet(f"rows {len(book.worksheets()) + 1}" if book.worksheets() else "rows")
    sheet.freeze_panes(1, 0)
    sheet.ignore_errors({"number_stored_as_text": "A1:XFD1048576"})  # ids are; no green corner need say so
    sheet.set_row(0, None, book.add_format({"bold": True}))
    for column, name in enumerate(names):
        sheet.set_column(column, column, min(max(len(name), 12), 40) + 2)
        if fault := _write_text(sheet, 0, column, name):
            raise InputError(f"the name of column {column + 1}: {fault}. Nothing was written.")
    return sheet


def _writer(field: Any, whole: Any) -> _Writer:
    """Choose between numbers and text. Truth values are text: LibreOffice makes a formula of them, ``=TRUE()``."""
    if is_number(field) and not re.search("(^|_)id$", field.name, re.IGNORECASE):
        return lambda sheet, row, column, cell: _write_number(sheet, row, column, cell, whole)
    return _write_text


def _write_number(sheet: Any, row: int, column: int, cell: str, whole: Any) -> str | None:
    """Write a number as one, unless it is endless or whole with more digits than a spreadsheet keeps."""
    number, is_whole = float(cell), cell.lstrip("-").isdigit()
    if not math.isfinite(number) or (is_whole and len(cell.lstrip("-")) > _EXACT_DIGITS):
        return _write_text(sheet, row, column, cell)
    return _done(sheet.write_number(row, column, number, whole if is_whole else None))


def _write_text(sheet: Any, row: int, column: int, cell: str) -> str | None:
    """Write text, or say why it cannot be written.

    XlsxWriter takes a text from ``<r>`` to ``</r>`` for XML of its own making and writes it as it is, so a hostile
    cell could bring a formula along. In pieces, each of which it escapes, such a text stays text.
    """
    if not (cell.startswith("<r>") and cell.endswith("</r>")):
        return _done(sheet.write_string(row, column, cell))
    if len(cell) > _LONGEST_TEXT // 2:
        return _TOO_LONG
    return _ODD if _CONTROL.search(cell) else _done(sheet.write_rich_string(row, column, "<", "r>", cell[3:]))


def _done(code: int) -> str | None:
    return _TOO_LONG if code else None
