"""Typed columns become profiles: each value is on the wire as it stood, or its row has a problem."""

from __future__ import annotations

import decimal
import json
import math
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wire import Part, attributes, codes, encode, encode_batch, one_column, profiles, values

from t1data.tables.encode import Encoder
from t1data.tables.layout import resolve_layout


def stored(columns: dict[str, pa.Array]) -> list[bytes | None]:
    return [buffer and buffer.to_pybytes() for column in columns.values() for buffer in column.buffers()]


def test_a_row_is_one_json_object_followed_by_a_comma() -> None:
    encoded = encode({"integration_id": pa.array(["007"]), "tier": pa.array(["gold"]), "age": pa.array([41])})
    assert encoded.pieces.to_pylist() == [b'{"integrationId":"007","attributes":{"tier":"gold","age":41}},']


def test_the_data_of_all_pieces_is_the_inside_of_a_json_array() -> None:
    encoded = one_column(pa.array([1, None, 3]))
    body = b"[" + encoded.pieces.buffers()[2].to_pybytes()[:-1] + b"]"
    assert [profile["integrationId"] for profile in json.loads(body)] == ["0", "1", "2"]


def test_a_row_without_any_value_is_a_profile_without_attributes_between_its_neighbours() -> None:
    encoded = one_column(pa.array([None, "a", None]))
    assert attributes(encoded) == [{}, {"value": "a"}, {}]


def test_rows_keep_the_numbers_that_the_source_gave_them() -> None:
    encoded = encode({"integration_id": pa.array(["a", None, "c"])}, first=100)
    assert (encoded.rows.tolist(), codes(encoded)) == ([100, 102], [(101, "missing_id")])


def test_attributes_come_in_the_order_of_the_layout_and_constants_after_them() -> None:
    columns = {"b": pa.array([1]), "integration_id": pa.array(["x"]), "a": pa.array([2])}
    assert list(attributes(encode(columns, constants={"z": 1, "c": 2}))[0]) == ["b", "a", "z", "c"]


INTEGERS = [pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64()]


@st.composite
def integer_columns(draw: st.DrawFn) -> pa.Array:
    width = draw(st.sampled_from(INTEGERS))
    low, high = (-(2 ** (width.bit_width - 1)), 2 ** (width.bit_width - 1) - 1)
    if pa.types.is_unsigned_integer(width):
        low, high = 0, 2**width.bit_width - 1
    return pa.array(draw(st.lists(st.none() | st.integers(low, high), max_size=20)), width)


@given(array=integer_columns())
def test_integers_of_any_width_keep_every_digit(array: pa.Array) -> None:
    assert values(one_column(array)) == [None if value is None else str(value) for value in array.to_pylist()]


@given(numbers=st.lists(st.floats(), max_size=30))
def test_a_float_reads_back_as_the_same_float_and_only_an_infinity_is_a_problem(numbers: list[float]) -> None:
    encoded = one_column(pa.array(numbers, pa.float64()))
    assert codes(encoded) == [(row, "not_finite") for row, value in enumerate(numbers) if math.isinf(value)]
    sent = [None if math.isnan(value) else value for value in numbers if not math.isinf(value)]
    assert [value and np.float64(value).tobytes() for value in values(encoded)] == [
        value if value is None else np.float64(value).tobytes() for value in sent
    ]


@pytest.mark.parametrize("width", [np.float16, np.float32])
@settings(max_examples=40)
@given(data=st.data())
def test_a_narrow_float_is_the_shortest_text_of_its_own_width(width: type[np.floating], data: st.DataObject) -> None:
    bits = width(0).nbytes * 8
    numbers = data.draw(st.lists(st.floats(width=bits, allow_nan=False, allow_infinity=False), max_size=20))
    array = np.array(numbers, width)
    texts = values(one_column(pa.array(array)))
    assert [width(text).tobytes() for text in texts] == [value.tobytes() for value in array]
    assert all(len(text.lstrip("-")) <= 15 for text in texts)


