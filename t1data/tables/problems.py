"""What can be wrong with one row, as a closed set of codes, and the record that names it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

REASONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        # Found by the readers: the row cannot be taken as its author meant it.
        "ragged_row": "The row has {value}: nothing in it can be told to belong to a column.",
        "stray_quote": "Text follows a closing quote, so it is unclear where the field ends.",
        "stray_line_break": "A line break of another kind than the file's stands outside quotes.",
        "nul_character": "The row holds a NUL character, which no text attribute can carry.",
        "unsupported_value": "Column {column} holds {value}, which cannot be written as JSON.",
    }
)
"""Sentence for people by code. ``{column}`` and ``{value}`` are filled from the problem."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One reason why a row is not sent, found before any request.

    Parameters
    ----------
    row : int
        0-based position of the row in its source; the header and blank lines are not counted.
    code : str
        A key of `REASONS`.
    column : str, optional
        The source's column, when the reason lies in one cell.
    value : str, optional
        What was found, shortened for people. It may hold customers' data, so it belongs in no log.
    integration_id : str, optional
        The row's id, when it could be read.
    line : int, optional
        1-based physical line of a text file on which the row begins, when known.

    Examples
    --------
    >>> Problem(4, "ragged_row", value="5 fields, the header has 4", line=6).message
    'The row has 5 fields, the header has 4: nothing in it can be told to belong to a column. (line 6)'
    """

    row: int
    code: str
    column: str | None = None
    value: str | None = None
    integration_id: str | None = None
    line: int | None = None

    def __post_init__(self) -> None:
        if self.code not in REASONS:
            raise ValueError(f"unknown reason {self.code!r}, valid are {', '.join(sorted(REASONS))}")

    @property
    def message(self) -> str:
        """The reason as a sentence, with the physical line when it is known."""
        sentence = REASONS[self.code].format(column=self.column, value=self.value)
        return sentence if self.line is None else f"{sentence} (line {self.line})"
