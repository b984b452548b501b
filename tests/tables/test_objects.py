"""Columns to objects of fields and groups: whatever cells are empty, each row says what its cells say."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from t1data.errors import InputError
from t1data.tables.objects import Field, Form, id_member
from t1data.tables.shapes import Shape, choose_columns, resolve_form
from t1data.tables.values import Reading

SHAPE = Shape(
    "things",
    {"kind": Field("theKind"), "code": Field("codes", before="[", after="]"), "size": Field("size", "number")},
    {"attributes": ("attributes", None), "costs": ("costs", Field("price", "number", '{"price":', "}"))},
)
TEXT = st.none() | st.text(st.characters(codec="utf-8"), min_size=1, max_size=3)
NUMBER = st.none() | st.integers(-5, 5)
ROWS = st.lists(st.tuples(TEXT, TEXT, TEXT, NUMBER, TEXT, NUMBER), min_size=1, max_size=6)
NAMES = ("id", "kind", "code", "size", "attributes.Note", "costs.post")
TYPES = (pa.string(), pa.string(), pa.string(), pa.int64(), pa.string(), pa.int64())


def objects(rows: list[tuple[Any, ...]], keep: set[str], **constants: Any) -> list[Any]:
    columns = dict(zip(NAMES, zip(*rows, strict=True), strict=True))
    batch = pa.RecordBatch.from_arrays([pa.array(columns[n], t) for n, t in zip(NAMES, TYPES, strict=True)], NAMES)
    mapping = {name: name for name in NAMES[1:] if name in keep}
    form = resolve_form(
        SHAPE, batch.schema, mapping, reading=Reading(), constants=constants, types={}, catalogue=None, inferred={}
    )
    written = form.read(batch).objects(id_member("id", batch.column("id")))
    return [json.loads(text) for text in written.to_pylist()]


def expected(row: tuple[Any, ...], keep: set[str]) -> dict[str, Any]:
    told = {name: value for name, value in zip(NAMES, row, strict=True) if value is not None and name in {"id", *keep}}
    found: dict[str, Any] = {}
    for name, value in told.items():
        if name == "code":
            found["codes"] = [value]
        elif name == "kind":
            found["theKind"] = value
        elif name == "attributes.Note":
            found["attributes"] = {"Note": value}
        elif name == "costs.post":
            found["costs"] = {"post": {"price": value}}
        else:
            found[name] = value
    return found


@settings(max_examples=60, deadline=None)
@given(ROWS, st.sets(st.sampled_from(NAMES[1:])))
def test_each_row_says_what_its_cells_say_and_nothing_else(rows: list[tuple[Any, ...]], keep: set[str]) -> None:
    assert objects(rows, keep) == [expected(row, keep) for row in rows]


def test_values_for_all_rows_take_the_form_of_their_field() -> None:
    rows = [("a", None, None, None, None, None), (None,) * 6]
    found = objects(rows, set(), kind="x", code="y", **{"attributes.Flag": True, "costs.post": 4})
    shared = {"theKind": "x", "codes": ["y"], "attributes": {"Flag": True}, "costs": {"post": {"price": 4}}}
    assert found == [{"id": "a"} | shared, shared]


def form_of(columns: Any) -> Form:
    names = ["id", "kind", "code", "colour"]
    schema = pa.schema([(name, pa.string()) for name in names])
    mapping = choose_columns(SHAPE, names, apart=["id"], columns=columns)
    return resolve_form(SHAPE, schema, mapping, reading=Reading(), constants={}, types={}, catalogue=None, inferred={})


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        (None, "things: the columns 'colour' would not be sent"),
        ({"kind": "colour"}, "got 'colour', valid are 'kind', 'code', 'size'"),
        ({"kind": "code", "code": "code"}, "'codes' would be said twice"),
        ({"kind": "attributes.a b"}, "valid are names of letters"),
        (["nothing"], "got 'nothing', valid are"),
    ],
)
def test_a_column_that_cannot_go_where_it_is_to_go_is_told(columns: Any, said: str) -> None:
    with pytest.raises(InputError, match=said):
        form_of(columns)
