"""How good the match keys of an audience are: how many of each can be used, were repaired or dropped, and why."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from t1data.exports.rules import FAULTS
from t1data.words import many

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class KeyQuality:
    """What became of the cells under one header of a platform's file.

    ``empty + valid + repaired + dropped + already_hashed`` is the number of cells.

    Attributes
    ----------
    key : str
        The header.
    columns : tuple of str
        The source's columns that went there.
    empty, valid, repaired, dropped, already_hashed : int
        Cells without a value; usable as they stood; usable after they were normalised; not usable; hashed before.
    duplicates : int
        Usable values that had stood under this header before.
    faults : mapping of str to int
        Code → how many values were dropped for it; `t1data.exports.rules.FAULTS` says each in words.
    """

    key: str
    columns: tuple[str, ...]
    empty: int
    valid: int
    repaired: int
    dropped: int
    already_hashed: int
    duplicates: int
    faults: Mapping[str, int] = field(default_factory=dict)

    @property
    def usable(self) -> int:
        """Values that were written."""
        return self.valid + self.repaired + self.already_hashed

    def line(self) -> str:
        """Return all of it as a sentence."""
        parts = [f"{self.usable:,} usable ({self.valid:,} as they stood, {self.repaired:,} repaired"]
        parts[0] += f", {self.already_hashed:,} hashed before)" if self.already_hashed else ")"
        parts += [f"{self.dropped:,} dropped ({_why(self.faults)})"] if self.dropped else []
        parts += [f"{self.empty:,} empty"] if self.empty else []
        parts += [f"{self.duplicates:,} more than once"] if self.duplicates else []
        return f"{self.key}: {', '.join(parts)}"


CELLS = ("empty", "valid", "repaired", "dropped", "already_hashed")
"""What can become of a cell; each is one of these."""


@dataclass(frozen=True)
class MatchKeyReport:
    """What `export_audience` wrote, key by key.

    Attributes
    ----------
    platform : str
        Whose rules were followed.
    source : str
        Name of the input.
    path : Path
        The file.
    rows, written, left_out, unreadable : int
        Rows of the input; those in the file; those without a usable value that finds a person; those that could not be
        read. The last three add up to the first.
    keys : tuple of KeyQuality
        In the order of the file's columns.
    dropped : DataFrame
        The first 1,000 values that were dropped, indexed like the input (for a file: the row number, from 1):
        ``key, column, code``. The values themselves are not in it.
    notes : tuple of str
        What else is to be known, each a sentence.
    """

    platform: str
    source: str
    path: Path
    rows: int
    written: int
    left_out: int
    unreadable: int
    keys: tuple[KeyQuality, ...]
    dropped: pd.DataFrame = field(repr=False, compare=False)
    notes: tuple[str, ...] = ()

    @property
    def frame(self) -> pd.DataFrame:
        """One line a key: ``empty, valid, repaired, dropped, already_hashed, duplicates``, indexed by ``key``."""
        import pandas as pd

        names = (*CELLS, "duplicates")
        index = pd.Index([key.key for key in self.keys], name="key", dtype="string")
        cells = {name: [getattr(key, name) for key in self.keys] for name in names}
        return pd.DataFrame(cells, index=index, dtype="Int64")

    def to_dict(self) -> dict[str, Any]:
        """Return the report for machines; no values of customers are in it."""
        return {
            "platform": self.platform,
            "path": str(self.path),
            "rows": self.rows,
            "written": self.written,
            "left_out": self.left_out,
            "unreadable": self.unreadable,
            "keys": {
                key.key: {name: getattr(key, name) for name in (*CELLS, "duplicates")}
                | {"columns": list(key.columns), "faults": dict(key.faults)}
                for key in self.keys
            },
            "notes": list(self.notes),
        }

    def lines(self) -> list[str]:
        """Return the report in words, a line for each thing to know."""
        said = [
            f"{self.source} for {self.platform}: {self.written:,} of {many(self.rows, 'row')} written to {self.path}"
        ]
        said += [key.line() for key in self.keys]
        if self.left_out:
            said.append(f"{many(self.left_out, 'row')} left out: no value that finds a person")
        if self.unreadable:
            said.append(f"{many(self.unreadable, 'row')} left out: not readable")
        return [*said, *self.notes]

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def __repr__(self) -> str:
        usable = ", ".join(f"{key.key} {key.usable:,}" for key in self.keys)
        return f"<MatchKeyReport {self.platform}: {self.written:,} of {many(self.rows, 'row')}; usable: {usable}>"

    def _repr_html_(self) -> str:
        first, *rest = self.lines()
        notes = "".join(f"<li>{html.escape(line)}</li>" for line in rest[len(self.keys) :])
        names = ("usable", "valid", "repaired", "already_hashed", "dropped", "empty", "duplicates")
        head = "".join(f"<th>{name.replace('_', ' ')}</th>" for name in ("key", *names, "why dropped"))
        body = "".join(_html_row(key, names) for key in self.keys)
        table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        return f"<div><p><b>Match keys</b> · {html.escape(first)}</p>{table}<ul>{notes}</ul></div>"


def _html_row(key: KeyQuality, names: tuple[str, ...]) -> str:
    numbers = "".join(f"<td>{getattr(key, name):,}</td>" for name in names)
    why = html.escape(_why(key.faults))
    return f"<tr><th>{html.escape(key.key)}</th>{numbers}<td style='text-align:left'>{why}</td></tr>"


def _why(faults: Mapping[str, int]) -> str:
    return "; ".join(f"{count:,} {FAULTS[code]}" for code, count in faults.items())
