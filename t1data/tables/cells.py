"""Cells that hold JSON text: checked, and passed on as they are written."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from math import isfinite
from typing import Any, NoReturn

import numpy as np
import pyarrow as pa

from t1data.tables.strings import without
from t1data.tables.times import ZONED
from t1data.tables.tokens import Flaw, Tokens

_DEEPEST = 50
"""Nesting that is still read: no attribute needs more, and a hostile cell would exhaust the stack."""

_NULL = "null"


class _Number(str):
    """A JSON number as it is written, told apart from a string."""


def json_tokens(cells: pa.StringArray, *, declared: str) -> Tokens:
    """Find the cells that are not JSON of the declared type, and pass the others on; ``null`` is no value.

    Parameters
    ----------
    cells : pyarrow.StringArray
        JSON text; null is no value.
    declared : str
        The attribute's type; ``"json"`` takes any value.

    Examples
    --------
    >>> found = json_tokens(pa.array(['["a"]', "null", "a;b"]), declared="(list string)")
    >>> found.text.to_pylist()[:2], [(flaw.code, flaw.at.tolist()) for flaw in found.flaws]
    (['["a"]', None], [('bad_json', [2])])
    """
    distinct = cells.dictionary_encode()
    faults = np.array([_fault(cell, declared) for cell in distinct.dictionary.to_pylist()] + [""])
    found = faults[distinct.indices.fill_null(len(faults) - 1).to_numpy()]
    codes = sorted(set(found.tolist()) - {"", _NULL})
    sent = without(cells, np.flatnonzero(found == _NULL))
    return Tokens(sent, flaws=tuple(Flaw(code, np.flatnonzero(found == code)) for code in codes))


def _fault(cell: str, declared: str) -> str:
    """Return the code of what is wrong with a cell, ``"null"`` for a null, or nothing."""
    try:
        value = _DECODER.decode(cell)
    except (ValueError, RecursionError):
        return "bad_json"
    if value is None:
        return _NULL
    return "bad_json" if _is_deeper(value, _DEEPEST) else _mismatch(value, declared)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


_DECODER = json.JSONDecoder(parse_int=_Number, parse_float=_Number, parse_constant=_refuse)


def _is_deeper(value: Any, levels: int) -> bool:
    if not isinstance(value, list | dict):
        return False
    inner = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_is_deeper(item, levels - 1) for item in inner)


def _mismatch(value: Any, declared: str) -> str:
    if declared.startswith("(list "):
        return _list_mismatch(value, declared[len("(list ") : -1])
    fits, code = _EXPECTED[declared]
    return "" if fits(value) else code


def _list_mismatch(value: Any, element: str) -> str:
    if not isinstance(value, list):
        return "not_a_list"
    codes = ("null_in_list" if item is None else _mismatch(item, element) for item in value)
    return next((code for code in codes if code), "")


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and not isinstance(value, _Number)


_EXPECTED: dict[str, tuple[Callable[[Any], bool], str]] = {
    "json": (lambda value: True, ""),
    "string": (_is_text, "not_a_string"),
    "number": (lambda value: isinstance(value, _Number) and isfinite(float(value)), "not_a_number"),
    "boolean": (lambda value: isinstance(value, bool), "not_a_boolean"),
    "time": (lambda value: _is_text(value) and re.fullmatch(ZONED, value) is not None, "bad_time"),
    "location": (lambda value: isinstance(value, dict), "not_an_object"),
}
