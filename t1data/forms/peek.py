"""A first look at rows that were chosen: names of columns, and a few cells of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from t1data.errors import InputError
from t1data.tables.choices import ID, choose_id
from t1data.tables.source import open_source

READING = ("encoding", "delimiter", "sheet")
"""Parameters that say how a file is read, which are asked for before its columns are known."""

SAMPLES = 3
_LONGEST = 40


@dataclass(frozen=True)
class Peek:
    """What a form knows of rows before they are checked.

    Attributes
    ----------
    name : str
        Of the file or frame.
    columns : sequence of str
        In order.
    samples : mapping
        Column → its first cells, as text.
    rows : int or None
        How many, when that is known without reading all of them.
    """

    name: str
    columns: Sequence[str]
    samples: Mapping[str, Sequence[str]]
    rows: int | None

    def likely_id(self) -> str | None:
        """Return the column that the functions would take for the ids, or None when a person must say."""
        return self.likely(ID)

    def likely(self, usual: str) -> str | None:
        """Return the column that the functions would take for the usual one, or None when a person must say."""
        try:
            return choose_id(self.columns, usual)
        except InputError:
            return None


def peek_at(data: Any, *, encoding: str | None = None, delimiter: str | None = None, sheet: str | None = None) -> Peek:
    """Look at the first rows of a file or frame.

    Raises
    ------
    InputError
        It cannot be read; the sentence says why.

    Examples
    --------
    >>> import pandas as pd
    >>> peek_at(pd.DataFrame({"integration_id": ["007"], "Age": [41]})).samples
    {'integration_id': ['007'], 'Age': ['41']}
    """
    source = open_source(data, encoding=encoding, delimiter=delimiter, sheet=sheet)
    first = next(source.slices(), None)
    cells = {} if first is None else first.batch.slice(0, 50).to_pydict()
    samples = {name: _shown(cells.get(name, ())) for name in source.columns}
    return Peek(source.name, source.columns, samples, source.rows)


def _shown(cells: Sequence[Any]) -> list[str]:
    filled = [str(cell) for cell in cells if cell is not None and str(cell) != ""]
    return [cell if len(cell) <= _LONGEST else f"{cell[:_LONGEST]}…" for cell in filled[:SAMPLES]]
