"""From anything with a column of advocates to rows that are ready to send."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from t1data.bulk.batches import EncodedRows
from t1data.bulk.intake import input_of, lines_of
from t1data.errors import InputError
from t1data.journal.outcomes import Input
from t1data.tables.choices import choose_id
from t1data.tables.ids import check_id_field, read_ids
from t1data.tables.problems import Problem
from t1data.tables.records import Slice, Source
from t1data.tables.report import list_problems
from t1data.tables.source import open_source
from t1data.tables.strings import escape, text
from t1data.tables.survey import Survey, survey

TERMS = ("usage_limit", "start_date", "expiry_date", "friend", "attributes", "pattern")
"""Columns that whoever has them would expect to count."""

_QUOTE, _END, _EMPTY = text('"'), text('",'), text("")


@dataclass(frozen=True)
class Advocates:
    """An input of advocates that has been looked over once.

    Attributes
    ----------
    source : Source
        Where they come from.
    column : str
        Which column names them.
    survey : Survey
        What is known of it.
    """

    source: Source
    column: str
    survey: Survey

    def parts(self) -> Iterator[tuple[EncodedRows, list[Problem]]]:
        """Yield the whole input in order: rows that are ready to send, and what keeps others from being sent."""
        for part in self.source.slices([self.column]):
            yield self._encoded(part)

    def _encoded(self, part: Slice) -> tuple[EncodedRows, list[Problem]]:
        ids = read_ids(part.batch.column(0))
        found = list_problems(part, [(self.column, flaw) for flaw in ids.flaws], ids=ids.text)
        problems = sorted([*part.problems, *found], key=lambda problem: problem.row)
        clean = np.ones(len(part.rows), dtype=bool)
        for flaw in ids.flaws:
            clean[flaw.at] = False
        pieces = pc.binary_join_element_wise(_QUOTE, escape(ids.text.filter(pa.array(clean))), _END, _EMPTY)
        rows = EncodedRows(part.rows[clean], pieces.cast(pa.binary()), lines_of(problems), part.next_row)
        return rows, problems

    def facts(self) -> dict[str, Any]:
        """Return what a resume must find unchanged."""
        return {"input": self.source.fingerprint()}

    def input(self) -> Input:
        """Return the input for people who look at outcomes."""
        return input_of(self.source, self.column)


def prepare(data: Any, *, advocate: str, allow_suspect_ids: bool) -> Advocates:
    """Open and look over an input of advocates; nothing is sent.

    Raises
    ------
    InputError
        There are no rows, no such column, or its ids look damaged.
    """
    source = open_source(_with_column(data, advocate))
    column = choose_id(source.schema.names, advocate)
    check_id_field(source.schema.field(column))
    spoken = [name for name in source.schema.names if name in TERMS and name != column]
    if spoken:
        raise InputError(
            f"advocates: all rows of a run have the same terms, and {', '.join(map(repr, spoken))} would not be read."
            " Give only the column of advocates, and the terms as arguments"
        )
    found = survey(source, column)
    if not found.rows:
        raise InputError(f"{source.name} has no rows")
    blocking = [suspect.message for suspect in found.suspects if suspect.blocks]
    if blocking and not allow_suspect_ids:
        said = "; ".join(blocking)
        raise InputError(f"{advocate}: {said}. Say allow_suspect_ids=True to send them")
    return Advocates(source, column, found)


def _with_column(data: Any, advocate: str) -> Any:
    """Take a list or a column of ids as the one column of a table."""
    if hasattr(data, "to_frame") and hasattr(data, "name") and hasattr(data, "index"):
        return data.to_frame(advocate)
    if isinstance(data, Sequence) and not isinstance(data, str | bytes):
        if not all(isinstance(id_, str) for id_ in data):
            raise InputError(f"{advocate}: a list of advocates holds text only, so that no id is changed")
        return pa.table({advocate: pa.array(list(data), pa.string())})
    return data
