"""XLSX workbooks: one sheet, read whole once and laid aside as typed columns in a nameless file.

A sheet takes about 80 bytes of memory a cell while it is opened, up to `MOST_CELLS`; afterwards it takes none.
"""

from __future__ import annotations

import hashlib
import importlib
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from t1data.errors import InputError
from t1data.tables.arrow_reader import Spool
from t1data.tables.excel_book import Sheet, blocks_of, choose_sheet, open_book
from t1data.tables.excel_columns import FAULT, Column, kinds_in
from t1data.tables.excel_marks import LAST_ROW, Marks, find_marks
from t1data.tables.files import FileStamp, fingerprint_of
from t1data.tables.problems import Problem
from t1data.tables.records import SLICE_ROWS, Fingerprint, Slice, Source, check_names
from t1data.tables.strings import positions
from t1data.words import many

MOST_CELLS: Final = 10_000_000
"""Cells from the first to the last of a sheet, empty ones among them: all of them take memory."""

Row = tuple[int, list[Any]]
"""The 0-based number of a row in its sheet, and its cells."""


@dataclass(frozen=True)
class ExcelReader:
    """Reads what was laid aside of one sheet.

    Parameters
    ----------
    stamp : FileStamp
    sheet : str
    spool : Spool
    blank_rows : int
        Empty rows between the header and the last row.
    """

    stamp: FileStamp
    sheet: str
    spool: Spool
    blank_rows: int

    def slices(self, columns: tuple[str, ...]) -> Iterator[Slice]:
        """Read from the first row; a row with an error in one of the columns is a problem."""
        row, blank = 0, self.blank_rows
        for batch in self.spool():
            yield _slice(batch, columns, row, blank)
            row, blank = row + batch.num_rows, 0

    def fingerprint(self) -> Fingerprint:
        """Fingerprint of the file's bytes and the sheet's name."""
        found = fingerprint_of([self.stamp])
        return found | {"sha256": hashlib.sha256(f"{found['sha256']}\n{self.sheet}".encode()).hexdigest()}

    def check_unchanged(self) -> None:
        """Raise InputError when the file is no longer the one that was opened."""
        self.stamp.check_unchanged()


def open_excel(path: Path, *, sheet: str | None = None, allow_empty: bool = False) -> Source:
    """Open one sheet of an XLSX workbook. Its first row that is not empty is the header.

    Parameters
    ----------
    path : Path
    sheet : str, optional
        The sheet's name; by default the only one that is shown and holds anything.
    allow_empty : bool
        Take a header without a row below it.

    Raises
    ------
    InputError
        The workbook cannot be read, the sheet cannot be told, or it is not a plain table; the message says what to do.
    """
    stamp = FileStamp.of(path)
    with open_book(path) as book:
        chosen = choose_sheet(book, sheet, path=path)
        where = f"{path}, sheet {chosen.name!r},"
        with book.open(chosen.part) as part:
            marks = find_marks(blocks_of(part), where=where)
    if marks.rows * marks.columns > MOST_CELLS:
        raise InputError(
            f"{where} reaches from its first to its last cell over {marks.rows:,} rows and {marks.columns:,} columns,"
            f" and {MOST_CELLS:,} cells are the most. Delete what is empty, or save the sheet as CSV."
        )
    table = _Table.of(_Grid.of(path, chosen.name, where), marks, where=where)
    if not (table.rows or allow_empty):
        raise InputError(f"{where} has no rows: nothing stands below the header. Check that it is the right sheet.")
    reader = ExcelReader(stamp, chosen.name, table.laid_aside(), table.blank_rows)
    notes = tuple(_notes(marks, chosen))
    return Source(path.name, "excel", table.schema, reader, rows=table.rows, sheet=chosen.name, notes=notes)


def _slice(batch: pa.RecordBatch, columns: tuple[str, ...], row: int, blank: int) -> Slice:
    faults: dict[int, tuple[str, str]] = {}
    for name in reversed(columns):
        said = batch.column(FAULT + name)
        faults |= {at: (name, said[at].as_py()) for at in positions(said.is_valid()).tolist()}
    part, rows = batch.select(columns), np.arange(row, row + batch.num_rows, dtype=np.int64)
    if faults:
        good = np.delete(np.arange(batch.num_rows), list(faults))
        part, rows = part.take(pa.array(good)), rows[good]
    problems = [
        Problem(row + at, "unsupported_value", column=name, value=what) for at, (name, what) in sorted(faults.items())
    ]
    return Slice(part, rows, problems, row + batch.num_rows, blank)


