"""One side of a comparison: its rows as Parquet files that DuckDB reads, with ids as text.

A Parquet file is read where it lies if DuckDB finds in it what t1data's own reader does. All else goes through that
reader, so that a CSV file's quotes, encodings and damaged ids mean the same here as everywhere.
"""

# ruff: noqa: S608 - the queries hold names that are made here or quoted, and no value of anybody's

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.types as at

from t1data.audiences.columns import Column, plain_type
from t1data.audiences.engine import Engine, literal, quoted
from t1data.audiences.ways import Ways
from t1data.errors import InputError
from t1data.tables import Problem, Slice, Source, open_source
from t1data.tables.choices import choose_id
from t1data.tables.ids import check_id_field, read_ids
from t1data.tables.labels import BY_NUMBER, Labels
from t1data.tables.parquet_reader import ParquetReader
from t1data.tables.report import list_problems

LISTED: Final = 10_000
"""Problems of one side that are kept one by one; all are counted."""

_ROW_GROUP: Final = 122_880  # what DuckDB gives a thread at a time
_UNKNOWN: Final = {"missing_id", "not_utf8"}
"""Flaws of an id with which nobody can tell whose row it is; other odd ids are compared as they stand."""


@dataclass(frozen=True)
class Input:
    """What the caller gave for one side.

    Attributes
    ----------
    name : str
        For messages: that of the parameter, ``"before"`` or ``"after"``, or of an audience.
    source : Source
    id_column : str
    """

    name: str
    source: Source
    id_column: str

    @property
    def ids(self) -> pa.Field:
        """The field of the ids."""
        return self.source.schema.field(self.id_column)


def open_inputs(given: Mapping[str, Any], *, on: str, ways: Ways) -> list[Input]:
    """Open several inputs, each by its name; see `open_input`."""
    words = ways.of(given)
    return [open_input(data, name=name, on=on, words=words[name]) for name, data in given.items()]


def open_input(data: Any, *, name: str, on: str, words: Mapping[str, str] = MappingProxyType({})) -> Input:
    """Open what a caller gave, which may have no rows; a list or column of ids is no table, and refused.

    Raises
    ------
    InputError
        It cannot be read, or its column of ids cannot hold ids.
    """
    try:
        source = open_source(data, allow_empty=True, **words)
        column = choose_id(source.columns, on, parameter="on")
        if source.rows != 0:  # an empty frame's columns are often of no type that means anything
            check_id_field(source.schema.field(column))
    except InputError as error:
        raise InputError(f"input {name!r}: {error}") from None
    return Input(name, source, column)


def check_same_ids(sides: Sequence[Input]) -> None:
    """Raise `InputError` when the ids are text on one side and numbers on another."""
    kinds = {_kind_of_ids(side.ids.type): side for side in sides if side.source.rows != 0}
    kinds.pop("nothing", None)
    if len(kinds) > 1:
        numbers, words = kinds["numbers"], kinds["text"]
        raise InputError(
            f"on: the ids are text in {words.name} ({words.source.name}) and numbers ({numbers.ids.type}) in"
            f" {numbers.name} ({numbers.source.name}). A number has lost its leading zeros, so that 007 and 7 cannot be"
            f" told apart: read column {numbers.id_column!r} of {numbers.name} as text where it comes from (dtype=str)."
        )


def _kind_of_ids(kind: pa.DataType) -> str:
    kind = kind.value_type if at.is_dictionary(kind) else kind
    if at.is_null(kind):
        return "nothing"
    return "numbers" if at.is_integer(kind) or at.is_decimal(kind) else "text"


@dataclass
class Problems:
    """The rows of one side whose ids are not known; they take no part."""

    side: str
    labels: Labels = BY_NUMBER
    count: int = 0
    first: list[Problem] = field(default_factory=list)

    def add(self, found: Sequence[Problem]) -> None:
        """Count the problems of some rows and keep the first ones."""
        self.count += len({problem.row for problem in found})
        self.first += islice(found, LISTED - len(self.first))

    def lines(self) -> list[dict[str, Any]]:
        """Return what is known of each: the row as the caller knows it, the code and a sentence."""
        return [
            {"side": self.side, "row": self.labels.of(each.row), "code": each.code, "message": each.message}
            for each in self.first
        ]


@dataclass(frozen=True)
class Side:
    """One side as a view in the engine: ``id``, then ``c0``, ``c1`` and so on for the columns that are compared.

    Attributes
    ----------
    view : str
        Its name.
    rows : int
        Rows with an id.
    problems : Problems
        The other rows.
    """

    view: str
    rows: int
    problems: Problems


def load(engine: Engine, given: Input, columns: Sequence[Column], *, view: str) -> Side:
    """Make one side readable for the engine, as a view of this name; what the caller gave is only read."""
    problems = Problems(given.name, given.source.labels)
    files, rows = _in_place(engine, given, columns), given.source.rows or 0
    if files is None:
        path = engine.folder / f"{view}.parquet"
        rows = _copy(given, columns, path, problems)
        files = [path]
    cells = [
        f"{column.select(given.source.schema.field(column.name))} AS c{place}" for place, column in enumerate(columns)
    ]
    ids = f"CAST({quoted(given.id_column)} AS VARCHAR) AS id"
    engine.run(f"CREATE VIEW {view} AS SELECT {', '.join([ids, *cells])} FROM {_scan(files)}")
    return Side(view, rows, problems)


