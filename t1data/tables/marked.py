"""Text that a spreadsheet would take for a formula: given an apostrophe for people, and read back without it.

A file with such apostrophes has a column that says in which rows they stand. Only there are they taken away again:
an apostrophe in anybody else's file is part of the value.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from t1data.errors import InputError
from t1data.tables.records import Fingerprint, Reader, Slice, Source, check_names
from t1data.tables.strings import has_true, text

MARKER: Final = "t1data_marked"
"""The column that says in which rows cells were given an apostrophe."""

MARK: Final = text("yes")

# Spreadsheets look past quotes and blanks, and some take the full-width forms for the plain ones. An apostrophe
# counts as a quote here, so a cell that has one of its own gets a second: taking one away always gives the original.
_QUOTES: Final = r"""\s\p{Z}\p{C}"'`\x{B4}\x{2018}\x{2019}\x{201C}\x{201D}\x{AB}\x{BB}"""
_SIGNS: Final = r"=+\-@\x{FF1D}\x{FF0B}\x{FF0D}\x{FF20}\x{FE66}\x{FE62}\x{FE63}\x{FE6B}\x{2212}"
_FORMULA: Final = rf"^(?:[\t\r\n]|[{_QUOTES}]*[{_SIGNS}])"


def looks_like_formula(cells: pa.StringArray) -> pa.BooleanArray:
    """Tell which cells a spreadsheet could take for a formula; null is none.

    Examples
    --------
    >>> looks_like_formula(pa.array(["=1+1", ' "-5', "A-1", None])).to_pylist()
    [True, True, False, False]
    """
    return pc.fill_null(pc.match_substring_regex(cells, _FORMULA), False)


def mark(cells: pa.StringArray) -> pa.StringArray:
    """Put an apostrophe before each cell that looks like a formula; `unmark` takes it away."""
    odd = looks_like_formula(cells)
    return pc.if_else(odd, pc.binary_replace_slice(cells, 0, 0, "'"), cells) if has_true(odd) else cells


def unmark(cells: pa.StringArray) -> pa.StringArray:
    """Take the apostrophe from each cell that `mark` gave one."""
    marked = pc.starts_with(cells, "'")
    if not has_true(marked):
        return cells
    bare = pc.binary_replace_slice(cells, 0, 1, "")
    return pc.if_else(pc.and_(marked, looks_like_formula(bare)), bare, cells)


def mark_name(name: str) -> str:
    """Return a column's name as `mark` writes it."""
    return str(mark(pa.array([name], pa.string()))[0].as_py())


@dataclass(frozen=True)
class MarkedReader:
    """Reads a text file that has a marker, and gives the cells as they were before.

    Parameters
    ----------
    reader : Reader
        Reads the file as it lies there.
    names : dict of str to str
        Name of each column → its name in the file.
    """

    reader: Reader
    names: dict[str, str] = field(repr=False)

    def slices(self, columns: tuple[str, ...]) -> Iterator[Slice]:
        """Read from the first row."""
        for part in self.reader.slices((*(self.names[name] for name in columns), MARKER)):
            *cells, marker = part.batch.columns
            marked = pc.fill_null(pc.equal(marker, MARK), False)
            if has_true(marked):
                cells = [pc.if_else(marked, unmark(column), column) for column in cells]
            yield replace(part, batch=pa.RecordBatch.from_arrays(cells, names=list(columns)))

    def fingerprint(self) -> Fingerprint:
        """Fingerprint of the file's bytes."""
        return self.reader.fingerprint()

    def check_unchanged(self) -> None:
        """Raise InputError when the file is no longer the one that was opened."""
        self.reader.check_unchanged()


def without_marks(source: Source) -> Source:
    """Return a text file's source without what `mark` added; one without a marker stays as it is.

    Examples
    --------
    >>> import pandas as pd
    >>> from t1data.tables import open_source
    >>> plain = open_source(pd.DataFrame({"note": ["=1"]}))
    >>> without_marks(plain) is plain
    True
    """
    if MARKER not in source.columns:
        return source
    names = [name for name in source.columns if name != MARKER]
    if not names:
        raise InputError(f"{source.name} has no column but {MARKER}. Check that it is the right file.")
    bare = unmark(pa.array(names, pa.string())).to_pylist()
    check_names(bare, where=source.name)
    schema = pa.schema([(name, pa.string()) for name in bare])
    return replace(source, schema=schema, reader=MarkedReader(source.reader, dict(zip(bare, names, strict=True))))