@dataclass(frozen=True)
class _Grid:
    """The values of a sheet as the library reads them.

    Parameters
    ----------
    sheet : object
        Its `iter_rows` begins anew with each call.
    top, left : int
        Where the first cell that it gives stands in the sheet, 0-based.
    """

    sheet: Any
    top: int
    left: int

    @classmethod
    def of(cls, path: Path, name: str, where: str) -> _Grid:
        calamine = _calamine()
        try:
            sheet = calamine.CalamineWorkbook.from_path(str(path)).get_sheet_by_name(name)
            first, last = sheet.start, sheet.end
        except (calamine.CalamineError, OSError, ValueError) as error:
            said = str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__
            raise InputError(f"{where} is damaged, so that it cannot be read ({said}). Save it again.") from None
        if first is None:
            raise InputError(f"{where} has no rows: it is empty. Check that it is the right sheet.")
        return cls(sheet, last[0] + 1 - sum(1 for _ in sheet.iter_rows()), first[1])

    def rows(self, marks: Marks) -> Iterator[Row]:
        """Yield the rows that hold a value or an error."""
        for number, cells in enumerate(self.sheet.iter_rows(), self.top):
            if any(cell != "" for cell in cells) or next(marks.errors_in(number, number + 1), None):
                yield number, cells


@dataclass(frozen=True)
class _Table:
    """A sheet with a header, and what stands in its columns."""

    grid: _Grid
    marks: Marks
    header: int
    columns: tuple[Column, ...]
    rows: int
    blank_rows: int

    @classmethod
    def of(cls, grid: _Grid, marks: Marks, *, where: str) -> _Table:
        found = grid.rows(marks)
        header, names = next(found, (0, []))
        kinds: list[set[type]] = [set() for _ in names]
        count, last = 0, header
        for part in _parts(found):
            count, last = count + len(part), part[-1][0]
            for at, cells in enumerate(zip(*(cells for _, cells in part), strict=True)):
                kinds[at] |= kinds_in(cells)
        faulty = {column - grid.left for _, column, _ in marks.errors_in(header + 1, LAST_ROW)}
        used = [at for at, name in enumerate(names) if name != "" or kinds[at] or at in faulty]
        check_names([names[at] for at in used], where=where)
        _check_not_merged(marks, header, {grid.left + at for at in used}, where)
        columns = tuple(Column.of(at, names[at], kinds[at]) for at in used)
        return cls(grid, marks, header, columns, count, last - header - count)

    @property
    def schema(self) -> pa.Schema:
        return pa.schema([column.field for column in self.columns])

    def laid_aside(self) -> Spool:
        """Copy all rows to a file without a name."""
        faults = [pa.field(FAULT + column.field.name, pa.string()) for column in self.columns]
        schema = pa.schema([*self.schema, *faults])
        try:
            return Spool.of(pa.RecordBatchReader.from_batches(schema, self._batches(schema)))
        except OSError as error:
            raise InputError(f"There is no room to lay a sheet aside: {error.strerror or error}.") from None

    def _batches(self, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        for part in _parts(islice(self.grid.rows(self.marks), 1, None)):
            numbers = [number for number, _ in part]
            errors = self._errors(numbers)
            cells = list(zip(*(cells for _, cells in part), strict=True))
            made = [column.arrays(cells[column.place], errors[column.place]) for column in self.columns]
            arrays = [values for values, _ in made] + [said for _, said in made]
            yield pa.RecordBatch.from_arrays(arrays, schema=schema)

    def _errors(self, numbers: Sequence[int]) -> defaultdict[int, dict[int, str]]:
        """Return, by the place of the column, the position and name of the errors in some rows."""
        found: defaultdict[int, dict[int, str]] = defaultdict(dict)
        for row, column, name in self.marks.errors_in(numbers[0], numbers[-1] + 1):
            found[column - self.grid.left][bisect_left(numbers, row)] = name
        return found


def _parts(rows: Iterable[Row]) -> Iterator[list[Row]]:
    source = iter(rows)
    while part := list(islice(source, SLICE_ROWS)):
        yield part


def _check_not_merged(marks: Marks, header: int, columns: set[int], where: str) -> None:
    for area in marks.merged:
        if area.bottom >= header and columns.intersection(range(area.left, area.right + 1)):
            raise InputError(
                f"{where} has merged cells, {area} among them: only the first of them holds the value, and the others"
                " would be empty. Unmerge them, and fill in what each row is to have."
            )


def _notes(marks: Marks, sheet: Sheet) -> Iterator[str]:
    if not sheet.shown:
        yield f"the sheet {sheet.name!r} is hidden in the workbook: its rows are sent like those of any other"
    if marks.formulas:
        formulas = many(marks.formulas, "formula")
        yield f"{formulas} in the sheet: what is sent is the result with which the workbook was last saved"
    if marks.hidden_rows:
        yield f"{many(marks.hidden_rows, 'hidden row')} in the sheet, or filtered out: sent like the others"
    if marks.hidden_columns:
        yield f"{many(marks.hidden_columns, 'hidden column')} in the sheet: read like the others"
    if marks.rows >= LAST_ROW:
        yield f"the sheet is filled to the last row that Excel has, {LAST_ROW:,}: what followed was probably cut off"


def _calamine() -> Any:
    try:
        return importlib.import_module("python_calamine")
    except ImportError:
        raise InputError("Workbooks need the extra for Excel: pip install 't1data[excel]'; or save as CSV.") from None
