"""Which column goes where in an object: to one of its fields, or into a group of names that the account defines."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from t1data.errors import InputError
from t1data.tables.choices import check_names, listing, require_known
from t1data.tables.decide import decide_types, declare, own_kind
from t1data.tables.layout import Column
from t1data.tables.literals import literal
from t1data.tables.objects import Field, Form, Members
from t1data.tables.problems import Problem
from t1data.tables.strings import texts
from t1data.tables.types import JSON
from t1data.tables.values import Reading

ATTRIBUTES = "attributes"

Columns = Sequence[str] | Mapping[str, str] | None


@dataclass(frozen=True)
class Shape:
    """What an object can hold.

    Attributes
    ----------
    name : str
        Of the input, for messages: ``"items"``.
    fields : mapping of str to Field
        Name of a column → the field that it is.
    groups : mapping of str to (str, Field or None)
        What stands before the point in ``attributes.Age`` → the object's name in JSON, and what each of its members
        is: a field like all others of the group, or None where the account declares the types.
    parameter : str
        By which the caller maps columns, for messages.
    """

    name: str
    fields: Mapping[str, Field]
    groups: Mapping[str, tuple[str, Field | None]] = field(default_factory=lambda: {ATTRIBUTES: (ATTRIBUTES, None)})
    parameter: str = "columns"

    def group_of(self, target: str) -> str | None:
        """Return the group of a target, None for a field.

        Examples
        --------
        >>> Shape("items", {}).group_of("attributes.Age")
        'attributes'
        """
        head, point, _ = target.partition(".")
        return head if point and head in self.groups else None

    def type_of(self, target: str) -> str | None:
        """Return the type that a target has by itself; None for what the account declares."""
        group = self.group_of(target)
        known = self.fields[target] if group is None else self.groups[group][1]
        return None if known is None else known.type

    def check(self, targets: Sequence[str]) -> None:
        """Raise `InputError` for a target that does not exist, or that two columns go to."""
        grouped = [target for target in targets if self.group_of(target)]
        valid = [*self.fields, *(f"{group}.…" for group in self.groups)]
        unknown = [target for target in targets if target not in self.fields and target not in grouped]
        if unknown:
            raise InputError(f"{self.name}: got {listing(unknown)}, valid are {listing(valid)}")
        mend = f'say where the columns go, as in {self.parameter}={{"First Name": "attributes.FirstName"}}'
        check_names((target.partition(".")[2] for target in grouped), mend=mend)
        wires = Counter(target if target in grouped else self.fields[target].wire for target in targets)
        twice = [name for name, count in wires.items() if count > 1]
        if twice:
            raise InputError(
                f"{self.name}: {listing(twice)} would be said twice, by two columns or by a column and a constant"
            )


def choose_columns(shape: Shape, names: Sequence[str], *, apart: Sequence[str], columns: Columns) -> dict[str, str]:
    """Return column → target.

    Parameters
    ----------
    shape : Shape
        What there can be.
    names : sequence of str
        The input's columns.
    apart : sequence of str
        Those among them that hold ids.
    columns : sequence or mapping of str, optional
        The columns to send, or column → target; by default all, and every one has to be a target by its name.

    Examples
    --------
    >>> shape = Shape("items", {"price": Field("price", "number")})
    >>> choose_columns(shape, ["order", "price", "attributes.Genre"], apart=["order"], columns=None)
    {'price': 'price', 'attributes.Genre': 'attributes.Genre'}
    """
    if isinstance(columns, str) or not isinstance(columns, Collection | None):
        raise InputError(f"{shape.name}: got {columns!r}, valid are a list of columns or a mapping column → field")
    if columns is None:
        found = {name: name for name in names if name not in apart}
        odd = [name for name in found if name not in shape.fields and not shape.group_of(name)]
        if odd:
            raise InputError(
                f"{shape.name}: the columns {listing(odd)} would not be sent. Say where they go, as in"
                f' {shape.parameter}={{"{odd[0]}": "attributes.{odd[0]}"}}, or name just the columns to send; by itself'
                f" a column goes to {listing([*shape.fields, *(f'{group}.…' for group in shape.groups)])}"
            )
        return found
    mapping = dict(columns) if isinstance(columns, Mapping) else {name: name for name in columns}
    require_known(shape.name, mapping, valid=names)
    return {name: target for name, target in mapping.items() if not (name in apart and name == target)}


def resolve_form(
    shape: Shape,
    schema: pa.Schema,
    mapping: Mapping[str, str],
    *,
    reading: Reading,
    constants: Mapping[str, Any],
    types: Mapping[str, str],
    catalogue: Mapping[str, str] | None,
    inferred: Mapping[str, str],
) -> Form:
    """Return how the rows of an input become objects.

    Parameters
    ----------
    shape : Shape
        What an object can hold.
    schema : pyarrow.Schema
        The input's columns.
    mapping : mapping of str to str
        Column → target; see `choose_columns`.
    reading : Reading
        How cells are read where their type leaves it open.
    constants : mapping
        Target → value for all rows.
    types : mapping of str to str
        Column → type, the caller's word.
    catalogue : mapping of str to str, optional
        Attribute → type, the account's word; other attributes are then refused.
    inferred : mapping of str to str
        Column → type as the text looks.

    Raises
    ------
    InputError
        A column, target, type or value is not known, does not fit or is missing.
    """
    if not isinstance(constants, Mapping):
        raise InputError(f"{shape.name}: the constants are a {type(constants).__name__}, valid is a mapping → value")
    shape.check([*mapping.values(), *constants])
    _require(shape, [*mapping.values(), *constants])
    known = {f"{ATTRIBUTES}.{name}": kind for name, kind in (catalogue or {}).items()}
    known |= {target: kind for target in (*mapping.values(), *constants) if (kind := shape.type_of(target))}
    if catalogue is not None:
        require_known(
            f"{shape.name}: the account does not know some of them", [*mapping.values(), *constants], valid=known
        )
    declared = declare(mapping, types=types, catalogue=known)
    chosen = decide_types(
        schema, declared, columns=mapping, inferred=inferred, reading=reading, parameter=shape.parameter
    )
    columns = {
        target: Column(name, _wire(shape, target), chosen[name], is_json=own_kind(schema.field(name)) == JSON)
        for name, target in mapping.items()
    }
    values = {
        target: _constant(shape, target, value, known.get(target), reading) for target, value in constants.items()
    }
    groups = {wire: _members(shape, group, columns, values) for group, (wire, _) in shape.groups.items()}
    return Form(_members(shape, None, columns, values), groups, reading)


def _require(shape: Shape, targets: Sequence[str]) -> None:
    absent = [name for name, known in shape.fields.items() if known.required and name not in targets]
    if absent:
        raise InputError(f"{shape.name}: there is no column for {listing(absent)}, which every one of them needs")


def _constant(shape: Shape, target: str, value: Any, declared: str | None, reading: Reading) -> str:
    """Return the JSON text of a value for all rows, held against what its field may say."""
    found = literal(value, reading, declared=declared, what=f"{shape.name}: {target}")
    known = _field(shape, target)
    if known is not None and known.wrong is not None:
        plain = json.loads(found) if known.type == "string" else found
        if known.wrong(texts([plain])).true_count:
            raise InputError(f"{shape.name}: {Problem(0, known.code, column=target, value=plain).message}")
    return found


def _members(shape: Shape, group: str | None, columns: Mapping[str, Column], values: Mapping[str, str]) -> Members:
    """Return what stands in one object: the fields for None, else a group."""
    mine = [target for target in (*columns, *values) if shape.group_of(target) == group]
    fields = {_wire(shape, target): known for target in mine if (known := _field(shape, target)) is not None}
    return Members(
        tuple(columns[target] for target in mine if target in columns),
        {_wire(shape, target): _wrapped(values[target], _field(shape, target)) for target in mine if target in values},
        fields,
    )


def _field(shape: Shape, target: str) -> Field | None:
    group = shape.group_of(target)
    return shape.fields[target] if group is None else shape.groups[group][1]


def _wire(shape: Shape, target: str) -> str:
    return target.partition(".")[2] if shape.group_of(target) else shape.fields[target].wire


def _wrapped(value: str, known: Field | None) -> str:
    return value if known is None else f"{known.before}{value}{known.after}"
