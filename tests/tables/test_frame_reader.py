"""pandas frames through the front door: every value exact, the frame untouched."""

import datetime as dt
import decimal
import json
import uuid
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from t1data.errors import InputError
from t1data.tables import JSON_FLAG, open_source

D = decimal.Decimal
NAIVE = dt.datetime.fromisoformat("2020-01-01T00:00:00")
FIRST, LAST = NAIVE.replace(year=1), NAIVE.replace(year=9999)
BERLIN = dt.timezone(dt.timedelta(hours=1))


def objects(*values):
    return pd.Series(list(values), dtype=object)


def read(column):
    """Arrow type, whether the cells are JSON text, and the values of a column that has no problems."""
    source = open_source(pd.DataFrame({"c": column}))
    (piece,) = source.slices()
    assert not piece.problems
    field = source.schema.field("c")
    assert piece.batch.schema.equals(source.schema)
    return str(field.type), bool(field.metadata and JSON_FLAG in field.metadata), piece.batch["c"].to_pylist()


@pytest.mark.parametrize(
    ("column", "kind", "values"),
    [
        (pd.Series([1, 2**53 + 1]), "int64", [1, 2**53 + 1]),
        (pd.Series([2**64 - 1], dtype="uint64"), "uint64", [2**64 - 1]),
        (pd.Series([1.5, np.nan]), "double", [1.5, None]),
        (pd.Series([1.5], dtype="float32"), "float", [1.5]),
        (pd.Series([1, 2], dtype=">i4"), "int32", [1, 2]),
        (pd.Series([1, None], dtype="Int64"), "int64", [1, None]),
        (pd.Series([True, None], dtype="boolean"), "bool", [True, None]),
        (pd.Series(["a", None], dtype="string[python]"), "string", ["a", None]),
        (pd.Series(["b", None, "a"], dtype="category").cat.codes, "int8", [1, -1, 0]),
        (pd.Series(pd.arrays.SparseArray([0, 0, 1])), "int64", [0, 0, 1]),
        (pd.Series([D("1.10"), None], dtype=pd.ArrowDtype(pa.decimal128(5, 2))), "decimal128(5, 2)", [D("1.10"), None]),
        (objects("007", None, np.nan, pd.NA), "string", ["007", None, None, None]),
        (objects(1, np.nan, 2**53 + 1), "int64", [1, None, 2**53 + 1]),
        (objects(True, None), "bool", [True, None]),
        (objects(D("1.10"), D("-2.00"), D("NaN")), "decimal128(38, 2)", [D("1.10"), D("-2.00"), None]),
        (objects(dt.date(2020, 1, 2), pd.NaT), "date32[day]", [dt.date(2020, 1, 2), None]),
        (objects(FIRST, LAST), "timestamp[us]", [FIRST, LAST]),
        (objects(["a"], ("b", "c"), []), "list<item: string>", [["a"], ["b", "c"], []]),
        (objects(None, np.nan), "null", [None, None]),
        # From timedeltas: pandas 2.2 takes a bare 1 for a nanosecond, pandas 3 for a second.
        (pd.Series(np.array([1, "NaT"], dtype="timedelta64[s]")), "duration[s]", [dt.timedelta(seconds=1), None]),
    ],
)  # fmt: skip
def test_a_column_of_one_kind_keeps_its_type_and_values(column, kind, values):
    assert read(column) == (kind, False, values)


def test_categories_stay_coded_and_missing_ones_missing():
    kind, flagged, values = read(pd.Series(["b", None, "a", "b"], dtype="category"))
    assert kind.startswith("dictionary")
    assert (flagged, values) == (False, ["b", None, "a", "b"])


def test_instants_of_several_zones_become_one_zone_and_stay_the_same_instants():
    instants = [dt.datetime(2020, 1, 1, tzinfo=dt.UTC), dt.datetime(2020, 1, 1, tzinfo=BERLIN)]
    kind, _, values = read(objects(*instants))
    assert kind == "timestamp[us, tz=UTC]"
    assert values == instants


@given(data=st.data(), zoned=st.booleans())
def test_times_of_python_and_pandas_side_by_side_stay_the_same_instants(data, zoned):
    zones = st.sampled_from([dt.UTC, BERLIN, ZoneInfo("UTC")]) if zoned else st.none()
    times = st.datetimes(timezones=zones)
    values = data.draw(st.lists(st.none() | times | times.map(pd.Timestamp), min_size=1))
    _, flagged, found = read(objects(*values))
    assert not flagged
    assert [value and value.replace(tzinfo=value.tzinfo or dt.UTC) for value in found] == [
        value and value.replace(tzinfo=value.tzinfo or dt.UTC) for value in values
    ]


def test_nanoseconds_and_missing_times_come_through():
    when = pd.Timestamp("2020-01-01T00:00:00.123456789", tz="UTC")
    for column in (objects(when, pd.NaT), pd.Series([when, pd.NaT])):
        source = open_source(pd.DataFrame({"c": column}))
        (piece,) = source.slices()
        assert piece.batch["c"].cast(pa.int64()).to_pylist() == [when.value, None]


