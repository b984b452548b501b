"""What the text of a source looks like, over all of it, so that no row is told to be of a type that it is not."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa
import pyarrow.compute as pc

from t1data.tables.digits import plain_width
from t1data.tables.strings import blank_to_null, plain, sizes, texts

_DIGITS = 15  # every decimal number of so many digits survives a double, which is what most readers of JSON make of it
_TASTE = 64  # cells that most often tell already that a column is text
_WORDS = texts(["true", "false"])


class TypeScan:
    """Finds the columns of a text source that are numbers or booleans in every cell that is not empty.

    What is found never changes a character on the wire, only whether it stands in quotes: a number is written as JSON
    writes it, without exponent and of at most 15 digits, a boolean is ``true`` or ``false``. Times stay text. A
    column is dropped at its first counter-example and costs nothing from there on.

    Parameters
    ----------
    columns : iterable of str, optional
        The columns to look at; by default all of the first batch.
    decimal : {".", ","}
        The decimal mark that the caller has declared.

    Examples
    --------
    >>> scan = TypeScan()
    >>> scan.see(pa.RecordBatch.from_pydict({"zip": ["01099", ""], "points": ["7", "1.50"], "vip": ["true", ""]}))
    >>> scan.types()
    {'zip': 'string', 'points': 'number', 'vip': 'boolean'}
    """

    def __init__(self, columns: Iterable[str] | None = None, *, decimal: str = ".") -> None:
        self._decimal = decimal
        self._open: dict[str, tuple[str, ...]] | None = None
        self._seen: set[str] = set()
        if columns is not None:
            self._open = dict.fromkeys(columns, _CANDIDATES)

    def see(self, batch: pa.RecordBatch) -> None:
        """Look at the cells of a batch of text columns."""
        if self._open is None:
            self._open = dict.fromkeys(batch.schema.names, _CANDIDATES)
        for name, candidates in self._open.items():
            if candidates:
                self._open[name] = self._narrowed(name, candidates, batch.column(name))

    def _narrowed(self, name: str, candidates: tuple[str, ...], column: pa.Array) -> tuple[str, ...]:
        cells = blank_to_null(plain(column))
        if cells.null_count == len(cells):
            return candidates
        self._seen.add(name)
        return tuple(type for type in candidates if self._holds(type, cells))

    def _holds(self, type: str, cells: pa.StringArray) -> bool:
        test = _TESTS[type]
        return test(cells.slice(0, _TASTE), self._decimal) and test(cells, self._decimal)

    def types(self) -> dict[str, str]:
        """Return column → ``"number"``, ``"boolean"`` or ``"string"``, the last for columns without any value too."""
        found = self._open or {}
        return {name: left[0] if left and name in self._seen else "string" for name, left in found.items()}


def _are_numbers(cells: pa.StringArray, decimal: str) -> bool:
    width = plain_width(cells, decimal)
    return width is not None and (width <= _DIGITS or _most_digits(cells) <= _DIGITS)


def _most_digits(cells: pa.StringArray) -> int:
    """Return how many digits the longest number has, without the zeros that it begins with."""
    digits = pc.utf8_ltrim(pc.replace_substring_regex(cells, "[-.,]", ""), "0")
    return int(sizes(digits).max(initial=0))


def _are_words(cells: pa.StringArray, decimal: str) -> bool:
    return not pc.and_not(cells.is_valid(), pc.is_in(cells, value_set=_WORDS)).true_count


_TESTS = {"number": _are_numbers, "boolean": _are_words}
_CANDIDATES = tuple(_TESTS)
