"""CSV files: every cell is text, exactly as in the file, and every row keeps its number.

pyarrow parses the blocks that it provably reads right (`csv_blocks`), the exact scanner all others (`csv_scan`).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv

from t1data.errors import InputError
from t1data.tables import sniff
from t1data.tables.csv_blocks import Block, blocks_of, record_starts
from t1data.tables.csv_scan import Dialect, Record, Scanner
from t1data.tables.files import FileStamp, fingerprint_of
from t1data.tables.marked import without_marks
from t1data.tables.problems import REASONS, Problem
from t1data.tables.records import SLICE_ROWS, Fingerprint, Slice, Source, check_names
from t1data.tables.strings import encoded
from t1data.tables.text import TextFile

_SAMPLE: Final = 1 << 16
_LONGEST_HEADER: Final = 1 << 20


@dataclass(frozen=True)
class Header:
    """The first record of a CSV file that is not blank.

    Parameters
    ----------
    names : tuple of str
    size : int
        Bytes of UTF-8 up to the first row, blank lines before the header included.
    lines : int
        Physical lines in these bytes.
    """

    names: tuple[str, ...]
    size: int
    lines: int


@dataclass(frozen=True)
class CsvReader:
    """Reads one CSV file, as often as wanted.

    Parameters
    ----------
    text : TextFile
    stamp : FileStamp
    dialect : Dialect
    header : Header
    """

    text: TextFile
    stamp: FileStamp
    dialect: Dialect
    header: Header

    def slices(self, columns: tuple[str, ...]) -> Iterator[Slice]:
        """Read from the first row; only the cells of `columns` are kept."""
        scanner, row = Scanner(self.dialect, width=len(self.header.names)), 0
        for block in blocks_of(_skip(self.text.blocks(), self.header.size), scanner, line=self.header.lines + 1):
            piece = self._plain(block, columns, row) if block.records is None else self._odd(block, columns, row)
            row = piece.next_row
            yield from _in_slices(piece)

    def fingerprint(self) -> Fingerprint:
        """Fingerprint of the file's bytes."""
        return fingerprint_of([self.stamp])

    def check_unchanged(self) -> None:
        """Raise InputError when the file is no longer the one that was opened."""
        self.stamp.check_unchanged()

    def _plain(self, block: Block, columns: tuple[str, ...], row: int) -> Slice:
        """Parse a plain block with pyarrow, whose handler names rows of another width by 1-based position."""
        wrong: dict[int, int] = {}

        def note(invalid: Any) -> str:
            wrong[invalid.number - 1] = invalid.actual_columns
            return "skip"

        table = pacsv.read_csv(
            pa.py_buffer(block.text),
            read_options=pacsv.ReadOptions(
                use_threads=False, column_names=self.header.names, block_size=len(block.text) + 1
            ),
            parse_options=pacsv.ParseOptions(
                delimiter=self.dialect.delimiter.decode(), newlines_in_values=False, invalid_row_handler=note
            ),
            convert_options=self._as_text(columns),
        )
        lines = record_starts(block.text)[1] + block.line if wrong else ()
        problems = [self._ragged(row + at, width, int(lines[at])) for at, width in wrong.items()]
        return _piece(_one_batch(table), row, problems, breaks=block.breaks)

    def _odd(self, block: Block, columns: tuple[str, ...], row: int) -> Slice:
        """Build a slice from what the exact scanner read."""
        records = [record for record in block.records or () if not record.blank]
        judged = [self._judge(row + at, record) for at, record in enumerate(records)]
        good = [record.fields for record, problem in zip(records, judged, strict=True) if problem is None]
        cells = [[fields[self._place[name]] or None for fields in good] for name in columns]
        batch = pa.RecordBatch.from_arrays(list(map(encoded, cells)), names=list(columns))
        return _piece(batch, row, [problem for problem in judged if problem], breaks=block.breaks)

    def _judge(self, row: int, record: Record) -> Problem | None:
        if record.code:
            return Problem(row, record.code, line=record.line)
        width = len(record.fields)
        return None if width == len(self.header.names) else self._ragged(row, width, record.line)

    def _ragged(self, row: int, width: int, line: int) -> Problem:
        fields = f"{width} field{'' if width == 1 else 's'}, the header has {len(self.header.names)}"
        return Problem(row, "ragged_row", value=fields, line=line)

    @cached_property
    def _place(self) -> dict[str, int]:
        return {name: at for at, name in enumerate(self.header.names)}

    def _as_text(self, columns: tuple[str, ...]) -> Any:
        """Cells as they are: no types, no words for null but the empty cell. UTF-8 is checked already."""
        return pacsv.ConvertOptions(
            column_types={name: pa.string() for name in self.header.names},
            include_columns=columns,
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=True,
            check_utf8=False,
        )


