"""Comparing an attribute's value with the one that a rule names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from t1data.sandbox.money import exact
from t1data.sandbox.values import is_number, is_text, is_time, moment


def compare(value: Any, op: str, wanted: Any) -> bool:
    """Return whether a value stands in the relation `op` to `wanted`.

    A missing value never does, nor does one of another type. Two texts that are both times are compared as
    times; ``contains`` looks into a list or a text.

    Examples
    --------
    >>> compare("2026-01-01T00:00:00Z", "<", "2026-01-01T00:00:00-01:00")
    True
    >>> compare(None, "!=", "gold")
    False
    """
    if op == "contains":
        return _contains(value, wanted)
    if is_number(value) and is_number(wanted):
        return _ORDERS[op](exact(value), exact(wanted))
    if is_time(value) and is_time(wanted):
        return _ORDERS[op](moment(value), moment(wanted))
    if is_text(value) and is_text(wanted):
        return _ORDERS[op](value, wanted)
    both_flags = isinstance(value, bool) and isinstance(wanted, bool)
    return both_flags and op in ("=", "!=") and _ORDERS[op](value, wanted)


_ORDERS: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": lambda left, right: left == right,
    "!=": lambda left, right: left != right,
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
}


def _contains(value: Any, wanted: Any) -> bool:
    if isinstance(value, list):
        return any(compare(item, "=", wanted) for item in value)
    return isinstance(value, str) and isinstance(wanted, str) and wanted in value
