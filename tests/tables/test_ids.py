"""Ids are text: exact, never repaired, and suspected when a program has damaged them."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from wire import codes, encode, profiles

from t1data.errors import InputError
from t1data.tables.ids import IdScan

FAITHFUL = ["007", "0", "-0", "+49", "1e5", "1E5", "0x10", "1_000", "TRUE", "NA", "null", "None", "nan", "N/A", "."]
FAITHFUL += ["..", "a/b?c#d%2F&;", "a b", "ü", "e\u0301", "\u202eabc", "😀", "x" * 1000, "😀" * 1000, '"', "\\"]


def ids(array: pa.Array, **options: bool) -> tuple[list[str], list[tuple[int, str]]]:
    encoded = encode({"integration_id": array}, **options)
    return [profile["integrationId"] for profile in profiles(encoded)], codes(encoded)


@pytest.mark.parametrize("arrow", [pa.string(), pa.large_string(), pa.dictionary(pa.int16(), pa.string())], ids=str)
def test_text_ids_are_sent_character_for_character(arrow: pa.DataType) -> None:
    array = pa.array(FAITHFUL).cast(arrow)
    assert ids(array) == (FAITHFUL, [])


@pytest.mark.parametrize(
    ("numbers", "arrow"),
    [
        ([2**64 - 1, 0], pa.uint64()),
        ([-(2**63), 2**53 + 1], pa.int64()),
        ([7, 8], pa.int8()),
        ([Decimal(10**30), Decimal(7)], pa.decimal128(38, 0)),
        ([2**63 - 1, 1], pa.dictionary(pa.int8(), pa.int64())),
    ],
    ids=str,
)
def test_whole_number_ids_are_the_text_of_every_digit(numbers: list[int], arrow: pa.DataType) -> None:
    value_type = arrow.value_type if pa.types.is_dictionary(arrow) else arrow
    array = pa.array(numbers, value_type)
    assert ids(array.dictionary_encode() if value_type != arrow else array) == ([str(number) for number in numbers], [])


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        (None, "missing_id"),
        ("", "missing_id"),
        ("x" * 1001, "id_too_long"),
        ("😀" * 1001, "id_too_long"),
        (" a", "id_whitespace"),
        ("a\u00a0", "id_whitespace"),
        ("a\u3000", "id_whitespace"),
        ("  ", "id_whitespace"),
        ("a\x00b", "id_control_character"),
        ("a\x1bb", "id_control_character"),
        ("a\x7fb", "id_control_character"),
        ("a\x85b", "id_control_character"),
    ],
)
def test_an_id_that_cannot_be_right_is_a_problem_of_its_row_alone(cell: str | None, code: str) -> None:
    array = pa.array(["a", cell, "c"])
    for column in (array, array.dictionary_encode()):
        assert ids(column) == (["a", "c"], [(1, code)])


def test_float_ids_are_refused_with_the_likely_reason_and_the_way_out() -> None:
    with pytest.raises(InputError, match=r"123\.0.*blank cell turns integers into floats.*ids_from_floats=True"):
        ids(pa.array([123.0, None]))


def test_float_ids_that_the_caller_declares_whole_are_taken_when_they_are() -> None:
    array = pa.array([123.0, None, float("nan"), 1.5, 2.0**53, float("inf"), -7.0, 2.0**53 - 1])
    sent, problems = ids(array, ids_from_floats=True)
    assert sent == ["123", "-7", str(2**53 - 1)]
    assert problems == [
        (1, "missing_id"),
        (2, "missing_id"),
        (3, "id_not_whole"),
        (4, "id_not_whole"),
        (5, "id_not_whole"),
    ]


@pytest.mark.parametrize(
    "array",
    [pa.array([True]), pa.array([Decimal("1.5")]), pa.array([0], pa.date32()), pa.array([b"a"]), pa.array([["a"]])],
    ids=lambda array: str(array.type),
)
def test_a_column_that_cannot_hold_ids_is_refused(array: pa.Array) -> None:
    with pytest.raises(InputError, match=r"column 'integration_id' \(.*\) cannot hold ids, valid are text and whole"):
        ids(array)


def suspects(*batches: list[str | None]) -> list[tuple[str, int, tuple[int, ...]]]:
    scan, first = IdScan(), 0
    for batch in batches:
        scan.see(pa.array(batch, pa.string()), np.arange(first, first + len(batch)))
        first += len(batch)
    return [(found.code, found.count, found.rows) for found in scan.suspects()]


def test_ids_that_a_spreadsheet_has_shortened_are_counted_with_their_first_rows() -> None:
    assert suspects(["a", "1.23E+10"], ["9E+15", None, "E+1"]) == [("excel_exponent", 2, (1, 2))]
    assert suspects(["1.23E+10"] * 9)[0] == ("excel_exponent", 9, (0, 1, 2, 3, 4))
    assert suspects(["12.3E+10", "1.23e+10", "1E5", "x1.2E+3"]) == []


def test_ids_that_all_end_in_point_zero_look_like_floats_and_some_do_not() -> None:
    assert suspects(["1.0", None], ["22.0"]) == [("float_text", 2, (0, 2))]
    assert suspects(["1.0", "a"], ["2.0"]) == []
    assert suspects([None], []) == []


def test_long_ids_that_all_have_zeros_after_the_15th_digit_have_lost_digits() -> None:
    assert suspects(["1234567890123450", "7"], ["98765432109876500"]) == [("excel_zeros", 2, (0, 2))]
    assert suspects(["1234567890123450"], ["9876543210987654"], ["1234567890123450"]) == []
    assert suspects(["1234567890123450"]) == []


@given(cells=st.lists(st.none() | st.text(max_size=3) | st.sampled_from(["1.0", "1E+5", "1234567890123450"])))
def test_a_scan_says_the_same_of_slices_and_of_the_whole(cells: list[str | None]) -> None:
    assert suspects(*([cell] for cell in cells)) == suspects(cells)


def test_what_is_suspected_is_told_without_an_id() -> None:
    scan = IdScan()
    scan.see(pa.array(["1.23E+10"] * 1200), np.arange(1200))
    assert scan.suspects()[0].message.startswith("1,200 ids look like 1.23E+10: a spreadsheet has shortened them")
