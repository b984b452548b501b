"""Which type each column is sent as: from the caller, the account, the source, or from what its text looks like."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pyarrow as pa

from t1data.errors import InputError
from t1data.tables.choices import require_known
from t1data.tables.types import JSON, TYPES, can_become, is_json, is_naive, kind_of
from t1data.tables.values import Reading


def declare(mapping: Mapping[str, str], *, types: Mapping[str, str], catalogue: Mapping[str, str]) -> dict[str, str]:
    """Return column → type as the caller and the account declare it, without the columns that neither names.

    Parameters
    ----------
    mapping : mapping of str
        Column → attribute.
    types : mapping of str
        Column → type, the caller's word.
    catalogue : mapping of str
        Attribute → type, the account's word. It has to agree with the caller's.

    Examples
    --------
    >>> declare({"age": "Age", "tier": "Tier"}, types={}, catalogue={"Age": "number"})
    {'age': 'number'}
    """
    require_known("types", types, valid=mapping)
    require_known("types", types.values(), valid=TYPES)
    account = {column: catalogue[attribute] for column, attribute in mapping.items() if attribute in catalogue}
    clashes = [column for column in types if account.get(column, types[column]) != types[column]]
    if clashes:
        told = "; ".join(f"{name!r} is to be {types[name]}, in the account it is {account[name]}" for name in clashes)
        raise InputError(f"types: {told}")
    return account | dict(types)


def decide_types(
    schema: pa.Schema,
    declared: Mapping[str, str],
    *,
    columns: Iterable[str],
    inferred: Mapping[str, str],
    reading: Reading,
    parameter: str = "attributes",
) -> dict[str, str]:
    """Return column → type, or raise `InputError` with all columns that cannot be sent as they are to be.

    Parameters
    ----------
    schema : pyarrow.Schema
        The source's columns.
    declared : mapping of str
        Column → type as `declare` returns it.
    columns : iterable of str
        The columns that are sent.
    inferred : mapping of str
        Column → type as the text looks; used for text only.
    reading : Reading
        Tells text sources from typed ones, and whether times without a zone can be read.
    parameter : str
        By which the caller names the columns to send, for messages.
    """
    chosen, faults = {}, []
    for name in columns:
        kind = own_kind(schema.field(name))
        default = inferred.get(name, "string") if reading.blank_is_missing else kind
        chosen[name] = declared.get(name) or ("string" if default in (None, "nothing") else str(default))
        faults += _faults(schema.field(name), kind, chosen[name], reading)
    if faults:
        raise InputError("; ".join(faults) + f". Nothing was sent; {parameter}=[…] names the columns to send")
    return chosen


def own_kind(field: pa.Field) -> str | None:
    """Return the type that a column has by itself, ``"json"`` for ready JSON text, or None if it cannot be sent."""
    return JSON if is_json(field) else kind_of(field.type)


def _faults(field: pa.Field, kind: str | None, target: str, reading: Reading) -> list[str]:
    column = f"column {field.name!r} ({field.type})"
    if kind is None:
        return [f"{column} cannot be sent: no attribute can hold such values"]
    if not can_become(kind, target):
        return [f"{column} cannot be sent as {target}{_epoch(kind, target)}"]
    if kind in ("time", "(list time)") and is_naive(field.type) and reading.tz is None:
        return [f'{column} holds times without a zone: say which it is, tz="Europe/Berlin" or tz="UTC"']
    return []


def _epoch(kind: str, target: str) -> str:
    return (
        ': make the numbers times first, for instance by pandas.to_datetime(…, unit="s", utc=True)'
        if (kind == "number" and target == "time")
        else ""
    )
