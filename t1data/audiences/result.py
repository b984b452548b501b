"""What two states of an audience differ in: counts at once, rows when they are asked for."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from t1data.audiences.columns import ID, as_text
from t1data.audiences.engine import Kept
from t1data.audiences.frames import to_frame, write_rows
from t1data.errors import InputError
from t1data.words import many

if TYPE_CHECKING:
    import pandas as pd

TABLES = ("added", "removed", "changed", "duplicates", "twins")

CHANGED = pa.schema([(ID, pa.string()), ("column", pa.string()), ("before", pa.string()), ("after", pa.string())])


@dataclass(frozen=True)
class AudienceDiff:
    """What `diff_audiences` has found.

    The rows lie packed in files without names, and are read when they are asked for: as a frame (``diff.added``), as
    an Arrow stream (``diff.stream("added")``), or into a file (``diff.write("added", "added.parquet")``).

    Attributes
    ----------
    before, after : str
        Names of the inputs.
    counts : mapping of str to int
        Customers: ``before, after, added, removed, kept`` and, of those kept, ``changed``; so ``before`` is ``kept +
        removed``, and ``after`` is ``kept + added``. Then ids that stand in several rows of a side (``duplicates``),
        pairs of ids that look alike (``twins``), and rows whose id is not known, which take no part:
        ``problems_before, problems_after``.
    compared : tuple of str
        The columns that were compared.
    only_before, only_after : tuple of str
        Columns of one side alone; they were not compared.
    problems : DataFrame
        ``side, row, code, message``, of the first 10,000 on each side. A row is the label of a frame's index, or for a
        file its number, from 1.
    """

    before: str
    after: str
    counts: Mapping[str, int]
    compared: tuple[str, ...]
    only_before: tuple[str, ...] = field(repr=False)
    only_after: tuple[str, ...] = field(repr=False)
    problems: pd.DataFrame = field(repr=False)
    _rows: Mapping[str, Kept] = field(repr=False)

    @property
    def same(self) -> bool:
        """Whether nobody joined, left or changed."""
        return not any(self.counts[name] for name in ("added", "removed", "changed"))

    @property
    def kept(self) -> int:
        """Customers on both sides, whether they changed or not."""
        return self.counts["kept"]

    @cached_property
    def added(self) -> pd.DataFrame:
        """Who is in `after` alone, by id: ``integration_id`` and the compared columns."""
        return to_frame(self.stream("added"))

    @cached_property
    def removed(self) -> pd.DataFrame:
        """Who is in `before` alone, by id: ``integration_id`` and the compared columns."""
        return to_frame(self.stream("removed"))

    @cached_property
    def changed(self) -> pd.DataFrame:
        """A line for each value that differs, by id: ``integration_id, column, before, after``, values as text.

        Numbers are written as in JSON, times in ISO form and lists as JSON; a missing value is one here too.
        """
        return to_frame(self.stream("changed"))

    @cached_property
    def duplicates(self) -> pd.DataFrame:
        """Ids in several rows of a side: ``integration_id, side, rows, conflicting``.

        Such an id counts once. Where its rows do not have the same values in the compared columns they are
        ``conflicting``, and the customer is not among the changed ones: no row is taken by chance.
        """
        return to_frame(self.stream("duplicates"))

    @cached_property
    def twins(self) -> pd.DataFrame:
        """Ids that a person takes for the same, one of each side: ``before, after, differ_in``.

        `differ_in` is ``case``, ``space`` (around the id), ``unicode form``, ``invisible characters``, ``leading
        zeros`` or ``several`` of these.
        """
        return to_frame(self.stream("twins"))

    def stream(self, table: str) -> pa.RecordBatchReader:
        """Return the rows of a table as an Arrow stream, in bounded memory.

        Parameters
        ----------
        table : {"added", "removed", "changed", "duplicates", "twins"}

        Raises
        ------
        InputError
            There is no such table.
        """
        if table not in TABLES:
            raise InputError(f"table: got {table!r}, valid are {', '.join(map(repr, TABLES))}")
        rows = self._rows[table]
        if table == "changed":
            return pa.RecordBatchReader.from_batches(CHANGED, _long(rows(), self.compared))
        return pa.RecordBatchReader.from_batches(rows.schema, rows())

    def write(self, table: str, path: str | Path, *, overwrite: bool = False) -> int:
        """Write a table to a ``.csv`` or ``.parquet`` file, whole or not at all, and return how many rows it has.

        Ids and values are written exactly as they are, for machines.

        Raises
        ------
        InputError
            The file is there already, its folder is not, or its ending is another one.
        """
        return write_rows(self.stream(table), Path(path), overwrite=overwrite)

    def to_dict(self) -> dict[str, Any]:
        """Return the result for machines; no ids or values of customers are in it."""
        return {
            "before": self.before,
            "after": self.after,
            **self.counts,
            "same": self.same,
            "compared": list(self.compared),
            "only_before": list(self.only_before),
            "only_after": list(self.only_after),
        }

    def lines(self) -> list[str]:
        """Return the result in words, a line for each thing to know."""
        said = [f"{self.before} → {self.after}: {_in_words(self.counts, ('added', 'removed', 'kept', 'changed'))}"]
        said += [f"{many(self.counts['before'], 'customer')} before, {self.counts['after']:,} after"]
        said.append(f"columns compared: {_few(self.compared) or 'none but the ids'}")
        for side, names in (("before", self.only_before), ("after", self.only_after)):
            said += [f"not compared, as they are only in {side}: {_few(names)}"] if names else []
        for name, meaning in _NOTES.items():
            said += [meaning.format(self.counts[name])] if self.counts[name] else []
        return said

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def __repr__(self) -> str:
        return f"<AudienceDiff {self.lines()[0]}>"

    def _repr_html_(self) -> str:
        first, *rest = (html.escape(line) for line in self.lines())
        return f"<div><p><b>Diff</b> · {first}</p><ul>{''.join(f'<li>{line}</li>' for line in rest)}</ul></div>"


_NOTES = {
    "duplicates": "ids that stand in several rows of a side: {:,} (see duplicates)",
    "twins": "ids that look alike and are not the same: {:,} (see twins)",
    "problems_before": "rows of before without an id that can be read, which take no part: {:,} (see problems)",
    "problems_after": "rows of after without an id that can be read, which take no part: {:,} (see problems)",
}


def _few(names: Sequence[str], most: int = 12) -> str:
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


def _in_words(counts: Mapping[str, int], names: Sequence[str]) -> str:
    return ", ".join(f"{counts[name]:,} {name}" for name in names)


def _long(batches: Iterator[pa.RecordBatch], columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """Turn rows ``id, differs, before, after, differs, before, after, …`` into a line for each value that differs."""
    for batch in batches:
        parts = [_of_column(batch, place, name) for place, name in enumerate(columns)]
        joined = pa.Table.from_batches(parts)
        yield from joined.take(pc.sort_indices(joined, [(ID, "ascending")])).to_batches()


def _of_column(batch: pa.RecordBatch, place: int, name: str) -> pa.RecordBatch:
    differs, before, after = batch.columns[1 + 3 * place : 4 + 3 * place]
    cells = batch.select([0]).filter(differs).column(0)
    return pa.RecordBatch.from_arrays(
        [cells, pa.repeat(name, len(cells)), as_text(before.filter(differs)), as_text(after.filter(differs))],
        schema=CHANGED,
    )
