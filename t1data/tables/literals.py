"""One Python value to JSON text, by the ways and under the checks of the columns: for constants and defaults."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pyarrow as pa

from t1data.errors import InputError
from t1data.tables.problems import Problem
from t1data.tables.tokens import Flaw
from t1data.tables.types import can_become, kind_of
from t1data.tables.values import Reading, tokens_of


def literal(value: Any, *, declared: str | None, reading: Reading, what: str) -> tuple[str, str]:
    """Return a value's attribute type and JSON text.

    Parameters
    ----------
    value : object
        Text, number, boolean, time, list of these, or a dict for a location. Text is read like a cell of text.
    declared : str, optional
        The attribute's type; by default it follows from the value.
    reading : Reading
        How to read what the type leaves open.
    what : str
        Where the value stands, for the message.

    Examples
    --------
    >>> literal(7, declared=None, reading=Reading(), what="constants")
    ('number', '7')
    """
    array = _cell(json.dumps(value, allow_nan=False) if isinstance(value, dict) else value, what)
    field = pa.field("value", array.type)
    kind = "location" if isinstance(value, dict) else kind_of(field)
    declared = declared or kind
    fits = isinstance(value, dict) or (kind is not None and declared is not None and can_become(kind, declared))
    if kind in (None, "nothing") or declared is None or not fits:
        raise InputError(f"{what}: got {value!r}, valid is a {declared or 'text, number, boolean, time or list'}")
    tokens = tokens_of(array, field, declared=declared, reading=reading)
    text = tokens.wrapped()[0].as_py()
    if tokens.flaws or text is None:
        raise InputError(f"{what}: got {value!r}, valid is a {declared}{_reason(tokens.flaws, value, what)}")
    return declared, text


def _reason(flaws: tuple[Flaw, ...], value: Any, what: str) -> str:
    messages = [Problem(0, flaw.code, column=what, value=str(value)).message for flaw in flaws]
    return ": " + " ".join(messages) if messages else ""


def _is_wide(value: Any) -> bool:
    return isinstance(value, int) and value.bit_length() > 63


def _cell(value: Any, what: str) -> pa.Array:
    try:
        return pa.array([Decimal(value) if _is_wide(value) else value])
    except (pa.ArrowException, OverflowError, TypeError, ValueError) as error:
        raise InputError(f"{what}: got {value!r}, valid are text, number, boolean, time and lists") from error
