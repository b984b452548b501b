"""Tables of every type that is sent, made by seed, and the JSON that each value must become, worked out in Python."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa

from benchmarks.fuzz_csv import CELLS, id_codes
from benchmarks.fuzz_rows import Due, Invalid, Sent, resolve_twins

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FLOATS = (0.0, -0.0, 0.1, 60.0, 1e22, 1e-7, 5e-324, 1.7976931348623157e308, 123456.789, float("nan"), float("inf"))


@dataclass(frozen=True)
class ArrowCase:
    """A table and what must become of each of its rows."""

    table: pa.Table
    due: dict[int, Due]


@dataclass(frozen=True)
class Kind:
    """A column's type, how its values are drawn, and what a value becomes: JSON, or the code of a problem."""

    type: pa.DataType
    draw: Callable[[random.Random], Any]
    json: Callable[[Any], Any]


class Flaw(Exception):
    """A value that cannot be sent, with the code."""


def _number(value: Any) -> Any:
    return "number", str(value)


def _float(value: float) -> Any:
    if value in (float("inf"), float("-inf")):
        raise Flaw("not_finite")
    return None if value != value else ("float", value)


def _single(value: float) -> Any:
    return (
        _float(struct.unpack("f", struct.pack("f", value))[0]) if abs(value) < 3e38 or value != value else _float(value)
    )


def _instant(value: int) -> Any:
    return "time", EPOCH + timedelta(microseconds=value)


def _list(value: list[Any]) -> Any:
    if any(item is None for item in value):
        raise Flaw("null_in_list")
    return value


def _numbers(value: list[Any]) -> Any:
    return [_number(item) for item in _list(value)]


def _integer(bits: int, *, signed: bool = True) -> Callable[[random.Random], int]:
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    return lambda chance: chance.choice((low, high, 0, chance.randint(low, high)))


def _text(chance: random.Random) -> str:
    return chance.choice(CELLS) + chance.choice(("", "", chr(chance.choice((1, 31, 34, 92, 0x2029, 0x1F600)))))


def _decimal(chance: random.Random) -> Decimal:
    return Decimal(chance.randint(-(10**20), 10**20)).scaleb(-3)


def _some(draw: Callable[[random.Random], Any]) -> Callable[[random.Random], list[Any]]:
    return lambda chance: [None if chance.random() < 0.03 else draw(chance) for _ in range(chance.randint(0, 3))]


def _same(value: Any) -> Any:
    return value


KINDS = (
    Kind(pa.int8(), _integer(8), _number),
    Kind(pa.int64(), _integer(64), _number),
    Kind(pa.uint64(), _integer(64, signed=False), _number),
    Kind(pa.float64(), lambda chance: chance.choice((*FLOATS, chance.uniform(-1e9, 1e9), chance.random())), _float),
    Kind(pa.float32(), lambda chance: chance.choice((0.1, 60.0, 3.4e37, 1e-9, chance.random())), _single),
    Kind(pa.decimal128(30, 3), _decimal, _number),
    Kind(pa.bool_(), lambda chance: chance.random() < 0.5, bool),
    Kind(pa.string(), _text, _same),
    Kind(pa.large_string(), _text, _same),
    Kind(pa.string_view(), _text, _same),
    Kind(pa.dictionary(pa.int8(), pa.string()), lambda chance: chance.choice(("gold", "", 'b"', "é")), _same),
    Kind(pa.timestamp("us", "UTC"), lambda chance: chance.randint(-(10**15), 4 * 10**15), _instant),
    Kind(pa.list_(pa.string()), _some(_text), _list),
    Kind(pa.list_(pa.int64()), _some(_integer(64)), _numbers),
)


def make_table(chance: random.Random) -> ArrowCase:
    """Make a table of some columns and some rows, with ids as text or whole numbers."""
    rows = chance.choice((1, 3, 10, 40))
    kinds = [chance.choice(KINDS) for _ in range(chance.randint(1, 5))]
    blank = chance.choice((0.0, 0.2, 1.0))
    columns = [[None if chance.random() < blank else kind.draw(chance) for _ in range(rows)] for kind in kinds]
    ids, id_array = _ids(chance, rows)
    names = [f"A{place}" for place in range(len(kinds))]
    arrays = [pa.array(values, kind.type) for kind, values in zip(kinds, columns, strict=True)]
    table = pa.table([id_array, *arrays], names=["integration_id", *names])
    due = {row: _due(ids[row], names, kinds, [values[row] for values in columns]) for row in range(rows)}
    return ArrowCase(_cut_up(table, chance), resolve_twins(due))


def _ids(chance: random.Random, rows: int) -> tuple[list[str], pa.Array]:
    if chance.random() < 0.2:
        numbers = [chance.randint(-5, 2**63 - 1) for _ in range(rows)]
        return [str(number) for number in numbers], pa.array(numbers, pa.int64())
    ids = [chance.choice(CELLS) if chance.random() < 0.05 else f"0{row}" for row in range(rows)]
    return ids, pa.array(ids, pa.string())


def _cut_up(table: pa.Table, chance: random.Random) -> pa.Table:
    """Give the same rows in several chunks, some of them slices with an offset."""
    at = chance.randint(0, table.num_rows)
    return pa.concat_tables([table.slice(0, at), table.slice(at)]) if chance.random() < 0.5 else table


def _due(id_: str, names: list[str], kinds: list[Kind], values: list[Any]) -> Due:
    codes, sent = set(id_codes(id_)), {}
    for name, kind, value in zip(names, kinds, values, strict=True):
        try:
            made = None if value is None else kind.json(value)
        except Flaw as flaw:
            codes.add(str(flaw))
        else:
            if made is not None:
                sent[name] = made
    return Invalid(frozenset(codes)) if codes else Sent(id_, sent)
