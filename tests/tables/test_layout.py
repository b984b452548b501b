"""What a caller says about columns is held against the source and the account, and told when it does not fit."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from wire import attributes, encode

from t1data.errors import InputError
from t1data.tables.layout import Layout, resolve_layout

SCHEMA = pa.schema({"integration_id": pa.string(), "tier": pa.string(), "age": pa.int64(), "joined": pa.date32()})


def layout(schema: pa.Schema = SCHEMA, *, is_text: bool = False, tz: str | None = "UTC", **options: Any) -> Layout:
    return resolve_layout(schema, is_text=is_text, tz=tz, **options)


def refusal(schema: pa.Schema = SCHEMA, **options: Any) -> str:
    with pytest.raises(InputError) as caught:
        layout(schema, **options)
    return str(caught.value)


def test_by_default_all_columns_but_the_id_are_sent_under_their_own_names() -> None:
    found = layout()
    assert found.id_column == "integration_id"
    assert [(c.name, c.attribute, c.type) for c in found.columns] == [
        ("tier", "tier", "string"),
        ("age", "age", "number"),
        ("joined", "joined", "time"),
    ]
    assert found.source_columns == ("integration_id", "tier", "age", "joined")


def test_a_list_chooses_columns_and_a_mapping_renames_them() -> None:
    assert layout(attributes=["age"]).attributes == ("age",)
    assert layout(attributes={"age": "Age", "tier": "Tier"}).attributes == ("Age", "Tier")
    assert layout(attributes={"integration_id": "CustomerId"}).attributes == ("CustomerId",)
    assert layout(attributes=[]).attributes == ()


@pytest.mark.parametrize("name", ["integrationId", "integrationid", "profileintegrationid"])
def test_the_id_column_is_found_under_the_names_that_talon_one_gives_it(name: str) -> None:
    assert layout(pa.schema({"a": pa.string(), name: pa.string()})).id_column == name


def test_a_missing_id_column_names_the_columns_and_the_way_out() -> None:
    told = refusal(pa.schema({"customer": pa.string(), "ID": pa.string()}))
    assert told == (
        "id: there is no column 'integration_id', the columns are 'customer', 'ID'; name the column that holds the"
        ' customers\' ids: id="…"'
    )
    assert "there is no column 'Customer'" in refusal(id="Customer")
    two = pa.schema({"integrationId": pa.string(), "integrationid": pa.string()})
    assert "there is no column 'integration_id'" in refusal(two)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"attributes": ["tier", "ag"]}, "attributes: got 'ag', valid are 'integration_id', 'tier', 'age', 'joined'"),
        ({"attributes": {"Age": "age"}}, "attributes: got 'Age', valid are"),
        ({"attributes": "tier"}, "attributes: got 'tier', valid are a list of columns or a mapping"),
        ({"attributes": ["tier", "tier"]}, "named twice: 'tier'"),
        ({"attributes": {"tier": "x", "age": "x"}}, "two columns would be sent as one attribute: 'x'"),
        ({"attributes": {"tier": "First Name"}}, "attributes: got 'First Name', valid are names of letters, digits"),
        ({"attributes": {"tier": "1st"}}, "attributes: got '1st', valid are names"),
        ({"attributes": {"tier": "größe"}}, "attributes: got 'größe', valid are names"),
        ({"attributes": {"tier": "x\n"}}, "attributes: got 'x\\n', valid are names"),
        ({"types": {"ages": "number"}}, "types: got 'ages', valid are 'tier', 'age', 'joined'; did you mean 'age'"),
        ({"types": {"age": "int"}}, "types: got 'int', valid are 'string', 'number', 'boolean', 'time', 'location'"),
        ({"types": {"age": "boolean"}}, "column 'age' (int64) cannot be sent as boolean"),
        ({"types": {"age": "time"}}, "column 'age' (int64) cannot be sent as time: make the numbers times first"),
        ({"defaults": {"x": 1}}, "defaults: got 'x', valid are 'tier', 'age', 'joined'"),
        ({"defaults": {"integration_id": "x"}}, "defaults: 'integration_id' is the id, and an id has no default"),
        ({"defaults": {"age": "old"}}, "defaults['age']: got 'old', valid is a number"),
        ({"defaults": {"tier": 7.5}, "types": {"tier": "number"}, "missing": "null"}, "missing: got 'null', valid are"),
        ({"missing": {"x": "clear"}}, "missing: got 'x', valid are"),
        ({"missing": {"age": "null"}}, "missing: got 'null', valid are 'omit', 'clear'"),
        ({"constants": {"tier": "x"}}, "constants: 'tier' would be sent from a column already"),
        ({"constants": {"a b": "x"}}, "got 'a b', valid are names of letters"),
        ({"constants": {"a": None}}, "constants['a']: got None, valid is a"),
        ({"constants": {"a": {1, 2}}}, "constants['a']: got {1, 2}, valid"),
        ({"constants": {"a": math.inf}}, "constants['a']: got inf, valid is a number"),
        ({"decimal": ";"}, "decimal: got ';', valid are '.', ','"),
        ({"tz": "Berlin"}, "tz: got 'Berlin', valid are names such as 'Europe/Berlin'"),
        ({"tz": None}, "column 'joined' (date32[day]) holds times without a zone"),
    ],
)
def test_what_does_not_fit_is_named_with_what_would(options: dict[str, Any], told: str) -> None:
    assert told in refusal(**options)


CATALOGUE = {"tier": "string", "age": "number", "joined": "time", "Source": "string", "Labels": "(list string)"}


def test_attributes_that_the_account_does_not_have_are_all_named_with_close_matches() -> None:
    told = refusal(attributes={"tier": "teir", "age": "Aeg"}, constants={"source": "x"}, catalogue=CATALOGUE)
    assert "got 'teir', 'Aeg', 'source', valid are" in told
    assert "'tier' for 'teir'" in told
    assert "'Source' for 'source'" in told


def test_the_account_gives_the_types_of_text_and_has_the_last_word_against_the_caller() -> None:
    text = pa.schema({name: pa.string() for name in SCHEMA.names})
    found = layout(text, is_text=True, catalogue=CATALOGUE, inferred={"tier": "number", "age": "string"})
    assert [column.type for column in found.columns] == ["string", "number", "time"]
    told = refusal(text, is_text=True, catalogue=CATALOGUE, types={"age": "string"})
    assert told == "types: 'age' is to be string, in the account it is number"


def test_a_typed_column_of_another_type_than_the_accounts_is_refused() -> None:
    assert "column 'age' (int64) cannot be sent as boolean" in refusal(catalogue={**CATALOGUE, "age": "boolean"})
    assert layout(catalogue={**CATALOGUE, "age": "string"}).columns[1].type == "string"


def test_types_of_text_come_from_the_caller_then_from_what_was_inferred_then_text() -> None:
    text = pa.schema({"integration_id": pa.string(), "a": pa.string(), "b": pa.string(), "c": pa.string()})
    found = layout(text, is_text=True, types={"a": "string"}, inferred={"a": "number", "b": "boolean"})
    assert [column.type for column in found.columns] == ["string", "boolean", "string"]


def test_a_column_named_by_several_faults_is_told_with_all_others_at_once() -> None:
    odd = pa.schema({"integration_id": pa.string(), "a": pa.binary(), "b": pa.duration("s"), "c": pa.timestamp("s")})
    told = refusal(odd, tz=None)
    assert all(f"column {name!r}" in told for name in "abc")


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        ("n/a", "n/a"),
        ("", ""),
        (7, "7"),
        (2**70, str(2**70)),
        (Decimal("1.10"), "1.10"),
        (True, True),
        (datetime(2026, 1, 1, tzinfo=UTC), "2026-01-01T00:00:00Z"),
        (["a", "b"], ["a", "b"]),
        ({"lat": 1}, {"lat": "1"}),
    ],
)
def test_a_constant_of_any_type_goes_to_every_row(value: Any, sent: Any) -> None:
    rows = attributes(encode({"integration_id": pa.array(["a", "b"])}, constants={"k": value}))
    assert rows == [{"k": sent}, {"k": sent}]


def test_text_for_a_constant_or_default_is_read_as_the_declared_type() -> None:
    columns = {"integration_id": pa.array(["a"]), "age": pa.array([""]), "vip": pa.array([""]), "at": pa.array([""])}
    types = {"age": "number", "vip": "boolean", "at": "time"}
    defaults = {"age": "1.50", "vip": "True", "at": "2026-01-01T01:00+01:00"}
    sent = encode(columns, is_text=True, types=types, defaults=defaults)
    assert attributes(sent) == [{"age": "1.50", "vip": True, "at": "2026-01-01T00:00:00Z"}]


def test_the_plan_can_tell_which_columns_are_converted() -> None:
    schema = SCHEMA.append(pa.field("empty", pa.null()))
    columns = layout(schema, types={"age": "string"}).columns
    assert [(column.kind, column.is_converted) for column in columns] == [
        ("string", False),
        ("number", True),
        ("time", False),
        ("nothing", False),
    ]


def test_missing_may_differ_by_column() -> None:
    assert [column.missing for column in layout(missing={"age": "clear"}).columns] == ["omit", "clear", "omit"]
    assert {column.missing for column in layout(missing="clear").columns} == {"clear"}


def test_a_layout_is_frozen_and_equal_to_another_of_the_same_words() -> None:
    assert layout(constants={"a": 1}) == layout(constants={"a": 1})
    assert layout() != layout(missing="clear")