@pytest.mark.parametrize(
    ("values", "cells"),
    [
        ([1, 2.5], ["1", "2.5"]),
        ([True, 1], ["true", "1"]),
        ([1, "1"], ["1", '"1"']),
        ([2**70, -1], [str(2**70), "-1"]),
        ([D("1.1"), D("1.10")], ["1.1", "1.10"]),
        ([D("1E-30"), 1], ["1E-30", "1"]),
        ([np.float32(0.1), 1], ["0.1", "1"]),
        ([np.int8(1), "é"], ["1", '"é"']),
        ([{"a": 1}, {"b": [None, 1.5]}], ['{"a":1}', '{"b":[null,1.5]}']),
        ([[1], ["a"]], ["[1]", '["a"]']),
        ([np.array([1, 2]), "x"], ["[1,2]", '"x"']),
        ([NAIVE, NAIVE.replace(tzinfo=BERLIN)], ['"2020-01-01T00:00:00"', '"2020-01-01T00:00:00+01:00"']),
        ([dt.date(2020, 1, 1), NAIVE], ['"2020-01-01"', '"2020-01-01T00:00:00"']),
        ([uuid.UUID(int=1), None], ['"00000000-0000-0000-0000-000000000001"', None]),
    ],
)  # fmt: skip
def test_values_of_several_kinds_become_exact_json_texts(values, cells):
    assert read(objects(*values)) == ("string", True, cells)


def cyclic():
    inside = []
    inside.append(inside)
    return inside


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ({1, 2}, "a value of type set"),
        (float("inf"), "an infinite number"),
        (D("Infinity"), "an infinite number"),
        (1 + 2j, "a value of type complex"),
        ({1: 2}, "a mapping with a key of type int"),
        ("\ud800", "half a surrogate pair"),
        (cyclic(), "more than 50 levels deep"),
        ([b"x"], "a value of type bytes"),
        (10**5000, "more than 4300 digits"),
    ],
    ids=lambda given: given if isinstance(given, str) and given.isascii() else "value",
)
def test_a_cell_without_a_json_form_is_a_problem_of_its_row_alone(value, told):
    (piece,) = open_source(pd.DataFrame({"id": ["a", "b", "c"], "c": objects(1, value, "x")})).slices()
    assert piece.batch["id"].to_pylist() == ["a", "c"]
    assert piece.rows.tolist() == [0, 2]
    (problem,) = piece.problems
    assert (problem.row, problem.code, problem.column) == (1, "unsupported_value", "c")
    assert told in problem.message


def test_half_a_surrogate_pair_in_a_text_column_is_a_problem_and_the_others_stay_text():
    source = open_source(pd.DataFrame({"c": objects("a", "\ud800", None)}))
    (piece,) = source.slices()
    assert piece.batch["c"].to_pylist() == ["a", None]
    assert [problem.row for problem in piece.problems] == [1]


def test_a_cell_of_a_column_that_is_not_asked_for_harms_nothing():
    source = open_source(pd.DataFrame({"id": ["a"], "c": objects({1})}))
    (piece,) = source.slices(["id"])
    assert piece.batch.to_pydict() == {"id": ["a"]}


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(exclude_categories=["Cs"])),
    st.lists(st.integers() | st.text(st.characters(exclude_categories=["Cs"])), max_size=3),
)


@settings(max_examples=150, deadline=None)
@given(values=st.lists(VALUES, min_size=1, max_size=8))
def test_whatever_stands_in_an_object_column_comes_back_equal_in_value_and_type(values):
    kind, flagged, cells = read(objects(*values))
    back = [None if cell is None else json.loads(cell) for cell in cells] if flagged else cells
    assert back == values
    assert kind == "null" or list(map(type, back)) == list(map(type, values))


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        (["a", "a"], "more than once: 'a'"),
        (["a", 1], "not text: 1"),
        (["a", ""], "without a name"),
        (pd.MultiIndex.from_tuples([("a", "x"), ("a", "y")]), "2 levels"),
    ],
)
def test_columns_that_cannot_be_told_apart_are_refused(columns, told):
    with pytest.raises(InputError, match=told):
        open_source(pd.DataFrame([[1, 2]], columns=columns))


@pytest.mark.parametrize("frame", [pd.DataFrame({"a": []}), pd.DataFrame(), pd.DataFrame(index=[1, 2])])
def test_a_frame_without_rows_or_columns_is_refused(frame):
    with pytest.raises(InputError, match=r"no (rows|columns)"):
        open_source(frame)


def test_the_index_is_kept_for_reports_whatever_it_is():
    index = pd.MultiIndex.from_tuples([("x", 1), ("x", 1)])
    source = open_source(pd.DataFrame({"id": ["a", "b"]}, index=index))
    assert source.index is not None
    assert source.index.equals(index)
    (piece,) = source.slices()
    assert piece.rows.tolist() == [0, 1]


def test_the_frame_is_the_same_afterwards_and_equal_content_has_an_equal_fingerprint():
    frame = pd.DataFrame({"id": np.arange(20_000).astype(str), "c": pd.Series(["x", None] * 10_000, dtype="category")})
    before = frame.copy(deep=True)
    seen = open_source(frame).fingerprint()
    pd.testing.assert_frame_equal(frame, before)
    assert open_source(before.set_index(np.arange(20_000)[::-1])).fingerprint() == seen
    before.loc[19_999, "c"] = "x"
    assert open_source(before).fingerprint()["sha256"] != seen["sha256"]


def test_a_long_frame_is_read_in_numbered_slices_of_one_type():
    frame = pd.DataFrame({"n": objects(*range(20_000)), "mixed": objects(*range(19_999), "last")})
    pieces = list(open_source(frame).slices())
    assert {piece.batch.schema for piece in pieces} == {open_source(frame).schema}
    assert np.concatenate([piece.rows for piece in pieces]).tolist() == list(range(20_000))
    assert [cell for piece in pieces for cell in piece.batch["mixed"].to_pylist()][-2:] == ["19998", '"last"']
