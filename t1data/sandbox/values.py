"""Single values of a body or a query: what they are, and how a text shows them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal

from t1data.sandbox.core import dump

LONGEST_ID = 1000
LARGEST_ID = 2**63 - 1
LARGEST_NUMBER = 1.7976931348623157e308
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d+))?(?:[Zz]|([+-]\d\d:\d\d))\Z", re.ASCII)


def text_fault(value: object, *, least: int = 0, most: int | None = None) -> str | None:
    """Return what is wrong with a string, or None."""
    if not isinstance(value, str):
        return "must be a string"
    if len(value) < least:
        return "must not be empty" if least == 1 else f"must have at least {least} characters"
    if most is not None and len(value) > most:
        return f"must have at most {most} characters"
    return None if is_text(value) else "must be valid Unicode"


def is_text(value: object) -> bool:
    """Return whether this is a string that UTF-8 can carry: a lone surrogate is none."""
    if not isinstance(value, str):
        return False
    if value.isascii():
        return True
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def is_number(value: object) -> bool:
    """Return whether this is a number that fits Talon.One's float64; NaN and infinities are none."""
    if isinstance(value, bool):
        return False
    if isinstance(value, Decimal):
        return value.is_finite() and -LARGEST_NUMBER <= value <= LARGEST_NUMBER
    return isinstance(value, int | float) and -LARGEST_NUMBER <= value <= LARGEST_NUMBER


def as_integer(value: object) -> int | None:
    """Return the integer that a JSON value stands for, or None; ids must fit 64 bits."""
    if not is_number(value) or not -LARGEST_ID <= value <= LARGEST_ID:  # type: ignore[operator]
        return None
    whole = int(value)  # type: ignore[call-overload]
    return whole if whole == value else None


def is_time(value: object) -> bool:
    """Return whether this is an RFC 3339 time with a date, a time and an offset."""
    return isinstance(value, str) and _read_time(value) is not None


def moment(text: str) -> datetime:
    """Return the instant that an RFC 3339 time names, cut to microseconds."""
    instant = _read_time(text)
    if instant is None:
        raise ValueError("not a time by RFC 3339")
    return instant


def _read_time(text: str) -> datetime | None:
    found = _TIME.match(text)
    if found is None:
        return None
    date, clock, fraction, offset = found.groups()
    try:
        instant = datetime.fromisoformat(f"{date}T{clock}.{(fraction or '0')[:6].ljust(6, '0')}{offset or '+00:00'}")
        return instant.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def show(value: object) -> str:
    """Return a value as the literal texts show it, short."""
    if isinstance(value, list | dict):
        return "[...]" if isinstance(value, list) else "{...}"
    if not (value is None or isinstance(value, str | bool) or is_number(value)):
        return "a number out of range"  # its own text may be too long to write at all
    text = dump(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
