"""The types of columns: told by the source, declared by the caller, or inferred without changing a character."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wire import Number, codes, encode, encode_batch, one_column, values

from t1data.errors import InputError
from t1data.tables.encode import Encoded
from t1data.tables.infer import TypeScan

PLAIN_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?")
JSON_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")


def inferred(*cells: str | None, **options: Any) -> str:
    scan = TypeScan(**options)
    scan.see(pa.RecordBatch.from_pydict({"value": pa.array(cells, pa.string())}))
    return scan.types()["value"]


@pytest.mark.parametrize(
    "cells",
    [
        ["7", "", "-12", None],
        ["1.10", "0", "-0.5"],
        ["-0"],
        ["999999999999999"],
        ["0.000000000000000000123"],
    ],
)
def test_a_column_of_plain_json_numbers_is_a_number(cells: list[str | None]) -> None:
    assert inferred(*cells) == "number"


@pytest.mark.parametrize(
    "cell",
    [
        *("007", "+7", "7.", ".5", "1e5", "1,5", "1_000", "0x1F", " 7", "7 ", "7\n", "NaN", "inf", "-", "00", "--7"),
        *("1.1.1", "1234567890123456", "1.234567890123456", "TRUE", "True", "yes", "2026-01-01", "x", "٧"),
    ],
)
def test_one_cell_of_another_kind_makes_the_column_text(cell: str) -> None:
    assert inferred("7", cell, "8") == "string"
    assert inferred("true", cell) == "string"


def test_exact_true_and_false_are_a_boolean_and_mixing_them_with_numbers_is_text() -> None:
    assert inferred("true", "", "false") == "boolean"
    assert inferred("true", "1") == "string"


def test_a_column_without_any_value_is_text() -> None:
    assert inferred("", None) == "string"
    assert TypeScan(["value"]).types() == {"value": "string"}


def test_the_last_batch_counts_as_much_as_the_first() -> None:
    scan = TypeScan(["a", "b"])
    for a, b in [("1", "1"), ("", ""), ("2.5", "x"), ("3", "4")]:
        scan.see(pa.RecordBatch.from_pydict({"a": [a], "b": [b], "not_asked_for": ["1"]}))
    assert scan.types() == {"a": "number", "b": "string"}


cells_of_any_kind = st.lists(
    st.sampled_from(["", "0", "-0", "1", "007", "1.50", "true", "false", "True", "1e3", "x", "99999999999999999999"])
    | st.integers().map(str)
    | st.decimals(allow_nan=False, allow_infinity=False, places=3).map(str)
    | st.text(max_size=4),
    max_size=6,
)


@given(batches=st.lists(cells_of_any_kind, max_size=4))
def test_inference_never_changes_a_character_on_the_wire(batches: list[list[str]]) -> None:
    scan = TypeScan(["value"])
    for cells in batches:
        scan.see(pa.RecordBatch.from_pydict({"value": pa.array(cells, pa.string())}))
    whole = [cell for cells in batches for cell in cells]
    kind = scan.types()["value"]
    encoded = one_column(pa.array(whole, pa.string()), is_text=True, inferred={"value": kind})
    assert not encoded.problems
    assert [token(value) for value in values(encoded)] == [cell or None for cell in whole]
    filled = [cell for cell in whole if cell]
    numbers = all(PLAIN_NUMBER.fullmatch(cell) and len(significant(cell)) <= 15 for cell in filled)
    words = all(cell in ("true", "false") for cell in filled)
    assert kind == ("string" if not filled else "number" if numbers else "boolean" if words else "string")


def significant(cell: str) -> str:
    return cell.replace("-", "").replace(".", "").lstrip("0")


def token(value: Any) -> str | None:
    return json.dumps(value) if isinstance(value, bool) else value


@given(cells=cells_of_any_kind)
def test_a_declared_number_is_sent_as_written_or_is_a_problem(cells: list[str]) -> None:
    encoded = one_column(pa.array(cells, pa.string()), is_text=True, types={"value": "number"})
    wrong = [at for at, cell in enumerate(cells) if cell and not JSON_NUMBER.fullmatch(cell)]
    assert codes(encoded) == [(at, "not_a_number") for at in wrong]
    assert values(encoded) == [cell or None for at, cell in enumerate(cells) if at not in wrong]
    assert all(isinstance(value, Number) for value in values(encoded) if value is not None)


@pytest.mark.parametrize("cell", ["+1", "01", "1,5", "1.", ".5", "inf", "NaN", "0x1", " 1", "1 ", "1\n", "-", "1e"])
def test_what_json_does_not_write_as_a_number_is_a_problem_with_a_way_out(cell: str) -> None:
    encoded = one_column(pa.array(["1e5", cell]), is_text=True, types={"value": "number"})
    assert (codes(encoded), values(encoded)) == ([(1, "not_a_number")], ["1e5"])
    assert 'decimal=","' in encoded.problems[0].message


def test_a_number_that_every_reader_takes_for_infinity_is_a_problem() -> None:
    cells = pa.array(["1e308", "1e309", "-1E+999", "9" * 400, "1e-999"])
    assert codes(one_column(cells, types={"value": "number"})) == [(at, "not_finite") for at in (1, 2, 3)]


def test_a_declared_decimal_comma_is_sent_as_a_point_and_a_point_is_then_a_problem() -> None:
    cells = pa.array(["1,50", "-7", "1.50", "1.234,5"])
    encoded = one_column(cells, is_text=True, types={"value": "number"}, decimal=",")
    assert (values(encoded), codes(encoded)) == (["1.50", "-7"], [(2, "not_a_number"), (3, "not_a_number")])
    assert [inferred("1,5", "2", decimal=","), inferred("1.5", decimal=",")] == ["number", "string"]


def test_declared_booleans_take_three_ways_of_writing_and_no_other() -> None:
    cells = pa.array(["true", "False", "TRUE", "", "yes", "1", "tRue"])
    encoded = one_column(cells, is_text=True, types={"value": "boolean"})
    assert values(encoded) == [True, False, True, None]
    assert codes(encoded) == [(4, "not_a_boolean"), (5, "not_a_boolean"), (6, "not_a_boolean")]


@pytest.mark.parametrize(
    ("array", "sent"),
    [
        (pa.array([2**64 - 1], pa.uint64()), "18446744073709551615"),
        (pa.array([Decimal("1.10")]), "1.10"),
        (pa.array([0.1], pa.float32()), "0.1"),
        (pa.array([True]), "true"),
        (pa.array([datetime(2026, 1, 1, tzinfo=UTC)]), "2026-01-01T00:00:00Z"),
    ],
)
def test_a_declared_text_is_the_text_of_the_value(array: pa.Array, sent: str) -> None:
    assert values(one_column(array, types={"value": "string"})) == [sent]


def test_a_fault_of_a_distinct_value_is_the_fault_of_every_row_that_has_it_and_of_no_other() -> None:
    array = pa.DictionaryArray.from_arrays(pa.array([1, 0, None, 1, 0]), pa.array(["7", "seven", "unused"]))
    encoded = one_column(array, types={"value": "number"})
    assert codes(encoded) == [(0, "not_a_number"), (3, "not_a_number")]
    assert values(encoded) == ["7", None, "7"]


def test_a_column_of_nulls_sends_nothing_unless_it_is_told_to() -> None:
    nothing = pa.nulls(2)
    assert values(one_column(nothing)) == [None, None]
    assert values(one_column(nothing, types={"value": "number"}, defaults={"value": 3})) == ["3", "3"]
    assert one_column(nothing, missing="clear").cleared == {"value": 2}


LISTS = [pa.list_(pa.string()), pa.large_list(pa.string()), pa.list_(pa.dictionary(pa.int8(), pa.string()))]


@pytest.mark.parametrize("arrow", LISTS, ids=str)
@settings(max_examples=40)
@given(lists=st.lists(st.none() | st.lists(st.text(max_size=4), max_size=3), max_size=6))
def test_lists_of_text_arrive_in_order(arrow: pa.DataType, lists: list[list[str] | None]) -> None:
    assert values(one_column(pa.array(lists, arrow))) == lists


@given(lists=st.lists(st.none() | st.lists(st.integers(-(2**63), 2**63 - 1), max_size=3), max_size=6))
def test_lists_of_numbers_keep_every_digit(lists: list[list[int] | None]) -> None:
    sent = values(one_column(pa.array(lists, pa.list_(pa.int64())).slice(len(lists) // 2)))
    assert sent == [cells and [str(cell) for cell in cells] for cells in lists[len(lists) // 2 :]]


def test_a_fault_of_an_element_is_the_fault_of_its_row() -> None:
    floats = pa.array([[1.5], [1.0, float("inf")], [None], [float("nan")], [], None])
    assert codes(one_column(floats)) == [(1, "not_finite"), (2, "null_in_list"), (3, "null_in_list")]
    assert values(one_column(floats)) == [["1.5"], [], None]
    times = pa.array([[datetime(2026, 1, 1, tzinfo=UTC)], [None]])
    encoded = one_column(times)
    assert (values(encoded), codes(encoded)) == ([["2026-01-01T00:00:00Z"]], [(1, "null_in_list")])
    fixed = pa.array([["a", "b"], None], pa.list_(pa.string(), 2))
    assert values(one_column(fixed)) == [["a", "b"], None]


def test_lists_that_are_all_empty_are_sent_as_empty_lists() -> None:
    assert values(one_column(pa.array([[], None, []]))) == [[], None, []]


@pytest.mark.parametrize(
    ("declared", "good", "bad"),
    [
        ("(list string)", '["a", "b\\n"]', [("a;b", "bad_json"), ('{"a":1}', "not_a_list"), ("[1]", "not_a_string")]),
        ("(list number)", "[1, 2.50, 1e5]", [("[NaN]", "bad_json"), ('["1"]', "not_a_number")]),
        ("(list time)", '["2026-01-01T00:00Z"]', [('["2026"]', "bad_time"), ('["2026-01-01T00:00Zx"]', "bad_time")]),
        ("(list location)", '[{"x": 1}]', [('["x"]', "not_an_object"), ("[null]", "null_in_list")]),
        ("location", '{"lat": 1.50}', [("[1,2]", "not_an_object"), ("52.5,13.4", "bad_json")]),
    ],
)
def test_json_text_is_passed_on_as_written_when_it_is_of_the_declared_type(
    declared: str, good: str, bad: list[tuple[str, str]]
) -> None:
    cells = pa.array([good, "", "null", *(cell for cell, _ in bad)])
    encoded = one_column(cells, is_text=True, types={"value": declared})
    assert codes(encoded) == [(3 + at, code) for at, (_, code) in enumerate(bad)]
    assert f'"value":{good}}}'.encode() in encoded.pieces[0].as_py()
    assert encoded.pieces[1].as_py() == b'{"integrationId":"1","attributes":{}},'


def test_json_nested_without_end_is_a_problem_and_no_crash() -> None:
    cells = pa.array(["[" * 50 + "]" * 50, "[" * 60 + "]" * 60, "[" * 100_000, "[" + "9" * 10_000 + "]"])
    encoded = json_column(cells)
    assert codes(encoded) == [(1, "bad_json"), (2, "bad_json")]


def json_column(cells: pa.Array, **options: Any) -> Encoded:
    field = pa.field("value", pa.string(), metadata={b"t1data:json": b"1"})
    schema = pa.schema([pa.field("integration_id", pa.string()), field])
    ids = pa.array([str(at) for at in range(len(cells))], pa.string())
    return encode_batch(pa.RecordBatch.from_arrays([ids, cells], schema=schema), is_text=False, **options)


def test_cells_that_a_reader_made_json_are_sent_as_they_are_and_checked_when_a_type_is_declared() -> None:
    cells = pa.array(['"a"', "5", '{"a":[1.50]}', "null", None, "true"])
    assert values(json_column(cells)) == ["a", "5", {"a": ["1.50"]}, None, None, True]
    assert codes(json_column(cells, types={"value": "string"})) == [(at, "not_a_string") for at in (1, 2, 5)]
    assert codes(json_column(cells, types={"value": "number"})) == [(at, "not_a_number") for at in (0, 2, 5)]


@pytest.mark.parametrize(
    "arrow",
    [
        *(pa.binary(), pa.binary(4), pa.struct({"a": pa.int8()}), pa.map_(pa.string(), pa.int8()), pa.time64("us")),
        *(pa.duration("s"), pa.list_(pa.bool_()), pa.list_(pa.list_(pa.int8())), pa.month_day_nano_interval()),
    ],
    ids=str,
)
def test_a_column_that_no_attribute_can_hold_is_refused_unless_it_is_left_out(arrow: pa.DataType) -> None:
    columns = {"integration_id": pa.array(["a"]), "odd": pa.nulls(1, arrow), "age": pa.array([1])}
    with pytest.raises(InputError, match=r"column 'odd' \(.*\) cannot be sent"):
        encode(columns)
    assert values(encode(columns, attributes=["age"]), "age") == ["1"]