def _scan(files: Sequence[Path]) -> str:
    # A folder named year=2026 is no column: the reader of all other jobs sees none there either.
    return f"read_parquet([{', '.join(map(literal, files))}], hive_partitioning = false)"


def _in_place(engine: Engine, given: Input, columns: Sequence[Column]) -> list[Path] | None:
    """Return the caller's Parquet files if DuckDB reads them exactly as t1data does, and every row has an id."""
    reader = given.source.reader
    if not isinstance(reader, ParquetReader):
        return None
    files = [Path(os.path.abspath(stamp.path)) for stamp in reader.stamps]
    if any(glob.has_magic(str(file)) for file in files):  # DuckDB would take the name for a pattern
        return None
    names = [given.id_column, *(column.name for column in columns)]
    return files if _is_read_alike(engine, given, files, names) and not _has_gaps(engine, given, files) else None


def _is_read_alike(engine: Engine, given: Input, files: Sequence[Path], names: Sequence[str]) -> bool:
    found = engine.stream(f"SELECT {', '.join(map(quoted, names))} FROM {_scan(files)} LIMIT 0").schema
    wanted = [given.source.schema.field(name).type for name in names]
    return all(_is_alike(seen.type, kind) for seen, kind in zip(found, wanted, strict=True))


def _is_alike(seen: pa.DataType, wanted: pa.DataType) -> bool:
    if at.is_timestamp(seen) and seen.tz is not None:
        return at.is_timestamp(wanted) and wanted.tz is not None and plain_type(wanted) == pa.timestamp("us")
    if at.is_timestamp(wanted) and wanted.tz is not None:
        return False
    return plain_type(seen) == plain_type(wanted) and not at.is_null(wanted)


def _has_gaps(engine: Engine, given: Input, files: Sequence[Path]) -> bool:
    """Whether some row has no id. Where the file's statistics tell, no row is read."""
    column = quoted(given.id_column)
    empty = f"{column} IS NULL" + (f" OR {column} = ''" if _kind_of_ids(given.ids.type) == "text" else "")
    return bool(engine.rows(f"SELECT 1 FROM {_scan(files)} WHERE {empty} LIMIT 1"))


def _copy(given: Input, columns: Sequence[Column], path: Path, problems: Problems) -> int:
    """Write the rows that have an id to a Parquet file and return how many there are."""
    fields = [given.source.schema.field(column.name) for column in columns]
    schema = pa.schema(
        [pa.field(given.id_column, pa.string()), *(pa.field(one.name, plain_type(one.type)) for one in fields)]
    )
    rows = 0
    with pq.ParquetWriter(path, schema, compression="lz4", use_dictionary=[one.name for one in fields]) as out:
        for table in _groups(_batches(given, schema, problems), schema):
            out.write_table(table, row_group_size=_ROW_GROUP)
            rows += table.num_rows
    return rows


def _batches(given: Input, schema: pa.Schema, problems: Problems) -> Iterator[pa.RecordBatch]:
    try:
        for part in given.source.slices(schema.names):
            yield _known(part, schema, problems)
    except InputError as error:
        raise InputError(f"input {given.name!r}: {error}") from None
    except pa.ArrowInvalid:
        raise InputError(f"input {given.name!r}: a column holds times that are too far away to be compared.") from None


def _known(part: Slice, schema: pa.Schema, problems: Problems) -> pa.RecordBatch:
    """Return the rows of a slice that have an id, in the types of the schema."""
    if not part.batch.num_rows:
        problems.add(part.problems)
        return pa.RecordBatch.from_pylist([], schema=schema)
    ids = read_ids(part.batch.column(0))
    faults = [(schema.names[0], flaw) for flaw in ids.flaws if flaw.code in _UNKNOWN]
    if faults or part.problems:
        found = [*part.problems, *list_problems(part, faults, ids=ids.text)]
        problems.add(sorted(found, key=lambda problem: problem.row))
    cells = [
        plain_cells(column, kind.type) for column, kind in zip(part.batch.columns[1:], list(schema)[1:], strict=True)
    ]
    batch = pa.RecordBatch.from_arrays([ids.text, *cells], schema=schema)
    return batch.filter(ids.text.is_valid()) if ids.text.null_count else batch


def plain_cells(cells: pa.Array, kind: pa.DataType) -> pa.Array:
    """Return the cells of a column in its plain type; a time with a zone as that time in UTC."""
    if at.is_dictionary(cells.type):
        cells = cells.dictionary_decode()
    if at.is_timestamp(cells.type) and cells.type.tz is not None:
        cells = cells.cast(pa.timestamp(cells.type.unit, "UTC")).view(pa.timestamp(cells.type.unit))
    return cells.cast(kind)


def _groups(batches: Iterator[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.Table]:
    """Join batches to tables of the size of a row group."""
    waiting: list[pa.RecordBatch] = []
    for batch in batches:
        waiting.append(batch)
        if sum(part.num_rows for part in waiting) >= _ROW_GROUP:
            yield pa.Table.from_batches(waiting, schema)
            waiting = []
    yield pa.Table.from_batches(waiting, schema)
