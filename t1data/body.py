"""Plain Python values → strict JSON bytes, each value exactly or not at all."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from json.encoder import encode_basestring
from typing import Any

from t1data.errors import InputError

Body = Mapping[str, Any] | bytes | memoryview
Place = tuple[str | int, ...]

_DEEPEST = 50


def encode_body(body: Body) -> bytes | memoryview:
    """Encode a body for the wire; ready bytes go through untouched.

    Parameters
    ----------
    body : mapping, bytes or memoryview
        Values may be text, bool, int of any size, finite float, ``Decimal`` (exact, as a JSON number),
        ``datetime`` with a zone (as UTC, RFC 3339), None, and lists, tuples and mappings of these. numpy's
        and pandas' single values count as what they stand for.

    Raises
    ------
    InputError
        A value has no exact JSON form: NaN, infinity, a time without a zone, bytes, a set, a missing value
        such as ``NaT``. The message names the place, and never the value.

    Examples
    --------
    >>> from decimal import Decimal
    >>> encode_body({"attributes": {"Spend": Decimal("11.10")}})
    b'{"attributes":{"Spend":11.10}}'
    """
    if isinstance(body, bytes | memoryview):
        return body
    if not isinstance(body, Mapping):
        raise InputError(f"The body must be a mapping or ready bytes, not {type(body).__name__}.")
    try:
        return json_of(body).encode()
    except UnicodeEncodeError:
        raise InputError("The body holds text that is not valid Unicode (half a surrogate pair).") from None


def json_of(value: Any) -> str:
    """Return the JSON text of one value, as `encode_body` writes it.

    Examples
    --------
    >>> json_of([True, None, "ä"])
    '[true,null,"ä"]'
    """
    return _encode(value, ())


def _encode(value: Any, place: Place) -> str:
    for kinds, encode in _ENCODERS:
        if isinstance(value, kinds):
            return encode(value, place)
    plain = _plain(value, place)
    return _encode(plain, place)


def _mapping(value: Mapping[Any, Any], place: Place) -> str:
    _check_depth(place)
    return "{" + ",".join(_member(key, item, place) for key, item in value.items()) + "}"


def _member(key: Any, value: Any, place: Place) -> str:
    if not isinstance(key, str):
        raise InputError(f"The body's names must be text, not {type(key).__name__}, at {_pointer(place)}.")
    return f"{encode_basestring(key)}:{_encode(value, (*place, key))}"


def _list(value: list[Any] | tuple[Any, ...], place: Place) -> str:
    _check_depth(place)
    return "[" + ",".join(_encode(item, (*place, i)) for i, item in enumerate(value)) + "]"


def _check_depth(place: Place) -> None:
    if len(place) > _DEEPEST:
        raise InputError(f"The body is nested deeper than {_DEEPEST} levels, or holds itself.")


def _integer(value: int, place: Place) -> str:
    try:
        return int.__repr__(value)
    except ValueError:  # Python itself bounds the digits, by default at 4300
        raise _unfit(place, "an integer of more digits than Python writes") from None


def _float(value: float, place: Place) -> str:
    if not math.isfinite(value):
        raise _unfit(place, "NaN or infinity; leave it out, or give None")
    return float.__repr__(value)


def _decimal(value: Decimal, place: Place) -> str:
    if not value.is_finite():
        raise _unfit(place, "NaN or infinity; leave it out, or give None")
    return str(value)


def _datetime(value: datetime, place: Place) -> str:
    if value != value:  # pandas' NaT is a datetime
        raise _unfit(place, "a missing time; leave it out, or give None")
    if value.utcoffset() is None:
        raise _unfit(place, "a time without a zone; give it one")
    if getattr(value, "nanosecond", 0):
        raise _unfit(place, "a time finer than microseconds; round it")
    return f'"{value.astimezone(UTC).replace(tzinfo=None).isoformat()}Z"'


_ENCODERS: tuple[tuple[Any, Callable[[Any, Place], str]], ...] = (
    (str, lambda value, place: encode_basestring(value)),
    (bool, lambda value, place: "true" if value else "false"),
    (type(None), lambda value, place: "null"),
    (int, _integer),
    (float, _float),
    (Mapping, _mapping),
    ((list, tuple), _list),
    (Decimal, _decimal),
    (datetime, _datetime),
)


def _plain(value: Any, place: Place) -> Any:
    """Turn one value of numpy into the Python value that it stands for."""
    kind = type(value)
    if kind.__module__ == "numpy" and kind.__name__ in ("float32", "float16"):
        return float(str(value))  # its own shortest digits: .item() would turn 0.1 into 0.10000000149011612
    if kind.__module__ == "numpy" and hasattr(value, "item") and getattr(value, "shape", None) == ():
        return _exact_item(value, place)
    if isinstance(value, date):
        raise _unfit(place, "a date; give text, or a time with a zone")
    raise _unfit(place, f"a value of type {kind.__name__}")


def _exact_item(value: Any, place: Place) -> Any:
    item = value.item()
    if type(item) is type(value):
        raise _unfit(place, f"a value of type {type(value).__name__}")
    return item


def _unfit(place: Place, what: str) -> InputError:
    return InputError(f"JSON has no exact form for {what}, at {_pointer(place)}.")


def _pointer(place: Place) -> str:
    return "/" + "/".join(map(str, place))


_FLAGS = {
    "dry": "dry",
    "run_rule_engine": "runRuleEngine",
    "force_complete_evaluation": "forceCompleteEvaluation",
    "profile": "profile",
    "referrals": "referrals",
    "coupons": "coupons",
    "loyalty": "loyalty",
    "giveaways": "giveaways",
    "achievements": "achievements",
}
_OPTIONS = {
    **_FLAGS,
    "silent": "silent",
    "now": "now",
    "page_size": "pageSize",
    "skip": "skip",
    "entity": "entity",
    "advocate": "advocate",
    "code": "code",
    "created_after": "createdAfter",
    "created_before": "createdBefore",
}


def encode_query(options: Mapping[str, Any]) -> dict[str, str]:
    """Turn options into the query: wire names, wire values, and nothing for None.

    Examples
    --------
    >>> encode_query({"run_rule_engine": True, "dry": None})
    {'runRuleEngine': 'true'}
    """
    return {_OPTIONS[name]: _option(name, value) for name, value in options.items() if value is not None}


def _option(name: str, value: Any) -> str:
    if name == "silent" and value not in ("yes", "no"):  # a boolean would go out as "true", which means nothing here
        raise InputError('silent is "yes" or "no".')
    if name in _FLAGS:
        return _flag(name, value)
    if isinstance(value, datetime):
        return _datetime(value, (name,))[1:-1]
    return str(value)


def _flag(name: str, value: Any) -> str:
    if value not in (True, False):  # numpy's bool is equal to Python's; a text such as "false" must not count as true
        raise InputError(f"{name} is True or False.")
    return "true" if value else "false"
