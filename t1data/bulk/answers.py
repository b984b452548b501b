"""The JSON of an answer, read exactly."""

from __future__ import annotations

import json
from typing import Any

import msgspec

_decode = msgspec.json.Decoder().decode


def parsed(body: bytes) -> Any:
    """Return what an answer holds; whole numbers of any length stay what they are.

    msgspec reads a third as long as Python's own reader, and never another value. What it refuses, such as ``NaN`` or
    half a surrogate pair, Python may still take.

    Raises
    ------
    ValueError
        The body is no complete JSON, or nested deeper than can be read.

    Examples
    --------
    >>> parsed(b'{"id": 36893488147419103232, "value": NaN}')
    {'id': 36893488147419103232, 'value': nan}
    """
    try:
        return _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    try:
        return json.loads(body)
    except RecursionError:
        raise ValueError("nested deeper than can be read") from None
