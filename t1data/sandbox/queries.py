"""Reading the query and the path of a call; a bad value is a 400 that names its parameter."""

from __future__ import annotations

import re

from t1data.sandbox.core import Call, Refusal, invalid_all, not_found
from t1data.sandbox.values import LARGEST_ID, is_text, is_time, moment, show

_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


def flag(call: Call, name: str, *, default: bool = False) -> bool:
    """Return a boolean query value: true or false in any case, 1 or 0 (one SDK sends ``True``)."""
    text = call.query.get(name)
    if text is None:
        return default
    if text.lower() not in _BOOLEANS:
        raise bad_parameter(name, "must be true or false")
    return _BOOLEANS[text.lower()]


def word(call: Call, name: str) -> str | None:
    """Return a query value as it is."""
    text = call.query.get(name)
    if text is not None and not is_text(text):
        raise bad_parameter(name, "must be valid Unicode")
    return text


def silent(call: Call) -> bool:
    """Return the query value ``silent``: yes unless the caller says no."""
    text = call.query.get("silent", "yes")
    if text not in ("yes", "no"):
        raise bad_parameter("silent", 'must be "yes" or "no"')
    return text == "yes"


def whole(call: Call, name: str, *, default: int, least: int, most: int = LARGEST_ID) -> int:
    """Return an integer query value."""
    text = call.query.get(name)
    if text is None:
        return default
    number = int(text) if re.fullmatch(r"-?[0-9]{1,18}", text) else None
    if number is None or not least <= number <= most:
        raise bad_parameter(name, f"must be an integer from {least} to {most}")
    return number


def instant_of(call: Call, name: str) -> str | None:
    """Return a time of the query as RFC 3339 in UTC with microseconds, the form that the store compares."""
    text = call.query.get(name)
    if text is None:
        return None
    if not is_time(text):
        raise bad_parameter(name, "must be a time by RFC 3339")
    return moment(text).isoformat(timespec="microseconds").replace("+00:00", "Z")


def path_id(call: Call, name: str) -> int:
    """Return an integer of the path; anything else names nothing, so it is a 404."""
    text = call.path.get(name, "")
    if not re.fullmatch(r"[0-9]{1,18}", text):
        raise not_found(f"{name} {show(text)}")
    return int(text)


def bad_parameter(name: str, details: str) -> Refusal:
    """Return the 400 for a query value."""
    error = {"title": "Invalid value", "details": f"{name} {details}", "source": {"parameter": name}}
    return invalid_all([error])
