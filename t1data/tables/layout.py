"""How the columns of a source become customers: which is the id, which attributes the others are, of what type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import pyarrow as pa

from t1data.errors import InputError
from t1data.tables.choices import ID, check_names, choose_attributes, choose_id, listing, require_known
from t1data.tables.decide import decide_types, declare, own_kind
from t1data.tables.ids import check_id_field
from t1data.tables.literals import literal
from t1data.tables.types import JSON
from t1data.tables.values import Reading
from t1data.tables.zones import zone

Missing = Literal["omit", "clear"]
MISSING = ("omit", "clear")


@dataclass(frozen=True, slots=True)
class Column:
    """One column on its way to an attribute.

    Parameters
    ----------
    name : str
        The source's column.
    attribute : str
        The attribute's name in Talon.One.
    type : str
        One of `t1data.tables.types.TYPES`, or ``"json"`` for cells that are JSON text already.
    default : str, optional
        JSON text that is sent for a cell without a value.
    missing : {"omit", "clear"}
        A cell without a value leaves the attribute as it is, or clears it by a null.
    is_json : bool
        The cells are JSON text already.
    kind : str
        What the cells are by themselves: a type, ``"nothing"``, ``"json"``, or ``"text"`` in an untyped source.
    """

    name: str
    attribute: str
    type: str
    default: str | None = None
    missing: Missing = "omit"
    is_json: bool = False
    kind: str = ""

    @property
    def is_converted(self) -> bool:
        """Whether a value is sent as another type than its own, which the caller or the account has declared."""
        return self.kind not in ("nothing", "text", "json", self.type)


@dataclass(frozen=True, slots=True)
class Layout:
    """How a source's rows become customer profiles.

    Parameters
    ----------
    id_column : str
        The column of the integration ids.
    columns : tuple of Column
        The columns that are sent, in the order in which they are sent.
    constants : mapping of str to str
        Attribute → JSON text, the same for all rows; sent after the columns.
    reading : Reading
        How cells are read where their type leaves it open.
    allow_suspect_ids : bool
        Send ids that look as if a program had damaged them.
    """

    id_column: str
    columns: tuple[Column, ...] = ()
    constants: Mapping[str, str] = field(default_factory=dict)
    reading: Reading = field(default_factory=Reading)
    allow_suspect_ids: bool = False

    @property
    def source_columns(self) -> tuple[str, ...]:
        """The columns to read from the source, the id first."""
        return tuple(dict.fromkeys([self.id_column, *(column.name for column in self.columns)]))

    @property
    def attributes(self) -> tuple[str, ...]:
        """The attributes in the order in which they are sent."""
        return (*(column.attribute for column in self.columns), *self.constants)


def resolve_layout(
    schema: pa.Schema,
    *,
    is_text: bool,
    id: str = ID,
    attributes: Sequence[str] | Mapping[str, str] | None = None,
    types: Mapping[str, str] | None = None,
    defaults: Mapping[str, Any] | None = None,
    constants: Mapping[str, Any] | None = None,
    missing: Missing | Mapping[str, Missing] = "omit",
    tz: str | None = None,
    decimal: str = ".",
    truncate_times: bool = False,
    catalogue: Mapping[str, str] | None = None,
    inferred: Mapping[str, str] | None = None,
    allow_suspect_ids: bool = False,
    ids_from_floats: bool = False,
) -> Layout:
    """Hold what a caller says about the columns against the columns, and against the account.

    Parameters
    ----------
    schema : pyarrow.Schema
        The source's columns.
    is_text : bool
        The cells are untyped text, as in CSV: types come from `types`, `catalogue` or `inferred`, and an empty
        cell is no value.
    id : str
        The column of the integration ids. When the default is not there, one column named ``integrationId``,
        ``integrationid`` or ``profileintegrationid`` is taken, as Talon.One's answers and exports name it.
    attributes : sequence or mapping of str, optional
        Columns to send, or column → attribute; by default all but the id, under their own names.
    types : mapping of str, optional
        Column → type: ``string``, ``number``, ``boolean``, ``time``, ``location`` or ``(list …)`` of the first two, of
        time or of location. Typed sources need it only to change a type, a conversion that the caller declares.
    defaults : mapping, optional
        Column → value for its cells that have none. The id has no default.
    constants : mapping, optional
        Attribute → value for all rows.
    missing : {"omit", "clear"} or mapping
        What a cell without a value does, for all columns or by column.
    tz : str, optional
        The zone of times and dates that name none.
    decimal : {".", ","}
        The decimal mark of numbers in text.
    truncate_times : bool
        Cut times to microseconds instead of refusing finer ones.
    catalogue : mapping of str, optional
        Attribute → type as the account declares them; attributes that are not in it are refused.
    inferred : mapping of str, optional
        Column → type as found by `t1data.tables.infer.TypeScan`.
    allow_suspect_ids : bool
        Send ids that look as if a program had damaged them.
    ids_from_floats : bool
        Take an id column of floating point numbers, if they are whole and smaller than 2**53.

    Returns
    -------
    Layout

    Raises
    ------
    InputError
        A column, attribute, type or value is not known or does not fit; the message says which are valid.

    Examples
    --------
    >>> schema = pa.schema({"integration_id": pa.string(), "age": pa.int64()})
    >>> resolve_layout(schema, is_text=False, constants={"source": "import"}).attributes
    ('age', 'source')
    """
    reading = _reading(is_text, tz, decimal, truncate_times)
    id_column = choose_id(schema.names, id)
    check_id_field(schema.field(id_column), ids_from_floats=ids_from_floats)
    mapping = choose_attributes(schema.names, id_column, attributes)
    _check_attributes(list(mapping.values()), list(constants or {}), catalogue)
    declared = declare(mapping, types=types or {}, catalogue=catalogue or {})
    chosen = decide_types(schema, declared, columns=mapping, inferred=inferred or {}, reading=reading)
    fallbacks = _defaults(defaults or {}, chosen, reading, id_column)
    absent = _missing(missing, mapping)
    kinds = {name: "text" if is_text else own_kind(schema.field(name)) or "" for name in mapping}
    columns = tuple(
        Column(name, attribute, chosen[name], fallbacks.get(name), absent[name], kinds[name] == JSON, kinds[name])
        for name, attribute in mapping.items()
    )
    return Layout(id_column, columns, _constants(constants or {}, catalogue or {}, reading), reading, allow_suspect_ids)


def _reading(is_text: bool, tz: str | None, decimal: str, truncate_times: bool) -> Reading:
    if tz is not None:
        zone(tz)
    require_known("decimal", [decimal], valid=(".", ","))
    return Reading(blank_is_missing=is_text, tz=tz, decimal=decimal, truncate_times=truncate_times)


def _check_attributes(sent: Sequence[str], constants: Sequence[str], catalogue: Mapping[str, str] | None) -> None:
    check_names(constants)
    both = [name for name in constants if name in sent]
    if both:
        raise InputError(f"constants: {listing(both)} would be sent from a column already")
    if catalogue is not None:
        require_known("attributes: the account does not know some of them", [*sent, *constants], valid=catalogue)


def _defaults(
    defaults: Mapping[str, Any], types: Mapping[str, str], reading: Reading, id_column: str
) -> dict[str, str]:
    if id_column in defaults and id_column not in types:
        raise InputError(f"defaults: {id_column!r} is the id, and an id has no default")
    require_known("defaults", defaults, valid=types)
    return {
        name: literal(value, reading, declared=types[name], what=f"defaults[{name!r}]")
        for name, value in defaults.items()
    }


def _missing(missing: Missing | Mapping[str, Missing], columns: Mapping[str, str]) -> dict[str, Missing]:
    words = {} if isinstance(missing, str) else missing
    require_known("missing", words, valid=columns)
    require_known("missing", [missing] if isinstance(missing, str) else words.values(), valid=MISSING)
    common: Missing = missing if isinstance(missing, str) else "omit"
    return {name: words.get(name, common) for name in columns}


def _constants(constants: Mapping[str, Any], catalogue: Mapping[str, str], reading: Reading) -> dict[str, str]:
    return {
        name: literal(value, reading, declared=catalogue.get(name), what=f"constants[{name!r}]")
        for name, value in constants.items()
    }
