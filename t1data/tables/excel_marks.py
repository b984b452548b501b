"""What the XML of a worksheet shows and a reader of its values does not: errors, formulas, hidden rows, its size.

The library that reads the values gives an error such as #N/A as an empty cell, and takes memory for every cell between
the first and the last, so that two cells far apart can end the process. Both are found here, at about 100 MB/s.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from t1data.errors import InputError

LAST_ROW: Final = 1_048_576
"""Rows of a worksheet of Excel; what was longer has lost the rest."""

_WIDEST: Final = 16_384
_LONGEST_CELL: Final = 512 * 1024
"""Bytes of XML; a cell holds at most 32,767 characters, so that whatever is longer is none."""

_PLAIN: Final = bytes.maketrans(b"'\t\r\n", b'"   ')  # XML may quote and part attributes in more ways than one
# Each begins with a word that is looked for at memory speed; what may stand before it is looked at afterwards.
_ERROR: Final = re.compile(
    rb'c (?<=[<:]c )(?=[^>]*?\bt="e")(?:[^>]*?\br="([A-Z]+)(\d+)")?[^>]*>(?:(?!</(?:\w+:)?c>).)*?<(?:\w+:)?v>([^<]*)<'
)
_FORMULA: Final = re.compile(rb"f(?<=[<:]f)[ />]")
_HIDDEN: Final = re.compile(rb'row (?<=[<:]row )[^>]*?\bhidden="(?:1|true)"')
_HIDDEN_COLUMNS: Final = re.compile(rb'col (?<=[<:]col )(?=[^>]*?\bhidden="(?:1|true)")([^>]*)')
_FROM_TO: Final = tuple(re.compile(rb'\b%s="(\d+)"' % name) for name in (b"min", b"max"))
_ROW: Final = re.compile(rb'row (?<=[<:]row )(?:[^>]*? )?r="(\d+)"')
_COLUMN: Final = re.compile(rb' r="([A-Z]+)')
_MERGED: Final = re.compile(rb'mergeCell [^>]*?\bref="([A-Z]+)(\d+):([A-Z]+)(\d+)"')


@dataclass(frozen=True)
class Area:
    """A rectangle of cells, 0-based, both ends included."""

    top: int
    left: int
    bottom: int
    right: int

    def __str__(self) -> str:
        return f"{letters(self.left)}{self.top + 1}:{letters(self.right)}{self.bottom + 1}"


@dataclass(frozen=True)
class Marks:
    """What a worksheet shows beside its values.

    Parameters
    ----------
    rows, columns : int
        The number of the last row and column that anything stands in.
    formulas, hidden_rows, hidden_columns : int
        How many there are; of columns, those in which anything stands.
    merged : tuple of Area
        Cells that are merged.
    error_places : ndarray of int64
        ``row * 16384 + column`` of the cells with an error, 0-based, rising.
    error_names : tuple of str
        What each of them shows, such as ``"#N/A"``.
    """

    rows: int
    columns: int
    formulas: int
    hidden_rows: int
    hidden_columns: int
    merged: tuple[Area, ...]
    error_places: npt.NDArray[np.int64]
    error_names: Sequence[str]

    def errors_in(self, low: int, high: int) -> Iterator[tuple[int, int, str]]:
        """Yield row, column and name of the errors in the rows from `low` to before `high`."""
        first, last = np.searchsorted(self.error_places, [low * _WIDEST, high * _WIDEST])
        for at in range(int(first), int(last)):
            row, column = divmod(int(self.error_places[at]), _WIDEST)
            yield row, column, self.error_names[at]


def find_marks(blocks: Iterable[bytes], *, where: str) -> Marks:
    """Look through the XML of a worksheet, block by block.

    Raises
    ------
    InputError
        An error stands at a place that the XML does not name.

    Examples
    --------
    >>> found = find_marks([b'<row r="2"><c r="B2" t="e"><f>NA()</f><v>#N/A</v></c></row>'], where="people.xlsx")
    >>> list(found.errors_in(0, 10)), found.formulas
    ([(1, 1, '#N/A')], 1)
    """
    places, names, merged = array("q"), list[str](), list[Area]()
    rows = formulas = hidden = 0
    columns, hidden_columns = set[bytes](), set[int]()
    for text in _whole_cells(block.translate(_PLAIN) for block in blocks):
        rows = max([rows, *map(int, _ROW.findall(text))])
        columns.update(_COLUMN.findall(text))
        formulas += len(_FORMULA.findall(text)) if b"<f" in text or b":f" in text else 0
        hidden += len(_HIDDEN.findall(text)) if b'hidden="' in text else 0
        hidden_columns.update(_hidden_columns(text))
        merged += [_area(*found) for found in _MERGED.findall(text)]
        for letters_, number, name in _ERROR.findall(text) if b't="e"' in text else ():
            places.append(_place(letters_, number, where))
            names.append(name.decode())
    widest = max(map(column_of, columns), default=-1) + 1
    found = np.frombuffer(places, dtype=np.int64) if places else np.empty(0, dtype=np.int64)
    unseen = sum(column < widest for column in hidden_columns)
    return Marks(rows, widest, formulas, hidden, unseen, tuple(merged), found, names)


def column_of(letters: bytes) -> int:
    """Return the 0-based number of a column.

    Examples
    --------
    >>> column_of(b"A"), column_of(b"XFD")
    (0, 16383)
    """
    number = 0
    for letter in letters[:8]:
        number = number * 26 + letter - 64
    return number - 1


def letters(column: int) -> str:
    """Return the letters of a 0-based column.

    Examples
    --------
    >>> letters(0), letters(16383)
    ('A', 'XFD')
    """
    left, last = divmod(column, 26)
    return (letters(left - 1) if left else "") + chr(65 + last)


def _whole_cells(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Cut the text before a cell, so that none is in two pieces; where there is none, before a tag."""
    rest = b""
    for block in blocks:
        text = rest + block
        cut = max(text.rfind(sign) for sign in (b"<c ", b":c ", b"<row ", b":row "))
        if cut < len(text) - _LONGEST_CELL:
            cut = len(text)
        cut = max(text.rfind(b"<", 0, cut + 1), len(text) - _LONGEST_CELL)
        yield text[:cut]
        rest = text[cut:]
    yield rest


def _hidden_columns(text: bytes) -> Iterator[int]:
    """Yield the 0-based numbers of the columns that the sheet hides."""
    for said in _HIDDEN_COLUMNS.findall(text) if b'hidden="' in text else ():
        first, last = (int(found[1]) if (found := side.search(said)) else 0 for side in _FROM_TO)
        yield from range(max(first, 1) - 1, min(last, _WIDEST))


def _place(letters: bytes, number: bytes, where: str) -> int:
    if not letters:
        raise InputError(f"{where} holds an error such as #N/A in a cell that does not say where it stands. Mend it.")
    return (int(number) - 1) * _WIDEST + column_of(letters)


def _area(left: bytes, top: bytes, right: bytes, bottom: bytes) -> Area:
    return Area(int(top) - 1, column_of(left), int(bottom) - 1, column_of(right))
