"""Columns become rows: what stands where, for every pattern of values that are not there."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from t1data.tables.weave import Strand, weave

CELLS = st.lists(st.none() | st.sampled_from(["", "a", "ü", "😀" * 20]), min_size=5, max_size=5)
STRANDS = st.lists(
    st.tuples(
        CELLS,
        st.sampled_from(["", '"k":', '"ключ":"']),
        st.sampled_from(["", '"', 'Z"', "]"]),
        st.none() | st.just('"k":null'),
    ),
    max_size=6,
)


def array(cells: list[str | None]) -> pa.StringArray:
    return pa.array(cells, pa.string())


def expected(row: int, strands: list[tuple[list[str | None], str, str, str | None]]) -> str:
    """Write one row the slow way."""
    found = [
        fallback if cells[row] is None else f"{before}{cells[row]}{after}" for cells, before, after, fallback in strands
    ]
    return ",".join(part for part in found if part is not None)


@settings(max_examples=200, deadline=None)
@given(STRANDS, st.booleans())
def test_a_row_is_its_head_then_the_strands_that_it_has_with_commas_between_them_then_the_tail(
    given: list[tuple[list[str | None], str, str, str | None]], by_value: bool
) -> None:
    strands = [Strand(array(cells), before, after, fallback) for cells, before, after, fallback in given]
    if by_value:
        coded = [strand.text.dictionary_encode() for strand in strands]
        strands = [
            Strand(code.dictionary, strand.before, strand.after, strand.fallback, indices=code.indices)
            for strand, code in zip(strands, coded, strict=True)
        ]
    head = array(["0", "1", "2", "3", "4"])
    woven = weave(5, strands, head=["<", head], opening="{", tail="}>")
    assert woven.to_pylist() == [f"<{row}{{{expected(row, given)}}}>" for row in range(5)]


def test_a_part_of_a_longer_column_is_woven_as_that_part() -> None:
    cells = array(["no", "a", None, "b", "no"]).slice(1, 3)
    assert weave(3, [Strand(cells, "<", ">")]).to_pylist() == ["<a>", "", "<b>"]


@pytest.mark.parametrize("of", [pa.int8(), pa.int32(), pa.int64(), pa.uint16()])
def test_a_value_that_is_null_in_the_dictionary_and_one_that_is_null_in_the_codes_are_both_left_out(
    of: pa.DataType,
) -> None:
    strand = Strand(array(["a", None]), "<", ">", indices=pa.array([1, 0, None, 0], of).slice(1))
    assert weave(3, [strand, Strand(array(["x", "y", "z"]))]).to_pylist() == ["<a>,x", "y", "<a>,z"]


def test_no_rows_are_woven_into_no_rows() -> None:
    assert weave(0, [Strand(array([]), "<", ">")], opening="{", tail="}").to_pylist() == []
