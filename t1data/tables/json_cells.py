"""One Python value to one JSON text, exactly, for the columns whose values Arrow would bend to a common type."""

from __future__ import annotations

import datetime as dt
import json
import math
import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

import numpy as np
import pandas as pd

DEEPEST: Final = 50
"""Levels of lists and mappings in a cell; what lies deeper is a mistake or a cycle."""


class UnsupportedValue(ValueError):
    """The value has no JSON form; the message says what it is, without showing it."""


def json_of(value: Any, *, depth: int = 0) -> str:
    """Write a value as JSON without changing it.

    Numbers keep their digits, also beyond 2**53; times become ISO 8601 text; missing values inside lists and mappings
    become ``null``.

    Raises
    ------
    UnsupportedValue
        For infinities, sets, bytes, half surrogates, anything deeper than `DEEPEST` and other types.

    Examples
    --------
    >>> from decimal import Decimal
    >>> json_of([1, True, Decimal("1.10"), "é", None])
    '[1,true,1.10,"é",null]'
    """
    if depth > DEEPEST:
        raise UnsupportedValue(f"lists or mappings more than {DEEPEST} levels deep")
    if isinstance(value, dict):
        return "{" + ",".join(_pair(key, item, depth) for key, item in value.items()) + "}"
    if isinstance(value, list | tuple | np.ndarray):
        return "[" + ",".join(json_of(item, depth=depth + 1) for item in value) + "]"
    if isinstance(value, np.bool_ | np.integer | np.str_):
        value = value.item()
    writer = next((write for kind, write in _WRITERS if isinstance(value, kind)), None)
    if value is None or value is pd.NA or value is pd.NaT:
        return "null"
    if writer is None:
        raise UnsupportedValue(f"a value of type {type(value).__name__}")
    return writer(value)


def _pair(key: Any, item: Any, depth: int) -> str:
    if not isinstance(key, str):
        raise UnsupportedValue(f"a mapping with a key of type {type(key).__name__}")
    return f"{_text(key)}:{json_of(item, depth=depth + 1)}"


def _text(value: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise UnsupportedValue("text with half a surrogate pair") from None
    return json.dumps(value, ensure_ascii=False)


def _integer(value: int) -> str:
    try:
        return int.__repr__(value)
    except ValueError:  # Python's guard against numbers of thousands of digits
        raise UnsupportedValue("an integer of more than 4300 digits") from None


def _number(value: Any) -> str:
    if math.isnan(value):
        return "null"
    if math.isinf(value):
        raise UnsupportedValue("an infinite number")
    return str(value)  # the shortest text that reads back to the same number, in the value's own precision


def _time(value: Any) -> str:
    return f'"{value.isoformat()}"'


_WRITERS: Final[tuple[tuple[type | tuple[type, ...], Callable[[Any], str]], ...]] = (
    (bool, lambda value: "true" if value else "false"),
    (int, _integer),
    (str, _text),
    ((float, Decimal, np.float16, np.float32), _number),
    ((dt.datetime, dt.date), _time),
    (uuid.UUID, lambda value: f'"{value}"'),
)