@pytest.mark.parametrize("width", [np.float16, np.float32, np.float64])
def test_a_tenth_is_written_as_a_tenth_in_any_width(width: type[np.floating]) -> None:
    assert values(one_column(pa.array(np.array([0.1, 60, 65504], width)))) == ["0.1", "60", "65504"]


@given(data=st.data(), scale=st.integers(0, 12))
def test_decimals_keep_every_digit(data: st.DataObject, scale: int) -> None:
    units = data.draw(st.lists(st.none() | st.integers(-(10**38) + 1, 10**38 - 1), max_size=20))
    numbers = [None if unit is None else Decimal(unit).scaleb(-scale, WIDE) for unit in units]
    for array in (pa.array(numbers, pa.decimal128(38, scale)), pa.array(numbers, pa.decimal256(60, scale))):
        assert [text and Decimal(text) for text in values(one_column(array))] == numbers


@pytest.mark.parametrize(("number", "arrow"), [("1E-30", pa.decimal128(38, 32)), ("1E+50", pa.decimal256(60, 0))])
def test_the_smallest_and_largest_decimals_are_exact(number: str, arrow: pa.DataType) -> None:
    assert Decimal(values(one_column(pa.array([Decimal(number)], arrow)))[0]) == Decimal(number)


WIDE = decimal.Context(prec=100)

TEXT_TYPES = [pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string())]
texts = st.lists(st.none() | st.text(max_size=12), max_size=20)


@pytest.mark.parametrize("arrow", TEXT_TYPES, ids=str)
@settings(max_examples=40)
@given(cells=texts)
def test_text_of_any_layout_arrives_character_for_character(arrow: pa.DataType, cells: list[str | None]) -> None:
    assert values(one_column(pa.array(cells, pa.string()).cast(arrow))) == cells


def test_every_character_that_json_escapes_arrives() -> None:
    cells = [chr(code) for code in range(256)] + ["\u2028", "😀", '"\\', "\\u0041", "a\x00b"]
    assert values(one_column(pa.array(cells))) == cells


@given(cells=st.lists(st.none() | st.booleans(), max_size=20))
def test_booleans_arrive(cells: list[bool | None]) -> None:
    assert values(one_column(pa.array(cells, pa.bool_()))) == cells


def test_an_empty_text_is_a_value_in_a_typed_source_and_none_in_a_text_source() -> None:
    cells = pa.array(["", None, "x"])
    assert values(one_column(cells)) == ["", None, "x"]
    assert values(one_column(cells, is_text=True)) == [None, None, "x"]


def test_omit_leaves_the_attribute_out_and_clear_sends_null_and_counts_it() -> None:
    cells = {"integration_id": pa.array(["a", "b", None]), "x": pa.array([1, None, None]), "y": pa.array([None] * 3)}
    encoded = encode(cells, missing={"x": "clear", "y": "clear"})
    assert attributes(encoded) == [{"x": "1", "y": None}, {"x": None, "y": None}]
    assert encoded.cleared == {"x": 1, "y": 2}
    assert attributes(encode(cells)) == [{"x": "1"}, {}]


def test_a_default_fills_what_is_missing_and_nothing_is_cleared() -> None:
    encoded = one_column(pa.array(["a", None]), missing="clear", defaults={"value": 'n"a'})
    assert (values(encoded), encoded.cleared) == (["a", 'n"a'], {})


def test_nulls_inside_a_dictionary_are_missing_values() -> None:
    array = pa.DictionaryArray.from_arrays(pa.array([0, 1, None]), pa.array(["a", None]))
    encoded = one_column(array, missing="clear")
    assert (values(encoded), encoded.cleared) == (["a", None, None], {"value": 2})


def test_a_slice_of_a_batch_is_encoded_as_that_slice() -> None:
    cells = {"integration_id": list("abcde"), "value": ["1", '"', None, "é", "5"]}
    batch = pa.RecordBatch.from_pydict(cells).slice(1, 3)
    encoded = Encoder(resolve_layout(batch.schema, is_text=False)).encode(Part(batch, np.arange(3)))
    assert [(p["integrationId"], p["attributes"]) for p in profiles(encoded)] == [
        ("b", {"value": '"'}),
        ("c", {}),
        ("d", {"value": "é"}),
    ]


