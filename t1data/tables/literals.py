"""One Python value to JSON text, by the ways and under the checks of the columns: for constants and defaults."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pyarrow as pa

from t1data.errors import InputError
from t1data.tables.problems import Problem
from t1data.tables.strings import texts
from t1data.tables.tokens import Flaw
from t1data.tables.types import can_become, kind_of
from t1data.tables.values import Reading, tokens_of


def literal(value: Any, reading: Reading, *, declared: str | None = None, what: str) -> str:
    """Return a value's JSON text, or raise `InputError`.

    Parameters
    ----------
    value : object
        Text, number, boolean, time, list of these, or a dict for a location. Text is read like a cell of text.
    reading : Reading
        How to read what the type leaves open.
    declared : str, optional
        The attribute's type; by default it follows from the value.
    what : str
        Where the value stands, for the message.

    Examples
    --------
    >>> literal(7, Reading(), what="constants")
    '7'
    """
    array, kind = _cell(value, what)
    target = declared or kind
    if target is None or kind in (None, "nothing") or not can_become(kind, target):
        raise InputError(f"{what}: got {value!r}, valid is a {target or 'text, number, boolean, time or list'}")
    tokens = tokens_of(array, replace(reading, type=target, blank_is_missing=False))
    text: str | None = tokens.wrapped()[0].as_py()
    if tokens.flaws or text is None:
        raise InputError(f"{what}: got {value!r}, valid is a {target}{_reason(tokens.flaws, value, what)}")
    return text


def _reason(flaws: tuple[Flaw, ...], value: Any, what: str) -> str:
    messages = [Problem(0, flaw.code, column=what, value=str(value)).message for flaw in flaws]
    return ": " + " ".join(messages) if messages else ""


def _is_wide(value: Any) -> bool:
    return isinstance(value, int) and value.bit_length() > 63


def _cell(value: Any, what: str) -> tuple[pa.Array, str | None]:
    try:
        if isinstance(value, dict):
            return texts([json.dumps(value, allow_nan=False)]), "location"
        array = pa.array([Decimal(value) if _is_wide(value) else value])
    except (pa.ArrowException, OverflowError, TypeError, ValueError, RecursionError) as error:
        raise InputError(f"{what}: got {value!r}, valid are text, number, boolean, time and lists") from error
    # Arrow makes a list of a set, in an order that nobody chose.
    return array, None if isinstance(value, set | frozenset) else kind_of(array.type)


def exact(number: str) -> Decimal | float:
    """Read a number of JSON so that it is written again as it was: 1.10 keeps its zero, 1e+22 its exponent."""
    return float(number) if "e" in number.lower() else Decimal(number)
