"""An input of which each row names one thing in the path of its request, such as a customer."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from t1data.bulk.batches import EncodedRows
from t1data.bulk.intake import input_of, lines_of
from t1data.errors import InputError
from t1data.journal.outcomes import Input
from t1data.journal.records import Line
from t1data.tables.choices import choose_id
from t1data.tables.ids import check_id_field, read_ids
from t1data.tables.labels import problem_frame
from t1data.tables.problems import Problem
from t1data.tables.reading import AS_FOUND, Reading
from t1data.tables.records import Slice, Source
from t1data.tables.report import list_problems
from t1data.tables.strings import text, texts
from t1data.tables.survey import Survey, are_among, survey
from t1data.tables.tokens import Flaw

if TYPE_CHECKING:
    import pandas as pd

MOST_PROBLEMS = 100_000
_DOTS = texts([".", ".."])
_NOTHING = text("null,").cast(pa.binary())


@dataclass(frozen=True)
class Counted:
    """What a look at all rows of an input of ids found.

    Attributes
    ----------
    ready, invalid : int
        Distinct ids, each a request; rows that cannot be sent.
    problems : DataFrame
        ``integration_id, column, code, message`` of those rows, indexed like the input (for a file: the row number,
        from 1); the first 100,000.
    """

    ready: int
    invalid: int
    problems: pd.DataFrame

    @property
    def reasons(self) -> dict[str, int]:
        """Problems by their code."""
        return {str(code): int(count) for code, count in self.problems["code"].value_counts().items()}


@dataclass(frozen=True)
class Named:
    """An input of ids that has been looked over once; an id that stands twice is one request.

    Attributes
    ----------
    source : Source
        Where the ids come from.
    column : str
        Which column holds them.
    survey : Survey
        What is known of it.
    are_codes : bool
        They are codes of coupons, which messages call so.
    """

    source: Source
    column: str
    survey: Survey
    are_codes: bool = False

    def parts(self) -> Iterator[tuple[EncodedRows, list[Problem]]]:
        """Yield the whole input in order: rows with their id as key and lane, and what keeps others from being sent."""
        first: dict[str, int] = {}
        for part in self.source.slices([self.column]):
            yield self._encoded(part, first)

    def _encoded(self, part: Slice, first: dict[str, int]) -> tuple[EncodedRows, list[Problem]]:
        ids = read_ids(part.batch.column(0))
        flaws = [*ids.flaws, *_dots(ids.text)]
        faults = [(self.column, flaw) for flaw in flaws]
        found = list_problems(part, faults, ids=ids.text, codes=self.column if self.are_codes else None)
        problems = sorted([*part.problems, *found], key=lambda problem: problem.row)
        clean = np.ones(len(part.rows), dtype=bool)
        for flaw in flaws:
            clean[flaw.at] = False
        rows, keys = part.rows[clean], ids.text.filter(pa.array(clean))
        same = [] if not len(self.survey.repeated) else self._repeats(rows, keys, first)
        if same:
            keep = np.isin(rows, [line.row for line in same], invert=True)
            rows, keys = rows[keep], keys.filter(pa.array(keep))
        lines = sorted([*lines_of(problems), *same], key=lambda line: line.row)
        return EncodedRows(rows, pa.repeat(_NOTHING, len(rows)), lines, part.next_row, keys, keys), problems

    def _repeats(self, rows: Any, keys: pa.StringArray, first: dict[str, int]) -> list[Line]:
        lines = []
        for at in np.flatnonzero(are_among(keys, self.survey.repeated)):
            row = int(rows[at])
            if (stands_for := first.setdefault(keys[int(at)].as_py(), row)) != row:
                lines.append(Line(row, "same_row", same_as=stands_for))
        return lines

    def facts(self) -> dict[str, Any]:
        """Return what a resume must find unchanged."""
        return {"input": self.source.fingerprint()}

    def input(self) -> Input:
        """Return the input for people who look at outcomes."""
        return input_of(self.source, self.column)

    def counted(self) -> Counted:
        """Count what would be sent, and what not, and why."""
        ready, problems, bad_rows = 0, list[Problem](), set[int]()
        for rows, found in self.parts():
            ready += len(rows.rows)
            bad_rows.update(problem.row for problem in found)
            problems += found[: MOST_PROBLEMS - len(problems)]
        return Counted(ready, len(bad_rows), problem_frame(problems, self.source.labels, value=False))


def name_rows(
    data: Any, *, id: str, allow_suspect_ids: bool = False, parameter: str = "id", reading: Reading = AS_FOUND
) -> Named:
    """Open and look over an input of ids; nothing is sent.

    Parameters
    ----------
    data : path, DataFrame, Series, list of str, or anything with an Arrow stream
        One id a row.
    id : str
        The column of the ids.
    allow_suspect_ids : bool
        Take ids that look as if a spreadsheet had damaged them.
    parameter : str
        By what name the caller of the job says `id`, for the message.
    reading : Reading
        What is said of a file.

    Raises
    ------
    InputError
        There are no rows, no such column, or its ids look damaged.
    """
    source = reading.open(with_column(data, id))
    column = choose_id(source.schema.names, id, parameter=parameter)
    check_id_field(source.schema.field(column))
    found = survey(source, column)
    if not found.rows:
        raise InputError(f"{source.name} has no rows")
    blocking = [suspect.message for suspect in found.suspects if suspect.blocks]
    if blocking and not allow_suspect_ids:
        raise InputError(f"{column}: {'; '.join(blocking)}. Say allow_suspect_ids=True to send them")
    return Named(source, column, found, are_codes=parameter == "coupon")


def path_of(data: Any) -> str | None:
    """Return where a file lies, so that a resume finds it from any folder; None for rows in memory."""
    return os.path.abspath(data) if isinstance(data, str | os.PathLike) else None


def _dots(ids: pa.StringArray) -> list[Flaw]:
    at = np.flatnonzero(np.asarray(pc.is_in(ids, value_set=_DOTS)))
    return [Flaw("id_not_in_url", at)] if len(at) else []


def with_column(data: Any, name: str) -> Any:
    """Take a list or a column of ids as the one column of a table."""
    if hasattr(data, "to_frame") and hasattr(data, "name") and hasattr(data, "index"):
        return data.to_frame(name)
    if isinstance(data, Sequence) and not isinstance(data, str | bytes):
        if not all(isinstance(id_, str) for id_ in data):
            raise InputError(f"{name}: a list of ids holds text only, so that no id is changed")
        return pa.table({name: pa.array(list(data), pa.string())})
    return data
