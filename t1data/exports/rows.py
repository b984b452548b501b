"""The rows of a source as an export needs them: all of them, or none; and cells of any type as text."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as at

from t1data.errors import InputError
from t1data.tables import Problem, Slice, Source
from t1data.tables.json_cells import UnsupportedValue, json_of
from t1data.tables.numbers import number_tokens
from t1data.tables.strings import has_true, not_utf8, nulls, plain
from t1data.tables.types import is_json

_EXACT: Final = 2.0**53  # from here on neighbouring whole numbers share one float
_NUL: Final = (
    "holds a NUL character; take it out, or write a .parquet file by export_for_machines. Nothing was written."
)


def whole_slices(source: Source) -> Iterator[Slice]:
    """Read all rows of a source; a file that lacks some of them would look complete.

    Raises
    ------
    InputError
        A row cannot be read.
    """
    for part in source.slices():
        for problem in part.problems:
            raise InputError(
                f"row {source.labels.of(problem.row)} of {source.name} cannot be exported, so nothing was written."
                f" {_in_words(problem)}"
            )
        yield part


def _in_words(problem: Problem) -> str:
    return problem.message.replace(", which cannot be written as JSON", "")


def text_of(cells: pa.Array, field: pa.Field) -> pa.StringArray:
    """Write the cells of a column of any type as text, exactly; null stays null.

    Times that have a zone are written in UTC; lists and mappings, and values of several kinds, as JSON.

    Raises
    ------
    InputError
        The column holds bytes, or what no text can hold.

    Examples
    --------
    >>> text_of(pa.array([1.5, 60.0]), pa.field("spend", pa.float64())).to_pylist()
    ['1.5', '60']
    """
    if at.is_dictionary(cells.type):
        return text_of(cells.dictionary, field).take(cells.indices)
    if is_json(field):
        return _from_json(cells)
    write = next((write for is_kind, write in _WRITERS if is_kind(cells.type)), None)
    if write is None:
        raise InputError(f"column {field.name!r} holds {field.type}, which has no form as text; convert it first")
    try:
        return write(cells)
    except UnsupportedValue as error:
        raise InputError(f"column {field.name!r} holds {error}, which has no form as text; convert it first") from None


def readable_texts(part: Slice, source: Source) -> list[pa.StringArray]:
    """Return `text_of` of all columns of a slice.

    Raises
    ------
    InputError
        A cell is not UTF-8 text, or holds a NUL character.
    """
    columns = zip(part.batch.columns, source.schema, strict=True)
    written = [_readable(column, field) for column, field in columns]
    refuse_nul(written, part, source)
    return written


def _readable(cells: pa.Array, field: pa.Field) -> pa.StringArray:
    written = text_of(cells, field)
    if not_utf8(written).size:
        raise InputError(f"column {field.name!r} holds bytes that are not UTF-8 text; convert it first")
    return written


def check_header(source: Source) -> None:
    """Raise `InputError` when the name of a column holds a NUL character."""
    for name in source.columns:
        if "\0" in name:
            raise InputError(f"the name of column {name!r} {_NUL}")


def refuse_nul(columns: Iterable[pa.Array], part: Slice, source: Source) -> None:
    """Raise `InputError` for the first text with a NUL character: many programs take it for the end of the text."""
    for name, cells in zip(source.columns, columns, strict=True):
        if not at.is_string(cells.type) or not has_true(odd := pc.match_substring(cells, "\0")):
            continue
        row = source.labels.of(int(part.rows[odd.index(True).as_py()]))
        raise InputError(f"row {row}, column {name!r}: the text {_NUL}")


def is_number(field: pa.Field) -> bool:
    """Tell whether the cells of a column are numbers, each of them."""
    kind = field.type.value_type if at.is_dictionary(field.type) else field.type
    return bool(at.is_integer(kind) or at.is_floating(kind) or at.is_decimal(kind))


def _from_json(cells: pa.StringArray) -> pa.StringArray:
    """Take the quotes from the cells that are JSON strings; the others are as they are meant."""
    if not pc.any(pc.starts_with(cells, '"')).as_py():
        return cells
    values = [json.loads(cell) if cell and cell.startswith('"') else cell for cell in cells.to_pylist()]
    return pa.array(values, pa.string())


def _numbers(cells: pa.Array) -> pa.StringArray:
    written = number_tokens(cells).text
    if not at.is_floating(cells.type):
        return written
    wide, none = cells.cast(pa.float64()), nulls(1, pa.float64())[0]
    exact = pc.and_(pc.less(pc.abs(wide), _EXACT), pc.equal(pc.floor(wide), wide))
    whole = pc.if_else(exact, wide, none).cast(pa.int64()).cast(pa.string())  # Arrow would write 4.9e+12
    endless = pc.if_else(pc.is_inf(wide), wide, none).cast(pa.string())
    return pc.coalesce(whole, written, endless)


def _timestamps(cells: pa.TimestampArray) -> pa.StringArray:
    naive = cells.view(pa.timestamp(cells.type.unit)).cast(pa.string())
    if not pc.any(pc.match_substring_regex(naive, r"\.\d*[1-9]")).as_py():
        naive = pc.replace_substring_regex(naive, r"\.0+$", "")
    written = pc.replace_substring(naive, " ", "T")
    return pc.binary_join_element_wise(written, "Z", "") if cells.type.tz else written


def _by_python(cells: pa.Array) -> pa.StringArray:
    return pa.array([None if cell is None else str(cell) for cell in cells.to_pylist()], pa.string())


def _lists(cells: pa.Array) -> pa.StringArray:
    return pa.array([None if cell is None else json_of(cell) for cell in cells.to_pylist()], pa.string())


_Test = Callable[[pa.DataType], bool]
_WRITERS: Final[tuple[tuple[_Test, Callable[[pa.Array], pa.StringArray]], ...]] = (
    (lambda kind: at.is_string(kind) or at.is_large_string(kind), plain),
    (lambda kind: at.is_integer(kind) or at.is_floating(kind) or at.is_decimal(kind), _numbers),
    (at.is_boolean, lambda cells: cells.cast(pa.string())),
    (at.is_timestamp, _timestamps),
    (at.is_date, lambda cells: cells.cast(pa.date32()).cast(pa.string())),
    (at.is_null, lambda cells: nulls(len(cells))),
    (lambda kind: at.is_time(kind) or at.is_duration(kind), _by_python),
    (at.is_nested, _lists),
)
