"""Customers to measure with, in files and frames of any size: ten attributes as real exports have them, or odder ones.

Written part by part, in bounded memory; the same number of rows is always the same rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

PART = 131_072  # rows of a row group
SEED = 7
TIMES = {"created": "time", "seen": "time"}  # what the text of a CSV file does not tell by itself
NAMES = np.array(["Anna", 'Bob "B"', "Żółć", "Müller", "李雷", "back\\slash", "Иван", "😀"], dtype=object)
WORDS = np.array(["Bücher", "книги", "本と映画", 'say "hi"', "plain words", "a\\b\t", "🎁🎉", "été"], dtype=object)
Columns = dict[str, Any]


class Maker:
    """Makes the columns of some rows."""

    def __init__(self, first: int, rows: int) -> None:
        self.first, self.rows = first, rows
        self.random = np.random.default_rng([SEED, first])

    @property
    def numbers(self) -> range:
        """The rows, by number."""
        return range(self.first, self.first + self.rows)

    def blank(self, share: float) -> npt.NDArray[np.bool_]:
        """Choose a share of the rows."""
        return self.random.random(self.rows) < share

    def one_of(self, *values: str) -> npt.NDArray[Any]:
        """Choose a value for each row."""
        return np.array(values, dtype=object)[self.random.integers(0, len(values), self.rows)]

    def whole(self, low: int, high: int) -> npt.NDArray[np.int64]:
        """Choose whole numbers."""
        return self.random.integers(low, high, self.rows)

    def moments(self, share: float) -> pa.Array:
        """Choose moments of some years, in microseconds; a share of them is missing."""
        return pa.array(self.whole(15 * 10**14, 17 * 10**14), mask=self.blank(share)).cast(pa.timestamp("us", "UTC"))

    def ids(self) -> list[str]:
        """Return the ids: 1 % of them beyond ASCII."""
        return [f"{'cust' if at % 100 else 'küst'}-{at:08d}" for at in self.numbers]


def plain(make: Maker) -> Columns:
    """Ten attributes: four of text (two of few values), two integers, a float with NaN, a boolean, two moments."""
    rows, blank = make.rows, make.blank
    names = [f"{NAMES[at % 8]} {at % 9973}" for at in make.numbers]
    return {
        "name": pa.array(names, mask=blank(0.02)),
        "email": pa.array([f"user{at}@example.com" for at in make.numbers], mask=blank(0.05)),
        "tier": pa.array(make.one_of("gold", "silver", "bronze"), mask=blank(0.1)),
        "country": make.one_of("DE", "FR", "US", "JP"),
        "age": pa.array(make.whole(18, 99), mask=blank(0.15)),
        "points": make.whole(0, 10**6),
        "spend": np.where(blank(0.001), np.nan, make.random.random(rows) * 1000),
        "vip": pa.array(blank(0.2), mask=blank(0.02)),
        "created": make.moments(0.03),
        "seen": make.moments(0.08),
    }


def wide(make: Maker) -> Columns:
    """Two hundred attributes of all kinds, a fifth of the cells missing."""
    kinds: list[Callable[[], Any]] = [
        lambda: pa.array(make.whole(0, 10**6), mask=make.blank(0.2)),
        lambda: pa.array(make.random.random(make.rows).round(4), mask=make.blank(0.2)),
        lambda: pa.array(make.one_of("red", "green", "blue"), mask=make.blank(0.2)),
        lambda: pa.array(_names(make), mask=make.blank(0.2)),
        lambda: pa.array(make.blank(0.5), mask=make.blank(0.2)),
    ]
    return {f"field_{at:03d}": kinds[at % len(kinds)]() for at in range(200)}


def _names(make: Maker) -> list[str]:
    return [f"{name} {number}" for name, number in zip(make.one_of(*NAMES), make.whole(0, 10**6), strict=True)]


def long(make: Maker) -> Columns:
    """Five attributes of long text that differs in all rows: some hundred characters of many scripts, with escapes."""
    return {f"text_{at}": _texts(make) for at in range(5)}


def _texts(make: Maker) -> list[str]:
    chosen = zip(make.one_of(*WORDS), make.whole(0, 10**6), make.whole(5, 80), strict=True)
    return [f"{word} {number} " * times for word, number, times in chosen]


def nulls(make: Maker) -> Columns:
    """The ten attributes with four of five cells missing, and one that has no value at all."""
    columns = {name: _thinned(values, make.blank(0.8)) for name, values in plain(make).items()}
    return {**columns, "nothing": pa.nulls(make.rows, pa.string())}


def _thinned(values: Any, blank: npt.NDArray[np.bool_]) -> pa.Array:
    array = values if isinstance(values, pa.Array) else pa.array(values)
    return pc.if_else(pa.array(blank), pa.scalar(None, array.type), array)


def decimals(make: Maker) -> Columns:
    """Ten exact amounts, without a fraction and with up to nine digits behind the point."""
    return {f"amount_{at}": _thinned(_exact(make.whole(-(10**15), 10**15), at), make.blank(0.05)) for at in range(10)}


def _exact(units: npt.NDArray[np.int64], scale: int) -> pa.Array:
    wide = np.column_stack([units, units >> 63])  # the two halves of 128 bits, with the sign in the upper one
    return pa.Array.from_buffers(pa.decimal128(20, scale), len(units), [None, pa.py_buffer(wide)])


SHAPES: dict[str, Callable[[Maker], Columns]] = {
    "plain": plain,
    "wide": wide,
    "long": long,
    "nulls": nulls,
    "decimals": decimals,
}


def tables(rows: int, shape: str = "plain") -> Iterator[pa.Table]:
    """Yield the rows, part by part."""
    for first in range(0, rows, PART):
        make = Maker(first, min(PART, rows - first))
        yield pa.table({"integration_id": make.ids(), **SHAPES[shape](make)})


def people(rows: int, shape: str = "plain") -> pa.Table:
    """Return the rows as one table."""
    return pa.concat_tables(tables(rows, shape))


def write(path: Path, rows: int, shape: str = "plain") -> Path:
    """Write a Parquet or a CSV file, as the name says; in CSV a NaN is an empty cell."""
    parts = tables(rows, shape)
    first = next(parts)
    if path.suffix == ".parquet":
        with pq.ParquetWriter(path, first.schema) as out:
            for part in (first, *parts):
                out.write_table(part, row_group_size=PART)
    else:
        with pacsv.CSVWriter(path, first.schema) as out:
            for part in (first, *parts):
                out.write_table(_without_nan(part))
    return path


def _without_nan(table: pa.Table) -> pa.Table:
    columns = [
        pc.if_else(pc.is_finite(column), column, pa.scalar(None, column.type))
        if pa.types.is_floating(column.type)
        else column
        for column in table.columns
    ]
    return pa.table(columns, names=table.column_names)
