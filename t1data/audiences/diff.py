"""Two states of an audience, held against each other customer by customer."""

# ruff: noqa: S608 - the queries hold names that are made here or quoted, and no value of anybody's

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from t1data.audiences.columns import ID, Column, choose_columns
from t1data.audiences.engine import MEMORY_LIMIT, open_engine
from t1data.audiences.join import ADDED, CHANGED, PAIRS, REMOVED, REPEATED, Counts, join
from t1data.audiences.result import AudienceDiff
from t1data.audiences.sides import Input, Problems, check_same_ids, load, open_inputs
from t1data.audiences.twins import TWINS, find_twins
from t1data.audiences.ways import Ways, Word

if TYPE_CHECKING:
    import pandas as pd

_FIXED: Final = {
    "duplicates": pa.schema(
        [(ID, pa.string()), ("side", pa.string()), ("rows", pa.int64()), ("conflicting", pa.bool_())]
    ),
    "twins": pa.schema([("before", pa.string()), ("after", pa.string()), ("differ_in", pa.string())]),
}


def diff_audiences(
    before: Any,
    after: Any,
    *,
    on: str = ID,
    compare: Sequence[str] | None = None,
    encoding: Word = None,
    delimiter: Word = None,
    sheet: Word = None,
    all_twins: bool = False,
    memory_limit: str = MEMORY_LIMIT,
    temp_folder: str | Path | None = None,
) -> AudienceDiff:
    """Find who joined, who left and what changed between two states of an audience; nothing is sent.

    Ten million customers on each side take seconds, and memory stays within bounds whatever their number.

    Parameters
    ----------
    before, after : path, frame or Arrow stream
        A CSV file (also gzip), a workbook, a Parquet file, a folder or pattern of Parquet files, a pandas or polars
        frame, a pyarrow table or reader, or anything with the Arrow C stream interface. Either may have no rows.
    on : str
        The column of the ids. They are text, compared exactly: no case, space or zero is looked past.
    compare : list of str, optional
        The columns to compare; all that both sides have by default, and none but the ids with ``[]``. A missing value
        equals a missing value, and NaN is one. Numbers are compared by value and never rounded. The cells of a CSV
        file are read as what the other side has: numbers, or true and false. Columns whose types do not compare
        exactly, such as text with numbers in frames, are an error.
    encoding, delimiter : str or mapping of str to str, optional
        Codec and separator of a text file, of both sides or by side: ``encoding={"after": "cp1252"}``. By default what
        the byte order mark says, else UTF-8, and what divides the header.
    sheet : str or mapping of str to str, optional
        Name of a workbook's sheet, in the same way; by default the only one that holds anything.
    all_twins : bool
        Look for ids that look alike among those on both sides too; for large audiences this takes as long again.
    memory_limit : str
        What the engine may hold (``"500MB"``); beyond it, it writes to a private folder on disk.
    temp_folder : path, optional
        Where that folder is made, and removed at the end; the system's by default.

    Returns
    -------
    AudienceDiff
        Frozen: ``counts``, ``added``, ``removed``, ``changed``, ``kept``, ``duplicates``, ``twins``, ``problems``.

    Raises
    ------
    InputError
        An input cannot be read, ids are text on one side and numbers on the other, or columns do not compare.

    Examples
    --------
    >>> import pandas as pd
    >>> june = pd.DataFrame({"integration_id": ["001", "002", "003"], "tier": ["gold", "gold", None]})
    >>> july = pd.DataFrame({"integration_id": ["002", "003", "004"], "tier": ["silver", None, "gold"]})
    >>> diff = diff_audiences(june, july)
    >>> diff
    <AudienceDiff DataFrame → DataFrame: 1 added, 1 removed, 2 kept, 1 changed>
    >>> diff.changed.to_dict("records")
    [{'integration_id': '002', 'column': 'tier', 'before': 'gold', 'after': 'silver'}]
    """
    given = {"before": before, "after": after}
    old, new = open_inputs(given, on=on, ways=Ways(encoding, delimiter, sheet))
    return hold(old, new, compare=compare, all_twins=all_twins, memory_limit=memory_limit, temp_folder=temp_folder)


def hold(
    old: Input,
    new: Input,
    *,
    compare: Sequence[str] | None = None,
    all_twins: bool = False,
    memory_limit: str = MEMORY_LIMIT,
    temp_folder: str | Path | None = None,
) -> AudienceDiff:
    """Hold two inputs against each other; messages call them by their names. The rest is as for `diff_audiences`."""
    check_same_ids([old, new])
    ids = (old.id_column, new.id_column)
    columns = choose_columns(old.source, new.source, ids=ids, compare=compare)
    with open_engine(memory_limit=memory_limit, temp_folder=temp_folder) as engine:
        left, right = load(engine, old, columns, view="before"), load(engine, new, columns, view="after")
        found = join(engine, left, right, columns)
        twins = find_twins(engine, everywhere=all_twins)
        schemas = _schemas(columns)
        rows = {name: engine.keep(query, schemas[name]) for name, query in _queries(columns).items()}
    for side in (old, new):
        side.source.check_unchanged()
    return AudienceDiff(
        old.source.name,
        new.source.name,
        MappingProxyType(_counts(found, twins, left.problems, right.problems)),
        tuple(column.name for column in columns),
        only_before=_only(old, new),
        only_after=_only(new, old),
        problems=_frame_of([left.problems, right.problems]),
        _rows=rows,
    )


def _counts(found: Counts, twins: int, before: Problems, after: Problems) -> dict[str, int]:
    return {
        "before": found.kept + found.removed,
        "after": found.kept + found.added,
        "added": found.added,
        "removed": found.removed,
        "kept": found.kept,
        "changed": found.changed,
        "duplicates": found.repeated,
        "twins": twins,
        "problems_before": before.count,
        "problems_after": after.count,
    }


def _queries(columns: Sequence[Column]) -> dict[str, str]:
    """Return the query of each table; each is sorted, so that the same input gives the same result, row by row."""
    places = range(len(columns))
    triples = "".join(f", b{at} IS DISTINCT FROM a{at}, b{at}, a{at}" for at in places)
    only = {side: "".join(f", {side}{at}" for at in places) for side in "ba"}
    return {
        "added": f"SELECT id{only['a']} FROM {PAIRS} WHERE kind = {ADDED} ORDER BY id",
        "removed": f"SELECT id{only['b']} FROM {PAIRS} WHERE kind = {REMOVED} ORDER BY id",
        "changed": f"SELECT id{triples} FROM {PAIRS} WHERE kind = {CHANGED} ORDER BY id",
        "duplicates": f"SELECT id, side, times, conflicting FROM {REPEATED} ORDER BY id, side DESC",
        "twins": f"SELECT before, after, differ_in FROM {TWINS} ORDER BY before, after",
    }


def _schemas(columns: Sequence[Column]) -> dict[str, pa.Schema]:
    ids = pa.field(ID, pa.string())
    rows = pa.schema([ids, *(pa.field(column.name, column.type) for column in columns)])
    triples = [pa.field("", kind) for column in columns for kind in (pa.bool_(), column.type, column.type)]
    return {"added": rows, "removed": rows, "changed": pa.schema([ids, *triples]), **_FIXED}


def _only(here: Input, there: Input) -> tuple[str, ...]:
    return tuple(name for name in here.source.columns if name not in {*there.source.columns, here.id_column})


def _frame_of(problems: Sequence[Problems]) -> pd.DataFrame:
    import pandas as pd

    lines = [line for side in problems for line in side.lines()]
    return pd.DataFrame(lines, columns=["side", "row", "code", "message"])
