"""What an upsert would do, shown before anything is sent."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from t1data.tables.twins import Twins
from t1data.words import many

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class UpsertPlan:
    """What `upsert_profiles` would do with the same arguments.

    Attributes
    ----------
    source : str
        Name of the input.
    base_url : str
        Where the requests would go.
    rows, ready, invalid, collapsed : int
        Rows of the input; those that would be sent; those that cannot be; those that another row stands for.
    blank_lines : int
        Empty lines of a text file; they are no rows.
    requests : int
        Requests that would be sent if none is refused.
    seconds : float or None
        How long they take at the client's pace; None without a limit.
    id_column : str
        The column of the integration ids.
    columns : DataFrame
        One line a column: ``column, attribute, type, missing, default, cleared`` (cells that would be cleared).
    constants : mapping of str to str
        Attribute → JSON text that every row gets.
    problems : DataFrame
        One line a reason why a row is not sent: ``integration_id, column, code, value, message``, indexed like the
        input (for a file: the row number, from 1).
    reading : mapping of str to str
        How a file was read: a text's ``delimiter`` and ``encoding``, a workbook's ``sheet``.
    catalogue_checked : bool
        Whether names and types were held against the account's attributes.
    notes : tuple of str
        What to know of the input, each a sentence: formulas and hidden rows of a workbook.
    twins : Twins or None
        Ids that a person would take for the same, though they are not.
    suspicions : tuple of str
        Signs that a program changed ids, each a sentence; they are sent as they are.
    """

    source: str
    base_url: str
    rows: int
    ready: int
    invalid: int
    collapsed: int
    blank_lines: int
    requests: int
    seconds: float | None
    id_column: str
    columns: pd.DataFrame = field(repr=False)
    constants: Mapping[str, str] = field(repr=False)
    problems: pd.DataFrame = field(repr=False)
    reading: Mapping[str, str] = field(repr=False)
    catalogue_checked: bool = False
    notes: tuple[str, ...] = ()
    twins: Twins | None = None
    suspicions: tuple[str, ...] = ()

    @property
    def cleared(self) -> int:
        """Cells that would be cleared on the server."""
        return int(self.columns["cleared"].sum())

    @property
    def reasons(self) -> dict[str, int]:
        """Rows that are not sent, by the code of their first reason."""
        first = self.problems[~self.problems.index.duplicated()] if len(self.problems) else self.problems
        return {str(code): int(count) for code, count in first["code"].value_counts().items()}

    def to_dict(self) -> dict[str, Any]:
        """Return the plan for machines; no values of customers are in it."""
        return {
            "source": self.source,
            "base_url": self.base_url,
            "rows": self.rows,
            "ready": self.ready,
            "invalid": self.invalid,
            "collapsed": self.collapsed,
            "blank_lines": self.blank_lines,
            "requests": self.requests,
            "seconds": self.seconds,
            "cleared": self.cleared,
            "suspected_duplicates": self.twins.groups if self.twins else 0,
            "id_column": self.id_column,
            "columns": {
                str(name): str(kind) for name, kind in zip(self.columns["attribute"], self.columns["type"], strict=True)
            },
            "reasons": self.reasons,
            "notes": list(self.notes),
            "catalogue_checked": self.catalogue_checked,
        }

    def lines(self) -> list[str]:
        """Return the plan in words, a line for each thing to know."""
        read = ", ".join(f"{key} {value!r}" for key, value in self.reading.items())
        said = [
            f"{self.source}: {many(self.rows, 'row')}" + (f" ({read})" if read else ""),
            f"to {self.base_url}, customers by column {self.id_column!r}",
            f"{many(self.ready, 'row')} would be sent in {many(self.requests, 'request')}" + _in_time(self.seconds),
        ]
        if self.invalid:
            why = ", ".join(f"{count:,} {code}" for code, count in self.reasons.items())
            said.append(f"{many(self.invalid, 'row')} cannot be sent: {why}")
        if self.collapsed:
            same = many(self.collapsed, "row")
            said.append(f"{same} more with the id and the values of another row: each customer goes out once")
        if self.blank_lines:
            said.append(f"{many(self.blank_lines, 'blank line')} left out")
        if self.twins:
            said.append(self.twins.message)
        said += [*self.notes, *self.suspicions]
        said.append(f"{many(self.cleared, 'cell')} would be cleared")
        said.append("attributes: " + (", ".join(self._attributes()) or "none"))
        checked = "held against the account's attributes" if self.catalogue_checked else "not held against the account"
        return [*said, f"names and types were {checked}"]

    def _attributes(self) -> list[str]:
        columns = self.columns[["column", "attribute", "type"]].itertuples(index=False)
        named = [f"{a if c == a else f'{c} → {a}'} ({t})" for c, a, t in columns]
        return [*named, *(f"{name} = {value}" for name, value in self.constants.items())]

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def __repr__(self) -> str:
        return (
            f"<UpsertPlan {self.source}: {self.ready:,} of {many(self.rows, 'row')}"
            f" in {many(self.requests, 'request')}, {self.invalid:,} invalid, {many(self.cleared, 'cell')} cleared>"
        )

    def _repr_html_(self) -> str:
        first, *rest = (html.escape(line) for line in self.lines())
        return f"<div><p><b>Plan</b> · {first}</p><ul>{''.join(f'<li>{line}</li>' for line in rest)}</ul></div>"


def _in_time(seconds: float | None) -> str:
    if seconds is None:
        return ""
    return f", about {seconds:.0f} s" if seconds < 120 else f", about {seconds / 60:.0f} min"