def test_all_reasons_of_a_row_are_told_and_the_row_is_left_out() -> None:
    encoded = encode({"integration_id": pa.array([" a", "b"]), "x": pa.array([math.inf, 1.0])})
    assert codes(encoded) == [(0, "id_whitespace"), (0, "not_finite")]
    assert encoded.rows.tolist() == [1]


def test_a_profile_beyond_four_megabytes_is_a_problem_of_its_row_alone() -> None:
    encoded = one_column(pa.array(["a", "b" * (4 * 1024 * 1024), "c"]), missing="clear")
    assert (codes(encoded), encoded.rows.tolist(), values(encoded)) == ([(1, "row_too_large")], [0, 2], ["a", "c"])


def test_bytes_that_are_no_utf8_are_a_problem_of_their_row() -> None:
    offsets = pa.py_buffer(np.array([0, 2, 3], np.int32))
    broken = pa.Array.from_buffers(pa.string(), 2, [None, offsets, pa.py_buffer(b"\xff\xfea")])
    encoded = one_column(broken)
    assert (codes(encoded), values(encoded)) == ([(0, "not_utf8")], ["a"])
    assert encoded.problems[0].value == "\\xff\\xfe"
    by_id = encode({"integration_id": broken})
    assert (codes(by_id), by_id.ids.to_pylist()) == ([(0, "not_utf8")], ["a"])


moments = st.datetimes()


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kathmandu", "-03:30"])
@settings(max_examples=40)
@given(cells=st.lists(st.none() | moments, max_size=15))
def test_instants_of_any_zone_arrive_in_utc(zone: str, cells: list[datetime | None]) -> None:
    array = pa.array(cells, pa.timestamp("us")).view(pa.timestamp("us", zone))
    assert [text and datetime.fromisoformat(text) for text in values(one_column(array))] == [
        cell and cell.replace(tzinfo=UTC) for cell in cells
    ]


@given(data=st.data())
@settings(max_examples=60)
def test_every_row_is_either_sent_or_has_a_problem_and_the_input_stays_as_it_was(data: st.DataObject) -> None:
    count = data.draw(st.integers(0, 12))
    cells = {
        "integration_id": st.none() | st.text(max_size=4),
        "text": st.none() | st.text(max_size=5),
        "number": st.none() | st.floats(),
        "time": st.none() | st.integers(-(2**62), 2**62),
    }
    drawn = {name: data.draw(st.lists(cell, min_size=count, max_size=count)) for name, cell in cells.items()}
    arrow = {"time": pa.timestamp("s", "UTC"), "number": pa.float64()}
    columns = {name: pa.array(drawn[name], arrow.get(name, pa.string())) for name in cells}
    before = stored(columns)
    encoded = encode(columns, missing=data.draw(st.sampled_from(["omit", "clear"])))
    assert sorted(encoded.rows.tolist() + list({p.row for p in encoded.problems})) == list(range(count))
    assert len(profiles(encoded)) == len(encoded.rows)
    assert before == stored(columns)


