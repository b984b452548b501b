"""Is a campaign's rule list well formed? Asked when a seed is loaded, so that a call never meets a broken rule.

The format itself is described in `t1data.sandbox.rules`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

OPERATORS = ("=", "!=", "<", "<=", ">", ">=", "contains")
SCOPES = ("sessionTotal", "cartItems", "additionalCosts")
RULE_STATES = ("open", "closed")

Check = Callable[[Any], str | None]  # what is wrong with the value, or None


def check_rules(rules: Any, where: str) -> None:
    """Refuse a rule list that could not be carried out.

    Parameters
    ----------
    rules : list of dict
        As read from a seed file; see `t1data.sandbox.rules` for the format.
    where : str
        How a person finds the place, such as ``"campaigns[0].rules"``: it begins the message.

    Raises
    ------
    ValueError
        At the first fault, naming the rule by its number from 1.

    Examples
    --------
    >>> check_rules([{"name": "Half", "then": [{"effect": "setDiscount", "name": "H", "percent": 50}]}], "here")
    >>> check_rules([{"name": "Half", "then": []}], "here")
    Traceback (most recent call last):
        ...
    ValueError: here, rule 1: `then` must be a list with at least one effect
    """
    if not isinstance(rules, list):
        raise ValueError(f"{where}: must be a list of rules")
    for number, rule in enumerate(rules, start=1):
        fault = _rule_fault(rule)
        if fault:
            raise ValueError(f"{where}, rule {number}: {fault}")


def _rule_fault(rule: Any) -> str | None:
    if not isinstance(rule, Mapping):
        return "must be a table"
    return _table_fault(rule, required={"name": text, "then": _effects}, optional={"when": _conditions})


def _table_fault(
    table: Mapping[str, Any], *, required: Mapping[str, Check], optional: Mapping[str, Check]
) -> str | None:
    known = {**required, **optional}
    for name in required:
        if name not in table:
            return f"`{name}` is missing"
    for name, value in table.items():
        if name not in known:
            return f"`{name}` is not known here; known are {', '.join(sorted(known))}"
        fault = known[name](value)
        if fault:
            return f"`{name}` {fault}"
    return None


def text(value: Any) -> str | None:
    """Ask for a text that is not empty."""
    return None if isinstance(value, str) and value else "must be a text that is not empty"


def _any_text(value: Any) -> str | None:
    return None if isinstance(value, str) else "must be a text"


def _whole(value: Any) -> str | None:
    return None if isinstance(value, int) and not isinstance(value, bool) else "must be a whole number"


def is_number(value: Any) -> bool:
    """Tell whether a value is a finite number; truth values are none."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return False
    return math.isfinite(value)


def _amount(value: Any) -> str | None:
    return None if is_number(value) and 0 < value <= 10**15 else "must be a number above 0"


def _minimum(value: Any) -> str | None:
    return None if is_number(value) and 0 <= value <= 10**15 else "must be a number of at least 0"


def _percent(value: Any) -> str | None:
    return None if is_number(value) and 0 < value <= 100 else "must be a number above 0 and at most 100"


def _only_true(value: Any) -> str | None:
    return None if value is True else "can only be true: leave it out otherwise"


def _truth(value: Any) -> str | None:
    return None if isinstance(value, bool) else "must be true or false"


def one_of(*choices: str) -> Check:
    """Return a check for one of `choices`."""
    return lambda value: None if value in choices else f"must be one of {', '.join(choices)}"


def _comparisons(value: Any) -> str | None:
    tables = value if isinstance(value, list) else [value]
    for table in tables:
        if not isinstance(table, Mapping):
            return "must be a table with attribute, op and value, or a list of such tables"
        fault = _table_fault(
            table, required={"attribute": text, "op": one_of(*OPERATORS), "value": _scalar}, optional={}
        )
        if fault:
            return f"has a fault: {fault}"
    return None


def _scalar(value: Any) -> str | None:
    return None if isinstance(value, str | bool) or is_number(value) else "must be a text, a number, true or false"


_CONDITIONS: Mapping[str, Check] = {
    "coupon": _only_true,
    "referral": _only_true,
    "cart_total_at_least": _minimum,
    "first_session": _truth,
    "state": one_of(*RULE_STATES),
    "event": text,
    "profile": _comparisons,
}


def _conditions(value: Any) -> str | None:
    if not isinstance(value, Mapping):
        return "must be a table of conditions"
    fault = _table_fault(value, required={}, optional=_CONDITIONS)
    return f"has a fault: {fault}" if fault else None


_EFFECTS: Mapping[str, tuple[Mapping[str, Check], Mapping[str, Check], tuple[str, str] | None]] = {
    # name: what it must have, what it may have, and two of which it must have exactly one
    "setDiscount": ({"name": text}, {"scope": one_of(*SCOPES)}, ("percent", "amount")),
    "setDiscountPerItem": ({"name": text}, {"sku": text, "category": text}, ("percent", "amount")),
    "addLoyaltyPoints": ({"program": _whole}, {"name": text, "ledger": _any_text}, ("points", "points_per_unit")),
    "showNotification": ({"title": text, "body": text}, {"type": text}, None),
}
_SIZES: Mapping[str, Check] = {
    "percent": _percent,
    "amount": _amount,
    "points": _amount,
    "points_per_unit": _amount,
}


def _effects(value: Any) -> str | None:
    if not isinstance(value, list) or not value:
        return "must be a list with at least one effect"
    for number, table in enumerate(value, start=1):
        fault = _effect_fault(table)
        if fault:
            return f"has a fault in effect {number}: {fault}"
    return None


def _effect_fault(table: Any) -> str | None:
    if not isinstance(table, Mapping):
        return "must be a table"
    if table.get("effect") not in tuple(_EFFECTS):
        return f"`effect` must be one of {', '.join(_EFFECTS)}"
    required, optional, sizes = _EFFECTS[table["effect"]]
    if sizes and (sizes[0] in table) == (sizes[1] in table):
        return f"needs either `{sizes[0]}` or `{sizes[1]}`"
    extra = {size: _SIZES[size] for size in sizes or ()}
    return _table_fault(table, required={"effect": text, **required}, optional={**optional, **extra})
