"""Numbers to JSON number text, digit for digit."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as at

from t1data.tables.digits import plain_width
from t1data.tables.strings import NONE, has_true, texts
from t1data.tables.tokens import Tokens, flaws_of

LITERAL = r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$"
_WIDEST = 300
"""Digits from which on a number may be more than a float can hold."""

_COMMA = r"^-?(0|[1-9][0-9]*)(,[0-9]+)?$"


def number_tokens(array: pa.Array) -> Tokens:
    """Write integers, floats and decimals of any width.

    Integers and decimals keep every digit, a float gets the shortest text that reads back as the same float of its own
    width. A whole float has no fraction (``60.0`` is ``60``): a blank turns a column of integers into floats
    in pandas, and the number is the same. NaN is no value; an infinity is a flaw, since JSON has no word for it.

    Examples
    --------
    >>> number_tokens(pa.array([0.1, 60.0, float("nan")])).text.to_pylist()
    ['0.1', '60', None]
    """
    if not at.is_floating(array.type):
        return Tokens(array.cast(pa.string()))
    single = array.cast(pa.float32()) if at.is_float16(array.type) else array
    finite = pc.is_finite(single)
    if finite.false_count == 0:
        return Tokens(_float_text(array))
    kept = pc.if_else(finite, array, _null_of(array))
    return Tokens(_float_text(kept), flaws=flaws_of(not_finite=pc.is_inf(single)))


def _null_of(array: pa.Array) -> pa.Scalar:
    return pa.nulls(1, array.type)[0]


def _float_text(array: pa.Array) -> pa.StringArray:
    return _half_text(array) if at.is_float16(array.type) else array.cast(pa.string())


def _half_text(array: pa.Array) -> pa.StringArray:
    # Arrow writes a half float by way of a wider one, 0.1 as 0.0999755859375; numpy knows its own width.
    codes = array.view(pa.uint16()).dictionary_encode()
    halves = np.frombuffer(codes.dictionary.buffers()[1], np.float16, len(codes.dictionary))
    return texts([_half(half) for half in halves]).take(codes.indices)


def _half(value: np.float16) -> str:
    return f"{value:.0f}" if value == np.trunc(value) else str(value)


def number_literals(array: pa.StringArray, *, decimal: str = ".") -> Tokens:
    """Pass the text of numbers through as it is written, and find what is no JSON number.

    Parameters
    ----------
    array : pyarrow.StringArray
        The cells; null is no value.
    decimal : {".", ","}
        With a comma, ``1,5`` is sent as ``1.5`` and a point is a flaw.

    Examples
    --------
    >>> found = number_literals(pa.array(["1.10", "1e5", "007"]))
    >>> found.text.to_pylist(), [(flaw.code, flaw.at.tolist()) for flaw in found.flaws]
    (['1.10', '1e5', '007'], [('not_a_number', [2])])
    """
    written = pc.replace_substring(array, ",", ".") if decimal == "," else array
    if (width := plain_width(array, decimal)) is not None and width < _WIDEST:
        return Tokens(written)
    wrong = pc.invert(pc.match_substring_regex(array, _COMMA if decimal == "," else LITERAL))
    return Tokens(written, flaws=flaws_of(not_a_number=wrong, not_finite=_too_large(written, wrong)))


def _too_large(array: pa.StringArray, wrong: pa.BooleanArray) -> pa.BooleanArray:
    # "1e999" is JSON, but to every reader that has floats it is an infinity.
    powers = pc.match_substring_regex(array, f"[eE]|[0-9]{{{_WIDEST}}}")
    if not has_true(powers):
        return powers
    candidates = pc.if_else(pc.and_not(powers, wrong), array, NONE)
    return pc.is_inf(candidates.cast(pa.float64()))