SCALARS = {
    pa.int8(): st.integers(-128, 127),
    pa.uint64(): st.integers(0, 2**64 - 1),
    pa.float64(): st.floats(allow_nan=False, allow_infinity=False),
    pa.float32(): st.floats(allow_nan=False, allow_infinity=False, width=32),
    pa.decimal128(30, 6): st.integers(-(10**20), 10**20).map(lambda units: Decimal(units).scaleb(-6)),
    pa.bool_(): st.booleans(),
    pa.string(): st.text(max_size=5),
    pa.large_string(): st.text(max_size=5),
    pa.timestamp("ms", "Asia/Tokyo"): st.integers(0, 2**40).map(lambda tick: EPOCH + timedelta(milliseconds=tick)),
    pa.timestamp("us", "UTC"): st.integers(-(2**40), 2**40).map(lambda tick: EPOCH + timedelta(microseconds=tick)),
}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@st.composite
def tables(draw: st.DrawFn) -> pa.RecordBatch:
    """Columns of any types that attributes can hold, plain, as lists or by distinct value, with any nulls."""
    count = draw(st.integers(0, 8))
    columns = {"integration_id": pa.array(draw(st.permutations([f"id {at}" for at in range(count)])), pa.string())}
    for name in draw(st.lists(st.sampled_from("abcdef"), max_size=5, unique=True)):
        arrow = draw(st.sampled_from(list(SCALARS)))
        cell, shape = SCALARS[arrow], draw(st.sampled_from(["plain", "list", "dictionary"]))
        if shape == "list" and arrow != pa.bool_():
            arrow, cell = pa.list_(arrow), st.lists(cell, max_size=3)
        array = pa.array(draw(st.lists(st.none() | cell, min_size=count, max_size=count)), arrow)
        columns[name] = array.dictionary_encode() if shape == "dictionary" else array
    batch = pa.RecordBatch.from_pydict(columns)
    return batch.slice(draw(st.integers(0, count)))


@given(batch=tables())
def test_any_table_arrives_value_by_value(batch: pa.RecordBatch) -> None:
    encoded = encode_batch(batch, is_text=False)
    assert not encoded.problems
    rows = [
        {name: value for name, value in zip(batch.schema.names[1:], cells, strict=True) if value is not None}
        for cells in zip(*(batch.column(at).to_pylist() for at in range(1, batch.num_columns)), strict=True)
    ]
    sent = attributes(encoded)
    assert [list(found) for found in sent] == [list(row) for row in rows or [{}] * len(batch)]
    for found, row in zip(sent, rows or [{}] * len(batch), strict=True):
        assert all(is_same(found[name], value, batch.field(name).type) for name, value in row.items())


def is_same(sent: Any, value: Any, arrow: pa.DataType) -> bool:
    """Tell whether what was sent is the value that the source held."""
    if pa.types.is_dictionary(arrow):
        arrow = arrow.value_type
    if isinstance(value, list):
        return len(sent) == len(value) and all(map(is_same, sent, value, [arrow.value_type] * len(value)))
    if isinstance(value, datetime):
        return datetime.fromisoformat(sent) == value
    if isinstance(value, float):
        return pa.array([float(sent)], arrow)[0].as_py() == value
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return Decimal(sent) == value
    return bool(sent == value)


def test_a_second_is_written_without_a_fraction_and_a_millisecond_with_one() -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert values(one_column(pa.array([moment]))) == ["2026-01-02T03:04:05Z"]
    assert values(one_column(pa.array([moment + timedelta(milliseconds=6)]))) == ["2026-01-02T03:04:05.006000Z"]


def test_no_row_of_a_file_loads_pandas(tmp_path: Path) -> None:
    columns = {"integration_id": ["1", "2"], "n": [1, None], "x": [0.5, float("nan")], "vip": [True, None]}
    table = pa.table({**columns, "tags": [["a"], None], "at": pa.array([1, None], pa.timestamp("us", "UTC"))})
    pq.write_table(table.append_column("tier", pa.array(["a", None]).dictionary_encode()), tmp_path / "people.parquet")
    (tmp_path / "people.csv").write_text(
        'integration_id,n,at\n1,,2026-01-01T00:00:00Z\n2,"1\r.5",x\n', encoding="utf-8"
    )
    program = (
        "import sys\nfrom t1data.profiles.prepare import Options, prepare\n"
        "for name in sys.argv[1:]: [part.rows for part in prepare(name, Options()).parts()]\n"
        "sys.exit('pandas' in sys.modules)"
    )
    paths = [str(tmp_path / name) for name in ("people.parquet", "people.csv")]
    subprocess.run([sys.executable, "-c", program, *paths], check=True)
