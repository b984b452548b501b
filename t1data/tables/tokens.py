"""What a column becomes on its way to JSON: the text of each cell, and the cells that cannot be sent."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from t1data.tables.strings import NONE, positions, wrap

Positions = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Flaw:
    """Cells of one column that cannot be sent, all for the same reason.

    Parameters
    ----------
    code : str
        A key of `t1data.tables.problems.REASONS`.
    at : ndarray of int64
        Their positions in the slice.
    """

    code: str
    at: Positions


@dataclass(frozen=True, slots=True)
class Tokens:
    """The cells of one column as JSON, null where there is no value.

    Parameters
    ----------
    text : pyarrow.StringArray
        JSON text without what `before` and `after` add; one a cell, or one a distinct value with `indices`.
    before, after : str
        Put around every cell's text: the quotes of a string.
    indices : pyarrow.Array, optional
        For a dictionary column: which of `text` each cell is, so that a value is converted once and not once a cell.
    flaws : tuple of Flaw
        The cells that cannot be sent. What `text` holds for them is of no meaning.
    """

    text: pa.StringArray
    before: str = ""
    after: str = ""
    indices: pa.Array | None = None
    flaws: tuple[Flaw, ...] = ()

    def wrapped(self, before: str = "", after: str = "") -> pa.StringArray:
        """Return one text a cell, inside its own quotes and `before` and `after`; null stays null."""
        cells = wrap(self.text, before + self.before, self.after + after)
        return cells if self.indices is None else cells.take(self.indices)

    def inside(self) -> pa.StringArray:
        """Return one text a cell, without its quotes; null stays null."""
        return self.text if self.indices is None else self.text.take(self.indices)

    @property
    def missing(self) -> int:
        """How many cells have no value."""
        if self.indices is None:
            return int(self.text.null_count)
        return int(self.indices.null_count) if not self.text.null_count else int(self.wrapped().null_count)

    def take(self, rows: pa.Array) -> Tokens:
        """Return the tokens of some rows, without flaws."""
        if self.indices is not None:
            return Tokens(self.text, self.before, self.after, self.indices.take(rows))
        return Tokens(self.text.take(rows), self.before, self.after)


def flaws_of(**masks: pa.BooleanArray) -> tuple[Flaw, ...]:
    """Return one flaw for each mask, named by its code, in which any value is true."""
    found = (Flaw(code, positions(mask)) for code, mask in masks.items())
    return tuple(flaw for flaw in found if flaw.at.size)


def nothing(rows: int) -> Tokens:
    """Return tokens for a column without any value."""
    return Tokens(pa.nulls(rows, NONE.type))