def open_csv(
    path: Path, *, encoding: str | None = None, delimiter: str | None = None, allow_empty: bool = False
) -> Source:
    """Open a CSV file: find its encoding, delimiter and header, and see that it has a row.

    Raises
    ------
    InputError
        When any of these cannot be told, or the header's names cannot be.
    """
    stamp, text = FileStamp.of(path), TextFile.of(path, encoding=encoding)
    sample, where = _sample(text), str(path)
    lone_cr = sniff.lone_cr(sample)
    chosen = sniff.find_delimiter(sample, lone_cr=lone_cr, where=where) if delimiter is None else _given(delimiter)
    dialect = Dialect(chosen, lone_cr=lone_cr, where=where)
    header = _header(sample, dialect)
    reader = CsvReader(text, stamp, dialect, header)
    if not (allow_empty or any(piece.next_row for piece in reader.slices(header.names[:1]))):
        raise InputError(f"{path} has no rows: nothing stands below the header. Check that it is the right file.")
    schema = pa.schema([pa.field(name, pa.string()) for name in header.names])
    source = Source(
        path.name,
        "csv",
        schema,
        reader,
        delimiter=chosen.decode(),
        encoding=text.encoding,
        header_lines=header.lines,
    )
    return without_marks(source)


def _given(delimiter: str) -> bytes:
    if len(delimiter) != 1 or not delimiter.isascii() or delimiter in '"\r\n\0':
        raise InputError(f"delimiter={delimiter!r} cannot divide fields; it must be one ASCII character such as ';'.")
    return delimiter.encode()


def _sample(text: TextFile) -> bytes:
    """First part of the text: the header and some rows. Behind a whole file stands a line break."""
    sample = b""
    for block in text.blocks():
        sample += block
        if len(sample) > _LONGEST_HEADER or (len(sample) >= _SAMPLE and len(sample.split(maxsplit=1)) > 1):
            return sample
    return sample + b"\n"


def _header(sample: bytes, dialect: Dialect) -> Header:
    records = Scanner(dialect).records(sample, line=1, final=True)
    record = next((record for record in records if not record.blank), None)
    if not sample.strip():
        raise InputError(f"{dialect.where} has no rows: it is empty. Check that it is the right file.")
    if record is None:
        raise InputError(f"{dialect.where} has no line that ends in its first MB. Check that it is the right file.")
    if record.code == "nul_character":
        raise InputError(f"{dialect.where}: the header holds NUL, as UTF-16 does. Pass encoding='utf-16-le' (or -be).")
    if record.code:
        raise InputError(f"{dialect.where}: the header cannot be read. {REASONS[record.code]} (line {record.line})")
    raw, names = sample[: record.end], [field.decode() for field in record.fields]
    sniff.check_no_note(raw, where=dialect.where)
    if len(names) == 1:
        sniff.check_one_column(raw, where=dialect.where)
    check_names(names, where=dialect.where)
    return Header(tuple(names), record.end, raw.count(dialect.line_break))


def _skip(blocks: Iterable[bytes], size: int) -> Iterator[bytes]:
    for block in blocks:
        if len(block) > size:
            yield block[size:]
        size = max(0, size - len(block))


def _one_batch(table: pa.Table) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays(
        [column.chunk(0) if column.num_chunks == 1 else column.combine_chunks() for column in table.columns],
        schema=table.schema,
    )


def _piece(batch: pa.RecordBatch, row: int, problems: Sequence[Problem], *, breaks: int) -> Slice:
    """Number the rows of a block: those of the batch are the ones that no problem has."""
    total = batch.num_rows + len(problems)
    rows = np.arange(row, row + total, dtype=np.int64)
    rows = np.delete(rows, [problem.row - row for problem in problems]) if problems else rows
    return Slice(batch, rows, problems, row + total, breaks - total)


def _in_slices(piece: Slice) -> Iterator[Slice]:
    """Cut a block into slices; a problem goes with the rows before it."""
    done = 0
    for low in range(0, max(1, len(piece.rows)), SLICE_ROWS):
        high = low + SLICE_ROWS
        next_row = int(piece.rows[high]) if high < len(piece.rows) else piece.next_row
        upto = bisect_left(piece.problems, next_row, lo=done, key=lambda problem: problem.row)
        blank = 0 if low else piece.blank_lines
        yield Slice(
            piece.batch.slice(low, SLICE_ROWS), piece.rows[low:high], piece.problems[done:upto], next_row, blank
        )
        done = upto
